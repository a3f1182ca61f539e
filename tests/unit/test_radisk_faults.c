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
    kit_rest(k);
    assert_true(radisk_ready(k->store));
    kit_put(k, "more", "a", "1", 1);
    kit_reopen(k);
    assert_int_equal(kit_stats(k).rows, taken + 2);
}

static void one_message_may_be_larger_than_the_bound(void **state)
{
    kit *k = *state;
    graph_write w[100];
    char keys[100][8], value[4000];

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
    kit_rest(k);
    assert_int_equal(kit_stats(k).rows, 100);
    assert_true(radisk_ready(k->store));
}

/* What holds in every trouble. `failed` is the ticket of what could not be written,
 * `safe` of what was before. */
static void check_trouble(kit *k, status why, graph_ticket safe, graph_ticket failed)
{
    assert_int_equal(kit_state(k, safe), GRAPH_SAFE);
    assert_int_equal(kit_state(k, failed), GRAPH_FAILED);
    assert_int_equal(progress(k).why, why);
    assert_false(radisk_ready(k->store));
    assert_true(radisk_trouble(k->store)[0] != '\0');
    refuse_one(k, why, "more");
    assert_string_equal(kit_value(k, "kept", "a"), "1");
    assert_string_equal(kit_keys(k, "kept", &kit_all), "a=1 ");
    assert_true(isinf(k->graph->next_due(k->graph->context)));
    assert_string_equal(kit_due(k, 1e9, 10), "");
}

/* Room is asked for before: what is refused was never begun, so nothing fails. */
static void a_full_map_refuses_writes_and_reads_go_on(void **state)
{
    kit *k = *state;
    char soul[24], value[2000];
    graph_ticket ticket;
    status s = STATUS_OK;
    int i = 0;

    memset(value, '1', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    k->options.limits.size_max = 2 << 20;
    kit_open(k);
    kit_put(k, "kept", "a", "1", 1);
    for (; s == STATUS_OK; i++) {
        (void)snprintf(soul, sizeof soul, "s%d", i);
        graph_write w = kit_write(soul, "a", value, 1);
        s = k->graph->merge(k->graph->context, &w, 1, (moment){ 100, 0 }, &ticket);
        if (s == STATUS_OK) kit_rest(k);
    }
    assert_int_equal(s, STATUS_NO_SPACE);
    assert_true(i > 100);
    assert_null(kit_value(k, soul, "a"));
    refuse_one(k, STATUS_NO_SPACE, "more");
    assert_int_equal(radisk_flush(k->store), STATUS_OK);
    assert_int_equal(kit_stats(k).batches_failed + kit_stats(k).folds_failed, 0);
    kit_close(k);

    k->options.limits.size_max = 64 << 20;
    kit_open(k);
    assert_true(radisk_ready(k->store));
    for (int j = 0; j < i - 1; j++) {
        (void)snprintf(soul, sizeof soul, "s%d", j);
        assert_string_equal(kit_value(k, soul, "a"), value);
    }
    kit_put(k, "more", "a", "1", 1);
    kit_settle(k);
}

/* Removing makes room, and writes resume by themselves. */
static void what_is_purged_makes_room_for_others(void **state)
{
    kit *k = *state;
    char soul[24], value[2000];
    graph_ticket ticket;
    status s = STATUS_OK;

    memset(value, '1', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    k->options.limits.size_max = 2 << 20;
    kit_open(k);
    for (int i = 0; s == STATUS_OK; i++) {
        (void)snprintf(soul, sizeof soul, "s%d", i);
        graph_write w = kit_write(soul, "a", value, 1);
        s = k->graph->merge(k->graph->context, &w, 1, (moment){ 100, 0 }, &ticket);
        if (s == STATUS_OK) kit_rest(k);
    }
    radisk_purge all = { .soul = SLICE("s"), .prefix = true };
    kit_purge(k, &all, 100);
    while (!radisk_ready(k->store)) radisk_turn(k->store);
    for (int i = 0; i < 50; i++) {
        (void)snprintf(soul, sizeof soul, "t%d", i);
        kit_put(k, soul, "a", value, 1);
        kit_rest(k);
    }
}

static graph_ticket begin_well(kit *k)
{
    graph_write held = kit_write("kept", "later", "2", 150);

    kit_open(k);
    graph_ticket safe = kit_put(k, "kept", "a", "1", 1);
    kit_merge(k, &held, 1, 100);
    kit_rest(k);
    return safe;
}

static void end_well(kit *k)
{
    assert_true(radisk_ready(k->store));
    assert_int_equal(kit_state(k, (graph_ticket){ kit_row_batch(k, "tried", "a") }), GRAPH_SAFE);
    kit_put(k, "more", "a", "4", 1);
    assert_string_equal(kit_due(k, 200, 10), "kept/later=2@150 ");
    kit_settle(k);
    kit_reopen(k);
    assert_string_equal(kit_souls(k, &kit_all), "kept more tried ");
    assert_string_equal(kit_keys(k, "kept", &kit_all), "a=1 later=2 ");
    assert_string_equal(kit_value(k, "tried", "a"), "3");
}

/* A full disk is no failure: it is asked again and again, and never latches. */
static void check_full_disk(kit *k, disk_part part, int error)
{
    graph_ticket safe = begin_well(k);

    disk_gate_fail(part, error, -1);
    graph_ticket t = kit_put(k, "tried", "a", "3", 1);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(radisk_flush(k->store), STATUS_NO_SPACE);
        check_trouble(k, STATUS_NO_SPACE, safe, t);
        assert_string_equal(kit_value(k, "tried", "a"), "3"); /* seen, but not promised */
        assert_false(kit_stats(k).latched);
    }
    disk_gate_fail(part, error, 0);
    while (!radisk_ready(k->store)) (void)!radisk_flush(k->store);
    end_well(k);
}

static void a_full_disk_is_survived(void **state)
{
    check_full_disk(*state, LOG_WRITE, ENOSPC);
}

static void a_full_quota_is_survived(void **state)
{
    check_full_disk(*state, LOG_SYNC, EDQUOT);
}

/* What it stood for is written anew, elsewhere, before anything is admitted. */
static void check_one_failure(kit *k, disk_part part)
{
    graph_ticket safe = begin_well(k);

    disk_gate_fail(part, EIO, 1);
    graph_ticket t = kit_put(k, "tried", "a", "3", 1);
    radisk_turn(k->store);
    while (kit_state(k, t) == GRAPH_WAITING) radisk_turn(k->store);
    assert_int_equal(kit_state(k, t), GRAPH_FAILED);
    assert_int_equal(kit_state(k, safe), GRAPH_SAFE);
    uint64_t segment = kit_stats(k).segment;
    assert_int_equal(radisk_flush(k->store), STATUS_OK);
    assert_true(kit_stats(k).segment >= segment);
    assert_int_equal(kit_stats(k).batches_failed, 1);
    assert_false(kit_stats(k).latched);
    end_well(k);
}

static void a_failed_write_is_made_anew_elsewhere(void **state)
{
    check_one_failure(*state, LOG_WRITE);
}

static void a_failed_sync_is_never_trusted_again(void **state)
{
    check_one_failure(*state, LOG_SYNC);
}

static void a_second_failure_within_a_minute_latches_and_reads_go_on(void **state)
{
    kit *k = *state;
    graph_ticket safe = begin_well(k);

    disk_gate_fail(LOG_SYNC, EIO, -1);
    graph_ticket t = kit_put(k, "tried", "a", "3", 1);
    assert_int_equal(radisk_flush(k->store), STATUS_IO);
    while (!kit_stats(k).latched) (void)!radisk_flush(k->store);
    disk_gate_fail(LOG_SYNC, EIO, 0);
    check_trouble(k, STATUS_IO, safe, t);
    for (int i = 0; i < 3; i++) { /* though the disk is well again */
        assert_int_equal(radisk_flush(k->store), STATUS_IO);
        check_trouble(k, STATUS_IO, safe, t);
    }
    kit_reopen(k); /* the operator has acted */
    assert_true(radisk_ready(k->store));
    assert_string_equal(kit_value(k, "kept", "a"), "1");
    kit_put(k, "more", "a", "4", 1);
    kit_settle(k);
}

/* A fold that fails costs nobody anything: the journal has it. */
static void check_failed_fold(kit *k, disk_part part, int error, status why)
{
    (void)begin_well(k);
    disk_gate_fail(part, error, 1);
    graph_ticket t = kit_put(k, "tried", "a", "3", 1);
    kit_settle(k);
    assert_int_equal(kit_state(k, t), GRAPH_SAFE);
    assert_int_equal(radisk_fold(k->store), why);
    assert_int_equal(disk_gate_failed(), 1);
    assert_int_equal(kit_stats(k).folds_failed, 1);
    assert_true(radisk_ready(k->store));
    assert_string_equal(kit_value(k, "tried", "a"), "3");
    assert_int_equal(radisk_fold(k->store), STATUS_OK);
    assert_int_equal(kit_row_batch(k, "tried", "a"), 0); /* it is in the database */
    end_well(k);
}

static void a_fold_that_fails_is_done_again(void **state)
{
    check_failed_fold(*state, DISK_DATA, EIO, STATUS_IO);
}

static void a_fold_whose_sync_fails_is_done_again(void **state)
{
    check_failed_fold(*state, DISK_SYNC, EIO, STATUS_IO);
}

static void a_fold_whose_meta_page_fails_is_done_again(void **state)
{
    check_failed_fold(*state, DISK_META, EIO, STATUS_IO);
}

static void a_fold_without_room_is_done_again(void **state)
{
    check_failed_fold(*state, DISK_DATA, ENOSPC, STATUS_NO_SPACE);
}

/* An ack waits for the journal and for nothing else. */
static void a_fold_holds_no_ack_up(void **state)
{
    kit *k = *state;

    k->options.limits.fold_age_ms = 1;
    kit_open(k);
    disk_gate_close_database();
    kit_put(k, "s", "a", "1", 1);
    kit_settle(k);
    while (!disk_gate_waited_at()) radisk_turn(k->store); /* sealed, and a fold begins */
    for (int i = 0; i < 50; i++) {
        graph_ticket t = kit_put(k, "s", "b", "1", 1 + i);
        kit_settle(k);
        assert_int_equal(kit_state(k, t), GRAPH_SAFE);
    }
    assert_int_equal(kit_stats(k).folds, 0);
    disk_gate_open();
}

static void what_was_safe_is_there_though_the_disk_failed_until_the_end(void **state)
{
    kit *k = *state;

    for (int part = LOG_WRITE; part <= LOG_SYNC; part++) {
        kit_open(k);
        graph_ticket safe = kit_put(k, "kept", "a", "1", 1);
        kit_settle(k);
        disk_gate_fail((disk_part)part, EIO, -1);
        graph_ticket t = kit_put(k, "lost", "a", "1", 1);
        assert_int_equal(radisk_flush(k->store), STATUS_IO);
        assert_int_equal(kit_state(k, safe), GRAPH_SAFE);
        assert_int_equal(kit_state(k, t), GRAPH_FAILED);
        kit_close(k);
        disk_gate_fail((disk_part)part, EIO, 0);
        kit_open(k);
        assert_string_equal(kit_value(k, "kept", "a"), "1");
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
    disk_gate_fail(LOG_SYNC, EIO, 1);
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
    disk_gate_fail(LOG_SYNC, EIO, 1);
    graph_ticket t = kit_put(k, "s", "a", "1", 1);
    assert_int_equal(radisk_flush(k->store), STATUS_IO);
    assert_true(progress(k).failed >= t.batch);
    assert_int_equal(radisk_flush(k->store), STATUS_OK);
    graph_ticket again = { kit_row_batch(k, "s", "a") };
    assert_true(again.batch > t.batch);
    assert_int_equal(kit_state(k, again), GRAPH_SAFE);
}

static void held_writes_survive_a_failed_batch(void **state)
{
    kit *k = *state;
    graph_write held[2] = { kit_write("s", "a", "1", 150), kit_write("s", "b", "1", 160) };

    kit_open(k);
    kit_merge(k, held, 1, 100);
    kit_settle(k);
    disk_gate_fail(LOG_SYNC, EIO, 1);
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

/* The loop does not ask: the worker tries again by itself, after a pause, and wakes
 * it. */
static void a_failed_batch_is_tried_again_without_being_asked(void **state)
{
    kit *k = *state;

    kit_open(k);
    disk_gate_fail(LOG_WRITE, ENOSPC, 1);
    graph_ticket t = kit_put(k, "s", "a", "1", 1);
    while (kit_state(k, t) == GRAPH_WAITING) radisk_turn(k->store);
    assert_int_equal(kit_state(k, t), GRAPH_FAILED);
    while (!radisk_ready(k->store)) radisk_turn(k->store);
    assert_int_equal(kit_state(k, (graph_ticket){ kit_row_batch(k, "s", "a") }), GRAPH_SAFE);
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
    kit_rest(k);
    kit_put(k, "lost", "a", "1", 1);
    disk_gate_fail(DISK_META, EIO, -1);
    assert_int_equal(rename(path, aside), 0);
    assert_int_equal(radisk_flush(k->store), STATUS_OK); /* the journal has it */
    assert_int_equal(radisk_fold(k->store), STATUS_IO);
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
    assert_string_equal(kit_souls(k, &kit_all), "kept lost ");
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
        TEST(what_is_purged_makes_room_for_others),
        TEST(a_full_disk_is_survived),
        TEST(a_full_quota_is_survived),
        TEST(a_failed_write_is_made_anew_elsewhere),
        TEST(a_failed_sync_is_never_trusted_again),
        TEST(a_second_failure_within_a_minute_latches_and_reads_go_on),
        TEST(a_fold_that_fails_is_done_again),
        TEST(a_fold_whose_sync_fails_is_done_again),
        TEST(a_fold_whose_meta_page_fails_is_done_again),
        TEST(a_fold_without_room_is_done_again),
        TEST(a_fold_holds_no_ack_up),
        TEST(a_store_that_cannot_be_opened_again_says_so),
        TEST(what_was_safe_is_there_though_the_disk_failed_until_the_end),
        TEST(a_batch_behind_a_failed_one_is_committed_with_it),
        TEST(a_row_that_is_tried_again_has_a_later_ticket),
        TEST(held_writes_survive_a_failed_batch),
        TEST(a_failed_batch_is_tried_again_without_being_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
