/* test_radisk_held.c - writes from the future: kept, released once, in order. */
#include "tests/unit/disk_gate.h"
#include "tests/unit/radisk_kit.h"

static graph_ticket hold(kit *k, const char *soul, const char *key, const char *value, double state)
{
    graph_write w = kit_write(soul, key, value, state);
    graph_ticket t = kit_merge(k, &w, 1, 100);

    assert_int_equal(w.verdict, HAM_WAIT);
    return t;
}

static double next(kit *k)
{
    return k->graph->next_due(k->graph->context);
}

static void a_held_write_is_not_read_before_its_time(void **state)
{
    kit *k = *state;

    kit_open(k);
    assert_true(isinf(next(k)));
    hold(k, "s", "a", "1", 200);
    for (int restarted = 0; restarted < 2; restarted++) {
        assert_null(kit_value(k, "s", "a"));
        assert_string_equal(kit_souls(k, &kit_all), "");
        assert_true(next(k) == 200);
        assert_string_equal(kit_due(k, 199.9, 100), "");
        kit_reopen(k);
    }
    assert_string_equal(kit_due(k, 200, 100), "s/a=1@200 ");
    assert_string_equal(kit_value(k, "s", "a"), "1");
    assert_true(isinf(next(k)));
}

static void it_is_committed_before_its_ticket_is_safe(void **state)
{
    kit *k = *state;

    kit_open(k);
    disk_gate_close();
    graph_ticket t = hold(k, "s", "a", "1", 200);
    radisk_turn(k->store);
    disk_gate_await();
    assert_int_equal(kit_state(k, t), GRAPH_WAITING);
    disk_gate_open();
    kit_settle(k);
    assert_int_equal(kit_state(k, t), GRAPH_SAFE);
    assert_int_equal(kit_stats(k).held, 1);
}

static void held_writes_come_due_in_order_and_once(void **state)
{
    kit *k = *state;

    kit_open(k);
    hold(k, "s", "c", "3", 203);
    kit_settle(k);
    hold(k, "s", "a", "1", 201);
    kit_settle(k);
    hold(k, "s", "b", "2", 202);
    hold(k, "s", "d", "4", 204.5);
    assert_true(next(k) == 201);
    assert_string_equal(kit_due(k, 203, 2), "s/a=1@201 s/b=2@202 ");
    assert_true(next(k) == 203);
    assert_string_equal(kit_due(k, 203, 100), "s/c=3@203 ");
    assert_string_equal(kit_due(k, 203, 100), "");
    assert_true(next(k) == 204.5);
    kit_reopen(k);
    assert_true(next(k) == 204.5);
    assert_string_equal(kit_due(k, 1e9, 100), "s/d=4@204.5 ");
    kit_reopen(k);
    assert_string_equal(kit_due(k, 1e9, 100), "");
    assert_string_equal(kit_keys(k, "s", &kit_all), "a=1 b=2 c=3 d=4 ");
    assert_int_equal(kit_stats(k).held, 0);
}

static void a_write_due_before_its_commit_is_just_merged(void **state)
{
    kit *k = *state;

    kit_open(k);
    hold(k, "s", "a", "1", 200);
    assert_string_equal(kit_due(k, 200, 100), "s/a=1@200 ");
    kit_settle(k);
    assert_int_equal(kit_stats(k).held, 0);
    kit_reopen(k);
    assert_string_equal(kit_due(k, 1e9, 100), "");
    assert_string_equal(kit_value(k, "s", "a"), "1");
}

static void a_write_due_while_it_is_committed_is_released_once(void **state)
{
    kit *k = *state;

    kit_open(k);
    disk_gate_close();
    hold(k, "s", "a", "1", 200);
    radisk_turn(k->store);
    disk_gate_await();
    assert_string_equal(kit_due(k, 200, 100), "s/a=1@200 ");
    assert_string_equal(kit_due(k, 200, 100), "");
    assert_true(isinf(next(k)));
    disk_gate_open();
    kit_settle(k);
    assert_string_equal(kit_due(k, 200, 100), "");
    assert_int_equal(kit_stats(k).held, 0);
    kit_reopen(k);
    assert_string_equal(kit_due(k, 1e9, 100), "");
    assert_string_equal(kit_value(k, "s", "a"), "1");
}

static void a_release_waits_for_the_disk_as_its_row_does(void **state)
{
    kit *k = *state;

    kit_open(k);
    hold(k, "s", "a", "1", 200);
    kit_settle(k);
    disk_gate_close();
    assert_string_equal(kit_due(k, 200, 100), "s/a=1@200 ");
    graph_ticket t = { kit_row_batch(k, "s", "a") };
    radisk_turn(k->store);
    disk_gate_await();
    assert_int_equal(kit_state(k, t), GRAPH_WAITING);
    assert_string_equal(kit_due(k, 200, 100), "");
    disk_gate_open();
    kit_settle(k);
    assert_int_equal(kit_state(k, t), GRAPH_SAFE);
}

static void a_held_write_is_judged_again_when_it_is_due(void **state)
{
    kit *k = *state;

    kit_open(k);
    hold(k, "s", "a", "1", 200);
    hold(k, "s", "b", "1", 200);
    kit_put(k, "s", "a", "2", 300);
    kit_put(k, "s", "b", "0", 150);
    kit_settle(k);
    assert_string_equal(kit_due(k, 400, 100), "s/b=1@200 ");
    assert_string_equal(kit_keys(k, "s", &kit_all), "a=2 b=1 ");
    assert_true(isinf(next(k)));
    kit_reopen(k);
    assert_string_equal(kit_due(k, 400, 100), "");
}

static void several_writes_of_one_key_may_be_held(void **state)
{
    kit *k = *state;

    kit_open(k);
    hold(k, "s", "a", "3", 203);
    hold(k, "s", "a", "1", 201);
    hold(k, "s", "a", "1", 202);
    hold(k, "s", "a", "2", 202);
    assert_string_equal(kit_due(k, 201, 100), "s/a=1@201 ");
    (void)kit_due(k, 202, 100);
    assert_string_equal(kit_value(k, "s", "a"), "2");
    assert_string_equal(kit_due(k, 203, 100), "s/a=3@203 ");
}

static void one_write_held_twice_is_held_once(void **state)
{
    kit *k = *state;

    kit_open(k);
    graph_ticket t = hold(k, "s", "a", "1", 200);
    assert_int_equal(hold(k, "s", "a", "1", 200).batch, t.batch);
    disk_gate_close();
    radisk_turn(k->store);
    disk_gate_await();
    assert_int_equal(hold(k, "s", "a", "1", 200).batch, t.batch);
    disk_gate_open();
    kit_settle(k);
    assert_int_equal(kit_state(k, hold(k, "s", "a", "1", 200)), GRAPH_SAFE);
    kit_settle(k);
    assert_int_equal(kit_stats(k).held, 1);
    assert_string_equal(kit_due(k, 200, 100), "s/a=1@200 ");
    assert_true(isinf(next(k)));
}

static void names_and_values_of_any_length_can_be_held(void **state)
{
    kit *k = *state;
    char long_name[2000];

    memset(long_name, 'x', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    kit_open(k);
    hold(k, long_name, long_name, "\"a value\"", 200);
    hold(k, "s", "x", "1", 200);
    hold(k, "sx", "1", "1", 200); /* the same letters, cut elsewhere */
    kit_reopen(k);
    assert_true(strlen(kit_due(k, 200, 100)) > 4000);
    assert_string_equal(kit_value(k, long_name, long_name), "\"a value\"");
    assert_string_equal(kit_value(k, "s", "x"), "1");
    assert_string_equal(kit_value(k, "sx", "1"), "1");
}

static void held_writes_are_bounded(void **state)
{
    kit *k = *state;
    char key[16];

    k->options.limits.held_max = 10;
    kit_open(k);
    for (int i = 0; i < 10; i++) {
        (void)snprintf(key, sizeof key, "k%d", i);
        hold(k, "s", key, "1", 200 + i);
    }
    for (int restarted = 0; restarted < 2; restarted++) {
        graph_write w[2] = { kit_write("s", "now", "1", 50), kit_write("s", "more", "1", 300) };
        kit_refuse(k, STATUS_TOO_BIG, w, 2, 100);
        assert_null(kit_value(k, "s", "now")); /* whole or not at all */
        graph_write again = kit_write("s", "k3", "1", 203);
        kit_merge(k, &again, 1, 100); /* not one more */
        kit_reopen(k);
    }
    /* What was undone is nowhere: not as the next due, not as a soul. */
    graph_write w[3] = { kit_write("new", "now", "1", 50), kit_write("new", "soon", "1", 150),
                         kit_write("new", "more", "1", 300) };
    assert_string_equal(kit_due(k, 200, 100), "s/k0=1@200 ");
    kit_refuse(k, STATUS_TOO_BIG, w, 3, 100);
    assert_true(next(k) == 201);
    kit_put(k, "new", "now", "1", 50);
    assert_string_equal(kit_souls(k, &kit_all), "new s ");
    hold(k, "s", "more", "1", 300);
    kit_settle(k);
    assert_int_equal(kit_stats(k).held, 10);
}

static void a_clock_that_jumps_back_loses_nothing(void **state)
{
    kit *k = *state;

    kit_open(k);
    hold(k, "s", "a", "1", 200);
    hold(k, "s", "z", "1", 900);
    kit_settle(k);
    assert_string_equal(kit_due(k, 250, 100), "s/a=1@200 ");
    /* Now it is 100 again: due before what was released, and the same again. */
    hold(k, "s", "b", "2", 150);
    hold(k, "s", "a", "1", 200);
    for (int settled = 0; settled < 2; settled++) {
        assert_true(next(k) == 150);
        assert_string_equal(kit_due(k, 149, 100), "");
        kit_settle(k);
    }
    assert_string_equal(kit_due(k, 160, 100), "s/b=2@150 ");
    assert_true(next(k) == 200);
    assert_string_equal(kit_due(k, 201, 100), "");
    assert_true(next(k) == 900);
    kit_reopen(k);
    assert_true(next(k) == 900);
    assert_string_equal(kit_keys(k, "s", &kit_all), "a=1 b=2 ");
}

static void it_loses_nothing_while_a_commit_is_under_way(void **state)
{
    kit *k = *state;

    kit_open(k);
    hold(k, "s", "a", "1", 200);
    kit_settle(k);
    assert_string_equal(kit_due(k, 250, 100), "s/a=1@200 ");
    hold(k, "s", "b", "2", 150);
    disk_gate_close();
    radisk_turn(k->store);
    disk_gate_await();
    assert_string_equal(kit_due(k, 149, 100), "");
    assert_string_equal(kit_due(k, 300, 100), "s/b=2@150 ");
    disk_gate_open();
    kit_reopen(k);
    assert_string_equal(kit_due(k, 300, 100), "");
}

static bool stop_at_once(void *visitor, const graph_row *row)
{
    (void)row;
    ++*(int *)visitor;
    return false;
}

static void a_visitor_that_stops_has_taken_what_it_saw(void **state)
{
    kit *k = *state;
    int seen = 0;

    kit_open(k);
    hold(k, "s", "a", "1", 200);
    hold(k, "s", "b", "1", 201);
    assert_int_equal(k->graph->due(k->graph->context, (moment){ 300, 0 }, 100, stop_at_once, &seen),
                     STATUS_OK);
    assert_int_equal(seen, 1);
    assert_string_equal(kit_due(k, 300, 100), "s/b=1@201 ");
}

/* Ten thousand, held and released in turns, with the disk in between. */
static void a_flood_is_released_in_order(void **state)
{
    kit *k = *state;
    char key[16];
    int released = 0, now = 1000;

    k->options.limits.held_max = 10000;
    kit_open(k);
    for (int i = 0; i < 10000; i++) {
        (void)snprintf(key, sizeof key, "k%d", i);
        hold(k, "s", key, "1", 1000 + i * 7919 % 10000);
        if (i % 1000 == 0) radisk_turn(k->store);
    }
    kit_rest(k); /* they are in the database, and must leave it */
    for (; released < 10000; now += 10) {
        double due = next(k);
        assert_true(due >= now - 10);
        for (const char *at = kit_due(k, now, 100); *at != '\0'; at++) {
            if (*at != '@') continue;
            assert_true(atof(at + 1) >= due);
            due = atof(at + 1);
            released++;
        }
        if (now % 100 == 0) radisk_turn(k->store);
    }
    kit_rest(k);
    assert_int_equal(kit_stats(k).rows, 10000);
    kit_reopen(k);
    assert_int_equal(kit_stats(k).held, 0); /* as the database has it */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_held_write_is_not_read_before_its_time),
        TEST(it_is_committed_before_its_ticket_is_safe),
        TEST(held_writes_come_due_in_order_and_once),
        TEST(a_write_due_before_its_commit_is_just_merged),
        TEST(a_write_due_while_it_is_committed_is_released_once),
        TEST(a_release_waits_for_the_disk_as_its_row_does),
        TEST(a_held_write_is_judged_again_when_it_is_due),
        TEST(several_writes_of_one_key_may_be_held),
        TEST(one_write_held_twice_is_held_once),
        TEST(names_and_values_of_any_length_can_be_held),
        TEST(held_writes_are_bounded),
        TEST(a_clock_that_jumps_back_loses_nothing),
        TEST(it_loses_nothing_while_a_commit_is_under_way),
        TEST(a_visitor_that_stops_has_taken_what_it_saw),
        TEST(a_flood_is_released_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
