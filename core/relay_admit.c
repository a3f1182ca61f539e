/* relay_admit.c - what is not even judged: what is malformed, too much, too far ahead
 * of the clock, or not theirs. An author's put is refused for it, whole; of an answer
 * the rest is kept. */
#include "core/relay_inside.h"

#define RESERVED "reserved: nobody but the relay writes there"

static const slice none = { "", 0 };

/* --- an author's put --- */

/* Writes ahead of the clock, and what it takes to hold them: each is a row of its
 * own, with its soul's name. */
typedef struct ahead {
    size_t count, bytes;
} ahead;

size_t put_held_bytes(const graph_write *w)
{
    return w->soul.len + w->key.len + w->value.len;
}

/* False when one is absurdly far ahead. */
static bool count_future(const relay *r, const message *m, moment now, ahead *out,
                         const graph_write **absurd)
{
    *out = (ahead){ 0 };
    for (size_t i = 0; i < m->write_count; ++i) {
        if (m->writes[i].state <= now.wall_ms) continue;
        ++out->count;
        out->bytes += put_held_bytes(&m->writes[i]);
        if (m->writes[i].state > now.wall_ms + r->limits.future_ms_max) {
            *absurd = &m->writes[i];
            return false;
        }
    }
    return true;
}

/* The first write to a soul of the server's own; NULL: there is none. */
static const graph_write *find_ours(const relay *r, const message *m)
{
    for (size_t i = 0; i < m->write_count; ++i)
        if (relay_is_ours(r, m->writes[i].soul)) return &m->writes[i];
    return NULL;
}

/* A peer's held writes are counted until they come due; those that lose then, or
 * whose author was forgotten, until the last of all is due. */
static bool may_hold(const relay *r, relay_peer *p, const ahead *more, moment now)
{
    if (now.wall_ms >= p->held_until) {
        p->held = 0;
        p->held_bytes = 0;
    }
    return more->count == 0 || (p->held + more->count <= r->limits.held_max &&
                                p->held_bytes + more->bytes <= r->limits.message_bytes_max);
}

bool put_admit(relay *r, relay_peer *p, const message *m, moment now)
{
    const graph_write *absurd = NULL, *ours = find_ours(r, m);
    ahead more;

    if (ours != NULL) {
        ++r->counts.keys_unwanted;
        put_refuse(r, p, m->id, RESERVED, ours->soul, ours->key);
    } else if (m->bad_count > 0) {
        ++r->counts.bad_message;
        put_refuse(r, p, m->id, m->bad.why, m->bad.soul, m->bad.key);
    } else if (m->write_count > r->limits.put_keys_max) {
        put_refuse(r, p, m->id, "limit: too many keys in a put", none, none);
    } else if (!count_future(r, m, now, &more, &absurd)) {
        ++r->counts.future_refused;
        put_refuse(r, p, m->id, "future: the state is too far ahead", absurd->soul, absurd->key);
    } else if (!may_hold(r, p, &more, now)) {
        put_refuse(r, p, m->id, "limit: too many writes from the future", none, none);
    } else {
        return true;
    }
    return false;
}

/* --- answers --- */

static void note_dropped(message *m, const char *why, const graph_write *w)
{
    if (m->bad_count++ == 0) m->bad = (message_fault){ why, w->soul, w->key };
}

void put_drop_absurd(relay *r, relay_peer *p, message *m, moment now)
{
    size_t left = 0;
    ahead more = { 0 };

    for (size_t i = 0; i < m->write_count; ++i) {
        const graph_write *w = &m->writes[i];
        bool waits = w->state > now.wall_ms;
        ahead with = { more.count + 1, more.bytes + put_held_bytes(w) };

        if (relay_is_ours(r, w->soul)) {
            note_dropped(m, RESERVED, w);
            continue;
        }
        if (waits &&
            (w->state > now.wall_ms + r->limits.future_ms_max || !may_hold(r, p, &with, now))) {
            note_dropped(m, "future: the state is too far ahead", w);
            continue;
        }
        if (waits) more = with;
        m->writes[left++] = *w;
    }
    m->write_count = left;
}
