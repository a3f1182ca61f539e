/* test_radisk_crash.c - kill -9: what was called safe is there, and every merge
 * is there whole or not at all.
 *
 * A child merges without end and writes to a pipe the number of each merge whose
 * ticket is safe. The parent reads some of them, kills the child wherever it
 * may be, opens the store and compares. RADISK_KILLS sets the number of rounds.
 */
#include "tests/unit/radisk_kit.h"

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

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(what_was_safe_survives_kill_9_and_merges_are_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
