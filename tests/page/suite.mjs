/* suite.mjs - the page's data modules (web-demo/js/data) against a real relay. */
import { suite } from '../tools/harness.mjs';
import { audio_cases } from './cases-audio.mjs';
import { hostile_cases } from './cases-hostile.mjs';
import { live_cases } from './cases-live.mjs';
import { many_cases } from './cases-many.mjs';
import { people_cases } from './cases-people.mjs';
import { playlist_cases } from './cases-playlists.mjs';
import { tag_cases } from './cases-tags.mjs';
import { World } from './world.mjs';

const page = suite('page');
const world = new World();
page.after(() => world.close());
people_cases(page, world);
playlist_cases(page, world);
live_cases(page, world);
audio_cases(page, world);
hostile_cases(page, world);
many_cases(page, world);
tag_cases(page);
await page.run(() => world.open());
