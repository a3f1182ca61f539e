/* open.js - all that the page knows and does, without a pixel: one object.
 *
 *   const data = openData({ Gun, SEA, origin: location.origin,
 *                           local: localStorage, session: sessionStorage });
 *
 * Nothing in this folder touches the document. It runs in Node as it runs in a page,
 * and that is how tests/page tries it, against the real relay.
 *
 *   relay      the connection: put, watch, read, online, what waits to be said again
 *   people     who is signed in; names
 *   tracks     the library of this relay
 *   covers     pictures, by their hash
 *   playlists  lists that several people edit
 *   presence   who listens to what, now
 *   premium    keys of encrypted tracks
 *   chunks     the bytes of a track, by HTTP or by GUN
 *   uploads    files on their way in
 *   status     how the relay is
 */
import { openChunks } from './chunks.js';
import { openCovers } from './covers.js';
import { openPeople } from './people.js';
import { openPlaylists } from './playlists.js';
import { openPremium } from './premium.js';
import { openPresence } from './presence.js';
import { openRelay } from './relay.js';
import { openStatus } from './status.js';
import { openTracks } from './tracks.js';
import { openUploads } from './upload.js';

/**
 * @param {object} world  what a page has and a test makes
 * @param {Function} world.Gun      gun.js, as it is
 * @param {object} world.SEA        sea.js, as it is
 * @param {string} world.origin     'http://127.0.0.1:8765'
 * @param {Storage} world.local     stays: localStorage
 * @param {Storage} world.session   stays as long as the tab: sessionStorage
 * @param {object} [world.keeper]   keeps files of unfinished uploads (keeper.js); without it they do not outlive the page
 * @param {object} [world.gunOptions]  more options for Gun (tests in Node hand in a WebSocket)
 */
export function openData(world)
{
    const data = { world };
    data.relay = openRelay(data);
    data.people = openPeople(data);
    data.covers = openCovers(data);
    data.tracks = openTracks(data);
    data.premium = openPremium(data);
    data.chunks = openChunks(data);
    data.playlists = openPlaylists(data);
    data.presence = openPresence(data);
    data.uploads = openUploads(data);
    data.status = openStatus(data);
    data.close = () => {
        for (const part of ['status', 'uploads', 'presence', 'playlists', 'tracks', 'people', 'relay']) data[part].close();
    };
    return data;
}
