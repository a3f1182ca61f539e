/* test_radisk_hashed.c - the bytes of content hashes: exact when all is folded, never
 * too low before, and counted once whatever happens.
 */
#include "radisk/check.h"
#include "tests/unit/disk_gate.h"
#include "tests/unit/radisk_kit.h"

#include <errno.h>
#include <string.h>

static void print_finding(void *context, const char *finding)
{
    ++*(int *)context;
    print_message("%s\n", finding);
}

/* Closes the store, and has it counted by who reads every row. */
static uint64_t recounted(kit *k, int findings)
{
    char why[CHECK_WHY_MAX] = "";
    check_report report;
    int found = 0;
    check_wish wish = {
        .folder = k->folder, .size_max = (size_t)256 << 20, .say = print_finding, .context = &found
    };

    if (k->store != NULL) kit_close(k);
    assert_int_equal(check_store(&wish, &report, why), STATUS_OK);
    assert_int_equal(found, findings);
    return report.hashed_bytes;
}

static uint64_t bytes(kit *k)
{
    return radisk_hashed_bytes(k->store);
}

static char large[8003];

static int set_up(void **state)
{
    memset(large, '!', sizeof large - 1);
    large[0] = large[sizeof large - 2] = '"';
    large[sizeof large - 1] = '\0';
    return kit_setup_quick(state);
}

static void only_values_of_hash_souls_are_counted(void **state)
{
    kit *k = *state;

    kit_open(k);
    kit_put(k, "#a", "x", "\"12345\"", 1);
    kit_put(k, "root#b", "y", large, 1);
    kit_put(k, "plain", "z", large, 1);
    assert_int_equal(bytes(k), 7 + 8002); /* as soon as it was taken */
    kit_rest(k);
    assert_int_equal(bytes(k), 7 + 8002);
    assert_int_equal(kit_stats(k).hashed_bytes, bytes(k));
    kit_reopen(k);
    assert_int_equal(bytes(k), 7 + 8002);
    assert_int_equal(recounted(k, 0), 7 + 8002);
}

static void a_value_that_is_replaced_counts_no_more(void **state)
{
    kit *k = *state;

    kit_open(k);
    kit_put(k, "#a", "x", "1", 1);
    kit_put(k, "#a", "x", "\"123\"", 2);
    kit_put(k, "#a", "x", "\"123\"", 2); /* again */
    kit_put(k, "#a", "x", "22", 1);      /* older */
    assert_int_equal(bytes(k), 5);
    kit_rest(k);
    kit_put(k, "#a", "x", large, 3);
    assert_true(bytes(k) >= 8002); /* it may count both until it is folded */
    kit_rest(k);
    assert_int_equal(bytes(k), 8002);
    kit_put(k, "#a", "x", "1", 4);
    kit_rest(k);
    assert_int_equal(bytes(k), 1);
    assert_int_equal(recounted(k, 0), 1);
}

static void a_refused_message_leaves_no_count(void **state)
{
    kit *k = *state;

    k->options.limits.held_max = 1;
    kit_open(k);
    graph_write w[4] = { kit_write("#a", "x", "\"123\"", 1), kit_write("#a", "x", "\"12345\"", 2),
                         kit_write("#a", "held", "\"1\"", 2e12),
                         kit_write("#a", "held", "\"2\"", 2e12) };
    kit_refuse(k, STATUS_TOO_BIG, w, 4, 1e12);
    assert_int_equal(bytes(k), 0);
    kit_merge(k, w, 3, 1e12);
    assert_int_equal(bytes(k), 7 + 3);
    kit_rest(k);
    assert_int_equal(bytes(k), 7 + 3);
}

static void held_writes_count_as_rows_do(void **state)
{
    kit *k = *state;
    graph_write w[2] = { kit_write("#a", "x", "\"123\"", 2e12), kit_write("#a", "y", large, 3e12) };

    kit_open(k);
    kit_merge(k, w, 2, 1e12);
    assert_int_equal(bytes(k), 5 + 8002);
    (void)kit_due(k, 2e12, 10); /* while it is in memory only */
    assert_int_equal(bytes(k), 5 + 8002);
    kit_rest(k);
    assert_int_equal(bytes(k), 5 + 8002);
    assert_int_equal(recounted(k, 0), 5 + 8002);
    kit_open(k);
    (void)kit_due(k, 3e12, 10);
    assert_true(bytes(k) >= 5 + 8002);
    kit_rest(k);
    assert_int_equal(bytes(k), 5 + 8002);
    assert_int_equal(recounted(k, 0), 5 + 8002);
}

static void purge(kit *k, const char *soul, const char *key, bool prefix, bool dry_run)
{
    radisk_purge what = {
        .soul = kit_text(soul), .key = kit_text(key), .prefix = prefix, .dry_run = dry_run
    };

    kit_purge(k, &what, 1e12);
}

static void a_purge_takes_its_bytes_with_it(void **state)
{
    kit *k = *state;

    kit_open(k);
    kit_put(k, "#a", "x", large, 1);
    kit_put(k, "#a", "y", "1", 1);
    kit_put(k, "#a", "z", "22", 1);
    kit_put(k, "#b", "x", "333", 1);
    kit_put(k, "#c", "x", "4444", 1);
    purge(k, "#a", "x", false, true);
    assert_int_equal(bytes(k), 8002 + 1 + 2 + 3 + 4);
    purge(k, "#a", "x", false, false);
    assert_int_equal(bytes(k), 1 + 2 + 3 + 4);
    purge(k, "#a", "", false, false);
    assert_int_equal(bytes(k), 3 + 4);
    purge(k, "#", "", true, false);
    assert_int_equal(bytes(k), 0);
    assert_int_equal(recounted(k, 0), 0);
}

static double wall;

static double wall_now(void *context)
{
    (void)context;
    return wall;
}

static void what_expires_takes_its_bytes_with_it(void **state)
{
    kit *k = *state;

    wall = 1e12;
    k->options.clock_ms = wall_now;
    kit_open(k);
    kit_put(k, "#a<?2", "x", large, 1e12 - 1);
    kit_put(k, "#a<?2", "y", "1", 1e12);
    kit_rest(k);
    kit_put(k, "#a<?2", "x", "22", 1e12); /* what it replaces goes in a fold, too */
    wall = 1e12 + 3000;
    kit_rest(k);
    kit_reopen(k);
    kit_rest(k);
    assert_int_equal(bytes(k), 0);
    assert_int_equal(recounted(k, 0), 0);
}

static double steady;

static double steady_now(void *context)
{
    (void)context;
    return steady;
}

/* A fold that is cut off behind its first transaction is done again after a start. */
static void nothing_is_counted_twice(void **state)
{
    kit *k = *state;
    char key[16];

    k->options.now_ms = steady_now;
    k->options.limits.fold_rows = 4;
    kit_open(k);
    for (int i = 0; i < 40; i++) {
        (void)snprintf(key, sizeof key, "k%d", i);
        kit_put(k, "#a", key, "\"1234567\"", 1);
    }
    kit_settle(k);
    disk_gate_close_database();
    steady += 5000;
    while (!disk_gate_waited_at()) radisk_turn(k->store);
    disk_gate_fail(DISK_DATA, EIO, -1);
    disk_gate_open();
    while (kit_stats(k).folds_failed == 0) assert_true(radisk_wait(k->store));
    assert_int_equal(bytes(k), 40 * 9 + 4 * 9); /* four are in both, for now */
    kit_close(k);
    disk_gate_fail(DISK_DATA, 0, 0);
    kit_open(k);
    kit_rest(k);
    assert_int_equal(bytes(k), 40 * 9);
    kit_reopen(k); /* what is folded is not replayed */
    assert_int_equal(bytes(k), 40 * 9);
    assert_int_equal(recounted(k, 0), 40 * 9);
}

/* Takes from the database what a store of before had not. */
static void make_old(kit *k, bool count_only)
{
    MDB_txn *txn;
    MDB_env *env = kit_open_env(k, &txn);
    MDB_dbi table;
    MDB_val key = { sizeof "hashed bytes" - 1, "hashed bytes" };

    assert_int_equal(mdb_dbi_open(txn, "meta", 0, &table), 0);
    if (count_only) {
        MDB_val wrong = { 8, "\0\0\0\0\0\0\1\0" };
        assert_int_equal(mdb_put(txn, table, &key, &wrong, 0), 0);
    } else {
        assert_int_equal(mdb_del(txn, table, &key, NULL), 0);
        assert_int_equal(mdb_dbi_open(txn, "expiries", 0, &table), 0);
        assert_int_equal(mdb_drop(txn, table, 1), 0);
    }
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

static void a_store_of_before_is_counted_once(void **state)
{
    kit *k = *state;
    graph_write held = kit_write("#a", "h", "\"123\"", 2e12);

    wall = 1e12;
    k->options.clock_ms = wall_now;
    kit_open(k);
    kit_put(k, "#a", "x", large, 1);
    kit_put(k, "#a", "y", "1", 1);
    kit_put(k, "gone<?2", "x", "1", 1e12 - 2000);
    kit_put(k, "lives<?9", "x", "1", 1e12);
    kit_merge(k, &held, 1, 1e12);
    kit_close(k);
    make_old(k, false);
    (void)recounted(k, 0); /* that is no damage */
    wall = 1e12 + 1;
    kit_open(k);
    kit_rest(k);
    assert_int_equal(bytes(k), 8002 + 1 + 5);
    assert_string_equal(kit_souls(k, &kit_all), "#a lives<?9 ");
    assert_int_equal(recounted(k, 0), 8002 + 1 + 5);
}

static void a_count_that_is_wrong_is_found(void **state)
{
    kit *k = *state;

    kit_open(k);
    kit_put(k, "#a", "x", "1", 1);
    kit_close(k);
    make_old(k, true);
    assert_int_equal(recounted(k, 1), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, kit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(only_values_of_hash_souls_are_counted),
        TEST(a_value_that_is_replaced_counts_no_more),
        TEST(a_refused_message_leaves_no_count),
        TEST(held_writes_count_as_rows_do),
        TEST(a_purge_takes_its_bytes_with_it),
        TEST(what_expires_takes_its_bytes_with_it),
        TEST(nothing_is_counted_twice),
        TEST(a_store_of_before_is_counted_once),
        TEST(a_count_that_is_wrong_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
