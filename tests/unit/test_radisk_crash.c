/* test_radisk_crash.c - kill -9: what was called safe is there, and every merge
 * is there whole or not at all.
 *
 * A child merges without end and writes to a pipe the number of each merge whose
 * ticket is safe. The parent reads some of them, kills the child wherever it
 * may be, opens the store and compares. RADISK_KILLS sets the number of rounds.
 *
 * And a loss of power that takes one record of a batch and leaves the next.
 */
#include "tests/unit/radisk_kit.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { KILLS = 25, SOULS = 13, KEYS = 4, IN_FLIGHT = 64, HELD_EVERY = 10 };

static const char *const KEY[KEYS] = { "a", "b", "c", "long" };

static unsigned soul_of(unsigned n)
{
    return n % SOULS;
}

static void name_soul(char out[static 16], unsigned n)
{
    (void)snprintf(out, 16, "soul%u", soul_of(n));
}

/* Merge n: every key of one soul gets the value n. Every tenth also holds a
 * write that is due in an hour, one of a soul that nobody has else. */
static bool merge(graph *g, unsigned n, graph_ticket *ticket)
{
    char soul[16], value[16];
    graph_write w[KEYS + 1];
    size_t count = KEYS;

    name_soul(soul, n);
    (void)snprintf(value, sizeof value, "%u", n);
    for (int i = 0; i < KEYS; i++) w[i] = kit_write(soul, KEY[i], value, n);
    if (n % HELD_EVERY == 0) w[count++] = kit_write("held", value, value, 1e9 + n);
    return g->merge(g->context, w, count, (moment){ 1e8, 0 }, ticket) == STATUS_OK;
}

static void tell_settled(graph *g, int out, const graph_ticket *tickets, unsigned *told,
                         unsigned next)
{
    graph_progress p;

    g->progress(g->context, &p);
    for (; *told < next; ++*told) {
        if (graph_settled(tickets[*told % IN_FLIGHT], &p) != GRAPH_SAFE) return;
        if (write(out, told, sizeof *told) != sizeof *told) _exit(3);
    }
}

static void run_child(const radisk_options *options, int out, unsigned first)
{
    static graph_ticket tickets[IN_FLIGHT];
    unsigned told = first, next = first;
    radisk *store;

    if (radisk_open(&store, options, NULL) != STATUS_OK) _exit(1);
    graph *g = radisk_graph(store);
    for (;;) {
        /* A turn: some merges, none while too many wait. */
        for (unsigned i = 0; i <= next % 7 && next - told < IN_FLIGHT; i++, next++)
            if (!merge(g, next, &tickets[next % IN_FLIGHT])) _exit(2);
        radisk_turn(store);
        tell_settled(g, out, tickets, &told, next);
    }
}

/* Reads at least `wanted` numbers, kills, reads what is left. Gives the last. */
static unsigned kill_and_drain(pid_t child, int in, unsigned wanted, unsigned pause_us)
{
    unsigned last = 0, n;
    int how;

    for (unsigned i = 0; i < wanted; i++)
        assert_int_equal(read(in, &last, sizeof last), sizeof last);
    (void)usleep(pause_us);
    assert_int_equal(kill(child, SIGKILL), 0);
    while (read(in, &n, sizeof n) == (ssize_t)sizeof n) last = n;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL);
    return last;
}

/* The merge that a soul shows; all keys must be of one. */
static unsigned shown(kit *k, unsigned soul)
{
    char name[16];
    unsigned first = 0;

    name_soul(name, soul);
    for (int i = 0; i < KEYS; i++) {
        const char *value = kit_value(k, name, KEY[i]);
        unsigned n = value == NULL ? 0 : (unsigned)atoi(value);
        if (i == 0) first = n;
        assert_int_equal(n, first);
    }
    return first;
}

/* Returns the highest merge that is there. */
static unsigned check(kit *k, unsigned last_safe)
{
    unsigned highest = last_safe;

    for (unsigned soul = 0; soul < SOULS; soul++) {
        unsigned n = shown(k, soul);
        unsigned wanted = last_safe - (last_safe + SOULS - soul) % SOULS;
        if (wanted <= last_safe) assert_true(n >= wanted);
        assert_true(n == 0 || soul_of(n) == soul);
        if (n > highest) highest = n;
    }
    assert_int_equal(kit_stats(k).held, highest / HELD_EVERY);
    return highest;
}

static void what_was_safe_survives_kill_9_and_merges_are_whole(void **state)
{
    kit *k = *state;
    unsigned next = 1, chance = 12345;
    int kills = getenv("RADISK_KILLS") != NULL ? atoi(getenv("RADISK_KILLS")) : KILLS;

    k->options.limits.held_max = 1000000;
    for (int i = 0; i < kills; i++) {
        int pipes[2];
        chance = chance * 1103515245 + 12345;
        assert_int_equal(pipe(pipes), 0);
        pid_t child = fork();
        if (child == 0) run_child(&k->options, pipes[1], next);
        assert_int_equal(close(pipes[1]), 0);
        unsigned safe =
            kill_and_drain(child, pipes[0], 1 + (chance >> 16) % 60, (chance >> 8) % 3000);
        assert_int_equal(close(pipes[0]), 0);
        kit_open(k);
        next = check(k, safe) + 1;
        kit_close(k);
    }
    print_message("%d kills, %u merges\n", kills, next);
}

enum { LONG = 6000 }; /* a value of so many characters is a blob */

/* Two merges of one batch: of the second one key is taken, and all others lose to the
 * first, or are in it already. */
static void merge_two(kit *k)
{
    static char winner[LONG + 1], loser[LONG + 1];

    memset(winner, 'w', LONG);
    memset(loser, 'l', LONG);
    graph_write first[] = { kit_write("soul", "short", "the winner", 20),
                            kit_write("soul", "long", winner, 20),
                            kit_write("soul", "same", "in both", 10),
                            kit_write("soul", "held", "later", 1e9) };
    graph_write second[] = { kit_write("soul", "short", "the loser", 10),
                             kit_write("soul", "long", loser, 10),
                             kit_write("soul", "same", "in both", 10),
                             kit_write("soul", "held", "later", 1e9),
                             kit_write("soul", "own", "taken", 10) };
    (void)kit_merge(k, first, 4, 100);
    (void)kit_merge(k, second, 5, 100);
}

static void merge_and_end(kit *k)
{
    k->options.limits.fold_age_ms = 3600 * 1000; /* all stays in the journal */
    kit_open(k);
    merge_two(k);
    kit_settle(k);
    _exit(kit_stats(k).batches == 1 ? 0 : 1); /* as kill -9 would */
}

static void run_merge_and_end(kit *k)
{
    pid_t child = fork();
    int how;

    if (child == 0) merge_and_end(k);
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFEXITED(how) && WEXITSTATUS(how) == 0);
}

/* Damages what stands in the journal once, as the sector that a disk did not write. */
static void damage(const kit *k, const char *what)
{
    static char bytes[1 << 20];
    char path[400];
    const struct dirent *one;
    size_t found = 0;

    (void)snprintf(path, sizeof path, "%s/journal", k->folder);
    DIR *all = opendir(path);
    assert_non_null(all);
    while ((one = readdir(all)) != NULL) {
        (void)snprintf(path, sizeof path, "%s/journal/%s", k->folder, one->d_name);
        int file = open(path, O_RDWR | O_CLOEXEC);
        ssize_t len = file < 0 ? -1 : read(file, bytes, sizeof bytes);
        const char *at = len <= 0 ? NULL : memmem(bytes, (size_t)len, what, strlen(what));
        if (at != NULL) found++;
        if (at != NULL) assert_int_equal(pwrite(file, "\0", 1, at - bytes), 1);
        if (file >= 0) (void)close(file);
    }
    (void)closedir(all);
    assert_int_equal(found, 1);
}

static void a_merge_is_whole_though_what_it_lost_to_is_gone(void **state)
{
    kit *k = *state;
    const char *value;

    run_merge_and_end(k);
    damage(k, "the winner");
    kit_open(k);
    assert_string_equal(kit_value(k, "soul", "own"), "taken");
    assert_string_equal(kit_value(k, "soul", "short"), "the loser");
    assert_string_equal(kit_value(k, "soul", "same"), "in both");
    value = kit_value(k, "soul", "long");
    assert_true(value != NULL && strlen(value) == LONG && value[0] == 'l');
    assert_int_equal(kit_stats(k).held, 1);
}

static void what_lost_is_not_seen_where_nothing_is_gone(void **state)
{
    kit *k = *state;
    const char *value;

    run_merge_and_end(k);
    kit_open(k);
    assert_string_equal(kit_value(k, "soul", "own"), "taken");
    assert_string_equal(kit_value(k, "soul", "short"), "the winner");
    value = kit_value(k, "soul", "long");
    assert_true(value != NULL && strlen(value) == LONG && value[0] == 'w');
    assert_int_equal(kit_stats(k).held, 1);
}

static void a_merge_of_which_all_lost_is_not_written(void **state)
{
    kit *k = *state;
    static char large[LONG + 1];

    memset(large, 'o', LONG);
    graph_write first[] = { kit_write("soul", "a", "1", 20), kit_write("soul", "b", "2", 20) };
    graph_write older[] = { kit_write("soul", "a", "0", 10), kit_write("soul", "b", large, 10) };
    kit_open(k);
    (void)kit_merge(k, first, 2, 100);
    (void)kit_merge(k, first, 2, 100);
    graph_ticket ticket = kit_merge(k, older, 2, 100);
    kit_settle(k);
    assert_int_equal(kit_state(k, ticket), GRAPH_SAFE);
    assert_int_equal(kit_stats(k).rows_journaled, 2);
    assert_int_equal(kit_stats(k).blob_bytes, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(what_was_safe_survives_kill_9_and_merges_are_whole),
        TEST(a_merge_is_whole_though_what_it_lost_to_is_gone),
        TEST(what_lost_is_not_seen_where_nothing_is_gone),
        TEST(a_merge_of_which_all_lost_is_not_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
