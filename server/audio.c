/* audio.c - see audio.h. */
#include "server/audio.h"

#include "core/base64.h"
#include "core/json.h"
#include "core/keyed.h"
#include "radisk/raw.h"
#include "radisk/space.h"
#include "server/audio_vain.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/queue.h>

enum {
    SHELVES = 1024,
    /* Without a name every value of a root's manifest soul may have to be read: its
     * parts, and whatever strangers put there. A search stops here; parts of the
     * largest track that is served are a fifth of it. */
    SEARCH_ROWS = 2048,
    SEARCH_BYTES = 64 << 20,
    /* A search of more than this that found nothing is not made again so soon. */
    SEARCH_DEAR = 1 << 20,
    /* One of less is not paid for, and never put off. */
    CHEAP_ROWS = 64,
    ROW_COST = 64,
    TEXT_FREE = 64 << 10, /* in one search; no manifest without parts is longer */
    LOOK_COST = 512,      /* of finding out that a part is there */
    SEARCH_SHARE = 8,     /* what is read and not taken apart costs less */
    PART_PER_HASH = 64,   /* bytes of text: a hash in its quotes, a comma, some space */
    PART_BASE = 1 << 10,
    HELD_FREE = 64 << 10,
    NAMES_MAX = 64, /* candidates of one search */
    SCRATCH_KEEP = 64 << 10,
    /* What the reading of a manifest takes for each chunk: text, token, spelled and
     * read hash, and the list of them all. */
    SCRATCH_PER_CHUNK = 320,
    SCRATCH_BASE = 1 << 20,
    KEY_MAX = 2 * AUDIO_HASH,
};

/* Bytes of long texts, parts and long searches. What was begun is ended: a manifest of
 * 262,144 chunks is 13 MB. */
static const pace_rule reading_rule = { .rate = 8 << 20, .burst = 16 << 20 };

/* A key may spell its hash in base64 or hexadecimal. */
typedef struct spelled {
    char at[KEY_MAX];
    size_t len;
} spelled;

typedef struct entry {
    audio_track track; /* first: what others see */
    spelled key;
    uint8_t *present;
    size_t bytes;         /* what it costs */
    uint64_t collections; /* that the bits know of (radisk/space.h) */
    unsigned users;
    bool kept;  /* in the table and the order */
    bool first; /* the one for who names none */
    LIST_ENTRY(entry) by_hash, by_root;
    TAILQ_ENTRY(entry) order;
} entry;

LIST_HEAD(shelf, entry);
TAILQ_HEAD(entries, entry);

struct audio {
    radisk *store;
    const sea_crypto *crypto;
    audio_limits limits;
    uint8_t secret[KEYED_SECRET_BYTES];
    struct shelf by_hash[SHELVES], by_root[SHELVES];
    struct entries order; /* the one used last comes first */
    size_t count, bytes;
    arena scratch;
    audio_vain vain;
    size_t held; /* bytes of tracks that somebody holds */
    pace reading;
    size_t free; /* bytes of text that this search may still read unpaid */
    int64_t now_ms;
};

/* ---- remembering ---- */

audio_limits audio_default_limits(void)
{
    return (audio_limits){ .cache_bytes = (size_t)64 << 20, .chunks_max = 262144 };
}

status audio_new(audio **out, radisk *store, const sea_crypto *crypto, const audio_limits *limits,
                 const uint8_t secret[static 16])
{
    audio *a = calloc(1, sizeof *a);

    if (a == NULL) return STATUS_NO_MEMORY;
    a->store = store;
    a->crypto = crypto;
    a->limits = *limits;
    memcpy(a->secret, secret, sizeof a->secret);
    TAILQ_INIT(&a->order);
    a->reading = pace_new(&reading_rule, 0);
    vain_begin(&a->vain, a->secret);
    a->scratch = arena_make(SCRATCH_BASE + (size_t)limits->chunks_max * SCRATCH_PER_CHUNK);
    *out = a;
    return STATUS_OK;
}

static size_t shelf_of(const audio *a, const uint8_t hash[static AUDIO_HASH])
{
    return keyed_hash(a->secret, (slice){ (const char *)hash, AUDIO_HASH }) % SHELVES;
}

static void free_entry(entry *e)
{
    if (e != NULL) free(e->present);
    free(e);
}

static void forget(audio *a, entry *e)
{
    assert(e->kept);
    if (e->first) LIST_REMOVE(e, by_root);
    LIST_REMOVE(e, by_hash);
    TAILQ_REMOVE(&a->order, e, order);
    a->bytes -= e->bytes;
    a->count--;
    e->kept = e->first = false;
    if (e->users == 0) free_entry(e);
}

/* Those nobody holds go first that were used longest ago. */
static void make_room(audio *a)
{
    entry *e = TAILQ_LAST(&a->order, entries), *before;

    for (; e != NULL && a->bytes > a->limits.cache_bytes; e = before) {
        before = TAILQ_PREV(e, entries, order);
        if (e->users == 0) forget(a, e);
    }
}

static void keep(audio *a, entry *e)
{
    LIST_INSERT_HEAD(&a->by_hash[shelf_of(a, e->track.hash)], e, by_hash);
    TAILQ_INSERT_HEAD(&a->order, e, order);
    a->bytes += e->bytes;
    a->count++;
    e->kept = true;
}

static void call_first(audio *a, entry *e)
{
    if (e->first || !e->kept) return;
    LIST_INSERT_HEAD(&a->by_root[shelf_of(a, e->track.manifest.root)], e, by_root);
    e->first = true;
}

static entry *remembered(const audio *a, const uint8_t hash[static AUDIO_HASH])
{
    entry *e;

    LIST_FOREACH(e, &a->by_hash[shelf_of(a, hash)], by_hash)
    if (memcmp(e->track.hash, hash, AUDIO_HASH) == 0) return e;
    return NULL;
}

static entry *remembered_first(const audio *a, const uint8_t root[static AUDIO_HASH])
{
    entry *e;

    LIST_FOREACH(e, &a->by_root[shelf_of(a, root)], by_root)
    if (memcmp(e->track.manifest.root, root, AUDIO_HASH) == 0) return e;
    return NULL;
}

/* What was present may have been collected since. */
static void refresh(const audio *a, entry *e)
{
    uint64_t now = radisk_collections(a->store);

    if (e->collections == now) return;
    e->collections = now;
    memset(e->present, 0, audio_bitmap_bytes(e->track.manifest.count));
    e->track.present_count = 0;
}

/* Gives it to one more. */
static audio_track *hand_out(audio *a, entry *e)
{
    refresh(a, e);
    if (e->users++ == 0) a->held += e->bytes;
    if (e->kept) {
        TAILQ_REMOVE(&a->order, e, order);
        TAILQ_INSERT_HEAD(&a->order, e, order);
    }
    return &e->track;
}

void audio_release(audio *a, audio_track *t)
{
    entry *e = (entry *)t;

    if (t == NULL) return;
    assert(e->users > 0);
    if (--e->users > 0) return;
    a->held -= e->bytes;
    if (!e->kept)
        free_entry(e);
    else
        make_room(a);
}

void audio_free(audio *a)
{
    if (a == NULL) return;
    while (!TAILQ_EMPTY(&a->order)) forget(a, TAILQ_FIRST(&a->order));
    arena_free(&a->scratch);
    free(a);
}

void audio_measure(const audio *a, audio_gauges *out)
{
    *out = (audio_gauges){ .tracks = a->count, .bytes = a->bytes };
}

/* ---- what reading costs ---- */

static bool may_spend(audio *a)
{
    return pace_open(&a->reading, &reading_rule, a->now_ms);
}

static void pay(audio *a, size_t bytes)
{
    pace_take(&a->reading, &reading_rule, (double)bytes, a->now_ms);
}

/* ---- reading a manifest ---- */

static slice manifest_soul(char out[static AUDIO_SOUL_MAX], const uint8_t root[static AUDIO_HASH])
{
    return (slice){ out, audio_manifest_soul(out, root) };
}

static slice key_slice(const spelled *k)
{
    return (slice){ k->at, k->len };
}

/* The characters of a value that is a string, made in the scratch. */
static status text_of(audio *a, slice value, slice *out)
{
    json_bounds bounds = { 0, 1 };
    json j;
    status s = json_read(&j, &a->scratch, value, &bounds);
    slice lent;

    if (s != STATUS_OK) return s;
    s = json_utf8(&j, &a->scratch, 0, &lent);
    if (s != STATUS_OK) return s;
    *out = arena_copy(&a->scratch, lent);
    return out->at != NULL                     ? STATUS_OK
           : arena_full(&a->scratch, lent.len) ? STATUS_TOO_BIG
                                               : STATUS_NO_MEMORY;
}

static status read_text(audio *a, slice soul, slice key, slice *out)
{
    graph *g = radisk_graph(a->store);
    graph_row row;
    status s = g->look(g->context, soul, key, &row);

    if (s != STATUS_OK) return s;
    if (row.value.len <= a->free) {
        a->free -= row.value.len;
    } else {
        if (!may_spend(a)) return STATUS_BUSY;
        pay(a, row.value.len);
    }
    return text_of(a, row.value, out);
}

static void spell(const uint8_t hash[static AUDIO_HASH], bool hex, spelled *out)
{
    out->len = hex ? AUDIO_ROOT : BASE64_LEN_32;
    if (hex)
        audio_hex(hash, out->at);
    else
        base64_print32(hash, out->at);
}

/* A part's key has its hash in either spelling, too; readers take base64. */
static void spell_part(const audio_manifest *m, uint32_t i, spelled *key)
{
    spell(m->parts + (size_t)i * AUDIO_HASH, false, key);
}

/* Before any is read: they may be many, and one that is missing the last. */
static status find_parts(audio *a, slice soul, const audio_manifest *m)
{
    status s = may_spend(a) ? STATUS_OK : STATUS_BUSY;
    spelled key;

    for (uint32_t i = 0; s == STATUS_OK && i < m->part_count; ++i) {
        spell_part(m, i, &key);
        s = radisk_holds(a->store, soul, key_slice(&key));
        pay(a, LOOK_COST);
    }
    return s;
}

/* `left`: bytes of text that it and those behind it may have. */
static status read_part(audio *a, slice soul, const spelled *key, size_t *left, slice *out)
{
    graph *g = radisk_graph(a->store);
    graph_row row;
    status s = g->look(g->context, soul, key_slice(key), &row);

    if (s != STATUS_OK) return s;
    pay(a, row.value.len);
    if (row.value.len > *left) return STATUS_TOO_BIG;
    *left -= row.value.len;
    return text_of(a, row.value, out);
}

static status join_parts(audio *a, slice soul, audio_manifest *m, const char **why)
{
    slice *texts = arena_take(&a->scratch, m->part_count * sizeof *texts);
    size_t left = (size_t)m->count * PART_PER_HASH + (size_t)m->part_count * PART_BASE;
    status s = texts != NULL ? find_parts(a, soul, m) : STATUS_NO_MEMORY;
    spelled key;

    for (uint32_t i = 0; s == STATUS_OK && i < m->part_count; ++i) {
        spell_part(m, i, &key);
        s = read_part(a, soul, &key, &left, &texts[i]);
    }
    if (s == STATUS_NOT_FOUND) *why = "a part of it is not here";
    if (s == STATUS_TOO_BIG) *why = "its parts are too long";
    return s == STATUS_OK ? audio_manifest_join(m, a->crypto, &a->scratch, texts, why) : s;
}

/* What is kept of a manifest that was read into the scratch, in one piece. */
static entry *make_entry(const audio_manifest *m, const uint8_t hash[static AUDIO_HASH],
                         const spelled *key)
{
    size_t hashes = (size_t)m->count * AUDIO_HASH;
    size_t bytes = sizeof(entry) + hashes + m->mime.len;
    entry *e = malloc(bytes);
    char *at = (char *)(e + 1);

    if (e == NULL) return NULL;
    *e = (entry){ .track = { .manifest = *m }, .key = *key };
    e->present = calloc(1, audio_bitmap_bytes(m->count));
    if (e->present == NULL) {
        free(e);
        return NULL;
    }
    memcpy(at, m->hashes, hashes);
    memcpy(at + hashes, m->mime.at, m->mime.len);
    e->track.manifest.hashes = (const uint8_t *)at;
    e->track.manifest.mime = (slice){ at + hashes, m->mime.len };
    e->track.manifest.parts = NULL;
    e->track.present = e->present;
    memcpy(e->track.hash, hash, AUDIO_HASH);
    e->bytes = bytes + audio_bitmap_bytes(m->count);
    return e;
}

/* Reads the manifest of this text, made in the scratch. */
static status read_manifest(audio *a, slice soul, const uint8_t root[static AUDIO_HASH],
                            const spelled *key, slice text_in, entry **out, const char **why)
{
    uint8_t hash[AUDIO_HASH], named[AUDIO_HASH];
    audio_manifest m;
    status s;

    a->crypto->sha256(a->crypto->context, text_in, hash);
    *why = "its key is not its hash";
    if (!audio_hash_read(key_slice(key), named) || memcmp(hash, named, sizeof hash) != 0)
        return STATUS_MALFORMED;
    s = audio_manifest_read(&m, a->crypto, &a->scratch, text_in, why);
    if (s != STATUS_OK) return s;
    *why = "it is of another root";
    if (memcmp(m.root, root, sizeof m.root) != 0) return STATUS_MALFORMED;
    *why = "it has too many chunks for this server";
    if (m.count > a->limits.chunks_max) return STATUS_TOO_BIG;
    if (m.hashes == NULL) s = join_parts(a, soul, &m, why);
    if (s != STATUS_OK) return s;
    *out = make_entry(&m, hash, key);
    return *out != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

static status load(audio *a, const uint8_t root[static AUDIO_HASH], const spelled *key, entry **out,
                   const char **why)
{
    char name[AUDIO_SOUL_MAX];
    slice soul = manifest_soul(name, root), text_in;
    status s = read_text(a, soul, key_slice(key), &text_in);

    if (s == STATUS_OK) s = read_manifest(a, soul, root, key, text_in, out, why);
    arena_reset(&a->scratch, SCRATCH_KEEP);
    if (s == STATUS_OK) keep(a, *out);
    return s;
}

static bool is_still_there(audio *a, const entry *e)
{
    char name[AUDIO_SOUL_MAX];
    slice soul = manifest_soul(name, e->track.manifest.root);

    return radisk_holds(a->store, soul, key_slice(&e->key)) == STATUS_OK;
}

/* ---- by the manifest's name ---- */

static status find_named(audio *a, const uint8_t root[static AUDIO_HASH],
                         const uint8_t hash[static AUDIO_HASH], entry **out, const char **why)
{
    entry *e = remembered(a, hash);
    status s = STATUS_NOT_FOUND;
    spelled key;

    /* What stands under the root that was asked for is said by the store: the answer
     * must not depend on what is remembered. */
    if (e != NULL && memcmp(e->track.manifest.root, root, AUDIO_HASH) != 0) e = NULL;
    if (e != NULL && !is_still_there(a, e)) {
        forget(a, e);
        e = NULL;
    }
    *out = e;
    if (e != NULL) return STATUS_OK;
    for (int hex = 0; hex < 2 && s == STATUS_NOT_FOUND; ++hex) {
        spell(hash, hex, &key);
        s = load(a, root, &key, out, why);
    }
    return s;
}

/* ---- chunks ---- */

typedef struct chunk_name {
    char soul[AUDIO_SOUL_MAX], key[AUDIO_KEY_MAX];
    size_t soul_len, key_len;
} chunk_name;

static void name_chunk(const audio_track *t, uint32_t index, chunk_name *out)
{
    out->soul_len = audio_chunk_soul(out->soul, t->manifest.root, index);
    out->key_len =
        audio_chunk_key(out->key, index, t->manifest.hashes + (size_t)index * AUDIO_HASH);
}

static status read_chunk(audio *a, const audio_track *t, uint32_t index, slice *out)
{
    chunk_name n;

    name_chunk(t, index, &n);
    return radisk_raw(a->store, (slice){ n.soul, n.soul_len }, (slice){ n.key, n.key_len }, out);
}

/* ---- the first one ---- */

typedef struct search {
    spelled names[NAMES_MAX];
    size_t count, rows, bytes, rows_max, bytes_max;
} search;

/* Only notes which values look like manifests: the graph cannot be asked from here. */
static bool note_candidate(void *visitor, const graph_row *row)
{
    search *f = visitor;

    f->rows++;
    f->bytes += row->value.len;
    if (slice_begins(row->value, SLICE("\"{")) && row->key.len <= KEY_MAX) {
        memcpy(f->names[f->count].at, row->key.at, row->key.len);
        f->names[f->count++].len = row->key.len;
    }
    return f->rows < f->rows_max && f->bytes < f->bytes_max && f->count < NAMES_MAX;
}

/* Whether a chunk has the length that the manifest says, if it can be read. */
static bool fits(audio *a, const audio_track *t, uint32_t index, bool *read)
{
    slice bytes;

    if (read_chunk(a, t, index, &bytes) == STATUS_OK)
        return bytes.len == audio_stored_bytes(&t->manifest, index);
    *read = false;
    return true;
}

/* Takes the first candidate that is a manifest and whose sizes nothing contradicts;
 * *sure: both ends were there to be compared. */
static status choose(audio *a, const uint8_t root[static AUDIO_HASH], search *f, entry **out,
                     bool *sure)
{
    status s = STATUS_NOT_FOUND;

    for (size_t i = 0; i < f->count; ++i) {
        uint8_t hash[AUDIO_HASH];
        const char *why;
        entry *e;
        bool read = true;
        status found;

        if (!audio_hash_read(key_slice(&f->names[i]), hash) || vain_is_unfit(&a->vain, root, hash))
            continue;
        found = find_named(a, root, hash, &e, &why);
        if (found == STATUS_BUSY) return found; /* which one is first depends on nobody's haste */
        if (found == STATUS_NO_MEMORY || found == STATUS_IO) s = found;
        if (found == STATUS_MALFORMED || found == STATUS_TOO_BIG)
            vain_note_unfit(&a->vain, root, hash);
        if (found != STATUS_OK) continue;
        if (!fits(a, &e->track, 0, &read) ||
            !fits(a, &e->track, e->track.manifest.count - 1, &read)) {
            vain_note_unfit(&a->vain, root, hash);
            continue;
        }
        *out = e;
        *sure = read;
        return STATUS_OK;
    }
    return s;
}

/* Whether all of it may be read: a little always may. */
static bool begin_search(audio *a, search *f)
{
    bool all = may_spend(a);

    f->rows_max = all ? SEARCH_ROWS : CHEAP_ROWS;
    f->bytes_max = all ? SEARCH_BYTES : 2 * TEXT_FREE;
    return all;
}

static status find_first(audio *a, const uint8_t root[static AUDIO_HASH], int64_t now_ms,
                         entry **out)
{
    graph *g = radisk_graph(a->store);
    lex_range all = { 0 };
    char name[AUDIO_SOUL_MAX];
    slice soul = manifest_soul(name, root);
    entry *e = remembered_first(a, root);
    bool sure = false, is_cheap, is_cut;
    search *f;
    status s;

    if (e != NULL && is_still_there(a, e)) {
        *out = e;
        return STATUS_OK;
    }
    if (e != NULL) forget(a, e);
    if (vain_is_fruitless(&a->vain, root, now_ms)) return STATUS_NOT_FOUND;
    f = calloc(1, sizeof *f);
    if (f == NULL) return STATUS_NO_MEMORY;
    is_cheap = !begin_search(a, f);
    s = g->scan(g->context, soul, &all, note_candidate, f);
    is_cut = is_cheap && (f->rows >= f->rows_max || f->bytes >= f->bytes_max);
    if (f->rows > CHEAP_ROWS || f->bytes > TEXT_FREE)
        pay(a, f->rows * ROW_COST + f->bytes / SEARCH_SHARE);
    if (s == STATUS_OK) s = choose(a, root, f, out, &sure);
    if (s == STATUS_OK && (sure || f->bytes > SEARCH_DEAR)) call_first(a, *out);
    if (s == STATUS_NOT_FOUND && f->bytes > SEARCH_DEAR)
        vain_note_fruitless(&a->vain, root, now_ms);
    if (s == STATUS_NOT_FOUND && is_cut) s = STATUS_BUSY;
    free(f);
    return s;
}

status audio_find(audio *a, const uint8_t root[static AUDIO_HASH], const uint8_t *manifest,
                  int64_t now_ms, audio_track **out, const char **why)
{
    entry *e = NULL;
    status s;

    *why = "";
    a->now_ms = now_ms;
    a->free = TEXT_FREE;
    s = manifest != NULL ? find_named(a, root, manifest, &e, why) : find_first(a, root, now_ms, &e);
    /* Those that are held cannot make room; small ones are bounded by who may hold any. */
    if (s == STATUS_OK && e->users == 0 && e->bytes > HELD_FREE && a->held > a->limits.cache_bytes)
        s = STATUS_BUSY;
    if (s == STATUS_OK) *out = hand_out(a, e);
    make_room(a); /* also for what was read in vain */
    return s;
}

/* Any manifest of a root will do: it is made of its hashes. */
static const entry *any_remembered(const audio *a, const uint8_t root[static AUDIO_HASH])
{
    const uint8_t *known = vain_known(&a->vain, root);
    const entry *e = remembered_first(a, root);

    return e == NULL && known != NULL ? remembered(a, known) : e;
}

bool audio_names(audio *a, const uint8_t root[static AUDIO_HASH], uint32_t index,
                 const uint8_t hash[static AUDIO_HASH], int64_t now_ms)
{
    const entry *e = any_remembered(a, root);
    audio_track *t;
    const char *why;

    if (e == NULL && vain_may_ask(&a->vain, root, now_ms) &&
        audio_find(a, root, NULL, now_ms, &t, &why) == STATUS_OK) {
        vain_note_known(&a->vain, root, t->hash);
        audio_release(a, t);
        e = any_remembered(a, root);
    }
    return e == NULL ||
           (index < e->track.manifest.count &&
            memcmp(e->track.manifest.hashes + (size_t)index * AUDIO_HASH, hash, AUDIO_HASH) == 0);
}

void audio_note_manifest(audio *a, const uint8_t root[static AUDIO_HASH])
{
    vain_forget_asked(&a->vain, root);
}

/* ---- what is present ---- */

static void note(audio_track *t, uint32_t index, bool there)
{
    entry *e = (entry *)t;
    uint8_t bit = (uint8_t)(1u << index % 8), *byte = &e->present[index / 8];

    if (((*byte & bit) != 0) == there) return;
    *byte ^= bit;
    if (there)
        t->present_count++;
    else
        t->present_count--;
}

static bool holds(audio *a, audio_track *t, uint32_t index)
{
    chunk_name n;
    bool there;

    name_chunk(t, index, &n);
    there = radisk_holds(a->store, (slice){ n.soul, n.soul_len }, (slice){ n.key, n.key_len }) ==
            STATUS_OK;
    note(t, index, there);
    return there;
}

void audio_rely(audio *a, audio_track *t)
{
    refresh(a, (entry *)t);
    radisk_renew(a->store, t->manifest.root);
}

audio_presence audio_look(audio *a, audio_track *t, uint32_t *at, uint32_t end, uint32_t *looks)
{
    refresh(a, (entry *)t);
    for (; *at < end; ++*at) {
        if (audio_bitmap_has(t->present, *at)) continue;
        if (*looks == 0) return AUDIO_MORE;
        --*looks;
        if (!holds(a, t, *at)) return AUDIO_MISSING;
    }
    return AUDIO_ALL;
}

bool audio_look_all(audio *a, audio_track *t, uint32_t *at, uint32_t *looks)
{
    while (audio_look(a, t, at, t->manifest.count, looks) == AUDIO_MISSING) ++*at;
    return *at == t->manifest.count;
}

void audio_note_chunk(audio *a, const uint8_t manifest[static AUDIO_HASH], uint32_t index,
                      const uint8_t hash[static AUDIO_HASH])
{
    entry *e = remembered(a, manifest);
    const audio_manifest *m = e != NULL ? &e->track.manifest : NULL;

    if (e != NULL && index < m->count &&
        memcmp(m->hashes + (size_t)index * AUDIO_HASH, hash, AUDIO_HASH) == 0)
        note(&e->track, index, true);
}

status audio_chunk(audio *a, audio_track *t, uint32_t index, slice *out)
{
    status s;

    assert(index < t->manifest.count);
    s = read_chunk(a, t, index, out);
    if (s == STATUS_MALFORMED) s = STATUS_CORRUPT;
    if (s == STATUS_OK && out->len != audio_stored_bytes(&t->manifest, index)) s = STATUS_CORRUPT;
    if (s == STATUS_OK || s == STATUS_NOT_FOUND || s == STATUS_CORRUPT)
        note(t, index, s == STATUS_OK);
    return s;
}
