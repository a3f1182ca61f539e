/* audio_kit.c - see audio_kit.h. */
#include "tests/unit/audio_kit.h"

#include "radisk/raw.h"

#include <string.h>

double audio_wall, audio_steady;

static double wall_now(void *context)
{
    (void)context;
    return audio_wall;
}

static double steady_now(void *context)
{
    (void)context;
    return audio_steady;
}

int audio_setup(void **state)
{
    int result = kit_setup_quick(state);
    kit *k = *state;

    audio_wall = T;
    audio_steady = 1e6;
    k->options.clock_ms = wall_now;
    k->options.now_ms = steady_now;
    k->options.wall_ms = 0;
    return result;
}

/* Each is newer than those before it, and none is from the future. */
void audio_put(kit *k, const char *soul, const char *key, const char *value)
{
    graph_write w = kit_write(soul, key, value, audio_wall++);

    (void)kit_merge(k, &w, 1, 2 * T);
}

/* A chunk, large enough to be a blob; the text of the i-th is its own. */
const char *audio_text(int i)
{
    static char value[203];

    memset(value, 'A', sizeof value - 1);
    value[0] = value[201] = '"';
    value[202] = '\0';
    for (int at = 8; at > 0; at--, i /= 10) value[at] = (char)('0' + i % 10);
    return value;
}

void audio_key(char out[static 64], int i)
{
    (void)snprintf(out, 64, "%06d#chunkhash%030d", i, i);
}

void audio_put_chunk(kit *k, const char *root, int i)
{
    char soul[100], key[64];

    (void)snprintf(soul, sizeof soul, "audio/%s#%d", root, i / 64);
    audio_key(key, i);
    graph_write w = kit_write(soul, key, audio_text(i), 1);
    (void)kit_merge(k, &w, 1, 2 * T);
}

void audio_put_track(kit *k, const char *root, int chunks)
{
    char soul[100];

    for (int i = 0; i < chunks; i++) audio_put_chunk(k, root, i);
    (void)snprintf(soul, sizeof soul, "audio/%s#m", root);
    audio_put(k, soul, "manifesthash", "\"{\\\"v\\\":1}\"");
}

bool audio_has_chunk(kit *k, const char *root, int i)
{
    char soul[100], key[64];

    (void)snprintf(soul, sizeof soul, "audio/%s#%d", root, i / 64);
    audio_key(key, i);
    return radisk_holds(k->store, kit_text(soul), kit_text(key)) == STATUS_OK;
}

void audio_renew(kit *k, const char *root)
{
    char soul[100];

    (void)snprintf(soul, sizeof soul, "audio/%s#m", root);
    radisk_renew_soul(k->store, kit_text(soul));
}

void audio_charge(kit *k, const char *root, const char *by)
{
    char soul[100];

    (void)snprintf(soul, sizeof soul, "audio/%s#0", root);
    radisk_charge(k->store, kit_text(soul), kit_text(by));
}

void audio_work(kit *k, double when_ms)
{
    audio_wall = when_ms;
    audio_steady += 2000;
    radisk_turn(k->store);
    while (radisk_wait(k->store)) continue;
}

static void went(void *context, const root_key *root, const root_record *is)
{
    audio_ended *e = context;

    assert_true(root->len > 0);
    e->went++;
    e->went_bytes += is->bytes;
}

static void collected(void *context, status how, const radisk_gone *gone)
{
    audio_ended *e = context;

    assert_false(e->told);
    e->told = true;
    e->how = how;
    e->gone = *gone;
}

void audio_begin(kit *k, double grace_ms, bool dry_run, audio_ended *e)
{
    radisk_collect wish = {
        .grace_ms = grace_ms, .dry_run = dry_run, .went = went, .told = collected, .context = e
    };

    *e = (audio_ended){ .told = false };
    assert_int_equal(radisk_collect_begin(k->store, &wish), STATUS_OK);
    radisk_turn(k->store);
}

audio_ended audio_pass(kit *k, double grace_ms, bool dry_run)
{
    audio_ended e;

    audio_begin(k, grace_ms, dry_run, &e);
    while (!e.told) assert_true(radisk_wait(k->store));
    return e;
}

uint64_t audio_collect(kit *k)
{
    audio_ended e = audio_pass(k, -1, false);

    assert_int_equal(e.how, STATUS_OK);
    return e.gone.roots;
}

static void pinned(void *context, status how, bool was)
{
    *(int *)context = how == STATUS_OK ? was : -1;
}

bool audio_pin(kit *k, const char *root, bool on)
{
    root_key key;
    int was = -2;

    assert_true(root_read(kit_text(root), &key));
    assert_int_equal(radisk_pin_begin(k->store, (const uint8_t *)key.at, on, pinned, &was),
                     STATUS_OK);
    radisk_turn(k->store);
    while (was == -2) assert_true(radisk_wait(k->store));
    assert_true(was >= 0);
    return was;
}

static void print_finding(void *context, const char *finding)
{
    (void)context;
    print_error("%s\n", finding);
}

check_report audio_check(kit *k)
{
    char why[CHECK_WHY_MAX] = "";
    check_report report;
    check_wish wish = { .folder = k->folder,
                        .size_max = (size_t)256 << 20,
                        .now_ms = audio_wall,
                        .say = print_finding };

    if (k->store != NULL) kit_close(k);
    assert_int_equal(check_store(&wish, &report, why), STATUS_OK);
    assert_int_equal(report.findings, 0);
    return report;
}

uint64_t audio_charged(kit *k, const char *by)
{
    uint64_t bytes = radisk_charged(k->store, kit_text(by));

    radisk_turn(k->store);
    return bytes;
}
