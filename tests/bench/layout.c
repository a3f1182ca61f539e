/* layout.c - which keys shall rows have? Two layouts, over LMDB alone.
 *
 *   layout [--folder PATH] [--rows N] [--fold N] [--value BYTES] [--only WORD]
 *
 * A row of a graph is found by its soul and its key. What stands for the soul on
 * disk decides what folding costs, for LMDB copies each page that changes:
 *
 *   numbered   an ordered index maps the soul to a number of 8 bytes; a row is
 *              (number, key). New souls get the highest number: rows append.
 *   hash       a row is (BLAKE2b-128 of the soul, keyed; key). No index is needed
 *              to find a row, but queries over souls want one: so it is measured
 *              with an ordered table of souls and without.
 *
 * In both, the row with the empty key holds the soul. Each fold takes --fold rows
 * of nodes that are new, in transactions of 10,000 rows, each synced, as the
 * store's folder does, and in the order that is best for the layout: by soul, or by
 * hash. (The hash's index is written in transactions of its own, by soul: by hash it
 * would be far dearer.) Then a tenth of the rows is written anew, at random, in
 * folds of the same size; then come the reads, from a warm page cache.
 *
 * Only the transactions are timed: not the making of names, nor the sorting, which
 * the store does while it gathers; but the hashing is.
 */
#include "tests/bench/clock.h"

#include <errno.h>
#include <getopt.h>
#include <lmdb.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    TRANSACTION_ROWS = 10000,
    SOUL_BYTES = 20, /* as gun's: "bench/" and what makes it unique */
    KEY_BYTES = 4,
    HASH = 16,
    ID = 8,
    ROW_HEAD = 16, /* state and checksum */
    VALUE_MAX = 4096,
    GETS = 200000,
    SCANS_ROWS = 1000000,
    COULD_NOT = 2,
};

typedef enum layout { NUMBERED, HASH_ONLY, HASH_INDEXED } layout;

static const char *const LAYOUTS[] = { "numbered", "hash, no index", "hash, index" };

typedef struct bench_options {
    const char *folder;
    const char *only; /* NULL: all */
    uint32_t rows, fold;
    size_t value_bytes;
} bench_options;

/* One store under measurement. */
typedef struct store {
    const bench_options *options;
    layout layout;
    bool ordered;
    uint32_t keys;
    char path[512];
    MDB_env *env;
    MDB_dbi souls, rows;
    uint64_t next_id;
    uint64_t chance;
} store;

/* A node of a fold; sorted by what the layout wants. */
typedef struct node {
    char order[SOUL_BYTES]; /* the soul, or its hash and zeros */
    char soul[SOUL_BYTES];
} node;

typedef struct figures {
    double rows_s, written; /* folding new nodes: per second; bytes per row */
    double rewrite_s, rewritten;
    double used, file; /* bytes per row in pages of tables; in the file */
    double get_ns, scan_ns;
} figures;

static void check(int error, const char *what)
{
    if (error == 0) return;
    fprintf(stderr, "layout: %s: %s\n", what, mdb_strerror(error));
    exit(COULD_NOT);
}

/* --- names --- */

static uint64_t scramble(uint64_t n)
{
    n += 0x9e3779b97f4a7c15u;
    n = (n ^ (n >> 30)) * 0xbf58476d1ce4e5b9u;
    n = (n ^ (n >> 27)) * 0x94d049bb133111ebu;
    return n ^ (n >> 31);
}

static uint64_t chance(store *s, uint64_t below)
{
    return scramble(s->chance++) % below;
}

/* Random names are letters and digits as gun's, and always the same for a number. */
static void soul_name(const store *s, char out[static SOUL_BYTES], uint64_t number)
{
    static const char SET[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    char text[SOUL_BYTES + 1];

    if (s->ordered) {
        snprintf(text, sizeof text, "bench/%014llu", (unsigned long long)number);
        memcpy(out, text, SOUL_BYTES);
        return;
    }
    memcpy(out, "bench/", 6);
    uint64_t bits = scramble(number), more = scramble(bits);
    for (int i = 6; i < SOUL_BYTES; i++) {
        out[i] = SET[bits % 62];
        bits /= 62;
        if (i == 13) bits = more;
    }
}

static void key_name(char out[static KEY_BYTES + 1], uint32_t key)
{
    snprintf(out, KEY_BYTES + 1, "k%03u", key % 1000);
}

static void hash_soul(char out[static HASH], const char soul[static SOUL_BYTES])
{
    static const unsigned char KEY[16] = "any secret will";

    crypto_generichash((unsigned char *)out, HASH, (const unsigned char *)soul, SOUL_BYTES, KEY,
                       sizeof KEY);
}

static void put_number(char out[static ID], uint64_t number)
{
    for (int i = ID - 1; i >= 0; i--, number >>= 8) out[i] = (char)(number & 0xff);
}

/* --- the environment --- */

static void open_store(store *s)
{
    MDB_txn *txn;

    snprintf(s->path, sizeof s->path, "%s/layout-%d.mdb", s->options->folder, (int)getpid());
    check(mdb_env_create(&s->env), "create");
    check(mdb_env_set_maxdbs(s->env, 4), "tables");
    check(mdb_env_set_mapsize(s->env, 64ull << 30), "map");
    check(mdb_env_open(s->env, s->path, MDB_NOSUBDIR | MDB_NOTLS, 0600), s->path);
    check(mdb_txn_begin(s->env, NULL, 0, &txn), "begin");
    check(mdb_dbi_open(txn, "souls", MDB_CREATE, &s->souls), "souls");
    check(mdb_dbi_open(txn, "rows", MDB_CREATE, &s->rows), "rows");
    check(mdb_txn_commit(txn), "commit");
    s->next_id = 1;
}

static void close_store(store *s)
{
    char lock[sizeof s->path + 8];

    mdb_env_close(s->env);
    unlink(s->path);
    snprintf(lock, sizeof lock, "%s-lock", s->path);
    unlink(lock);
}

/* Bytes handed to write calls. (write_bytes, beside it, counts all of a large folio
 * when one page of it becomes dirty: on ext4 in Linux 6.18 thirteen times too much.) */
static uint64_t bytes_written(void)
{
    char line[128];
    unsigned long long bytes = 0;
    FILE *f = fopen("/proc/self/io", "re");

    if (f == NULL) return 0;
    while (fgets(line, sizeof line, f) != NULL)
        if (sscanf(line, "wchar: %llu", &bytes) == 1) break;
    fclose(f);
    return bytes;
}

/* --- folding --- */

typedef struct folding {
    store *s;
    MDB_txn *txn;
    MDB_cursor *souls, *rows;
    uint32_t in_transaction;
    uint64_t ns; /* in transactions */
} folding;

static void begin(folding *f)
{
    check(mdb_txn_begin(f->s->env, NULL, 0, &f->txn), "begin");
    check(mdb_cursor_open(f->txn, f->s->souls, &f->souls), "cursor");
    check(mdb_cursor_open(f->txn, f->s->rows, &f->rows), "cursor");
    f->in_transaction = 0;
}

static void commit(folding *f)
{
    mdb_cursor_close(f->souls);
    mdb_cursor_close(f->rows);
    check(mdb_txn_commit(f->txn), "commit");
}

static void count_row(folding *f)
{
    if (++f->in_transaction < TRANSACTION_ROWS) return;
    commit(f);
    begin(f);
}

static void put(MDB_cursor *cursor, const char *key, size_t key_bytes, const void *value,
                size_t value_bytes, unsigned flags)
{
    MDB_val k = { key_bytes, (void *)(uintptr_t)key };
    MDB_val v = { value_bytes, (void *)(uintptr_t)value };

    check(mdb_cursor_put(cursor, &k, &v, flags), "put");
}

/* The number of a soul; one that has none is given the next. Returns whether it was new. */
static bool number_soul(folding *f, const char soul[static SOUL_BYTES], char id[static ID])
{
    MDB_val k = { SOUL_BYTES, (void *)(uintptr_t)soul }, v;
    int error = mdb_cursor_get(f->souls, &k, &v, MDB_SET);

    if (error == 0) {
        memcpy(id, v.mv_data, ID);
        return false;
    }
    if (error != MDB_NOTFOUND) check(error, "find");
    put_number(id, f->s->next_id++);
    put(f->souls, soul, SOUL_BYTES, id, ID, 0);
    return true;
}

/* Writes what stands before each key of the node, and the row that names its soul.
 * Returns its length; *flags is how the rows are to be put. */
static size_t place_node(folding *f, const node *n, char place[static HASH], unsigned *flags)
{
    *flags = 0;
    if (f->s->layout == NUMBERED) {
        bool fresh = number_soul(f, n->soul, place);
        *flags = fresh ? MDB_APPEND : 0;
        if (fresh) put(f->rows, place, ID, n->soul, SOUL_BYTES, MDB_APPEND);
        return ID;
    }
    hash_soul(place, n->soul);
    MDB_val k = { HASH, place }, v = { SOUL_BYTES, (void *)(uintptr_t)n->soul };
    int error = mdb_cursor_put(f->rows, &k, &v, MDB_NOOVERWRITE);
    if (error != MDB_KEYEXIST) check(error, "put");
    return HASH;
}

static void fold_rows(folding *f, const node *n, uint32_t first, uint32_t count, const char *row,
                      size_t row_bytes)
{
    char at[HASH + KEY_BYTES + 1];
    unsigned flags;
    size_t place = place_node(f, n, at, &flags);

    for (uint32_t key = first; key < first + count; key++) {
        key_name(at + place, key);
        put(f->rows, at, place + KEY_BYTES, row, row_bytes, flags);
        count_row(f);
    }
}

static int compare_nodes(const void *a, const void *b)
{
    return memcmp(((const node *)a)->order, ((const node *)b)->order, SOUL_BYTES);
}

static int compare_souls(const void *a, const void *b)
{
    return memcmp(((const node *)a)->soul, ((const node *)b)->soul, SOUL_BYTES);
}

static void fold_index(folding *f, node *nodes, size_t count)
{
    qsort(nodes, count, sizeof *nodes, compare_souls);
    uint64_t began = clock_ns();
    begin(f);
    for (size_t i = 0; i < count; i++) {
        put(f->souls, nodes[i].soul, SOUL_BYTES, "", 0, 0);
        count_row(f);
    }
    commit(f);
    f->ns += clock_ns() - began;
}

/* One fold: `count` keys of each node. Returns the time of its transactions. */
static uint64_t fold(store *s, node *nodes, size_t node_count, uint32_t keys, bool fresh)
{
    char row[ROW_HEAD + VALUE_MAX];
    size_t row_bytes = ROW_HEAD + s->options->value_bytes;
    folding f = { .s = s };

    for (size_t i = 0; i < row_bytes; i++) row[i] = (char)scramble(s->chance++);
    for (size_t i = 0; i < node_count; i++) {
        memset(nodes[i].order, 0, SOUL_BYTES);
        if (s->layout == NUMBERED)
            memcpy(nodes[i].order, nodes[i].soul, SOUL_BYTES);
        else
            hash_soul(nodes[i].order, nodes[i].soul);
    }
    qsort(nodes, node_count, sizeof *nodes, compare_nodes);

    uint64_t began = clock_ns();
    begin(&f);
    for (size_t i = 0; i < node_count; i++) {
        uint32_t first = fresh ? 0 : (uint32_t)chance(s, s->keys);
        fold_rows(&f, &nodes[i], first, keys, row, row_bytes);
    }
    commit(&f);
    f.ns = clock_ns() - began;
    if (fresh && s->layout == HASH_INDEXED) fold_index(&f, nodes, node_count);
    return f.ns;
}

/* New nodes until the store has all its rows. */
static void fill(store *s, figures *out)
{
    uint32_t nodes_all = s->options->rows / s->keys, nodes_fold = s->options->fold / s->keys;
    node *nodes = calloc(nodes_fold, sizeof *nodes);
    uint64_t before = bytes_written(), ns = 0;

    if (nodes == NULL) check(ENOMEM, "nodes");
    for (uint32_t done = 0, count; done < nodes_all; done += count) {
        count = nodes_all - done < nodes_fold ? nodes_all - done : nodes_fold;
        for (uint32_t i = 0; i < count; i++) soul_name(s, nodes[i].soul, done + i);
        ns += fold(s, nodes, count, s->keys, true);
    }
    double rows = (double)nodes_all * s->keys;
    out->rows_s = rows * 1e9 / (double)ns;
    out->written = (double)(bytes_written() - before) / rows;
    free(nodes);
}

/* One row of random nodes, a tenth of all rows, so a node may come twice. */
static void rewrite(store *s, figures *out)
{
    uint32_t nodes_all = s->options->rows / s->keys, rows = s->options->rows / 10;
    uint32_t most = s->options->fold;
    node *nodes = calloc(most, sizeof *nodes);
    uint64_t before = bytes_written(), ns = 0;

    if (nodes == NULL) check(ENOMEM, "nodes");
    for (uint32_t done = 0, count; done < rows; done += count) {
        count = rows - done < most ? rows - done : most;
        for (uint32_t i = 0; i < count; i++) soul_name(s, nodes[i].soul, chance(s, nodes_all));
        ns += fold(s, nodes, count, 1, false);
    }
    out->rewrite_s = (double)rows * 1e9 / (double)ns;
    out->rewritten = (double)(bytes_written() - before) / (double)rows;
    free(nodes);
}

static void measure_space(store *s, figures *out)
{
    MDB_txn *txn;
    MDB_stat souls, rows;
    MDB_envinfo info;

    check(mdb_txn_begin(s->env, NULL, MDB_RDONLY, &txn), "begin");
    check(mdb_stat(txn, s->souls, &souls), "stat");
    check(mdb_stat(txn, s->rows, &rows), "stat");
    check(mdb_env_info(s->env, &info), "info");
    size_t pages = souls.ms_branch_pages + souls.ms_leaf_pages + souls.ms_overflow_pages +
                   rows.ms_branch_pages + rows.ms_leaf_pages + rows.ms_overflow_pages;
    out->used = (double)(pages * rows.ms_psize) / s->options->rows;
    out->file = (double)((info.me_last_pgno + 1) * rows.ms_psize) / s->options->rows;
    mdb_txn_abort(txn);
}

/* --- reading --- */

static size_t find_node(store *s, MDB_txn *txn, const char soul[static SOUL_BYTES],
                        char place[static HASH])
{
    MDB_val k = { SOUL_BYTES, (void *)(uintptr_t)soul }, v;

    if (s->layout != NUMBERED) {
        hash_soul(place, soul);
        return HASH;
    }
    check(mdb_get(txn, s->souls, &k, &v), "find");
    memcpy(place, v.mv_data, ID);
    return ID;
}

static double time_gets(store *s, MDB_txn *txn)
{
    char soul[SOUL_BYTES], at[HASH + KEY_BYTES + 1];
    uint64_t ns = 0, nodes = s->options->rows / s->keys;

    for (int i = 0; i < GETS; i++) {
        soul_name(s, soul, chance(s, nodes));
        uint32_t key = (uint32_t)chance(s, s->keys);
        uint64_t began = clock_ns();
        size_t place = find_node(s, txn, soul, at);
        key_name(at + place, key);
        MDB_val k = { place + KEY_BYTES, at }, v;
        check(mdb_get(txn, s->rows, &k, &v), "get");
        ns += clock_ns() - began;
    }
    return (double)ns / GETS;
}

/* All keys of a node; returns how many there were. */
static uint32_t scan_node(store *s, MDB_txn *txn, MDB_cursor *rows, const char *soul)
{
    char at[HASH];
    size_t place = find_node(s, txn, soul, at);
    MDB_val k = { place, at }, v;
    uint32_t seen = 0;
    int error = mdb_cursor_get(rows, &k, &v, MDB_SET_KEY);

    for (; error == 0; error = mdb_cursor_get(rows, &k, &v, MDB_NEXT)) {
        if (k.mv_size < place || memcmp(k.mv_data, at, place) != 0) return seen - 1;
        seen++;
    }
    if (error != MDB_NOTFOUND) check(error, "scan");
    return seen - 1;
}

static double time_scans(store *s, MDB_txn *txn)
{
    char soul[SOUL_BYTES];
    uint64_t ns = 0, nodes = s->options->rows / s->keys, rows = 0;
    uint64_t most = s->keys == 1 ? GETS : SCANS_ROWS;
    MDB_cursor *cursor;

    check(mdb_cursor_open(txn, s->rows, &cursor), "cursor");
    while (rows < most) {
        soul_name(s, soul, chance(s, nodes));
        uint64_t began = clock_ns();
        uint32_t seen = scan_node(s, txn, cursor, soul);
        ns += clock_ns() - began;
        check(seen == s->keys ? 0 : MDB_CORRUPTED, "keys of a node");
        rows += seen;
    }
    mdb_cursor_close(cursor);
    return (double)ns / (double)rows;
}

static void read_back(store *s, figures *out)
{
    MDB_txn *txn;

    check(mdb_txn_begin(s->env, NULL, MDB_RDONLY, &txn), "begin");
    out->get_ns = time_gets(s, txn);
    out->scan_ns = time_scans(s, txn);
    mdb_txn_abort(txn);
}

/* --- the table --- */

static void print_head(const bench_options *o)
{
    printf("%u rows of %zu-byte values, folds of %u rows, transactions of %d\n\n", o->rows,
           o->value_bytes, o->fold, TRANSACTION_ROWS);
    printf("| keys a node, names | layout         | new rows/s | bytes written a row | "
           "rewritten rows/s | bytes written a row | on disk a row: in use, file | "
           "random get ns | node scan ns a row |\n");
    printf("|--------------------|----------------|-----------:|--------------------:|"
           "-----------------:|--------------------:|----------------------------:|"
           "--------------:|-------------------:|\n");
}

static void run(const bench_options *o, uint32_t keys, bool ordered, layout which)
{
    store s = { .options = o, .layout = which, .ordered = ordered, .keys = keys, .chance = 1 };
    char names[32];
    figures f;

    snprintf(names, sizeof names, "%u, %s", keys, ordered ? "ordered" : "random");
    if (o->only != NULL && strstr(names, o->only) == NULL && strcmp(LAYOUTS[which], o->only) != 0)
        return;
    open_store(&s);
    fill(&s, &f);
    measure_space(&s, &f);
    rewrite(&s, &f);
    read_back(&s, &f);
    close_store(&s);
    printf(
        "| %-18s | %-14s | %10.0f | %19.0f | %16.0f | %19.0f | %20.0f, %5.0f | %13.0f | %18.0f |\n",
        names, LAYOUTS[which], f.rows_s, f.written, f.rewrite_s, f.rewritten, f.used, f.file,
        f.get_ns, f.scan_ns);
    fflush(stdout);
}

static const struct option OPTIONS[] = {
    { "folder", required_argument, NULL, 'd' }, { "rows", required_argument, NULL, 'n' },
    { "fold", required_argument, NULL, 'f' },   { "value", required_argument, NULL, 'v' },
    { "only", required_argument, NULL, 'o' },   { NULL, 0, NULL, 0 },
};

static uint32_t number(const char *text, uint32_t least, uint32_t most)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);

    if (*text == '\0' || *end != '\0' || value < least || value > most) {
        fprintf(stderr, "layout: %s is not a number from %u to %u\n", text, least, most);
        exit(COULD_NOT);
    }
    return (uint32_t)value;
}

int main(int argc, char **argv)
{
    bench_options o = { .folder = ".", .rows = 1000000, .fold = 100000, .value_bytes = 100 };

    for (int c; (c = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1;) {
        if (c == 'd')
            o.folder = optarg;
        else if (c == 'n')
            o.rows = number(optarg, 1000, 100000000);
        else if (c == 'f')
            o.fold = number(optarg, 1000, 10000000);
        else if (c == 'v')
            o.value_bytes = number(optarg, 1, VALUE_MAX);
        else if (c == 'o')
            o.only = optarg;
        else {
            fprintf(stderr, "usage: layout [--folder PATH] [--rows N] [--fold N] [--value BYTES] "
                            "[--only 'KEYS, random|ordered' or LAYOUT]\n");
            return COULD_NOT;
        }
    }
    if (sodium_init() < 0) return COULD_NOT;
    print_head(&o);
    for (uint32_t keys = 1; keys <= 100; keys *= 100)
        for (int ordered = 0; ordered < 2; ordered++)
            for (int which = NUMBERED; which <= (int)HASH_INDEXED; which++)
                run(&o, keys, ordered != 0, (layout)which);
    return 0;
}
