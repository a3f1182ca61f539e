/* relay_ack.c - an author's answer: `err` at once, or `ok` when it is true.
 *
 * What a put was judged against becomes durable by the batch, so acks wait by the
 * batch, too: in memory they are a text for each, and a turn settles those whose
 * batch is on disk or has failed.
 */
#include "core/relay_inside.h"

#include <stdlib.h>

/* Acks that wait for one batch: (peer number, length, id) one behind another. */
struct pending {
    pending *next; /* of a later batch */
    uint64_t batch;
    text records;
    uint64_t count;
};

static const slice none = { "", 0 };

const char *put_failure(status s)
{
    switch (s) {
    case STATUS_NO_SPACE:
        return "full: the store has no room";
    case STATUS_BUSY:
        return "busy: too much waits for the disk";
    case STATUS_NO_MEMORY:
        return "busy: out of memory";
    case STATUS_TOO_BIG:
        return "limit: the store holds too many writes from the future";
    default:
        return "disk: the store failed";
    }
}

void put_refuse(relay *r, relay_peer *p, slice id, const char *why, slice soul, slice key)
{
    ++r->counts.puts_refused;
    say_err(p, id, why, soul, key);
}

static pending *pending_for(relay *r, uint64_t batch)
{
    pending **link = &r->pending, *made;

    while (*link != NULL && (*link)->batch < batch) link = &(*link)->next;
    if (*link != NULL && (*link)->batch == batch) return *link;
    made = calloc(1, sizeof *made);
    if (made == NULL) return NULL;
    made->batch = batch;
    made->next = *link;
    return *link = made;
}

static bool ack_later(relay *r, relay_peer *p, slice id, graph_ticket ticket)
{
    pending *waits = pending_for(r, ticket.batch);
    size_t len = id.len;

    if (waits == NULL) return false;
    text_add(&waits->records, (slice){ (const char *)&p->number, sizeof p->number });
    text_add(&waits->records, (slice){ (const char *)&len, sizeof len });
    text_add(&waits->records, id);
    ++waits->count;
    ++r->pending_acks;
    return text_ok(&waits->records);
}

static void answer_put(relay_peer *p, slice id, graph_state state, status why)
{
    if (state == GRAPH_SAFE) {
        say_ack(p, id);
    } else {
        ++p->relay->counts.store_refused;
        put_refuse(p->relay, p, id, put_failure(why), none, none);
    }
}

void put_ack(relay *r, relay_peer *p, slice id, graph_ticket ticket)
{
    graph_progress progress;
    graph_state state;

    r->store->progress(r->store->context, &progress);
    state = graph_settled(ticket, &progress);
    if (state != GRAPH_WAITING)
        answer_put(p, id, state, progress.why);
    else if (!ack_later(r, p, id, ticket))
        peer_close(p, 1011);
}

static void settle_all(relay *r, const pending *waits, graph_state state, status why)
{
    slice left = text_slice(&waits->records);

    while (left.len > 0) {
        uint64_t number;
        size_t len;
        relay_peer *p;

        memcpy(&number, left.at, sizeof number);
        memcpy(&len, left.at + sizeof number, sizeof len);
        left.at += sizeof number + sizeof len;
        left.len -= sizeof number + sizeof len;
        p = relay_find(r, number);
        if (p != NULL && !p->closing) answer_put(p, (slice){ left.at, len }, state, why);
        left.at += len;
        left.len -= len;
    }
}

static void pending_free(pending *waits)
{
    text_free(&waits->records);
    free(waits);
}

void put_settle(relay *r)
{
    graph_progress progress;

    if (r->pending == NULL) return;
    r->store->progress(r->store->context, &progress);
    while (r->pending != NULL) {
        pending *first = r->pending;
        graph_state state = graph_settled((graph_ticket){ first->batch }, &progress);

        if (state == GRAPH_WAITING) return;
        r->pending = first->next;
        r->pending_acks -= first->count;
        settle_all(r, first, state, progress.why);
        pending_free(first);
    }
}

void put_forget_pending(relay *r)
{
    while (r->pending != NULL) {
        pending *first = r->pending;
        r->pending = first->next;
        pending_free(first);
    }
}
