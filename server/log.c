/* log.c - see log.h. */
#include "server/log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <time.h>

static const char *const kind_names[LOG_KINDS] = {
    [LOG_LIFE] = "life",     [LOG_REFUSED] = "refused", [LOG_BUSY] = "busy",
    [LOG_CLOSED] = "closed", [LOG_DROPPED] = "dropped", [LOG_STORE] = "store",
    [LOG_TLS] = "tls",       [LOG_SOCKET] = "socket",
};

static void stamp(FILE *to, moment now)
{
    time_t seconds = (time_t)(now.wall_ms / 1000);
    struct tm parts;
    char text[32];

    gmtime_r(&seconds, &parts);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
    fprintf(to, "%s.%03dZ ", text, (int)(now.wall_ms - (double)seconds * 1000));
}

static void say_unsaid(log *l, log_kind kind, moment now)
{
    if (l->kinds[kind].unsaid == 0) return;
    stamp(l->to, now);
    fprintf(l->to, "%s: %" PRIu64 " similar\n", kind_names[kind], l->kinds[kind].unsaid);
    l->kinds[kind].unsaid = 0;
}

static bool may_say(log *l, log_kind kind, moment now)
{
    if (kind == LOG_LIFE || kind == LOG_TLS) return true;
    if (l->kinds[kind].said == 0) l->kinds[kind].began_ms = now.steady_ms;
    if (l->kinds[kind].said < LOG_LINES_MAX) {
        l->kinds[kind].said++;
        return true;
    }
    l->kinds[kind].unsaid++;
    return false;
}

void log_say(log *l, log_kind kind, moment now, const char *format, ...)
{
    va_list arguments;

    if (!may_say(l, kind, now)) return;
    stamp(l->to, now);
    fprintf(l->to, "%s: ", kind_names[kind]);
    va_start(arguments, format);
    vfprintf(l->to, format, arguments);
    va_end(arguments);
    fputc('\n', l->to);
    fflush(l->to);
}

void log_plain(log *l, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vfprintf(l->to, format, arguments);
    va_end(arguments);
    fputc('\n', l->to);
    fflush(l->to);
}

void log_tick(log *l, moment now)
{
    for (int kind = 0; kind < LOG_KINDS; kind++) {
        if (l->kinds[kind].said == 0 || now.steady_ms - l->kinds[kind].began_ms < LOG_WINDOW_MS)
            continue;
        say_unsaid(l, (log_kind)kind, now);
        l->kinds[kind].said = 0;
    }
    fflush(l->to);
}
