/* radisk_kit.c - see radisk_kit.h. */
#include "tests/unit/radisk_kit.h"

#include "core/text.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

const lex_range kit_all = { .has_to = false };
const lex_range kit_all_backwards = { .backwards = true };

static int set_up(void **state, const char *parent)
{
    kit *k = calloc(1, sizeof *k);

    if (k == NULL) return -1;
    (void)snprintf(k->folder, sizeof k->folder, "%s/brasa-radisk-XXXXXX", parent);
    if (mkdtemp(k->folder) == NULL) return -1;
    k->options = (radisk_options){ .folder = k->folder,
                                   .limits = { .size_max = (size_t)256 << 20,
                                               .overlay_max = (size_t)64 << 20,
                                               .held_max = 1000 },
                                   .wall_ms = 1, /* what is held is not due at a start */
                                   .secret = { 1, 2, 3 } };
    *state = k;
    return 0;
}

int kit_setup(void **state)
{
    return set_up(state, "/tmp");
}

int kit_setup_quick(void **state)
{
    return set_up(state, access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
}

static void remove_folder(const char *folder)
{
    DIR *all = opendir(folder);
    struct dirent *one;
    char path[512];

    while (all != NULL && (one = readdir(all)) != NULL) {
        if (one->d_name[0] == '.') continue;
        (void)snprintf(path, sizeof path, "%s/%s", folder, one->d_name);
        if (unlink(path) != 0) remove_folder(path);
    }
    if (all != NULL) (void)closedir(all);
    (void)rmdir(folder);
}

int kit_teardown(void **state)
{
    kit *k = *state;

    if (k->store != NULL) kit_close(k);
    remove_folder(k->folder);
    free(k);
    return 0;
}

void kit_open(kit *k)
{
    char why[RADISK_WHY_MAX] = "";
    status s = radisk_open(&k->store, &k->options, why);

    if (s != STATUS_OK) print_error("%s: %s\n", status_text(s), why);
    assert_int_equal(s, STATUS_OK);
    k->graph = radisk_graph(k->store);
    while (!k->options.by_hand && radisk_wait(k->store)) continue; /* the next segment is there */
}

void kit_rest(kit *k)
{
    assert_int_equal(radisk_fold(k->store), STATUS_OK);
    while (radisk_wait(k->store)) continue;
}

void kit_close(kit *k)
{
    radisk_close(k->store);
    k->store = NULL;
    k->graph = NULL;
}

void kit_reopen(kit *k)
{
    kit_close(k);
    kit_open(k);
}

MDB_env *kit_open_env(const kit *k, MDB_txn **txn)
{
    MDB_env *env;

    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_set_maxdbs(env, 16), 0);
    assert_int_equal(mdb_env_open(env, k->folder, 0, 0600), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, txn), 0);
    return env;
}

void kit_settle(kit *k)
{
    assert_int_equal(radisk_flush(k->store), STATUS_OK);
    radisk_turn(k->store);
}

slice kit_text(const char *s)
{
    return (slice){ s, strlen(s) };
}

graph_write kit_write(const char *soul, const char *key, const char *value, double state)
{
    return (graph_write){
        .soul = kit_text(soul), .key = kit_text(key), .value = kit_text(value), .state = state
    };
}

graph_ticket kit_merge(kit *k, graph_write *writes, size_t count, double now)
{
    graph_ticket ticket = { 12345678 };
    status s = k->graph->merge(k->graph->context, writes, count, (moment){ now, 0 }, &ticket);

    assert_int_equal(s, STATUS_OK);
    return ticket;
}

graph_ticket kit_put(kit *k, const char *soul, const char *key, const char *value, double state)
{
    graph_write w = kit_write(soul, key, value, state);

    return kit_merge(k, &w, 1, 1e12);
}

void kit_refuse(kit *k, status expected, graph_write *writes, size_t count, double now)
{
    graph_ticket ticket;
    status s = k->graph->merge(k->graph->context, writes, count, (moment){ now, 0 }, &ticket);

    assert_int_equal(s, expected);
}

/* One text for everything lent; tests are one thread. */
static char lent[1 << 20];

const char *kit_value(kit *k, const char *soul, const char *key)
{
    graph_row row;
    status s = k->graph->look(k->graph->context, kit_text(soul), kit_text(key), &row);

    if (s == STATUS_NOT_FOUND) return NULL;
    assert_int_equal(s, STATUS_OK);
    assert_true(row.value.len < sizeof lent);
    memcpy(lent, row.value.at, row.value.len);
    lent[row.value.len] = '\0';
    return lent;
}

uint64_t kit_row_batch(kit *k, const char *soul, const char *key)
{
    graph_row row;

    assert_int_equal(k->graph->look(k->graph->context, kit_text(soul), kit_text(key), &row),
                     STATUS_OK);
    return row.ticket.batch;
}

static void tell_purged(void *context, status how, uint64_t rows)
{
    (void)rows;
    *(status *)context = how;
}

void kit_purge(kit *k, const radisk_purge *what, double now)
{
    status how = STATUS_BUSY;

    assert_int_equal(radisk_purge_begin(k->store, what, (moment){ now, 0 }, tell_purged, &how),
                     STATUS_OK);
    radisk_turn(k->store);
    while (how == STATUS_BUSY) assert_true(radisk_wait(k->store));
    assert_int_equal(how, STATUS_OK);
}

graph_state kit_state(kit *k, graph_ticket t)
{
    graph_progress p;

    k->graph->progress(k->graph->context, &p);
    return graph_settled(t, &p);
}

static bool note_key(void *visitor, const graph_row *row)
{
    size_t *len = visitor;

    assert_true(*len + row->key.len + row->value.len + 3 < sizeof lent);
    *len += (size_t)sprintf(lent + *len, "%.*s=%.*s ", (int)row->key.len, row->key.at,
                            (int)row->value.len, row->value.at);
    return true;
}

const char *kit_keys(kit *k, const char *soul, const lex_range *range)
{
    size_t len = 0;

    lent[0] = '\0';
    assert_int_equal(k->graph->scan(k->graph->context, kit_text(soul), range, note_key, &len),
                     STATUS_OK);
    return lent;
}

static bool note_soul(void *visitor, const graph_row *row)
{
    size_t *len = visitor;

    assert_int_equal(row->key.len, 0);
    assert_int_equal(row->value.len, 0);
    assert_true(*len + row->soul.len + 2 < sizeof lent);
    *len += (size_t)sprintf(lent + *len, "%.*s ", (int)row->soul.len, row->soul.at);
    return true;
}

const char *kit_souls(kit *k, const lex_range *range)
{
    size_t len = 0;

    lent[0] = '\0';
    assert_int_equal(k->graph->souls(k->graph->context, range, note_soul, &len), STATUS_OK);
    return lent;
}

static bool note_due(void *visitor, const graph_row *row)
{
    size_t *len = visitor;

    *len += (size_t)snprintf(lent + *len, sizeof lent - *len, "%.*s/%.*s=%.*s@%g ",
                             (int)row->soul.len, row->soul.at, (int)row->key.len, row->key.at,
                             (int)row->value.len, row->value.at, row->state);
    return true;
}

const char *kit_due(kit *k, double now, size_t most)
{
    size_t len = 0;

    lent[0] = '\0';
    assert_int_equal(k->graph->due(k->graph->context, (moment){ now, 0 }, most, note_due, &len),
                     STATUS_OK);
    return lent;
}

radisk_stats kit_stats(kit *k)
{
    radisk_stats s;

    radisk_measure(k->store, &s);
    return s;
}
