/* tools.c - see tools.h: the command line, and what comes back. */
#include "server/tools.h"

#include "core/json.h"
#include "core/number.h"
#include "core/utf16.h"
#include "server/tools_inside.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int run_wish(const tool_call *call);

static const struct tool {
    const char *name;
    const char *words; /* as the usage shows them */
    const char *takes; /* positional: d folder, f file, p prefix, s soul, k key, u public key,
                          r root of audio; capital: needed */
    const char *flags;
    int (*run)(const tool_call *call);
    const char *help;
} table[] = {
    { "stat", "DIR", "D", "", run_wish,
      "figures of a store: rows, bytes, batches, folds, trouble" },
    { "get", "DIR SOUL [KEY]", "DSk", "", run_wish,
      "one row, or every row of a soul, as JSON lines with the state" },
    { "scan", "DIR [PREFIX] [--souls] [--limit N]", "Dp", "--souls --limit", run_wish,
      "rows (or only souls) that begin with PREFIX, in order" },
    { "export", "DIR [--prefix P]", "D", "--prefix", run_wish,
      "everything as JSON lines on stdout: rows, held writes, what purges left" },
    { "import", "DIR [FILE|-] [--skip-bad]", "Df", "--skip-bad", run_wish,
      "takes in such lines: what is newer wins, nothing is undone. Makes DIR" },
    { "backup", "DIR FILE", "DF", "", run_wish,
      "one moment of the store, whole, while writes go on" },
    { "purge", "DIR SOUL [KEY] | --prefix P [--dry-run]", "Dsk", "--prefix --dry-run", run_wish,
      "removes for good: old copies from peers are refused from then on" },
    { "check", "DIR [--hash]", "D", "--hash", tool_check,
      "reads everything and says what is damaged; --hash: the hash of what is kept" },
    { "restore", "FILE DIR", "FD", "", tool_restore, "makes a new store of a backup" },
    { "compact", "DIR", "D", "", tool_compact, "gives room back to the disk" },
    { "audio put",
      "FILE [--server URL] [--token T] [--title T] [--artist A] [--type T] [--sha256 H]", "F",
      "--server --token --title --artist --type --sha256", tool_audio_put,
      "sends a track to a relay: only what is not there yet" },
    { "audio get", "ROOT [--server URL] [--manifest H] [--continue] > FILE", "R",
      "--server --manifest --continue", tool_audio_get,
      "brings a track from a relay, every chunk verified; --continue: stdout has its\n"
      "  beginning already (>> FILE)" },
    { "audio ls", "DIR", "D", "", run_wish,
      "audio that is here, as JSON lines: who links, pins and pays, when its grace began" },
    { "audio pin", "DIR ROOT", "DR", "", run_wish, "keeps this audio, whether it is named or not" },
    { "audio unpin", "DIR ROOT", "DR", "", run_wish, "takes that pin away" },
    { "audio gc", "DIR [--dry-run] [--grace SECONDS]", "D", "--dry-run --grace", run_wish,
      "collects audio that nothing names and nobody pins, and whose grace is over" },
    { "verify", "FILE|-", "F", "", tool_verify,
      "says of each key of a message, node or write (JSON, or a line each) whether a\n"
      "  relay keeps it, and why" },
    { "can", "PUB SOUL KEY [--cert FILE]", "USK", "--cert", tool_can,
      "says whether this user may write there, by this certificate" },
};

enum { TABLE_SIZE = sizeof table / sizeof *table };

/* A name may be two words: "audio ls". NULL: there is no such tool. */
static const struct tool *find(int count, char **words)
{
    for (size_t i = 0; i < TABLE_SIZE; i++) {
        const char *name = table[i].name;
        size_t first = strcspn(name, " ");
        if (strncmp(name, words[0], first) != 0 || words[0][first] != '\0') continue;
        if (name[first] == '\0') return &table[i];
        if (count > 1 && strcmp(name + first + 1, words[1]) == 0) return &table[i];
    }
    return NULL;
}

bool tools_know(const char *word)
{
    for (size_t i = 0; i < TABLE_SIZE; i++) {
        size_t first = strcspn(table[i].name, " ");
        if (strncmp(table[i].name, word, first) == 0 && word[first] == '\0') return true;
    }
    return false;
}

/* "audio" alone, or with a word that is none of its. */
static int half_a_name(const char *word)
{
    for (size_t i = 0; i < TABLE_SIZE; i++)
        if (strncmp(table[i].name, word, strlen(word)) == 0)
            fprintf(stderr, "usage: brasa %s %s\n", table[i].name, table[i].words);
    return TOOL_WRONG;
}

void tools_usage(FILE *to)
{
    for (size_t i = 0; i < TABLE_SIZE; i++)
        fprintf(to, "  brasa %s %s\n", table[i].name, table[i].words);
}

/* Above ASCII there are 32 more, of two bytes. */
void tool_disarm(char *words, size_t len, const char *but)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)words[i];
        unsigned char next = i + 1 < len ? (unsigned char)words[i + 1] : 0;

        if (c == 0x7f || (c < ' ' && (c == '\0' || strchr(but, c) == NULL))) words[i] = '?';
        if (c == 0xc2 && next >= 0x80 && next < 0xa0) words[i] = words[i + 1] = '?';
    }
}

int tool_complain(const tool_call *call, int result, const char *format, ...)
{
    va_list arguments;
    char *words = NULL;
    int len;

    va_start(arguments, format);
    len = vasprintf(&words, format, arguments);
    va_end(arguments);
    if (len < 0) words = NULL;
    if (words != NULL) tool_disarm(words, (size_t)len, "\n\t");
    fprintf(stderr, "brasa %s: %s\n", call->name, words != NULL ? words : "out of memory");
    free(words);
    return result;
}

/* ---- the command line ---- */

static bool is_flag(const char *flags, const char *word)
{
    size_t len = strlen(word);

    for (const char *at = flags; (at = strstr(at, word)) != NULL; at += len)
        if ((at == flags || at[-1] == ' ') && (at[len] == ' ' || at[len] == '\0')) return true;
    return false;
}

/* Puts a flag in its place; false when it is none, or lacks its value. */
static bool read_flag(const struct tool *t, tool_call *call, int count, char **words, int *at)
{
    const char *word = words[*at];
    const struct {
        const char *name;
        const char **value;
        bool *on;
    } flags[] = { { "--prefix", &call->prefix, NULL },     { "--limit", &call->limit, NULL },
                  { "--souls", NULL, &call->souls },       { "--dry-run", NULL, &call->dry_run },
                  { "--skip-bad", NULL, &call->skip_bad }, { "--hash", NULL, &call->hash },
                  { "--cert", &call->cert, NULL },         { "--grace", &call->grace, NULL },
                  { "--server", &call->server, NULL },     { "--token", &call->token, NULL },
                  { "--title", &call->title, NULL },       { "--artist", &call->artist, NULL },
                  { "--type", &call->type, NULL },         { "--sha256", &call->sha256, NULL },
                  { "--manifest", &call->manifest, NULL }, { "--continue", NULL, &call->goes_on } };

    if (!is_flag(t->flags, word)) return false;
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        if (strcmp(flags[i].name, word) != 0) continue;
        if (flags[i].on != NULL) {
            *flags[i].on = true;
            return true;
        }
        if (*at + 1 >= count) return false;
        *flags[i].value = words[++*at];
        return true;
    }
    return false;
}

static bool read_word(tool_call *call, char kind, const char *word)
{
    switch (kind) {
    case 'D':
        call->folder = word;
        break;
    case 'F':
    case 'f':
        call->file = word;
        break;
    case 'p':
        call->prefix = word;
        break;
    case 'R':
        call->root = word;
        break;
    case 'U':
        call->pub = word;
        break;
    case 'S':
    case 's':
        call->soul = word;
        break;
    case 'K':
    case 'k':
        call->key = word;
        break;
    default:
        return false;
    }
    return *word != '\0' || kind == 'p';
}

static int usage(const struct tool *t, const char *word)
{
    if (word != NULL)
        fprintf(stderr, "brasa %s: \"%s\" is one word too many, or wrong here\n", t->name, word);
    fprintf(stderr, "usage: brasa %s %s\n", t->name, t->words);
    return TOOL_WRONG;
}

static int read_call(const struct tool *t, tool_call *call, int count, char **words)
{
    const char *takes = t->takes;
    bool only_words = false;

    for (int i = 1; i < count; i++) {
        if (!only_words && strcmp(words[i], "--") == 0) {
            only_words = true;
        } else if (!only_words && strncmp(words[i], "--", 2) == 0) {
            if (!read_flag(t, call, count, words, &i)) return usage(t, words[i]);
        } else {
            if (*takes == '\0' || !read_word(call, *takes, words[i])) return usage(t, words[i]);
            takes++;
        }
    }
    if (*takes >= 'A' && *takes <= 'Z') return usage(t, NULL);
    return TOOL_DONE;
}

int tools_run(int count, char **words)
{
    const struct tool *t = find(count, words);
    tool_call call = { .name = t == NULL ? words[0] : t->name };

    if (t == NULL) return half_a_name(words[0]);
    for (const char *more = strchr(t->name, ' '); more != NULL; more = strchr(more + 1, ' ')) {
        count--;
        words++;
    }
    for (int i = 1; i < count && strcmp(words[i], "--") != 0; i++)
        if (strcmp(words[i], "--help") == 0 || strcmp(words[i], "-h") == 0) {
            printf("brasa %s %s\n\n  %s\n", t->name, t->words, t->help);
            return TOOL_DONE;
        }
    signal(SIGPIPE, SIG_IGN);
    int result = read_call(t, &call, count, words);
    if (result == TOOL_DONE) result = t->run(&call);
    if (fflush(stdout) != 0 && errno != EPIPE && result == TOOL_DONE)
        return tool_complain(&call, TOOL_FAILED, "stdout: %s", strerror(errno));
    return result;
}

/* ---- a wish of it ---- */

bool tool_name(const tool_call *call, const char *word, text *to, slice *out)
{
    slice utf8 = { word, word == NULL ? 0 : strlen(word) };

    *out = (slice){ "", 0 };
    if (utf8.len == 0) return true;
    if (!utf16_valid_utf8(utf8)) {
        (void)tool_complain(call, 0, "\"%s\" is not valid UTF-8", word);
        return false;
    }
    utf16_to_cesu(to, utf8);
    *out = text_slice(to);
    return text_ok(to);
}

static bool read_limit(const tool_call *call, wish *w)
{
    char *end;

    if (call->limit == NULL) return true;
    errno = 0;
    w->limit = strtoull(call->limit, &end, 10);
    if (errno == 0 && *end == '\0' && call->limit[0] >= '0' && call->limit[0] <= '9' &&
        w->limit > 0)
        return true;
    (void)tool_complain(call, 0, "--limit: \"%s\" is not a whole number from 1", call->limit);
    return false;
}

static bool read_grace(const tool_call *call, wish *w)
{
    char *end;

    w->has_grace = call->grace != NULL;
    if (!w->has_grace) return true;
    w->grace_s = strtod(call->grace, &end);
    if (*end == '\0' && call->grace[0] >= '0' && call->grace[0] <= '9') return true;
    (void)tool_complain(call, 0, "--grace: \"%s\" is no number of seconds", call->grace);
    return false;
}

static bool read_root(const tool_call *call, wish *w)
{
    if (call->root == NULL || root_read((slice){ call->root, strlen(call->root) }, &w->root))
        return true;
    (void)tool_complain(call, 0, "\"%s\" is no root: 64 hexadecimal digits, in lower case",
                        call->root);
    return false;
}

static wish_kind kind_of(const char *name)
{
    int kind = 0;

    while (kind + 1 < WISH_KINDS && strcmp(wish_name((wish_kind)kind), name) != 0) kind++;
    return (wish_kind)kind;
}

/* The line that a server reads, checked as it would check it. */
static bool make_wish(const tool_call *call, text *line)
{
    char why[WISH_WHY_MAX] = "";
    text names[3] = { { 0 }, { 0 }, { 0 } };
    wish w = { .kind = kind_of(call->name),
               .has_prefix = call->prefix != NULL,
               .souls = call->souls,
               .dry_run = call->dry_run,
               .skip_bad = call->skip_bad };
    bool ok = tool_name(call, call->soul, &names[0], &w.soul) &&
              tool_name(call, call->key, &names[1], &w.key) &&
              tool_name(call, call->prefix, &names[2], &w.prefix) && read_limit(call, &w) &&
              read_grace(call, &w) && read_root(call, &w);

    if (ok) {
        wish_print(line, &w);
        ok = text_ok(line);
        status s = ok ? wish_read(&w, text_slice(line), why) : STATUS_NO_MEMORY;
        if (ok) wish_free(&w);
        ok = s == STATUS_OK;
        if (!ok) (void)tool_complain(call, 0, "%s", why[0] != '\0' ? why : status_text(s));
    }
    for (size_t i = 0; i < 3; i++) text_free(&names[i]);
    return ok;
}

static FILE *open_import(const tool_call *call)
{
    if (call->file == NULL || strcmp(call->file, "-") == 0) return stdin;
    FILE *from = fopen(call->file, "rbe");
    if (from == NULL) (void)tool_complain(call, 0, "%s: %s", call->file, strerror(errno));
    return from;
}

static void ask(tool_reply *r, slice line, FILE *from)
{
    if (!tool_ask_server(r, line, from)) tool_do_here(r, line, from);
    if (r->ended) return;
    r->result = tool_complain(r->call, TOOL_FAILED, "the server ended before it had answered");
}

static int run_wish(const tool_call *call)
{
    tool_reply reply = { .call = call,
                         .kind = kind_of(call->name),
                         .result = TOOL_DONE,
                         .backup = { .file = -1, .folder = -1 } };
    char why[BACKUP_WHY_MAX];
    text line = { 0 };
    FILE *from = NULL;

    if (!make_wish(call, &line)) {
        text_free(&line);
        return TOOL_WRONG;
    }
    if (reply.kind == WISH_IMPORT && (from = open_import(call)) == NULL)
        reply.result = TOOL_WRONG;
    else if (reply.kind == WISH_BACKUP &&
             backup_file_open(&reply.backup, call->file, why) != STATUS_OK)
        reply.result = tool_complain(call, TOOL_WRONG, "%s", why);
    else
        ask(&reply, text_slice(&line), from);
    if (reply.backup.file >= 0) backup_file_drop(&reply.backup);
    if (from != NULL && from != stdin) (void)fclose(from);
    text_free(&line);
    text_free(&reply.line);
    return reply.result;
}

/* ---- what comes back ---- */

/* Every member of the last line but "done", one a line, for people and for awk. */
static void print_members(const json *j, arena *a)
{
    slice name, value;

    for (uint32_t i = 1; i < j->tokens[0].next; i = j->tokens[i + 1].next) {
        if (json_name(j, a, i, &name) != STATUS_OK || slice_equal(name, SLICE("done"))) continue;
        value = json_raw(j, i + 1);
        if (j->tokens[i + 1].type == JSON_STRING && json_utf8(j, a, i + 1, &value) != STATUS_OK)
            continue;
        printf("%.*s %.*s\n", (int)name.len, name.at, (int)value.len, value.at);
    }
}

static double number_of(const json *j, slice member)
{
    uint32_t at = json_member(j, 0, member);
    double n = 0;

    if (at == 0 || j->tokens[at].type != JSON_NUMBER || !number_read(json_raw(j, at), &n)) return 0;
    return n;
}

static void finish_backup(tool_reply *r)
{
    char why[BACKUP_WHY_MAX] = "";

    if (r->backup.file < 0) return;
    if (backup_file_finish(&r->backup, why) != STATUS_OK)
        r->result = tool_complain(r->call, TOOL_FAILED, "%s", why);
}

static void hear_done(tool_reply *r, const json *j, arena *a)
{
    bool lists = r->kind == WISH_GET || r->kind == WISH_SCAN || r->kind == WISH_EXPORT ||
                 r->kind == WISH_AUDIO_LS;
    double damaged = number_of(j, SLICE("damaged"));

    if (r->kind == WISH_BACKUP) finish_backup(r);
    if (r->result == TOOL_DONE && !lists) print_members(j, a);
    if (number_of(j, SLICE("bad")) > 0) r->result = TOOL_FAILED;
    if (damaged > 0)
        r->result = tool_complain(
            r->call, TOOL_FAILED,
            "%.0f rows are damaged and were left out (brasa check names them)", damaged);
}

static void hear_error(tool_reply *r, const json *j, arena *a)
{
    uint32_t at = json_member(j, 0, SLICE("err"));
    slice said = SLICE("it failed");

    if (at != 0) (void)!json_utf8(j, a, at, &said);
    r->result = tool_complain(r->call, TOOL_FAILED, "%.*s", (int)said.len, said.at);
}

/* Lines that are not the end need no reading: they go on as they are. */
static void hear_end(tool_reply *r, slice line)
{
    static const json_bounds bounds = { .depth_max = 2, .tokens_max = 256 };
    arena a = arena_make((size_t)4 << 20);
    json j;

    r->ended = true;
    if (json_read(&j, &a, line, &bounds) != STATUS_OK)
        r->result = tool_complain(r->call, TOOL_FAILED, "the server's answer cannot be read");
    else if (slice_begins(line, SLICE("{\"err\"")))
        hear_error(r, &j, &a);
    else
        hear_done(r, &j, &a);
    arena_free(&a);
}

static bool hear_line(tool_reply *r, slice line)
{
    if (slice_begins(line, SLICE("{\"done\"")) || slice_begins(line, SLICE("{\"err\""))) {
        hear_end(r, line);
        return false;
    }
    if (r->kind == WISH_BACKUP && slice_begins(line, SLICE("{\"bytes\":"))) {
        r->bytes_left = strtoull(line.at + sizeof "{\"bytes\":" - 1, NULL, 10);
        return true;
    }
    FILE *to = slice_begins(line, SLICE("{\"bad\"")) ? stderr : stdout;
    if (fwrite(line.at, 1, line.len, to) == line.len) return true;
    r->ended = true; /* `| head` has seen enough; anything else is told at the end */
    if (errno != EPIPE)
        r->result = tool_complain(r->call, TOOL_FAILED, "stdout: %s", strerror(errno));
    return false;
}

static bool hear_bytes(tool_reply *r, slice *from)
{
    size_t len = r->bytes_left < from->len ? (size_t)r->bytes_left : from->len;
    backup_counts so_far = { .bytes = r->backup_bytes += len };
    status s = backup_file_take(&r->backup, (slice){ from->at, len });

    *from = (slice){ from->at + len, from->len - len };
    r->bytes_left -= len;
    (void)tool_progress(NULL, &so_far);
    if (s == STATUS_OK) return true;
    r->ended = true;
    r->result = tool_complain(r->call, TOOL_FAILED, "%s: %s", r->call->file, status_text(s));
    return false;
}

bool tool_reply_hear(void *context, slice bytes)
{
    tool_reply *r = context;
    bool more = !r->ended;

    while (more && bytes.len > 0) {
        if (r->bytes_left > 0) {
            more = hear_bytes(r, &bytes);
            continue;
        }
        const char *end = memchr(bytes.at, '\n', bytes.len);
        size_t len = end == NULL ? bytes.len : (size_t)(end - bytes.at) + 1;
        text_add(&r->line, (slice){ bytes.at, len });
        bytes = (slice){ bytes.at + len, bytes.len - len };
        if (end == NULL) break;
        if (!text_ok(&r->line)) {
            r->ended = true;
            r->result = tool_complain(r->call, TOOL_FAILED, "out of memory");
            return false;
        }
        more = hear_line(r, text_slice(&r->line));
        text_reset(&r->line, (size_t)1 << 20);
    }
    return more;
}

bool tool_progress(void *context, const backup_counts *so_far)
{
    static const uint64_t step = (uint64_t)16 << 20;

    (void)context;
    if (so_far->bytes % step < ((uint64_t)1 << 20) && so_far->bytes > step && isatty(2))
        fprintf(stderr, "\r%llu MiB", (unsigned long long)(so_far->bytes >> 20));
    return true;
}
