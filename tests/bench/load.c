/* load.c - the load generator: knows a port, and nothing else of what it loads.
 *
 *   load MODE --port PORT [options]
 *
 * It prints one line of JSON and exits 0 when everything that was asked was
 * answered as it should be, 1 when the sums do not add up (the line is printed all
 * the same), 2 when it could not do its work.
 */
#include "tests/bench/clock.h"
#include "tests/bench/exchange.h"
#include "tests/bench/fanout.h"
#include "tests/bench/first.h"
#include "tests/bench/talk.h"

#include <getopt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

enum { OPEN_MS = 60000, SETTLE_MS = 1000, SOURCES = 8, COULD_NOT = 2 };

typedef struct load_options {
    uint16_t port;
    pid_t pid;
    const char *mode, *path, *folder, *prefix, *bodies;
    uint32_t connections, window, frame, souls, keys, idle, count;
    size_t value_bytes;
    double rate;
    unsigned warm_ms, measure_ms;
    bool bare, forged;
} load_options;

static const char USAGE[] =
    "load MODE --port PORT [options]\n"
    "\n"
    "  put      write nodes and wait for their acks\n"
    "  get      write --souls nodes, then read them\n"
    "  mixed    both, with live updates: what memory costs under load\n"
    "  fanout   one publisher, --connections subscribers\n"
    "  idle     --connections active ones, before and after --idle others came\n"
    "  echo     against the echo server: the most this machine could do\n"
    "  beside   --bodies over --connections, and what puts of one more wait meanwhile\n"
    "  first    knock until the server opens; get one of --souls nodes; write one\n"
    "  sync     the disk's own sync time in --folder\n"
    "\n"
    "  --pid PID          of the server, to read its memory and processor time\n"
    "  --path PATH        default /gun\n"
    "  --connections N    default 1\n"
    "  --window N         questions open per connection, default 1\n"
    "  --frame N          messages in a frame, default 1\n"
    "  --value BYTES      of each value, default 100\n"
    "  --keys N           of each node, default 1\n"
    "  --souls N          nodes to read, or to write again and again; put without it\n"
    "                     makes each put a new node\n"
    "  --rate N           questions a second in all, default as many as are answered;\n"
    "                     fanout: puts a second, default as many as are delivered;\n"
    "                     beside: puts a second of the one more, default 500\n"
    "  --count N          put, beside: stop after so many, default when the time is over\n"
    "  --prefix TEXT      of the names of souls, default bench/\n"
    "  --idle N           default 10000\n"
    "  --warm MS, --measure MS   default 500 and 3000\n"
    "  --folder PATH      of sync, default .\n"
    "  --bodies FILE      beside: puts made beforehand, each sent once (bodies.h)\n"
    "  --forged           beside: they have to be refused, all of them\n"
    "  --bare             fanout against the broadcast server\n";

static int fail(const char *why)
{
    fprintf(stderr, "load: %s\n", why);
    return COULD_NOT;
}

/* --- connections --- */

/* Answers greetings for connections that nobody else listens to. */
static void greet(void *context, wire *w, slice frame)
{
    talk_text *text = context;

    text->len = 0;
    if (talk_greeting(text, frame, wire_index(w))) wire_say(w, talk_slice(text));
}

static void turn_for(fleet *f, unsigned ms)
{
    for (uint64_t until = clock_ns() + ms * 1000000ull; clock_ns() < until;) fleet_turn(f, 20);
}

/* Gives a fleet of `count` open and greeted connections, or NULL. `text` is
 * borrowed as long as the fleet. */
static fleet *gather(const load_options *o, uint32_t count, talk_text *text)
{
    fleet_options options = {
        .port = o->port, .path = o->path, .sources = count > 1000 ? SOURCES : 0, .wires_max = count
    };
    fleet *f = fleet_new(&options);

    if (f == NULL) return NULL;
    fleet_listen(f, greet, text);
    if (!fleet_open(f, count, OPEN_MS))
        fprintf(stderr, "load: only %u of %u connections opened\n", fleet_living(f), count);
    turn_for(f, 100);
    return f;
}

/* --- printing --- */

static void print_memory(const char *name, machine_memory m)
{
    printf(",\"%s\":{\"resident_kb\":%llu,\"anonymous_kb\":%llu,\"peak_kb\":%llu}", name,
           (unsigned long long)m.resident, (unsigned long long)m.anonymous,
           (unsigned long long)m.peak);
}

/* Members follow, each with a comma before it. */
static void open_line(const load_options *o)
{
    printf("{\"mode\":\"%s\"", o->mode);
}

static void print_count(const char *name, uint64_t count)
{
    printf(",\"%s\":%llu", name, (unsigned long long)count);
}

static void print_latency(const tally *t)
{
    printf(",\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"max_ms\":%.3f", tally_ms(t, 0.5), tally_ms(t, 0.99),
           tally_max_ms(t));
}

static void print_pace(uint64_t measured, double seconds, double server_cpu_ms, double own_cpu_ms)
{
    double n = measured == 0 ? 1 : (double)measured;

    print_count("measured", measured);
    printf(",\"seconds\":%.3f,\"rate\":%.1f,\"server_cpu_us\":%.3f,\"own_cpu_us\":%.3f", seconds,
           (double)measured / seconds, server_cpu_ms * 1000 / n, own_cpu_ms * 1000 / n);
    printf(",\"server_cores\":%.2f,\"own_cores\":%.2f", server_cpu_ms / 1000 / seconds,
           own_cpu_ms / 1000 / seconds);
}

static void print_exchange(const exchange_result *r)
{
    printf("\"adds_up\":%s", exchange_adds_up(r) ? "true" : "false");
    print_count("asked", r->asked);
    print_count("answered", r->answered);
    print_count("refused", r->refused);
    print_count("empty", r->empty);
    print_count("twice", r->twice);
    print_count("lost", r->lost);
    print_count("late", r->late);
    print_pace(r->measured, r->seconds, r->server_cpu_ms, r->own_cpu_ms);
    print_latency(&r->latency);
    print_memory("memory", r->memory);
}

/* As member `name`; returns whether it adds up. */
static bool print_member(const char *name, const exchange_result *r)
{
    printf(",\"%s\":{", name);
    print_exchange(r);
    printf("}");
    return exchange_adds_up(r);
}

/* --- put, get, mixed, echo --- */

static exchange_options exchange_of(const load_options *o, exchange_kind kind, fleet *f)
{
    return (exchange_options){
        .kind = kind,
        .fleet = f,
        .server = o->pid,
        .prefix = o->prefix,
        .window = o->window,
        .frame = o->frame,
        .souls = o->souls,
        .keys = o->keys,
        .value_bytes = o->value_bytes,
        .rate = o->rate,
        .warm_ms = o->warm_ms,
        .measure_ms = o->measure_ms,
    };
}

/* Runs one exchange and prints its result as member `name`. */
static bool run_exchange(const exchange_options *options, const char *name)
{
    exchange *x = exchange_new(options);

    if (x == NULL) abort();
    bool good = print_member(name, exchange_run(x));
    exchange_free(x);
    return good;
}

/* Writes the nodes that are read later, each once. Few at a time: this is no
 * measurement, and the store shall have them before the first get. */
static bool fill(const load_options *o, fleet *f)
{
    exchange_options options = exchange_of(o, EXCHANGE_PUT, f);

    options.window = 1000 / fleet_size(f) + 1;
    if (o->keys > 100) options.window = 1;
    options.frame = 1;
    options.count = o->souls;
    options.souls = 0;
    options.rate = 0;
    options.warm_ms = 0;
    return run_exchange(&options, "fill");
}

static bool exchange_mode(const load_options *o, exchange_kind kind, fleet *f)
{
    exchange_options options = exchange_of(o, kind, f);
    bool filled = true;

    if (kind == EXCHANGE_PUT) options.count = o->count;
    if (kind == EXCHANGE_GET || kind == EXCHANGE_MIXED) {
        filled = fill(o, f);
        turn_for(f, SETTLE_MS);
    }
    return run_exchange(&options, "load") && filled;
}

static int run_exchange_mode(const load_options *o, exchange_kind kind)
{
    talk_text text = { 0 };
    fleet *f = gather(o, o->connections, &text);

    if (f == NULL || fleet_living(f) != o->connections) return fail("no connection");
    open_line(o);
    print_memory("before", machine_read_memory(o->pid));
    bool good = exchange_mode(o, kind, f);
    turn_for(f, SETTLE_MS);
    print_memory("after", machine_read_memory(o->pid));
    printf("}\n");
    fleet_free(f);
    free(text.at);
    return good ? 0 : 1;
}

/* --- beside --- */

static void *run_in_thread(void *context)
{
    exchange_run(context);
    return NULL;
}

/* Puts of one connection at a steady pace. */
static exchange_options calm_options(const load_options *o, fleet *calm)
{
    exchange_options options = exchange_of(o, EXCHANGE_PUT, calm);

    options.window = 65536;
    options.frame = 1;
    options.souls = 0;
    options.rate = o->rate > 0 ? o->rate : 500;
    return options;
}

/* The steady one in a thread of its own, so that it measures the server and not how
 * long the load generator takes to send. */
static bool run_beside(const load_options *o, fleet *calm, fleet *loaded, const bodies *b)
{
    atomic_bool over = false;
    exchange_options beside = calm_options(o, calm), main = exchange_of(o, EXCHANGE_BODIES, loaded);
    pthread_t thread;

    beside.prefix = "beside/";
    beside.until_over = &over;
    main.rate = 0;
    main.count = o->count;
    main.bodies = b;
    main.forged = o->forged;
    main.says_over = &over;
    exchange *one = exchange_new(&beside), *other = exchange_new(&main);
    if (one == NULL || other == NULL || pthread_create(&thread, NULL, run_in_thread, one) != 0)
        abort();
    const exchange_result *result = exchange_run(other);
    const exchange_result *meanwhile;
    pthread_join(thread, NULL);
    meanwhile = exchange_outcome(one);
    bool good = print_member("load", result);
    good = print_member("meanwhile", meanwhile) && good;
    exchange_free(one);
    exchange_free(other);
    return good;
}

static int run_beside_mode(const load_options *o)
{
    talk_text text = { 0 };
    bodies b;

    if (o->bodies == NULL || !bodies_read(&b, o->bodies)) return fail("--bodies cannot be read");
    fleet *calm = gather(o, 1, &text), *loaded = gather(o, o->connections, &text);
    if (calm == NULL || loaded == NULL || fleet_living(calm) != 1 ||
        fleet_living(loaded) != o->connections)
        return fail("no connection");
    exchange_options quiet = calm_options(o, calm);
    open_line(o);
    bool good = run_exchange(&quiet, "quiet");
    good = run_beside(o, calm, loaded, &b) && good;
    printf("}\n");
    fleet_free(loaded);
    fleet_free(calm);
    free(text.at);
    bodies_free(&b);
    return good ? 0 : 1;
}

/* --- fanout --- */

static void print_fanout(const fanout_result *r, bool good)
{
    printf(",\"load\":{\"adds_up\":%s", good ? "true" : "false");
    print_count("puts", r->puts);
    print_count("acked", r->acked);
    print_count("refused", r->refused);
    print_count("deliveries", r->deliveries);
    print_count("expected", r->expected);
    print_count("twice", r->twice);
    print_count("behind", r->behind);
    print_pace(r->measured, r->seconds, r->server_cpu_ms, r->own_cpu_ms);
    print_latency(&r->latency);
    print_memory("memory", r->memory);
    printf("}");
}

static int run_fanout_mode(const load_options *o)
{
    talk_text text = { 0 };
    fleet *f = gather(o, o->connections + 1, &text);
    const fanout_result *result;

    if (f == NULL || fleet_living(f) != o->connections + 1) return fail("no connection");
    fanout_options options = { .fleet = f,
                               .server = o->pid,
                               .prefix = "fanout/",
                               .rate = o->rate,
                               .window = o->window,
                               .value_bytes = o->value_bytes,
                               .warm_ms = o->warm_ms,
                               .measure_ms = o->measure_ms,
                               .bare = o->bare };
    fanout *x = fanout_new(&options);
    if (x == NULL) return fail("out of memory");
    bool good = fanout_run(x, &result);
    good = good && fanout_adds_up(result, o->bare);
    open_line(o);
    print_fanout(result, good);
    printf("}\n");
    fanout_free(x);
    fleet_free(f);
    free(text.at);
    return good ? 0 : 1;
}

/* --- idle --- */

/* Gets and then puts of the active ones; each run writes souls of its own. */
static bool active_run(const load_options *o, fleet *active, bool beside)
{
    exchange_options options = exchange_of(o, EXCHANGE_GET, active);

    bool good = run_exchange(&options, beside ? "get_beside" : "get_alone");
    options.kind = EXCHANGE_PUT;
    options.prefix = beside ? "beside/" : "alone/";
    options.souls = 0;
    return run_exchange(&options, beside ? "put_beside" : "put_alone") && good;
}

/* The idle ones are not listened to while the active ones are measured: what the
 * relay tells them meanwhile (a heartbeat, a ping) waits in their sockets. */
static bool idle_runs(const load_options *o, fleet *active, talk_text *text)
{
    bool good = fill(o, active) && active_run(o, active, false);
    machine_memory before = machine_read_memory(o->pid);
    fleet *idle = gather(o, o->idle, text);

    if (idle == NULL) return false;
    turn_for(idle, 2 * SETTLE_MS);
    print_memory("before", before);
    print_memory("beside", machine_read_memory(o->pid));
    good = active_run(o, active, true) && good;
    turn_for(idle, SETTLE_MS);
    uint32_t open = fleet_living(idle);
    print_count("idle_wanted", o->idle);
    print_count("idle_open", open);
    print_count("active_open", fleet_living(active));
    fleet_free(idle);
    return good && open == o->idle && fleet_living(active) == o->connections;
}

static int run_idle_mode(const load_options *o)
{
    talk_text text = { 0 };
    fleet *active = gather(o, o->connections, &text);

    if (active == NULL || fleet_living(active) != o->connections) return fail("no connection");
    open_line(o);
    bool good = idle_runs(o, active, &text);
    printf("}\n");
    fleet_free(active);
    free(text.at);
    return good ? 0 : 1;
}

/* --- first --- */

static int run_first_mode(const load_options *o)
{
    first_options options = { .port = o->port,
                              .path = o->path,
                              .prefix = o->prefix,
                              .souls = o->souls,
                              .patience_ms = o->measure_ms };
    first_result result;
    bool good = first_run(&options, &result);

    open_line(o);
    print_count("open_ns", result.open_ns);
    print_count("got_ns", result.got_ns);
    print_count("acked_ns", result.acked_ns);
    print_count("knocks", result.knocks);
    print_count("empty", result.empty);
    print_count("refused", result.refused);
    printf("}\n");
    return good ? 0 : 1;
}

/* --- sync --- */

static bool print_syncs(const load_options *o, machine_way way, const char *name)
{
    static tally times;

    times = (tally){ 0 };
    if (!machine_sync(o->folder, way, 1000, &times)) return false;
    printf(",\"%s\":{\"syncs\":%llu", name, (unsigned long long)times.count);
    print_latency(&times);
    printf("}");
    return true;
}

static int run_sync_mode(const load_options *o)
{
    open_line(o);
    bool good = print_syncs(o, MACHINE_APPEND, "appended") &&
                print_syncs(o, MACHINE_OVERWRITE, "overwritten");
    printf("}\n");
    return good ? 0 : fail("cannot write there");
}

/* --- the command line --- */

enum {
    OPT_PORT = 256,
    OPT_PID,
    OPT_PATH,
    OPT_CONNECTIONS,
    OPT_WINDOW,
    OPT_FRAME,
    OPT_VALUE,
    OPT_KEYS,
    OPT_SOULS,
    OPT_RATE,
    OPT_IDLE,
    OPT_WARM,
    OPT_MEASURE,
    OPT_FOLDER,
    OPT_COUNT,
    OPT_PREFIX,
    OPT_BODIES,
    OPT_FORGED,
    OPT_BARE
};

static const struct option OPTIONS[] = {
    { "port", required_argument, NULL, OPT_PORT },
    { "pid", required_argument, NULL, OPT_PID },
    { "path", required_argument, NULL, OPT_PATH },
    { "connections", required_argument, NULL, OPT_CONNECTIONS },
    { "window", required_argument, NULL, OPT_WINDOW },
    { "frame", required_argument, NULL, OPT_FRAME },
    { "value", required_argument, NULL, OPT_VALUE },
    { "keys", required_argument, NULL, OPT_KEYS },
    { "souls", required_argument, NULL, OPT_SOULS },
    { "rate", required_argument, NULL, OPT_RATE },
    { "idle", required_argument, NULL, OPT_IDLE },
    { "warm", required_argument, NULL, OPT_WARM },
    { "measure", required_argument, NULL, OPT_MEASURE },
    { "folder", required_argument, NULL, OPT_FOLDER },
    { "count", required_argument, NULL, OPT_COUNT },
    { "prefix", required_argument, NULL, OPT_PREFIX },
    { "bodies", required_argument, NULL, OPT_BODIES },
    { "forged", no_argument, NULL, OPT_FORGED },
    { "bare", no_argument, NULL, OPT_BARE },
    { NULL, 0, NULL, 0 },
};

static uint32_t number(const char *text, uint32_t least, uint32_t most)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);

    if (*text == '\0' || *end != '\0' || value < least || value > most) {
        fprintf(stderr, "load: %s is not a number from %u to %u\n", text, least, most);
        exit(COULD_NOT);
    }
    return (uint32_t)value;
}

static bool take_option(load_options *o, int which, const char *text)
{
    switch (which) {
    case OPT_PORT:
        o->port = (uint16_t)number(text, 1, 65535);
        return true;
    case OPT_PID:
        o->pid = (pid_t)number(text, 1, INT32_MAX);
        return true;
    case OPT_PATH:
        o->path = text;
        return true;
    case OPT_CONNECTIONS:
        o->connections = number(text, 1, 60000);
        return true;
    case OPT_WINDOW:
        o->window = number(text, 1, 65536);
        return true;
    case OPT_FRAME:
        o->frame = number(text, 1, 65536);
        return true;
    case OPT_VALUE:
        o->value_bytes = number(text, 1, 64u << 20);
        return true;
    case OPT_KEYS:
        o->keys = number(text, 1, 100000);
        return true;
    case OPT_SOULS:
        o->souls = number(text, 1, 100000000);
        return true;
    case OPT_RATE:
        o->rate = number(text, 1, 1000000);
        return true;
    case OPT_IDLE:
        o->idle = number(text, 1, 200000);
        return true;
    case OPT_WARM:
        o->warm_ms = number(text, 0, 3600000);
        return true;
    case OPT_MEASURE:
        o->measure_ms = number(text, 1, 3600000);
        return true;
    case OPT_FOLDER:
        o->folder = text;
        return true;
    case OPT_COUNT:
        o->count = number(text, 1, UINT32_MAX);
        return true;
    case OPT_PREFIX:
        o->prefix = text;
        return true;
    case OPT_BODIES:
        o->bodies = text;
        return true;
    case OPT_FORGED:
        o->forged = true;
        return true;
    case OPT_BARE:
        o->bare = true;
        return true;
    default:
        return false;
    }
}

static int run_mode(const load_options *o)
{
    const char *mode = o->mode;

    if (strcmp(mode, "sync") == 0) return run_sync_mode(o);
    if (o->port == 0) return fail("--port is missing");
    if (o->frame > o->window) return fail("--frame is more than --window");
    if (strcmp(mode, "put") == 0) return run_exchange_mode(o, EXCHANGE_PUT);
    if (strcmp(mode, "beside") == 0) return run_beside_mode(o);
    if (strcmp(mode, "echo") == 0) return run_exchange_mode(o, EXCHANGE_ECHO);
    if (strcmp(mode, "fanout") == 0) return run_fanout_mode(o);
    if (o->souls == 0) return fail("--souls is missing");
    if (strcmp(mode, "first") == 0) return run_first_mode(o);
    if (strcmp(mode, "get") == 0) return run_exchange_mode(o, EXCHANGE_GET);
    if (strcmp(mode, "mixed") == 0) return run_exchange_mode(o, EXCHANGE_MIXED);
    if (strcmp(mode, "idle") == 0) return run_idle_mode(o);
    fputs(USAGE, stderr);
    return COULD_NOT;
}

static void raise_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int argc, char **argv)
{
    load_options o = { .path = "/gun",
                       .prefix = "bench/",
                       .folder = ".",
                       .connections = 1,
                       .window = 1,
                       .frame = 1,
                       .value_bytes = 100,
                       .keys = 1,
                       .idle = 10000,
                       .warm_ms = 500,
                       .measure_ms = 3000 };
    int which;

    while ((which = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1) {
        if (take_option(&o, which, optarg)) continue;
        fputs(USAGE, stderr);
        return COULD_NOT;
    }
    if (optind != argc - 1) {
        fputs(USAGE, stderr);
        return COULD_NOT;
    }
    o.mode = argv[optind];
    raise_descriptors();
    return run_mode(&o);
}
