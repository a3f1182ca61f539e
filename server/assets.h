/* assets.h - the client's files, for pages that load them from their relay.
 *
 * The folder is read once, at start: the names found are all that can ever be
 * asked for, and no path from outside is opened. A file is read when it is first
 * asked for and then kept; the package holds about 2 MB in all.
 *
 *   DIR/gun.js DIR/sea.js DIR/NAME.js   ->  /gun.js /sea.js /gun/NAME.js
 *   DIR/lib/NAME.js                     ->  /gun/lib/NAME.js
 */
#ifndef SERVER_ASSETS_H
#define SERVER_ASSETS_H

#include "core/slice.h"
#include "core/status.h"

typedef struct assets assets;

typedef struct asset {
    slice text;
    char etag[33];
} asset;

/* Gives; assets_free() takes back. STATUS_NOT_FOUND: no gun.js there, and there
 * will be no files. STATUS_NO_MEMORY. */
MUST_USE status assets_open(assets **out, const char *folder);
void assets_free(assets *a);
size_t assets_count(const assets *a);

/* Finds what a path of a request stands for, lent until assets_free().
 * STATUS_NOT_FOUND, STATUS_IO, STATUS_NO_MEMORY. `a` may be NULL. */
MUST_USE status assets_find(assets *a, slice path, const asset **out);

#endif
