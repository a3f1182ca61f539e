/* session_tick.c - see session.h: what time brings to sessions, and the stop. */
#include "server/session_inside.h"

static void beat(session *one)
{
    server *s = one->server;
    int64_t silent = s->now.steady_ms - one->alive_ms;

    if (!one->wsi || one->goodbye) return;
    /* One that we do not read from cannot be heard to be alive. */
    if (one->stops == 0 && silent >= s->limits.silent_ms) {
        s->counts.closed_silent++;
        log_say(&s->log, LOG_CLOSED, s->now, "a connection from which nothing came");
        session_give_up(one);
        return;
    }
    one->beat_due = !one->is_waiting;
    one->ping_due = one->stops != 0 || silent >= s->limits.heartbeat_ms / 2;
    if (lws_partial_buffered(one->wsi)) return;
    if (session_write_beat(one) && (one->beat_due || one->ping_due))
        lws_callback_on_writable(one->wsi);
}

/* Serves the slots whose time has come; a slot is a 256th of a heartbeat. */
static void turn_wheel(server *s)
{
    double slot_ms = (double)s->limits.heartbeat_ms / WHEEL_SLOTS;
    int served = 0;

    while ((double)s->now.steady_ms - s->wheel_ms >= slot_ms && served++ < WHEEL_SLOTS) {
        session *one, *next;
        for (one = LIST_FIRST(&s->wheel[s->wheel_at]); one; one = next) {
            next = LIST_NEXT(one, beat);
            beat(one);
        }
        s->wheel_at = (s->wheel_at + 1) % WHEEL_SLOTS;
        s->wheel_ms += slot_ms;
    }
    if (served > WHEEL_SLOTS) s->wheel_ms = (double)s->now.steady_ms;
}

static void read_slowed_again(server *s)
{
    bool room = s->assembling_bytes <= s->limits.assembling_bytes_max;
    session *one, *next;

    for (one = TAILQ_FIRST(&s->slowed); one; one = next) {
        next = TAILQ_NEXT(one, slowed);
        if (session_within_rate(one)) session_stop(one, STOP_RATE, false);
        if (room) session_stop(one, STOP_MEMORY, false);
        if (!(one->stops & (STOP_RATE | STOP_MEMORY))) LIST_OUT(one, slowed, is_slowed);
    }
}

/* When everybody waits for memory, who holds most and got nowhere for 10 s
 * loses its message, so that the others arrive. */
static void crowd_out(server *s)
{
    enum { STUCK_MS = 10000 };
    session *one, *largest = NULL;

    if (s->assembling_bytes <= s->limits.assembling_bytes_max) return;
    TAILQ_FOREACH(one, &s->assembling, assembling)
    {
        if (s->now.steady_ms - one->progress_ms < STUCK_MS) continue;
        if (!largest || one->text_len > largest->text_len) largest = one;
    }
    if (largest)
        session_skip_rest(largest,
                          SLICE("busy: too many messages arrive in pieces, this one was not heard"),
                          &s->counts.crowded_out);
}

void sessions_tick(server *s)
{
    crowd_out(s);
    read_slowed_again(s);
    turn_wheel(s);
}

/* ---- the stop ---- */

void sessions_deafen(server *s)
{
    for (unsigned slot = 0; slot < WHEEL_SLOTS; slot++) {
        session *one;
        LIST_FOREACH(one, &s->wheel[slot], beat) session_stop(one, STOP_END, true);
    }
}

bool sessions_all_said(const server *s)
{
    for (unsigned slot = 0; slot < WHEEL_SLOTS; slot++) {
        session *one;
        LIST_FOREACH(one, &s->wheel[slot], beat)
        {
            if (!one->wsi || one->goodbye || !one->peer) continue;
            if (one->saying || relay_has_output(one->peer) || lws_partial_buffered(one->wsi))
                return false;
        }
    }
    return true;
}

void sessions_close_all(server *s)
{
    for (unsigned slot = 0; slot < WHEEL_SLOTS; slot++) {
        session *one;
        LIST_FOREACH(one, &s->wheel[slot], beat)
        {
            session_say_goodbye(one, LWS_CLOSE_STATUS_GOINGAWAY);
            if (one->goodbye == LWS_CLOSE_STATUS_GOINGAWAY && !lws_partial_buffered(one->wsi))
                session_write_goodbye(one);
        }
    }
}
