/* test_radisk.c - the promises of radisk.h and graph.h, on a calm disk. */
#include "tests/unit/disk_gate.h"
#include "tests/unit/radisk_kit.h"

static void reads_see_a_write_as_soon_as_it_was_taken(void **state)
{
    kit *k = *state;

    kit_open(k);
    assert_null(kit_value(k, "s", "a"));
    kit_put(k, "s", "a", "1", 10);
    assert_string_equal(kit_value(k, "s", "a"), "1");
    assert_string_equal(kit_keys(k, "s", &kit_all), "a=1 ");
    assert_string_equal(kit_souls(k, &kit_all), "s ");
    assert_null(kit_value(k, "s", "b"));
    assert_null(kit_value(k, "t", "a"));
}

static void a_settled_write_is_there_after_a_restart(void **state)
{
    kit *k = *state;

    kit_open(k);
    graph_ticket t = kit_put(k, "s", "a", "\"x\"", 10.25);
    kit_settle(k);
    assert_int_equal(kit_state(k, t), GRAPH_SAFE);
    kit_reopen(k);
    assert_string_equal(kit_value(k, "s", "a"), "\"x\"");
    graph_row row;
    assert_int_equal(k->graph->look(k->graph->context, SLICE("s"), SLICE("a"), &row), STATUS_OK);
    assert_true(row.state == 10.25);
    assert_int_equal(row.ticket.batch, 0);
    assert_true(slice_equal(row.soul, SLICE("s")) && slice_equal(row.key, SLICE("a")));
}

static void closing_commits_what_was_gathered(void **state)
{
    kit *k = *state;

    kit_open(k);
    kit_put(k, "s", "a", "1", 10);
    kit_close(k);
    kit_open(k);
    assert_string_equal(kit_value(k, "s", "a"), "1");
}

static void every_write_is_judged_as_ham_says(void **state)
{
    kit *k = *state;
    graph_write w[5] = { kit_write("s", "new", "1", 10), kit_write("s", "a", "2", 9),
                         kit_write("s", "a", "5", 10), kit_write("s", "a", "4", 10),
                         kit_write("s", "a", "6", 2000) };

    kit_open(k);
    kit_put(k, "s", "a", "5", 10);
    for (int restarted = 0; restarted < 2; restarted++) {
        kit_merge(k, w, 5, 1000);
        assert_int_equal(w[0].verdict, restarted ? HAM_SAME : HAM_TAKE);
        assert_int_equal(w[1].verdict, HAM_KEEP);
        assert_int_equal(w[2].verdict, HAM_SAME);
        assert_int_equal(w[3].verdict, HAM_KEEP);
        assert_int_equal(w[4].verdict, HAM_WAIT);
        assert_string_equal(kit_value(k, "s", "a"), "5");
        kit_reopen(k);
    }
}

static void two_writes_to_one_key_in_one_call_are_judged_in_their_order(void **state)
{
    kit *k = *state;
    graph_write up[2] = { kit_write("s", "a", "1", 10), kit_write("s", "a", "2", 11) };
    graph_write down[2] = { kit_write("s", "b", "2", 11), kit_write("s", "b", "1", 10) };

    kit_open(k);
    kit_merge(k, up, 2, 1000);
    kit_merge(k, down, 2, 1000);
    assert_int_equal(up[0].verdict, HAM_TAKE);
    assert_int_equal(up[1].verdict, HAM_TAKE);
    assert_int_equal(down[0].verdict, HAM_TAKE);
    assert_int_equal(down[1].verdict, HAM_KEEP);
    assert_string_equal(kit_keys(k, "s", &kit_all), "a=2 b=2 ");
}

static void nobody_is_told_safe_before_the_sync(void **state)
{
    kit *k = *state;

    kit_open(k);
    disk_gate_close();
    graph_ticket t = kit_put(k, "s", "a", "1", 10);
    radisk_turn(k->store);
    disk_gate_await();
    radisk_turn(k->store);
    assert_int_equal(kit_state(k, t), GRAPH_WAITING);
    disk_gate_open();
    kit_settle(k);
    assert_int_equal(kit_state(k, t), GRAPH_SAFE);
}

static void the_ticket_of_a_lost_write_is_that_of_the_row_it_lost_to(void **state)
{
    kit *k = *state;
    graph_write stale = kit_write("s", "a", "0", 5), same = kit_write("s", "a", "1", 10);
    graph_write other = kit_write("s", "z", "9", 1);

    kit_open(k);
    disk_gate_close();
    graph_ticket first = kit_put(k, "s", "a", "1", 10);
    assert_int_equal(kit_merge(k, &stale, 1, 1000).batch, first.batch);
    assert_int_equal(kit_merge(k, &same, 1, 1000).batch, first.batch);
    radisk_turn(k->store);
    disk_gate_await();
    assert_int_equal(kit_merge(k, &stale, 1, 1000).batch, first.batch);
    graph_ticket later = kit_merge(k, &other, 1, 1000);
    assert_true(later.batch > first.batch);
    graph_write both[2] = { stale, other };
    assert_int_equal(kit_merge(k, both, 2, 1000).batch, later.batch);
    disk_gate_open();
    kit_settle(k);
    assert_int_equal(kit_state(k, kit_merge(k, both, 2, 1000)), GRAPH_SAFE);
    kit_reopen(k);
    assert_int_equal(kit_state(k, kit_merge(k, both, 2, 1000)), GRAPH_SAFE);
}

static void one_sync_serves_everybody_who_waits(void **state)
{
    kit *k = *state;
    char soul[16];
    graph_ticket t[100];

    kit_open(k);
    kit_put(k, "before", "a", "1", 10);
    disk_gate_close();
    radisk_turn(k->store);
    disk_gate_await();
    for (int i = 0; i < 100; i++) {
        (void)snprintf(soul, sizeof soul, "s%d", i);
        t[i] = kit_put(k, soul, "a", "1", 10);
        radisk_turn(k->store);
    }
    for (int i = 0; i < 100; i++) assert_int_equal(t[i].batch, t[0].batch);
    disk_gate_open();
    kit_settle(k);
    for (int i = 0; i < 100; i++) assert_int_equal(kit_state(k, t[i]), GRAPH_SAFE);
    assert_int_equal(kit_stats(k).batches, 2);
    assert_int_equal(kit_stats(k).rows_journaled, 101);
    assert_int_equal(radisk_fold(k->store), STATUS_OK);
    assert_int_equal(kit_stats(k).rows_written, 101);
}

static void a_row_is_visible_at_every_moment_of_its_way_to_the_disk(void **state)
{
    kit *k = *state;

    kit_open(k);
    kit_put(k, "s", "a", "1", 10);
    kit_put(k, "s", "b", "1", 10);
    kit_settle(k);
    disk_gate_close();
    kit_put(k, "s", "b", "2", 20);
    kit_put(k, "s", "c", "2", 20);
    radisk_turn(k->store);
    disk_gate_await();
    kit_put(k, "s", "c", "3", 30);
    kit_put(k, "s", "d", "3", 30);
    kit_put(k, "t", "a", "3", 30);
    /* disk, committing and live hold one row each, and two hold old ones */
    const char *all = "a=1 b=2 c=3 d=3 ", *backwards = "d=3 c=3 b=2 a=1 ";
    assert_string_equal(kit_keys(k, "s", &kit_all), all);
    assert_string_equal(kit_keys(k, "s", &kit_all_backwards), backwards);
    assert_string_equal(kit_souls(k, &kit_all), "s t ");
    disk_gate_open();
    for (bool waiting = true; waiting;) {
        radisk_turn(k->store);
        assert_string_equal(kit_keys(k, "s", &kit_all), all);
        assert_string_equal(kit_keys(k, "s", &kit_all_backwards), backwards);
        assert_string_equal(kit_souls(k, &kit_all_backwards), "t s ");
        assert_string_equal(kit_value(k, "s", "c"), "3");
        waiting = kit_stats(k).overlay_rows > 0;
    }
    assert_int_equal(kit_row_batch(k, "s", "c"), 0); /* it comes from the database */
    kit_reopen(k);
    assert_string_equal(kit_keys(k, "s", &kit_all), all);
}

static void an_old_read_does_not_hide_what_left_the_overlay(void **state)
{
    kit *k = *state;

    k->options.limits.fold_age_ms = 1;
    kit_open(k);
    disk_gate_close_database();
    kit_put(k, "s", "a", "1", 10);
    kit_settle(k);
    while (!disk_gate_waited_at()) radisk_turn(k->store); /* sealed, and a fold begins */
    /* The turn's read transaction begins before the commit is there. */
    assert_null(kit_value(k, "t", "a"));
    disk_gate_open();
    while (kit_stats(k).folds == 0) {
        assert_string_equal(kit_value(k, "s", "a"), "1");
        radisk_turn(k->store);
    }
    assert_string_equal(kit_value(k, "s", "a"), "1");
    assert_int_equal(kit_row_batch(k, "s", "a"), 0);
}

static void a_hot_key_costs_one_row(void **state)
{
    kit *k = *state;
    char value[32];

    kit_open(k);
    disk_gate_close();
    kit_put(k, "s", "other", "1", 1);
    radisk_turn(k->store);
    disk_gate_await();
    kit_put(k, "s", "hot", "1000000", 1);
    uint64_t bytes = kit_stats(k).overlay_bytes;
    for (int i = 2; i < 5000; i++) {
        (void)snprintf(value, sizeof value, "%d", i);
        kit_put(k, "s", "hot", value, i);
    }
    assert_int_equal(kit_stats(k).overlay_bytes, bytes);
    assert_int_equal(kit_stats(k).overlay_rows, 2);
    disk_gate_open();
    kit_settle(k);
    assert_string_equal(kit_value(k, "s", "hot"), "4999");
}

static void keys_of_other_souls_are_not_met(void **state)
{
    kit *k = *state;

    kit_open(k);
    for (int restarted = 0; restarted < 2; restarted++) {
        kit_put(k, "a", "k", "1", 1);
        kit_put(k, "ab", "k", "2", 1);
        kit_put(k, "b", "k", "3", 1);
        assert_string_equal(kit_keys(k, "a", &kit_all), "k=1 ");
        assert_string_equal(kit_keys(k, "ab", &kit_all_backwards), "k=2 ");
        assert_string_equal(kit_keys(k, "b", &kit_all), "k=3 ");
        assert_string_equal(kit_keys(k, "none", &kit_all), "");
        kit_reopen(k);
    }
}

static bool stop_at_two(void *visitor, const graph_row *row)
{
    (void)row;
    return ++*(int *)visitor < 2;
}

static void a_visitor_may_stop(void **state)
{
    kit *k = *state;

    kit_open(k);
    for (int restarted = 0; restarted < 2; restarted++) {
        int seen = 0;
        graph_write w[3] = { kit_write("s", "a", "1", 1), kit_write("s", "b", "1", 1),
                             kit_write("t", "c", "1", 1) };
        kit_merge(k, w, 3, 10);
        assert_int_equal(
            k->graph->scan(k->graph->context, SLICE("s"), &kit_all, stop_at_two, &seen), STATUS_OK);
        assert_int_equal(seen, 2);
        seen = 0;
        assert_int_equal(k->graph->souls(k->graph->context, &kit_all, stop_at_two, &seen),
                         STATUS_OK);
        assert_int_equal(seen, 2);
        kit_reopen(k);
    }
}

static void large_values_come_back_whole(void **state)
{
    kit *k = *state;
    size_t len = 5 << 20;
    char *big = malloc(len);

    assert_non_null(big);
    for (size_t i = 0; i < len; i++) big[i] = (char)('a' + i % 23);
    big[0] = big[len - 1] = '"';
    graph_write w = { .soul = SLICE("s"), .key = SLICE("k"), .value = { big, len }, .state = 1 };
    kit_open(k);
    kit_merge(k, &w, 1, 10);
    for (int restarted = 0; restarted < 2; restarted++) {
        graph_row row;
        assert_int_equal(k->graph->look(k->graph->context, w.soul, w.key, &row), STATUS_OK);
        assert_true(slice_equal(row.value, w.value));
        kit_reopen(k);
    }
    free(big);
}

static void states_come_back_bit_for_bit(void **state)
{
    kit *k = *state;
    static const double states[] = { 0.0, -1.5, 1, 1732000000000.123, 5e-324, -1e300, 1e300 };
    char key[8];

    kit_open(k);
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        (void)snprintf(key, sizeof key, "k%zu", i);
        graph_write w = kit_write("s", key, "1", states[i]);
        kit_merge(k, &w, 1, 1e301);
    }
    kit_reopen(k);
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        graph_row row;
        (void)snprintf(key, sizeof key, "k%zu", i);
        assert_int_equal(k->graph->look(k->graph->context, SLICE("s"), kit_text(key), &row),
                         STATUS_OK);
        assert_memory_equal(&row.state, &states[i], sizeof row.state);
    }
}

static void the_store_counts_what_it_holds(void **state)
{
    kit *k = *state;

    kit_open(k);
    kit_put(k, "s", "a", "1", 1);
    kit_put(k, "s", "b", "1", 1);
    kit_put(k, "t", "a", "1", 1);
    kit_put(k, "t", "later", "1", 2e12);
    assert_int_equal(kit_stats(k).overlay_rows, 3);
    assert_int_equal(kit_stats(k).rows, 0);
    assert_int_equal(radisk_fold(k->store), STATUS_OK);
    radisk_stats s = kit_stats(k);
    assert_int_equal(s.souls, 2);
    assert_int_equal(s.rows, 3);
    assert_int_equal(s.held, 1);
    assert_int_equal(s.overlay_rows, 0);
    assert_int_equal(s.overlay_bytes, 0);
    assert_int_equal(s.batches, 1);
    assert_int_equal(s.batches_failed, 0);
    assert_int_equal(s.rows_written, 3);
    assert_true(s.sync_us_max >= s.sync_us_last);
    assert_true(s.map_bytes_used > 0 && s.map_bytes_used <= s.map_bytes_max);
    assert_int_equal(s.map_bytes_max, k->options.limits.size_max);
}

static void a_quiet_store_writes_nothing(void **state)
{
    kit *k = *state;

    kit_open(k);
    kit_put(k, "s", "a", "1", 1);
    kit_rest(k);
    unsigned long syncs = disk_gate_syncs();
    for (int i = 0; i < 100; i++) {
        kit_put(k, "s", "a", "1", 1);
        radisk_turn(k->store);
    }
    assert_int_equal(radisk_flush(k->store), STATUS_OK);
    kit_rest(k);
    assert_int_equal(disk_gate_syncs(), syncs);
}

/* A pipe is what a loop would use; here it only counts. */
static void count_wake(void *context)
{
    __atomic_add_fetch((int *)context, 1, __ATOMIC_SEQ_CST);
}

static void a_batch_that_is_durable_wakes_the_loop(void **state)
{
    kit *k = *state;
    int woken = 0;

    k->options.wake = count_wake;
    k->options.context = &woken;
    kit_open(k);
    graph_ticket t = kit_put(k, "s", "a", "1", 1);
    radisk_turn(k->store);
    for (int seen = 0; kit_state(k, t) == GRAPH_WAITING; radisk_turn(k->store)) {
        while (__atomic_load_n(&woken, __ATOMIC_SEQ_CST) == seen) continue;
        seen = __atomic_load_n(&woken, __ATOMIC_SEQ_CST); /* the opening's may still come */
    }
    assert_int_equal(kit_state(k, t), GRAPH_SAFE);
    kit_close(k);
}

static void purge(kit *k, const char *soul)
{
    radisk_purge what = { .soul = kit_text(soul) };

    kit_purge(k, &what, 1e12);
}

static double steady;

static double steady_now(void *context)
{
    (void)context;
    return steady;
}

/* What is written while its first copy is being moved gets a second one, however many
 * rows name it. What is collected is never more than what was written. */
static void a_second_copy_is_counted_once(void **state)
{
    static const char *const souls[] = { "keep", "b", "c", "d" };
    kit *k = *state;
    char value[6003], other[9003];

    memset(value, '!', sizeof value - 1);
    memset(other, '?', sizeof other - 1);
    value[0] = value[sizeof value - 2] = other[0] = other[sizeof other - 2] = '"';
    value[sizeof value - 1] = other[sizeof other - 1] = '\0';
    k->options.by_hand = true;
    k->options.now_ms = steady_now;
    kit_open(k);
    kit_put(k, souls[0], "a", value, 1);
    kit_put(k, "gone", "a", other, 1);
    kit_reopen(k); /* its segment is not written any more */
    kit_rest(k);
    purge(k, "gone");
    while (radisk_wait(k->store)) continue;
    steady += 11000;
    radisk_turn(k->store); /* the collection begins */
    for (int i = 1; i < 4; i++) kit_put(k, souls[i], "a", value, 1);
    assert_true(radisk_step_folder(k->store));
    kit_rest(k);
    assert_int_equal(kit_stats(k).blob_bytes, 56 + 6002 + 6);
    uint64_t written = 2 * (56 + 6002 + 6) + 56 + 9002 + 6;
    kit_reopen(k);
    for (int i = 0; i < 4; i++) purge(k, souls[i]);
    uint64_t before = kit_stats(k).collected_bytes;
    for (int i = 0; i < 9; i++) {
        steady += 11000;
        radisk_turn(k->store);
        while (radisk_wait(k->store)) continue;
    }
    assert_true(kit_stats(k).collected_bytes > before);
    assert_true(kit_stats(k).collected_bytes <= written);
    assert_true(radisk_ready(k->store));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(reads_see_a_write_as_soon_as_it_was_taken),
        TEST(a_settled_write_is_there_after_a_restart),
        TEST(closing_commits_what_was_gathered),
        TEST(every_write_is_judged_as_ham_says),
        TEST(two_writes_to_one_key_in_one_call_are_judged_in_their_order),
        TEST(nobody_is_told_safe_before_the_sync),
        TEST(the_ticket_of_a_lost_write_is_that_of_the_row_it_lost_to),
        TEST(one_sync_serves_everybody_who_waits),
        TEST(a_row_is_visible_at_every_moment_of_its_way_to_the_disk),
        TEST(an_old_read_does_not_hide_what_left_the_overlay),
        TEST(a_hot_key_costs_one_row),
        TEST(keys_of_other_souls_are_not_met),
        TEST(a_visitor_may_stop),
        TEST(large_values_come_back_whole),
        TEST(states_come_back_bit_for_bit),
        TEST(the_store_counts_what_it_holds),
        TEST(a_quiet_store_writes_nothing),
        TEST(a_second_copy_is_counted_once),
        TEST(a_batch_that_is_durable_wakes_the_loop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
