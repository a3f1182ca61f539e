/* test_radisk_expire.c - what has expired leaves the disk, by the clock that the test
 * hands in, and nothing else does.
 */
#include "radisk/check.h"
#include "tests/unit/disk_gate.h"
#include "tests/unit/radisk_kit.h"

#include <errno.h>
#include <string.h>

#define T 1e12

/* The clocks of a store: tests are one thread. */
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

/* Whatever its state is, it is not from the future. */
static void put(kit *k, const char *soul, const char *key, const char *value, double state)
{
    graph_write w = kit_write(soul, key, value, state);

    (void)kit_merge(k, &w, 1, 2 * T);
}

/* Lets the folder do all that is to do at a time. */
static void look_at(kit *k, double when_ms)
{
    wall = when_ms;
    steady += 2000;
    radisk_turn(k->store);
    while (radisk_wait(k->store)) continue;
}

static uint64_t rows(kit *k)
{
    return kit_stats(k).rows;
}

static void print_finding(void *context, const char *finding)
{
    (void)context;
    print_error("%s\n", finding);
}

/* Closes the store, and has all of it read. */
static check_report check(kit *k)
{
    char why[CHECK_WHY_MAX] = "";
    check_report report;
    check_wish wish = {
        .folder = k->folder, .size_max = (size_t)256 << 20, .now_ms = wall, .say = print_finding
    };

    kit_close(k);
    assert_int_equal(check_store(&wish, &report, why), STATUS_OK);
    assert_string_equal(why, "");
    assert_int_equal(report.findings, 0);
    return report;
}

static void a_row_that_has_expired_leaves_the_disk_and_no_other_does(void **state)
{
    kit *k = *state;

    kit_open(k);
    put(k, "x<?2", "a", "1", T);
    put(k, "x<?2", "b", "2", T - 500);
    put(k, "x<?9", "a", "3", T - 500);
    put(k, "plain", "a", "4", 1);
    kit_rest(k);
    assert_int_equal(rows(k), 4);
    look_at(k, T + 1500);
    assert_int_equal(rows(k), 4); /* that very moment is not behind it */
    look_at(k, T + 1501);
    assert_string_equal(kit_keys(k, "x<?2", &kit_all), "a=1 ");
    assert_int_equal(rows(k), 3);
    look_at(k, T + 4000);
    assert_string_equal(kit_souls(k, &kit_all), "plain x<?9 ");
    assert_int_equal(kit_stats(k).souls, 2);
    assert_int_equal(kit_stats(k).rows_expired, 2);
    look_at(k, T + 1e6);
    assert_string_equal(kit_souls(k, &kit_all), "plain ");
    check_report found = check(k);
    assert_int_equal(found.rows, 1);
    assert_int_equal(found.souls, 1);
}

static void the_loop_is_told_when_a_row_expires(void **state)
{
    kit *k = *state;

    kit_open(k);
    put(k, "plain", "a", "1", T);
    kit_rest(k);
    assert_true(isinf(radisk_due_in_ms(k->store)));
    put(k, "x<?20", "a", "1", T);
    put(k, "y<?999", "a", "1", T);
    kit_rest(k);
    assert_true(radisk_due_in_ms(k->store) == 20000);
    wall = T + 15000;
    assert_true(radisk_due_in_ms(k->store) == 5000);
    wall = T - 1e6; /* a clock that is set is noticed within a minute */
    assert_true(radisk_due_in_ms(k->store) == 60000);
    look_at(k, T + 20001);
    assert_int_equal(rows(k), 2);
    assert_true(radisk_due_in_ms(k->store) == 60000);
}

static void a_fold_writes_nothing_that_has_expired(void **state)
{
    kit *k = *state;

    kit_open(k);
    put(k, "x<?2", "a", "1", T);
    put(k, "x<?2", "b", "1", T + 3000);
    put(k, "y<?2", "a", "1", T);
    wall = T + 4000;
    kit_rest(k);
    assert_string_equal(kit_keys(k, "x<?2", &kit_all), "b=1 ");
    assert_int_equal(kit_stats(k).souls, 1); /* a soul with nothing gets no number */
    assert_int_equal(kit_stats(k).rows_expired, 2);
    assert_int_equal(check(k).rows, 1);
}

static void an_older_value_does_not_come_back_into_sight(void **state)
{
    kit *k = *state;

    kit_open(k);
    put(k, "x<?2", "a", "\"old\"", T - 1000);
    kit_rest(k);
    put(k, "x<?2", "a", "\"new\"", T);
    wall = T + 5000;
    kit_rest(k);
    wall = T - 900; /* by this clock the old one has not expired */
    assert_null(kit_value(k, "x<?2", "a"));
    assert_string_equal(kit_souls(k, &kit_all), "");
    look_at(k, T + 5000);
    assert_int_equal(kit_stats(k).souls, 0);
    assert_int_equal(check(k).souls, 0);
}

static void a_replay_goes_by_the_clock_of_today(void **state)
{
    kit *k = *state;

    k->options.by_hand = true;
    kit_open(k);
    put(k, "x<?2", "a", "1", T);
    put(k, "x<?2", "b", "1", T + 4000);
    put(k, "plain", "a", "1", T);
    kit_settle(k);
    radisk_crash(k->store);
    wall = T + 5000;
    kit_open(k);
    kit_rest(k);
    assert_string_equal(kit_keys(k, "x<?2", &kit_all), "b=1 ");
    assert_int_equal(rows(k), 2);
    assert_int_equal(check(k).rows, 2);
}

/* What was noted says when to look, and the clock of that moment what goes. */
static void a_clock_that_was_ahead_takes_nothing_when_it_is_back(void **state)
{
    kit *k = *state;

    kit_open(k);
    put(k, "x<?100", "a", "1", T);
    kit_rest(k);
    look_at(k, T + 50000);
    wall = T + 1e9; /* nobody looks in that moment */
    look_at(k, T + 100000);
    assert_int_equal(rows(k), 1);
    put(k, "x<?100", "b", "1", T + 90000);
    wall = T + 1e9;
    look_at(k, T + 100001); /* the fold that is due goes by this clock, too */
    kit_rest(k);
    assert_string_equal(kit_keys(k, "x<?100", &kit_all), "b=1 ");
    look_at(k, T + 30000); /* back behind what was taken */
    assert_string_equal(kit_keys(k, "x<?100", &kit_all), "b=1 ");
    look_at(k, T + 300000);
    assert_int_equal(rows(k), 0);
    (void)check(k);
}

static void an_old_copy_may_come_again_and_goes_again(void **state)
{
    kit *k = *state;

    kit_open(k);
    for (int i = 0; i < 3; i++) {
        put(k, "x<?2", "a", "1", T);
        wall = T;
        kit_rest(k);
        assert_int_equal(rows(k), 1);
        look_at(k, T + 3000);
        assert_int_equal(rows(k), 0);
    }
    (void)check(k);
}

/* In passes of four rows: what is folded while a look is under way is met or noted. */
static void a_large_soul_is_looked_at_in_small_steps(void **state)
{
    kit *k = *state;
    char key[16];
    uint64_t before = 0;
    int steps = 0;

    k->options.by_hand = true;
    k->options.limits.fold_rows = 4;
    kit_open(k);
    for (int i = 0; i < 200; i++) {
        (void)snprintf(key, sizeof key, "k%03d", i);
        put(k, "x<?10", key, "1", T + (i % 2 == 0 ? 0 : 9000));
    }
    kit_rest(k);
    wall = T + 10001;
    steady += 2000;
    for (; kit_stats(k).rows_expired < 100; steps++) {
        uint64_t transactions = kit_stats(k).transactions;
        radisk_turn(k->store);
        if (!radisk_step_folder(k->store)) break;
        radisk_turn(k->store);
        uint64_t gone = kit_stats(k).rows_expired - before;
        assert_true(gone <= 4);
        before += gone;
        assert_true(kit_stats(k).transactions - transactions <= 1);
        if (steps == 10) {
            put(k, "x<?10", "a", "1", T + 2000); /* before what was looked at */
            assert_int_equal(radisk_fold(k->store), STATUS_OK);
            before = kit_stats(k).rows_expired;
        }
    }
    assert_true(steps > 10);
    kit_rest(k);
    assert_int_equal(rows(k), 101);
    look_at(k, T + 12001); /* its time was noted with the rest */
    assert_null(kit_value(k, "x<?10", "a"));
    assert_int_equal(rows(k), 100);
    look_at(k, T + 20000);
    assert_int_equal(rows(k), 0);
    assert_int_equal(check(k).souls, 0);
}

static void a_life_longer_than_any_number_is_noted_too(void **state)
{
    kit *k = *state;

    kit_open(k);
    put(k, "x<?1e308", "a", "1", T);
    kit_rest(k);
    look_at(k, T + 1e15);
    assert_int_equal(rows(k), 1);
    assert_int_equal(check(k).rows, 1);
}

static void many_souls_are_one_transaction(void **state)
{
    kit *k = *state;
    char soul[16];

    kit_open(k);
    for (int i = 0; i < 300; i++) {
        (void)snprintf(soul, sizeof soul, "s%d<?%d", i, 1 + i % 3);
        put(k, soul, "a", "1", T);
    }
    kit_rest(k);
    for (int left = 200; left >= 0; left -= 100) {
        look_at(k, wall + 1001);
        assert_int_equal(rows(k), left);
    }
    assert_int_equal(check(k).souls, 0);
}

static void the_blob_of_a_row_that_has_expired_is_dead_weight(void **state)
{
    kit *k = *state;
    char value[5003];

    memset(value, 'x', sizeof value);
    value[0] = value[5001] = '"';
    value[5002] = '\0';
    kit_open(k);
    put(k, "keeps", "a", "1", T);
    put(k, "x<?2", "a", value, T);
    kit_rest(k);
    look_at(k, T + 2001);
    value[1] = 'y';
    put(k, "x<?2", "b", value, T); /* never comes to the database */
    kit_rest(k);
    assert_int_equal(rows(k), 1);
    check_report found = check(k);
    assert_int_equal(found.blobs, 0);
    assert_true(found.dead_bytes > 2 * 3750);
    kit_open(k); /* with another segment to write to */
    for (int i = 0; i < 10; i++) look_at(k, T + 3000);
    found = check(k);
    assert_int_equal(found.blob_segments, 0);
}

static void purge(kit *k, const char *soul, const char *key, bool prefix)
{
    radisk_purge what = { .soul = kit_text(soul), .key = kit_text(key), .prefix = prefix };

    kit_purge(k, &what, wall);
}

static void purges_and_expiry_do_not_get_in_each_others_way(void **state)
{
    kit *k = *state;

    k->options.limits.floor_keep_ms = 1000 * 1000;
    kit_open(k);
    put(k, "x<?2", "a", "1", T);
    put(k, "x<?2", "b", "1", T);
    put(k, "y<?2", "a", "1", T);
    put(k, "z<?2", "a", "1", T);
    kit_rest(k);
    purge(k, "x<?2", "b", false);
    purge(k, "y<?2", "", false);
    purge(k, "z", "", true);
    kit_rest(k);
    look_at(k, T + 5000);
    assert_string_equal(kit_souls(k, &kit_all), "");
    assert_int_equal(kit_stats(k).souls, 2); /* for the sake of two floors */
    put(k, "x<?2", "b", "2", T);             /* which hold */
    put(k, "y<?2", "a", "2", T);
    assert_int_equal(kit_stats(k).overlay_rows, 0);
    put(k, "plain", "a", "1", T + 2e6); /* it is late */
    steady += 3600 * 1000;
    look_at(k, T + 2e6);
    kit_rest(k);
    assert_int_equal(kit_stats(k).souls, 1);
    assert_int_equal(check(k).floors, 0);
}

/* A pass that fails has removed nothing, and is made again. */
static void a_pass_that_the_disk_fails_is_made_again(void **state)
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
        wall = T;
        put(k, "#x<?2", "a", "\"123\"", T);
        put(k, "#x<?2", "b", "1", T + 3000);
        kit_rest(k);
        disk_gate_fail(faults[i].part, faults[i].error, 1);
        look_at(k, T + 3500);
        assert_int_equal(disk_gate_failed(), 1);
        assert_string_equal(kit_keys(k, "#x<?2", &kit_all), "a=\"123\" b=1 ");
        assert_int_equal(radisk_hashed_bytes(k->store), 6);
        assert_true(radisk_ready(k->store));
        assert_true(radisk_due_in_ms(k->store) <= 1000);
        look_at(k, T + 3500);
        assert_string_equal(kit_keys(k, "#x<?2", &kit_all), "b=1 ");
        look_at(k, T + 9000);
        assert_int_equal(kit_stats(k).souls, 0);
        assert_int_equal(radisk_hashed_bytes(k->store), 0);
        steady += 61000; /* two failures within a minute would latch */
    }
    disk_gate_fail(DISK_DATA, 0, 0);
    (void)check(k);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, kit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_row_that_has_expired_leaves_the_disk_and_no_other_does),
        TEST(the_loop_is_told_when_a_row_expires),
        TEST(a_fold_writes_nothing_that_has_expired),
        TEST(an_older_value_does_not_come_back_into_sight),
        TEST(a_replay_goes_by_the_clock_of_today),
        TEST(a_clock_that_was_ahead_takes_nothing_when_it_is_back),
        TEST(an_old_copy_may_come_again_and_goes_again),
        TEST(a_large_soul_is_looked_at_in_small_steps),
        TEST(a_life_longer_than_any_number_is_noted_too),
        TEST(many_souls_are_one_transaction),
        TEST(the_blob_of_a_row_that_has_expired_is_dead_weight),
        TEST(purges_and_expiry_do_not_get_in_each_others_way),
        TEST(a_pass_that_the_disk_fails_is_made_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
