/* line_root.h - a piece of audio as a line of JSON, for who keeps the store.
 *
 *     {"root":R,"mime":M,"bytes":N,"chunks":N,"of":N,"rows":N,"stored":N,"links":N,
 *      "pins":["operator","~P"],"charged":C,"seen":SECONDS}
 *
 * What an upload under way has left has "upload" instead of "root". What only a manifest
 * can say is missing without one: mime, bytes (of the file), of (how many chunks it has).
 * `seen` is how long ago its grace began.
 */
#ifndef SERVER_LINE_ROOT_H
#define SERVER_LINE_ROOT_H

#include "core/text.h"
#include "radisk/space.h"

/* Appends the line. Errors are the view's. */
MUST_USE status line_root(text *out, radisk_view *v, const view_root *root, double now_ms);

/* One that was collected, or would be. */
void line_gone(text *out, const root_key *root, const root_record *is, double now_ms);

/* The last line, of a pin that is set (`on`) or taken away, and of a collection. */
void line_pinned(text *out, status how, bool on, bool was);
void line_collected(text *out, status how, const radisk_gone *gone, bool dry_run);

#endif
