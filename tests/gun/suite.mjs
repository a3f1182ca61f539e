/* suite.mjs - unmodified gun clients against the relay, from its port only. */
import { suite } from '../tools/harness.mjs';
import { basic_cases } from './cases-basic.mjs';
import { call_cases } from './cases-calls.mjs';
import { data_cases } from './cases-data.mjs';
import { killer_cases } from './cases-killers.mjs';
import { peer_cases } from './cases-peers.mjs';
import { restart_cases } from './cases-restart.mjs';
import { sea_cases } from './cases-sea.mjs';
import { slow_cases } from './cases-slow.mjs';
import { user_cases } from './cases-users.mjs';
import { World } from './world.mjs';

const gun = suite('gun');
const world = new World();
gun.after(() => world.close());
basic_cases(gun, world);
data_cases(gun, world);
peer_cases(gun, world);
call_cases(gun, world);
sea_cases(gun, world);
user_cases(gun, world);
slow_cases(gun, world);
killer_cases(gun, world);
restart_cases(gun, world);
await gun.run(() => world.open());
