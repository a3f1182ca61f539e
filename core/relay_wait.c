/* relay_wait.c - messages that wait for their turn.
 *
 * Most messages are heard as they come. One waits, with memory of its own, when
 * its signatures have to be verified, when it is a put of more keys than are
 * judged in a slice, or when the store takes nothing more just now; and so does
 * everything that comes behind it on its connection, for a get behind a put has
 * to see the put.
 *
 *   LOOK ----> CHECK ----------> APPLY ----> gone
 *    slices     checks are out    when it is the first
 *
 * While the first one is only being verified its peer is read on, within bounds,
 * and what comes is looked at and handed out ahead: that is how one connection
 * keeps a pool of threads busy. In the other cases its peer is not read.
 */
#include "core/relay_inside.h"

#include <stdlib.h>

/* What a signed put of one key needs is the reader's first tokens, and little more. */
enum { BLOCKED_RETRY_MS = 20, ARENA_FIRST = 2048 };

typedef enum progress {
    PROGRESS_DONE,    /* nothing waits any more */
    PROGRESS_MORE,    /* there is more to do at once */
    PROGRESS_CHECKED, /* when a check is back */
    PROGRESS_BLOCKED, /* when the store has settled something, or the peer has read */
} progress;

bool wait_has_place(const relay_peer *p)
{
    const relay *r = p->relay;

    if (p->first_waiting == NULL) return true;
    return p->first_waiting->step == WAIT_CHECK && p->waiting_count < r->limits.ahead_messages &&
           p->waiting_bytes < r->limits.ahead_bytes &&
           r->suspended_bytes < r->limits.suspended_bytes_max / 2;
}

static void due_at(relay *r, relay_peer *p, int64_t at_ms)
{
    if (r->due.count == 0 || at_ms < r->due_ms) r->due_ms = at_ms;
    if (p->due) return;
    p->due = roster_add(&r->due, p->number);
    if (!p->due) peer_close(p, 1011);
}

void wait_due(relay *r, relay_peer *p)
{
    due_at(r, p, 0);
}

/* --- coming and going --- */

static void append(relay_peer *p, waiting *w)
{
    if (p->last_waiting != NULL)
        p->last_waiting->next = w;
    else
        p->first_waiting = w;
    p->last_waiting = w;
    ++p->waiting_count;
}

/* Counts what it holds by now. It is alive, so it has grown if anything. */
static void weigh(relay_peer *p, waiting *w)
{
    size_t more = sizeof *w + w->len + w->arena.held - w->weight;

    w->weight += more;
    p->waiting_bytes += more;
    p->relay->suspended_bytes += more;
}

static waiting *take_first(relay_peer *p)
{
    waiting *w = p->first_waiting;

    p->first_waiting = w->next;
    if (p->first_waiting == NULL) p->last_waiting = NULL;
    --p->waiting_count;
    p->waiting_bytes -= w->weight;
    return w;
}

static void waiting_free(waiting *w)
{
    w->relay->suspended_bytes -= w->weight;
    arena_free(&w->arena);
    free(w);
}

static void orphan(waiting *w)
{
    relay *r = w->relay;

    w->author = 0;
    atomic_store(&w->unwanted, true);
    w->before = NULL;
    w->next = r->orphans;
    if (w->next != NULL) w->next->before = w;
    r->orphans = w;
}

static void bury_orphan(waiting *w)
{
    if (w->before != NULL)
        w->before->next = w->next;
    else
        w->relay->orphans = w->next;
    if (w->next != NULL) w->next->before = w->before;
    waiting_free(w);
}

/* What is being verified is still read by others: it stays until they are done. */
void wait_forget(relay_peer *p)
{
    while (p->first_waiting != NULL) {
        waiting *w = take_first(p);

        if (w->checks_out > 0)
            orphan(w);
        else
            waiting_free(w);
    }
}

void wait_free_orphans(relay *r)
{
    while (r->orphans != NULL) bury_orphan(r->orphans);
}

/* Reads the message again, from the copy: what was read lends from the frame. */
static bool read_again(relay *r, waiting *w)
{
    message_limits limits = relay_message_limits(r);
    json_bounds bounds = { limits.depth_max, limits.tokens_max };
    message_fault fault;
    json j;

    if (json_read(&j, &w->arena, (slice){ w->text, w->len }, &bounds) != STATUS_OK ||
        message_unpack(&w->m, &w->arena, &j, &limits, &fault) != STATUS_OK)
        return false;
    if (w->m.dam.len == 0 && w->m.has_put && w->m.at.len == 0) hear_invent_id(r, &w->arena, &w->m);
    return true;
}

static bool has_writes(const message *m)
{
    return m->dam.len == 0 && m->has_put && (m->at.len > 0 || m->bad_count == 0);
}

/* --- steps --- */

/* An author's put that cannot be taken is answered before anything is computed. */
static void begin(relay *r, relay_peer *p, waiting *w, moment now)
{
    if (w->looked.seen > 0) return;
    w->looked.concerned = has_writes(&w->m) && check_concerns(r, p, &w->m);
    w->answered = has_writes(&w->m) && w->m.at.len == 0 && !put_admit(r, p, &w->m, now);
    if (w->answered || !has_writes(&w->m)) w->step = WAIT_APPLY;
}

/* True when it has come to the end of the look. */
static bool look(relay *r, relay_peer *p, waiting *w, moment now)
{
    bool over = put_look(r, p, &w->m, &w->looked, &w->arena, now);

    if (over) check_begin(w, p, now);
    weigh(p, w);
    if (!over) return false;
    w->step = WAIT_CHECK;
    peer_news(p); /* behind it there may be a place now */
    return true;
}

static bool apply_writes(relay *r, relay_peer *p, waiting *w, moment now)
{
    arena_reset(&r->arena, r->limits.snapshot_bytes); /* of an earlier try */
    if (w->m.at.len > 0) return answer_apply(r, p, &w->m, &w->looked, &w->refusal, now);
    if (w->refusal.why.len > 0) {
        ++r->counts.puts_refused;
        say_refusal(p, w->m.id, &w->refusal);
        return true;
    }
    return put_apply(r, p, &w->m, &w->looked, now);
}

/* False: the store is busy. */
static bool apply(relay *r, relay_peer *p, waiting *w, moment now)
{
    if (!has_writes(&w->m)) return hear_message(r, p, &w->m, now);
    if (!w->answered && !apply_writes(r, p, w, now)) return false;
    hear_plain(r, p, &w->m, now);
    return true;
}

static void finish_first(relay_peer *p)
{
    waiting_free(take_first(p));
    peer_news(p);
}

/* Looks ahead, a slice at a time, at one that is not the first. */
static bool look_ahead(relay *r, relay_peer *p, moment now)
{
    waiting *w = p->first_waiting->next;

    while (w != NULL && w->step != WAIT_LOOK) w = w->next;
    if (w == NULL) return false;
    begin(r, p, w, now);
    if (w->step == WAIT_LOOK) look(r, p, w, now);
    return true;
}

static progress go_on(relay *r, relay_peer *p, moment now)
{
    while (p->first_waiting != NULL && !p->closing) {
        waiting *w = p->first_waiting;

        if (w->step == WAIT_LOOK) begin(r, p, w, now);
        if (w->step == WAIT_LOOK && !look(r, p, w, now)) return PROGRESS_MORE;
        if (w->step == WAIT_CHECK) {
            if (!check_is_over(w)) return look_ahead(r, p, now) ? PROGRESS_MORE : PROGRESS_CHECKED;
            check_end(w);
            w->step = WAIT_APPLY;
        }
        if (!apply(r, p, w, now)) return PROGRESS_BLOCKED;
        finish_first(p);
    }
    return PROGRESS_DONE;
}

static void work(relay *r, relay_peer *p, moment now)
{
    switch (go_on(r, p, now)) {
    case PROGRESS_MORE:
        due_at(r, p, now.steady_ms);
        break;
    case PROGRESS_BLOCKED:
        due_at(r, p, now.steady_ms + BLOCKED_RETRY_MS);
        break;
    case PROGRESS_DONE:
    case PROGRESS_CHECKED:
        break;
    }
}

void wait_add(relay *r, relay_peer *p, const json *j, moment now)
{
    slice said = json_raw(j, 0);
    waiting *w = malloc(sizeof *w + said.len);

    if (w == NULL) {
        peer_close(p, 1011);
        return;
    }
    *w = (waiting){ .relay = r,
                    .author = p->number,
                    .arena = arena_make_small(r->arena.bytes_max, ARENA_FIRST),
                    .len = said.len };
    memcpy(w->text, said.at, said.len);
    append(p, w);
    ++r->counts.suspended;
    bool read = read_again(r, w);
    weigh(p, w);
    if (!read)
        peer_close(p, 1011);
    else if (w == p->first_waiting || !look_ahead(r, p, now))
        work(r, p, now);
    peer_news(p);
}

void wait_turn(relay *r, moment now)
{
    roster due = r->due;

    r->due = (roster){ 0 };
    for (size_t i = 0; i < due.count; ++i) {
        relay_peer *p = relay_find(r, due.at[i]);

        if (p == NULL) continue;
        p->due = false;
        if (p->paused) {
            due_at(r, p, now.steady_ms + BLOCKED_RETRY_MS);
            continue;
        }
        work(r, p, now);
        if (p->rest != NULL && !p->paused && !p->closing && wait_has_place(p)) hear_rest(r, p, now);
    }
    free(due.at);
}

void relay_checked(relay *r, check *c, moment now)
{
    waiting *w = c->of;
    relay_peer *p = relay_find(r, w->author);

    --w->checks_out;
    if (p != NULL && !p->closing) {
        check_take(w, c, now);
        if (w == p->first_waiting && check_is_over(w)) wait_due(r, p);
    }
    check_free(r, c);
    if (w->author == 0 && w->checks_out == 0) bury_orphan(w);
}
