/* main.c - brasa_sim: worlds under seeds.
 *
 *   brasa_sim [--first SEED] [--seeds N] [--twice EVERY]
 *   brasa_sim --seed SEED [--verbose]
 *
 * --twice: every so many seeds the world is lived a second time, and the hashes
 * of the two logs must be the same. The last line says how many seeds were good.
 */
#include "tests/sim/world.h"

#include <errno.h>
#include <stdlib.h>

typedef struct outcome {
    bool good;
    uint64_t hash;
    world_counts counts;
    char why[512];
} outcome;

static void world_end(world *w)
{
    relay_free(w->relay);
    for (size_t i = 0; i < w->conn_count; i++) conn_free(w->conns[i]);
    for (int i = 0; i < w->client_count; i++) client_free(&w->clients[i]);
    for (size_t i = 0; i < w->event_count; i++) free(w->events[i].what);
    graph_memory_free(w->disk);
    free(w->conns);
    free(w->events);
    text_free(&w->line);
    text_free(&w->line2);
    arena_free(&w->kept);
    arena_free(&w->scratch);
    free(w);
}

static outcome live(uint64_t seed, bool verbose)
{
    world *w = must(calloc(1, sizeof *w));
    outcome o;

    w->seed = seed;
    w->dice.state = seed;
    w->verbose = verbose;
    w->hash = 0xcbf29ce484222325ULL;
    w->kept = arena_make((size_t)1 << 30);
    w->scratch = arena_make((size_t)1 << 30);
    chaos_init(w);
    world_live(w);
    o = (outcome){ !w->failed, w->hash, w->counts, "" };
    memcpy(o.why, w->why, sizeof o.why);
    world_end(w);
    return o;
}

static void add_counts(world_counts *to, const world_counts *from)
{
    uint64_t *a = (uint64_t *)to;
    const uint64_t *b = (const uint64_t *)from;

    for (size_t i = 0; i < sizeof *to / sizeof *a; i++) a[i] += b[i];
}

static bool live_and_tell(uint64_t seed, bool twice, world_counts *sum)
{
    outcome o = live(seed, false);

    add_counts(sum, &o.counts);
    if (!o.good) {
        printf("seed %llu: %s\n", (unsigned long long)seed, o.why);
        return false;
    }
    if (!twice) return true;

    outcome again = live(seed, false);
    printf("seed %llu: hash %016llx, and %016llx the second time\n", (unsigned long long)seed,
           (unsigned long long)o.hash, (unsigned long long)again.hash);
    return o.hash == again.hash;
}

static int run_one(uint64_t seed, bool verbose)
{
    outcome o = live(seed, verbose);

    printf("seed %llu: %s%s, hash %016llx, %llu events\n", (unsigned long long)seed,
           o.good ? "good" : "FAILED: ", o.why, (unsigned long long)o.hash,
           (unsigned long long)o.counts.events);
    return o.good ? 0 : 1;
}

static int run_many(uint64_t first, uint64_t seeds, uint64_t twice)
{
    world_counts c = { 0 };
    uint64_t bad = 0;

    for (uint64_t i = 0; i < seeds; i++) {
        if (!live_and_tell(first + i, twice && i % twice == 0, &c)) bad++;
        fflush(stdout);
    }
#define N(x) (unsigned long long)c.x
    printf("%llu events, frames %llu up %llu down, puts %llu acknowledged %llu refused (failed "
           "disk)\n",
           N(events), N(up), N(down), N(acked), N(refused));
    printf("%llu crashes, %llu stops, %llu breaks, %llu reloads, %llu failed syncs\n", N(crashes),
           N(stops), N(breaks), N(reloads), N(syncs_failed));
    printf("%llu frames to heal\n", N(heal_frames));
    printf("left open before healing: %llu keys after a restart, %llu of writers the relay could "
           "not know\n",
           N(open_restarted), N(open_unknown));
#undef N
    printf("%llu seeds, %llu diverged\n", (unsigned long long)seeds, (unsigned long long)bad);
    printf("sim: %llu passed, %llu failed\n", (unsigned long long)(seeds - bad),
           (unsigned long long)bad);
    return bad ? 1 : 0;
}

static uint64_t number(const char *of, const char *digits)
{
    char *end;

    errno = 0;
    unsigned long long n = digits ? strtoull(digits, &end, 10) : 0;
    if (digits == NULL || *digits == 0 || *end != 0 || errno != 0) {
        fprintf(stderr, "brasa_sim: %s wants a number\n", of);
        exit(2);
    }
    return n;
}

int main(int argc, char **argv)
{
    uint64_t first = 1, seeds = 100, twice = 0, seed = 0;
    bool one = false, verbose = false;

    for (int i = 1; i < argc; i++) {
        const char *option = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;

        if (strcmp(option, "--verbose") == 0) {
            verbose = true;
            continue;
        }
        if (strcmp(option, "--seed") == 0)
            one = true, seed = number(option, value);
        else if (strcmp(option, "--first") == 0)
            first = number(option, value);
        else if (strcmp(option, "--seeds") == 0)
            seeds = number(option, value);
        else if (strcmp(option, "--twice") == 0)
            twice = number(option, value);
        else {
            fprintf(stderr, "brasa_sim: unknown option %s\n", option);
            return 2;
        }
        i++;
    }
    return one ? run_one(seed, verbose) : run_many(first, seeds, twice);
}
