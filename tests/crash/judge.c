/* judge.c - see judge.h. */
#include "tests/crash/judge.h"

#include "tests/crash/tool.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

const char *const verdict_names[VERDICT_COUNT] = {
    [VERDICT_GOOD] = "good",    [VERDICT_CLOSED] = "not opened", [VERDICT_UNREAD] = "unreadable",
    [VERDICT_LOST] = "lost",    [VERDICT_HALF] = "half",         [VERDICT_WRONG] = "wrong",
    [VERDICT_DIED] = "crashed",
};

/* Two hours on, when all that is held has come due. */
#define LATER_MS (2 * 3600e3)

enum { NOTHING = 0 }; /* of judged.found */

typedef struct judged {
    const plan *plan;
    graph *graph;
    size_t *found; /* by key: one more than the write that is there */
    size_t rows, rows_seen;
    size_t soul; /* of a scan: any key of it */
    slice *souls;
    size_t soul_count, soul_room;
    verdict verdict;
    char *text;
} judged;

__attribute__((format(printf, 3, 4))) static void say(judged *j, verdict v, const char *format, ...)
{
    va_list arguments;

    if (j->verdict != VERDICT_GOOD) return;
    j->verdict = v;
    va_start(arguments, format);
    (void)vsnprintf(j->text, JUDGE_TEXT, format, arguments);
    va_end(arguments);
}

radisk *judge_open(const char *folder, char why[static RADISK_WHY_MAX])
{
    radisk *store = NULL;
    /* Small, so that little zero-filling is to be done and much is folded. */
    const radisk_options options = { .folder = folder,
                                     .secret = { 1 },
                                     .limits = { .overlay_max = 8 << 20,
                                                 .segment_bytes = 96 << 10,
                                                 .fold_rows = 64,
                                                 .changelog_bytes = 256 << 10,
                                                 .blob_segment_bytes = 64 << 10 } };

    why[0] = '\0';
    status s = radisk_open(&store, &options, why);
    if (s == STATUS_OK) return store;
    if (why[0] == '\0') (void)snprintf(why, RADISK_WHY_MAX, "%s", status_text(s));
    return NULL;
}

static void look_at_key(judged *j, size_t key)
{
    const plan_key *k = &j->plan->keys[key];
    graph_row row;
    status s = j->graph->look(j->graph->context, k->soul, k->key, &row);

    j->found[key] = NOTHING;
    if (s == STATUS_NOT_FOUND) return;
    if (s != STATUS_OK) {
        say(j, VERDICT_UNREAD, "%.*s %.*s: %s", (int)k->soul.len, k->soul.at, (int)k->key.len,
            k->key.at, status_text(s));
        return;
    }
    j->rows++;
    for (size_t i = k->first; i != 0; i = j->plan->writes[i - 1].next) {
        const plan_write *w = &j->plan->writes[i - 1];
        if (w->state == row.state && slice_equal(w->value, row.value)) j->found[key] = i;
    }
    if (j->found[key] == NOTHING)
        say(j, VERDICT_WRONG, "%.*s %.*s holds what was never sent: %.*s (%zu bytes) at %.17g",
            (int)k->soul.len, k->soul.at, (int)k->key.len, k->key.at,
            (int)(row.value.len < 60 ? row.value.len : 60), row.value.at, row.value.len, row.state);
}

static bool note_soul(void *visitor, const graph_row *row)
{
    judged *j = visitor;
    char *name = malloc(row->soul.len + 1);

    if (name == NULL) return false;
    memcpy(name, row->soul.at, row->soul.len);
    j->souls = tool_grow(j->souls, j->soul_count, &j->soul_room, sizeof *j->souls);
    j->souls[j->soul_count++] = (slice){ name, row->soul.len };
    return true;
}

typedef struct soul_scan {
    judged *judged;
    slice soul;
} soul_scan;

static bool note_row(void *visitor, const graph_row *row)
{
    soul_scan *scan = visitor;
    judged *j = scan->judged;
    size_t key = plan_find_key(j->plan, scan->soul, row->key);

    j->rows_seen++;
    if (key == SIZE_MAX || j->found[key] == NOTHING) {
        say(j, VERDICT_WRONG, "a scan finds %.*s %.*s, %s", (int)scan->soul.len, scan->soul.at,
            (int)row->key.len, row->key.at,
            key == SIZE_MAX ? "which was never sent" : "which a look does not");
    } else if (!slice_equal(j->plan->writes[j->found[key] - 1].value, row->value)) {
        say(j, VERDICT_WRONG, "a scan finds another value in %.*s %.*s than a look",
            (int)scan->soul.len, scan->soul.at, (int)row->key.len, row->key.at);
    }
    return true;
}

/* All there is, as scans tell it. */
static void scan_all(judged *j)
{
    const lex_range all = { .has_to = false };
    status s = j->graph->souls(j->graph->context, &all, note_soul, j);

    for (size_t i = 0; i < j->soul_count && s == STATUS_OK; i++) {
        soul_scan scan = { j, j->souls[i] };
        s = j->graph->scan(j->graph->context, scan.soul, &all, note_row, &scan);
    }
    if (s != STATUS_OK) say(j, VERDICT_UNREAD, "a scan ended with: %s", status_text(s));
    if (s == STATUS_OK && j->rows_seen != j->rows)
        say(j, VERDICT_WRONG, "looks find %zu rows, scans %zu", j->rows, j->rows_seen);
    for (size_t i = 0; i < j->soul_count; i++) free((void *)(uintptr_t)j->souls[i].at);
    free(j->souls);
}

static bool note_due(void *visitor, const graph_row *row)
{
    (void)row;
    ++*(size_t *)visitor;
    return true;
}

static void let_all_come_due(judged *j)
{
    moment later = { tool_now_ms() + LATER_MS, 0 };
    size_t came = 0;

    while (j->verdict == VERDICT_GOOD && isfinite(j->graph->next_due(j->graph->context))) {
        status s = j->graph->due(j->graph->context, later, 1000, note_due, &came);
        if (s != STATUS_OK) say(j, VERDICT_UNREAD, "what is held answers: %s", status_text(s));
    }
}

/* Whether the key of a write has it, or a newer one. */
static bool is_there(const judged *j, const plan_write *w)
{
    size_t found = j->found[w->key];

    if (found == NOTHING) return false;
    const plan_write *f = &j->plan->writes[found - 1];
    const ham_write has = { f->state, f->value }, wanted = { w->state, w->value };
    ham_verdict v = ham_judge(&has, &wanted, INFINITY);
    return v == HAM_SAME || v == HAM_KEEP;
}

static void judge_purge(judged *j, size_t key, const bool *acked)
{
    const plan_key *k = &j->plan->keys[key];

    if (k->purged == 0 || k->purged > j->plan->put_count || !acked[k->purged - 1]) return;
    if (j->found[key] != NOTHING)
        say(j, VERDICT_WRONG, "%.*s %.*s was purged, and is back", (int)k->soul.len, k->soul.at,
            (int)k->key.len, k->key.at);
}

static void judge_put(judged *j, size_t put, bool acked)
{
    const plan_put *p = &j->plan->puts[put];
    size_t there = 0;
    bool some = false;
    const plan_write *missing = NULL;

    for (size_t i = p->first; i < p->first + p->count; i++) {
        const plan_write *w = &j->plan->writes[i];
        bool purged = j->plan->keys[w->key].purged != 0;
        some |= j->found[w->key] == i + 1;
        there += purged || is_there(j, w);
        if (!purged && !is_there(j, w)) missing = w;
    }
    if (there == p->count) return;
    const plan_key *k = &j->plan->keys[missing->key];
    if (acked)
        say(j, VERDICT_LOST, "put %.*s%s was acknowledged: %.*s %.*s at %.17g is not there",
            (int)p->id.len, p->id.at,
            p->old    ? " (superseded)"
            : p->held ? " (held)"
                      : "",
            (int)k->soul.len, k->soul.at, (int)k->key.len, k->key.at, missing->state);
    else if (some)
        say(j, VERDICT_HALF, "of put %.*s %zu keys of %zu are there; not %.*s %.*s", (int)p->id.len,
            p->id.at, there, p->count, (int)k->soul.len, k->soul.at, (int)k->key.len, k->key.at);
}

verdict judge(radisk *store, const plan *p, const bool *acked, char said[static JUDGE_TEXT])
{
    judged j = { .plan = p, .graph = radisk_graph(store), .text = said };

    said[0] = '\0';
    j.found = tool_room(p->key_count, sizeof *j.found);
    let_all_come_due(&j);
    for (size_t i = 0; i < p->key_count; i++) look_at_key(&j, i);
    scan_all(&j);
    for (size_t i = 0; i < p->key_count; i++) judge_purge(&j, i, acked);
    for (size_t i = 0; i < p->put_count; i++) judge_put(&j, i, acked[i]);
    free(j.found);
    return j.verdict;
}
