/* loop.c - see loop.h. */
#include "server/loop.h"

#include "server/admin.h"
#include "server/assets.h"
#include "server/audio_stream.h"
#include "server/clock.h"
#include "server/have.h"
#include "server/http.h"
#include "server/listener.h"
#include "server/modes.h"
#include "server/notify.h"
#include "server/quota.h"
#include "server/session.h"
#include "server/tls.h"
#include "server/transport.h"
#include "server/upload_http.h"

#include <assert.h>
#include <float.h>
#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    TICK_MS = 100,
    SWEEP_TICKS = 50,       /* how often the gate forgets */
    SPARE_FILES = 64,       /* the store, listeners, files being read */
    STOP_SAYING_MS = 2000,  /* for the last acks to leave */
    STOP_CLOSING_MS = 1000, /* for the clients to answer that they are closed */
};

/* ---- the turn ---- */

/* The first thing the relay or the store has to do without being woken. */
static void schedule(server *s)
{
    int64_t due = relay_due_ms(s->relay, s->now);
    double in_ms = due == INT64_MAX ? DBL_MAX : (double)(due - s->now.steady_ms);
    double store_ms = radisk_due_in_ms(s->store);

    if (store_ms < in_ms) in_ms = store_ms;
    if (audio_streams_wait(s) || uploads_wait(s) || have_is_busy(s->have)) in_ms = 0;
    if (modes_busy(s)) in_ms = 0;
    if (in_ms >= DBL_MAX) {
        ev_timer_stop(s->loop, &s->due);
        return;
    }
    s->due.repeat = in_ms > 0 ? in_ms / 1000 : 1e-6;
    ev_timer_again(s->loop, &s->due);
}

static bool stop_is_over(const server *s)
{
    return s->closing_all &&
           (s->sessions == 0 || s->now.steady_ms - s->closing_ms >= STOP_CLOSING_MS);
}

/* No ack is owed any more, and none is on its way. */
static bool all_is_done(const server *s)
{
    relay_gauges g;

    relay_measure(s->relay, &g);
    return g.acks_waiting == 0 && g.suspended_bytes == 0 && s->upload_count == 0 &&
           sessions_all_said(s);
}

static void go_on_stopping(server *s)
{
    if (!s->closing_all && (all_is_done(s) || s->now.steady_ms - s->stop_ms >= STOP_SAYING_MS)) {
        s->closing_all = true;
        s->closing_ms = s->now.steady_ms;
        sessions_close_all(s);
    }
    if (stop_is_over(s)) ev_break(s->loop, EVBREAK_ALL);
}

static void take_checks(server *s)
{
    check *next;

    for (check *c = verify_take(s->verify); c != NULL; c = next) {
        next = c->next;
        relay_checked(s->relay, c, s->now);
    }
}

static void turn(server *s)
{
    s->now = clock_now();
    radisk_turn(s->store);
    take_checks(s);
    modes_turn(s);
    uploads_turn(s);
    relay_turn(s->relay, s->now);
    have_turn(s->have);
    sessions_admit(s);
    sessions_drain(s);
    audio_streams_turn(s);
    if (s->stopping) go_on_stopping(s);
    sessions_bury(s);
    /* What the turn itself merged: held writes come due, puts judged in slices. */
    radisk_turn(s->store);
    schedule(s);
}

static void on_turn(struct ev_loop *loop, ev_prepare *w, int events)
{
    (void)loop;
    (void)events;
    turn(w->data);
}

/* The loop has slept: what arrived is heard at this time. */
static void on_woke(struct ev_loop *loop, ev_check *w, int events)
{
    server *s = w->data;

    (void)loop;
    (void)events;
    s->now = clock_now();
}

static void on_due(struct ev_loop *loop, ev_timer *w, int events)
{
    (void)events;
    ev_timer_stop(loop, w); /* the turn that follows sets it anew */
}

static void on_committed(struct ev_loop *loop, ev_async *w, int events)
{
    (void)loop;
    (void)w;
    (void)events; /* the turn that follows takes the news */
}

static void watch_store(server *s)
{
    bool writable = radisk_ready(s->store);

    if (writable == s->writable) return;
    s->writable = writable;
    if (writable)
        log_say(&s->log, LOG_STORE, s->now, "writes are possible again");
    else
        log_say(&s->log, LOG_STORE, s->now, "writes are refused now, reads go on: %s",
                radisk_trouble(s->store));
}

static void on_tick(struct ev_loop *loop, ev_timer *w, int events)
{
    server *s = w->data;

    (void)loop;
    (void)events;
    s->now = clock_now();
    sessions_tick(s);
    http_tick(s);
    audio_streams_tick(s);
    uploads_tick(s);
    have_tick(s->have);
    watch_store(s);
    quota_tick(s);
    log_tick(&s->log, s->now);
    if (++s->ticks % SWEEP_TICKS == 0) gate_sweep(s->gate, s->now.steady_ms);
}

/* ---- signals ---- */

/* All that was heard becomes durable here; the acks leave in the turns to come. */
static void begin_to_stop(server *s)
{
    status flushed;

    s->stopping = true;
    s->stop_ms = s->now.steady_ms;
    log_say(&s->log, LOG_LIFE, s->now, "stopping: %u connections", s->sessions);
    notify_manager("STOPPING=1");
    listeners_close(s);
    admin_stop(s);
    sessions_deafen(s);
    uploads_stop(s);
    relay_turn(s->relay, s->now);
    flushed = radisk_flush(s->store);
    if (flushed != STATUS_OK)
        log_say(&s->log, LOG_STORE, s->now, "the last writes failed: %s", status_text(flushed));
}

static void on_stop(struct ev_loop *loop, ev_signal *w, int events)
{
    server *s = w->data;

    (void)events;
    s->now = clock_now();
    if (!s->stopping)
        begin_to_stop(s);
    else
        ev_break(loop, EVBREAK_ALL); /* asked twice: at once */
}

static void on_hup(struct ev_loop *loop, ev_signal *w, int events)
{
    server *s = w->data;

    (void)loop;
    (void)events;
    s->now = clock_now();
    tls_reload(s);
    modes_reload(s);
}

static void watch_signals(server *s)
{
    signal(SIGPIPE, SIG_IGN);
    ev_signal_init(&s->on_term, on_stop, SIGTERM);
    ev_signal_init(&s->on_int, on_stop, SIGINT);
    ev_signal_init(&s->on_hup, on_hup, SIGHUP);
    s->on_term.data = s->on_int.data = s->on_hup.data = s;
    ev_signal_start(s->loop, &s->on_term);
    ev_signal_start(s->loop, &s->on_int);
    ev_signal_start(s->loop, &s->on_hup);
}

static void watch_time(server *s)
{
    ev_prepare_init(&s->turn, on_turn);
    ev_check_init(&s->woke, on_woke);
    ev_set_priority(&s->woke, EV_MAXPRI);
    ev_timer_init(&s->due, on_due, 0, 0);
    ev_timer_init(&s->tick, on_tick, TICK_MS / 1000.0, TICK_MS / 1000.0);
    s->turn.data = s->woke.data = s->due.data = s->tick.data = s;
    ev_prepare_start(s->loop, &s->turn);
    ev_check_start(s->loop, &s->woke);
    ev_timer_start(s->loop, &s->tick);
}

/* ---- opening ---- */

static bool complain(server *s, const char *what)
{
    log_say(&s->log, LOG_LIFE, s->now, "%s", what);
    return false;
}

/* Raises the limit of descriptors as far as is of use, and lowers the limit of
 * connections to what there is. libwebsockets makes tables of that size, so the
 * limit is not raised to the million that some systems allow. */
static bool fit_to_system(server *s)
{
    uint32_t most = s->limits.connections_max;
    uint32_t others = s->limits.waiting_max + s->limits.pages_max + SPARE_FILES;
    struct rlimit open_files;

    if (getrlimit(RLIMIT_NOFILE, &open_files) != 0)
        return complain(s, "no limit of open files is known");
    open_files.rlim_cur = (rlim_t)most + others;
    if (open_files.rlim_cur > open_files.rlim_max) open_files.rlim_cur = open_files.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &open_files) != 0)
        return complain(s, "the limit of open files stays");
    if (open_files.rlim_cur < (rlim_t)most + others) {
        if (s->limits.waiting_max > open_files.rlim_cur / 4)
            s->limits.waiting_max = (uint32_t)(open_files.rlim_cur / 4);
        if (s->limits.pages_max > open_files.rlim_cur / 8)
            s->limits.pages_max = (uint32_t)(open_files.rlim_cur / 8);
        others = s->limits.waiting_max + s->limits.pages_max + SPARE_FILES;
        if (open_files.rlim_cur <= others)
            return complain(s, "too few open files are allowed (ulimit -n)");
        most = (uint32_t)(open_files.rlim_cur - others);
    }
    if (most < s->limits.connections_max)
        log_say(&s->log, LOG_LIFE, s->now,
                "only %u connections: the system allows %llu open files (ulimit -n)", most,
                (unsigned long long)open_files.rlim_cur);
    s->limits.connections_max = most;
    return true;
}

/* Nine characters, as gun's own ids. */
static void make_pid(server *s)
{
    static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXZabcdefghijklmnopqrstuvwxyz";

    for (size_t i = 0; i + 1 < sizeof s->pid; i++)
        s->pid[i] = alphabet[randombytes_uniform(sizeof alphabet - 1)];
}

static void open_assets(server *s)
{
    char path[4096];
    const char *folder = s->options->assets;

    if (!folder) {
        /* build/PRESET/server/brasa -> build/assets/gun */
        ssize_t len = readlink("/proc/self/exe", path, sizeof path - 32);
        char *slash;
        if (len <= 0) return;
        path[len] = 0;
        slash = strrchr(path, '/');
        memcpy(slash, "/../../assets/gun", sizeof "/../../assets/gun");
        folder = path;
    }
    if (assets_open(&s->assets, folder) == STATUS_OK)
        log_plain(&s->log, "assets %zu files of the npm package gun, /gun.js among them",
                  assets_count(s->assets));
    else
        log_plain(&s->log,
                  "assets none: /gun.js is missing, pages must load gun.js from elsewhere");
}

static bool is_open_to_others(const options *o)
{
    for (size_t i = 0; i < o->listen_count; i++)
        if (o->listen[i].kind != LISTEN_ADMIN && !address_is_loopback(&o->listen[i].host))
            return true;
    return false;
}

/* A socket from the service manager may turn out to be one. */
static bool has_tls_listener(const server *s)
{
    const options *o = s->options;

    for (size_t i = 0; i < o->listen_count; i++)
        if (o->listen[i].kind == LISTEN_TLS) return true;
    return getenv("LISTEN_FDS") != NULL;
}

static void warn(server *s)
{
    const options *o = s->options;
    bool others = is_open_to_others(o);

    if (o->origin_count == 0)
        log_plain(&s->log,
                  "warning: without --origin any web page in a visitor's browser may connect");
    if (o->tls_cert && !has_tls_listener(s))
        log_plain(&s->log, "warning: there is a certificate, and no wss:// listener to use it");
    if (others && !o->tls_cert && o->trusted_count == 0)
        log_plain(&s->log, "warning: listening beyond this machine without TLS; pages on https can "
                           "only open wss://");
}

static void say_limits(server *s)
{
    const server_limits *l = &s->limits;

    log_plain(
        &s->log,
        "limits connections %u, per address %u; message %zu MiB; per connection %.0f messages/s "
        "and %.0f MiB/s",
        l->connections_max, l->per_address_max, s->options->relay.message_bytes_max / (1024 * 1024),
        l->messages.rate, l->bytes.rate / (1024 * 1024));
}

static void say_hello(server *s)
{
    const options *o = s->options;

    log_plain(&s->log, "data %s, at most %.1f GiB", o->data,
              (double)o->store.size_max / (1024.0 * 1024 * 1024));
    modes_say(s);
    log_plain(&s->log, "tls %s", o->tls_cert ? o->tls_cert : "none");
    say_limits(s);
    warn(s);
    open_assets(s);
}

static void wake(void *context)
{
    server *s = context;

    ev_async_send(s->loop, &s->committed);
}

static bool open_store(server *s)
{
    radisk_options wish = {
        .folder = s->options->data,
        .limits = s->options->store,
        .wake = wake,
        .context = s,
    };
    char why[RADISK_WHY_MAX] = "";
    status opened;

    randombytes_buf(wish.secret, sizeof wish.secret);
    ev_async_init(&s->committed, on_committed);
    ev_async_start(s->loop, &s->committed);
    opened = radisk_open(&s->store, &wish, why);
    if (opened == STATUS_OK && why[0] != '\0')
        log_say(&s->log, LOG_STORE, s->now, "the store: %s", why);
    if (opened == STATUS_OK) return true;
    log_say(&s->log, LOG_LIFE, s->now, "the store cannot be opened: %s (%s)", why,
            status_text(opened));
    return false;
}

static bool open_verify(server *s)
{
    const options *o = s->options;
    unsigned threads = o->verify_threads > 0 ? o->verify_threads : verify_threads();
    uint8_t secret[CRYPTO_SECRET_BYTES];

    randombytes_buf(secret, sizeof secret);
    return crypto_new(&s->crypto, &o->crypto, secret) == STATUS_OK &&
           verify_new(&s->verify, crypto_table(s->crypto), threads, s->secret, wake, s) ==
               STATUS_OK;
}

static bool open_audio(server *s)
{
    return audio_new(&s->audio, s->store, crypto_table(s->crypto), &s->options->audio, s->secret) ==
           STATUS_OK;
}

static uint64_t hashed_bytes(void *context)
{
    const server *s = context;

    return radisk_hashed_bytes(s->store);
}

static bool open_relay(server *s)
{
    const options *o = s->options;
    relay_options wish = {
        .limits = o->relay,
        .store = radisk_graph(s->store),
        .ours = have_graph(s->have),
        .news = have_news,
        .news_context = s->have,
        .crypto = crypto_table(s->crypto),
        .pool = verify_pool(s->verify),
        .guard = s->guard,
        .hashed_bytes = hashed_bytes,
        .hashed_context = s,
        .uploads = quota_uploads(s),
        .pid = { s->pid, sizeof s->pid - 1 },
        .memory_prefixes = o->memory,
        .memory_prefix_count = o->memory_count,
        .list_souls = o->list_souls,
    };

    wish.limits.hashed_bytes_max = o->hash_bytes;
    make_pid(s); /* the wish points to it */
    randombytes_buf(wish.secret, sizeof wish.secret);
    return relay_new(&s->relay, &wish) == STATUS_OK;
}

static void prepare_lists(server *s)
{
    TAILQ_INIT(&s->waiting);
    TAILQ_INIT(&s->slowed);
    TAILQ_INIT(&s->assembling);
    TAILQ_INIT(&s->graves);
    TAILQ_INIT(&s->blocked);
    TAILQ_INIT(&s->streams);
    TAILQ_INIT(&s->streams_ready);
    TAILQ_INIT(&s->uploads);
    for (unsigned i = 0; i < WHEEL_SLOTS; i++) LIST_INIT(&s->wheel[i]);
    s->wheel_ms = (double)s->now.steady_ms;
}

static bool open_all(server *s)
{
    if (!listeners_open(s)) return false;
    s->loop = ev_loop_new(EVFLAG_NOENV | EVBACKEND_EPOLL);
    if (!s->loop) return complain(s, "no event loop with epoll could be made");
    randombytes_buf(s->secret, sizeof s->secret);
    if (gate_new(&s->gate, &s->limits, s->secret) != STATUS_OK) return complain(s, "out of memory");
    watch_signals(s);
    if (!transport_open(s, s->options->tls_cert != NULL))
        return complain(s, s->options->tls_cert && !s->tls_files
                               ? "there is no TLS without a certificate and its key"
                               : "libwebsockets did not start; is the package "
                                 "libwebsockets-evlib-ev there?");
    if (!open_store(s)) return false;
    if (!modes_pins(s)) return complain(s, "the allowed keys cannot be read again");
    if (!open_verify(s)) return complain(s, "no thread could be started to check signatures");
    if (have_new(&s->have, s) != STATUS_OK || !open_relay(s) || !open_audio(s))
        return complain(s, "out of memory");
    admin_open(s);
    return true;
}

static void close_all(server *s)
{
    listeners_close(s);
    transport_close(s);
    tls_free(s);
    if (s->relay) sessions_bury(s);
    if (s->verify) verify_stop(s->verify);
    relay_free(s->relay);
    verify_free(s->verify);
    have_free(s->have);
    audio_free(s->audio);
    crypto_free(s->crypto);
    admin_stop(s);
    if (s->store) radisk_close(s->store);
    admin_free(s);
    modes_close(s);
    gate_free(s->gate);
    assets_free(s->assets);
    if (s->loop) ev_loop_destroy(s->loop);
}

int server_run(const options *o)
{
    server *s = calloc(1, sizeof *s);
    int result = 1;

    if (!s) return 1;
    s->options = o;
    s->limits = o->server;
    s->log.to = stdout;
    s->now = s->started = clock_now();
    s->writable = true;
    prepare_lists(s);
    log_plain(&s->log, "brasa " BRASA_VERSION);
    if (!fit_to_system(s) || !modes_open(s)) goto out;
    say_hello(s);
    if (!open_all(s)) goto out;
    s->ready = true;
    watch_time(s);
    listeners_start(s);
    log_plain(&s->log, "ready");
    notify_manager("READY=1");
    ev_run(s->loop, 0);
    result = 0;
out:
    close_all(s);
    if (result == 0) log_plain(&s->log, "stopped");
    free(s);
    return result;
}
