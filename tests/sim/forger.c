/* forger.c - a peer that writes what is not its own: into the space of others,
 * under hashes, over aliases. It is a page besides, and does what pages do; what it
 * forges goes to the relay alone, and it keeps none of it.
 *
 * Some of its puts hold, beside a forgery that nothing kept can be newer than, a
 * write that would be fine alone: of those nobody may ever hear.
 */
#include "core/json.h"
#include "tests/sim/world.h"

#include <math.h>
#include <stdio.h>

enum { FLOOD_LEAST = 20, FLOOD_MOST = 60, HOUR_MS = 3600000 };

static dice *die(world *w)
{
    return &w->dice;
}

/* --- one forged value --- */

/* One letter another: nothing it could stand in means the same then, but the last
 * letter of a signature, whose last bits nobody reads. */
static bool flip(world *w, slice *value)
{
    slice copy = world_keep(w, *value);
    char *at = (char *)copy.at;
    size_t i = dice_below(die(w), (uint32_t)copy.len);

    if (!slice_begins(copy, SLICE("\"{"))) return false; /* not signed */

    for (size_t n = 0; n < copy.len; n++, i = (i + 1) % copy.len) {
        bool letter = (at[i] >= 'a' && at[i] <= 'z') || (at[i] >= '0' && at[i] <= '9');

        if (!letter || at[i] == 'x' || i + 1 == copy.len || at[i + 1] == '=') continue;
        at[i] = 'x';
        *value = copy;
        return true;
    }
    return false;
}

static const wire_write *some_signed(world *w)
{
    size_t count = people_signed_count(w->people);

    return count == 0 ? NULL : people_signed(w->people, dice_below(die(w), (uint32_t)count));
}

/* A text as a text of JSON. */
static slice as_string(world *w, slice words)
{
    text t = { 0 };
    slice kept;

    json_print_name(&t, words);
    kept = world_keep(w, text_slice(&t));
    text_free(&t);
    return kept;
}

/* By certificate, and yet not allowed. */
static void misuse(world *w, people_form *f, wire_write *write)
{
    people *p = w->people;
    int number = (int)dice_below(die(w), CERTIFICATES);

    f->certificate = people_certificate(p, number);
    switch (dice_below(die(w), 6)) {
    case 0: /* not for her */
        f->certificate = people_certificate(p, number % CERTIFICATES_ENDING);
        f->signer = f->star = EVE;
        write->soul = people_certificate_soul(p, 0);
        break;
    case 1: /* not for this place */
        if (write->soul == people_certificate_soul(p, number)) write->soul = 1;
        f->signer = f->star = BOB;
        break;
    case 2: /* not any more */
        number = CERTIFICATES_ENDING + number % 2;
        f->certificate = people_certificate(p, number);
        f->signer = f->star = CAROL;
        write->soul = people_certificate_soul(p, number);
        if (names_place_of(write->soul)->owner == CAROL) f->signer = f->star = BOB;
        write->state = people_certificate_end(p, number) + 1 + dice_below(die(w), 1000);
        break;
    case 3: /* of her own making */
        f->certificate = people_false_certificate(p, number, EVE);
        f->signer = f->star = EVE;
        write->soul = people_certificate_soul(p, number);
        break;
    case 4: /* as a text */
        f->certificate = as_string(w, f->certificate);
        f->signer = f->star = EVE;
        break;
    default: /* somebody else's name */
        f->signer = EVE;
        f->star = BOB;
        write->soul = people_certificate_soul(p, number);
    }
}

static void forge_form(world *w, wire_write *write)
{
    people_form f = { .signer = EVE,
                      .said = names_value((int)dice_below(die(w), NAMES_VALUES)),
                      .over_key = write->key };

    switch (dice_below(die(w), 5)) {
    case 0: /* signed, but not by who may */
        break;
    case 1: /* gun's hole 14 */
        f.star = EVE;
        break;
    case 2: /* by who may, for another key */
        f.signer = names_place_of(write->soul)->owner;
        f.over_key = (write->key + 1) % NAMES_KEYS;
        break;
    default:
        misuse(w, &f, write);
        f.over_key = write->key;
    }
    f.over_state = write->state;
    write->value = people_form_print(w->people, &f, write->soul);
}

/* A value that was signed, for something else. */
static void forge_copy(world *w, wire_write *write)
{
    const wire_write *other = some_signed(w);
    uint32_t kind = dice_below(die(w), 4);

    if (other == NULL) {
        write->value = SLICE("\"not signed\"");
    } else if (kind == 0) { /* swapped */
        write->value = other->value;
    } else if (kind == 1) { /* of another time */
        *write = *other;
        write->state += (double)dice_between(die(w), 1, 5000);
    } else if (kind == 2) {
        *write = *other;
        if (!flip(w, &write->value)) write->value = SLICE("null");
    } else {
        write->value = dice_percent(die(w), 50) ? SLICE("null") : SLICE("{\"#\":\"s\"}");
    }
}

static void forge_chunk(world *w, wire_write *write)
{
    static const char *const values[] = { "null", "\"a chunk of sounds\"", "420", "\"\"" };
    const char *value = values[dice_below(die(w), 4)];

    write->value = (slice){ value, strlen(value) };
    if (dice_percent(die(w), 30)) write->value = names_chunk((write->key + 1) % 3);
}

static void forge_alias(world *w, wire_write *write)
{
    static const char *const values[] = { "null", "{\"#\":\"s\"}", "{\"#\":\"~@alice\"}",
                                          "\"alice\"" };
    const char *value = values[dice_below(die(w), 4)];

    write->value = (slice){ value, strlen(value) };
}

static void forge_signed(world *w, wire_write *write)
{
    uint32_t kind = dice_below(die(w), 10);

    if (write->key == NAMES_ACCOUNT && kind < 5)
        write->value = SLICE("\"somebody else\"");
    else if (kind < 6)
        forge_form(w, write);
    else
        forge_copy(w, write);
}

bool forger_spoil(world *w, wire_write *write)
{
    int soul = write->soul;

    if (dice_percent(die(w), 50)) write->state += (double)dice_between(die(w), 1, 2000);
    switch (names_place_of(soul)->kind) {
    case NAMES_FREE:
        return false;
    case NAMES_SIGNED:
        if (dice_percent(die(w), 70) || !flip(w, &write->value)) forge_signed(w, write);
        break;
    case NAMES_CHUNKS:
        forge_chunk(w, write);
        break;
    case NAMES_ALIAS:
        forge_alias(w, write);
        break;
    }
    return !people_is_good(w->people, write);
}

/* --- what it does --- */

static int some_soul(world *w, bool free)
{
    int soul;

    do soul = (int)dice_below(die(w), (uint32_t)w->soul_count);
    while ((names_place_of(soul)->kind == NAMES_FREE) != free);
    return soul;
}

static double some_state(client *c)
{
    switch (dice_below(die(c->world), 4)) {
    case 0:
        return client_new_state(c) + HOUR_MS;
    case 1:
        return client_new_state(c) - (double)dice_between(die(c->world), 0, 20000);
    default:
        return client_new_state(c);
    }
}

static bool forge(client *c, wire_write *out)
{
    world *w = c->world;
    int soul = some_soul(w, false), key = (int)dice_below(die(w), NAMES_KEYS);

    *out = (wire_write){ soul, key, names_value((int)dice_below(die(w), NAMES_VALUES)),
                         some_state(c) };
    return forger_spoil(w, out) && out->soul < w->soul_count;
}

static void say_forged(client *c, int most)
{
    wire_write writes[3];
    int count = 0;

    for (int i = 0; i < most; i++)
        if (forge(c, &writes[count])) count++;
    if (count > 0) client_say_raw(c, writes, count, dice_percent(die(c->world), 25));
}

/* Nobody ever wrote to that key, so a forgery there is news. */
static void say_mixed(client *c)
{
    world *w = c->world;
    wire_write writes[2];
    int soul = some_soul(w, false);

    if (names_place_of(soul)->kind != NAMES_SIGNED || names_place_of(soul)->life_ms == 5000)
        soul = 1;
    writes[0] = (wire_write){ soul, NAMES_NEVER, SLICE("\"mine now\""), client_new_state(c) };
    forge_form(w, &writes[0]);
    if (writes[0].key != NAMES_NEVER || writes[0].soul >= w->soul_count) return;
    writes[1] = (wire_write){ 0, names_find_key(SLICE("a")), SLICE("\"half of a refused put\""),
                              client_new_state(c) };
    client_say_raw(c, writes, 2, false);
}

static void say_flood(client *c)
{
    int64_t count = dice_between(die(c->world), FLOOD_LEAST, FLOOD_MOST);

    while (count-- > 0) say_forged(c, 1);
}

/* What somebody signed, maybe long ago, maybe in other words: it is good. */
static void say_again(client *c)
{
    const wire_write *old = some_signed(c->world);
    wire_write write;

    if (old == NULL) return;
    write = *old;
    if (dice_percent(die(c->world), 30)) write.value = people_respell(c->world->people, old);
    client_see(c, &write);
    client_say_raw(c, &write, 1, false);
}

/* Under a certificate that is for everybody, and dated so that it covers it. It is
 * good, and yet its author is refused once the relay's clock says otherwise. */
static void say_backdated(client *c)
{
    world *w = c->world;
    int number = CERTIFICATES_ENDING + (int)dice_below(die(w), 2);
    int key = dice_percent(die(w), 50) ? names_find_key(SLICE("a")) : NAMES_FIRST_PLAIN;
    double end = people_certificate_end(w->people, number), state = client_new_state(c);
    wire_write write = { people_certificate_soul(w->people, number), key, SLICE("\"dated\""),
                         state < end ? state : end - dice_below(die(w), 300) };

    if (write.soul >= w->soul_count || !people_write(w->people, die(w), c->person, &write)) return;
    client_see(c, &write);
    client_say_raw(c, &write, 1, dice_percent(die(w), 20));
}

void forger_act(client *c)
{
    uint32_t kind = dice_below(die(c->world), 100);

    if (kind < 60)
        say_forged(c, 1 + (int)dice_below(die(c->world), 3));
    else if (kind < 75)
        say_mixed(c);
    else if (kind < 80)
        say_flood(c);
    else if (kind < 90)
        say_backdated(c);
    else
        say_again(c);
}
