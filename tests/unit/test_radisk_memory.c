/* test_radisk_memory.c - every allocation of a merge, a release, a scan and an
 * opening fails once: the call says so, leaves no trace, and succeeds after. */
#include "radisk/space.h"
#include "tests/unit/failing.h"
#include "tests/unit/radisk_kit.h"

#include <string.h>

enum { WRITES = 2000, BIG = 20000 };

/* What the store looks like from outside. Kept apart from what the kit lends. */
static char before[1 << 20];

static const char *picture(kit *k)
{
    static char all[1 << 20];
    radisk_stats s = kit_stats(k);
    size_t len = (size_t)sprintf(all, "rows %zu next %g ", (size_t)s.overlay_rows,
                                 k->graph->next_due(k->graph->context));

    len += (size_t)sprintf(all + len, "%s| ", kit_souls(k, &kit_all));
    len += (size_t)sprintf(all + len, "%s| ", kit_keys(k, "s", &kit_all));
    (void)sprintf(all + len, "%s", kit_keys(k, "s", &kit_all_backwards));
    return all;
}

/* A merge of everything: new souls and keys, old ones, ones on disk, held ones,
 * values that do not fit where the old ones stood, enough to need new blocks, and some
 * that lose to a row of their own batch, a blob among them. */
static void fill(graph_write *w, char (*names)[16], const char *big)
{
    for (int i = 0; i < WRITES; i++) {
        (void)snprintf(names[i], sizeof names[i], "n%d", i);
        bool ours = i % 2 == 0;
        w[i] = kit_write(ours ? "s" : names[i], ours ? names[i] : "k", i % 500 == 7 ? big : "12345",
                         50);
        if (i % 100 == 9) w[i].state = 200 + i;
    }
}

static void a_merge_without_memory_leaves_no_trace(void **state)
{
    kit *k = *state;
    static graph_write w[WRITES];
    static char names[WRITES][16], big[BIG];
    long n = 0;

    memset(big, '7', sizeof big - 1);
    fill(w, names, big);
    k->options.limits.held_max = 10000;
    kit_open(k);
    kit_put(k, "s", "n0", "1", 1);
    kit_put(k, "s", "disk", "1", 1);
    kit_settle(k);
    kit_put(k, "s", "n2", "22", 2);
    kit_put(k, "n3", "k", "1", 1);
    kit_put(k, "s", "n4", "won", 60);
    kit_put(k, "n507", "k", "won", 60);
    w[507] = kit_write("n507", "k", big + 1, 50); /* a blob of its own */
    (void)strcpy(before, picture(k));
    for (bool done = false; !done;) {
        graph_ticket ticket;
        failing_at(++n);
        status s = k->graph->merge(k->graph->context, w, WRITES, (moment){ 100, 0 }, &ticket);
        done = !failing_happened();
        failing_at(0);
        assert_int_equal(s, done ? STATUS_OK : STATUS_NO_MEMORY);
        if (!done) assert_string_equal(picture(k), before);
    }
    assert_true(n > 10);
    assert_string_not_equal(picture(k), before);
    for (int i = 0; i < WRITES; i++) {
        if (i % 100 == 9) continue;
        const char *value = i % 2 == 0 ? kit_value(k, "s", names[i]) : kit_value(k, names[i], "k");
        const char *wanted = i % 500 == 7 ? big : "12345";
        assert_string_equal(value, i == 4 || i == 507 ? "won" : wanted);
    }
    kit_reopen(k);
    assert_int_equal(kit_stats(k).rows, WRITES - WRITES / 100 + 1);
    assert_int_equal(kit_stats(k).held, WRITES / 100);
}

/* A lone put may write where the old value stood, but only as far as it had
 * room; what an undone merge left must not have changed that. */
static void an_undone_value_leaves_no_room_that_is_not_there(void **state)
{
    kit *k = *state;
    graph_write w[2] = { kit_write("s", "a", "\"a value of a length\"", 2),
                         kit_write("s", "b", "2", 1000) };

    kit_open(k);
    kit_put(k, "s", "a", "1", 1);
    kit_put(k, "s", "z", "\"neighbour\"", 1);
    failing_at(2); /* the first is for the notes of two steps, the second for what is held */
    kit_refuse(k, STATUS_NO_MEMORY, w, 2, 100);
    assert_int_equal(w[0].verdict, HAM_TAKE); /* it came that far */
    failing_at(0);
    assert_string_equal(kit_value(k, "s", "a"), "1");
    kit_put(k, "s", "a", "\"a value that is longer by far, so that it would reach others\"", 3);
    assert_string_equal(kit_value(k, "s", "z"), "\"neighbour\"");
    assert_string_equal(
        kit_keys(k, "s", &kit_all),
        "a=\"a value that is longer by far, so that it would reach others\" z=\"neighbour\" ");
}

static bool ignore(void *visitor, const graph_row *row)
{
    (void)row;
    ++*(int *)visitor;
    return true;
}

static void a_release_without_memory_is_made_later(void **state)
{
    kit *k = *state;
    char names[100][16];
    int seen = 0;
    long n = 0;

    kit_open(k);
    for (int i = 0; i < 100; i++) {
        (void)snprintf(names[i], sizeof names[i], "n%d", i);
        graph_write w = kit_write(names[i], "k", "\"something of a length\"", 200 + i);
        kit_merge(k, &w, 1, 100);
    }
    kit_settle(k);
    while (seen < 100) {
        failing_at(++n % 3 + 1);
        status s = k->graph->due(k->graph->context, (moment){ 1000, 0 }, 7, ignore, &seen);
        assert_int_equal(s, failing_happened() ? STATUS_NO_MEMORY : STATUS_OK);
        failing_at(0);
    }
    assert_int_equal(seen, 100);
    assert_string_equal(kit_due(k, 1000, 1000), "");
    kit_reopen(k);
    assert_string_equal(kit_due(k, 1000, 1000), "");
    assert_int_equal(kit_stats(k).rows, 100);
}

static double wall;

static double wall_now(void *context)
{
    (void)context;
    return wall;
}

static double steady;

static double steady_now(void *context)
{
    (void)context;
    return steady += 2000;
}

static void what_expires_without_memory_goes_later(void **state)
{
    kit *k = *state;
    char name[520], key[16];
    long n = 0;

    memset(name, 'l', sizeof name);
    memcpy(name + sizeof name - 4, "<?2", 4);
    wall = 1e12;
    k->options.clock_ms = wall_now;
    k->options.now_ms = steady_now;
    k->options.by_hand = true;
    kit_open(k);
    for (int i = 0; i < 100; i++) {
        (void)snprintf(key, sizeof key, "k%d", i);
        kit_put(k, name, key, "1", 1e12);
    }
    kit_rest(k);
    wall += 3000;
    for (bool done = false; !done;) {
        radisk_turn(k->store);
        failing_at(++n);
        assert_true(radisk_step_folder(k->store));
        done = !failing_happened();
        failing_at(0);
        radisk_turn(k->store);
        assert_int_equal(kit_stats(k).rows, done ? 0 : 100);
    }
    assert_true(n > 1);
    assert_int_equal(kit_stats(k).rows_expired, 100);
}

static void told(void *context, status how, const radisk_gone *gone)
{
    (void)gone;
    *(status *)context = how;
}

/* As many rows as a transaction takes, and blobs: a chunk is either there or gone. */
static void a_collection_without_memory_is_made_later(void **state)
{
    static const char soul[] =
        "audio/00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff#0";
    kit *k = *state;
    char value[103], key[16];
    long n = 0;

    memset(value, 'A', sizeof value);
    value[0] = value[101] = '"';
    value[102] = '\0';
    wall = 1e12;
    k->options.clock_ms = wall_now;
    k->options.now_ms = steady_now;
    k->options.by_hand = true;
    k->options.limits.fold_rows = 4;
    kit_open(k);
    for (int i = 0; i < 10; i++) {
        (void)snprintf(key, sizeof key, "k%d", i);
        kit_put(k, soul, key, value, 1);
    }
    kit_rest(k);
    wall += 48 * 3600e3;
    for (bool done = false; !done;) {
        radisk_collect wish = { .grace_ms = -1, .told = told };
        status how = STATUS_BUSY;
        wish.context = &how;
        assert_int_equal(radisk_collect_begin(k->store, &wish), STATUS_OK);
        failing_at(++n);
        while (how == STATUS_BUSY) {
            radisk_turn(k->store);
            (void)radisk_step_folder(k->store);
        }
        done = !failing_happened();
        failing_at(0);
        radisk_turn(k->store);
        assert_true(how == STATUS_OK || how == STATUS_NO_MEMORY);
        assert_true(!done || kit_stats(k).rows == 0);
        assert_int_equal(radisk_hashed_bytes(k->store), kit_stats(k).rows * 102);
    }
    assert_true(n > 1);
}

static void a_scan_without_memory_says_so(void **state)
{
    kit *k = *state;
    char name[500];

    memset(name, 'l', sizeof name);
    kit_open(k);
    for (int i = 0; i < 20; i++) {
        (void)snprintf(name + 450, 20, "%d", i);
        kit_put(k, "s", name, "1", 1);
    }
    kit_reopen(k);
    int seen = 0;
    failing_at(1);
    assert_int_equal(k->graph->scan(k->graph->context, SLICE("s"), &kit_all, ignore, &seen),
                     STATUS_NO_MEMORY);
    failing_at(0);
    assert_int_equal(seen, 0);
    assert_int_equal(k->graph->scan(k->graph->context, SLICE("s"), &kit_all, ignore, &seen),
                     STATUS_OK);
    assert_int_equal(seen, 20);
}

static void an_opening_without_memory_leaves_nothing_open(void **state)
{
    kit *k = *state;
    long n = 0;

    for (bool done = false; !done;) {
        char why[RADISK_WHY_MAX];
        failing_at(++n);
        status s = radisk_open(&k->store, &k->options, why);
        done = !failing_happened();
        failing_at(0);
        /* What a worker has not got it asks for again: then the store is open. */
        assert_true(s == STATUS_OK || (!done && s == STATUS_NO_MEMORY));
        if (s != STATUS_OK) assert_true(why[0] != '\0');
        if (!done && s == STATUS_OK) radisk_close(k->store);
    }
    assert_true(n > 4);
    k->graph = radisk_graph(k->store);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_merge_without_memory_leaves_no_trace),
        TEST(an_undone_value_leaves_no_room_that_is_not_there),
        TEST(a_release_without_memory_is_made_later),
        TEST(what_expires_without_memory_goes_later),
        TEST(a_collection_without_memory_is_made_later),
        TEST(a_scan_without_memory_says_so),
        TEST(an_opening_without_memory_leaves_nothing_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
