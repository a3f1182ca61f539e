/* link_judge.c - what the relay hears, what it says to that, and what of it is wrong.
 *
 *   - Every put of an author gets one answer for each time it was heard.
 *   - Nothing is said to anybody that nobody may write (people.h).
 *   - A put with a forgery in it is refused; or nothing of the forgery was news, and
 *     so it was never looked at more closely.
 *   - A good one is refused only when its certificate has run out, when its bearer is
 *     blocked, or when the disk has failed; and in the first two cases nothing of it
 *     that is news gets an ok.
 */
#include "tests/sim/world.h"

#include <stdio.h>
#include <stdlib.h>

/* --- what the relay hears, and must answer --- */

static heard *find_heard(conn *k, slice id, heard_kind kind)
{
    for (heard *h = k->heard; h != NULL; h = h->next)
        if (h->kind == kind && slice_equal(h->id, id)) return h;
    return NULL;
}

static heard *note_heard(conn *k, const wire *m, heard_kind kind)
{
    heard *h = find_heard(k, m->id, kind);

    if (h == NULL) {
        h = must(calloc(1, sizeof *h));
        h->id = world_keep(k->world, m->id);
        h->kind = kind;
        h->next = k->heard;
        k->heard = h;
    }
    h->times++;
    return h;
}

static bool is_forged(const world *w, const wire *m)
{
    for (int i = 0; i < m->write_count; i++)
        if (!people_is_good(w->people, &m->writes[i])) return true;
    return false;
}

/* Where Alice blocks somebody; false: nowhere. */
static bool find_block(int who, int *soul, int *key)
{
    *soul = names_find_place(ALICE, "/blocked");
    for (*key = 0; *key < NAMES_KEYS; ++*key)
        if (names_person_of(*key) == who) return true;
    return false;
}

/* Whether Alice has blocked somebody, as the relay is sure to know. */
static bool is_blocked(world *w, int who)
{
    int soul, key;
    cell kept;

    return find_block(who, &soul, &key) && disk_cell(w, soul, key, &kept) &&
           !store_may_be_purged(w->store, soul, key, kept.state);
}

/* Whether the relay may have known it a moment ago: a purge takes it away. */
static bool may_be_blocked(world *w, int who)
{
    int soul, key;
    cell kept;

    return find_block(who, &soul, &key) &&
           (disk_cell(w, soul, key, &kept) || store_may_be_purged(w->store, soul, key, 0));
}

/* What HAM keeps nothing of is not verified: its author may have forged it. */
static bool is_stale(world *w, const wire_write *x)
{
    cell kept, told = { x->value, x->state, true };

    if (world_expired(w, x->soul, x->state)) return true;
    if (store_may_be_purged(w->store, x->soul, x->key, x->state)) return true;
    disk_cell(w, x->soul, x->key, &kept);
    return cell_order(&kept, &told) >= 0;
}

/* By a certificate that had ended when the relay heard it, or by somebody who was
 * blocked then, and is. */
static bool is_too_late(world *w, const heard *put, const wire_write *x)
{
    people_terms terms;

    if (!people_by_certificate(w->people, x, &terms)) return false;
    if (terms.expires < put->wall_ms) return true;
    return terms.blockable && put->blocked[terms.bearer] && is_blocked(w, terms.bearer);
}

static void note_writes(heard *h, world *w, const wire *m)
{
    h->writes = must(malloc((size_t)m->write_count * sizeof *h->writes + 1));
    h->was_news = must(malloc((size_t)m->write_count * sizeof *h->was_news + 1));
    h->write_count = m->write_count;
    for (int i = 0; i < m->write_count; i++) {
        h->writes[i] = m->writes[i];
        h->writes[i].value = world_keep(w, m->writes[i].value);
        h->was_news[i] = !is_stale(w, &h->writes[i]);
        if (!is_too_late(w, h, &h->writes[i])) people_admit(w->people, &h->writes[i]);
    }
}

static void note_put(conn *k, const wire *m)
{
    world *w = k->world;
    heard *h = note_heard(k, m, HEARD_PUT);

    if (h->writes != NULL) return; /* the same message once more */
    h->forged = is_forged(w, m);
    h->wall_ms = world_moment(w).wall_ms;
    if (h->forged) w->counts.forged_puts++;
    for (int who = 0; who < PEOPLE; who++) h->blocked[who] = is_blocked(w, who);
    note_writes(h, w, m);
}

static void note_answer(conn *k, const wire *m)
{
    for (int i = 0; i < m->write_count; i++) people_admit(k->world->people, &m->writes[i]);
    if (!is_forged(k->world, m)) return;
    note_heard(k, m, HEARD_ANSWER);
    k->world->counts.forged_answers++;
}

static void add_flags(bool to[NAMES_SOULS][NAMES_KEYS], bool from[NAMES_SOULS][NAMES_KEYS])
{
    for (int s = 0; s < NAMES_SOULS; s++)
        for (int i = 0; i < NAMES_KEYS; i++) to[s][i] |= from[s][i];
}

/* A page that comes back is asked for what it wrote, and told what was kept when that
 * has lost. What a forger said is none of what its page holds, so it answers nothing. */
static void give_back(conn *k, bool from[NAMES_SOULS][NAMES_KEYS])
{
    const client *c = k->client;

    for (int s = 0; s < NAMES_SOULS; s++)
        for (int i = 0; i < NAMES_KEYS; i++) {
            k->returned[s] |= from[s][i];
            k->wrote[s][i] |= from[s][i] && (c->ram[s][i].has || c->storage[s][i].has);
        }
}

/* The relay should keep what this page wrote, and give it back what it kept, also
 * when it has not noticed yet that the page's old connection is dead. */
static void note_pid(conn *k, slice pid)
{
    world *w = k->world;

    snprintf(k->pid, sizeof k->pid, "%.*s", (int)pid.len, pid.at);
    if (strcmp(k->pid, k->client->pid) != 0) return;
    give_back(k, k->client->kept);
    for (size_t i = 0; i < w->conn_count; i++)
        if (w->conns[i] != k && w->conns[i]->peer != NULL && strcmp(w->conns[i]->pid, k->pid) == 0)
            give_back(k, w->conns[i]->wrote);
}

static void note_message(void *visitor, const wire *m)
{
    conn *k = visitor;

    if (m->dam.len) {
        if (m->pid.len) note_pid(k, m->pid);
        return;
    }
    if (m->has_put && m->at.len == 0) note_put(k, m);
    if (m->has_put && m->at.len > 0) note_answer(k, m);
    if (m->has_get) note_heard(k, m, HEARD_GET);
}

void judge_heard(conn *k, slice said)
{
    wire_each(k->world, said, true, note_message, k);
}

void judge_keeps(conn *k)
{
    add_flags(k->client->kept, k->wrote);
}

/* --- what the relay says --- */

static void merge_acked(world *w, const heard *h)
{
    double wall = world_moment(w).wall_ms;

    for (int i = 0; i < h->write_count; i++) {
        const wire_write *x = &h->writes[i];

        if (world_expired(w, x->soul, x->state)) continue;
        cell_merge(&w->acked_any[x->soul][x->key], x->value, x->state);
        if (x->state <= wall) cell_merge(&w->acked_now[x->soul][x->key], x->value, x->state);
    }
}

/* What was refused the relay may not have, and will not ask for by itself. */
static void note_refused(client *c, const heard *put)
{
    for (int i = 0; i < put->write_count; i++)
        c->late[put->writes[i].soul][put->writes[i].key] = true;
}

/* --- refusals --- */

static bool is_word(slice err, const char *word)
{
    return err.len > 1 &&
           slice_begins((slice){ err.at + 1, err.len - 1 }, (slice){ word, strlen(word) });
}

/* By a certificate that was good, and is not for what is written now. */
static bool is_ended(conn *k, const heard *put, slice err)
{
    world *w = k->world;
    people_terms terms;

    for (int i = 0; i < put->write_count; i++) {
        if (!people_by_certificate(w->people, &put->writes[i], &terms)) continue;
        if (is_word(err, "Certificate expired.") && terms.expires < world_moment(w).wall_ms) {
            w->counts.refused_expired++;
            return true;
        }
        if (is_word(err, "Certificant ") && terms.blockable && may_be_blocked(w, terms.bearer)) {
            w->counts.refused_blocked++;
            return true;
        }
    }
    return false;
}

static void judge_refusal(conn *k, const wire *m, const heard *put)
{
    world *w = k->world;

    w->counts.refused++;
    note_refused(k->client, put);
    if (put->forged)
        w->counts.forged_refused++;
    else if (!is_ended(k, put, m->err) && !w->disk_failed)
        world_fail(w, "a good put was refused: %.*s", (int)m->raw.len, m->raw.at);
}

/* --- oks --- */

/* Whether the relay keeps it, from this put alone. */
static bool is_taken(world *w, const heard *put, int i)
{
    const wire_write *x = &put->writes[i];
    cell kept, told = { x->value, x->state, true };

    return put->was_news[i] && !people_admitted(w->people, x) &&
           disk_cell(w, x->soul, x->key, &kept) && cell_order(&kept, &told) == 0;
}

static void judge_ok(conn *k, const heard *put)
{
    world *w = k->world;

    for (int i = 0; i < put->write_count && !w->failed; i++) {
        const wire_write *x = &put->writes[i];
        bool good = people_is_good(w->people, x);

        if (good && !is_too_late(w, put, x)) continue;
        if (!is_stale(w, x) || (good && is_taken(w, put, i)))
            world_fail(w, "%s was acknowledged: %.*s of client %d, %.*s . %.*s",
                       good ? "what was admitted too late" : "a forgery", (int)put->id.len,
                       put->id.at, k->client->number, (int)names_soul_json(x->soul).len,
                       names_soul_json(x->soul).at, (int)names_key_json(x->key).len,
                       names_key_json(x->key).at);
    }
    if (put->forged) w->counts.forged_stale++;
}

static void note_ok(conn *k, heard *put)
{
    world *w = k->world;

    judge_ok(k, put);
    put->oks++;
    w->counts.acked++;
    merge_acked(w, put);
    for (int i = 0; i < put->write_count; i++) {
        const wire_write *x = &put->writes[i];
        /* What has expired is not kept, and nobody is subscribed by it. */
        if (!world_expired(w, x->soul, x->state)) k->wrote[x->soul][x->key] = true;
    }
}

/* A page that answers with what is forged is told once. */
static void note_complaint(conn *k, const wire *m)
{
    heard *answer = find_heard(k, m->at, HEARD_ANSWER);

    if (answer == NULL)
        world_fail(k->world, "an err to nothing: %.*s", (int)m->raw.len, m->raw.at);
    else if (++answer->acks > answer->times)
        world_fail(k->world, "an answer was complained of again: %.*s", (int)m->raw.len, m->raw.at);
}

static void note_reply(conn *k, const wire *m)
{
    heard *put = find_heard(k, m->at, HEARD_PUT), *get = find_heard(k, m->at, HEARD_GET);

    if (get != NULL && !m->has_ok && !m->has_err) get->answers++;
    if (!m->has_ok && !m->has_err) return;
    if (put == NULL) {
        if (m->has_err) note_complaint(k, m);
        return;
    }
    put->acks++;
    if (m->has_err)
        judge_refusal(k, m, put);
    else
        note_ok(k, put);
}

static void judge_writes(conn *k, const wire *m)
{
    world *w = k->world;

    for (int i = 0; i < m->write_count; i++) {
        const wire_write *x = &m->writes[i];

        if (!people_is_good(w->people, x))
            world_fail(w, "the relay says what nobody may write: %.*s", (int)m->raw.len, m->raw.at);
        if (w->heals && world_expired(w, x->soul, x->state))
            world_fail(w, "the relay says what has expired: %.*s", (int)m->raw.len, m->raw.at);
    }
}

static void note_said(void *visitor, const wire *m)
{
    conn *k = visitor;

    if (m->has_put) judge_writes(k, m);
    if (m->at.len) note_reply(k, m);
}

void judge_said(conn *k, slice said)
{
    wire_each(k->world, said, false, note_said, k);
}
