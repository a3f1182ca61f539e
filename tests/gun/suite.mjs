/* suite.mjs - unmodified gun clients against the relay, from its port only. */
import { suite } from '../tools/harness.mjs';
import { basic_cases } from './cases-basic.mjs';
import { data_cases } from './cases-data.mjs';
import { peer_cases } from './cases-peers.mjs';
import { World } from './world.mjs';

const gun = suite('gun');
const world = await new World().open();
gun.after(() => world.close());
basic_cases(gun, world);
data_cases(gun, world);
peer_cases(gun, world);
await gun.run();
