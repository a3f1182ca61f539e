/* message.c - see message.h. */
#include "core/message.h"
#include "core/number.h"

#include <math.h>
#include <stdlib.h>

/* A soul's name is hashed and compared for each of its keys, wherever they go: a
 * frame of 2 MB could else keep everybody waiting for seconds. */
enum { SOULS_BYTES_MAX = 16 << 20 };

typedef struct member {
    slice name;
    uint32_t value; /* token */
} member;

typedef struct reading {
    const json *j;
    arena *a;
    const message_limits *limits;
    message_fault *fault;
    message *out;
} reading;

static status refuse(const reading *r, status what, const char *why)
{
    *r->fault = (message_fault){ .why = why };
    return what;
}

static const json_token *token(const reading *r, uint32_t i)
{
    return &r->j->tokens[i];
}

static bool is_object(const reading *r, uint32_t i)
{
    return i != 0 && token(r, i)->type == JSON_OBJECT;
}

/* --- members of an object, sorted by name --- */

static int member_order(const void *a, const void *b)
{
    return slice_order(((const member *)a)->name, ((const member *)b)->name);
}

static bool members_sorted(const member *m, size_t count)
{
    for (size_t i = 1; i < count; ++i)
        if (slice_order(m[i - 1].name, m[i].name) >= 0) return false;
    return true;
}

static size_t members_counted(const reading *r, uint32_t object)
{
    size_t count = 0;

    for (uint32_t i = object + 1; i < token(r, object)->next; i = token(r, i + 1)->next) ++count;
    return count;
}

/* Memory from the message's arena; NULL with the reason it is short. */
static void *take(const reading *r, size_t bytes, status *failed)
{
    void *taken = arena_take(r->a, bytes);

    if (taken == NULL) *failed = arena_failure(r->a, bytes);
    return taken;
}

/* The members of an object in name order. STATUS_MALFORMED: one name twice. */
static status members_of(const reading *r, uint32_t object, member **out, size_t *out_count)
{
    size_t count = members_counted(r, object), at = 0;
    status s = STATUS_OK;
    member *m = take(r, (count ? count : 1) * sizeof *m, &s);

    if (m == NULL) return s;
    for (uint32_t i = object + 1; i < token(r, object)->next; i = token(r, i + 1)->next, ++at) {
        s = json_name(r->j, r->a, i, &m[at].name);
        if (s != STATUS_OK) return s;
        m[at].value = i + 1;
    }
    if (!members_sorted(m, count)) {
        qsort(m, count, sizeof *m, member_order);
        for (size_t i = 1; i < count; ++i)
            if (slice_equal(m[i - 1].name, m[i].name)) return STATUS_MALFORMED;
    }
    *out = m;
    *out_count = count;
    return STATUS_OK;
}

/* --- put --- */

static void note_bad(const reading *r, const char *why, slice soul, slice key)
{
    if (r->out->bad_count++ == 0) r->out->bad = (message_fault){ why, soul, key };
}

static const char *name_fault(const reading *r, slice name)
{
    if (name.len == 0) return "malformed: empty name";
    if (name.len > r->limits->name_bytes_max) return "limit: name too long";
    return NULL;
}

/* Finds `name` at or behind *at in sorted members; *at moves behind it. */
static const member *members_next(const member *m, size_t count, size_t *at, slice name)
{
    while (*at < count) {
        int order = slice_order(m[*at].name, name);
        if (order > 0) return NULL;
        ++*at;
        if (order == 0) return &m[*at - 1];
    }
    return NULL;
}

static status read_write(const reading *r, slice soul, const member *key, const member *state)
{
    graph_write *w = &r->out->writes[r->out->write_count];
    const char *why = name_fault(r, key->name);
    status s;

    if (why == NULL && state == NULL) why = "malformed: no state";
    if (why == NULL && token(r, state->value)->type != JSON_NUMBER)
        why = "malformed: state is not a number";
    if (why == NULL && !number_read(json_raw(r->j, state->value), &w->state))
        why = "malformed: state is not a finite number";
    if (why == NULL) {
        s = value_read(r->j, r->a, key->value, &w->value);
        if (s == STATUS_NO_MEMORY || s == STATUS_TOO_BIG) return s;
        if (s != STATUS_OK) why = "malformed: not a value";
    }
    if (why != NULL) {
        note_bad(r, why, soul, key->name);
        return STATUS_OK;
    }
    w->soul = soul;
    w->key = key->name;
    ++r->out->write_count;
    return STATUS_OK;
}

/* Checks "_" and gives the states object's members. */
static const char *read_meta(const reading *r, uint32_t meta, slice soul, member **states,
                             size_t *count, status *failed)
{
    uint32_t own = meta, ranks = meta;
    slice name;
    bool twice;

    if (!is_object(r, meta)) return "malformed: no meta";
    *failed = json_has_duplicates(r->j, r->a, meta, &twice);
    if (*failed != STATUS_OK) return NULL;
    if (twice) return "malformed: duplicate key in a meta";
    own = json_member(r->j, meta, SLICE("#"));
    ranks = json_member(r->j, meta, SLICE(">"));
    *failed = own == 0 ? STATUS_MALFORMED : json_name(r->j, r->a, own, &name);
    if (*failed == STATUS_NO_MEMORY || *failed == STATUS_TOO_BIG) return NULL;
    if (*failed != STATUS_OK || !slice_equal(name, soul)) return "malformed: soul not same";
    if (!is_object(r, ranks)) return "malformed: no state";
    *failed = members_of(r, ranks, states, count);
    if (*failed == STATUS_MALFORMED) return "malformed: duplicate state";
    return NULL;
}

static status read_node(const reading *r, slice soul, uint32_t node)
{
    const char *why = name_fault(r, soul);
    member *keys, *states = NULL;
    size_t key_count, state_count = 0, at = 0;
    status s;

    if (why == NULL && !is_object(r, node)) why = "malformed: no node";
    if (why == NULL) {
        s = members_of(r, node, &keys, &key_count);
        if (s == STATUS_MALFORMED)
            why = "malformed: duplicate key";
        else if (s != STATUS_OK)
            return s;
    }
    if (why == NULL) {
        status failed = STATUS_OK;
        why =
            read_meta(r, json_member(r->j, node, SLICE("_")), soul, &states, &state_count, &failed);
        if (why == NULL && failed != STATUS_OK) return failed;
    }
    if (why != NULL) {
        note_bad(r, why, soul, (slice){ NULL, 0 });
        return STATUS_OK;
    }
    for (size_t i = 0; i < key_count; ++i) {
        if (slice_equal(keys[i].name, SLICE("_"))) continue;
        s = read_write(r, soul, &keys[i], members_next(states, state_count, &at, keys[i].name));
        if (s != STATUS_OK) return s;
    }
    return STATUS_OK;
}

static status read_put(const reading *r, uint32_t put)
{
    member *nodes;
    size_t count, room = 0, souls = 0;
    status s;

    r->out->has_put = true;
    if (!is_object(r, put)) return refuse(r, STATUS_MALFORMED, "malformed: put is not an object");
    s = members_of(r, put, &nodes, &count);
    if (s == STATUS_MALFORMED) return refuse(r, s, "malformed: duplicate soul");
    if (s != STATUS_OK) return s;

    for (size_t i = 0; i < count; ++i) {
        size_t keys = is_object(r, nodes[i].value) ? members_counted(r, nodes[i].value) : 0;
        room += keys;
        souls += keys * nodes[i].name.len;
    }
    if (souls > SOULS_BYTES_MAX)
        return refuse(r, STATUS_TOO_BIG, "limit: too many keys for so long a soul");
    if (room > (size_t)r->limits->put_keys_max + count)
        return refuse(r, STATUS_TOO_BIG, "limit: too many keys in a put");
    r->out->writes = take(r, (room ? room : 1) * sizeof *r->out->writes, &s);
    if (r->out->writes == NULL) return s;

    for (size_t i = 0; i < count; ++i) {
        s = read_node(r, nodes[i].name, nodes[i].value);
        if (s != STATUS_OK) return s;
    }
    return STATUS_OK;
}

/* --- get --- */

static bool reads_as_one(const reading *r, uint32_t i)
{
    double number;

    return i != 0 && (token(r, i)->type == JSON_TRUE ||
                      (token(r, i)->type == JSON_NUMBER &&
                       number_read(json_raw(r->j, i), &number) && number == 1));
}

static status read_query(const reading *r, uint32_t get, uint32_t query, lex *q)
{
    uint32_t limit = json_member(r->j, get, SLICE("%"));
    status s = lex_read(r->j, r->a, query, q);

    if (s != STATUS_OK) return s;
    if (limit != 0 && token(r, limit)->type == JSON_NUMBER &&
        !number_read(json_raw(r->j, limit), &q->limit))
        q->limit = 0;
    if (reads_as_one(r, json_member(r->j, get, SLICE("-")))) q->backwards = true;
    if (q->limit > 0) r->out->limit = q->limit;
    if ((q->has_exact && q->exact.len > r->limits->name_bytes_max) ||
        (q->has_prefix && q->prefix.len > r->limits->name_bytes_max))
        return refuse(r, STATUS_TOO_BIG, "limit: name too long");
    r->out->has_range = true;
    r->out->query_text = json_raw(r->j, query);
    return lex_to_range(q, r->a, &r->out->range);
}

static status read_souls(const reading *r, uint32_t get, uint32_t soul)
{
    lex q;
    status s = read_query(r, get, soul, &q);

    if (s != STATUS_OK) return s;
    r->out->get = GET_SOULS;
    r->out->lists_all = !q.has_exact && !(q.has_prefix && q.prefix.len > 0) &&
                        !(q.has_from && q.from.len > 0) && !q.has_to;
    return STATUS_OK;
}

static status read_keys(const reading *r, uint32_t get, uint32_t key)
{
    uint32_t limit = json_member(r->j, get, SLICE("%"));
    lex q;
    status s;

    r->out->get = GET_NODE;
    if (key != 0 && token(r, key)->type == JSON_ARRAY)
        return refuse(r, STATUS_MALFORMED, "malformed: an array is no key");
    if (is_object(r, key)) {
        s = read_query(r, get, key, &q);
        if (s != STATUS_OK || !q.has_exact || q.exact.len == 0) return s;
        r->out->has_range = false;
        r->out->get = GET_KEY;
        r->out->key = q.exact;
        return STATUS_OK;
    }
    if (key != 0 && token(r, key)->type == JSON_STRING) {
        s = json_name(r->j, r->a, key, &r->out->key);
        if (s != STATUS_OK) return s;
        if (r->out->key.len > r->limits->name_bytes_max)
            return refuse(r, STATUS_TOO_BIG, "limit: name too long");
        if (r->out->key.len > 0) r->out->get = GET_KEY;
    }
    r->out->range.backwards = reads_as_one(r, json_member(r->j, get, SLICE("-")));
    if (r->out->get == GET_NODE && limit != 0 && token(r, limit)->type == JSON_NUMBER &&
        (!number_read(json_raw(r->j, limit), &r->out->limit) || r->out->limit < 0))
        r->out->limit = 0;
    return STATUS_OK;
}

static status read_get(const reading *r, uint32_t get)
{
    uint32_t soul, key;
    bool twice;
    status s;

    if (!is_object(r, get)) return refuse(r, STATUS_MALFORMED, "malformed: get is not an object");
    s = json_has_duplicates(r->j, r->a, get, &twice);
    if (s != STATUS_OK) return s;
    if (twice) return refuse(r, STATUS_MALFORMED, "malformed: duplicate key in a get");

    r->out->get = GET_NOTHING;
    soul = json_member(r->j, get, SLICE("#"));
    key = json_member(r->j, get, SLICE("."));
    if (soul == 0 || token(r, soul)->type == JSON_NULL) return STATUS_OK;
    if (token(r, soul)->type == JSON_OBJECT) return read_souls(r, get, soul);
    if (token(r, soul)->type != JSON_STRING)
        return refuse(r, STATUS_MALFORMED, "malformed: soul is not a string");
    s = json_name(r->j, r->a, soul, &r->out->soul);
    if (s != STATUS_OK) return s;
    if (r->out->soul.len == 0) return STATUS_OK;
    if (r->out->soul.len > r->limits->name_bytes_max)
        return refuse(r, STATUS_TOO_BIG, "limit: name too long");
    return read_keys(r, get, key);
}

/* --- the rest --- */

/* A member that must be a string if it is there and not null. */
static status read_id(const reading *r, const char *key, slice *out)
{
    uint32_t i = json_member(r->j, 0, (slice){ key, strlen(key) });
    status s;

    if (i == 0 || token(r, i)->type == JSON_NULL) return STATUS_OK;
    if (token(r, i)->type != JSON_STRING)
        return refuse(r, STATUS_MALFORMED, "malformed: an id is a string");
    s = json_name(r->j, r->a, i, out);
    if (s != STATUS_OK) return s;
    if (out->len > r->limits->id_bytes_max) {
        *out = (slice){ NULL, 0 };
        return refuse(r, STATUS_TOO_BIG, "limit: id too long");
    }
    return STATUS_OK;
}

static void read_ok(const reading *r)
{
    uint32_t ok = json_member(r->j, 0, SLICE("ok")), err = json_member(r->j, 0, SLICE("err"));

    r->out->has_ok = ok != 0;
    r->out->has_err = err != 0;
    if (is_object(r, ok)) r->out->ok = json_raw(r->j, ok);
}

/* What is no token is none: the message is then as good as one without. */
static status read_token(const reading *r)
{
    uint32_t headers = json_member(r->j, 0, SLICE("headers"));
    uint32_t i = is_object(r, headers) ? json_member(r->j, headers, SLICE("token")) : 0;
    status s;

    if (i == 0 || token(r, i)->type != JSON_STRING) return STATUS_OK;
    s = json_utf8(r->j, r->a, i, &r->out->token);
    if (s == STATUS_MALFORMED || r->out->token.len > MESSAGE_TOKEN_MAX)
        r->out->token = (slice){ NULL, 0 };
    return s == STATUS_MALFORMED ? STATUS_OK : s;
}

/* NTS, both forms of gun's lib/nts.js through its versions: true, or an array
 * whose length tells a question (1) from an answer (2 or more). */
static void read_nts(const reading *r)
{
    uint32_t nts = json_member(r->j, 0, SLICE("nts"));

    if (nts == 0) return;
    r->out->has_nts = true;
    if (token(r, nts)->type == JSON_TRUE) {
        r->out->nts_asks = true;
    } else if (token(r, nts)->type == JSON_ARRAY && token(r, nts)->next > nts + 1 &&
               token(r, nts + 1)->type == JSON_NUMBER &&
               token(r, nts + 1)->next == token(r, nts)->next) {
        r->out->nts_asks = true;
        r->out->nts = json_raw(r->j, nts + 1);
    }
}

static status read_fields(const reading *r)
{
    uint32_t put = json_member(r->j, 0, SLICE("put")), get = json_member(r->j, 0, SLICE("get"));
    uint32_t hash = json_member(r->j, 0, SLICE("##"));
    bool twice;
    status s = read_id(r, "#", &r->out->id);

    if (s == STATUS_OK) s = json_has_duplicates(r->j, r->a, 0, &twice);
    if (s == STATUS_OK && twice)
        s = refuse(r, STATUS_MALFORMED, "malformed: duplicate key in a message");
    if (s == STATUS_OK) s = read_id(r, "@", &r->out->at);
    if (s == STATUS_OK) s = read_id(r, "dam", &r->out->dam);
    if (s == STATUS_OK) s = read_id(r, "pid", &r->out->pid);
    if (s == STATUS_OK) s = read_token(r);
    if (s != STATUS_OK) return s;

    read_ok(r);
    read_nts(r);
    if (hash != 0 && token(r, hash)->type == JSON_NUMBER)
        r->out->has_hash = number_read(json_raw(r->j, hash), &r->out->hash);
    if (r->out->dam.len > 0) return STATUS_OK;
    /* A null is a way to say that there is none. */
    if (put != 0 && token(r, put)->type != JSON_NULL) s = read_put(r, put);
    if (s == STATUS_OK && get != 0 && token(r, get)->type != JSON_NULL) s = read_get(r, get);
    return s;
}

status message_unpack(message *out, arena *a, const json *j, const message_limits *limits,
                      message_fault *fault)
{
    reading r = { j, a, limits, fault, out };
    status s;

    *out = (message){ .bytes = json_raw(j, 0).len, .get = GET_NONE };
    *fault = (message_fault){ .why = "malformed: not a message" };
    if (j->tokens[0].type != JSON_OBJECT) return STATUS_MALFORMED;
    s = read_fields(&r);
    if (s == STATUS_TOO_BIG &&
        slice_begins((slice){ fault->why, strlen(fault->why) }, SLICE("malformed")))
        fault->why = "limit: message too complex";
    return s;
}

status message_read(message *out, arena *a, slice frame, const message_limits *limits,
                    message_fault *fault)
{
    json_bounds bounds = { limits->depth_max, limits->tokens_max };
    json j;
    status s = json_read(&j, a, frame, &bounds);

    *out = (message){ .get = GET_NONE };
    *fault = (message_fault){ .why = s == STATUS_TOO_BIG ? "limit: message too complex"
                                                         : "malformed: not JSON" };
    return s == STATUS_OK ? message_unpack(out, a, &j, limits, fault) : s;
}
