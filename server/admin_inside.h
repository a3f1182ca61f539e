/* admin_inside.h - admin.h as its own files see it. */
#ifndef SERVER_ADMIN_INSIDE_H
#define SERVER_ADMIN_INSIDE_H

#include "radisk/view.h"
#include "server/admin.h"
#include "server/import.h"
#include "server/wish.h"

#include <pthread.h>
#include <stdatomic.h>

typedef enum admin_state {
    ADMIN_ASKING,
    ADMIN_WAITING, /* the store will tell */
    ADMIN_WORKING, /* a thread has the socket */
    ADMIN_IMPORTING,
    ADMIN_ANSWERING, /* then it is closed */
} admin_state;

typedef struct admin_client {
    LIST_ENTRY(admin_client) of_admin;
    server *server;
    int fd;
    admin_state state;
    bool owed;   /* the store still has to tell: until then this cannot be freed */
    bool orphan; /* over, but for that */
    ev_io heard, writable;
    text in;
    size_t in_used;     /* of `in`, taken already */
    size_t in_searched; /* no line ends before here */
    text out;
    size_t out_sent;
    wish wish;
    bool has_wish;

    /* a job */
    radisk_view *view;
    pthread_t thread;
    _Atomic bool unwanted, finished;
    double now_ms;

    /* an import */
    import *import;
    ev_timer again;
    unsigned late; /* how often `again` came while it waited */
    bool ended;    /* the tool sent its last line */
    bool flushed;  /* and it was merged */
    bool refused;  /* a line was bad, and that is the end */
    char why[IMPORT_WHY_MAX];
} admin_client;

LIST_HEAD(admin_clients, admin_client);

struct admin {
    server *server;
    int fd;
    ev_io knocked;
    ev_async job_done;
    struct admin_clients clients, orphans;
    unsigned count, jobs;
    char *path;
};

/* admin.c */
void admin_wait(admin_client *c);   /* for the store, which owes an answer */
void admin_answer(admin_client *c); /* what is in `out` leaves, then it is over */
void admin_end(admin_client *c);

/* Reads into `in`, up to `room` bytes: -1 nothing now, 0 the end, 1 something. */
int admin_receive(admin_client *c, size_t room);

/* admin_job.c */
void admin_begin_job(admin_client *c);
void admin_jobs_told(admin *a);
void admin_stop_job(admin_client *c);

/* admin_audio.c */
void admin_begin_pin(admin_client *c);
void admin_begin_gc(admin_client *c);

/* admin_import.c */
void admin_begin_import(admin_client *c);
void admin_heard_import(admin_client *c);
void admin_end_import(admin_client *c);

#endif
