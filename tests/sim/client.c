/* client.c - a page with unmodified gun.js, as relay-rules.md section 1 and
 * protocol.md describe it. It is written down from what was observed there, so
 * what it does that looks foolish it does on purpose. */
#include "core/json.h"
#include "tests/sim/client_inside.h"

#include <math.h>
#include <stdlib.h>

enum {
    CLIENT_RETRY_US = 2000000, /* the one reconnect */
    CLIENT_IDS_US = 9000000,   /* an id is remembered so long after its last sight */
};

/* --- clock --- */

double client_clock(const client *c)
{
    return floor(world_wall(c->world) + c->skew_ms);
}

/* gun's state: the clock, and thousandths for what falls into one millisecond. */
double client_new_state(client *c)
{
    double now = client_clock(c);

    if (now > c->last_state) {
        c->fraction = 0;
        c->last_state = now;
    } else {
        c->fraction++;
    }
    return c->last_state + c->fraction / 1000;
}

/* --- ids --- */

static uint64_t id_hash(slice a, slice b)
{
    uint64_t hash = 0xcbf29ce484222325ULL;

    for (size_t i = 0; i < a.len; i++) hash = (hash ^ (unsigned char)a.at[i]) * 0x100000001b3ULL;
    hash = (hash ^ 0xff) * 0x100000001b3ULL;
    for (size_t i = 0; i < b.len; i++) hash = (hash ^ (unsigned char)b.at[i]) * 0x100000001b3ULL;
    return hash | 1;
}

static sight *find_sight(client *c, uint64_t hash)
{
    int64_t now = c->world->now_us;

    for (uint32_t i = 0; i < 8; i++) {
        sight *s = &c->sights[(hash + i) % IDS_REMEMBERED];
        if (s->hash == hash && now - s->at_us <= CLIENT_IDS_US) return s;
    }
    return NULL;
}

/* Notes an id; false when it was seen lately, and then that counts as a sight. */
static bool first_sight(client *c, uint64_t hash, int via)
{
    sight *s = find_sight(c, hash), *worst = NULL;

    if (s != NULL) {
        s->at_us = c->world->now_us;
        return false;
    }
    for (uint32_t i = 0; i < 8; i++) {
        s = &c->sights[(hash + i) % IDS_REMEMBERED];
        if (worst == NULL || s->hash == 0 || s->at_us < worst->at_us) worst = s;
        if (s->hash == 0) break;
    }
    *worst = (sight){ hash, c->world->now_us, via };
    return true;
}

static slice new_id(client *c, char out[static 16])
{
    static const char letters[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXZabcdefghijklmnopqrstuvwxyz";
    int len = 0;

    while (len < 9) out[len++] = letters[dice_below(&c->world->dice, sizeof letters - 1)];
    return (slice){ out, 9 };
}

/* --- saying --- */

static text *line(client *c)
{
    text *t = &c->world->line;

    t->len = 0;
    return t;
}

/* {"#":"<id>" ; the caller goes on. */
static text *begin(client *c, slice id)
{
    text *t = line(c);

    text_add(t, SLICE("{\"#\":\""));
    text_add(t, id);
    text_add(t, SLICE("\""));
    return t;
}

text *client_begin(client *c)
{
    char id[16];
    slice made = new_id(c, id);

    first_sight(c, id_hash(made, SLICE("")), CLIENT_SELF);
    return begin(c, made);
}

void client_add_at(text *t, slice at)
{
    text_add(t, SLICE(",\"@\":"));
    json_print_name(t, at);
}

static void to_relay(client *c, slice message)
{
    if (c->state != CLIENT_OPEN && c->state != CLIENT_CONNECTING) return;

    frame *f = world_frame(message);
    if (c->out == NULL)
        c->out = f;
    else
        c->out_last->next = f;
    c->out_last = f;
}

/* A neighbour is another page, reached over another network. What goes there is
 * late, lost, repeated, and overtaken by what was said after it. */
static void to_neighbour(client *c, int neighbour, slice message)
{
    world *w = c->world;
    int times = w->calm ? 1 : dice_percent(&w->dice, 10) ? 0 : 1 + dice_percent(&w->dice, 10);

    while (times-- > 0)
        world_plan(w, dice_between(&w->dice, 500, 300000),
                   (event){ .kind = EVENT_NEIGHBOUR,
                            .who = neighbour,
                            .from = c->number,
                            .what = world_frame(message) });
}

void client_say_to(client *c, int via, slice message)
{
    if (via == CLIENT_RELAY) to_relay(c, message);
    if (via >= 0) to_neighbour(c, via, message);
}

static void to_all_but(client *c, int via, slice message)
{
    if (via != CLIENT_RELAY) to_relay(c, message);
    for (int i = 0; i < c->neighbour_count; i++)
        if (c->neighbours[i] != via) to_neighbour(c, c->neighbours[i], message);
}

static void send_batch(client *c)
{
    text *t = line(c);

    text_add_char(t, '[');
    while (c->out != NULL) {
        frame *f = c->out;

        if (t->len > 1) text_add_char(t, ',');
        if (c->batches_strings)
            json_print_name(t, (slice){ f->text, f->len });
        else
            text_add(t, (slice){ f->text, f->len });
        c->out = f->next;
        free(f);
    }
    text_add_char(t, ']');
    conn_send_up(c->conn, text_slice(t));
}

/* The first message of a burst goes alone, the others in a batch. */
void client_flush(client *c)
{
    frame *f = c->out;

    if (c->state == CLIENT_CONNECTING || f == NULL) return;
    conn_send_up(c->conn, (slice){ f->text, f->len });
    c->out = f->next;
    free(f);
    if (c->out != NULL) send_batch(c);
}

static void forget_out(client *c)
{
    while (c->out != NULL) {
        frame *f = c->out;
        c->out = f->next;
        free(f);
    }
}

/* --- reading --- */

void client_load_soul(client *c, int soul)
{
    for (int k = 0; k < NAMES_KEYS && c->has_storage; k++) {
        const cell *s = &c->storage[soul][k];
        if (!s->has) continue;
        cell_merge(&c->ram[soul][k], s->value, s->state);
        cell_merge(&c->seen[soul][k], s->value, s->state);
    }
}

/* A message {"#":new, "get":{...}} for everybody; some are said twice, with two
 * ids, as gun does. */
static void say_get(client *c, slice get, slice hash)
{
    int times = 1 + dice_percent(&c->world->dice, 10);

    while (times-- > 0) {
        text *t = client_begin(c);

        if (hash.len) {
            text_add(t, SLICE(",\"##\":"));
            text_add(t, hash);
        }
        text_add(t, SLICE(",\"get\":"));
        text_add(t, get);
        text_add_char(t, '}');
        to_all_but(c, CLIENT_SELF, text_slice(t));
    }
}

static text *get_of(client *c, int soul)
{
    text *t = &c->world->line2;

    t->len = 0;
    text_add(t, SLICE("{\"#\":"));
    text_add(t, names_soul_json(soul));
    return t;
}

static void say_get_soul(client *c, int soul)
{
    text *t = get_of(c, soul);

    text_add_char(t, '}');
    say_get(c, text_slice(t), SLICE(""));
}

/* With the hash of the string that is held, which is no hash of a graph. */
static void say_get_key(client *c, int soul, int key, bool hashed)
{
    const cell *held = &c->ram[soul][key];
    text *t = get_of(c, soul);
    char hash[16];
    int len = 0;

    text_add(t, SLICE(",\".\":"));
    text_add(t, names_key_json(key));
    text_add_char(t, '}');
    if (hashed && held->has && held->value.at[0] == '"')
        len = snprintf(hash, sizeof hash, "%d",
                       (int)names_hash((slice){ held->value.at + 1, held->value.len - 2 }));
    say_get(c, text_slice(t), (slice){ hash, (size_t)len });
}

static bool wrote_some(const client *c, int soul)
{
    for (int k = 0; k < NAMES_KEYS; k++)
        if (c->wrote[soul][k]) return true;
    return false;
}

void client_read_soul(client *c, int soul, bool always)
{
    client_load_soul(c, soul);
    c->wants[soul] = true;
    if (!always && (c->asked[soul] || (wrote_some(c, soul) && !c->asks_what_it_wrote))) return;
    c->asked[soul] = true;
    say_get_soul(c, soul);
}

void client_read_key(client *c, int soul, int key)
{
    client_load_soul(c, soul);
    c->wants_key[soul][key] = true;
    /* A key that the page wrote itself is never asked for. */
    if (c->asked[soul] || c->asked_key[soul][key] || c->wrote[soul][key]) return;
    c->asked_key[soul][key] = true;
    say_get_key(c, soul, key, false);
}

void client_query(client *c, int soul, int key)
{
    text *t = get_of(c, soul);

    text_add(t, SLICE(",\".\":{\"*\":"));
    text_add(t, names_key_json(key));
    text_add(t, SLICE("},\"%\":50000}"));
    say_get(c, text_slice(t), SLICE(""));
}

/* --- merging --- */

/* A write that stays: into memory, and into localStorage where there is one. */
static void merge(client *c, const wire_write *write)
{
    cell *held = &c->ram[write->soul][write->key];

    if (!cell_merge(held, write->value, write->state)) return;
    held->value = world_keep(c->world, write->value);
    if (c->has_storage) cell_merge(&c->storage[write->soul][write->key], held->value, write->state);
}

/* Whether the page's own graph takes a write, the clock apart. */
static bool takes(const client *c, const wire_write *write)
{
    cell incoming = { write->value, write->state, true };

    return cell_order(&incoming, &c->ram[write->soul][write->key]) > 0;
}

static void see(client *c, const wire_write *write)
{
    cell *seen = &c->seen[write->soul][write->key];

    if (cell_merge(seen, write->value, write->state))
        seen->value = world_keep(c->world, write->value);
}

static void defer(client *c, const wire_write *write)
{
    deferred *d = must(malloc(sizeof *d));

    d->write = *write;
    d->write.value = world_keep(c->world, write->value);
    d->next = c->deferred;
    c->deferred = d;
    world_plan(c->world, (int64_t)((write->state - client_clock(c)) * 1000) + 1000,
               (event){ .kind = EVENT_WAKE, .who = c->number });
}

static void hear_writes(client *c, int via, const wire *m)
{
    for (int i = 0; i < m->write_count; i++) {
        see(c, &m->writes[i]);
        /* A neighbour's answer goes no further than to who asked. */
        if (via >= 0 && m->at.len > 0 && takes(c, &m->writes[i]))
            c->late[m->writes[i].soul][m->writes[i].key] = true;
        if (m->writes[i].state > client_clock(c))
            defer(c, &m->writes[i]);
        else
            merge(c, &m->writes[i]);
    }
}

void client_wake(client *c)
{
    for (deferred **at = &c->deferred; *at != NULL;) {
        deferred *d = *at;

        if (d->write.state > client_clock(c)) {
            at = &d->next;
            continue;
        }
        merge(c, &d->write);
        c->late[d->write.soul][d->write.key] = true;
        *at = d->next;
        free(d);
    }
}

void client_write(client *c, const wire_write *writes, int count)
{
    text *t = client_begin(c);
    const char *comma = "";

    text_add(t, SLICE(",\"put\":{"));
    for (int i = 0; i < count;) {
        cell row[NAMES_KEYS] = { 0 };
        int soul = writes[i].soul, mask = 0;

        for (; i < count && writes[i].soul == soul; i++) {
            if (!takes(c, &writes[i])) continue;
            see(c, &writes[i]);
            merge(c, &writes[i]);
            row[writes[i].key] = c->ram[soul][writes[i].key];
            mask |= 1 << writes[i].key;
            c->wrote[soul][writes[i].key] = true;
        }
        if (mask == 0) continue;
        text *put = &c->world->line2;
        put->len = 0;
        wire_print_put(put, row, soul, mask);
        text_add(t, (slice){ comma, strlen(comma) });
        text_add(t, (slice){ put->at + 1, put->len - 2 });
        comma = ",";
    }
    text_add(t, SLICE("},\"ok\":{\"@\":9,\"/\":1}}"));
    if (*comma) {
        world_log(c->world, "writes", c->number, text_slice(t));
        to_all_but(c, CLIENT_SELF, text_slice(t));
    }
}

void client_see(client *c, const wire_write *write)
{
    see(c, write);
}

/* One node after the other; of several writes to one key the last. */
static void add_nodes(client *c, text *t, const wire_write *writes, int count)
{
    const char *comma = "";

    for (int s = 0; s < NAMES_SOULS; s++) {
        cell row[NAMES_KEYS] = { 0 };
        text *put = &c->world->line2;
        int mask = 0;

        for (int i = 0; i < count; i++) {
            if (writes[i].soul != s) continue;
            row[writes[i].key] = (cell){ writes[i].value, writes[i].state, true };
            mask |= 1 << writes[i].key;
        }
        if (mask == 0) continue;
        put->len = 0;
        wire_print_put(put, row, s, mask);
        text_add(t, (slice){ comma, strlen(comma) });
        text_add(t, (slice){ put->at + 1, put->len - 2 });
        comma = ",";
    }
}

void client_say_raw(client *c, const wire_write *writes, int count, bool as_answer)
{
    text *t = client_begin(c);
    char asked[16];

    if (as_answer) client_add_at(t, new_id(c, asked));
    text_add(t, SLICE(",\"put\":{"));
    add_nodes(c, t, writes, count);
    text_add(t, SLICE("}}"));
    world_log(c->world, "forges", c->number, text_slice(t));
    to_relay(c, text_slice(t));
}

/* --- hearing --- */

typedef struct ear {
    client *c;
    int via;
} ear;

static void hear_dam(client *c, int via, const wire *m)
{
    text *t;

    if (slice_equal(m->dam, SLICE("!"))) {
        world_fail(c->world, "client %d was scolded: %.*s", c->number, (int)m->raw.len, m->raw.at);
        return;
    }
    if (!slice_equal(m->dam, SLICE("?")) || m->at.len > 0) return;
    t = client_begin(c);
    client_add_at(t, m->id);
    text_add(t, SLICE(",\"dam\":\"?\",\"pid\":\""));
    text_add(t, (slice){ c->pid, strlen(c->pid) });
    text_add(t, SLICE("\"}"));
    client_say_to(c, via, text_slice(t));
}

/* A page with localStorage acknowledges what it stored. */
static void say_stored(client *c, int via, const wire *m)
{
    text *t;

    if (!c->has_storage || m->at.len > 0 || !dice_percent(&c->world->dice, 30)) return;
    t = client_begin(c);
    client_add_at(t, m->id);
    text_add(t, SLICE(",\"ok\":true}"));
    client_say_to(c, via, text_slice(t));
}

/* Answers go back to where their question came from. */
static void pass_back(client *c, int via, const wire *m)
{
    sight *asker = find_sight(c, id_hash(m->at, SLICE("")));

    if (asker == NULL || asker->via == via) return;
    client_say_to(c, asker->via, m->raw);
}

static void hear_message(void *visitor, const wire *m)
{
    ear *e = visitor;
    client *c = e->c;
    char hash[32];
    int len;

    if (!first_sight(c, id_hash(m->id, SLICE("")), e->via)) return;
    if (m->has_hash) {
        len = snprintf(hash, sizeof hash, "%.0f", m->hash);
        slice of = m->at.len ? m->at : m->id;
        if ((m->at.len || m->has_get) &&
            !first_sight(c, id_hash(of, (slice){ hash, (size_t)len }), e->via))
            return;
    }
    if (m->dam.len) {
        hear_dam(c, e->via, m);
        return;
    }
    if (m->has_put) hear_writes(c, e->via, m);
    if (m->has_put) say_stored(c, e->via, m);
    if (m->at.len) {
        pass_back(c, e->via, m);
        return;
    }
    if (m->has_get) client_answer_get(c, e->via, m);
    if (m->has_get || m->has_put) to_all_but(c, e->via, m->raw);
}

void client_hear_frame(client *c, slice bytes)
{
    ear e = { c, CLIENT_RELAY };

    wire_each(c->world, bytes, false, hear_message, &e);
}

void client_hear_neighbour(client *c, int from, slice message)
{
    ear e = { c, from };

    world_log(c->world, "<~", c->number, message);
    wire_each(c->world, message, false, hear_message, &e);
}

/* --- connecting --- */

void client_connect(client *c)
{
    forget_out(c);
    c->state = CLIENT_CONNECTING;
    c->conn = conn_open(c);
}

/* A page repeats what it has asked so far. */
void client_opened(client *c)
{
    c->state = CLIENT_OPEN;
    c->tries_left = 1;
    memset(c->late, 0, sizeof c->late);
    for (int s = 0; s < c->world->soul_count; s++) {
        if (c->asked[s]) say_get_soul(c, s);
        for (int k = 0; k < NAMES_KEYS; k++)
            if (c->asked_key[s][k]) say_get_key(c, s, k, true);
    }
}

void client_lost(client *c)
{
    forget_out(c);
    c->conn = NULL;
    c->state = CLIENT_AWAY;
    if (c->tries_left-- <= 0) return;
    c->state = CLIENT_WAITING;
    c->era++;
    world_plan(c->world, CLIENT_RETRY_US,
               (event){ .kind = EVENT_CONNECT, .who = c->number, .era = c->era });
}

static void forget_deferred(client *c)
{
    while (c->deferred != NULL) {
        deferred *d = c->deferred;
        c->deferred = d->next;
        free(d);
    }
}

void client_init(client *c)
{
    char pid[16];

    slice made = new_id(c, pid);
    memcpy(c->pid, made.at, made.len);
    c->pid[made.len] = 0;
    c->state = CLIENT_AWAY;
}

void client_reload(client *c)
{
    forget_out(c);
    forget_deferred(c);
    memset(c->ram, 0, sizeof c->ram);
    memset(c->seen, 0, sizeof c->seen);
    memset(c->asked, 0, sizeof c->asked);
    memset(c->asked_key, 0, sizeof c->asked_key);
    memset(c->wrote, 0, sizeof c->wrote);
    memset(c->kept, 0, sizeof c->kept);
    memset(c->sights, 0, sizeof c->sights);
    c->era++;
    client_init(c);
}

void client_load(client *c)
{
    c->tries_left = 1;
    client_connect(c);
    for (int s = 0; s < c->world->soul_count; s++) {
        if (c->wants[s]) client_read_soul(c, s, false);
        for (int k = 0; k < NAMES_KEYS; k++)
            if (c->wants_key[s][k]) client_read_key(c, s, k);
    }
}

void client_free(client *c)
{
    forget_out(c);
    forget_deferred(c);
}
