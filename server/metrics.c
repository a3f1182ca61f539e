/* metrics.c - see metrics.h. */
#include "server/metrics.h"

#include "server/have.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

static void counter(FILE *to, const char *name, const char *words, uint64_t value)
{
    fprintf(to,
            "# HELP brasa_%s_total %s\n# TYPE brasa_%s_total counter\nbrasa_%s_total %" PRIu64 "\n",
            name, words, name, name, value);
}

static void gauge(FILE *to, const char *name, const char *words, double value)
{
    fprintf(to, "# HELP %s %s\n# TYPE %s gauge\n%s %.17g\n", name, words, name, name, value);
}

static double resident_bytes(void)
{
    FILE *from = fopen("/proc/self/statm", "re");
    unsigned long size = 0, resident = 0;

    if (!from) return 0;
    if (fscanf(from, "%lu %lu", &size, &resident) != 2) resident = 0;
    fclose(from);
    return (double)resident * (double)sysconf(_SC_PAGESIZE);
}

static double open_files(void)
{
    DIR *folder = opendir("/proc/self/fd");
    double count = -3; /* `.`, `..` and this one */

    if (!folder) return 0;
    while (readdir(folder)) count++;
    closedir(folder);
    return count;
}

static double processor_seconds(void)
{
    struct timespec used;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

static void server_gauges(FILE *to, const server *s)
{
    gauge(to, "brasa_ready", "1 when writes are possible",
          s->ready && !s->stopping && radisk_ready(s->store));
    gauge(to, "brasa_uptime_seconds", "since the start",
          (double)(s->now.steady_ms - s->started.steady_ms) / 1000);
    gauge(to, "brasa_sockets", "accepted sockets that are open", s->sockets);
    gauge(to, "brasa_connections", "WebSocket connections that have a place",
          gate_places_taken(s->gate));
    gauge(to, "brasa_connections_max", "places there are", s->limits.connections_max);
    gauge(to, "brasa_waiting", "connections that wait for a place", s->waiting_count);
    gauge(to, "brasa_assembling_bytes", "of messages that have not arrived whole",
          (double)s->assembling_bytes);
    gauge(to, "process_resident_memory_bytes", "resident memory", resident_bytes());
    gauge(to, "process_open_fds", "open file descriptors", open_files());
    fprintf(to, "# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total %.6f\n",
            processor_seconds());
    gauge(to, "process_start_time_seconds", "since 1970", s->started.wall_ms / 1000);
}

static void relay_gauges_text(FILE *to, const server *s)
{
    relay_gauges g;

    relay_measure(s->relay, &g);
    gauge(to, "brasa_peers", "peers of the relay", (double)g.peers);
    gauge(to, "brasa_interests", "subscriptions", (double)g.interests);
    gauge(to, "brasa_souls_wanted", "souls that somebody subscribes to", (double)g.souls_wanted);
    gauge(to, "brasa_keepsakes", "writers remembered by pid", (double)g.keepsakes);
    gauge(to, "brasa_outbox_bytes", "waiting to be sent", (double)g.outbox_bytes);
    gauge(to, "brasa_walk_bytes", "buffers of large answers", (double)g.walk_bytes);
    gauge(to, "brasa_suspended_bytes", "memory of messages left for later",
          (double)g.suspended_bytes);
    gauge(to, "brasa_acks_waiting", "acks that wait for the disk", (double)g.acks_waiting);
    gauge(to, "brasa_misses", "misses under way or remembered", (double)g.misses);
    gauge(to, "brasa_fleeting_rows", "keys kept in memory only", (double)g.fleeting_rows);
    gauge(to, "brasa_fleeting_bytes", "of those", (double)g.fleeting_bytes);
    gauge(to, "brasa_peers_melted", "peers whose updates are marks", (double)g.peers_melted);
}

static void guard_metrics(FILE *to, const server *s)
{
    guard_gauges g;

    guard_measure(s->guard, &g);
    gauge(to, "brasa_allowed_keys", "keys that may write in closed mode", (double)g.allowed);
    gauge(to, "brasa_write_tokens", "tokens there are", (double)g.tokens);
    gauge(to, "brasa_guard_roots", "under which content hashes may be written in closed mode",
          (double)g.roots);
    counter(to, "guard_roots_crowded", "roots forgotten for others", g.crowded);
    counter(to, "guard_links_missed", "links not learnt for want of memory", g.missed);
}

static void verify_metrics(FILE *to, const server *s)
{
    crypto_counts c;
    verify_counts v;

    crypto_count(s->crypto, &c);
    verify_count(s->verify, &v);
    gauge(to, "brasa_verify_threads", "that check signatures", v.threads);
    gauge(to, "brasa_verify_waiting", "checks of up to 8 keys that wait", (double)v.waiting);
    counter(to, "verify_curves", "signatures put to the curve", c.curves);
    counter(to, "verify_remembered", "signatures answered from memory", c.remembered);
    counter(to, "verify_keys", "public keys decoded", c.keys);
}

static void audio_metrics(FILE *to, const server *s)
{
    audio_gauges g;

    audio_measure(s->audio, &g);
    gauge(to, "brasa_audio_streams", "tracks that are being sent", s->stream_count);
    gauge(to, "brasa_uploads_under_way", "tracks, and parts of them, that are coming in",
          s->upload_count);
    gauge(to, "brasa_have_watched", "tracks whose have-bitmap somebody asked for",
          have_watched(s->have));
    gauge(to, "brasa_audio_tracks", "manifests that are remembered", (double)g.tracks);
    gauge(to, "brasa_audio_cache_bytes", "of those", (double)g.bytes);
}

static void store_metrics(FILE *to, const server *s)
{
    radisk_stats d;

    radisk_measure(s->store, &d);
    gauge(to, "brasa_store_souls", "souls on disk", (double)d.souls);
    gauge(to, "brasa_store_rows", "keys on disk", (double)d.rows);
    gauge(to, "brasa_store_held", "writes from the future", (double)d.held);
    gauge(to, "brasa_store_overlay_rows", "keys not yet on disk", (double)d.overlay_rows);
    gauge(to, "brasa_store_overlay_bytes", "of those", (double)d.overlay_bytes);
    gauge(to, "brasa_store_bytes", "used of the map", (double)d.map_bytes_used);
    gauge(to, "brasa_store_bytes_max", "size of the map", (double)d.map_bytes_max);
    gauge(to, "brasa_store_blobs", "values over 4 KB on disk", (double)d.blobs);
    gauge(to, "brasa_store_hashed_bytes", "of values in souls of content hashes",
          (double)d.hashed_bytes);
    gauge(to, "brasa_store_unfolded_bytes", "of journal, not yet in the database",
          (double)d.unfolded_bytes);
    gauge(to, "brasa_store_latched", "1 when the disk failed twice: writes are refused", d.latched);
    gauge(to, "brasa_store_sync_seconds", "the last batch of the journal",
          (double)d.sync_us_last / 1e6);
    gauge(to, "brasa_store_sync_seconds_max", "the slowest batch", (double)d.sync_us_max / 1e6);
    gauge(to, "brasa_store_fold_seconds", "the last fold", (double)d.fold_us_last / 1e6);
    gauge(to, "brasa_store_fold_seconds_max", "the slowest fold", (double)d.fold_us_max / 1e6);
    gauge(to, "brasa_store_replay_seconds", "reading the journal at the start",
          (double)d.replay_us / 1e6);
    counter(to, "store_batches", "batches of the journal, one sync each", d.batches);
    counter(to, "store_batches_failed", "batches that failed", d.batches_failed);
    counter(to, "store_rows_journaled", "keys written to the journal", d.rows_journaled);
    counter(to, "store_journal_bytes", "written to the journal", d.journal_bytes);
    counter(to, "store_blob_bytes", "written to blob segments", d.blob_bytes);
    counter(to, "store_folds", "generations moved into the database", d.folds);
    counter(to, "store_folds_failed", "folds that failed and were done again", d.folds_failed);
    counter(to, "store_transactions", "transactions of the folder", d.transactions);
    counter(to, "store_rows_written", "keys written to the database", d.rows_written);
    counter(to, "store_rows_expired", "keys that left the database, or never came to it, by <?N",
            d.rows_expired);
    gauge(to, "brasa_store_roots", "pieces of audio", (double)d.roots);
    counter(to, "store_roots_collected", "pieces of audio that nothing named any more",
            d.roots_collected);
    counter(to, "store_rows_collected", "their chunks and manifests", d.rows_collected);
    counter(to, "store_replayed_rows", "keys read back from the journal at the start",
            d.replayed_rows);
    counter(to, "store_damaged", "rows met whose checksum did not fit", d.damaged_rows);
    counter(to, "store_collected_bytes", "of blob segments that nobody named", d.collected_bytes);
}

static void all_metrics(FILE *to, const server *s)
{
    relay_counts r = *relay_count(s->relay);

    /* What was too big as a whole never came to the relay. */
    r.too_big += s->counts.frames_too_big;

    fprintf(to,
            "# HELP brasa_info what runs\n# TYPE brasa_info gauge\n"
            "brasa_info{version=\"%s\",write_mode=\"%s\"} 1\n",
            BRASA_VERSION, guard_mode_name(s->options->write));
    server_gauges(to, s);
    relay_gauges_text(to, s);
    guard_metrics(to, s);
    verify_metrics(to, s);
    audio_metrics(to, s);
    store_metrics(to, s);
#define X(name, words) counter(to, #name, words, r.name);
    RELAY_COUNT_LIST(X)
#undef X
#define X(name, words) counter(to, #name, words, s->counts.name);
    SERVER_COUNT_LIST(X)
#undef X
}

static void status_json(FILE *to, const server *s)
{
    guard_gauges w;
    relay_gauges g;
    radisk_stats d;

    guard_measure(s->guard, &w);
    relay_measure(s->relay, &g);
    radisk_measure(s->store, &d);
    fprintf(to,
            "{\"name\":\"brasa\",\"version\":\"%s\",\"pid\":\"%s\",\"ready\":%s,\"uptime_s\":%.3f,"
            "\"write_mode\":\"%s\",\"allowed_keys\":%" PRIu64 ",\"write_tokens\":%s,",
            BRASA_VERSION, s->pid,
            s->ready && !s->stopping && radisk_ready(s->store) ? "true" : "false",
            (double)(s->now.steady_ms - s->started.steady_ms) / 1000, guard_mode_name(w.mode),
            w.allowed, w.tokens > 0 ? "true" : "false");
    fprintf(to,
            "\"connections\":%" PRIu32 ",\"waiting\":%" PRIu32 ",\"subscriptions\":%" PRIu64
            ",\"outbox_bytes\":%" PRIu64 ",\"memory_bytes\":%.0f,\"listeners\":%" PRIu32
            ",\"uploads\":%" PRIu32 ",\"writes\":%" PRIu64 ",",
            gate_places_taken(s->gate), s->waiting_count, g.interests, g.outbox_bytes,
            resident_bytes(), s->stream_count, s->upload_count, relay_count(s->relay)->puts_ok);
    fprintf(to,
            "\"store\":{\"souls\":%" PRIu64 ",\"keys\":%" PRIu64 ",\"held\":%" PRIu64
            ",\"bytes\":%" PRIu64 ",\"bytes_max\":%" PRIu64 ",\"audio_bytes\":%" PRIu64 "},",
            d.souls, d.rows, d.held, d.map_bytes_used, d.map_bytes_max, d.hashed_bytes);
    fprintf(to,
            "\"limits\":{\"message_bytes\":%zu,\"connections\":%" PRIu32
            ",\"connections_per_address\":%" PRIu32
            ",\"messages_per_s\":%.0f,\"bytes_per_s\":%.0f,\"subscriptions\":%" PRIu32
            ",\"keys_per_put\":%" PRIu32 ",\"list_souls\":%s}}\n",
            s->options->relay.message_bytes_max, s->limits.connections_max,
            s->limits.per_address_max, s->limits.messages.rate, s->limits.bytes.rate,
            s->options->relay.interests_max, s->options->relay.put_keys_max,
            s->options->list_souls ? "true" : "false");
}

static char *gather(server *s, void (*say)(FILE *to, const server *s), size_t *len)
{
    char *words = NULL;
    FILE *to = open_memstream(&words, len);
    bool whole;

    if (!to) return NULL;
    say(to, s);
    whole = !ferror(to);
    if (fclose(to) == 0 && whole) return words;
    free(words);
    return NULL;
}

char *metrics_text(server *s, size_t *len)
{
    return gather(s, all_metrics, len);
}

char *metrics_status(server *s, size_t *len)
{
    return gather(s, status_json, len);
}
