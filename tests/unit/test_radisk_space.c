/* test_radisk_space.c - audio that is named or pinned stays, audio that nothing names goes
 * when its grace is over, and nothing that was promised meanwhile is broken.
 */
#include "radisk/backup.h"
#include "radisk/check.h"
#include "radisk/raw.h"
#include "radisk/space.h"
#include "tests/unit/disk_gate.h"
#include "tests/unit/radisk_kit.h"

#include <errno.h>
#include <lmdb.h>
#include <string.h>

#define T    1e12
#define HOUR 3600e3
#define DAY  (24 * HOUR)

#define R1 "11111111111111111111111111111111111111111111111111111111111111aa"
#define R2 "22222222222222222222222222222222222222222222222222222222222222bb"
#define R3 "33333333333333333333333333333333333333333333333333333333333333cc"
#define PUB                                                                                        \
    "0123456789012345678901234567890123456789abc.0123456789012345678901234567890123456789xyz"
#define OTHER                                                                                      \
    "1123456789012345678901234567890123456789abc.0123456789012345678901234567890123456789xyz"
#define LINK(root)        "{\"#\":\"audio/" root "#m\"}"
#define SIGNED(said)      "\"{\\\":\\\":" said ",\\\"~\\\":\\\"c2ln\\\"}\""
#define SIGNED_LINK(root) SIGNED("{\\\"#\\\":\\\"audio/" root "#m\\\"}")

static double wall, steady;

static double wall_now(void *context)
{
    (void)context;
    return wall;
}

static double steady_now(void *context)
{
    (void)context;
    return steady;
}

static int set_up(void **state)
{
    int result = kit_setup_quick(state);
    kit *k = *state;

    wall = T;
    steady = 1e6;
    k->options.clock_ms = wall_now;
    k->options.now_ms = steady_now;
    k->options.wall_ms = 0;
    return result;
}

/* Each is newer than those before it, and none is from the future. */
static void put(kit *k, const char *soul, const char *key, const char *value)
{
    graph_write w = kit_write(soul, key, value, wall++);

    (void)kit_merge(k, &w, 1, 2 * T);
}

/* A chunk, large enough to be a blob; the text of the i-th is its own. */
static const char *chunk_text(int i)
{
    static char value[203];

    memset(value, 'A', sizeof value - 1);
    value[0] = value[201] = '"';
    value[202] = '\0';
    for (int at = 8; at > 0; at--, i /= 10) value[at] = (char)('0' + i % 10);
    return value;
}

enum { CHUNK_BYTES = 202 };

static void chunk_key(char out[static 64], int i)
{
    (void)snprintf(out, 64, "%06d#chunkhash%030d", i, i);
}

static void put_chunk(kit *k, const char *root, int i)
{
    char soul[100], key[64];

    (void)snprintf(soul, sizeof soul, "audio/%s#%d", root, i / 64);
    chunk_key(key, i);
    graph_write w = kit_write(soul, key, chunk_text(i), 1);
    (void)kit_merge(k, &w, 1, 2 * T);
}

static void put_track(kit *k, const char *root, int chunks)
{
    char soul[100];

    for (int i = 0; i < chunks; i++) put_chunk(k, root, i);
    (void)snprintf(soul, sizeof soul, "audio/%s#m", root);
    put(k, soul, "manifesthash", "\"{\\\"v\\\":1}\"");
}

static bool has_chunk(kit *k, const char *root, int i)
{
    char soul[100], key[64];

    (void)snprintf(soul, sizeof soul, "audio/%s#%d", root, i / 64);
    chunk_key(key, i);
    return radisk_holds(k->store, kit_text(soul), kit_text(key)) == STATUS_OK;
}

static void renew(kit *k, const char *root)
{
    char soul[100];

    (void)snprintf(soul, sizeof soul, "audio/%s#m", root);
    radisk_renew_soul(k->store, kit_text(soul));
}

static void charge(kit *k, const char *root, const char *by)
{
    char soul[100];

    (void)snprintf(soul, sizeof soul, "audio/%s#0", root);
    radisk_charge(k->store, kit_text(soul), kit_text(by));
}

static void work(kit *k, double when_ms)
{
    wall = when_ms;
    steady += 2000;
    radisk_turn(k->store);
    while (radisk_wait(k->store)) continue;
}

typedef struct ended {
    bool told;
    status how;
    radisk_gone gone;
    int went;
    uint64_t went_bytes;
} ended;

static void went(void *context, const root_key *root, const root_record *is)
{
    ended *e = context;

    assert_true(root->len > 0);
    e->went++;
    e->went_bytes += is->bytes;
}

static void collected(void *context, status how, const radisk_gone *gone)
{
    ended *e = context;

    assert_false(e->told);
    e->told = true;
    e->how = how;
    e->gone = *gone;
}

static ended run_pass(kit *k, double grace_ms, bool dry_run)
{
    ended e = { .told = false };
    radisk_collect wish = {
        .grace_ms = grace_ms, .dry_run = dry_run, .went = went, .told = collected, .context = &e
    };

    assert_int_equal(radisk_collect_begin(k->store, &wish), STATUS_OK);
    radisk_turn(k->store);
    while (!e.told) assert_true(radisk_wait(k->store));
    return e;
}

static uint64_t collect(kit *k)
{
    ended e = run_pass(k, -1, false);

    assert_int_equal(e.how, STATUS_OK);
    return e.gone.roots;
}

static void pinned(void *context, status how, bool was)
{
    *(int *)context = how == STATUS_OK ? was : -1;
}

static bool pin(kit *k, const char *root, bool on)
{
    root_key key;
    int was = -2;

    assert_true(root_read(kit_text(root), &key));
    assert_int_equal(radisk_pin_begin(k->store, (const uint8_t *)key.at, on, pinned, &was),
                     STATUS_OK);
    radisk_turn(k->store);
    while (was == -2) assert_true(radisk_wait(k->store));
    assert_true(was >= 0);
    return was;
}

static void print_finding(void *context, const char *finding)
{
    (void)context;
    print_error("%s\n", finding);
}

static check_report check(kit *k)
{
    char why[CHECK_WHY_MAX] = "";
    check_report report;
    check_wish wish = {
        .folder = k->folder, .size_max = (size_t)256 << 20, .now_ms = wall, .say = print_finding
    };

    if (k->store != NULL) kit_close(k);
    assert_int_equal(check_store(&wish, &report, why), STATUS_OK);
    assert_int_equal(report.findings, 0);
    return report;
}

static uint64_t charged(kit *k, const char *by)
{
    uint64_t bytes = radisk_charged(k->store, kit_text(by));

    radisk_turn(k->store);
    return bytes;
}

/* ---- what stays and what goes ---- */

static void audio_that_nothing_names_goes_when_its_grace_is_over(void **state)
{
    kit *k = *state;

    kit_open(k);
    put_track(k, R1, 3);
    put(k, "plain", "a", "1");
    kit_rest(k);
    wall = T + DAY;
    assert_int_equal(collect(k), 0); /* a renewal may be younger by an hour */
    wall = T + DAY + HOUR + 10;
    ended dry = run_pass(k, -1, true);
    assert_int_equal(dry.gone.roots, 1);
    assert_int_equal(dry.gone.rows, 4);
    assert_int_equal(dry.went, 1);
    assert_true(has_chunk(k, R1, 0));
    ended real = run_pass(k, -1, false);
    assert_int_equal(real.gone.roots, 1);
    assert_int_equal(real.gone.rows, 4);
    assert_int_equal(real.gone.bytes, dry.gone.bytes);
    assert_int_equal(real.went_bytes, dry.gone.bytes);
    assert_false(has_chunk(k, R1, 0));
    assert_int_equal(radisk_hashed_bytes(k->store), 0);
    assert_string_equal(kit_souls(k, &kit_all), "plain ");
    check_report found = check(k);
    assert_int_equal(found.rows, 1);
    assert_int_equal(found.roots, 0);
    assert_int_equal(found.floors, 0);
}

static void what_was_collected_may_come_again_at_once(void **state)
{
    kit *k = *state;

    kit_open(k);
    for (int i = 0; i < 3; i++) {
        put_track(k, R1, 2);
        kit_rest(k);
        assert_true(has_chunk(k, R1, 1));
        ended e = run_pass(k, 0, false); /* now is not yet over */
        assert_int_equal(e.gone.roots, 0);
        wall++;
        e = run_pass(k, 0, false);
        assert_int_equal(e.gone.roots, 1);
        assert_false(has_chunk(k, R1, 1));
    }
    put_track(k, R1, 2);
    kit_rest(k);
    assert_true(has_chunk(k, R1, 1));
    assert_int_equal(check(k).roots, 1);
}

static void the_file_of_what_was_collected_goes_too(void **state)
{
    kit *k = *state;

    kit_open(k);
    for (int i = 0; i < 10; i++) put_chunk(k, R1, i);
    kit_rest(k);
    wall = T + 2 * DAY;
    assert_int_equal(collect(k), 1);
    assert_int_equal(check(k).blobs, 0);
    kit_open(k);
    for (int i = 0; i < 5; i++) {
        steady += 20000;
        work(k, wall);
    }
    assert_int_equal(check(k).blob_segments, 0);
}

static void of_two_publishers_one_copy_stays_until_both_are_gone(void **state)
{
    kit *k = *state;

    kit_open(k);
    put_track(k, R1, 3);
    put(k, "tracks/a", "audio", LINK(R1));
    put(k, "~" PUB "/tracks/b", "audio", SIGNED_LINK(R1));
    put_track(k, R1, 3);
    kit_rest(k);
    assert_int_equal(check(k).roots, 1);
    kit_open(k);
    wall = T + 2 * DAY;
    assert_int_equal(collect(k), 0);
    put(k, "tracks/a", "audio", "null");
    kit_rest(k);
    wall += 2 * DAY;
    assert_int_equal(collect(k), 0);
    put(k, "~" PUB "/tracks/b", "audio", SIGNED("null"));
    kit_rest(k);
    assert_int_equal(collect(k), 0); /* the grace begins when the last link goes */
    wall += DAY;
    assert_int_equal(collect(k), 0);
    wall += 2 * HOUR;
    assert_int_equal(collect(k), 1);
    assert_int_equal(check(k).roots, 0);
}

static void a_link_counts_however_it_is_written(void **state)
{
    static const char *const links[] = {
        LINK(R1),
        SIGNED_LINK(R1),
        "\"audio/" R1 "#m\"",
        "\"[\\\"x\\\",\\\"audio/" R1 "#m\\\"]\"",
    };
    static const char *const others[] = {
        "{\"#\":\"audio/" R1 "#0\"}",
        "{\"#\":\"audio/" R1 "#mx\"}",
        "{\"#\":\"xaudio/" R1 "#m\"}",
        "\"audio/" R1 "\"",
        "\"audio/11#m\"",
    };
    kit *k = *state;

    kit_open(k);
    put_track(k, R1, 1);
    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        put(k, "x", "a", links[i]);
        kit_rest(k);
        wall += 2 * DAY;
        assert_int_equal(collect(k), 0);
        put(k, "x", "a", "null");
        kit_rest(k);
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        put_track(k, R1, 1);
        put(k, "x", "a", others[i]);
        kit_rest(k);
        wall += 2 * DAY;
        if (collect(k) != 1) fail_msg("%s", others[i]);
    }
    (void)check(k);
}

static void tell(void *context, status how, uint64_t gone)
{
    (void)gone;
    *(status *)context = how;
}

static void purge(kit *k, const char *soul, const char *key, bool prefix)
{
    radisk_purge what = { .soul = kit_text(soul), .key = kit_text(key), .prefix = prefix };
    status how = STATUS_BUSY;

    assert_int_equal(radisk_purge_begin(k->store, &what, (moment){ wall, 0 }, tell, &how),
                     STATUS_OK);
    radisk_turn(k->store);
    while (how == STATUS_BUSY) assert_true(radisk_wait(k->store));
    assert_int_equal(how, STATUS_OK);
}

static void links_leave_with_purges_and_when_they_expire(void **state)
{
    kit *k = *state;

    kit_open(k);
    put_track(k, R1, 1);
    put(k, "a", "x", LINK(R1));
    put(k, "b", "x", LINK(R1));
    put(k, "c/d", "x", LINK(R1));
    put(k, "e<?90000", "x", LINK(R1));
    kit_rest(k);
    purge(k, "a", "x", false);
    purge(k, "b", "", false);
    purge(k, "c/", "", true);
    work(k, T + DAY + 3 * HOUR); /* the last one expires now */
    assert_int_equal(collect(k), 0);
    work(k, T + 3 * DAY);
    assert_int_equal(collect(k), 1);
    (void)check(k);
}

static void a_link_from_the_future_counts_from_the_beginning(void **state)
{
    kit *k = *state;
    graph_write held = kit_write("x", "a", LINK(R1), T + 5 * DAY);

    kit_open(k);
    put_track(k, R1, 1);
    kit_merge(k, &held, 1, T);
    kit_rest(k);
    wall = T + 2 * DAY;
    assert_int_equal(collect(k), 0);
    wall = T + 6 * DAY;
    (void)kit_due(k, wall, 10);
    kit_rest(k);
    wall = T + 9 * DAY;
    assert_int_equal(collect(k), 0);
    assert_int_equal(check(k).roots, 1);
}

/* ---- pins ---- */

static void what_the_operator_pins_stays(void **state)
{
    kit *k = *state;

    kit_open(k);
    put_track(k, R1, 1);
    put_track(k, R2, 1);
    kit_rest(k);
    assert_false(pin(k, R1, true));
    assert_true(pin(k, R1, true));
    wall = T + 2 * DAY;
    assert_int_equal(collect(k), 1);
    assert_true(has_chunk(k, R1, 0));
    assert_int_equal(check(k).pins, 1);
    kit_open(k);
    assert_true(pin(k, R1, false));
    assert_false(pin(k, R1, false));
    assert_int_equal(collect(k), 0);
    wall += 2 * DAY;
    assert_int_equal(collect(k), 1);
    assert_int_equal(check(k).pins, 0);
}

static void the_pin_of_an_owner_counts_when_its_key_is_allowed(void **state)
{
    kit *k = *state;
    slice keys[2] = { kit_text(PUB), kit_text("a") };

    kit_open(k);
    put_track(k, R1, 1);
    put(k, "~" PUB "/pins", R1, SIGNED("true"));
    kit_rest(k);
    wall = T + 2 * DAY;
    assert_int_equal(collect(k), 0); /* it was not said whose do */
    assert_int_equal(radisk_allow_pins(k->store, keys, 2), STATUS_OK);
    assert_int_equal(collect(k), 0);
    assert_int_equal(radisk_allow_pins(k->store, keys + 1, 1), STATUS_OK);
    assert_int_equal(run_pass(k, -1, true).gone.roots, 1);
    assert_int_equal(radisk_allow_pins(k->store, keys, 2), STATUS_OK);
    put(k, "~" PUB "/pins", R1, SIGNED("null"));
    kit_rest(k);
    assert_int_equal(collect(k), 0);
    wall += 2 * DAY;
    assert_int_equal(collect(k), 1);
    assert_int_equal(check(k).roots, 0);
}

/* ---- graces ---- */

static void a_renewal_is_a_grace(void **state)
{
    kit *k = *state;

    kit_open(k);
    put_track(k, R1, 1);
    put_track(k, R2, 1);
    kit_rest(k);
    for (int i = 0; i < 10; i++) {
        wall += DAY / 2;
        renew(k, R1);
        work(k, wall);
        assert_int_equal(collect(k), i == 2 ? 1 : 0);
    }
    assert_true(has_chunk(k, R1, 0));
    assert_false(has_chunk(k, R2, 0));
    kit_reopen(k);
    wall += DAY;
    assert_int_equal(collect(k), 0);
    wall += 2 * HOUR;
    assert_int_equal(collect(k), 1);
}

static void a_renewal_outlives_a_clean_end(void **state)
{
    kit *k = *state;

    kit_open(k);
    put_track(k, R1, 1);
    kit_rest(k);
    wall = T + 3 * DAY;
    renew(k, R1);
    kit_reopen(k);
    assert_int_equal(collect(k), 0);
    assert_int_equal(check(k).roots, 1);
}

static void the_store_collects_by_itself(void **state)
{
    kit *k = *state;

    kit_open(k);
    assert_true(isinf(radisk_due_in_ms(k->store)));
    put_track(k, R1, 1);
    kit_rest(k);
    assert_true(radisk_due_in_ms(k->store) <= HOUR / 12);
    steady += HOUR / 12;
    work(k, T + HOUR);
    assert_true(has_chunk(k, R1, 0));
    assert_true(radisk_due_in_ms(k->store) == HOUR - 2000 + 2000);
    steady += HOUR;
    uint64_t before = radisk_collections(k->store);
    work(k, T + 2 * DAY);
    assert_false(has_chunk(k, R1, 0));
    assert_true(radisk_collections(k->store) > before);
    assert_int_equal(kit_stats(k).roots_collected, 1);
    assert_int_equal(kit_stats(k).rows_collected, 2);
    assert_true(isinf(radisk_due_in_ms(k->store)));
}

static void an_upload_that_is_over_gives_its_own_soul_up(void **state)
{
    kit *k = *state;
    const char *staging = "audio/upload-0123456789abcdef#",
               *left = "audio/upload-fedcba9876543210#";

    kit_open(k);
    put(k, staging, "h1", chunk_text(1));
    put(k, left, "h2", chunk_text(2));
    put_track(k, R1, 3);
    kit_rest(k);
    radisk_discard(k->store, kit_text(staging));
    work(k, T);
    assert_null(kit_value(k, staging, "h1"));
    assert_true(has_chunk(k, R1, 1));
    assert_non_null(kit_value(k, left, "h2"));
    put(k, "x", "a", LINK(R1));
    kit_rest(k);
    wall = T + 2 * DAY;
    assert_int_equal(collect(k), 1);
    assert_null(kit_value(k, left, "h2"));
    assert_true(has_chunk(k, R1, 2));
    (void)check(k);
}

/* ---- who pays ---- */

static void bytes_are_charged_to_the_address_then_to_the_key_that_links(void **state)
{
    kit *k = *state;
    const uint64_t manifest = sizeof "\"{\\\"v\\\":1}\"" - 1, track = 3 * CHUNK_BYTES + manifest;

    kit_open(k);
    put_track(k, R1, 3);
    charge(k, R1, "192.0.2.1");
    kit_rest(k);
    work(k, T);
    charge(k, R1, "192.0.2.2"); /* who comes later uploads nothing */
    work(k, T);
    assert_int_equal(charged(k, "192.0.2.1"), track);
    assert_int_equal(charged(k, "192.0.2.2"), 0);
    put(k, "tracks/a", "audio", LINK(R1));
    put_chunk(k, R1, 3);
    kit_rest(k);
    assert_int_equal(charged(k, "192.0.2.1"), track + CHUNK_BYTES);
    put(k, "~" PUB "/tracks/b", "audio", SIGNED_LINK(R1));
    kit_rest(k);
    assert_int_equal(charged(k, "192.0.2.1"), 0);
    assert_int_equal(charged(k, "~" PUB), track + CHUNK_BYTES);
    put(k, "~" OTHER "/pins", R1, SIGNED("true"));
    kit_rest(k);
    assert_int_equal(charged(k, "~" OTHER), track + CHUNK_BYTES);
    assert_int_equal(charged(k, "~" PUB), 0);
    (void)check(k);
    kit_open(k);
    put(k, "~" OTHER "/pins", R1, SIGNED("null"));
    put(k, "~" PUB "/tracks/b", "audio", SIGNED("null"));
    kit_rest(k);
    assert_int_equal(charged(k, "192.0.2.1"), track + CHUNK_BYTES);
    put(k, "tracks/a", "audio", "null");
    kit_rest(k);
    wall += 2 * DAY;
    assert_int_equal(collect(k), 1);
    assert_int_equal(charged(k, "192.0.2.1"), 0);
    (void)check(k);
}

/* ---- what happens meanwhile ---- */

static void by_hand(kit *k)
{
    k->options.by_hand = true;
    kit_open(k);
}

/* Begins a pass, and does so many jobs of the folder. */
static void begin_pass(kit *k, ended *e, int jobs)
{
    radisk_collect wish = { .grace_ms = -1, .told = collected, .context = e };

    *e = (ended){ .told = false };
    assert_int_equal(radisk_collect_begin(k->store, &wish), STATUS_OK);
    radisk_turn(k->store);
    for (int i = 0; i < jobs && !e->told; i++) {
        (void)radisk_step_journal(k->store);
        (void)radisk_step_folder(k->store);
        radisk_turn(k->store);
    }
}

static void end_pass(kit *k, ended *e)
{
    while (!e->told) {
        assert_true(radisk_wait(k->store));
        radisk_turn(k->store);
    }
}

typedef enum event { NOTHING, RENEWED, WRITTEN, LINKED, PINNED, OWNER_PINNED, EVENTS } event;

/* Between any two steps of a collection: whoever was told that a chunk is here finds it
 * here, and a link or pin that was taken while it was here keeps it. */
static void what_happens_between_two_steps_is_not_broken(void **state)
{
    kit *k = *state;
    slice key = kit_text(PUB);
    int was;

    by_hand(k);
    k->options.limits.fold_rows = 4;
    assert_int_equal(radisk_allow_pins(k->store, &key, 1), STATUS_OK);
    for (int jobs = 0; jobs < 8; jobs++) {
        for (event what = NOTHING; what < EVENTS; what++) {
            ended e;
            root_key root;
            put_track(k, R1, 3);
            kit_rest(k);
            wall += 2 * DAY;
            begin_pass(k, &e, jobs);
            bool here = has_chunk(k, R1, 0) && has_chunk(k, R1, 2);
            assert_int_equal(has_chunk(k, R1, 0), has_chunk(k, R1, 2));
            if (what == RENEWED) renew(k, R1);
            if (what == WRITTEN) put_track(k, R1, 3);
            if (what == LINKED) put(k, "x", "a", LINK(R1));
            if (what == OWNER_PINNED) put(k, "~" PUB "/pins", R1, SIGNED("true"));
            assert_true(root_read(kit_text(R1), &root));
            if (what == PINNED)
                assert_int_equal(
                    radisk_pin_begin(k->store, (const uint8_t *)root.at, true, pinned, &was),
                    STATUS_OK);
            end_pass(k, &e);
            assert_int_equal(e.how, STATUS_OK);
            kit_rest(k);
            bool stays = what == WRITTEN || (here && what != NOTHING);
            for (int i = 0; i < 3; i++) assert_int_equal(has_chunk(k, R1, i), stays);
            put(k, "x", "a", "null");
            put(k, "~" PUB "/pins", R1, SIGNED("null"));
            kit_rest(k);
            (void)pin(k, R1, false);
            kit_rest(k);
            wall += 2 * DAY;
            begin_pass(k, &e, 0);
            end_pass(k, &e);
            kit_rest(k);
            assert_false(has_chunk(k, R1, 0));
            assert_int_equal(radisk_hashed_bytes(k->store), 0);
        }
    }
    (void)check(k);
}

/* A crash at any step, and whatever was there before: the rest is whole, and what is
 * counted is what is there. */
static void a_crash_at_any_step_leaves_a_whole_store(void **state)
{
    kit *k = *state;

    k->options.limits.fold_rows = 4;
    by_hand(k);
    for (int jobs = 0; jobs < 24; jobs++) {
        ended e;
        put_track(k, R1, 40);
        put_track(k, R2, 2);
        put(k, "x", "a", LINK(R2));
        kit_rest(k);
        wall += 2 * DAY;
        begin_pass(k, &e, jobs);
        if (!e.told) put_chunk(k, R2, 1);
        radisk_crash(k->store);
        e.told = true;
        k->store = NULL;
        (void)check(k);
        kit_open(k);
        kit_rest(k);
        assert_true(has_chunk(k, R2, 0) && has_chunk(k, R2, 1));
        (void)check(k);
        kit_open(k);
        begin_pass(k, &e, 0);
        end_pass(k, &e);
        assert_false(has_chunk(k, R1, 0) || has_chunk(k, R1, 39));
    }
    (void)check(k);
}

/* A chunk of an old track is sent again while that is removed: it is acknowledged, and
 * it is there, also when the power goes. */
static void an_upload_that_meets_a_removal_is_kept(void **state)
{
    kit *k = *state;

    k->options.limits.fold_rows = 4;
    by_hand(k);
    for (int jobs = 0; jobs < 12; jobs++) {
        ended e;
        put_track(k, R1, 30);
        kit_rest(k);
        wall += 2 * DAY;
        begin_pass(k, &e, jobs);
        put_chunk(k, R1, 29);
        radisk_turn(k->store);
        while (radisk_step_journal(k->store)) radisk_turn(k->store);
        if (jobs % 2 == 0) {
            radisk_crash(k->store);
            e.told = true;
            kit_open(k);
            kit_rest(k);
        } else {
            end_pass(k, &e);
            kit_rest(k);
        }
        assert_true(has_chunk(k, R1, 29));
        char soul[100], key[64];
        slice raw;
        (void)snprintf(soul, sizeof soul, "audio/%s#0", R1);
        chunk_key(key, 29);
        assert_int_equal(radisk_raw(k->store, kit_text(soul), kit_text(key), &raw), STATUS_OK);
        radisk_turn(k->store);
    }
    (void)check(k);
}

static void a_pass_that_the_disk_fails_breaks_nothing(void **state)
{
    static const struct {
        disk_part part;
        int error;
    } faults[] = {
        { DISK_DATA, EIO }, { DISK_SYNC, EIO }, { DISK_META, EIO }, { DISK_DATA, ENOSPC }
    };
    kit *k = *state;

    kit_open(k);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        put_track(k, R1, 3);
        put(k, "x", "a", LINK(R2));
        kit_rest(k);
        wall += 2 * DAY;
        disk_gate_fail(faults[i].part, faults[i].error, 1);
        ended e = run_pass(k, -1, false);
        disk_gate_fail(DISK_DATA, 0, 0);
        assert_true(e.how != STATUS_OK || e.gone.roots == 1);
        assert_true(radisk_ready(k->store));
        work(k, wall);
        e = run_pass(k, -1, false);
        assert_int_equal(e.how, STATUS_OK);
        assert_false(has_chunk(k, R1, 0));
        steady += 61000; /* two failures within a minute would latch */
    }
    (void)check(k);
}

/* ---- stores of before ---- */

static MDB_txn *open_tables(kit *k, MDB_env **env)
{
    MDB_txn *txn;

    assert_int_equal(mdb_env_create(env), 0);
    assert_int_equal(mdb_env_set_maxdbs(*env, 16), 0);
    assert_int_equal(mdb_env_set_mapsize(*env, (size_t)256 << 20), 0);
    assert_int_equal(mdb_env_open(*env, k->folder, 0, 0600), 0);
    assert_int_equal(mdb_txn_begin(*env, NULL, 0, &txn), 0);
    return txn;
}

/* Takes from the database what a store of before had not; or only makes it look as if a
 * brasa of before had folded something. */
static void make_old(kit *k, bool tables)
{
    static const char *const names[] = { "roots", "names", "pins", "uploaders" };
    MDB_val key = { sizeof "roots through" - 1, "roots through" };
    MDB_env *env;
    MDB_txn *txn = open_tables(k, &env);
    MDB_dbi table;

    assert_int_equal(mdb_dbi_open(txn, "meta", 0, &table), 0);
    if (tables) {
        assert_int_equal(mdb_del(txn, table, &key, NULL), 0);
        for (size_t i = 0; i < 4; i++) {
            assert_int_equal(mdb_dbi_open(txn, names[i], 0, &table), 0);
            assert_int_equal(mdb_drop(txn, table, 1), 0);
        }
    } else {
        MDB_val before = { 8, "\0\0\0\0\0\0\0\1" };
        assert_int_equal(mdb_put(txn, table, &key, &before, 0), 0);
        assert_int_equal(mdb_dbi_open(txn, "names", 0, &table), 0);
        assert_int_equal(mdb_drop(txn, table, 0), 0);
    }
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

static void a_store_of_before_is_counted_at_its_first_start(void **state)
{
    kit *k = *state;

    for (int i = 0; i < 2; i++) {
        kit_open(k);
        put_track(k, R1, 100);
        put_track(k, R2, 2);
        charge(k, R2, "192.0.2.9");
        put(k, "~" PUB "/tracks/b", "audio", SIGNED_LINK(R1));
        kit_rest(k);
        work(k, wall);
        kit_close(k);
        make_old(k, i == 0);
        (void)check(k);
        wall += i == 0 ? 2 * DAY : 0;
        kit_open(k);
        assert_int_equal(collect(k), 0); /* nothing is known of its graces */
        assert_true(charged(k, "~" PUB) > 100 * CHUNK_BYTES);
        assert_int_equal(charged(k, "192.0.2.9") > 0, i == 1);
        wall += 2 * DAY;
        assert_int_equal(collect(k), 1);
        assert_true(has_chunk(k, R1, 99));
        assert_false(has_chunk(k, R2, 0));
        assert_int_equal(check(k).roots, 1);
    }
}

static void back_up(kit *k, const char *path)
{
    char why[BACKUP_WHY_MAX];
    backup_file file;
    backup_counts counts;
    backup_wish wish = { .take = backup_file_take, .take_context = &file, .now_ms = wall };
    radisk_view *view;

    assert_int_equal(backup_file_open(&file, path, why), STATUS_OK);
    assert_int_equal(radisk_view_now(k->store, &view), STATUS_OK);
    assert_int_equal(backup_write(view, &wish, &counts), STATUS_OK);
    view_close(view);
    assert_int_equal(backup_file_finish(&file, why), STATUS_OK);
}

/* Graces begin with the restore; pins and links are in the backup. */
static void a_restored_store_keeps_what_the_other_kept(void **state)
{
    kit *k = *state;
    char path[100], folder[100], why[BACKUP_WHY_MAX];
    backup_counts counts;

    (void)snprintf(path, sizeof path, "%s/backup", k->folder);
    (void)snprintf(folder, sizeof folder, "%s/restored", k->folder);
    kit_open(k);
    put_track(k, R1, 2);
    put_track(k, R2, 2);
    put_track(k, R3, 2);
    put(k, "~" PUB "/tracks/b", "audio", SIGNED_LINK(R1));
    assert_false(pin(k, R2, true));
    kit_rest(k);
    back_up(k, path);
    kit_close(k);
    wall = T + 30 * DAY;
    restore_wish wish = { .file = path, .folder = folder, .now_ms = wall };
    assert_int_equal(restore_store(&wish, &counts, why), STATUS_OK);
    assert_int_equal(counts.pins, 1);
    k->options.folder = folder;
    kit_open(k);
    assert_true(charged(k, "~" PUB) > 2 * CHUNK_BYTES);
    wall += DAY;
    assert_int_equal(collect(k), 0);
    wall += DAY;
    assert_int_equal(collect(k), 1);
    assert_true(has_chunk(k, R1, 1) && has_chunk(k, R2, 1));
    assert_false(has_chunk(k, R3, 1));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, kit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(audio_that_nothing_names_goes_when_its_grace_is_over),
        TEST(what_was_collected_may_come_again_at_once),
        TEST(the_file_of_what_was_collected_goes_too),
        TEST(of_two_publishers_one_copy_stays_until_both_are_gone),
        TEST(a_link_counts_however_it_is_written),
        TEST(links_leave_with_purges_and_when_they_expire),
        TEST(a_link_from_the_future_counts_from_the_beginning),
        TEST(what_the_operator_pins_stays),
        TEST(the_pin_of_an_owner_counts_when_its_key_is_allowed),
        TEST(a_renewal_is_a_grace),
        TEST(a_renewal_outlives_a_clean_end),
        TEST(the_store_collects_by_itself),
        TEST(an_upload_that_is_over_gives_its_own_soul_up),
        TEST(bytes_are_charged_to_the_address_then_to_the_key_that_links),
        TEST(what_happens_between_two_steps_is_not_broken),
        TEST(a_crash_at_any_step_leaves_a_whole_store),
        TEST(an_upload_that_meets_a_removal_is_kept),
        TEST(a_pass_that_the_disk_fails_breaks_nothing),
        TEST(a_store_of_before_is_counted_at_its_first_start),
        TEST(a_restored_store_keeps_what_the_other_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
