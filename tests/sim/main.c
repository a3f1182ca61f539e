/* main.c - brasa_sim: worlds under seeds.
 *
 *   brasa_sim [--first SEED] [--seeds N] [--twice EVERY] [--store KIND]
 *   brasa_sim --seed SEED [--verbose] [--store KIND]
 *
 * --store: what the relay keeps its graph in: memory, radisk, or mixed: every
 * second seed radisk (which it is if nothing is said).
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
    store_counts of_store;
    char why[512];
} outcome;

typedef struct sums {
    world_counts counts;
    store_counts of_store;
} sums;

static void world_end(world *w)
{
    relay_free(w->relay);
    people_free(w->people);
    for (size_t i = 0; i < w->conn_count; i++) conn_free(w->conns[i]);
    for (int i = 0; i < w->client_count; i++) client_free(&w->clients[i]);
    for (size_t i = 0; i < w->event_count; i++) free(w->events[i].what);
    store_free(w->store);
    free(w->conns);
    free(w->events);
    text_free(&w->line);
    text_free(&w->line2);
    arena_free(&w->kept);
    arena_free(&w->scratch);
    free(w);
}

typedef enum stores { STORES_MIXED, STORES_MEMORY, STORES_RADISK } stores;

static store_kind kind_for(stores which, uint64_t seed)
{
    if (which == STORES_MIXED) return seed % 2 == 0 ? STORE_RADISK : STORE_MEMORY;
    return which == STORES_RADISK ? STORE_RADISK : STORE_MEMORY;
}

static outcome live(uint64_t seed, store_kind kind, bool verbose)
{
    world *w = must(calloc(1, sizeof *w));
    outcome o;

    w->seed = seed;
    w->dice.state = seed;
    w->verbose = verbose;
    w->hash = 0xcbf29ce484222325ULL;
    w->kept = arena_make((size_t)1 << 30);
    w->scratch = arena_make((size_t)1 << 30);
    chaos_init(w, kind);
    world_live(w);
    o = (outcome){ .good = !w->failed, .hash = w->hash, .counts = w->counts };
    store_add_counts(w->store, &o.of_store);
    memcpy(o.why, w->why, sizeof o.why);
    world_end(w);
    return o;
}

static void add_counts(sums *to, const outcome *from)
{
    uint64_t *a = (uint64_t *)&to->counts;
    const uint64_t *b = (const uint64_t *)&from->counts;

    for (size_t i = 0; i < sizeof to->counts / sizeof *a; i++) a[i] += b[i];
    a = (uint64_t *)&to->of_store;
    b = (const uint64_t *)&from->of_store;
    for (size_t i = 0; i < sizeof to->of_store / sizeof *a; i++) a[i] += b[i];
}

static bool live_and_tell(uint64_t seed, store_kind kind, bool twice, sums *sum)
{
    outcome o = live(seed, kind, false);

    add_counts(sum, &o);
    if (!o.good) {
        printf("seed %llu: %s\n", (unsigned long long)seed, o.why);
        return false;
    }
    if (!twice) return true;

    outcome again = live(seed, kind, false);
    printf("seed %llu: hash %016llx, and %016llx the second time\n", (unsigned long long)seed,
           (unsigned long long)o.hash, (unsigned long long)again.hash);
    return o.hash == again.hash;
}

static int run_one(uint64_t seed, stores which, bool verbose)
{
    outcome o = live(seed, kind_for(which, seed), verbose);

    printf("seed %llu: %s%s, hash %016llx, %llu events\n", (unsigned long long)seed,
           o.good ? "good" : "FAILED: ", o.why, (unsigned long long)o.hash,
           (unsigned long long)o.counts.events);
    return o.good ? 0 : 1;
}

static void tell_counts(const world_counts *c)
{
#define N(x) (unsigned long long)c->x
    printf("%llu events, frames %llu up %llu down, puts %llu acknowledged %llu refused\n",
           N(events), N(up), N(down), N(acked), N(refused));
    printf("%llu crashes, %llu stops, %llu breaks, %llu reloads, %llu failed syncs\n", N(crashes),
           N(stops), N(breaks), N(reloads), N(syncs_failed));
    printf("%llu frames to heal\n", N(heal_frames));
    printf(
        "%llu checks of %llu keys; forged puts %llu, %llu refused and %llu stale; forged answers "
        "%llu, %llu copies damaged; certificates ended %llu, blocked %llu\n",
        N(checks), N(keys_checked), N(forged_puts), N(forged_refused), N(forged_stale),
        N(forged_answers), N(damaged), N(refused_expired), N(refused_blocked));
    printf("left open before healing: %llu keys after a restart, %llu of writers the relay could "
           "not know, %llu on a disk that refused, %llu chunks\n",
           N(open_restarted), N(open_unknown), N(open_refused), N(open_chunks));
}

static void tell_store_counts(const store_counts *c)
{
    if (c->worlds == 0) return;
    printf(
        "%llu worlds over radisk: %llu starts, %llu rows replayed, %llu after damage of what was "
        "not synced; %llu losses of power, %llu in the middle of a job\n",
        N(worlds), N(starts), N(replayed), N(torn_starts), N(power_losses), N(died_in_a_job));
    printf("batches %llu and %llu failed, folds %llu and %llu failed, of %llu transactions; blob "
           "bytes %llu, collected %llu\n",
           N(batches), N(batches_failed), N(folds), N(folds_failed), N(transactions), N(blob_bytes),
           N(collected_bytes));
    printf("%llu pieces of audio collected\n", N(collected));
    printf("%llu purges of %llu rows; latched %llu times\n", N(purges), N(rows_purged), N(latched));
#undef N
}

static int run_many(uint64_t first, uint64_t seeds, uint64_t twice, stores which)
{
    sums sum = { 0 };
    uint64_t bad = 0;

    for (uint64_t seed = first; seed < first + seeds; seed++) {
        bool again = twice != 0 && (seed - first) % twice == 0;
        if (!live_and_tell(seed, kind_for(which, seed), again, &sum)) bad++;
        fflush(stdout);
    }
    tell_counts(&sum.counts);
    tell_store_counts(&sum.of_store);
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

static stores which_stores(const char *name)
{
    if (name != NULL && strcmp(name, "memory") == 0) return STORES_MEMORY;
    if (name != NULL && strcmp(name, "radisk") == 0) return STORES_RADISK;
    if (name != NULL && strcmp(name, "mixed") == 0) return STORES_MIXED;
    fprintf(stderr, "brasa_sim: --store wants memory, radisk or mixed\n");
    exit(2);
}

int main(int argc, char **argv)
{
    stores which = STORES_MIXED;
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
        else if (strcmp(option, "--store") == 0)
            which = which_stores(value);
        else {
            fprintf(stderr, "brasa_sim: unknown option %s\n", option);
            return 2;
        }
        i++;
    }
    if (!names_agree()) {
        fprintf(stderr, "brasa_sim: names.c spells other keys than tests/tools/curve.h\n");
        return 2;
    }
    return one ? run_one(seed, which, verbose) : run_many(first, seeds, twice, which);
}
