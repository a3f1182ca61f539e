/* relay_check.c - whether its author may write it.
 *
 * Only news are checked: what HAM keeps or knows already costs no curve. What
 * needs no crypto is judged here and now; signatures and hashes are handed out,
 * CHECK_KEYS at a time and CHECKS_OUT_MAX checks of one message at the most, so
 * that a put of 100,000 keys neither floods the pool nor starves others of it.
 *
 * An author's put is whole or refused: the first refusal ends it. Of an answer the
 * good keys are kept.
 *
 * Two questions are asked only here, when an author's put is first admitted, and
 * never of what peers pass on: whether a certificate has run out by our clock, and
 * whether its owner has blocked its bearer by now. Other relays may have answered
 * them otherwise, earlier; what is kept must not depend on it.
 */
#include "core/relay_inside.h"
#include "core/value.h"

#include <stdlib.h>

static const slice none = { "", 0 };

enum { MARK_WANTED, MARK_OUT, MARK_GOOD, MARK_BAD };

/* A bearer's finding: two keys and a name. */
enum { FINDING_BYTES = 512 };

/* --- who is concerned --- */

typedef struct kind_of_soul {
    slice soul;
    sea_kind kind;
} kind_of_soul;

static sea_kind kind_of(kind_of_soul *last, slice soul)
{
    if (last->soul.at == NULL || !slice_equal(last->soul, soul)) {
        last->soul = soul;
        last->kind = sea_kind_of(soul, NULL, NULL);
    }
    return last->kind;
}

static bool is_trusted(const relay *r, const relay_peer *p, const message *m)
{
    return p->trusted || (r->guard != NULL && m->token.len > 0 && guard_trusts(r->guard, m->token));
}

/* What the write mode says of it; NULL: it may be written. */
static const char *mode_refuses(const relay *r, const graph_write *w, bool trusted)
{
    if (r->guard == NULL) return NULL;
    return guard_refuses(r->guard, w->soul, w->key, policy_is_fleeting(&r->policy, w->soul),
                         trusted);
}

bool check_concerns(const relay *r, const relay_peer *p, const message *m)
{
    kind_of_soul last = { .soul = { NULL, 0 } };
    bool trusted = is_trusted(r, p, m);

    for (size_t i = 0; i < m->write_count; ++i)
        if (kind_of(&last, m->writes[i].soul) != SEA_FREE ||
            mode_refuses(r, &m->writes[i], trusted) != NULL)
            return true;
    return false;
}

/* --- verdicts --- */

static bool is_author(const waiting *w)
{
    return w->m.at.len == 0;
}

static void note_bad(waiting *w, size_t i, slice why, bool exact)
{
    const graph_write *one = &w->m.writes[i];

    w->marks[i] = MARK_BAD;
    ++w->refused_count;
    if (w->refusal.why.len == 0)
        w->refusal = (refusal){ .why = why, .soul = one->soul, .key = one->key, .exact = exact };
}

static void refuse(waiting *w, size_t i, slice why)
{
    ++w->relay->counts.keys_forged;
    note_bad(w, i, why, true);
}

static void refuse_unwanted(waiting *w, size_t i, const char *why)
{
    ++w->relay->counts.keys_unwanted;
    note_bad(w, i, (slice){ why, strlen(why) }, false);
}

/* Only the first is said. */
static slice kept_text(waiting *w, slice why)
{
    slice kept;

    if (w->refusal.why.len > 0) return none;
    kept = arena_copy(&w->arena, why);
    return kept.at != NULL ? kept : SLICE("busy: out of memory");
}

/* A question about the store on behalf of a finding. Without memory, or with a disk
 * that fails, there is no answer; and who may be blocked is not admitted then. */
typedef struct asking {
    relay *r;
    arena *a;
    status how;
} asking;

static bool look_up(asking *q, slice soul, slice key, slice *said)
{
    graph *g = relay_graph(q->r, soul);
    graph_row row;
    status s;

    if (soul.len == 0 || key.len == 0) return false;
    s = g->look(g->context, soul, key, &row);
    if (s == STATUS_OK) s = sea_unpack(row.value, q->a, said);
    /* That it says what no value can be, or too much, is no yes and no link. */
    if (s != STATUS_OK && s != STATUS_NOT_FOUND && s != STATUS_MALFORMED && s != STATUS_TOO_BIG)
        q->how = s;
    return s == STATUS_OK;
}

/* Whether what stands at (soul, key) says yes: 1 or true, signed or not. */
static bool says_yes(asking *q, slice soul, slice key)
{
    slice said;

    return look_up(q, soul, key, &said) &&
           (slice_equal(said, SLICE("1")) || slice_equal(said, SLICE("true")));
}

static slice joined(asking *q, slice one, slice other, slice third)
{
    slice all = arena_join(q->a, one, other, third);

    if (all.at == NULL) q->how = STATUS_NO_MEMORY;
    return all;
}

/* A block list that is named by a key of the owner's soul: where that links to, or
 * the soul that a client makes for it. */
static bool is_listed(asking *q, const sea_finding *f)
{
    slice owner = joined(q, SLICE("~"), f->owner, none), said, soul;

    if (look_up(q, owner, f->blocks, &said)) {
        status s = value_link(said, q->a, &soul);
        if (s == STATUS_NO_MEMORY) q->how = s;
        if (s == STATUS_OK && says_yes(q, soul, f->bearer)) return true;
    }
    soul = joined(q, owner, SLICE("/"), f->blocks);
    return says_yes(q, soul, f->bearer);
}

static bool is_blocked(asking *q, const sea_finding *f)
{
    if (f->blocks.len == 0) return false;
    if (f->blocks_is_soul || f->blocks.at[0] == '~') return says_yes(q, f->blocks, f->bearer);
    return is_listed(q, f);
}

/* What the clock and today's block lists say of an author's put. */
static slice todays_refusal(waiting *w, const sea_finding *f, moment now)
{
    relay *r = w->relay;
    arena scratch = arena_make(r->arena.bytes_max);
    asking q = { r, &scratch, STATUS_OK };
    const char *why;
    slice said = none;

    if (!f->certified || !is_author(w)) return none;
    if (now.wall_ms > f->expires) return SEA_EXPIRED;
    if (is_blocked(&q, f)) {
        said = sea_blocked_text(&w->arena, f->bearer);
        if (said.len == 0) q.how = STATUS_NO_MEMORY;
    }
    arena_free(&scratch);
    if (q.how == STATUS_OK || said.len > 0) return said;
    why = put_failure(q.how);
    return (slice){ why, strlen(why) };
}

static void judge(waiting *w, size_t i, status how, const sea_finding *f, moment now)
{
    slice why = f->why;

    if (how == STATUS_NO_MEMORY) {
        refuse(w, i, SLICE("busy: out of memory"));
    } else if (how != STATUS_OK) {
        refuse(w, i, SLICE("limit: too complex to be verified"));
    } else if (why.len > 0) {
        refuse(w, i, kept_text(w, why));
    } else if ((why = todays_refusal(w, f, now)).len > 0) {
        refuse(w, i, why);
    } else {
        w->marks[i] = MARK_GOOD;
    }
}

/* --- checks --- */

void check_free(relay *r, check *c)
{
    if (c->earlier != NULL)
        c->earlier->later = c->later;
    else
        r->checks = c->later;
    if (c->later != NULL) c->later->earlier = c->earlier;
    r->suspended_bytes -= sizeof *c;
    arena_free(&c->arena);
    free(c);
}

void check_free_all(relay *r)
{
    while (r->checks != NULL) check_free(r, r->checks);
}

static check *check_new(waiting *w)
{
    relay *r = w->relay;
    check *c = malloc(sizeof *c);

    if (c == NULL) return NULL;
    c->next = NULL;
    c->lane = w->author;
    c->of = w;
    c->unwanted = &w->unwanted;
    c->arena = arena_make_small(r->arena.bytes_max, FINDING_BYTES);
    c->count = c->run = 0;
    r->suspended_bytes += sizeof *c;
    c->earlier = NULL;
    c->later = r->checks;
    if (c->later != NULL) c->later->earlier = c;
    r->checks = c;
    return c;
}

/* Whoever is behind it in the pool waits until all of it is verified. */
static void fill(waiting *w, check *c)
{
    size_t bytes = 0;

    for (; w->next_check < w->looked.news && c->count < CHECK_KEYS; ++w->next_check) {
        size_t i = w->next_check;

        if (w->marks[i] != MARK_WANTED) continue;
        if (c->count > 0 && bytes + w->m.writes[i].value.len > CHECK_BYTES) return;
        bytes += w->m.writes[i].value.len;
        w->marks[i] = MARK_OUT;
        c->at[c->count] = i;
        c->writes[c->count++] = &w->m.writes[i];
    }
}

static bool is_settled(const waiting *w)
{
    return is_author(w) && w->refused_count > 0;
}

static void note(waiting *w, check *c, moment now)
{
    for (size_t k = 0; k < c->run; ++k) judge(w, c->at[k], c->how[k], &c->findings[k], now);
    w->relay->counts.keys_checked += c->run;
    if (is_settled(w)) atomic_store(&w->unwanted, true);
}

static void run_here(waiting *w, check *c, moment now)
{
    check_run(c, w->relay->crypto);
    note(w, c, now);
    check_free(w->relay, c);
}

static void refuse_rest(waiting *w)
{
    for (; w->next_check < w->looked.news; ++w->next_check)
        if (w->marks[w->next_check] == MARK_WANTED)
            refuse(w, w->next_check, SLICE("busy: out of memory"));
}

static void hand_out(waiting *w, moment now)
{
    const check_pool *pool = &w->relay->pool;

    while (w->next_check < w->looked.news && w->checks_out < CHECKS_OUT_MAX && !is_settled(w)) {
        check *c = check_new(w);

        if (c == NULL) {
            refuse_rest(w);
            return;
        }
        fill(w, c);
        if (c->count == 0) {
            check_free(w->relay, c);
        } else if (pool->submit == NULL) {
            run_here(w, c, now);
        } else {
            ++w->checks_out;
            pool->submit(pool->context, c);
        }
    }
}

void check_take(waiting *w, check *c, moment now)
{
    note(w, c, now);
    hand_out(w, now);
}

bool check_is_over(const waiting *w)
{
    return w->checks_out == 0 && (is_settled(w) || w->next_check == w->looked.news);
}

/* --- the news of a message --- */

/* Chunks come from anybody, and cannot be taken back. */
static bool is_over_quota(const waiting *w, const graph_write *one, sea_kind kind)
{
    const relay *r = w->relay;

    return r->limits.hashed_bytes_max > 0 && r->hashed_bytes != NULL && kind == SEA_HASH &&
           !w->trusted &&
           r->hashed_bytes(r->hashed_context) + one->value.len > r->limits.hashed_bytes_max;
}

/* What the owner of the relay says to it. */
static const char *owner_refuses(const waiting *w, const relay_peer *p, const graph_write *one,
                                 sea_kind kind)
{
    const relay_uploads *u = &w->relay->uploads;

    if (u->refuses == NULL || w->trusted || (kind != SEA_HASH && kind != SEA_USER)) return NULL;
    return u->refuses(u->context, p->owner, one);
}

/* What needs no crypto. */
static void judge_here(waiting *w, const relay_peer *p, size_t i, sea_kind kind, moment now)
{
    const graph_write *one = &w->m.writes[i];
    const char *unwanted = mode_refuses(w->relay, one, w->trusted);
    sea_finding f;
    status how;

    if (unwanted == NULL) unwanted = owner_refuses(w, p, one, kind);
    if (unwanted != NULL) {
        refuse_unwanted(w, i, unwanted);
    } else if (is_over_quota(w, one, kind)) {
        refuse_unwanted(w, i, "quota: the relay has no room for more data under hashes");
    } else if (kind == SEA_FREE) {
        w->marks[i] = MARK_GOOD;
    } else if (kind == SEA_ALIAS || kind == SEA_ALIASES) {
        how =
            sea_judge(w->relay->crypto, &w->arena, one->soul, one->key, one->value, one->state, &f);
        judge(w, i, how, &f, now);
    } else {
        w->marks[i] = MARK_WANTED;
    }
}

void check_begin(waiting *w, const relay_peer *p, moment now)
{
    kind_of_soul last = { .soul = { NULL, 0 } };
    size_t news = w->looked.news;

    w->trusted = is_trusted(w->relay, p, &w->m);
    w->marks = arena_take(&w->arena, news);
    if (w->marks == NULL) {
        w->refusal = (refusal){ .why = SLICE("busy: out of memory"), .exact = true };
        w->refused_count = 1;
        w->looked.news = 0;
        w->next_check = 0;
        return;
    }
    memset(w->marks, MARK_WANTED, news);
    for (size_t i = 0; i < news && !is_settled(w); ++i)
        judge_here(w, p, i, kind_of(&last, w->m.writes[i].soul), now);
    hand_out(w, now);
}

void check_end(waiting *w)
{
    message *m = &w->m;
    size_t left = 0;

    if (w->marks == NULL) {
        m->write_count = 0;
        return;
    }
    for (size_t i = 0; i < w->looked.news; ++i)
        if (w->marks[i] == MARK_GOOD) m->writes[left++] = m->writes[i];
    w->looked.news = m->write_count = left;
}
