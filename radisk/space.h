/* space.h - what audio takes, who pays for it, and when it goes.
 *
 * Chunks cannot be deleted by anybody (core/audio.h), so the store takes them back by
 * itself. Of each root, which is all souls "audio/<root>#...", it knows
 *
 *   links    how many rows elsewhere name it: their text has "audio/<root>#m" as a whole
 *   pins     of the operator; of owners: "true", signed, at (~P/pins, <root>)
 *   bytes    of the text of its rows
 *   seen     when its grace was renewed last
 *   charged  who has to answer for its bytes: who pins it, else who signed a link to it,
 *            else the address that uploaded it first. Of several keys the first, in the
 *            order of their characters
 *
 * The first three are counted by the folder in the very transactions that change rows,
 * so they are right after any crash. A root that nothing names and nobody pins, and
 * whose grace is over, is collected: its rows leave, and leave no floor, so that the
 * same bytes may come again at once. Souls of uploads under way, "audio/upload-<16
 * digits>#", are roots that nobody can name.
 *
 * The grace begins anew when a row of the root comes, when a link or a pin comes or
 * goes, and with radisk_renew(): whoever is told that a chunk is here may rely on it for
 * that long. (A link that comes and goes between two folds was never there.)
 *
 * How a root goes, so that nothing of what the loop says meanwhile is broken:
 *
 *     looked for --> watched: all that was merged is folded --> condemned --> gone
 *         |              |                                        |
 *         |              '-- named, pinned, written, renewed:     '-- for the loop it is
 *         |                  spared                                   gone already: what is
 *         '-- by the folder, a few at a time                          written comes anew
 *
 * Notes (renewals, who uploads) are written to the disk by the folder, about a second
 * later; a crash loses those of the last second. Renewals of one root are written once
 * in a 24th of the grace, which is therefore longer by as much.
 *
 * The clock is the wall's, as with rows that expire: while it is far ahead, graces end.
 */
#ifndef RADISK_SPACE_H
#define RADISK_SPACE_H

#include "radisk/radisk.h"
#include "radisk/roots.h"
#include "radisk/view.h"

/* Renews the grace of a root. Cheap: once in a while it is noted. */
void radisk_renew(radisk *store, const uint8_t root[static ROOT_BYTES]);

/* The same for a row's soul; any other soul means nothing. */
void radisk_renew_soul(radisk *store, slice soul);

/* Who uploads to this soul, by address, at most PAYER_MAX characters. Of the first one the
 * bytes are, until a key answers for them. To be called after its row was merged. */
void radisk_charge(radisk *store, slice soul, slice who);

/* The bytes that "~P" or an address has to answer for: as far as they are folded. */
uint64_t radisk_charged(radisk *store, slice who);

/* What is known of a root, as far as it is folded. STATUS_NOT_FOUND, STATUS_CORRUPT. */
MUST_USE status radisk_root(radisk *store, const root_key *root, root_record *out);

/* An upload is over: what stands in its soul goes, without a grace. A crash before that
 * leaves it to its grace. */
void radisk_discard(radisk *store, slice soul);

/* Whose pins count, besides the operator's: public keys, copied. Until this is said,
 * everybody's do. STATUS_NO_MEMORY. */
MUST_USE status radisk_allow_pins(radisk *store, const slice *keys, size_t count);

/* Pins a root for the operator, or takes that pin away; told once, from radisk_turn().
 * One at a time: STATUS_BUSY. `was`: how it stood before. */
typedef void radisk_pinned(void *context, status how, bool was);
MUST_USE status radisk_pin_begin(radisk *store, const uint8_t root[static ROOT_BYTES], bool on,
                                 radisk_pinned *told, void *context);

/* Collects what may go. One at a time: STATUS_BUSY. The store does the same by itself
 * (radisk_limits.audio_pass_ms). `went`, if given, hears of each root that went (or, dry,
 * would go), as it was before. Told once, with what went (or would have gone). */
typedef struct radisk_gone {
    uint64_t roots, rows, bytes;
} radisk_gone;
typedef void radisk_went(void *context, const root_key *root, const root_record *is);
typedef void radisk_collected(void *context, status how, const radisk_gone *gone);
typedef struct radisk_collect {
    double grace_ms; /* below zero: the limit's */
    bool dry_run;
    radisk_went *went;
    radisk_collected *told;
    void *context;
} radisk_collect;
MUST_USE status radisk_collect_begin(radisk *store, const radisk_collect *wish);

/* How full the store is, of its size: database and blobs, 1 when nothing more fits. */
double radisk_fullness(const radisk *store);

/* Grows whenever chunks may have gone that were there before. */
uint64_t radisk_collections(const radisk *store);

/* A root in a view, in the order of their bytes. `pins` are the keys that pin it,
 * with spaces between; lent until the next one. */
typedef struct view_root {
    root_key root;
    root_record is;
    uint64_t links;
    double pinned_ms; /* by the operator; 0: not */
    slice pins;
} view_root;
typedef bool view_root_visit(void *visitor, const view_root *root); /* whether to go on */
MUST_USE status view_roots(radisk_view *v, view_root_visit *visit, void *visitor);

/* The pins of the operator, also of roots that are not here. */
typedef bool view_pin_visit(void *visitor, const root_key *root, double when_ms);
MUST_USE status view_pins(radisk_view *v, view_pin_visit *visit, void *visitor);

#endif
