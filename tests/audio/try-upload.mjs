import { suite } from '../tools/harness.mjs';
import * as cases from './cases-upload-table.mjs';
import { World } from './world.mjs';
const audio = suite('audio');
const world = new World();
audio.after(() => world.close());
cases.upload_table_cases(audio, world);
await audio.run(() => world.open());
