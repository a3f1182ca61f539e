/* admin_audio.c - what an operator may do about audio: pin it, and collect it. */
#include "radisk/space.h"
#include "server/admin_inside.h"
#include "server/clock.h"
#include "server/line_root.h"
#include "server/lines.h"

#include <inttypes.h>

/* Whether there is still somebody to tell; else it may be gone. */
static bool is_told(admin_client *c)
{
    c->owed = false;
    if (c->orphan) {
        admin_end(c);
        return false;
    }
    return c->state == ADMIN_WAITING;
}

static void begun(admin_client *c, status s, const char *busy)
{
    if (s == STATUS_OK) {
        admin_wait(c);
        return;
    }
    line_error(&c->out, "%s", s == STATUS_BUSY ? busy : status_text(s));
    admin_answer(c);
}

/* ---- pins ---- */

static void pinned(void *context, status how, bool was)
{
    admin_client *c = context;

    if (!is_told(c)) return;
    line_pinned(&c->out, how, c->wish.kind == WISH_AUDIO_PIN, was);
    admin_answer(c);
}

void admin_begin_pin(admin_client *c)
{
    begun(c,
          radisk_pin_begin(c->server->store, (const uint8_t *)c->wish.root.at,
                           c->wish.kind == WISH_AUDIO_PIN, pinned, c),
          "another pin is being written: try again");
}

/* ---- collecting ---- */

static void went(void *context, const root_key *root, const root_record *is)
{
    admin_client *c = context;

    if (!c->orphan && c->state == ADMIN_WAITING) line_gone(&c->out, root, is, clock_now().wall_ms);
}

static void collected(void *context, status how, const radisk_gone *gone)
{
    admin_client *c = context;

    if (gone->roots > 0 && !c->wish.dry_run)
        log_say(&c->server->log, LOG_STORE, c->server->now,
                "an operator collected %" PRIu64 " pieces of audio, %" PRIu64 " rows", gone->roots,
                gone->rows);
    if (!is_told(c)) return;
    line_collected(&c->out, how, gone, c->wish.dry_run);
    admin_answer(c);
}

void admin_begin_gc(admin_client *c)
{
    radisk_collect all = { .grace_ms = c->wish.has_grace ? c->wish.grace_s * 1000 : -1,
                           .dry_run = c->wish.dry_run,
                           .went = went,
                           .told = collected,
                           .context = c };

    begun(c, radisk_collect_begin(c->server->store, &all),
          "a collection is under way: try again when it is done");
}
