/* test_radisk_space.c - audio that is named or pinned stays, audio that nothing names goes
 * when its grace is over; who answers for its bytes.
 */
#include "tests/unit/audio_kit.h"

#include <inttypes.h>
#include <string.h>

/* ---- what stays and what goes ---- */

static void audio_that_nothing_names_goes_when_its_grace_is_over(void **state)
{
    kit *k = *state;

    kit_open(k);
    audio_put_track(k, R1, 3);
    audio_put(k, "plain", "a", "1");
    kit_rest(k);
    audio_wall = T + DAY;
    assert_int_equal(audio_collect(k), 0); /* a renewal may be younger by an hour */
    audio_wall = T + DAY + HOUR + 10;
    audio_ended dry = audio_pass(k, -1, true);
    assert_int_equal(dry.gone.roots, 1);
    assert_int_equal(dry.gone.rows, 4);
    assert_int_equal(dry.went, 1);
    assert_true(audio_has_chunk(k, R1, 0));
    audio_ended real = audio_pass(k, -1, false);
    assert_int_equal(real.gone.roots, 1);
    assert_int_equal(real.gone.rows, 4);
    assert_int_equal(real.gone.bytes, dry.gone.bytes);
    assert_int_equal(real.went_bytes, dry.gone.bytes);
    assert_false(audio_has_chunk(k, R1, 0));
    assert_int_equal(radisk_hashed_bytes(k->store), 0);
    assert_string_equal(kit_souls(k, &kit_all), "plain ");
    check_report found = audio_check(k);
    assert_int_equal(found.rows, 1);
    assert_int_equal(found.roots, 0);
    assert_int_equal(found.floors, 0);
}

static void what_was_collected_may_come_again_at_once(void **state)
{
    kit *k = *state;

    kit_open(k);
    for (int i = 0; i < 3; i++) {
        audio_put_track(k, R1, 2);
        kit_rest(k);
        assert_true(audio_has_chunk(k, R1, 1));
        audio_ended e = audio_pass(k, 0, false); /* now is not yet over */
        assert_int_equal(e.gone.roots, 0);
        audio_wall++;
        e = audio_pass(k, 0, false);
        assert_int_equal(e.gone.roots, 1);
        assert_false(audio_has_chunk(k, R1, 1));
    }
    audio_put_track(k, R1, 2);
    kit_rest(k);
    assert_true(audio_has_chunk(k, R1, 1));
    assert_int_equal(audio_check(k).roots, 1);
}

static void the_file_of_what_was_collected_goes_too(void **state)
{
    kit *k = *state;

    kit_open(k);
    for (int i = 0; i < 10; i++) audio_put_chunk(k, R1, i);
    kit_rest(k);
    audio_wall = T + 2 * DAY;
    assert_int_equal(audio_collect(k), 1);
    assert_int_equal(audio_check(k).blobs, 0);
    kit_open(k);
    for (int i = 0; i < 5; i++) {
        audio_steady += 20000;
        audio_work(k, audio_wall);
    }
    assert_int_equal(audio_check(k).blob_segments, 0);
}

static void of_two_publishers_one_copy_stays_until_both_are_gone(void **state)
{
    kit *k = *state;

    kit_open(k);
    audio_put_track(k, R1, 3);
    audio_put(k, "tracks/a", "audio", LINK(R1));
    audio_put(k, "~" PUB "/tracks/b", "audio", SIGNED_LINK(R1));
    audio_put_track(k, R1, 3);
    kit_rest(k);
    assert_int_equal(audio_check(k).roots, 1);
    kit_open(k);
    audio_wall = T + 2 * DAY;
    assert_int_equal(audio_collect(k), 0);
    audio_put(k, "tracks/a", "audio", "null");
    kit_rest(k);
    audio_wall += 2 * DAY;
    assert_int_equal(audio_collect(k), 0);
    audio_put(k, "~" PUB "/tracks/b", "audio", SIGNED("null"));
    kit_rest(k);
    assert_int_equal(audio_collect(k), 0); /* the grace begins when the last link goes */
    audio_wall += DAY;
    assert_int_equal(audio_collect(k), 0);
    audio_wall += 2 * HOUR;
    assert_int_equal(audio_collect(k), 1);
    assert_int_equal(audio_check(k).roots, 0);
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
    audio_put_track(k, R1, 1);
    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        audio_put(k, "x", "a", links[i]);
        kit_rest(k);
        audio_wall += 2 * DAY;
        assert_int_equal(audio_collect(k), 0);
        audio_put(k, "x", "a", "null");
        kit_rest(k);
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        audio_put_track(k, R1, 1);
        audio_put(k, "x", "a", others[i]);
        kit_rest(k);
        audio_wall += 2 * DAY;
        if (audio_collect(k) != 1) fail_msg("%s", others[i]);
    }
    (void)audio_check(k);
}

static void purge(kit *k, const char *soul, const char *key, bool prefix)
{
    radisk_purge what = { .soul = kit_text(soul), .key = kit_text(key), .prefix = prefix };

    kit_purge(k, &what, audio_wall);
}

static void links_leave_with_purges_and_when_they_expire(void **state)
{
    kit *k = *state;

    kit_open(k);
    audio_put_track(k, R1, 1);
    audio_put(k, "a", "x", LINK(R1));
    audio_put(k, "b", "x", LINK(R1));
    audio_put(k, "c/d", "x", LINK(R1));
    audio_put(k, "e<?90000", "x", LINK(R1));
    kit_rest(k);
    purge(k, "a", "x", false);
    purge(k, "b", "", false);
    purge(k, "c/", "", true);
    audio_work(k, T + DAY + 3 * HOUR); /* the last one expires now */
    assert_int_equal(audio_collect(k), 0);
    audio_work(k, T + 3 * DAY);
    assert_int_equal(audio_collect(k), 1);
    (void)audio_check(k);
}

static void a_link_from_the_future_counts_from_the_beginning(void **state)
{
    kit *k = *state;
    graph_write held = kit_write("x", "a", LINK(R1), T + 5 * DAY);

    kit_open(k);
    audio_put_track(k, R1, 1);
    kit_merge(k, &held, 1, T);
    kit_rest(k);
    audio_wall = T + 2 * DAY;
    assert_int_equal(audio_collect(k), 0);
    audio_wall = T + 6 * DAY;
    (void)kit_due(k, audio_wall, 10);
    kit_rest(k);
    audio_wall = T + 9 * DAY;
    assert_int_equal(audio_collect(k), 0);
    assert_int_equal(audio_check(k).roots, 1);
}

/* A text with as many links as fit, each to a root of its own. Lent until the next. */
static const char *links_to_many(uint32_t seed)
{
    enum { LINK_BYTES = sizeof ",\"audio/#m\"" - 1 + ROOT_DIGITS };
    static char value[4097];
    size_t len = 0;

    while (len + LINK_BYTES < sizeof value - 1) {
        len += (size_t)sprintf(value + len, "%c\"audio/", len == 0 ? '[' : ',');
        for (int i = 0; i < ROOT_DIGITS / 8; i++) {
            seed = seed * 1664525 + 1013904223;
            len += (size_t)sprintf(value + len, "%08" PRIx32, seed ^ seed >> 15);
        }
        len += (size_t)sprintf(value + len, "#m\"");
    }
    (void)strcpy(value + len, "]");
    return value;
}

/* Each link is an entry somewhere in a table, so a row of many changes many pages. */
static void rows_of_many_links_that_were_taken_fit_a_store_that_runs_full(void **state)
{
    kit *k = *state;
    status s = STATUS_OK;
    uint32_t taken = 0;

    k->options.limits.size_max = (size_t)16 << 20;
    kit_open(k);
    while (s == STATUS_OK) {
        char soul[16];
        graph_ticket ticket;
        (void)snprintf(soul, sizeof soul, "s%" PRIu32, taken);
        graph_write w = kit_write(soul, "a", links_to_many(taken), T);
        s = k->graph->merge(k->graph->context, &w, 1, (moment){ 2 * T, 0 }, &ticket);
        taken += s == STATUS_OK;
        if (taken % 100 == 0) assert_int_equal(radisk_fold(k->store), STATUS_OK);
        audio_steady += 1000; /* room is asked for each time */
        radisk_turn(k->store);
    }
    assert_int_equal(s, STATUS_NO_SPACE);
    assert_true(taken > 1000);
    kit_rest(k);
    assert_int_equal(kit_stats(k).rows, taken);
}

/* ---- pins ---- */

static void what_the_operator_pins_stays(void **state)
{
    kit *k = *state;

    kit_open(k);
    audio_put_track(k, R1, 1);
    audio_put_track(k, R2, 1);
    kit_rest(k);
    assert_false(audio_pin(k, R1, true));
    assert_true(audio_pin(k, R1, true));
    audio_wall = T + 2 * DAY;
    assert_int_equal(audio_collect(k), 1);
    assert_true(audio_has_chunk(k, R1, 0));
    assert_int_equal(audio_check(k).pins, 1);
    kit_open(k);
    assert_true(audio_pin(k, R1, false));
    assert_false(audio_pin(k, R1, false));
    assert_int_equal(audio_collect(k), 0);
    audio_wall += 2 * DAY;
    assert_int_equal(audio_collect(k), 1);
    assert_int_equal(audio_check(k).pins, 0);
}

static void the_pin_of_an_owner_counts_when_its_key_is_allowed(void **state)
{
    kit *k = *state;
    slice keys[2] = { kit_text(PUB), kit_text("a") };

    kit_open(k);
    audio_put_track(k, R1, 1);
    audio_put(k, "~" PUB "/pins", R1, SIGNED("true"));
    kit_rest(k);
    audio_wall = T + 2 * DAY;
    assert_int_equal(audio_collect(k), 0); /* it was not said whose do */
    assert_int_equal(radisk_allow_pins(k->store, keys, 2), STATUS_OK);
    assert_int_equal(audio_collect(k), 0);
    assert_int_equal(radisk_allow_pins(k->store, keys + 1, 1), STATUS_OK);
    assert_int_equal(audio_pass(k, -1, true).gone.roots, 1);
    assert_int_equal(radisk_allow_pins(k->store, keys, 2), STATUS_OK);
    audio_put(k, "~" PUB "/pins", R1, SIGNED("null"));
    kit_rest(k);
    assert_int_equal(audio_collect(k), 0);
    audio_wall += 2 * DAY;
    assert_int_equal(audio_collect(k), 1);
    assert_int_equal(audio_check(k).roots, 0);
}

/* ---- graces ---- */

static void a_renewal_is_a_grace(void **state)
{
    kit *k = *state;

    kit_open(k);
    audio_put_track(k, R1, 1);
    audio_put_track(k, R2, 1);
    kit_rest(k);
    for (int i = 0; i < 10; i++) {
        audio_wall += DAY / 2;
        audio_renew(k, R1);
        audio_work(k, audio_wall);
        assert_int_equal(audio_collect(k), i == 2 ? 1 : 0);
    }
    assert_true(audio_has_chunk(k, R1, 0));
    assert_false(audio_has_chunk(k, R2, 0));
    kit_reopen(k);
    audio_wall += DAY;
    assert_int_equal(audio_collect(k), 0);
    audio_wall += 2 * HOUR;
    assert_int_equal(audio_collect(k), 1);
}

static void a_renewal_outlives_a_clean_end(void **state)
{
    kit *k = *state;

    kit_open(k);
    audio_put_track(k, R1, 1);
    kit_rest(k);
    audio_wall = T + 3 * DAY;
    audio_renew(k, R1);
    kit_reopen(k);
    assert_int_equal(audio_collect(k), 0);
    assert_int_equal(audio_check(k).roots, 1);
}

static void the_store_collects_by_itself(void **state)
{
    kit *k = *state;

    kit_open(k);
    assert_true(isinf(radisk_due_in_ms(k->store)));
    audio_put_track(k, R1, 1);
    kit_rest(k);
    assert_true(radisk_due_in_ms(k->store) <= HOUR / 12);
    audio_steady += HOUR / 12;
    audio_work(k, T + HOUR);
    assert_true(audio_has_chunk(k, R1, 0));
    assert_true(radisk_due_in_ms(k->store) == HOUR - 2000 + 2000);
    audio_steady += HOUR;
    uint64_t before = radisk_collections(k->store);
    audio_work(k, T + 2 * DAY);
    assert_false(audio_has_chunk(k, R1, 0));
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
    audio_put(k, staging, "h1", audio_text(1));
    audio_put(k, left, "h2", audio_text(2));
    audio_put_track(k, R1, 3);
    kit_rest(k);
    radisk_discard(k->store, kit_text(staging));
    audio_work(k, T);
    assert_null(kit_value(k, staging, "h1"));
    assert_true(audio_has_chunk(k, R1, 1));
    assert_non_null(kit_value(k, left, "h2"));
    audio_put(k, "x", "a", LINK(R1));
    kit_rest(k);
    audio_wall = T + 2 * DAY;
    assert_int_equal(audio_collect(k), 1);
    assert_null(kit_value(k, left, "h2"));
    assert_true(audio_has_chunk(k, R1, 2));
    (void)audio_check(k);
}

/* ---- who pays ---- */

static void bytes_are_charged_to_the_address_then_to_the_key_that_links(void **state)
{
    kit *k = *state;
    const uint64_t manifest = sizeof "\"{\\\"v\\\":1}\"" - 1, track = 3 * CHUNK_BYTES + manifest;

    kit_open(k);
    audio_put_track(k, R1, 3);
    audio_charge(k, R1, "192.0.2.1");
    kit_rest(k);
    audio_work(k, T);
    audio_charge(k, R1, "192.0.2.2"); /* who comes later uploads nothing */
    audio_work(k, T);
    assert_int_equal(audio_charged(k, "192.0.2.1"), track);
    assert_int_equal(audio_charged(k, "192.0.2.2"), 0);
    audio_put(k, "tracks/a", "audio", LINK(R1));
    audio_put_chunk(k, R1, 3);
    kit_rest(k);
    assert_int_equal(audio_charged(k, "192.0.2.1"), track + CHUNK_BYTES);
    audio_put(k, "~" PUB "/tracks/b", "audio", SIGNED_LINK(R1));
    kit_rest(k);
    assert_int_equal(audio_charged(k, "192.0.2.1"), 0);
    assert_int_equal(audio_charged(k, "~" PUB), track + CHUNK_BYTES);
    audio_put(k, "~" OTHER "/pins", R1, SIGNED("true"));
    kit_rest(k);
    assert_int_equal(audio_charged(k, "~" OTHER), track + CHUNK_BYTES);
    assert_int_equal(audio_charged(k, "~" PUB), 0);
    (void)audio_check(k);
    kit_open(k);
    audio_put(k, "~" OTHER "/pins", R1, SIGNED("null"));
    audio_put(k, "~" PUB "/tracks/b", "audio", SIGNED("null"));
    kit_rest(k);
    assert_int_equal(audio_charged(k, "192.0.2.1"), track + CHUNK_BYTES);
    audio_put(k, "tracks/a", "audio", "null");
    kit_rest(k);
    audio_wall += 2 * DAY;
    assert_int_equal(audio_collect(k), 1);
    assert_int_equal(audio_charged(k, "192.0.2.1"), 0);
    (void)audio_check(k);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, audio_setup, kit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(audio_that_nothing_names_goes_when_its_grace_is_over),
        TEST(what_was_collected_may_come_again_at_once),
        TEST(the_file_of_what_was_collected_goes_too),
        TEST(of_two_publishers_one_copy_stays_until_both_are_gone),
        TEST(a_link_counts_however_it_is_written),
        TEST(links_leave_with_purges_and_when_they_expire),
        TEST(a_link_from_the_future_counts_from_the_beginning),
        TEST(rows_of_many_links_that_were_taken_fit_a_store_that_runs_full),
        TEST(what_the_operator_pins_stays),
        TEST(the_pin_of_an_owner_counts_when_its_key_is_allowed),
        TEST(a_renewal_is_a_grace),
        TEST(a_renewal_outlives_a_clean_end),
        TEST(the_store_collects_by_itself),
        TEST(an_upload_that_is_over_gives_its_own_soul_up),
        TEST(bytes_are_charged_to_the_address_then_to_the_key_that_links),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
