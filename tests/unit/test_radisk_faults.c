/* test_radisk_faults.c - a full map, a full disk, a failing disk, a full overlay:
 * what is refused leaves no trace, reads go on, and writes resume. */
#include "tests/unit/disk_gate.h"
#include "tests/unit/radisk_kit.h"

#include <errno.h>

static graph_progress progress(kit *k)
{
    graph_progress p;

    k->graph->progress(k->graph->context, &p);
    return p;
}

static void refuse_one(kit *k, status expected, const char *soul)
{
    graph_write w[2] = { kit_write(soul, "a", "1", 1), kit_write(soul, "b", "1", 1) };
    graph_write held = kit_write(soul, "c", "1", 1000);

    kit_refuse(k, expected, w, 2, 100);
    kit_refuse(k, expected, &held, 1, 100);
    assert_string_equal(kit_keys(k, soul, &kit_all), "");
}

static void past_its_bound_the_overlay_takes_no_more(void **state)
{
    kit *k = *state;
    char soul[16];
    int taken = 0;

    k->options.limits.overlay_max = 256 * 1024;
    kit_open(k);
    kit_put(k, "first", "a", "1", 1);
    kit_settle(k);
    disk_gate_close();
    for (; radisk_ready(k->store); taken++) {
        (void)snprintf(soul, sizeof soul, "s%d", taken);
        kit_put(k, soul, "a", "1", 1);
        if (taken == 10) radisk_turn(k->store);
    }
    disk_gate_await();
    assert_true(taken > 100);
    assert_true(kit_stats(k).overlay_bytes < 2 * k->options.limits.overlay_max);
    refuse_one(k, STATUS_BUSY, "more");
    assert_string_equal(kit_value(k, "s0", "a"), "1");
    assert_string_equal(kit_value(k, "first", "a"), "1");
    disk_gate_open();
    kit_settle(k);
    assert_true(radisk_ready(k->store));
    kit_put(k, "more", "a", "1", 1);
    kit_reopen(k);
    assert_int_equal(kit_stats(k).rows, taken + 2);
}

static void one_message_may_be_larger_than_the_bound(void **state)
{
    kit *k = *state;
    graph_write w[100];
    char keys[100][8], value[8192];

    memset(value, '1', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    k->options.limits.overlay_max = 64 * 1024;
    kit_open(k);
    for (int i = 0; i < 100; i++) {
        (void)snprintf(keys[i], sizeof keys[i], "k%d", i);
        w[i] = kit_write("s", keys[i], value, 1);
    }
    kit_merge(k, w, 100, 10);
    refuse_one(k, STATUS_BUSY, "more");
    kit_settle(k);
    assert_int_equal(kit_stats(k).rows, 100);
}

/* What holds in every trouble. `failed` is the ticket of what could not be
 * committed, `safe` of what was before. */
static void check_trouble(kit *k, status why, graph_ticket safe, graph_ticket failed)
{
    assert_int_equal(kit_state(k, safe), GRAPH_SAFE);
    assert_int_equal(kit_state(k, failed), GRAPH_FAILED);
    assert_int_equal(progress(k).why, why);
    assert_false(radisk_ready(k->store));
    refuse_one(k, why, "more");
    assert_string_equal(kit_value(k, "kept", "a"), "1");
    assert_string_equal(kit_keys(k, "kept", &kit_all), "a=1 ");
    assert_true(isinf(k->graph->next_due(k->graph->context)));
    assert_string_equal(kit_due(k, 1e9, 10), "");
}

static void a_full_map_refuses_writes_and_reads_go_on(void **state)
{
    kit *k = *state;
    char soul[24], value[2000];
    graph_ticket t = { 0 };
    int i = 0;

    memset(value, '1', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    k->options.limits.size_max = 512 * 1024;
    kit_open(k);
    graph_ticket first = kit_put(k, "kept", "a", "1", 1);
    while (radisk_flush(k->store) == STATUS_OK) {
        (void)snprintf(soul, sizeof soul, "s%d", i++);
        t = kit_put(k, soul, "a", value, 1);
    }
    assert_true(i > 50);
    check_trouble(k, STATUS_NO_SPACE, first, t);
    assert_string_equal(kit_value(k, soul, "a"), value); /* seen, but not promised */
    assert_int_equal(radisk_flush(k->store), STATUS_NO_SPACE);
    kit_close(k);

    k->options.limits.size_max = 64 << 20;
    kit_open(k);
    assert_true(radisk_ready(k->store));
    assert_null(kit_value(k, soul, "a"));
    for (int j = 0; j < i - 1; j++) {
        (void)snprintf(soul, sizeof soul, "s%d", j);
        assert_string_equal(kit_value(k, soul, "a"), value);
    }
    kit_put(k, "more", "a", "1", 1);
    kit_settle(k);
}

/* One kind of call fails until it does not any more. */
static void check_failing_disk(kit *k, disk_part part, int error, status why)
{
    kit_open(k);
    graph_ticket safe = kit_put(k, "kept", "a", "1", 1);
    graph_write held = kit_write("kept", "later", "2", 150);
    kit_merge(k, &held, 1, 100);
    kit_settle(k);

    disk_gate_fail(part, error, -1);
    graph_ticket t = kit_put(k, "tried", "a", "3", 1);
    assert_int_equal(radisk_flush(k->store), why);
    check_trouble(k, why, safe, t);
    assert_int_equal(radisk_flush(k->store), why); /* tried again, at once */
    check_trouble(k, why, safe, t);
    assert_string_equal(kit_value(k, "tried", "a"), "3");
    assert_int_equal(kit_state(k, (graph_ticket){ kit_row_batch(k, "tried", "a") }), GRAPH_FAILED);
    assert_true(disk_gate_failed() >= 2);

    disk_gate_fail(part, error, 0);
    assert_int_equal(radisk_flush(k->store), STATUS_OK);
    assert_true(radisk_ready(k->store));
    assert_int_equal(kit_row_batch(k, "tried", "a"), 0);
    kit_put(k, "more", "a", "4", 1);
    assert_string_equal(kit_due(k, 200, 10), "kept/later=2@150 ");
    kit_settle(k);
    kit_reopen(k);
    assert_string_equal(kit_souls(k, &kit_all), "kept more tried ");
    assert_string_equal(kit_keys(k, "kept", &kit_all), "a=1 later=2 ");
    assert_string_equal(kit_value(k, "tried", "a"), "3");
}

static void a_full_disk_is_survived(void **state)
{
    check_failing_disk(*state, DISK_DATA, ENOSPC, STATUS_NO_SPACE);
}

static void a_full_quota_is_survived(void **state)
{
    check_failing_disk(*state, DISK_DATA, EDQUOT, STATUS_NO_SPACE);
}

static void a_failing_write_is_survived(void **state)
{
    check_failing_disk(*state, DISK_DATA, EIO, STATUS_IO);
}

static void a_failing_sync_is_survived(void **state)
{
    check_failing_disk(*state, DISK_SYNC, EIO, STATUS_IO);
}

static void a_failing_meta_page_is_survived(void **state)
{
    check_failing_disk(*state, DISK_META, EIO, STATUS_IO);
}

static void what_fails_until_the_end_is_not_there_and_the_rest_is(void **state)
{
    kit *k = *state;

    for (int part = DISK_DATA; part <= DISK_META; part++) {
        kit_open(k);
        graph_ticket safe = kit_put(k, "kept", "a", "1", 1);
        kit_settle(k);
        disk_gate_fail((disk_part)part, EIO, -1);
        graph_ticket t = kit_put(k, "lost", "a", "1", 1);
        radisk_turn(k->store);
        assert_int_equal(radisk_flush(k->store), STATUS_IO);
        assert_int_equal(kit_state(k, safe), GRAPH_SAFE);
        assert_int_equal(kit_state(k, t), GRAPH_FAILED);
        kit_close(k);
        disk_gate_fail((disk_part)part, EIO, 0);
        kit_open(k);
        assert_string_equal(kit_souls(k, &kit_all), "kept ");
        kit_close(k);
    }
}

/* While one batch is at the disk the next one gathers; the disk fails the first
 * and nothing of either is lost, forgotten or called safe too early. */
static void a_batch_behind_a_failed_one_is_committed_with_it(void **state)
{
    kit *k = *state;

    kit_open(k);
    kit_put(k, "s", "a", "1", 1);
    kit_settle(k);
    disk_gate_fail(DISK_SYNC, EIO, 1);
    disk_gate_close();
    graph_ticket first = kit_put(k, "s", "a", "2", 2);
    graph_ticket both = kit_put(k, "s", "b", "2", 2);
    radisk_turn(k->store);
    disk_gate_await();
    graph_ticket second = kit_put(k, "s", "a", "3", 3);
    kit_put(k, "t", "c", "3", 3);
    assert_true(second.batch > first.batch && both.batch == first.batch);
    disk_gate_open();
    while (kit_state(k, first) == GRAPH_WAITING) radisk_turn(k->store);
    assert_int_equal(kit_state(k, first), GRAPH_FAILED);
    assert_int_equal(kit_state(k, second), GRAPH_WAITING);
    assert_string_equal(kit_keys(k, "s", &kit_all), "a=3 b=2 ");
    assert_string_equal(kit_keys(k, "s", &kit_all_backwards), "b=2 a=3 ");
    assert_string_equal(kit_souls(k, &kit_all), "s t ");
    assert_int_equal(radisk_flush(k->store), STATUS_OK);
    assert_int_equal(kit_state(k, second), GRAPH_SAFE);
    assert_int_equal(progress(k).failed, first.batch);
    kit_reopen(k);
    assert_string_equal(kit_keys(k, "s", &kit_all), "a=3 b=2 ");
    assert_string_equal(kit_value(k, "t", "c"), "3");
}

/* Its ticket never becomes safe by itself: the row waits for a later batch. */
static void a_row_that_is_tried_again_has_a_later_ticket(void **state)
{
    kit *k = *state;

    kit_open(k);
    disk_gate_fail(DISK_SYNC, EIO, 1);
    graph_ticket t = kit_put(k, "s", "a", "1", 1);
    assert_int_equal(radisk_flush(k->store), STATUS_IO);
    disk_gate_close();
    radisk_turn(k->store);
    graph_ticket again = { kit_row_batch(k, "s", "a") };
    assert_int_equal(kit_state(k, t), GRAPH_FAILED);
    assert_int_equal(kit_state(k, again), GRAPH_WAITING);
    disk_gate_open();
    assert_int_equal(radisk_flush(k->store), STATUS_OK);
    assert_int_equal(kit_state(k, again), GRAPH_SAFE);
}

static void held_writes_survive_a_failed_batch(void **state)
{
    kit *k = *state;
    graph_write held[2] = { kit_write("s", "a", "1", 150), kit_write("s", "b", "1", 160) };

    kit_open(k);
    kit_merge(k, held, 1, 100);
    kit_settle(k);
    disk_gate_fail(DISK_SYNC, EIO, 1);
    kit_merge(k, held + 1, 1, 100);
    assert_string_equal(kit_due(k, 155, 10), "s/a=1@150 ");
    assert_int_equal(radisk_flush(k->store), STATUS_IO);
    assert_string_equal(kit_value(k, "s", "a"), "1");
    assert_int_equal(radisk_flush(k->store), STATUS_OK);
    assert_string_equal(kit_due(k, 155, 10), "");
    assert_string_equal(kit_due(k, 160, 10), "s/b=1@160 ");
    kit_reopen(k);
    assert_string_equal(kit_due(k, 1000, 10), "");
    assert_string_equal(kit_keys(k, "s", &kit_all), "a=1 b=1 ");
}

/* The loop does not ask: the committer tries again by itself, after a pause,
 * and wakes it. */
static void a_failed_batch_is_tried_again_without_being_asked(void **state)
{
    kit *k = *state;

    kit_open(k);
    disk_gate_fail(DISK_DATA, ENOSPC, 1);
    graph_ticket t = kit_put(k, "s", "a", "1", 1);
    while (kit_state(k, t) == GRAPH_WAITING) radisk_turn(k->store);
    assert_int_equal(kit_state(k, t), GRAPH_FAILED);
    while (!radisk_ready(k->store)) radisk_turn(k->store);
    assert_int_equal(kit_row_batch(k, "s", "a"), 0);
    assert_int_equal(kit_stats(k).batches_failed, 1);
    kit_reopen(k);
    assert_string_equal(kit_value(k, "s", "a"), "1");
}

/* LMDB must be closed and opened after a failed meta page. If it cannot be, the
 * store says so to everybody, and above all makes no new file. */
static void a_store_that_cannot_be_opened_again_says_so(void **state)
{
    kit *k = *state;
    char path[128], aside[128];
    graph_row row;

    (void)snprintf(path, sizeof path, "%s/data.mdb", k->folder);
    (void)snprintf(aside, sizeof aside, "%s/aside", k->folder);
    kit_open(k);
    kit_put(k, "kept", "a", "1", 1);
    kit_settle(k);
    kit_put(k, "lost", "a", "1", 1);
    disk_gate_fail(DISK_META, EIO, -1);
    assert_int_equal(rename(path, aside), 0);
    assert_int_equal(radisk_flush(k->store), STATUS_IO);
    assert_int_equal(radisk_flush(k->store), STATUS_IO);
    radisk_turn(k->store);
    assert_int_equal(k->graph->look(k->graph->context, SLICE("kept"), SLICE("a"), &row), STATUS_IO);
    assert_int_equal(k->graph->souls(k->graph->context, &kit_all, NULL, NULL), STATUS_IO);
    assert_false(radisk_ready(k->store));
    assert_int_equal(kit_stats(k).rows, 0);
    graph_write w = kit_write("more", "a", "1", 1);
    kit_refuse(k, STATUS_IO, &w, 1, 100);
    kit_close(k);
    disk_gate_fail(DISK_META, EIO, 0);
    assert_int_equal(rename(aside, path), 0); /* nothing was put in its place */
    kit_open(k);
    assert_string_equal(kit_souls(k, &kit_all), "kept ");
}

static int calm(void **state)
{
    disk_gate_open();
    disk_gate_fail(DISK_DATA, 0, 0);
    return kit_teardown(state);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, kit_setup, calm)
    const struct CMUnitTest tests[] = {
        TEST(past_its_bound_the_overlay_takes_no_more),
        TEST(one_message_may_be_larger_than_the_bound),
        TEST(a_full_map_refuses_writes_and_reads_go_on),
        TEST(a_full_disk_is_survived),
        TEST(a_full_quota_is_survived),
        TEST(a_failing_write_is_survived),
        TEST(a_failing_sync_is_survived),
        TEST(a_failing_meta_page_is_survived),
        TEST(a_store_that_cannot_be_opened_again_says_so),
        TEST(what_fails_until_the_end_is_not_there_and_the_rest_is),
        TEST(a_batch_behind_a_failed_one_is_committed_with_it),
        TEST(a_row_that_is_tried_again_has_a_later_ticket),
        TEST(held_writes_survive_a_failed_batch),
        TEST(a_failed_batch_is_tried_again_without_being_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
