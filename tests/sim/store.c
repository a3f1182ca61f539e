/* store.c - see store.h: the two kinds, and the life of a radisk by hand. */
#include "tests/sim/store.h"

#include "radisk/radisk.h"
#include "radisk/space.h"
#include "tests/sim/breakage.h"
#include "tests/sim/collects.h"
#include "tests/sim/purges.h"
#include "tests/sim/witness.h"
#include "tests/sim/world.h"

#include <stdio.h>
#include <stdlib.h>

enum { SETTLE_ROUNDS = 1000 };

struct store {
    world *world;
    dice dice;
    graph_memory *memory;

    radisk_options options;
    breakage *breakage; /* the disk, and what is wrong with it */
    radisk *radisk;     /* NULL: down */
    witness *witness;
    purges *purges;
    collects *collects;
    bool sync_planned, fold_planned, operator_planned, was_ready, was_killed;
    store_counts counts;
};

/* --- both --- */

static void make_memory(store *s)
{
    graph_memory_options options = { .bytes_max = 1 << 26, .held_max = 100000, .delayed = true };

    for (size_t i = 0; i < sizeof options.secret; i++)
        options.secret[i] = (uint8_t)dice_bits(&s->world->dice);
    if (graph_memory_new(&s->memory, &options) != STATUS_OK) must(NULL);
}

static size_t one_of(store *s, const size_t *list, uint32_t count)
{
    return list[dice_below(&s->dice, count)];
}

#define ONE_OF(s, ...)                                                                             \
    one_of(s, (const size_t[]){ __VA_ARGS__ },                                                     \
           sizeof((const size_t[]){ __VA_ARGS__ }) / sizeof(size_t))

static double steady_ms(void *context)
{
    return (double)((const store *)context)->world->now_us / 1000;
}

static double wall_ms(void *context)
{
    return world_moment(((const store *)context)->world).wall_ms;
}

/* Small enough that all that can happen to a segment happens within a world. */
static radisk_limits choose_limits(store *s)
{
    return (radisk_limits){
        .size_max = (size_t)32 << 20,
        .overlay_max = ONE_OF(s, (size_t)256 << 10, (size_t)4 << 20),
        .journal_max = ONE_OF(s, (size_t)16 << 10, (size_t)64 << 10, (size_t)1 << 20),
        .segment_bytes = ONE_OF(s, 1000, 8000, 100000),
        .fold_age_ms = (uint32_t)ONE_OF(s, 30, 300, 1000, 4000),
        .fold_rows = (uint32_t)ONE_OF(s, 1, 4, 64),
        .changelog_bytes = ONE_OF(s, 1, 20000, 1000000),
        .blob_segment_bytes = ONE_OF(s, 6000, 20000, 1000000),
    };
}

static void make_radisk(store *s)
{
    s->breakage = breakage_new(s->world, &s->dice);
    s->witness = witness_new(s->world);
    s->purges = purges_new(s->world);
    s->collects = collects_new(s->world);
    s->options = (radisk_options){ .folder = breakage_folder(s->breakage),
                                   .limits = choose_limits(s),
                                   .by_hand = true,
                                   .files = breakage_files(s->breakage),
                                   .now_ms = steady_ms,
                                   .clock_ms = wall_ms,
                                   .context = s };
    s->options.limits.audio_grace_ms = collects_grace_ms(s->collects);
    s->options.limits.audio_pass_ms = SIZE_MAX; /* only when it is asked for */
    for (size_t i = 0; i < sizeof s->options.secret; i++)
        s->options.secret[i] = (uint8_t)dice_bits(&s->dice);
    s->counts.worlds = 1;
}

static void plan_fault(store *s)
{
    world_plan(s->world, dice_between(&s->dice, 300000, 12000000),
               (event){ .kind = EVENT_DISK_FAULT });
}

store *store_new(world *w, store_kind kind)
{
    store *s = must(calloc(1, sizeof *s));

    s->world = w;
    s->dice.state = w->seed ^ 0x5bd1e995a0b7c3d1ULL;
    if (kind == STORE_MEMORY) {
        make_memory(s);
        return s;
    }
    make_radisk(s);
    plan_fault(s);
    return s;
}

void store_free(store *s)
{
    if (s == NULL) return;
    graph_memory_free(s->memory);
    if (s->radisk != NULL) radisk_crash(s->radisk);
    witness_free(s->witness);
    purges_free(s->purges);
    collects_free(s->collects);
    breakage_free(s->breakage);
    free(s);
}

bool store_is_radisk(const store *s)
{
    return s->memory == NULL;
}

dice *store_dice(store *s)
{
    return &s->dice;
}

graph *store_graph(store *s)
{
    return s->memory != NULL ? graph_memory_table(s->memory)
                             : witness_before(s->witness, radisk_graph(s->radisk));
}

/* --- the life of a radisk --- */

/* What recovery noticed. A loss of power may leave a hole in what was never
 * synced, and readable records behind it: that is all it may speak of. */
static void check_notice(store *s, const char *why)
{
    if (why[0] == '\0') return;
    world_log(s->world, "notices", -1, (slice){ why, strlen(why) });
    if (strstr(why, "the journal is damaged") == NULL) return;
    s->counts.torn_starts++;
    if (!breakage_tore(s->breakage)) world_fail(s->world, "damage without a cause: %s", why);
}

static void crash_again(store *s)
{
    if (!s->world->calm && dice_percent(&s->dice, 40))
        world_plan(s->world, dice_between(&s->dice, 0, 40000), (event){ .kind = EVENT_CRASH });
}

static bool start(store *s)
{
    char why[RADISK_WHY_MAX];

    status how = radisk_open(&s->radisk, &s->options, why);
    if (how != STATUS_OK) {
        /* Not `why`: it names the folder, which is another in every process. */
        const char *reason = status_text(how);
        world_log(s->world, "the store does not open", -1, (slice){ reason, strlen(reason) });
        if (!breakage_excuses(s->breakage))
            world_fail(s->world, "the store does not open: %s", why);
        return false;
    }
    s->counts.starts++;
    check_notice(s, why);
    (void)store_graph(s);
    witness_check(s->witness);
    store_check_purged(s);
    if (s->was_killed) crash_again(s);
    return true;
}

bool store_start(store *s)
{
    return s->memory != NULL || start(s);
}

static void note_end(store *s)
{
    radisk_stats stats;
    store_counts *c = &s->counts;

    graph_progress progress;

    witness_note_end(s->witness);
    radisk_graph(s->radisk)->progress(radisk_graph(s->radisk)->context, &progress);
    collects_end(s->collects, &progress);
    radisk_measure(s->radisk, &stats);
    c->replayed += stats.replayed_rows;
    c->batches += stats.batches;
    c->batches_failed += stats.batches_failed;
    c->folds += stats.folds;
    c->folds_failed += stats.folds_failed;
    c->transactions += stats.transactions;
    c->blob_bytes += stats.blob_bytes;
    c->collected_bytes += stats.collected_bytes;
    if (stats.damaged_rows > 0)
        world_fail(s->world, "%llu rows were damaged", (unsigned long long)stats.damaged_rows);
}

/* The end may come while a worker is at work, also on what was heard last. */
static void die_in_a_job(store *s)
{
    if (dice_percent(&s->dice, 70)) radisk_turn(s->radisk);
    breakage_die_after(s->breakage, dice_below(&s->dice, 12), dice_below(&s->dice, 4));
    bool journal = dice_percent(&s->dice, 50), any = false;
    if (journal) any |= radisk_step_journal(s->radisk);
    if (!journal || dice_percent(&s->dice, 50)) any |= radisk_step_folder(s->radisk);
    if (any) s->counts.died_in_a_job++;
}

void store_crash(store *s)
{
    if (s->memory != NULL) {
        graph_memory_crash(s->memory);
        return;
    }
    note_end(s);
    if (dice_percent(&s->dice, 70)) die_in_a_job(s);
    radisk_crash(s->radisk);
    s->radisk = NULL;
    purges_forget(s->purges);
    bool power = dice_percent(&s->dice, 70);
    if (power) s->counts.power_losses++;
    breakage_crash(s->breakage, power);
    s->was_killed = !power;
    world_log(s->world, power ? "loses power" : "is killed", -1, SLICE(""));
}

void store_flush(store *s)
{
    if (s->memory != NULL) {
        graph_memory_sync(s->memory);
        return;
    }
    purges_watch(s->purges);
    (void)!radisk_flush(s->radisk);
}

void store_stop(store *s)
{
    if (s->memory != NULL) return;
    purges_watch(s->purges);
    note_end(s);
    radisk_close(s->radisk);
    s->radisk = NULL;
    purges_forget(s->purges);
}

/* --- turns --- */

/* Two failures within a minute: somebody looks, and starts the relay again. */
static void call_the_operator(store *s)
{
    radisk_stats stats;

    if (s->operator_planned || radisk_ready(s->radisk)) return;
    radisk_measure(s->radisk, &stats);
    if (!stats.latched) return;
    s->counts.latched++;
    s->operator_planned = true;
    world_log(s->world, "latched", -1, SLICE(""));
    world_plan(s->world, dice_between(&s->dice, 100000, 4000000),
               (event){ .kind = EVENT_OPERATOR });
}

/* One seldom comes alone: what is done after a failure is cut off, too. */
static void misfortune(store *s)
{
    bool ready = radisk_ready(s->radisk);

    if (s->was_ready && !ready) crash_again(s);
    s->was_ready = ready;
}

static void plan_steps(store *s)
{
    dice *d = &s->dice;

    if (!s->sync_planned)
        world_plan(s->world, dice_between(d, 500, dice_percent(d, 10) ? 400000 : 20000),
                   (event){ .kind = EVENT_SYNC });
    if (!s->fold_planned)
        world_plan(s->world, dice_between(d, 500, dice_percent(d, 10) ? 2000000 : 60000),
                   (event){ .kind = EVENT_FOLDED });
    s->sync_planned = s->fold_planned = true;
}

void store_turn(store *s)
{
    if (s->memory != NULL || s->radisk == NULL) return;
    radisk_turn(s->radisk);
    purges_watch(s->purges);
    collects_watch(s->collects);
    call_the_operator(s);
    plan_steps(s);
    misfortune(s);
    double due = radisk_due_in_ms(s->radisk);
    if (due < 1e9) relay_turn_soon(s->world, (int64_t)(due * 1000) + 1);
}

static void memory_synced(store *s)
{
    world *w = s->world;
    graph *table = graph_memory_table(s->memory);
    graph_progress before, after;

    table->progress(table->context, &before);
    if (!w->calm && dice_below(&w->dice, 400) == 0) {
        graph_memory_fail(s->memory, STATUS_IO);
        w->disk_failed = true;
        w->counts.syncs_failed++;
        world_log(w, "the sync fails", -1, SLICE(""));
    } else {
        graph_memory_sync(s->memory);
    }
    table->progress(table->context, &after);
    if (after.durable != before.durable || after.failed != before.failed) relay_turn_soon(w, 0);
}

void store_synced(store *s)
{
    s->sync_planned = false;
    if (s->memory != NULL) {
        if (s->world->relay != NULL) memory_synced(s);
    } else if (s->radisk != NULL && radisk_step_journal(s->radisk)) {
        relay_turn_soon(s->world, 0);
    }
}

void store_folded(store *s)
{
    s->fold_planned = false;
    if (s->radisk != NULL && radisk_step_folder(s->radisk)) relay_turn_soon(s->world, 0);
}

void store_settle(store *s)
{
    if (s->memory != NULL) {
        graph_memory_sync(s->memory);
        return;
    }
    for (int i = 0; i < SETTLE_ROUNDS; i++) {
        radisk_turn(s->radisk);
        bool any = radisk_step_journal(s->radisk);
        if (!radisk_step_folder(s->radisk) && !any) return;
    }
    world_fail(s->world, "the store does not come to rest");
}

/* --- what goes wrong --- */

void store_fault(store *s)
{
    world *w = s->world;

    if (w->calm) return;
    if (s->radisk != NULL) collects_ask(s->collects, s->radisk);
    if (s->radisk != NULL && dice_percent(&s->dice, 25)) {
        purges_ask(s->purges, s->radisk);
        relay_turn_soon(w, 0);
    } else if (breakage_break(s->breakage)) {
        w->disk_failed = true;
        w->counts.syncs_failed++;
    }
    plan_fault(s);
}

void store_room(store *s)
{
    breakage_make_room(s->breakage);
    relay_turn_soon(s->world, 0);
}

void store_operator(store *s)
{
    s->operator_planned = false;
    if (s->world->relay == NULL) return;
    relay_stop(s->world);
    world_plan(s->world, dice_between(&s->dice, 50000, 1500000), (event){ .kind = EVENT_UP_AGAIN });
}

void store_calm(store *s)
{
    radisk_stats stats;

    if (s->memory != NULL) return;
    breakage_mend(s->breakage);
    if (s->radisk == NULL) return;
    radisk_measure(s->radisk, &stats);
    if (stats.latched) relay_stop(s->world);
}

/* --- looking --- */

bool store_may_be_purged(const store *s, int soul, int key, double state)
{
    return s->memory == NULL &&
           (purges_may_be(s->purges, soul, key, state) || collects_may_be(s->collects, soul, key));
}

void store_taken(store *s, int soul, int key, uint64_t batch)
{
    if (s->memory == NULL) collects_taken(s->collects, soul, key, batch);
}

void store_known(store *s, slice soul, slice key)
{
    if (s->memory != NULL) return;
    radisk_renew_soul(s->radisk, soul);
    collects_known(s->collects, names_find_soul(soul), names_find_key(key));
}

void store_check_purged(store *s)
{
    if (s->memory == NULL) purges_check(s->purges);
}

void store_add_counts(const store *s, store_counts *to)
{
    uint64_t *a = (uint64_t *)to;
    const uint64_t *b = (const uint64_t *)&s->counts;

    for (size_t i = 0; i < sizeof *to / sizeof *a; i++) a[i] += b[i];
    if (s->memory == NULL) to->collected += collects_done(s->collects);
    if (s->memory == NULL) to->purges += purges_done(s->purges, &to->rows_purged);
}
