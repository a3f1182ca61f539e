/* suite.mjs - what operators do to a store, and what it must never do to them. */
import { suite } from '../tools/harness.mjs';
import { audio_cases } from './cases-audio.mjs';
import { backup_cases } from './cases-backup.mjs';
import { expire_cases } from './cases-expire.mjs';
import { import_cases } from './cases-import.mjs';
import { purge_cases } from './cases-purge.mjs';
import { rules_cases } from './cases-rules.mjs';
import { socket_cases } from './cases-socket.mjs';
import { store_cases } from './cases-store.mjs';

const admin = suite('admin');
socket_cases(admin);
import_cases(admin);
backup_cases(admin);
purge_cases(admin);
expire_cases(admin);
store_cases(admin);
rules_cases(admin);
audio_cases(admin);
await admin.run();
