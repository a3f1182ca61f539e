/* fold.c - how fast does the store alone take rows, for as long as it is asked?
 *
 *   fold [--folder DIR] [--rows N | --seconds N] [--keys N] [--value BYTES] [--ordered]
 *
 * One thread merges nodes nobody has seen before as fast as the store admits them:
 * no sockets, no JSON, no acks. For the first seconds that is the speed of memory and
 * of the journal; once the bound on what is not folded is met, each row waits until
 * another was folded, and what is measured is the folder. So the line of the last
 * seconds matters more than that of the first, and the more rows there are, the more
 * it says: a store with random names gets slower as it grows.
 *
 * It is also the quickest way to a large store: nodes are named as tests/bench/load
 * names them, so that `load first --souls N` finds them.
 */
#include "radisk/radisk.h"
#include "tests/bench/clock.h"
#include "tests/bench/machine.h"
#include "tests/bench/talk.h"

#include <errno.h>
#include <ftw.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    TURN_PUTS = 256, /* merged between two turns */
    LOOK_MS = 2,     /* how often the figures of the store are looked at */
    LINE_MS = 5000,
    KEYS_MAX = 1000,
    VALUE_MAX = 65536,
    NUMBER = 12, /* digits in each value */
    VALUE_MIN = 2 + NUMBER,
    COULD_NOT = 2
};

typedef struct fold_options {
    const char *folder; /* NULL: a fresh one, removed at the end */
    uint64_t rows;      /* 0: until the time is over */
    unsigned seconds;
    uint32_t keys;
    size_t value_bytes, overlay_bytes, journal_bytes, segment_bytes; /* 0: the default */
    bool ordered;
} fold_options;

typedef struct bench {
    const fold_options *options;
    radisk *store;
    char value[VALUE_MAX + 2];
    uint64_t nodes;
    uint64_t began_ns, looked_ns, line_ns;
    uint64_t busy; /* merges that were sent away */
    radisk_stats first, line, now;
    uint64_t written_first, written_line;
    tally folds; /* how long they took */
} bench;

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "fold: %s: %s\n", what, why);
    exit(COULD_NOT);
}

/* --- figures --- */

static void look(bench *b)
{
    uint64_t before = b->now.folds;

    radisk_measure(b->store, &b->now);
    if (b->now.folds != before) tally_record(&b->folds, b->now.fold_us_last * 1000);
    b->looked_ns = clock_ns();
}

/* What is written divides into the journal's records and the rest. */
typedef struct span {
    double seconds, rows, written, journal; /* bytes a row */
} span;

static span span_since(const bench *b, const radisk_stats *from, uint64_t from_ns, uint64_t written)
{
    span s = { .seconds = (double)(clock_ns() - from_ns) / 1e9,
               .rows = (double)(b->now.rows_folded - from->rows_folded) };
    double rows = s.rows > 0 ? s.rows : 1;

    s.written = (double)(machine_written(getpid()) - written) / rows;
    s.journal = (double)(b->now.journal_bytes - from->journal_bytes) / rows;
    return s;
}

static void print_line(bench *b, const char *name)
{
    span s = span_since(b, &b->line, b->line_ns, b->written_line);

    printf("%8s %12llu %12.0f %12.0f %12.0f %10llu %10llu\n", name, (unsigned long long)b->now.rows,
           s.rows / s.seconds, s.journal, s.written - s.journal,
           (unsigned long long)b->now.unfolded_bytes >> 20,
           (unsigned long long)b->now.overlay_bytes >> 20);
    fflush(stdout);
    b->line = b->now;
    b->line_ns = clock_ns();
    b->written_line = machine_written(getpid());
}

static void look_when_due(bench *b)
{
    uint64_t now_ns = clock_ns();
    char name[16];

    if (now_ns - b->looked_ns < LOOK_MS * 1000000ull) return;
    look(b);
    if (now_ns - b->line_ns < LINE_MS * 1000000ull) return;
    snprintf(name, sizeof name, "%.0f s", (double)(now_ns - b->began_ns) / 1e9);
    print_line(b, name);
}

static void print_sum(bench *b)
{
    span s = span_since(b, &b->first, b->began_ns, b->written_first);
    uint64_t transactions = b->now.transactions - b->first.transactions;

    printf("\n%.0f rows folded in %.1f s: %.0f rows/s; bytes written a row: journal %.0f, the rest "
           "%.0f\n",
           s.rows, s.seconds, s.rows / s.seconds, s.journal, s.written - s.journal);
    printf("%llu folds (%llu transactions): p50 %.0f, p99 %.0f, max %.0f ms\n",
           (unsigned long long)(b->now.folds - b->first.folds), (unsigned long long)transactions,
           tally_ms(&b->folds, 0.5), tally_ms(&b->folds, 0.99), tally_max_ms(&b->folds));
    printf("%llu batches of the journal, the slowest %.1f ms; %llu times told to wait\n",
           (unsigned long long)(b->now.batches - b->first.batches),
           (double)b->now.sync_us_max / 1e3, (unsigned long long)b->busy);
    printf("%llu rows on disk, %.0f bytes of map a row\n", (unsigned long long)b->now.rows,
           (double)b->now.map_bytes_used / (double)b->now.rows);
}

/* --- merging --- */

static slice node_name(const bench *b, char at[static TALK_NAME_MAX], uint64_t number)
{
    if (!b->options->ordered) return talk_name(at, "bench/", number);
    int len = snprintf(at, TALK_NAME_MAX, "bench/%012llu", (unsigned long long)number);
    return (slice){ at, (size_t)len };
}

static void number_value(char at[static NUMBER], uint64_t number)
{
    for (int i = NUMBER - 1; i >= 0; i--, number /= 10) at[i] = (char)('0' + number % 10);
}

/* One put of one node. False when the store wants no more for now. */
static bool merge_node(bench *b)
{
    static char names[KEYS_MAX][8];
    static graph_write writes[KEYS_MAX];
    const fold_options *o = b->options;
    char name[TALK_NAME_MAX];
    slice soul = node_name(b, name, b->nodes);
    moment now = { (double)clock_wall_ms(), (int64_t)(clock_ns() / 1000000u) };
    graph *g = radisk_graph(b->store);
    graph_ticket ticket;

    /* No two values alike: over 4 KB, equal ones are kept once. */
    number_value(b->value + 3, b->nodes);
    for (uint32_t i = 0; i < o->keys; i++) {
        int len = snprintf(names[i], sizeof names[i], "k%u", i);
        writes[i] = (graph_write){ .soul = soul,
                                   .key = { names[i], (size_t)len },
                                   .value = { b->value, o->value_bytes + 2 },
                                   .state = now.wall_ms - 1 };
    }
    status s = g->merge(g->context, writes, o->keys, now, &ticket);
    if (s == STATUS_BUSY) return false;
    if (s != STATUS_OK) fail("merge", status_text(s));
    b->nodes++;
    return true;
}

static bool more(const bench *b)
{
    const fold_options *o = b->options;

    if (o->rows > 0) return b->nodes * o->keys < o->rows;
    return clock_ns() - b->began_ns < o->seconds * 1000000000ull;
}

static void merge_all(bench *b)
{
    while (more(b)) {
        bool room = true;
        for (uint32_t i = 0; i < TURN_PUTS && room && more(b); i += b->options->keys)
            room = merge_node(b);
        radisk_turn(b->store);
        look_when_due(b);
        if (room) continue;
        b->busy++;
        (void)radisk_wait(b->store);
        look_when_due(b);
    }
    status s = radisk_fold(b->store);
    if (s != STATUS_OK) fail("fold", status_text(s));
    look(b);
}

/* --- opening --- */

static void open_store(bench *b, const char *folder)
{
    radisk_options wish = { .folder = folder, .limits = radisk_default_limits() };
    char why[RADISK_WHY_MAX] = "";

    wish.limits.size_max = (size_t)1 << 40;
    if (b->options->overlay_bytes > 0) wish.limits.overlay_max = b->options->overlay_bytes;
    if (b->options->journal_bytes > 0) wish.limits.journal_max = b->options->journal_bytes;
    if (b->options->segment_bytes > 0) wish.limits.segment_bytes = b->options->segment_bytes;
    if (radisk_open(&b->store, &wish, why) != STATUS_OK) fail(folder, why);
}

static void run(bench *b, const char *folder)
{
    b->value[0] = '"';
    memset(b->value + 1, 'v', b->options->value_bytes);
    memcpy(b->value + 1, TALK_VALUE_MARK, 2);
    b->value[b->options->value_bytes + 1] = '"';
    open_store(b, folder);
    look(b);
    b->first = b->line = b->now;
    b->written_first = b->written_line = machine_written(getpid());
    b->began_ns = b->line_ns = clock_ns();
    printf("%8s %12s %12s %12s %12s %10s %10s\n", "", "rows", "folded/s", "journal B", "the rest B",
           "unfolded", "overlay MB");
    merge_all(b);
    print_line(b, "the rest");
    print_sum(b);
    radisk_close(b->store);
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *where)
{
    (void)about, (void)kind, (void)where;
    return remove(path);
}

/* --- the command line --- */

static const struct option OPTIONS[] = {
    { "folder", required_argument, NULL, 'd' },  { "rows", required_argument, NULL, 'n' },
    { "seconds", required_argument, NULL, 's' }, { "keys", required_argument, NULL, 'k' },
    { "value", required_argument, NULL, 'v' },   { "overlay", required_argument, NULL, 'm' },
    { "journal", required_argument, NULL, 'j' }, { "segment", required_argument, NULL, 'g' },
    { "ordered", no_argument, NULL, 'o' },       { NULL, 0, NULL, 0 },
};

static const char USAGE[] =
    "fold [options]: how fast the store alone takes new nodes\n"
    "\n"
    "  --folder DIR   of the store, which stays; default a fresh one here, removed at the end\n"
    "  --rows N       stop after so many; default after --seconds\n"
    "  --seconds N    default 60\n"
    "  --keys N       of each node, default 1\n"
    "  --value BYTES  of each value, default 100\n"
    "  --overlay MB, --journal MB, --segment MB   limits of the store; default its own\n"
    "  --ordered      names in order; default random\n";

static uint32_t number(const char *from, uint32_t least, uint32_t most)
{
    char *end;
    unsigned long value = strtoul(from, &end, 10);

    if (*from == '\0' || *end != '\0' || value < least || value > most) {
        fprintf(stderr, "fold: %s is not a number from %u to %u\n", from, least, most);
        exit(COULD_NOT);
    }
    return (uint32_t)value;
}

static void take_options(fold_options *o, int argc, char **argv)
{
    for (int c; (c = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1;) {
        if (c == 'd') o->folder = optarg;
        if (c == 'n') o->rows = number(optarg, 1, 1000000000);
        if (c == 's') o->seconds = number(optarg, 1, 86400);
        if (c == 'k') o->keys = number(optarg, 1, KEYS_MAX);
        if (c == 'v') o->value_bytes = number(optarg, VALUE_MIN, VALUE_MAX);
        if (c == 'm') o->overlay_bytes = (size_t)number(optarg, 1, 65536) << 20;
        if (c == 'j') o->journal_bytes = (size_t)number(optarg, 1, 65536) << 20;
        if (c == 'g') o->segment_bytes = (size_t)number(optarg, 1, 65536) << 20;
        if (c == 'o') o->ordered = true;
        if (c == '?') {
            fputs(USAGE, stderr);
            exit(COULD_NOT);
        }
    }
}

int main(int argc, char **argv)
{
    fold_options o = { .seconds = 60, .keys = 1, .value_bytes = 100 };
    static bench b;
    char fresh[] = "fold-XXXXXX";

    take_options(&o, argc, argv);
    if (o.folder == NULL && mkdtemp(fresh) == NULL) fail(fresh, strerror(errno));
    b.options = &o;
    run(&b, o.folder != NULL ? o.folder : fresh);
    if (o.folder == NULL) nftw(fresh, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return 0;
}
