/* suite.mjs - audio as it is read. */
import { suite } from '../tools/harness.mjs';
import { table_cases } from './cases-table.mjs';
import { World } from './world.mjs';

const audio = suite('audio');
const world = new World();
audio.after(() => world.close());
table_cases(audio, world);
await audio.run(() => world.open());
