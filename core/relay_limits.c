/* relay_limits.c - the bounds by default, and the budgets that keep them. */
#include "core/relay_inside.h"

#include <math.h>
#include <stdlib.h>

relay_limits relay_default_limits(void)
{
    const uint32_t million = 1000 * 1000;

    return (relay_limits){
        .message_bytes_max = 32u << 20,
        .name_bytes_max = 64u << 10,
        .id_bytes_max = 128,
        .put_keys_max = 100 * 1000,
        .put_slice_keys = 2000,
        .depth_max = 16,
        .outbox_bytes_max = 4u << 20,
        .marks_max = 16 * 1024,
        .answers_max = 10 * 1000,
        .interests_max = 65536,
        .held_max = 10 * 1000,
        .ahead_messages = 64,
        .ahead_bytes = 1u << 20,
        .future_ms_max = 24.0 * 3600 * 1000,
        .stalled_ms_max = 30 * 1000,
        .answer_bytes = 1u << 20,
        .snapshot_bytes = 64u << 10,
        .fragment_bytes = 16u << 10,
        .lex_keys_max = 10 * 1000,
        .lex_souls_max = 1000,
        .miss_peers_max = 64,
        .miss_per_turn = 8,
        .miss_turn_ms = 25,
        .miss_rate = 10,
        .miss_burst = 100,
        .asked_rate = 20,
        .asked_rate_all = 2000,
        .miss_quiet_ms = 10 * 1000,
        .misses_max = 65536,
        .back_rate = 32,
        .back_burst = 256,
        .back_large_rate = 200,
        .walk_bytes_max = 256u << 20,
        .suspended_bytes_max = 128u << 20,
        .fleeting_bytes_max = 64u << 20,
        .interests_total = 8 * million,
        .keepsakes_max = 65536,
        .keepsake_rows_max = 1024,
        .keepsake_rows_total = million,
        .keepsake_ms = 10 * 60 * 1000,
        .routes = 256 * 1024,
        .route_ms = 60 * 1000,
    };
}

message_limits relay_message_limits(const relay *r)
{
    return (message_limits){
        .name_bytes_max = r->limits.name_bytes_max,
        .id_bytes_max = r->limits.id_bytes_max,
        .put_keys_max = r->limits.put_keys_max,
        .depth_max = r->limits.depth_max,
        /* A key costs four tokens, a link two more; the rest is slack. */
        .tokens_max = (size_t)r->limits.put_keys_max * 8 + 4096,
    };
}

/* --- budgets and rosters --- */

static double bucket_spent(const bucket *b, double rate, int64_t now_ms)
{
    double back = (double)(now_ms - b->at_ms) * rate / 1000;

    return b->spent > back ? b->spent - back : 0;
}

bool bucket_take(bucket *b, double rate, double burst, int64_t now_ms)
{
    double spent = bucket_spent(b, rate, now_ms);

    if (spent + 1 > burst) return false;
    *b = (bucket){ spent + 1, now_ms };
    return true;
}

int64_t bucket_due_ms(const bucket *b, double rate, double burst, int64_t now_ms)
{
    double over = bucket_spent(b, rate, now_ms) + 1 - burst;

    return over <= 0 ? now_ms : now_ms + (int64_t)ceil(over * 1000 / rate);
}

bool roster_add(roster *l, uint64_t number)
{
    if (l->count == l->room) {
        size_t room = l->room ? l->room * 2 : 16;
        uint64_t *at = realloc(l->at, room * sizeof *at);
        if (at == NULL) return false;
        l->at = at;
        l->room = room;
    }
    l->at[l->count++] = number;
    return true;
}
