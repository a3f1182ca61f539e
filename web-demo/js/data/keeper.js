/* keeper.js - files of unfinished uploads, kept by the browser in IndexedDB.
 *
 * A page cannot open a file again after a reload without asking; a Blob that IndexedDB
 * keeps is a copy that it can. What is kept: name, type, size, what the user typed, the
 * manifest, keys of a premium track, and the file. It goes when the upload has ended.
 */
const database = 'brasa', table = 'uploads';

const settled = request => new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
});

/** Gives {put(record), all(), remove(id)}; a record has an `id`. Rejects where IndexedDB is forbidden. */
export async function openKeeper(indexedDB)
{
    const opening = indexedDB.open(database, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(table, { keyPath: 'id' });
    const db = await settled(opening);
    const store = mode => db.transaction(table, mode).objectStore(table);
    return {
        put: record => settled(store('readwrite').put(record)),
        all: () => settled(store('readonly').getAll()),
        remove: id => settled(store('readwrite').delete(id)),
    };
}

/** The same for as long as the page lives. */
export function openForgetfulKeeper()
{
    const records = new Map();
    return {
        put: async record => { records.set(record.id, { ...record }); },
        all: async () => Array.from(records.values(), record => ({ ...record })),
        remove: async id => { records.delete(id); },
    };
}
