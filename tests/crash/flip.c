/* flip.c - damage at random places of a store that nobody has open.
 *
 *   brasa_flip [N] [--seed S] [--only I] [--jobs J] [--keep FOLDER]
 *
 * Two stores are made: one that was closed, and one whose process was killed with
 * much of it in the journal only. N times a copy of one is damaged in one place (a
 * bit, some bytes, a sector or a page of zeros, or all from there on cut off), opened and read
 * whole, in a process of its own: LMDB trusts its pages and may fall over them.
 *
 * What may come of it, as the last lines count it:
 *   unharmed   everything is there: the place was not in use
 *   reported   a row answers an error, or the store says what it noticed when it
 *              opens; the rest is right
 *   refused    the store does not open, and says why
 *   checked    something is missing, or older than it was; the store does not say so
 *              by itself, but `brasa check` (of $BRASA) finds damage
 *   silent     not even that does
 *   fell       a signal ended the process; where it was is told
 * and what may not: a value, a row or a state that was never put (wrong), an
 * assertion of ours, and a process that never ends.
 */
#include "tests/crash/judge.h"
#include "tests/crash/tool.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PUTS = 500, PATIENCE_S = 30, JOBS_MAX = 16, FILES_MAX = 64, STORES = 2, SIGNS = 160 };

typedef enum outcome {
    UNHARMED,
    REPORTED,
    REFUSED,
    CHECKED,
    SILENT,
    FELL,
    WRONG, /* from here on it must not happen */
    ASSERTED,
    HUNG,
    OUTCOMES,
} outcome;

static const char *const outcome_names[OUTCOMES] = {
    "unharmed", "reported", "refused", "checked", "silent", "fell", "WRONG", "ASSERTED", "HUNG",
};

typedef struct report {
    outcome outcome;
    char text[JUDGE_TEXT];
} report;

/* A file of a store, in memory, by its name from the store's folder. */
typedef struct kept_file {
    char name[64];
    char *bytes;
    size_t len;
} kept_file;

typedef struct kept_store {
    kept_file files[FILES_MAX];
    size_t count;
} kept_store;

static const char *const store_names[STORES] = { "closed", "killed" };

typedef enum damage_kind { BIT, BYTES, SECTOR, PAGE, CUT, DAMAGES } damage_kind;

typedef struct damage {
    uint64_t number;
    size_t store, file;
    damage_kind kind;
    size_t at;
    dice dice; /* for what is written there */
} damage;

static const char *const damage_names[DAMAGES] = { "a bit", "some bytes", "a sector", "a page",
                                                   "all from" };

typedef enum area { IN_LMDB, IN_JOURNAL, IN_BLOBS, AREAS } area;

static const char *const area_names[AREAS] = { "data.mdb", "journal", "blobs" };

typedef struct job {
    pid_t process;
    int from;
    damage damage;
} job;

typedef struct run {
    plan plan;
    size_t *newest; /* by key: the write that must be there */
    kept_store stores[STORES];
    char scratch[TOOL_PATH];
    uint64_t seed, count, only;
    bool has_only;
    const char *keep;
    unsigned jobs, busy;
    job running[JOBS_MAX];
    unsigned long counts[AREAS][OUTCOMES], shown[OUTCOMES];
} run;

/* ---- the stores ---- */

static void print_plan(FILE *to, uint64_t seed)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    dice d = dice_of(seed, 7);
    unsigned values = 0;

    for (unsigned put = 0; put < PUTS; put++) {
        size_t count = dice_chance(&d, 0.7) ? 1 : 2 + dice_below(&d, 6);
        size_t soul = dice_below(&d, 90), key = dice_below(&d, 20);
        (void)fprintf(to, "put p%u - %zu\n", put, count);
        for (size_t i = 0; i < count; i++) {
            size_t kind = dice_below(&d, 40);
            size_t len = kind < 30   ? dice_below(&d, 60)
                         : kind < 38 ? dice_below(&d, 2500)
                                     : 5000 + dice_below(&d, 9000);
            (void)fprintf(to, "soul%zu key%zu %u \"%04u", soul, key + i, 1000 + put, values++);
            if (kind != 39) (void)fputs(": ", to); /* else it is canonical base64 */
            for (size_t j = 0; j < len / 4 * 4; j++) (void)fputc(letters[dice_below(&d, 64)], to);
            (void)fputs("\"\n", to);
        }
    }
}

static void make_plan(run *r)
{
    char path[TOOL_PATH + 16];

    (void)snprintf(path, sizeof path, "%s/plan", r->scratch);
    FILE *to = fopen(path, "w");
    if (to == NULL) tool_fail("cannot write %s: %s", path, strerror(errno));
    print_plan(to, r->seed);
    if (fclose(to) != 0) tool_fail("cannot write %s: %s", path, strerror(errno));
    plan_read(&r->plan, path);
    r->newest = tool_room(r->plan.key_count, sizeof *r->newest);
    /* States grow with the puts: the last write of a key is its newest, and the
     * chain of a key begins with the last. */
    for (size_t i = 0; i < r->plan.key_count; i++) r->newest[i] = r->plan.keys[i].first - 1;
}

static void put_all(const run *r, radisk *store, size_t from, size_t to)
{
    graph *g = radisk_graph(store);
    graph_write writes[16];
    graph_ticket ticket;

    for (size_t put = from; put < to; put++) {
        const plan_put *p = &r->plan.puts[put];
        for (size_t i = 0; i < p->count; i++) {
            const plan_write *w = &r->plan.writes[p->first + i];
            const plan_key *k = &r->plan.keys[w->key];
            writes[i] = (graph_write){
                .soul = k->soul, .key = k->key, .value = w->value, .state = w->state
            };
        }
        if (g->merge(g->context, writes, p->count, (moment){ 1e12, 0 }, &ticket) != STATUS_OK)
            tool_fail("a put is not taken");
        if (put % 4 == 3 && radisk_flush(store) != STATUS_OK) tool_fail("a flush failed");
    }
    if (radisk_flush(store) != STATUS_OK) tool_fail("a flush failed");
}

/* In a process of its own, which ends by itself or is as good as killed. */
static void be_maker(const run *r, const char *folder, bool closed)
{
    char why[RADISK_WHY_MAX];
    radisk *store = judge_open(folder, why);

    if (store == NULL) tool_fail("the store does not open: %s", why);
    put_all(r, store, 0, PUTS / 2);
    if (radisk_fold(store) != STATUS_OK) tool_fail("a fold failed");
    put_all(r, store, PUTS / 2, PUTS);
    if (closed) radisk_close(store);
    _exit(0);
}

static void keep_file(kept_store *s, const char *folder, const char *name)
{
    char path[TOOL_PATH + 320];

    if (s->count == FILES_MAX) tool_fail("more files than expected");
    kept_file *f = &s->files[s->count++];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    if (strlen(name) >= sizeof f->name) tool_fail("a name is longer than expected: %s", name);
    memcpy(f->name, name, strlen(name) + 1);
    f->bytes = tool_read_file(path, &f->len);
}

static void keep_folder(kept_store *s, const char *folder, const char *inner)
{
    char path[TOOL_PATH + 320], name[300];
    struct dirent *one;
    struct stat is;

    (void)snprintf(path, sizeof path, "%s/%s", folder, inner);
    DIR *all = opendir(path);
    if (all == NULL) tool_fail("cannot list %s: %s", path, strerror(errno));
    while ((one = readdir(all)) != NULL) {
        if (one->d_name[0] == '.') continue;
        (void)snprintf(name, sizeof name, "%s%s%s", inner, inner[0] == '\0' ? "" : "/",
                       one->d_name);
        (void)snprintf(path, sizeof path, "%s/%s", folder, name);
        if (stat(path, &is) != 0) continue;
        if (S_ISDIR(is.st_mode)) keep_folder(s, folder, name);
        if (S_ISREG(is.st_mode)) keep_file(s, folder, name);
    }
    (void)closedir(all);
}

static void make_store(run *r, size_t which)
{
    char folder[TOOL_PATH + 16];
    int how;

    (void)snprintf(folder, sizeof folder, "%s/%s", r->scratch, store_names[which]);
    (void)fflush(NULL);
    pid_t maker = fork();
    if (maker == 0) be_maker(r, folder, which == 0);
    if (maker < 0 || waitpid(maker, &how, 0) != maker || how != 0) tool_fail("no store was made");
    keep_folder(&r->stores[which], folder, "");
    tool_remove(folder);
}

/* ---- one damaged copy ---- */

static area area_of(const kept_file *f)
{
    if (strncmp(f->name, "journal/", 8) == 0) return IN_JOURNAL;
    return strncmp(f->name, "blobs/", 6) == 0 ? IN_BLOBS : IN_LMDB;
}

/* Half of the damage is done to data.mdb, a quarter each to journal and blobs, as
 * far as the store has them. */
static damage draw_damage(const run *r, uint64_t number)
{
    damage d = { .number = number, .dice = dice_of(r->seed, number) };

    d.store = dice_below(&d.dice, STORES);
    const kept_store *s = &r->stores[d.store];
    area wanted = (area[]){ IN_LMDB, IN_LMDB, IN_JOURNAL, IN_BLOBS }[dice_below(&d.dice, 4)];
    size_t fitting[FILES_MAX], count = 0;
    for (int pass = 0; pass < 2 && count == 0; pass++) {
        for (size_t i = 0; i < s->count; i++) {
            bool lock = strncmp(s->files[i].name, "lock", 4) == 0;
            if (!lock && s->files[i].len > 0 && area_of(&s->files[i]) == wanted)
                fitting[count++] = i;
        }
        wanted = IN_LMDB;
    }
    if (count == 0) tool_fail("the store has no files");
    d.file = fitting[dice_below(&d.dice, count)];
    d.kind = (damage_kind)dice_below(&d.dice, DAMAGES);
    d.at = dice_below(&d.dice, s->files[d.file].len);
    /* A segment is mostly room for more: rather where something stands. */
    for (int i = 0; i < 20 && s->files[d.file].bytes[d.at] == 0; i++)
        d.at = dice_below(&d.dice, s->files[d.file].len);
    return d;
}

static size_t damage_bytes(char *bytes, size_t len, damage *d)
{
    size_t from = d->at, to = d->at;

    switch (d->kind) {
    case BIT:
        bytes[d->at] = (char)(bytes[d->at] ^ 1 << dice_below(&d->dice, 8));
        return len;
    case BYTES:
        to = from + 1 + dice_below(&d->dice, 64);
        for (size_t i = from; i < to && i < len; i++) bytes[i] = (char)dice_throw(&d->dice);
        return len;
    case SECTOR:
        from = d->at / 512 * 512;
        to = from + 512;
        break;
    case PAGE:
        from = d->at / 4096 * 4096;
        to = from + 4096;
        break;
    default:
        return d->at;
    }
    memset(bytes + from, 0, (to > len ? len : to) - from);
    return len;
}

static void lay_out(const run *r, damage *d, const char *folder)
{
    const kept_store *s = &r->stores[d->store];

    if (mkdir(folder, 0700) != 0) tool_fail("cannot make %s: %s", folder, strerror(errno));
    int at = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (at < 0) tool_fail("cannot open %s: %s", folder, strerror(errno));
    for (size_t i = 0; i < s->count; i++) {
        const kept_file *f = &s->files[i];
        char inner[64];
        (void)snprintf(inner, sizeof inner, "%s", f->name);
        char *slash = strchr(inner, '/');
        if (slash != NULL) *slash = '\0';
        if (slash != NULL && mkdirat(at, inner, 0700) != 0 && errno != EEXIST)
            tool_fail("cannot make %s: %s", inner, strerror(errno));
        size_t len = i == d->file ? damage_bytes(f->bytes, f->len, d) : f->len;
        tool_write_file(at, f->name, f->bytes, len);
    }
    (void)close(at);
}

/* ---- in the process that reads it ---- */

typedef struct reading {
    const run *run;
    graph *graph;
    report *out;
    unsigned long errors, missing, older;
} reading;

static void wrong(reading *g, const char *what, slice soul, slice key)
{
    if (g->out->outcome == WRONG) return;
    g->out->outcome = WRONG;
    (void)snprintf(g->out->text, sizeof g->out->text, "%s: %.*s %.*s", what, (int)(soul.len % 100),
                   soul.at, (int)(key.len % 100), key.at);
}

/* Whether a row is a write that was put there. */
static bool was_put(const plan *p, size_t key, const graph_row *row, bool *newest)
{
    size_t first = p->keys[key].first;

    for (size_t i = first; i != 0; i = p->writes[i - 1].next) {
        const plan_write *w = &p->writes[i - 1];
        if (w->state != row->state || !slice_equal(w->value, row->value)) continue;
        *newest = i == first;
        return true;
    }
    return false;
}

static void look_at(reading *g, size_t key)
{
    const plan_key *k = &g->run->plan.keys[key];
    bool newest = false;
    graph_row row;
    status s = g->graph->look(g->graph->context, k->soul, k->key, &row);

    if (s == STATUS_NOT_FOUND) {
        g->missing++;
    } else if (s != STATUS_OK) {
        g->errors++;
    } else if (!was_put(&g->run->plan, key, &row, &newest)) {
        wrong(g, "a look answers what was never put", k->soul, k->key);
    } else {
        g->older += !newest;
    }
}

typedef struct scanning {
    reading *reading;
    slice soul;
    unsigned long rows;
} scanning;

static bool see_row(void *visitor, const graph_row *row)
{
    scanning *c = visitor;
    const plan *p = &c->reading->run->plan;
    size_t key = plan_find_key(p, c->soul, row->key);
    bool newest;

    c->rows++;
    if (key == SIZE_MAX || !was_put(p, key, row, &newest))
        wrong(c->reading, "a scan finds what was never put", c->soul, row->key);
    return c->rows < 1000000;
}

static bool see_soul(void *visitor, const graph_row *row)
{
    scanning *c = visitor;
    const plan *p = &c->reading->run->plan;
    bool known = false;

    for (size_t i = 0; i < p->key_count && !known; i++)
        known = slice_equal(p->keys[i].soul, row->soul);
    if (!known) wrong(c->reading, "a scan finds a soul that was never put", row->soul, row->soul);
    return ++c->rows < 1000000;
}

static void scan_all(reading *g)
{
    const lex_range all = { .has_to = false };
    const plan *p = &g->run->plan;
    scanning c = { .reading = g };

    g->errors += g->graph->souls(g->graph->context, &all, see_soul, &c) != STATUS_OK;
    for (size_t i = 0; i < p->key_count; i++) {
        c = (scanning){ .reading = g, .soul = p->keys[i].soul };
        g->errors += g->graph->scan(g->graph->context, c.soul, &all, see_row, &c) != STATUS_OK;
    }
}

/* Whether the store itself has noticed something, in words or figures. */
static bool has_noticed(radisk *store, const char *why)
{
    radisk_stats figures;

    radisk_measure(store, &figures);
    return why[0] != '\0' || figures.damaged_rows > 0;
}

static void read_all(const run *r, const char *folder, report *out)
{
    reading g = { .run = r, .out = out };
    char why[RADISK_WHY_MAX];
    radisk *store = judge_open(folder, why);

    if (store == NULL) {
        out->outcome = REFUSED;
        (void)snprintf(out->text, sizeof out->text, "%.380s", why);
        return;
    }
    g.graph = radisk_graph(store);
    for (size_t i = 0; i < r->plan.key_count; i++) look_at(&g, i);
    scan_all(&g);
    if (out->outcome != WRONG) {
        bool said = g.errors > 0 || has_noticed(store, why), harmed = g.missing + g.older > 0;
        out->outcome = said ? REPORTED : harmed ? SILENT : UNHARMED;
        (void)snprintf(
            out->text, sizeof out->text,
            "%lu errors, %lu missing, %lu older than they were; at the start it said: %.200s",
            g.errors, g.missing, g.older, why[0] == '\0' ? "nothing" : why);
    }
    radisk_close(store);
}

/* Whether `brasa check` finds fault with a copy that nobody has opened yet. */
static bool check_finds_it(const run *r, damage d, const char *folder)
{
    char command[2 * TOOL_PATH + 64];
    const char *brasa = getenv("BRASA");

    if (brasa == NULL || strlen(brasa) > TOOL_PATH) return false;
    tool_remove(folder);
    lay_out(r, &d, folder);
    (void)snprintf(command, sizeof command, "'%s' check '%s' >/dev/null 2>&1", brasa, folder);
    return system(command) != 0;
}

/* Where it fell: the first caller that is not the C library. */
static void fall(int number)
{
    void *callers[64];
    int count = backtrace(callers, 64);
    Dl_info where;

    for (int i = 1; i < count; i++) {
        if (dladdr(callers[i], &where) == 0 || where.dli_fname == NULL) continue;
        if (strstr(where.dli_fname, "libc.so") != NULL || strstr(where.dli_fname, "libc-") != NULL)
            continue;
        if (where.dli_sname != NULL && strcmp(where.dli_sname, "fall") == 0) continue;
        const char *file = strrchr(where.dli_fname, '/');
        (void)dprintf(STDERR_FILENO, "%s in %s", where.dli_sname == NULL ? "?" : where.dli_sname,
                      file == NULL ? where.dli_fname : file + 1);
        break;
    }
    (void)signal(number, SIG_DFL);
    (void)raise(number);
}

static void be_reader(const run *r, damage d, int to)
{
    char folder[TOOL_PATH + 32], said[TOOL_PATH + 32];
    report out = { .outcome = UNHARMED };
    void *once[1];

    (void)alarm(PATIENCE_S);
    (void)backtrace(once, 1); /* so that it loads what it needs now */
    (void)snprintf(said, sizeof said, "%s/%d.said", r->scratch, (int)getpid());
    (void)snprintf(folder, sizeof folder, "%s/%d", r->scratch, (int)getpid());
    int words = open(said, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (words < 0) _exit(3);
    const damage same = d;
    lay_out(r, &d, folder);
    if (r->keep != NULL && rename(folder, r->keep) != 0) tool_fail("cannot keep it in %s", r->keep);
    if (r->keep == NULL) {
        (void)dup2(words, STDERR_FILENO);
        (void)signal(SIGSEGV, fall);
        (void)signal(SIGBUS, fall);
        read_all(r, folder, &out);
        if (out.outcome == SILENT && check_finds_it(r, same, folder)) out.outcome = CHECKED;
    }
    tool_remove(folder);
    (void)unlink(said);
    if (write(to, &out, sizeof out) != (ssize_t)sizeof out) _exit(3);
    _exit(0);
}

/* ---- in ours ---- */

static void read_said(const run *r, pid_t process, char *out, size_t room)
{
    char path[TOOL_PATH + 32];
    size_t len;

    (void)snprintf(path, sizeof path, "%s/%d", r->scratch, (int)process);
    tool_remove(path);
    (void)snprintf(path, sizeof path, "%s/%d.said", r->scratch, (int)process);
    if (access(path, R_OK) != 0) return;
    char *words = tool_read_file(path, &len);
    (void)snprintf(out, room, "%s", words);
    out[strcspn(out, "\n")] = '\0';
    free(words);
    (void)unlink(path);
}

/* A process that did not report: by which signal it ended, and where. LMDB's own
 * assertions name its file. */
static void explain(const run *r, pid_t process, int how, report *out)
{
    char said[SIGNS] = "";

    read_said(r, process, said, sizeof said);
    int number = WIFSIGNALED(how) ? WTERMSIG(how) : 0;
    out->outcome = FELL;
    if (number == SIGALRM) out->outcome = HUNG;
    if (number == 0 ||
        (number == SIGABRT && strstr(said, "mdb.c") == NULL && strstr(said, "liblmdb") == NULL))
        out->outcome = ASSERTED;
    (void)snprintf(out->text, sizeof out->text, "%s: %s",
                   number == 0 ? "status" : strsignal(number), said);
}

static void print_outcome(run *r, const damage *d, const report *out)
{
    unsigned long most = out->outcome >= WRONG                            ? 20
                         : out->outcome == SILENT || out->outcome == FELL ? 4
                                                                          : 0;

    if (r->has_only) most = 1;
    if (r->shown[out->outcome]++ >= most) return;
    (void)printf("  %s: --only %llu, %s of %s at %zu in the store that was %s: %s\n",
                 outcome_names[out->outcome], (unsigned long long)d->number, damage_names[d->kind],
                 r->stores[d->store].files[d->file].name, d->at, store_names[d->store], out->text);
    (void)fflush(stdout);
}

static void collect(run *r)
{
    int how;
    pid_t process = wait(&how);
    report out = { .outcome = FELL };

    for (unsigned i = 0; i < r->busy; i++) {
        job *j = &r->running[i];
        if (j->process != process) continue;
        if (read(j->from, &out, sizeof out) != (ssize_t)sizeof out) explain(r, process, how, &out);
        (void)close(j->from);
        r->counts[area_of(&r->stores[j->damage.store].files[j->damage.file])][out.outcome]++;
        print_outcome(r, &j->damage, &out);
        *j = r->running[--r->busy];
        return;
    }
}

static void start(run *r, damage d)
{
    int ends[2];

    while (r->busy >= r->jobs) collect(r);
    (void)fflush(NULL);
    if (pipe(ends) != 0) tool_fail("no pipe: %s", strerror(errno));
    pid_t process = fork();
    if (process < 0) tool_fail("cannot fork: %s", strerror(errno));
    if (process == 0) be_reader(r, d, ends[1]);
    (void)close(ends[1]);
    r->running[r->busy++] = (job){ process, ends[0], d };
}

static void read_words(run *r, int count, char **words)
{
    for (int i = 1; i < count; i++) {
        const char *value = i + 1 < count ? words[i + 1] : "";
        if (words[i][0] != '-') {
            r->count = strtoull(words[i], NULL, 10);
            continue;
        }
        if (strcmp(words[i], "--seed") == 0)
            r->seed = strtoull(value, NULL, 10);
        else if (strcmp(words[i], "--jobs") == 0)
            r->jobs = (unsigned)strtoul(value, NULL, 10);
        else if (strcmp(words[i], "--keep") == 0)
            r->keep = value;
        else if (strcmp(words[i], "--only") == 0) {
            r->has_only = true;
            r->only = strtoull(value, NULL, 10);
        } else {
            tool_fail("unknown option %s", words[i]);
        }
        i++;
    }
    if (r->jobs < 1) r->jobs = 1;
    if (r->jobs > JOBS_MAX) r->jobs = JOBS_MAX;
}

static bool print_counts(const run *r)
{
    unsigned long all = 0, bad = 0, sums[OUTCOMES] = { 0 };

    for (int where = 0; where < AREAS; where++) {
        (void)printf("%-9s", area_names[where]);
        for (int o = 0; o < OUTCOMES; o++) {
            (void)printf(" %6lu %s", r->counts[where][o], outcome_names[o]);
            all += r->counts[where][o];
            sums[o] += r->counts[where][o];
            if (o >= WRONG) bad += r->counts[where][o];
        }
        (void)putchar('\n');
    }
    (void)printf(
        "flip: %lu places of seed %llu: %lu wrong values; %lu unharmed, %lu reported, %lu refused, "
        "%lu found by check, %lu silent, %lu fell, %lu asserted, %lu hung\n",
        all, (unsigned long long)r->seed, sums[WRONG], sums[UNHARMED], sums[REPORTED],
        sums[REFUSED], sums[CHECKED], sums[SILENT], sums[FELL], sums[ASSERTED], sums[HUNG]);
    return bad == 0;
}

int main(int count, char **words)
{
    run r = { .seed = 1, .count = 500, .jobs = (unsigned)sysconf(_SC_NPROCESSORS_ONLN) };

    read_words(&r, count, words);
    tool_make_scratch(r.scratch, "flip");
    make_plan(&r);
    for (size_t i = 0; i < STORES; i++) make_store(&r, i);
    for (uint64_t i = r.has_only ? r.only : 0; i < (r.has_only ? r.only + 1 : r.count); i++)
        start(&r, draw_damage(&r, i));
    while (r.busy > 0) collect(&r);
    bool good = print_counts(&r);
    tool_remove(r.scratch);
    for (size_t i = 0; i < STORES; i++)
        for (size_t j = 0; j < r.stores[i].count; j++) free(r.stores[i].files[j].bytes);
    free(r.newest);
    plan_free(&r.plan);
    return good ? 0 : 1;
}
