/* space.c - the loop's side of space.h: what is noted, and when the folder collects.
 *
 *     idle --> folding --> look --> (found) --> watch, folding --> remove --> look
 *      ^                    |                                        |
 *      '------ ended -------+----------------------------------------'
 *
 * While roots are watched each write is looked at for what it names, which costs a
 * microsecond; at all other times nothing here is asked on the way of a put.
 */
#include "radisk/space.h"
#include "core/keyed.h"
#include "radisk/inside.h"

#include <math.h>
#include <stdlib.h>

enum {
    NOTES_MAX = 4096,
    NOTES_MS = 1000,       /* notes are gathered for so long */
    LOST = 65536,          /* places for what could not be noted, which roots share */
    RECENT = 4096,         /* roots of which it is remembered that they were noted */
    RENEWALS = 24,         /* a grace */
    FIRST_PASS_SHARE = 12, /* of the time between two passes, after a start */
    FLUSHES_MAX = 16,      /* jobs that a store which closes waits for */
};

typedef enum phase { IDLE, FOLDING, LOOKING, WATCHING, REMOVING } phase;

typedef struct recent {
    root_key root;
    double when_ms;
    bool charged;
} recent;

typedef struct pass {
    bool wanted;
    radisk_collect wish;
    radisk_gone gone;
} pass;

typedef struct pending_pin {
    bool wanted, on;
    root_key root;
    radisk_pinned *told;
    void *context;
} pending_pin;

struct space {
    space_note notes[NOTES_MAX];
    size_t notes_len;
    double notes_at_ms;   /* steady: when the next are written, unless they are many */
    bool notes_failed;    /* the last time: then many wait, too */
    double lost_ms[LOST]; /* wall: when a renewal could not be noted; 0: never */
    recent recent[RECENT];

    phase phase;
    pass pass;
    double pass_at_ms; /* steady */
    double before_ms;  /* of this pass */
    uint64_t after;    /* FOLDING, WATCHING: what must be folded */
    root_key from;     /* where the last look began */
    bool spared[SPACE_FOUND_MAX];
    space_work work;
    pending_pin pin;

    bool keys_known; /* else everybody's pins count */
    text *keys;
    size_t keys_len;
    uint64_t collections;
    bool any, any_known; /* whether there are roots at all */
};

/* ---- opening ---- */

status space_open(radisk *store)
{
    store->space = calloc(1, sizeof *store->space);
    if (store->space == NULL) return STATUS_NO_MEMORY;
    store->space->pass_at_ms =
        store->now_ms(store->context) + (double)store->limits.audio_pass_ms / FIRST_PASS_SHARE;
    return STATUS_OK;
}

static void free_keys(text *keys, size_t count)
{
    for (size_t i = 0; i < count; i++) text_free(&keys[i]);
    free(keys);
}

static int by_text(const void *a, const void *b)
{
    return slice_order(text_slice(a), text_slice(b));
}

status radisk_allow_pins(radisk *store, const slice *keys, size_t count)
{
    text *all = count > 0 ? calloc(count, sizeof *all) : NULL;
    bool good = count == 0 || all != NULL;

    for (size_t i = 0; i < count && all != NULL; i++) {
        text_add(&all[i], keys[i]);
        good &= text_ok(&all[i]);
    }
    if (!good) {
        free_keys(all, all == NULL ? 0 : count);
        return STATUS_NO_MEMORY;
    }
    if (count > 1) qsort(all, count, sizeof *all, by_text);
    if (store->folding && store->fold_job.errand == SPACE) worker_wait(store->folder);
    free_keys(store->space->keys, store->space->keys_len);
    store->space->keys = all;
    store->space->keys_len = count;
    store->space->keys_known = true;
    return STATUS_OK;
}

/* ---- notes ---- */

static double grace_ms(const radisk *store)
{
    return (double)store->limits.audio_grace_ms;
}

static double interval_ms(double grace)
{
    return grace / RENEWALS;
}

static recent *recent_of(radisk *store, const root_key *root)
{
    return &store->space->recent[keyed_hash(store->secret, root_slice(root)) % RECENT];
}

/* What a watched root goes through, it lives. */
static void spare(space *s, const root_key *root)
{
    if (s->phase != WATCHING) return;
    for (size_t i = 0; i < s->work.found_len; i++)
        if (root_equal(&s->work.found[i], root)) s->spared[i] = true;
}

static double *lost_of(radisk *store, const root_key *root)
{
    return &store->space->lost_ms[keyed_hash(store->secret, root_slice(root)) % LOST];
}

/* Whether there was room. Where there is none for a renewal nothing is collected that it
 * could stand for: few others, or whoever has many roots renewed at once could keep all
 * that there is. Of a row that was merged (`by`) the fold is the renewal. */
static bool note(radisk *store, const root_key *root, slice by, bool discard)
{
    space *s = store->space;
    space_note *n = &s->notes[s->notes_len];

    if (s->notes_len == NOTES_MAX) {
        if (!discard && by.len == 0) *lost_of(store, root) = store->clock_ms(store->context);
        return false;
    }
    *n = (space_note){ .root = *root,
                       .discard = discard,
                       .when_ms = store->clock_ms(store->context),
                       .after = errands_after(store) };
    payer_set(&n->uploader, by);
    if (s->notes_len++ == 0) s->notes_at_ms = store->now_ms(store->context) + NOTES_MS;
    return true;
}

/* What could not be noted is not remembered as if it were: the next chunk is charged. */
static void renew(radisk *store, const root_key *root, slice by)
{
    recent *r = recent_of(store, root);
    double now = store->clock_ms(store->context);
    bool known = r->root.len > 0 && root_equal(&r->root, root) && r->when_ms <= now &&
                 now - r->when_ms < interval_ms(grace_ms(store));

    spare(store->space, root);
    if (known && (by.len == 0 || r->charged)) return;
    if (!note(store, root, by, false)) return;
    *r = (recent){ .root = *root, .when_ms = now, .charged = by.len > 0 || (known && r->charged) };
}

void radisk_renew(radisk *store, const uint8_t root[static ROOT_BYTES])
{
    root_key key = { .len = ROOT_BYTES };

    memcpy(key.at, root, ROOT_BYTES);
    renew(store, &key, SLICE(""));
}

void radisk_renew_soul(radisk *store, slice soul)
{
    root_key root;

    if (root_of_soul(soul, &root)) renew(store, &root, SLICE(""));
}

void radisk_charge(radisk *store, slice soul, slice by)
{
    root_key root;

    if (root_of_soul(soul, &root)) renew(store, &root, by);
}

void radisk_discard(radisk *store, slice soul)
{
    root_key root;

    if (root_of_soul(soul, &root) && root.len < ROOT_BYTES)
        (void)note(store, &root, SLICE(""), true);
}

uint64_t radisk_charged(radisk *store, slice by)
{
    uint64_t bytes;

    return disk_charged(&store->disk, by, &bytes) == STATUS_OK ? bytes : 0;
}

status radisk_root(radisk *store, const root_key *root, root_record *out)
{
    return disk_root(&store->disk, root, out);
}

double radisk_fullness(const radisk *store)
{
    uint64_t used = store->map_used + blobs_file_bytes(store->blobs);

    return store->room != STATUS_OK ? 1 : (double)used / (double)store->limits.size_max;
}

uint64_t radisk_collections(const radisk *store)
{
    return store->space->collections;
}

/* ---- what is watched, and what is condemned ---- */

bool space_is_watching(const radisk *store)
{
    return store->space->phase == WATCHING;
}

void space_meet(radisk *store, slice soul, slice key, slice value)
{
    root_names names;
    root_key root;

    if (root_of_soul(soul, &root)) {
        spare(store->space, &root);
        return;
    }
    if (value.len > BLOB_MIN) return;
    (void)root_names_of(soul, key, value, &names);
    for (size_t i = 0; i < names.count; i++) spare(store->space, &names.roots[i]);
}

bool space_is_condemned(const radisk *store, slice soul)
{
    const space *s = store->space;
    root_key root;

    if (s->phase != REMOVING || !root_of_soul(soul, &root)) return false;
    for (size_t i = 0; i < s->work.found_len; i++)
        if (root_equal(&s->work.found[i], &root)) return true;
    return false;
}

/* ---- a pass ---- */

status radisk_collect_begin(radisk *store, const radisk_collect *wish)
{
    space *s = store->space;

    if (store->latched || store->damaged) return STATUS_IO;
    if (s->pass.wanted) return STATUS_BUSY;
    s->pass = (pass){ .wanted = true, .wish = *wish };
    return STATUS_OK;
}

static void end_pass(radisk *store, status how)
{
    space *s = store->space;
    pass ended = s->pass;

    s->phase = IDLE;
    s->pass = (pass){ .wanted = false };
    s->pass_at_ms = store->now_ms(store->context) + (double)store->limits.audio_pass_ms;
    store->stats.roots_collected += ended.wish.dry_run ? 0 : ended.gone.roots;
    store->stats.rows_collected += ended.wish.dry_run ? 0 : ended.gone.rows;
    if (ended.wish.told != NULL) ended.wish.told(ended.wish.context, how, &ended.gone);
}

static void await_fold(radisk *store, phase then)
{
    space *s = store->space;

    s->phase = then;
    s->after = errands_ask(store);
}

/* What was merged by now counts. Renewals are written once in an interval, so what is on
 * the disk may be older by one. */
static void begin_looking(radisk *store)
{
    space *s = store->space;
    double grace = s->pass.wish.grace_ms >= 0 ? s->pass.wish.grace_ms : grace_ms(store);

    if (store->folded_through < s->after) return;
    s->before_ms = store->clock_ms(store->context) - grace - interval_ms(grace);
    s->work.from.len = 0;
    s->phase = LOOKING;
}

static bool any_roots(radisk *store)
{
    space *s = store->space;
    uint64_t count = 0;

    if (!s->any_known && store->disk.env != NULL) {
        s->any_known = disk_count(&store->disk, store->disk.roots, &count) == STATUS_OK;
        s->any = count > 0;
    }
    return s->any;
}

static bool pass_is_due(radisk *store, double now_ms)
{
    space *s = store->space;

    if (s->pass.wanted) return true;
    if (now_ms < s->pass_at_ms || !any_roots(store)) return false;
    s->pass = (pass){ .wanted = true, .wish = { .grace_ms = -1 } };
    return true;
}

/* ---- handing over ---- */

/* Notes of what is not folded yet wait, and those behind them. */
static bool is_ready(const radisk *store, size_t note)
{
    const space *s = store->space;

    return note < s->notes_len && s->notes[note].after <= store->folded_through;
}

static size_t ready_notes(const radisk *store)
{
    size_t count = 0;

    while (is_ready(store, count)) count++;
    return count;
}

static bool notes_are_due(const radisk *store, double now_ms)
{
    const space *s = store->space;

    bool many = s->notes_len > NOTES_MAX / 2 && !s->notes_failed;

    return (now_ms >= s->notes_at_ms || many) && is_ready(store, 0);
}

/* What came while it was looked for was folded since, and its grace began anew. */
static bool is_over(radisk *store, const root_key *root)
{
    root_record r;

    return disk_root(&store->disk, root, &r) == STATUS_OK && r.seen_ms < store->space->before_ms;
}

static void condemn(radisk *store)
{
    space *s = store->space;
    size_t left = 0;

    for (size_t i = 0; i < s->work.found_len; i++) {
        if (s->spared[i] || !is_over(store, &s->work.found[i])) continue;
        s->work.found[left] = s->work.found[i];
        s->work.is[left] = s->work.is[i];
        s->work.gone[left++] = false;
    }
    s->work.found_len = left;
    s->phase = left > 0 ? REMOVING : s->work.ended ? IDLE : LOOKING;
    if (left > 0) s->collections++;
    if (left > 0) place_forget(store);
}

static void watched(radisk *store)
{
    space *s = store->space;

    if (s->phase != WATCHING || store->folded_through < s->after) return;
    condemn(store);
    if (s->phase == IDLE) end_pass(store, STATUS_OK);
}

static void fill_work(radisk *store)
{
    space *s = store->space;
    space_work *w = &s->work;

    w->notes = s->notes;
    w->notes_len = ready_notes(store);
    w->pin.len = 0;
    if (s->pin.wanted) {
        w->pin = s->pin.root;
        w->pin_on = s->pin.on;
    }
    w->all_pins = !s->keys_known;
    w->keys = s->keys;
    w->keys_len = s->keys_len;
    w->before_ms = s->before_ms;
    w->look = s->phase == LOOKING;
    if (w->look) s->from = w->from;
    w->remove = s->phase == REMOVING;
}

/* Nothing of a generation that waits to be folded may be passed over. */
space_work *space_hand(radisk *store, double now_ms)
{
    space *s = store->space;

    if (overlay_sealed(store) != NULL) return NULL;
    watched(store);
    if (s->phase == IDLE && pass_is_due(store, now_ms)) await_fold(store, FOLDING);
    if (s->phase == FOLDING) begin_looking(store);
    if (s->phase != LOOKING && s->phase != REMOVING && !s->pin.wanted &&
        !notes_are_due(store, now_ms))
        return NULL;
    fill_work(store);
    return &s->work;
}

/* A generation that is to be sealed is sealed in the next turn, unless the journal is at
 * work: then its news come first. */
static double seal_in_ms(const radisk *store, double now_ms)
{
    bool seals =
        store->space->phase == FOLDING && log_idle(store) && fold_wants_seal(store, now_ms);

    return seals ? 0 : (double)INFINITY;
}

double space_due_in_ms(radisk *store, double now_ms)
{
    const space *s = store->space;
    double in = seal_in_ms(store, now_ms);

    if (store->folding || overlay_sealed(store) != NULL)
        return (double)INFINITY; /* their news come first */
    if (s->phase == LOOKING || s->pin.wanted || (s->phase == IDLE && s->pass.wanted)) in = 0;
    if (s->phase == IDLE && any_roots(store) && s->pass_at_ms - now_ms < in)
        in = s->pass_at_ms - now_ms;
    disk_rest(&store->disk);
    if (is_ready(store, 0) && s->notes_at_ms - now_ms < in) in = s->notes_at_ms - now_ms;
    return in < 0 ? 0 : in;
}

/* ---- news ---- */

static void forget_notes(space *s, size_t count)
{
    s->notes_len -= count;
    memmove(s->notes, s->notes + count, s->notes_len * sizeof *s->notes);
}

/* What was renewed since the folder had its notes lives. */
static void spare_noted(radisk *store)
{
    space *s = store->space;

    for (size_t i = 0; i < s->notes_len; i++) spare(s, &s->notes[i].root);
    for (size_t i = 0; i < s->work.found_len; i++)
        if (*lost_of(store, &s->work.found[i]) >= s->before_ms) s->spared[i] = true;
}

static void tell_roots(space *s, bool all)
{
    const radisk_collect *wish = &s->pass.wish;

    for (size_t i = 0; i < s->work.found_len; i++) {
        if (!all && !s->work.gone[i]) continue;
        s->pass.gone.roots++;
        if (wish->went != NULL) wish->went(wish->context, &s->work.found[i], &s->work.is[i]);
    }
}

static void count_dry(radisk *store)
{
    space *s = store->space;

    for (size_t i = 0; i < s->work.found_len; i++) {
        s->pass.gone.rows += s->work.is[i].rows;
        s->pass.gone.bytes += s->work.is[i].bytes;
    }
    tell_roots(s, true);
    if (s->work.ended) end_pass(store, STATUS_OK);
}

static void looked(radisk *store)
{
    space *s = store->space;

    if (s->pass.wish.dry_run) {
        count_dry(store);
        return;
    }
    memset(s->spared, 0, sizeof s->spared);
    if (s->work.found_len == 0) {
        if (s->work.ended) end_pass(store, STATUS_OK);
        return;
    }
    await_fold(store, WATCHING);
    spare_noted(store);
}

static void forget_recent(radisk *store)
{
    for (size_t i = 0; i < store->space->work.found_len; i++)
        recent_of(store, &store->space->work.found[i])->root.len = 0;
}

/* A root that is too large for one job is looked for again. */
static void removed(radisk *store, const folder_news *news)
{
    space *s = store->space;

    s->pass.gone.rows += news->rows;
    s->pass.gone.bytes += s->work.bytes;
    forget_recent(store);
    tell_roots(s, false);
    s->phase = LOOKING;
    if (s->work.more)
        s->work.from = s->from;
    else if (s->work.ended)
        end_pass(store, STATUS_OK);
}

static void tell_pin(radisk *store, status how)
{
    pending_pin p = store->space->pin;

    store->space->pin = (pending_pin){ .wanted = false };
    p.told(p.context, how, store->space->work.pin_was);
}

void space_told(radisk *store, const folder_news *news)
{
    space *s = store->space;
    bool looking = s->work.look, removing = s->work.remove;

    fold_forget_ids(store);
    s->work.look = s->work.remove = false;
    s->notes_at_ms = store->now_ms(store->context) + NOTES_MS;
    s->notes_failed = news->how != STATUS_OK;
    if (!s->notes_failed) forget_notes(s, s->work.notes_len);
    if (news->how != STATUS_OK) log_note_failure(store, news->how);
    if (s->pin.wanted && s->work.pin.len > 0) tell_pin(store, news->how);
    if (news->how != STATUS_OK && (looking || removing))
        end_pass(store, news->how);
    else if (looking)
        looked(store);
    else if (removing)
        removed(store, news);
}

/* The number of roots changes with folds and jobs only. */
void space_stale(radisk *store)
{
    store->space->any_known = false;
}

void space_turn(radisk *store)
{
    if (!(store->latched || store->damaged) || store->folding) return;
    if (store->space->pin.wanted) tell_pin(store, STATUS_IO);
    if (store->space->pass.wanted) end_pass(store, STATUS_IO);
}

void space_flush(radisk *store)
{
    store->space->notes_at_ms = -(double)INFINITY;
    radisk_turn(store);
    for (int i = 0; i < FLUSHES_MAX && store->space->notes_len > 0; i++)
        if (!radisk_wait(store)) return;
}

void space_free(radisk *store)
{
    if (store->space == NULL) return;
    if (store->space->pin.wanted) tell_pin(store, STATUS_IO);
    if (store->space->pass.wanted) end_pass(store, STATUS_IO);
    free_keys(store->space->keys, store->space->keys_len);
    free(store->space);
    store->space = NULL;
}

/* ---- pins ---- */

status radisk_pin_begin(radisk *store, const uint8_t root[static ROOT_BYTES], bool on,
                        radisk_pinned *told, void *context)
{
    space *s = store->space;

    if (store->latched || store->damaged) return STATUS_IO;
    if (s->pin.wanted) return STATUS_BUSY;
    s->pin = (pending_pin){ .wanted = true, .on = on, .told = told, .context = context };
    s->pin.root.len = ROOT_BYTES;
    memcpy(s->pin.root.at, root, ROOT_BYTES);
    spare(s, &s->pin.root);
    return STATUS_OK;
}
