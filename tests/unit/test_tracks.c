/* test_tracks.c - what manifests cost whoever serves them (server/audio.h). */
#include "server/audio.h"

#include "core/base64.h"
#include "core/json.h"
#include "server/crypto.h"
#include "tests/unit/audio_kit.h"

#include <string.h>

enum { LONG = 65536, FAKES = 12 };

typedef struct stand {
    kit *k;
    audio *tracks;
    audio_limits limits;
    uint8_t root[AUDIO_HASH];
    uint8_t *hashes; /* all are zero: one part stands for many */
} stand;

static void begin_with(stand *t, void **state, size_t cache_bytes)
{
    static const uint8_t secret[16] = "0123456789abcdef";

    *t = (stand){ .k = *state, .limits = audio_default_limits() };
    t->limits.cache_bytes = cache_bytes;
    kit_open(t->k);
    t->hashes = calloc(LONG, AUDIO_HASH);
    assert_non_null(t->hashes);
    assert_int_equal(audio_new(&t->tracks, t->k->store, crypto_hashing(), &t->limits, secret),
                     STATUS_OK);
}

static void begin(stand *t, void **state)
{
    begin_with(t, state, audio_default_limits().cache_bytes);
}

static void end(stand *t)
{
    audio_free(t->tracks);
    free(t->hashes);
    kit_close(t->k);
}

/* ---- what strangers write ---- */

static void put(stand *t, slice soul, slice key, slice value)
{
    graph_write w = { .soul = soul, .key = key, .value = value, .state = 1 };

    (void)kit_merge(t->k, &w, 1, 2 * T);
}

static void put_text(stand *t, slice what, uint8_t hash[static AUDIO_HASH])
{
    char soul[AUDIO_SOUL_MAX], key[BASE64_LEN_32];
    text value = { 0 };

    crypto_hashing()->sha256(NULL, what, hash);
    base64_print32(hash, key);
    json_print_name(&value, what);
    put(t, (slice){ soul, audio_manifest_soul(soul, t->root) }, (slice){ key, sizeof key },
        text_slice(&value));
    text_free(&value);
}

static bool put_part(void *context, slice part)
{
    uint8_t hash[AUDIO_HASH];

    put_text(context, part, hash);
    return true;
}

/* Of so many chunks that are all alike; what `mime` says is all that tells them apart. */
static void put_manifest(stand *t, uint32_t count, uint32_t chunk, const char *mime,
                         uint8_t hash[static AUDIO_HASH])
{
    audio_manifest m = { .mime = kit_text(mime),
                         .bytes = (uint64_t)count * chunk,
                         .chunk = chunk,
                         .span = chunk,
                         .count = count,
                         .hashes = t->hashes };
    text words = { 0 };

    audio_root(crypto_hashing(), t->hashes, count, m.root);
    memcpy(t->root, m.root, AUDIO_HASH);
    assert_int_equal(audio_manifest_print(&words, &m, crypto_hashing(), put_part, t), STATUS_OK);
    put_text(t, text_slice(&words), hash);
    text_free(&words);
}

static void put_long_manifests(stand *t, uint8_t hash[FAKES][AUDIO_HASH])
{
    for (int i = 0; i < FAKES; i++) {
        char mime[16];
        (void)snprintf(mime, sizeof mime, "audio/%d", i);
        put_manifest(t, LONG, 3, mime, hash[i]);
    }
}

static void put_first_chunk(stand *t, uint32_t count)
{
    char soul[AUDIO_SOUL_MAX], key[AUDIO_KEY_MAX];

    for (uint32_t i = 0; i < count; i += count - 1)
        put(t, (slice){ soul, audio_chunk_soul(soul, t->root, i) },
            (slice){ key, audio_chunk_key(key, i, t->hashes) }, SLICE("\"AAAA\""));
}

static status find(stand *t, const uint8_t *hash, int64_t now_ms, audio_track **out)
{
    const char *why;

    return audio_find(t->tracks, t->root, hash, now_ms, out, &why);
}

/* ---- what it costs ---- */

static void long_manifests_are_read_at_a_pace_and_short_ones_always(void **state)
{
    uint8_t hash[FAKES][AUDIO_HASH], small[AUDIO_HASH], long_root[AUDIO_HASH];
    int read = 0, busy = 0;
    audio_track *track;
    stand t;

    begin_with(&t, state, 1);
    put_long_manifests(&t, hash);
    memcpy(long_root, t.root, sizeof long_root);
    for (int i = 0; i < FAKES; i++) {
        status s = find(&t, hash[i], 0, &track);
        assert_true(s == STATUS_OK || s == STATUS_BUSY);
        read += s == STATUS_OK;
        busy += s == STATUS_BUSY;
        if (s == STATUS_OK) audio_release(t.tracks, track);
    }
    /* 3.2 MB each, and a burst of 16 MiB. */
    assert_int_equal(read, 6);
    assert_int_equal(busy, FAKES - 6);

    put_manifest(&t, 1000, 3, "audio/short", small);
    assert_int_equal(find(&t, small, 0, &track), STATUS_OK);
    audio_release(t.tracks, track);
    memcpy(t.root, long_root, sizeof long_root);
    assert_int_equal(find(&t, hash[FAKES - 1], 0, &track), STATUS_BUSY);
    assert_int_equal(find(&t, hash[FAKES - 1], 1000, &track), STATUS_OK);
    audio_release(t.tracks, track);
    end(&t);
}

static void parts_that_are_mostly_space_are_not_read(void **state)
{
    enum { PARTS = 900, PAD = 40000 };
    uint8_t part[AUDIO_HASH], hash[AUDIO_HASH];
    char spelled[BASE64_LEN_32], hex[AUDIO_ROOT];
    audio_track *track;
    const char *why = "";
    text words = { 0 };
    stand t;

    begin(&t, state);
    audio_root(crypto_hashing(), t.hashes, PARTS, t.root);
    base64_print32(t.hashes, spelled);
    text_add(&words, SLICE("[\""));
    text_add(&words, (slice){ spelled, sizeof spelled });
    text_add(&words, SLICE("\""));
    for (int i = 0; i < PAD; i++) text_add_char(&words, ' ');
    text_add_char(&words, ']');
    put_text(&t, text_slice(&words), part);

    audio_hex(t.root, hex);
    base64_print32(part, spelled);
    text_reset(&words, 1);
    text_add(&words, SLICE("{\"v\":1,\"mime\":\"audio/a\",\"bytes\":2700,\"chunk\":3,\"span\":3,"
                           "\"n\":900,\"root\":\""));
    text_add(&words, (slice){ hex, sizeof hex });
    text_add(&words, SLICE("\",\"parts\":["));
    for (int i = 0; i < PARTS; i++) {
        text_add(&words, i > 0 ? SLICE(",\"") : SLICE("\""));
        text_add(&words, (slice){ spelled, sizeof spelled });
        text_add_char(&words, '"');
    }
    text_add(&words, SLICE("]}"));
    put_text(&t, text_slice(&words), hash);
    assert_int_equal(audio_find(t.tracks, t.root, hash, 0, &track, &why), STATUS_TOO_BIG);
    assert_string_equal(why, "its parts are too long");
    text_free(&words);
    end(&t);
}

/* They are of the root, but their chunks are not as long as they say. */
static void false_manifests_of_a_root_are_each_read_once(void **state)
{
    uint8_t hash[AUDIO_HASH], good[AUDIO_HASH];
    audio_track *track;
    status s = STATUS_BUSY;
    int64_t now_ms = 0;
    stand t;

    begin_with(&t, state, 1);
    for (uint32_t i = 0; i < FAKES; i++) put_manifest(&t, LONG, 6 + 3 * i, "audio/false", hash);
    put_manifest(&t, LONG, 3, "audio/true", good);
    put_first_chunk(&t, LONG);
    /* All but one are 3.2 MB that are read once at 8 MiB/s, and a search as much as an
     * eighth of that each time. */
    for (int i = 0; i < 20 && s == STATUS_BUSY; i++, now_ms += 500)
        s = find(&t, NULL, now_ms, &track);
    assert_int_equal(s, STATUS_OK);
    assert_memory_equal(track->hash, good, AUDIO_HASH);
    audio_release(t.tracks, track);
    end(&t);
}

/* What makes a manifest useless to one root says nothing of another. */
static void a_manifest_under_a_strangers_root_is_still_its_own_roots(void **state)
{
    uint8_t hash[AUDIO_HASH], same[AUDIO_HASH], root[AUDIO_HASH];
    char soul[AUDIO_SOUL_MAX], key[BASE64_LEN_32];
    audio_track *track;
    graph_row row;
    graph *g;
    text copy = { 0 };
    stand t;

    begin(&t, state);
    put_manifest(&t, 10, 3, "audio/mine", hash);
    memcpy(root, t.root, sizeof root);
    base64_print32(hash, key);
    g = radisk_graph(t.k->store);
    assert_int_equal(g->look(g->context, (slice){ soul, audio_manifest_soul(soul, root) },
                             (slice){ key, sizeof key }, &row),
                     STATUS_OK);
    text_add(&copy, row.value);
    memset(t.root, 7, sizeof t.root);
    put(&t, (slice){ soul, audio_manifest_soul(soul, t.root) }, (slice){ key, sizeof key },
        text_slice(&copy));
    text_free(&copy);
    assert_int_equal(find(&t, NULL, 0, &track), STATUS_NOT_FOUND);
    memcpy(t.root, root, sizeof root);
    assert_int_equal(find(&t, NULL, 0, &track), STATUS_OK);
    memcpy(same, track->hash, sizeof same);
    assert_memory_equal(same, hash, AUDIO_HASH);
    audio_release(t.tracks, track);
    end(&t);
}

static void listeners_hold_no_more_long_manifests_than_have_room(void **state)
{
    uint8_t hash[FAKES][AUDIO_HASH], small[AUDIO_HASH], root[AUDIO_HASH];
    audio_track *held[FAKES], *track;
    int count = 0;
    status s = STATUS_OK;
    stand t;

    begin_with(&t, state, 5 << 20); /* two are 4.2 MB */
    put_long_manifests(&t, hash);
    for (int i = 0; i < FAKES && s == STATUS_OK; i++) {
        s = find(&t, hash[i], i * 10000, &held[count]);
        count += s == STATUS_OK;
    }
    assert_int_equal(s, STATUS_BUSY);
    assert_int_equal(count, 3);

    memcpy(root, t.root, sizeof root);
    put_manifest(&t, 1000, 3, "audio/short", small);
    assert_int_equal(find(&t, small, 200000, &track), STATUS_OK);
    audio_release(t.tracks, track);
    memcpy(t.root, root, sizeof root);
    assert_int_equal(find(&t, hash[0], 200000, &track), STATUS_OK); /* which is held already */
    audio_release(t.tracks, track);
    while (count > 0) audio_release(t.tracks, held[--count]);
    assert_int_equal(find(&t, hash[FAKES - 1], 300000, &track), STATUS_OK);
    audio_release(t.tracks, track);
    end(&t);
}

/* Each names parts that nobody has, so none is ever found to be useless. */
static void searching_what_strangers_pile_up_under_a_root_is_put_off_in_time(void **state)
{
    enum { PILE = 12, PARTS = 900 };
    char spelled[BASE64_LEN_32], hex[AUDIO_ROOT];
    uint8_t hash[AUDIO_HASH], small[AUDIO_HASH];
    audio_track *track;
    text words = { 0 };
    int looked = 0;
    stand t;

    begin(&t, state);
    memset(t.root, 9, sizeof t.root);
    audio_hex(t.root, hex);
    base64_print32(t.hashes, spelled);
    for (int i = 0; i < PILE; i++) {
        char mime[32];

        text_reset(&words, 1 << 20);
        text_add(&words,
                 SLICE("{\"v\":1,\"bytes\":2700,\"chunk\":3,\"span\":3,\"n\":900,\"root\":\""));
        text_add(&words, (slice){ hex, sizeof hex });
        (void)snprintf(mime, sizeof mime, "\",\"mime\":\"audio/%d\"", i);
        text_add(&words, kit_text(mime));
        text_add(&words, SLICE(",\"parts\":["));
        for (int k = 0; k < PARTS; k++) {
            text_add(&words, k > 0 ? SLICE(",\"") : SLICE("\""));
            text_add(&words, (slice){ spelled, sizeof spelled });
            text_add_char(&words, '"');
        }
        text_add(&words, SLICE("]}"));
        put_text(&t, text_slice(&words), hash);
    }
    text_free(&words);
    while (looked < 1000 && find(&t, NULL, 0, &track) == STATUS_NOT_FOUND) looked++;
    assert_in_range(looked, 1, 100);
    assert_int_equal(find(&t, NULL, 0, &track), STATUS_BUSY);
    put_manifest(&t, 1000, 3, "audio/short", small);
    assert_int_equal(find(&t, NULL, 0, &track), STATUS_OK);
    audio_release(t.tracks, track);
    end(&t);
}

/* Each is short, so that it is read at once, and all are of one root with hashes of its own;
 * a chunk that is there tells that none is true. */
static void what_a_search_in_vain_has_read_is_not_kept_for_ever(void **state)
{
    enum { ROOTS = 20, COUNT = 1000, ROOM = 100000 }; /* three of them */
    uint8_t hash[AUDIO_HASH];
    audio_gauges gauges;
    audio_track *track;
    stand t;

    begin_with(&t, state, ROOM);
    for (uint8_t i = 1; i <= ROOTS; i++) {
        memset(t.hashes + AUDIO_HASH, i, AUDIO_HASH);
        put_manifest(&t, COUNT, 6, "audio/false", hash);
        put_first_chunk(&t, COUNT);
        assert_int_equal(find(&t, NULL, i * 10000, &track), STATUS_NOT_FOUND);
        audio_measure(t.tracks, &gauges);
        assert_in_range(gauges.bytes, 0, ROOM);
    }
    end(&t);
}

static void of_a_root_that_is_known_it_is_known_what_it_is_made_of(void **state)
{
    uint8_t hash[AUDIO_HASH], junk[AUDIO_HASH] = { 1 }, stranger[AUDIO_HASH] = { 2 };
    stand t;

    begin(&t, state);
    audio_root(crypto_hashing(), t.hashes, 10, t.root);
    assert_true(audio_names(t.tracks, t.root, 3, junk, 0)); /* nothing is known */
    put_manifest(&t, 10, 3, "audio/a", hash);
    audio_note_manifest(t.tracks, t.root);
    assert_false(audio_names(t.tracks, t.root, 3, junk, 1));
    assert_false(audio_names(t.tracks, t.root, 10, t.hashes, 1));
    assert_false(audio_names(t.tracks, t.root, UINT32_MAX, t.hashes, 1));
    assert_true(audio_names(t.tracks, t.root, 3, t.hashes, 1));
    assert_true(audio_names(t.tracks, stranger, 3, t.hashes, 1));
    end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(long_manifests_are_read_at_a_pace_and_short_ones_always,
                                        audio_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(parts_that_are_mostly_space_are_not_read, audio_setup,
                                        kit_teardown),
        cmocka_unit_test_setup_teardown(false_manifests_of_a_root_are_each_read_once, audio_setup,
                                        kit_teardown),
        cmocka_unit_test_setup_teardown(a_manifest_under_a_strangers_root_is_still_its_own_roots,
                                        audio_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(listeners_hold_no_more_long_manifests_than_have_room,
                                        audio_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(
            searching_what_strangers_pile_up_under_a_root_is_put_off_in_time, audio_setup,
            kit_teardown),
        cmocka_unit_test_setup_teardown(what_a_search_in_vain_has_read_is_not_kept_for_ever,
                                        audio_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(of_a_root_that_is_known_it_is_known_what_it_is_made_of,
                                        audio_setup, kit_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
