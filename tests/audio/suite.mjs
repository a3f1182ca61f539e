/* suite.mjs - audio as it is read and written. With --bare by HTTP alone: no gun.js, no Chromium. */
import { suite } from '../tools/harness.mjs';
import { browser_cases } from './cases-browser.mjs';
import { conformance_cases } from './cases-conformance.mjs';
import { damage_cases } from './cases-damage.mjs';
import { gun_cases } from './cases-gun.mjs';
import { listener_cases } from './cases-listeners.mjs';
import { range_cases } from './cases-ranges.mjs';
import { table_cases } from './cases-table.mjs';
import { upload_life_cases } from './cases-upload-life.mjs';
import { upload_table_cases } from './cases-upload-table.mjs';
import { World } from './world.mjs';

const audio = suite('audio');
const world = new World();
audio.after(() => world.close());
table_cases(audio, world);
range_cases(audio, world);
listener_cases(audio, world);
damage_cases(audio, world);
upload_table_cases(audio, world);
if (!process.argv.includes('--bare')) {
    upload_life_cases(audio, world);
    gun_cases(audio, world);
    conformance_cases(audio);
    browser_cases(audio, world);
}
await audio.run(() => world.open());
