/* image.c - crash images of a recording, each opened and judged.
 *
 *   brasa_image TAPE PLAN [--images N] [--seed S] [--only I] [--keep FOLDER]
 *               [--lie I | --lies] [--jobs J]
 *
 * Image I of seed S is one moment of the recording and one state in which a loss
 * of power may leave the disk then; the same numbers draw it again. Half of the
 * moments are those right after an ack or a change of a name, where it is decided
 * whether a promise was kept; a tenth are in a start of the server. Each image is opened by
 * recovery in a process of its own, one in eight twice, and compared with what had been
 * acknowledged.
 *
 * --lies tells the recording as of servers that break a rule; each has to be
 * caught. --lie I looks at one of them, all images. --keep leaves image I there.
 * Status 0: as it should be.
 */
#include "tests/crash/judge.h"
#include "tests/crash/story.h"
#include "tests/crash/world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* A recovery that takes longer than this hangs. */
enum { PATIENCE_S = 60, JOBS_MAX = 64 };

/* The events in which a start, and the recovery in it, is mostly over. */
enum { START = 100 };

typedef struct ask {
    const char *tape, *plan, *keep;
    size_t images;
    uint64_t seed, only;
    bool has_only, lies;
    int lie;
    unsigned jobs;
} ask;

/* One image, as it is drawn before anything is told. */
typedef struct image {
    uint64_t number;
    size_t cut; /* how many events it has seen */
    dice dice;
} image;

typedef struct report {
    verdict verdict;
    char text[JUDGE_TEXT];
} report;

typedef struct job {
    pid_t process;
    int from; /* the end of a pipe */
    image image;
} job;

typedef struct run {
    const ask *ask;
    const plan *plan;
    const story *story;
    char scratch[TOOL_PATH];
    size_t *turning; /* events right after which a promise is kept or not */
    size_t turning_count;
    size_t *starts; /* of the server */
    size_t start_count;
    bool *acked; /* by put, at the moment that was told */
    world *world;
    job jobs[JOBS_MAX];
    unsigned busy;
    bool until_bad;
    size_t counts[VERDICT_COUNT], done, shown;
    double writes, names; /* unsure, in all images */
} run;

static void find_turning(run *r)
{
    r->turning = tool_room(r->story->count + 1, sizeof *r->turning);
    r->starts = tool_room(r->story->count + 1, sizeof *r->starts);
    for (size_t i = 0; i < r->story->count; i++) {
        uint32_t kind = r->story->events[i].kind;
        if (kind == STORY_ACK || kind == TAPE_REMOVE || kind == TAPE_MOVE || kind == TAPE_MAKE)
            r->turning[r->turning_count++] = i + 1;
        if (kind == TAPE_RUN) r->starts[r->start_count++] = i + 1;
    }
}

static image draw_image(const run *r, uint64_t number)
{
    image one = { .number = number, .dice = dice_of(r->ask->seed, number) };

    if (r->start_count > 0 && dice_chance(&one.dice, 0.1)) {
        one.cut = r->starts[dice_below(&one.dice, r->start_count)] + dice_below(&one.dice, START);
        if (one.cut > r->story->count) one.cut = r->story->count;
    } else if (r->turning_count > 0 && dice_chance(&one.dice, 0.5))
        one.cut = r->turning[dice_below(&one.dice, r->turning_count)];
    else
        one.cut = dice_below(&one.dice, r->story->count + 1);
    return one;
}

static int order_images(const void *a, const void *b)
{
    const image *x = a, *y = b;

    if (x->cut != y->cut) return x->cut < y->cut ? -1 : 1;
    return x->number < y->number ? -1 : 1;
}

/* ---- in the process of an image ---- */

static void look(const run *r, const char *folder, report *out)
{
    char why[RADISK_WHY_MAX];
    radisk *store = judge_open(folder, why);

    if (store == NULL) {
        out->verdict = VERDICT_CLOSED;
        (void)snprintf(out->text, sizeof out->text, "it does not open: %.300s", why);
        return;
    }
    out->verdict = judge(store, r->plan, r->acked, out->text);
    radisk_close(store);
}

static void be_image(const run *r, image one, int to)
{
    char folder[TOOL_PATH + 32], data[TOOL_PATH + 64];
    report out = { .verdict = VERDICT_GOOD };

    (void)alarm(PATIENCE_S);
    (void)snprintf(folder, sizeof folder, "%s/%llu", r->scratch, (unsigned long long)one.number);
    (void)snprintf(data, sizeof data, "%s/data", folder);
    if (mkdir(folder, 0700) != 0) tool_fail("cannot make %s: %s", folder, strerror(errno));
    world_draw(r->world, &one.dice, folder);
    if (r->ask->keep == NULL) {
        look(r, data, &out);
        if (out.verdict == VERDICT_GOOD && one.number % 8 == 0) look(r, data, &out);
        tool_remove(folder);
    } else if (rename(folder, r->ask->keep) != 0) {
        tool_fail("cannot move the image to %s: %s", r->ask->keep, strerror(errno));
    }
    if (write(to, &out, sizeof out) != (ssize_t)sizeof out) _exit(3);
    _exit(0);
}

/* ---- in ours ---- */

static void count(run *r, const job *j, const report *out)
{
    r->counts[out->verdict]++;
    r->done++;
    if (out->verdict == VERDICT_GOOD || r->shown >= 5 || r->until_bad) return;
    r->shown++;
    (void)printf("  image %llu, cut at %zu of %zu: %s: %s\n", (unsigned long long)j->image.number,
                 j->image.cut, r->story->count, verdict_names[out->verdict], out->text);
    (void)fflush(stdout);
}

static void collect(run *r)
{
    int how;
    pid_t process = wait(&how);
    report out = { .verdict = VERDICT_DIED };

    for (unsigned i = 0; i < r->busy; i++) {
        job *j = &r->jobs[i];
        if (j->process != process) continue;
        if (read(j->from, &out, sizeof out) != (ssize_t)sizeof out) {
            char folder[TOOL_PATH + 32];
            out.verdict = VERDICT_DIED;
            (void)snprintf(out.text, sizeof out.text, "the process ended with %s %d",
                           WIFSIGNALED(how) ? "signal" : "status",
                           WIFSIGNALED(how) ? WTERMSIG(how) : WEXITSTATUS(how));
            (void)snprintf(folder, sizeof folder, "%s/%llu", r->scratch,
                           (unsigned long long)j->image.number);
            tool_remove(folder);
        }
        (void)close(j->from);
        count(r, j, &out);
        *j = r->jobs[--r->busy];
        return;
    }
}

static void start(run *r, image one)
{
    int ends[2];

    while (r->busy >= r->ask->jobs) collect(r);
    if (r->until_bad && r->counts[VERDICT_GOOD] != r->done) return;
    (void)fflush(NULL);
    if (pipe(ends) != 0) tool_fail("no pipe: %s", strerror(errno));
    pid_t process = fork();
    if (process < 0) tool_fail("cannot fork: %s", strerror(errno));
    if (process == 0) be_image(r, one, ends[1]);
    (void)close(ends[1]);
    r->jobs[r->busy++] = (job){ process, ends[0], one };
}

static void tell_until(run *r, size_t *told, size_t cut)
{
    for (; *told < cut; ++*told) {
        const event *e = &r->story->events[*told];
        if (e->kind == STORY_ACK)
            r->acked[e->at] = true;
        else
            world_tell(r->world, e);
    }
}

static void look_at_images(run *r)
{
    size_t count_wanted = r->ask->has_only ? 1 : r->ask->images, told = 0;
    image *all = tool_room(count_wanted, sizeof *all);

    for (size_t i = 0; i < count_wanted; i++)
        all[i] = draw_image(r, r->ask->has_only ? r->ask->only : i);
    qsort(all, count_wanted, sizeof *all, order_images);
    for (size_t i = 0; i < count_wanted; i++) {
        if (r->until_bad && r->counts[VERDICT_GOOD] != r->done) break;
        tell_until(r, &told, all[i].cut);
        world_doubt doubt = world_unsure(r->world);
        r->writes += (double)doubt.writes;
        r->names += (double)doubt.names;
        start(r, all[i]);
    }
    while (r->busy > 0) collect(r);
    free(all);
}

static void print_counts(const run *r)
{
    const char *between = "";

    for (int v = 0; v < VERDICT_COUNT; v++) {
        if (r->counts[v] == 0 && v != VERDICT_GOOD) continue;
        (void)printf("%s%zu %s", between, r->counts[v], verdict_names[v]);
        between = ", ";
    }
}

/* Runs one story through; whether it was all good. */
static bool run_story(const ask *a, const plan *p, const story *s, story_lie lie, bool until_bad)
{
    run r = { .ask = a, .plan = p, .story = s, .until_bad = until_bad };
    double began = tool_now_ms();

    r.acked = tool_room(p->put_count, sizeof *r.acked);
    r.world = world_new();
    tool_make_scratch(r.scratch, "power");
    find_turning(&r);
    look_at_images(&r);
    tool_remove(r.scratch);
    double seconds = (tool_now_ms() - began) / 1000;
    (void)printf("%s: %zu images of seed %llu: ", story_lie_names[lie], r.done,
                 (unsigned long long)a->seed);
    print_counts(&r);
    (void)printf(" (%zu events, %zu acks, %zu starts, %zu failed syncs; unsure in the middle %.0f "
                 "writes and %.1f "
                 "names; %.0f images/s)\n",
                 s->count, s->acks, s->runs, s->failed, r.writes / (double)(r.done ? r.done : 1),
                 r.names / (double)(r.done ? r.done : 1), (double)r.done / seconds);
    (void)fflush(stdout);
    world_free(r.world);
    free(r.acked);
    free(r.turning);
    free(r.starts);
    return r.counts[VERDICT_GOOD] == r.done;
}

static bool run_lie(const ask *a, const plan *p, const story *s, story_lie lie, bool until_bad,
                    bool *nothing)
{
    story told;

    *nothing = !story_tell(&told, s, lie, p);
    bool good = *nothing || run_story(a, p, &told, lie, until_bad);
    free(told.events);
    return good;
}

/* Whether every lie was caught. */
static bool run_lies(const ask *a, const plan *p, const story *s)
{
    unsigned caught = 0, lived = 0, none = 0;

    for (int lie = LIE_NONE + 1; lie < LIE_COUNT; lie++) {
        bool nothing, good = run_lie(a, p, s, (story_lie)lie, true, &nothing);
        if (nothing) (void)printf("%s: nothing of the kind was recorded\n", story_lie_names[lie]);
        none += nothing;
        lived += !nothing && good;
        caught += !nothing && !good;
    }
    (void)printf("controls: %u caught, %u not caught, %u not told\n", caught, lived, none);
    return lived == 0 && none == 0;
}

static ask read_ask(int count, char **words)
{
    ask a = { .images = 200, .seed = 1, .jobs = (unsigned)sysconf(_SC_NPROCESSORS_ONLN) };

    if (count < 3) tool_fail("brasa_image TAPE PLAN [--images N] [--seed S] [--lies] ...");
    a.tape = words[1];
    a.plan = words[2];
    for (int i = 3; i < count; i++) {
        const char *value = i + 1 < count ? words[i + 1] : "";
        if (strcmp(words[i], "--lies") == 0) {
            a.lies = true;
            continue;
        }
        if (strcmp(words[i], "--images") == 0)
            a.images = strtoull(value, NULL, 10);
        else if (strcmp(words[i], "--seed") == 0)
            a.seed = strtoull(value, NULL, 10);
        else if (strcmp(words[i], "--jobs") == 0)
            a.jobs = (unsigned)strtoul(value, NULL, 10);
        else if (strcmp(words[i], "--lie") == 0)
            a.lie = (int)strtol(value, NULL, 10);
        else if (strcmp(words[i], "--keep") == 0)
            a.keep = value;
        else if (strcmp(words[i], "--only") == 0) {
            a.has_only = true;
            a.only = strtoull(value, NULL, 10);
        } else
            tool_fail("unknown option %s", words[i]);
        i++;
    }
    if (a.jobs < 1) a.jobs = 1;
    if (a.jobs > JOBS_MAX) a.jobs = JOBS_MAX;
    if (a.lie < 0 || a.lie >= LIE_COUNT) tool_fail("there is no such lie");
    return a;
}

int main(int count, char **words)
{
    ask a = read_ask(count, words);
    plan p;
    story s;
    bool good, nothing;

    plan_read(&p, a.plan);
    story_read(&s, a.tape, &p);
    if (a.lies)
        good = run_lies(&a, &p, &s);
    else if (a.lie != LIE_NONE)
        good = run_lie(&a, &p, &s, (story_lie)a.lie, false, &nothing);
    else
        good = run_story(&a, &p, &s, LIE_NONE, false);
    story_free(&s);
    plan_free(&p);
    return good ? 0 : 1;
}
