/* limits.c - see limits.h. */
#include "server/limits.h"

typedef enum limit_type { TYPE_SIZE, TYPE_U32, TYPE_UNSIGNED, TYPE_I64, TYPE_DOUBLE } limit_type;

struct limit {
    const char *name;
    limit_type type;
    size_t at; /* in options */
};

static const limit limits[] = {
#define RELAY(type, field)                                                                         \
    {                                                                                              \
#field, type, offsetof(options, relay.field)                                               \
    }
#define SERVER(type, field)                                                                        \
    {                                                                                              \
#field, type, offsetof(options, server.field)                                              \
    }
    RELAY(TYPE_SIZE, message_bytes_max),
    RELAY(TYPE_SIZE, name_bytes_max),
    RELAY(TYPE_SIZE, id_bytes_max),
    RELAY(TYPE_U32, put_keys_max),
    RELAY(TYPE_U32, put_slice_keys),
    RELAY(TYPE_UNSIGNED, depth_max),
    RELAY(TYPE_SIZE, outbox_bytes_max),
    RELAY(TYPE_U32, marks_max),
    RELAY(TYPE_U32, answers_max),
    RELAY(TYPE_U32, interests_max),
    RELAY(TYPE_U32, held_max),
    RELAY(TYPE_U32, ahead_messages),
    RELAY(TYPE_SIZE, ahead_bytes),
    RELAY(TYPE_DOUBLE, future_ms_max),
    RELAY(TYPE_I64, stalled_ms_max),
    RELAY(TYPE_SIZE, answer_bytes),
    RELAY(TYPE_SIZE, snapshot_bytes),
    RELAY(TYPE_SIZE, fragment_bytes),
    RELAY(TYPE_U32, lex_keys_max),
    RELAY(TYPE_U32, lex_souls_max),
    RELAY(TYPE_U32, miss_peers_max),
    RELAY(TYPE_U32, miss_per_turn),
    RELAY(TYPE_I64, miss_turn_ms),
    RELAY(TYPE_U32, miss_rate),
    RELAY(TYPE_U32, miss_burst),
    RELAY(TYPE_U32, asked_rate),
    RELAY(TYPE_U32, asked_rate_all),
    RELAY(TYPE_I64, miss_quiet_ms),
    RELAY(TYPE_U32, misses_max),
    RELAY(TYPE_U32, back_rate),
    RELAY(TYPE_U32, back_burst),
    RELAY(TYPE_U32, back_large_rate),
    RELAY(TYPE_SIZE, walk_bytes_max),
    RELAY(TYPE_SIZE, suspended_bytes_max),
    RELAY(TYPE_SIZE, fleeting_bytes_max),
    RELAY(TYPE_U32, interests_total),
    RELAY(TYPE_U32, keepsakes_max),
    RELAY(TYPE_U32, keepsake_rows_max),
    RELAY(TYPE_U32, keepsake_rows_total),
    RELAY(TYPE_I64, keepsake_ms),
    RELAY(TYPE_U32, routes),
    RELAY(TYPE_I64, route_ms),
    SERVER(TYPE_U32, connections_max),
    SERVER(TYPE_U32, per_address_max),
    SERVER(TYPE_U32, waiting_max),
    SERVER(TYPE_U32, pages_max),
    SERVER(TYPE_DOUBLE, messages.rate),
    SERVER(TYPE_DOUBLE, messages.burst),
    SERVER(TYPE_DOUBLE, bytes.rate),
    SERVER(TYPE_DOUBLE, bytes.burst),
    SERVER(TYPE_DOUBLE, address_share),
    SERVER(TYPE_SIZE, assembling_bytes_max),
    SERVER(TYPE_I64, heartbeat_ms),
    SERVER(TYPE_I64, silent_ms),
    SERVER(TYPE_U32, audio_streams_max),
    SERVER(TYPE_SIZE, answer_bytes_max),
    SERVER(TYPE_I64, audio_stalled_ms),
    SERVER(TYPE_I64, audio_pause_ms),
    SERVER(TYPE_U32, uploads_max),
    SERVER(TYPE_U32, uploads_per_address),
    SERVER(TYPE_I64, upload_silent_ms),
    { "audio_cache_bytes", TYPE_SIZE, offsetof(options, audio.cache_bytes) },
    { "audio_chunks_max", TYPE_U32, offsetof(options, audio.chunks_max) },
    { "verify_threads", TYPE_U32, offsetof(options, verify_threads) },
    { "verify_keys", TYPE_U32, offsetof(options, crypto.keys_max) },
    { "verify_verdicts", TYPE_U32, offsetof(options, crypto.verdicts_max) },
    { "hash_bytes", TYPE_SIZE, offsetof(options, hash_bytes) },
    { "uploader_bytes", TYPE_SIZE, offsetof(options, uploader_bytes) },
    { "audio_grace_ms", TYPE_SIZE, offsetof(options, store.audio_grace_ms) },
    { "audio_pass_ms", TYPE_SIZE, offsetof(options, store.audio_pass_ms) },
    { "overlay_bytes_max", TYPE_SIZE, offsetof(options, store.overlay_max) },
    { "journal_bytes_max", TYPE_SIZE, offsetof(options, store.journal_max) },
    { "segment_bytes", TYPE_SIZE, offsetof(options, store.segment_bytes) },
    { "fold_age_ms", TYPE_U32, offsetof(options, store.fold_age_ms) },
    { "fold_rows", TYPE_U32, offsetof(options, store.fold_rows) },
    { "changelog_bytes", TYPE_SIZE, offsetof(options, store.changelog_bytes) },
    { "blob_segment_bytes", TYPE_SIZE, offsetof(options, store.blob_segment_bytes) },
    { "floor_keep_ms", TYPE_SIZE, offsetof(options, store.floor_keep_ms) },
    { "held_total_max", TYPE_SIZE, offsetof(options, store.held_max) },
#undef RELAY
#undef SERVER
};

enum { LIMIT_COUNT = sizeof limits / sizeof *limits };

static double get(const options *o, const limit *l)
{
    const void *at = (const char *)o + l->at;

    switch (l->type) {
    case TYPE_SIZE:
        return (double)*(const size_t *)at;
    case TYPE_U32:
        return *(const uint32_t *)at;
    case TYPE_UNSIGNED:
        return *(const unsigned *)at;
    case TYPE_I64:
        return (double)*(const int64_t *)at;
    case TYPE_DOUBLE:
        return *(const double *)at;
    }
    return 0;
}

void limit_put(options *o, const limit *l, double value)
{
    void *at = (char *)o + l->at;

    switch (l->type) {
    case TYPE_SIZE:
        *(size_t *)at = (size_t)value;
        break;
    case TYPE_U32:
        *(uint32_t *)at = (uint32_t)value;
        break;
    case TYPE_UNSIGNED:
        *(unsigned *)at = (unsigned)value;
        break;
    case TYPE_I64:
        *(int64_t *)at = (int64_t)value;
        break;
    case TYPE_DOUBLE:
        *(double *)at = value;
        break;
    }
}

/* "hash-bytes" is "hash_bytes": who types a limit need not know how C spells it. */
static bool same_name(const char *name, slice word)
{
    if (strlen(name) != word.len) return false;
    for (size_t i = 0; i < word.len; i++)
        if (name[i] != (word.at[i] == '-' ? '_' : word.at[i])) return false;
    return true;
}

const limit *limit_find(slice name)
{
    for (size_t i = 0; i < LIMIT_COUNT; i++)
        if (same_name(limits[i].name, name)) return &limits[i];
    return NULL;
}

double limit_most(const limit *l)
{
    return l->type == TYPE_U32 || l->type == TYPE_UNSIGNED ? UINT32_MAX : 1e15;
}

void limits_print(FILE *to, const options *o)
{
    for (size_t i = 0; i < LIMIT_COUNT; i++)
        fprintf(to, "  %-24s %.0f\n", limits[i].name, get(o, &limits[i]));
}
