/* fuzz_message.c - any bytes as a message.
 *
 * Whatever is read keeps the promises of core/message.h: writes in order and
 * each once, names within their limit, states finite, values canonical.
 */
#include "core/message.h"
#include "tests/fuzz/fuzz.h"

#include <math.h>

static const message_limits LIMITS = { .name_bytes_max = 64,
                                       .id_bytes_max = 32,
                                       .put_keys_max = 40,
                                       .depth_max = 16,
                                       .tokens_max = 2048 };
static const json_bounds BOUNDS = { .depth_max = 16, .tokens_max = 2048 };

static void check_write(arena *a, const graph_write *w)
{
    slice again;
    json j;

    must(w->soul.len > 0 && w->soul.len <= LIMITS.name_bytes_max);
    must(w->key.len > 0 && w->key.len <= LIMITS.name_bytes_max);
    must(isfinite(w->state));
    must(json_read(&j, a, w->value, &BOUNDS) == STATUS_OK);
    must(value_read(&j, a, 0, &again) == STATUS_OK && slice_equal(again, w->value));
}

static void check_order(const graph_write *a, const graph_write *b)
{
    int souls = slice_order(a->soul, b->soul);

    must(souls < 0 || (souls == 0 && slice_order(a->key, b->key) < 0));
}

static void check_message(arena *a, const message *m)
{
    must(m->id.len <= LIMITS.id_bytes_max && m->at.len <= LIMITS.id_bytes_max);
    must(m->soul.len <= LIMITS.name_bytes_max && m->key.len <= LIMITS.name_bytes_max);
    must(m->limit >= 0);
    if (m->get == GET_KEY) must(m->soul.len > 0 && m->key.len > 0);
    if (m->get == GET_NODE) must(m->soul.len > 0);
    if (m->ok.len > 0) must(json_check(m->ok, BOUNDS.depth_max) == STATUS_OK);
    if (m->has_range) must(json_check(m->query_text, BOUNDS.depth_max) == STATUS_OK);
    must((m->bad_count > 0) == (m->bad.why != NULL));
    for (size_t i = 0; i < m->write_count; ++i) {
        check_write(a, &m->writes[i]);
        if (i > 0) check_order(&m->writes[i - 1], &m->writes[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena a = arena_make(16 << 20);
    message_fault fault;
    message m;
    status s = message_read(&m, &a, (slice){ (const char *)data, size }, &LIMITS, &fault);

    if (s == STATUS_OK) {
        check_message(&a, &m);
    } else {
        must(fault.why != NULL);
        must(m.id.len <= LIMITS.id_bytes_max);
    }
    arena_free(&a);
    return 0;
}
