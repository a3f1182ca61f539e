/* fault.c - a conversation with the store in which the k-th call fails.
 *
 *   brasa_fault [--all] [--control] [--seed S] [--jobs J]
 *               [--kind NAME] [--error NAME] [--at K [--forever]]
 *   brasa_fault --latch
 *
 * The conversation opens a store whose process was killed, merges puts of one key and of several,
 * with small and large values, waits for tickets, folds, reads, closes and opens again. Every kind
 * of call fails once, or for ever, with every errno that it may have: at its first, second, third
 * ... time, until a conversation was not touched. Each is had in a process of its own. Whatever
 * failed:
 *
 *   - nothing crashes, hangs or answers a value that was not put there;
 *   - after a fault that happened once the store takes writes again, by itself or
 *     (when it could not open, or has latched) when it is opened again;
 *   - opened without faults at the end, the store has all whose ticket was safe,
 *     every put whole, and nothing of a put that was refused.
 *
 * Without --all a sample is had, by the seed. --control takes each put that was
 * merged for safe at once: then conversations have to fail. --latch is one case by
 * itself: after two failed syncs within a minute writes answer STATUS_IO, reads go
 * on, and opening the store again ends it.
 */
#include "tests/crash/faults.h"
#include "tests/crash/judge.h"
#include "tests/crash/tool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    PUTS = 60,
    PAST = 10, /* of them put before the kill */
    PATIENCE_S = 20,
    JOBS_MAX = 16,
    SAMPLE = 6,      /* conversations for each kind, errno and duration */
    TRIES_MAX = 400, /* to have a write taken again, of TRY_MS each */
    TRY_MS = 10,
};

typedef struct cause {
    int error;
    const char *name;
} cause;

/* What a call of a kind may fail with; the first are the ones that matter most. */
static const cause of_bytes[] = { { EIO, "EIO" },           { ENOSPC, "ENOSPC" },
                                  { EDQUOT, "EDQUOT" },     { EINTR, "EINTR" },
                                  { FAULT_SHORT, "short" }, { 0, NULL } };
static const cause of_syncs[] = {
    { EIO, "EIO" }, { ENOSPC, "ENOSPC" }, { EDQUOT, "EDQUOT" }, { EINTR, "EINTR" }, { 0, NULL }
};
static const cause of_names[] = {
    { EIO, "EIO" }, { ENOSPC, "ENOSPC" }, { EACCES, "EACCES" }, { 0, NULL }
};
static const cause of_opens[] = {
    { EIO, "EIO" }, { ENOSPC, "ENOSPC" }, { EMFILE, "EMFILE" }, { EINTR, "EINTR" }, { 0, NULL }
};
static const cause of_maps[] = { { ENOMEM, "ENOMEM" }, { EIO, "EIO" }, { 0, NULL } };
static const cause of_reads[] = {
    { EIO, "EIO" }, { EINTR, "EINTR" }, { FAULT_SHORT, "short" }, { 0, NULL }
};
static const cause of_allocs[] = { { ENOMEM, "ENOMEM" }, { 0, NULL } };

static const cause *const causes[FAULT_KINDS] = {
    [FAULT_WRITE] = of_bytes,  [FAULT_SYNC] = of_syncs,   [FAULT_OPEN] = of_opens,
    [FAULT_LENGTH] = of_syncs, [FAULT_NAME] = of_names,   [FAULT_MAP] = of_maps,
    [FAULT_READ] = of_reads,   [FAULT_ALLOC] = of_allocs,
};

typedef struct fault {
    fault_kind kind;
    cause cause;
    bool forever;
    unsigned long k;
} fault;

typedef struct report {
    bool touched;                    /* the fault happened */
    unsigned acked, refused, failed; /* puts */
    verdict verdict;
    char text[JUDGE_TEXT];
} report;

/* One conversation, in its own process. */
typedef struct talk {
    const plan *plan;
    const char *folder;
    fault fault;
    radisk *store;
    graph *graph;
    graph_ticket tickets[PUTS + 1];
    bool waiting[PUTS + 1], refused[PUTS + 1], acked[PUTS + 1];
    graph_write writes[16];
    bool early; /* --control */
    report *report;
} talk;

static void fail(talk *t, verdict v, const char *what, status s)
{
    if (t->report->verdict != VERDICT_GOOD) return;
    t->report->verdict = v;
    (void)snprintf(t->report->text, sizeof t->report->text, "%s: %s", what, status_text(s));
}

/* Notes whose tickets are safe by now: those we would have told their authors. */
static void settle(talk *t)
{
    graph_progress p;

    t->graph->progress(t->graph->context, &p);
    for (size_t i = 0; i <= PUTS; i++) {
        if (!t->waiting[i]) continue;
        graph_state state = graph_settled(t->tickets[i], &p);
        t->acked[i] |= state == GRAPH_SAFE || t->early;
        t->waiting[i] = state == GRAPH_WAITING;
        t->report->failed += state == GRAPH_FAILED;
    }
}

static void open_store(talk *t)
{
    char why[RADISK_WHY_MAX];

    t->store = judge_open(t->folder, why);
    if (t->store == NULL && !t->fault.forever) t->store = judge_open(t->folder, why);
    t->graph = t->store == NULL ? NULL : radisk_graph(t->store);
    if (t->store != NULL || t->fault.forever) return;
    fail(t, VERDICT_CLOSED, "after one fault it does not open", STATUS_IO);
    (void)snprintf(t->report->text, sizeof t->report->text, "after one fault: %.300s", why);
}

static void close_store(talk *t)
{
    if (t->store == NULL) return;
    settle(t);
    radisk_close(t->store);
    t->store = NULL;
    t->graph = NULL;
    memset(t->waiting, 0, sizeof t->waiting);
}

static status merge(talk *t, size_t put)
{
    const plan_put *p = &t->plan->puts[put];
    moment now = { p->held ? 1e12 : 2e12, 0 };

    for (size_t i = 0; i < p->count; i++) {
        const plan_write *w = &t->plan->writes[p->first + i];
        const plan_key *k = &t->plan->keys[w->key];
        t->writes[i] =
            (graph_write){ .soul = k->soul, .key = k->key, .value = w->value, .state = w->state };
    }
    status s = t->graph->merge(t->graph->context, t->writes, p->count, now, &t->tickets[put]);
    t->waiting[put] = s == STATUS_OK;
    t->refused[put] = s != STATUS_OK;
    return s;
}

/* A value that is answered was put there; an error is an answer. */
static void look(talk *t, size_t key)
{
    const plan_key *k = &t->plan->keys[key];
    graph_row row;

    if (t->graph->look(t->graph->context, k->soul, k->key, &row) != STATUS_OK) return;
    for (size_t i = k->first; i != 0; i = t->plan->writes[i - 1].next)
        if (slice_equal(t->plan->writes[i - 1].value, row.value)) return;
    fail(t, VERDICT_WRONG, "a look answers what was never put", STATUS_OK);
}

static bool pass(void *visitor, const graph_row *row)
{
    (void)row;
    ++*(size_t *)visitor;
    return true;
}

static void read_some(talk *t, size_t put)
{
    const plan_write *w = &t->plan->writes[t->plan->puts[put].first];
    const lex_range all = { .has_to = false };
    size_t rows = 0;

    look(t, w->key);
    look(t, (w->key * 7) % t->plan->key_count);
    (void)!t->graph->scan(t->graph->context, t->plan->keys[w->key].soul, &all, pass, &rows);
}

static void fold(talk *t)
{
    (void)!radisk_fold(t->store);
}

static void speak(talk *t, size_t from, size_t to)
{
    for (size_t put = from; put < to && t->store != NULL; put++) {
        (void)!merge(t, put);
        radisk_turn(t->store);
        if (put % 3 == 2) (void)!radisk_flush(t->store);
        if (put % 3 == 2) radisk_turn(t->store);
        settle(t);
        if (put % 5 == 4) read_some(t, put);
        if (put % 11 == 10) fold(t);
    }
    if (t->store == NULL) return;
    (void)!radisk_flush(t->store);
    radisk_turn(t->store);
    settle(t);
}

/* The last put of the plan is kept for this: does the store take writes? How it
 * was refused last, or STATUS_OK. */
static status take_a_write(talk *t)
{
    status s = STATUS_BUSY;

    for (int i = 0; i < TRIES_MAX && t->store != NULL; i++) {
        if (!t->waiting[PUTS] && !t->acked[PUTS]) s = merge(t, PUTS);
        radisk_turn(t->store);
        (void)!radisk_flush(t->store);
        radisk_turn(t->store);
        settle(t);
        if (t->acked[PUTS]) return STATUS_OK;
        (void)usleep(TRY_MS * 1000);
    }
    return s == STATUS_OK ? STATUS_BUSY : s;
}

static void look_for_refused(talk *t)
{
    for (size_t i = 0; i <= PUTS; i++) {
        if (!t->refused[i]) continue;
        const plan_put *p = &t->plan->puts[i];
        for (size_t j = p->first; j < p->first + p->count; j++) {
            const plan_write *w = &t->plan->writes[j];
            const plan_key *k = &t->plan->keys[w->key];
            graph_row row;
            if (t->graph->look(t->graph->context, k->soul, k->key, &row) != STATUS_OK) continue;
            if (slice_equal(row.value, w->value))
                fail(t, VERDICT_WRONG, "a put that was refused is there", STATUS_OK);
        }
    }
}

/* What a process left that was killed: safe, and in the journal only. */
static void make_past(talk *t)
{
    int how = 1;
    pid_t process = fork();

    if (process == 0) {
        open_store(t);
        speak(t, 0, PAST);
        for (size_t i = 0; i < PAST; i++)
            if (!t->acked[i]) _exit(1);
        _exit(0);
    }
    (void)waitpid(process, &how, 0);
    if (how != 0) tool_fail("no store was made");
    for (size_t i = 0; i < PAST; i++) t->acked[i] = true;
}

static void have_talk(talk *t)
{
    const fault *f = &t->fault;

    make_past(t);
    faults_arm(f->kind, f->k, f->cause.error, f->forever ? -1 : 1);
    open_store(t);
    speak(t, PAST, PUTS / 2);
    close_store(t);
    open_store(t);
    speak(t, PUTS / 2, PUTS);
    status taken = f->forever ? STATUS_OK : take_a_write(t);
    if (taken != STATUS_OK)
        fail(t, VERDICT_UNREAD, "after one fault no write is taken any more", taken);
    close_store(t);
    faults_disarm();
    t->report->touched = faults_failed() > 0;
    for (size_t i = 0; i <= PUTS; i++) {
        t->report->acked += t->acked[i];
        t->report->refused += t->refused[i];
    }

    char why[RADISK_WHY_MAX];
    verdict before = t->report->verdict;
    t->store = judge_open(t->folder, why);
    if (t->store == NULL) {
        t->report->verdict = VERDICT_CLOSED;
        (void)snprintf(t->report->text, sizeof t->report->text, "without faults: %.300s", why);
        return;
    }
    t->graph = radisk_graph(t->store);
    if (before == VERDICT_GOOD)
        t->report->verdict = judge(t->store, t->plan, t->acked, t->report->text);
    look_for_refused(t);
    radisk_close(t->store);
}

/* ---- the plan ---- */

static void print_value(FILE *to, dice *d, unsigned number)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t kind = dice_below(d, 10);
    size_t len = kind < 6   ? dice_below(d, 50)
                 : kind < 9 ? dice_below(d, 2000)
                            : 5000 + dice_below(d, 9000);
    /* Four letters for the number, and a length that makes it canonical base64. */
    bool base64 = kind == 9 && dice_chance(d, 0.5);

    (void)fprintf(to, base64 ? "\"%04u" : "\"%04u: ", number);
    for (size_t i = 0; i < len / 4 * 4; i++) (void)fputc(letters[dice_below(d, 64)], to);
    (void)fputs("\"\n", to);
}

static void print_plan(FILE *to, uint64_t seed)
{
    dice d = dice_of(seed, 0);
    unsigned values = 0;

    for (unsigned put = 0; put <= PUTS; put++) {
        size_t count = dice_chance(&d, 0.6) ? 1 : 2 + dice_below(&d, 6);
        bool held = dice_chance(&d, 0.08) && put < PUTS;
        size_t soul = dice_below(&d, held ? 3 : 8), key = dice_below(&d, 6);
        double state = held ? 1.5e12 + put : put % 7 == 6 ? 1e11 + put : 5e11 + 1000.0 * put;
        (void)fprintf(to, "put p%u %s %zu\n", put,
                      held           ? "held"
                      : put % 7 == 6 ? "old"
                                     : "-",
                      count);
        for (size_t i = 0; i < count; i++) {
            (void)fprintf(to, "%s%zu k%zu %.0f ", held ? "later" : "soul", soul, key + i, state);
            print_value(to, &d, values++);
        }
    }
}

static void make_plan(plan *p, const char *folder, uint64_t seed)
{
    char path[TOOL_PATH + 16];

    (void)snprintf(path, sizeof path, "%s/plan", folder);
    FILE *to = fopen(path, "w");
    if (to == NULL) tool_fail("cannot write %s: %s", path, strerror(errno));
    print_plan(to, seed);
    if (fclose(to) != 0) tool_fail("cannot write %s: %s", path, strerror(errno));
    plan_read(p, path);
}

/* ---- many of them ---- */

typedef struct run {
    plan plan;
    char scratch[TOOL_PATH];
    uint64_t seed;
    bool all, early, latch;
    unsigned jobs;
    int only_kind, only_error;
    unsigned long only_at;
    bool only_forever;
    unsigned long conversations, failed, shown;
    unsigned long acked, refused, failed_puts;
} run;

typedef struct job {
    pid_t process;
    int from;
    fault fault;
} job;

static void be_talk(const run *r, fault f, int to)
{
    char folder[TOOL_PATH + 32];
    report out = { .verdict = VERDICT_GOOD };
    talk t = { .plan = &r->plan, .folder = folder, .fault = f, .early = r->early, .report = &out };

    (void)alarm(PATIENCE_S);
    (void)snprintf(folder, sizeof folder, "%s/%d", r->scratch, (int)getpid());
    have_talk(&t);
    tool_remove(folder);
    if (write(to, &out, sizeof out) != (ssize_t)sizeof out) _exit(3);
    _exit(0);
}

static job start(const run *r, fault f)
{
    int ends[2];

    (void)fflush(NULL);
    if (pipe(ends) != 0) tool_fail("no pipe: %s", strerror(errno));
    pid_t process = fork();
    if (process < 0) tool_fail("cannot fork: %s", strerror(errno));
    if (process == 0) be_talk(r, f, ends[1]);
    (void)close(ends[1]);
    return (job){ process, ends[0], f };
}

static void collect(run *r, const job *j, report *out)
{
    int how = 0;

    if (read(j->from, out, sizeof *out) != (ssize_t)sizeof *out) {
        (void)waitpid(j->process, &how, 0);
        *out = (report){ .verdict = VERDICT_DIED, .touched = true };
        (void)snprintf(out->text, sizeof out->text, "it ended with %s %d",
                       WIFSIGNALED(how) ? "signal" : "status",
                       WIFSIGNALED(how) ? WTERMSIG(how) : WEXITSTATUS(how));
    } else {
        (void)waitpid(j->process, &how, 0);
    }
    (void)close(j->from);
    r->conversations++;
    r->acked += out->acked;
    r->refused += out->refused;
    r->failed_puts += out->failed;
    if (out->verdict == VERDICT_GOOD) return;
    r->failed++;
    if (++r->shown > 60) return;
    (void)printf("  --kind %s --error %s --at %lu%s: %s: %s\n", fault_names[j->fault.kind],
                 j->fault.cause.name, j->fault.k, j->fault.forever ? " --forever" : "",
                 verdict_names[out->verdict], out->text);
}

/* Calls of a kind in a conversation that nothing touches. */
static unsigned long count_calls(run *r, fault f)
{
    char folder[TOOL_PATH + 32];
    report out = { .verdict = VERDICT_GOOD };
    int ends[2];
    unsigned long seen = 0;

    f.k = 0;
    if (pipe(ends) != 0) tool_fail("no pipe: %s", strerror(errno));
    pid_t process = fork();
    if (process == 0) {
        talk t = { .plan = &r->plan, .folder = folder, .fault = f, .report = &out };
        (void)alarm(PATIENCE_S);
        (void)snprintf(folder, sizeof folder, "%s/%d", r->scratch, (int)getpid());
        have_talk(&t);
        tool_remove(folder);
        seen = faults_seen();
        if (out.verdict != VERDICT_GOOD) tool_fail("without a fault: %s", out.text);
        if (write(ends[1], &seen, sizeof seen) != (ssize_t)sizeof seen) _exit(3);
        _exit(0);
    }
    (void)close(ends[1]);
    bool told = read(ends[0], &seen, sizeof seen) == (ssize_t)sizeof seen;
    (void)close(ends[0]);
    (void)waitpid(process, NULL, 0);
    if (!told) tool_fail("the conversation fails without a fault");
    return seen;
}

/* Takes the conversations of some moments, a few at a time; the number of those
 * at its end that nothing touched. */
static unsigned long have_some(run *r, fault f, const unsigned long *moments, size_t count)
{
    job jobs[JOBS_MAX];
    unsigned long untouched = 0;

    for (size_t done = 0; done < count;) {
        size_t some = 0;
        for (; some < r->jobs && done + some < count; some++) {
            f.k = moments[done + some];
            jobs[some] = start(r, f);
        }
        for (size_t i = 0; i < some; i++) {
            report out;
            collect(r, &jobs[i], &out);
            untouched = out.touched ? 0 : untouched + 1;
        }
        done += some;
    }
    return untouched;
}

/* Every moment, until some in a row found no such call any more: two threads do
 * not make the same number of calls each time. */
static unsigned long have_all(run *r, fault f)
{
    unsigned long k = 1, untouched = 0;

    while (untouched < 2 * r->jobs) {
        unsigned long moments[JOBS_MAX];
        for (unsigned i = 0; i < r->jobs; i++) moments[i] = k + i;
        unsigned long now = have_some(r, f, moments, r->jobs);
        untouched = now == r->jobs ? untouched + now : now;
        k += r->jobs;
    }
    return k - 1 - untouched;
}

static void have_kind(run *r, fault f)
{
    unsigned long before = r->conversations, bad = r->failed, calls = 0;

    if (r->all) {
        calls = have_all(r, f);
    } else {
        unsigned long moments[SAMPLE];
        dice d = dice_of(r->seed,
                         (uint64_t)f.kind * 100 + (uint64_t)(f.cause.error + 1) * 2 + f.forever);
        calls = count_calls(r, f);
        if (calls == 0) return;
        for (size_t i = 0; i < SAMPLE; i++)
            moments[i] = i == 0 ? 1 : 1 + (calls * i + dice_below(&d, calls)) / SAMPLE;
        (void)have_some(r, f, moments, SAMPLE);
    }
    (void)printf("%-6s %-6s %-7s %5lu calls, %5lu conversations, %lu failed\n", fault_names[f.kind],
                 f.cause.name, f.forever ? "forever" : "once", calls, r->conversations - before,
                 r->failed - bad);
    (void)fflush(stdout);
}

static void have_everything(run *r)
{
    for (int kind = 0; kind < FAULT_KINDS; kind++) {
        if (r->only_kind >= 0 && kind != r->only_kind) continue;
        for (const cause *c = causes[kind]; c->name != NULL; c++) {
            if (r->only_error != 0 && c->error != r->only_error) continue;
            for (int forever = 0; forever < 2; forever++) {
                /* A call that is interrupted for ever is made for ever. */
                if (forever && (c->error == EINTR || c->error == FAULT_SHORT)) continue;
                have_kind(r, (fault){ (fault_kind)kind, *c, forever != 0, 0 });
            }
        }
    }
}

static void have_one(run *r)
{
    fault f = { (fault_kind)r->only_kind, { 0 }, r->only_forever, 0 };

    for (const cause *c = causes[f.kind]; c->name != NULL; c++)
        if (c->error == r->only_error) f.cause = *c;
    (void)have_some(r, f, &r->only_at, 1);
}

/* ---- the latch ---- */

static void expect(run *r, bool is, const char *what)
{
    (void)printf("%-6s %s\n", is ? "ok" : "FAILED", what);
    r->failed += !is;
}

static void turn_until_settled(talk *t)
{
    (void)!radisk_flush(t->store);
    radisk_turn(t->store);
    settle(t);
}

static void see_latch(run *r)
{
    char folder[TOOL_PATH + 32], said[JUDGE_TEXT];
    report out = { .verdict = VERDICT_GOOD };
    talk t = { .plan = &r->plan, .folder = folder, .report = &out };
    radisk_stats figures;
    graph_row row;

    (void)snprintf(folder, sizeof folder, "%s/latch", r->scratch);
    r->conversations++;
    open_store(&t);
    if (t.store == NULL) tool_fail("the store does not open");
    speak(&t, 0, 6);
    expect(r, t.acked[0] && t.acked[5], "before: puts become safe");
    faults_arm(FAULT_SYNC, 1, EIO, 2);
    expect(r, merge(&t, 6) == STATUS_OK, "a put is taken before its sync fails");
    for (int i = 0; i < TRIES_MAX && faults_failed() < 2; i++) {
        turn_until_settled(&t);
        (void)usleep(TRY_MS * 1000);
    }
    turn_until_settled(&t);
    faults_disarm();
    expect(r, faults_failed() == 2, "its sync fails, and so does the one of the fresh segment");
    radisk_measure(t.store, &figures);
    expect(r, figures.latched && !radisk_ready(t.store), "the store says that it has latched");
    expect(r, !t.acked[6], "the put was never safe");
    expect(r, merge(&t, 7) == STATUS_IO, "the next put answers STATUS_IO");
    (void)usleep(1500 * 1000);
    turn_until_settled(&t);
    expect(r, merge(&t, 8) == STATUS_IO, "so does one later, though the disk is well again");
    const plan_key *k = &t.plan->keys[t.plan->writes[t.plan->puts[0].first].key];
    expect(r, t.graph->look(t.graph->context, k->soul, k->key, &row) == STATUS_OK, "reads go on");
    close_store(&t);
    open_store(&t);
    expect(r, t.store != NULL && merge(&t, 9) == STATUS_OK, "opened again, it takes puts");
    turn_until_settled(&t);
    expect(r, t.acked[9], "and they become safe");
    verdict v = judge(t.store, t.plan, t.acked, said);
    expect(r, v == VERDICT_GOOD, v == VERDICT_GOOD ? "all that was safe is there" : said);
    close_store(&t);
}

static int kind_of(const char *name)
{
    for (int i = 0; i < FAULT_KINDS; i++)
        if (strcmp(fault_names[i], name) == 0) return i;
    tool_fail("there is no kind %s", name);
}

static int error_of(const char *name)
{
    for (int i = 0; i < FAULT_KINDS; i++)
        for (const cause *c = causes[i]; c->name != NULL; c++)
            if (strcmp(c->name, name) == 0) return c->error;
    tool_fail("there is no error %s", name);
}

static void read_words(run *r, int count, char **words)
{
    for (int i = 1; i < count; i++) {
        const char *value = i + 1 < count ? words[i + 1] : "";
        bool flag = true;
        if (strcmp(words[i], "--all") == 0)
            r->all = true;
        else if (strcmp(words[i], "--control") == 0)
            r->early = true;
        else if (strcmp(words[i], "--latch") == 0)
            r->latch = true;
        else if (strcmp(words[i], "--forever") == 0)
            r->only_forever = true;
        else
            flag = false;
        if (flag) continue;
        if (strcmp(words[i], "--seed") == 0)
            r->seed = strtoull(value, NULL, 10);
        else if (strcmp(words[i], "--jobs") == 0)
            r->jobs = (unsigned)strtoul(value, NULL, 10);
        else if (strcmp(words[i], "--kind") == 0)
            r->only_kind = kind_of(value);
        else if (strcmp(words[i], "--error") == 0)
            r->only_error = error_of(value);
        else if (strcmp(words[i], "--at") == 0)
            r->only_at = strtoul(value, NULL, 10);
        else
            tool_fail("unknown option %s", words[i]);
        i++;
    }
    if (r->jobs < 1) r->jobs = 1;
    if (r->jobs > JOBS_MAX) r->jobs = JOBS_MAX;
}

int main(int count, char **words)
{
    run r = { .seed = 1, .only_kind = -1, .jobs = (unsigned)sysconf(_SC_NPROCESSORS_ONLN) };

    read_words(&r, count, words);
    tool_make_scratch(r.scratch, "fault");
    make_plan(&r.plan, r.scratch, r.seed);
    if (r.latch)
        see_latch(&r);
    else if (r.only_at != 0)
        have_one(&r);
    else
        have_everything(&r);
    tool_remove(r.scratch);
    plan_free(&r.plan);
    (void)printf("fault: %lu conversations, %lu failed; of their puts %lu were safe, %lu refused, "
                 "%lu failed\n",
                 r.conversations, r.failed, r.acked, r.refused, r.failed_puts);
    return r.failed == 0 ? 0 : 1;
}
