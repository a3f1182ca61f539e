/* client_answer.c - what a page answers, from its memory and its localStorage. */
#include "tests/sim/client_inside.h"

#include <stdio.h>

enum {
    CLIENT_CHUNK = 9,       /* names in one message of an answer, "_" is one */
    CLIENT_HASHED_KEYS = 8, /* up to here an equal "##" is silence */
};

typedef struct answer {
    client *c;
    int via;
    slice at;
    bool hashed; /* the ask had a "##" */
    int32_t hash;
} answer;

/* A copy that is not what it was: of one key, and seldom. */
static void damage(const answer *a, cell row[NAMES_KEYS], int soul, int mask)
{
    client *c = a->c;
    world *w = c->world;
    int key = (int)dice_below(&w->dice, NAMES_KEYS);
    wire_write write = { soul, key, row[key].value, row[key].state };

    if (w->calm || !(mask >> key & 1) || !row[key].has || !forger_spoil(w, &write)) return;
    row[key] = (cell){ write.value, write.state, true };
    c->late[soul][key] = true; /* the relay does not get what this page has */
    w->counts.damaged++;
}

static void say_answer(const answer *a, const cell held[NAMES_KEYS], int soul, int mask, bool alone)
{
    text *put = &a->c->world->line2;
    cell row[NAMES_KEYS];
    char digits[16];

    memcpy(row, held, sizeof row);
    if (a->c->damages && a->via == CLIENT_RELAY) damage(a, row, soul, mask);
    put->len = 0;
    wire_print_put(put, row, soul, mask);
    int32_t hash = names_hash(text_slice(put));
    if (alone && a->hashed && a->hash == hash) return;

    text *t = client_begin(a->c);
    client_add_at(t, a->at);
    text_add(t, SLICE(",\"##\":"));
    text_add(t, (slice){ digits, (size_t)snprintf(digits, sizeof digits, "%d", (int)hash) });
    text_add(t, SLICE(",\"put\":"));
    text_add(t, text_slice(put));
    text_add(t, SLICE(",\"FOO\":1}"));
    client_say_to(a->c, a->via, text_slice(t));
}

/* Nine names a message in their order, of which "_" is one: it stands behind the
 * upper-case names and before the others. */
static void say_chunks(const answer *a, const cell row[NAMES_KEYS], int soul, int mask)
{
    const int *order = names_browser_order();
    int chunk = 0, names = 0, keys = __builtin_popcount((unsigned)mask);
    bool alone = keys <= CLIENT_HASHED_KEYS, meta = false;

    for (int i = 0; i < NAMES_KEYS; i++) {
        if (!(mask >> order[i] & 1)) continue;
        if (!meta && i >= 2 && slice_order(names_key(order[i]), SLICE("_")) > 0) {
            meta = true;
            names++;
        }
        if (names >= CLIENT_CHUNK) {
            say_answer(a, row, soul, chunk, false);
            chunk = names = 0;
        }
        chunk |= 1 << order[i];
        names++;
    }
    if (chunk) say_answer(a, row, soul, chunk, alone);
}

static int held_mask(const cell row[NAMES_KEYS], int key)
{
    int mask = 0;

    for (int k = 0; k < NAMES_KEYS; k++)
        if (row[k].has && (key == WIRE_WHOLE || key == k)) mask |= 1 << k;
    return mask;
}

/* What a page with localStorage says when it has nothing: that, or an empty node
 * when it holds other keys of the soul. */
static void say_nothing_found(const answer *a, int soul)
{
    text *t = client_begin(a->c);

    client_add_at(t, a->at);
    if (held_mask(a->c->storage[soul], WIRE_WHOLE)) {
        text_add(t, SLICE(",\"put\":{"));
        text_add(t, names_soul_json(soul));
        text_add(t, SLICE(":{\"_\":{\"#\":"));
        text_add(t, names_soul_json(soul));
        text_add(t, SLICE(",\">\":{}}}}"));
    }
    text_add_char(t, '}');
    client_say_to(a->c, a->via, text_slice(t));
}

void client_answer_get(client *c, int via, const wire *m)
{
    answer a = { c, via, m->id, m->has_hash, (int32_t)m->hash };
    int ram, storage;

    if (m->get_key == WIRE_QUERY) return;
    ram = held_mask(c->ram[m->get_soul], m->get_key);
    storage = c->has_storage ? held_mask(c->storage[m->get_soul], m->get_key) : 0;
    if (ram) say_chunks(&a, c->ram[m->get_soul], m->get_soul, ram);
    if (storage) {
        say_chunks(&a, c->storage[m->get_soul], m->get_soul, storage);
        client_load_soul(c, m->get_soul); /* gun hears its own storage's answer, too */
    }
    if (c->has_storage && !storage && !ram) say_nothing_found(&a, m->get_soul);
}
