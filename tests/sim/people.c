/* people.c - see people.h. */
#include "tests/sim/people.h"

#include "core/json.h"
#include "core/number.h"
#include "tests/sim/world.h"
#include "tests/tools/curve.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct note {
    wire_write write;
    people_terms terms; /* bearer 0: its owner's */
    bool admitted;
} note;

typedef struct certificate {
    int soul, owner;
    unsigned keys, bearers; /* a bit for each */
    people_terms terms;
    slice said, text; /* what it says; and signed */
} certificate;

struct people {
    world *world;
    certificate certificates[CERTIFICATES];
    note *notes;
    size_t count, room;
    uint32_t *places; /* into the notes, by hash; 0 is none */
    size_t place_room;
};

static void add(text *t, const char *words)
{
    text_add(t, (slice){ words, strlen(words) });
}

static slice keep(world *w, text *t)
{
    slice kept = world_keep(w, text_slice(t));

    text_free(t);
    return kept;
}

/* --- what was signed --- */

static uint64_t hash_of(const wire_write *x)
{
    uint64_t place = (uint64_t)(x->soul * NAMES_KEYS + x->key), state;
    uint64_t hash = 0xcbf29ce484222325ULL ^ place;

    memcpy(&state, &x->state, sizeof state);
    hash = (hash ^ state) * 0x9e3779b97f4a7c15ULL;
    for (size_t i = 0; i < x->value.len; i++)
        hash = (hash ^ (unsigned char)x->value.at[i]) * 0x100000001b3ULL;
    return hash ^ hash >> 29;
}

static bool is_same(const wire_write *a, const wire_write *b)
{
    return a->soul == b->soul && a->key == b->key && a->state == b->state &&
           slice_equal(a->value, b->value);
}

/* Where its number is, or would be. */
static uint32_t *place_of(const people *p, const wire_write *x)
{
    size_t i = hash_of(x) & (p->place_room - 1);

    while (p->places[i] != 0 && !is_same(&p->notes[p->places[i] - 1].write, x))
        i = (i + 1) & (p->place_room - 1);
    return &p->places[i];
}

static const note *find(const people *p, const wire_write *x)
{
    uint32_t at = *place_of(p, x);

    return at == 0 ? NULL : &p->notes[at - 1];
}

static void grow(people *p)
{
    p->room *= 2;
    p->notes = must(realloc(p->notes, p->room * sizeof *p->notes));
    free(p->places);
    p->place_room = p->room * 2;
    p->places = must(calloc(p->place_room, sizeof *p->places));
    for (size_t i = 0; i < p->count; i++) *place_of(p, &p->notes[i].write) = (uint32_t)i + 1;
}

static void remember(people *p, const wire_write *x, const people_terms *terms)
{
    if (find(p, x) != NULL) return;
    if (p->count == p->room) grow(p);
    p->notes[p->count++] = (note){ *x, terms ? *terms : (people_terms){ 0 }, false };
    *place_of(p, x) = (uint32_t)p->count;
}

size_t people_signed_count(const people *p)
{
    return p->count;
}

const wire_write *people_signed(const people *p, size_t i)
{
    return &p->notes[i].write;
}

bool people_by_certificate(const people *p, const wire_write *write, people_terms *out)
{
    const note *n = find(p, write);

    if (n == NULL || n->terms.bearer == 0) return false;
    *out = n->terms;
    return true;
}

void people_admit(people *p, const wire_write *write)
{
    uint32_t at = *place_of(p, write);

    if (at != 0) p->notes[at - 1].admitted = true;
}

bool people_admitted(const people *p, const wire_write *write)
{
    const note *n = find(p, write);

    return n != NULL && n->admitted;
}

/* A space behind the first brace, and one more each time. */
slice people_respell(people *p, const wire_write *original)
{
    note n = *find(p, original);
    slice value = n.write.value;
    text t = { 0 };

    text_add(&t, (slice){ value.at, 2 });
    text_add_char(&t, ' ');
    text_add(&t, (slice){ value.at + 2, value.len - 2 });
    n.write.value = keep(p->world, &t);
    remember(p, &n.write, &n.terms);
    return n.write.value;
}

/* --- printing --- */

/* What stands in an account's "pub". */
static bool is_account(const wire_write *x)
{
    const names_place *at = names_place_of(x->soul);

    return x->key == NAMES_ACCOUNT && at->path[0] == '\0';
}

static slice account_value(people *p, int owner)
{
    text t = { 0 };

    add(&t, "\"");
    add(&t, names_pub(owner));
    add(&t, "\"");
    return keep(p->world, &t);
}

static bool is_account_value(int owner, slice value)
{
    const char *pub = names_pub(owner);

    return value.len == strlen(pub) + 2 && memcmp(value.at + 1, pub, value.len - 2) == 0;
}

static void print_signed_words(text *t, const people_form *f, int soul)
{
    char digits[NUMBER_TEXT_MAX];

    add(t, "{\"#\":");
    text_add(t, names_soul_json(soul));
    add(t, ",\".\":");
    text_add(t, names_key_json(f->over_key));
    add(t, ",\":\":");
    text_add(t, f->said);
    add(t, ",\">\":");
    text_add(t, (slice){ digits, number_print(digits, f->over_state) });
    add(t, "}");
}

static void print_form(text *t, const people_form *f, int soul)
{
    text words = { 0 };

    print_signed_words(&words, f, soul);
    add(t, "{\":\":");
    text_add(t, f->said);
    add(t, ",\"~\":\"");
    curve_sign(t, f->signer, text_slice(&words));
    add(t, "\"");
    if (f->certificate.len > 0) {
        add(t, ",\"+\":");
        text_add(t, f->certificate);
    }
    if (f->star != 0) {
        add(t, ",\"*\":\"");
        add(t, names_pub(f->star));
        add(t, "\"");
    }
    add(t, "}");
    text_free(&words);
}

slice people_form_print(people *p, const people_form *f, int soul)
{
    text words = { 0 }, value = { 0 };

    print_form(&words, f, soul);
    json_print_name(&value, text_slice(&words));
    text_free(&words);
    return keep(p->world, &value);
}

/* --- certificates --- */

static slice certificate_text(people *p, slice said, int signer)
{
    text t = { 0 };

    add(&t, "{\"m\":");
    text_add(&t, said);
    add(&t, ",\"s\":\"");
    curve_sign(&t, signer, said);
    add(&t, "\"}");
    return keep(p->world, &t);
}

static void certify(people *p, int number, certificate c, const char *who, const char *rest)
{
    char digits[NUMBER_TEXT_MAX];
    text t = { 0 };

    add(&t, "{\"c\":");
    add(&t, who);
    if (isfinite(c.terms.expires)) {
        add(&t, ",\"e\":");
        text_add(&t, (slice){ digits, number_print(digits, c.terms.expires) });
    }
    add(&t, rest);
    c.owner = names_place_of(c.soul)->owner;
    c.said = keep(p->world, &t);
    c.text = certificate_text(p, c.said, c.owner);
    p->certificates[number] = c;
}

static unsigned mask_of(const char *begin)
{
    unsigned mask = 0;

    for (int k = 0; k < NAMES_KEYS; k++)
        if (slice_begins(names_key(k), (slice){ begin, strlen(begin) })) mask |= 1u << k;
    return mask;
}

static void certify_all(people *p, dice *d)
{
    int inbox = names_find_place(ALICE, "/inbox"), wall = names_find_place(CAROL, "/wall");
    double wall_ms = world_wall(p->world);
    double soon = floor(wall_ms + (double)dice_between(d, 1000, 30000));
    double later = floor(wall_ms + (double)dice_between(d, 10000, 100000));
    char two[220];

    snprintf(two, sizeof two, "[\"%s\",\"%s\"]", names_pub(BOB), names_pub(CAROL));
    certify(p, 1,
            (certificate){ .soul = inbox,
                           .keys = mask_of("k"),
                           .bearers = 1u << BOB | 1u << CAROL,
                           .terms = { .expires = INFINITY, .blockable = true } },
            two, ",\"w\":[{\"#\":\"inbox\",\".\":{\"*\":\"k\"}}],\"wb\":\"blocked\"}");
    snprintf(two, sizeof two, "\"%s\"", names_pub(BOB));
    certify(p, 0,
            (certificate){ .soul = inbox,
                           .keys = ~0u,
                           .bearers = 1u << BOB,
                           .terms = { .expires = INFINITY, .blockable = true } },
            two, ",\"w\":{\"*\":\"inbox\"},\"wb\":\"blocked\"}");
    certify(p, 2,
            (certificate){ .soul = inbox,
                           .keys = 1u << names_find_key(SLICE("a")),
                           .bearers = ~0u,
                           .terms = { .expires = later } },
            "\"*\"", ",\"w\":\"inbox/a\"}");
    certify(
        p, 3,
        (certificate){ .soul = wall, .keys = ~0u, .bearers = ~0u, .terms = { .expires = soon } },
        "\"*\"", ",\"w\":[{\"*\":\"wall\"}]}");
}

slice people_certificate(const people *p, int number)
{
    return p->certificates[number].text;
}

slice people_false_certificate(people *p, int number, int signer)
{
    return certificate_text(p, p->certificates[number].said, signer);
}

double people_certificate_end(const people *p, int number)
{
    return p->certificates[number].terms.expires;
}

int people_certificate_soul(const people *p, int number)
{
    return p->certificates[number].soul;
}

/* One that lets somebody write this, from here on round. */
static const certificate *find_certificate(const people *p, dice *d, int who,
                                           const wire_write *write)
{
    uint32_t first = dice_below(d, CERTIFICATES);

    for (uint32_t i = 0; i < CERTIFICATES; i++) {
        const certificate *c = &p->certificates[(first + i) % CERTIFICATES];

        if (c->soul == write->soul && c->keys >> write->key & 1 && c->bearers >> who & 1 &&
            write->state <= c->terms.expires)
            return c;
    }
    return NULL;
}

/* --- writing --- */

static bool write_signed(people *p, dice *d, int who, wire_write *write)
{
    int owner = names_place_of(write->soul)->owner;
    people_form f = {
        .signer = who, .said = write->value, .over_key = write->key, .over_state = write->state
    };
    people_terms terms = { 0 };

    if (is_account(write)) {
        write->value = account_value(p, owner);
        return true;
    }
    if (who != owner) {
        const certificate *c = find_certificate(p, d, who, write);

        if (c == NULL) return false;
        f.certificate = c->text;
        f.star = who;
        terms = c->terms;
        terms.bearer = who;
    }
    if (names_person_of(write->key) != 0) f.said = SLICE("true");
    write->value = people_form_print(p, &f, write->soul);
    remember(p, write, &terms);
    return true;
}

bool people_write(people *p, dice *d, int who, wire_write *write)
{
    switch (names_place_of(write->soul)->kind) {
    case NAMES_FREE:
        return true;
    case NAMES_SIGNED:
        return write_signed(p, d, who, write);
    case NAMES_CHUNKS:
        write->value = names_chunk(write->key);
        return true;
    case NAMES_ALIAS:
        write->value = names_link(write->key);
        return true;
    }
    return false;
}

bool people_is_good(const people *p, const wire_write *write)
{
    const names_place *at = names_place_of(write->soul);

    switch (at->kind) {
    case NAMES_FREE:
        return !slice_begins(write->value, SLICE("\"half of a refused put"));
    case NAMES_SIGNED:
        if (is_account(write)) return is_account_value(at->owner, write->value);
        return find(p, write) != NULL;
    case NAMES_CHUNKS:
        return (NAMES_CHUNK_KEYS >> write->key & 1) &&
               slice_equal(write->value, names_chunk(write->key));
    case NAMES_ALIAS:
        return (NAMES_ALIAS_KEYS >> write->key & 1) &&
               slice_equal(write->value, names_link(write->key));
    }
    return false;
}

people *people_new(world *w)
{
    people *p = must(calloc(1, sizeof *p));

    p->world = w;
    p->room = 128;
    grow(p);
    certify_all(p, &w->dice);
    return p;
}

void people_free(people *p)
{
    if (p == NULL) return;
    free(p->notes);
    free(p->places);
    free(p);
}
