/* tools_ask.c - asking the server that has the folder. */
#include "server/tools_inside.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { PIECE_BYTES = 64 * 1024 };

typedef struct asking {
    int fd;
    tool_reply *reply;
    FILE *from; /* lines to import; NULL when there are no more */
    text out;
    size_t sent;
    bool shut; /* our side */
} asking;

static int connect_in(const char *folder)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    size_t len = strlen(folder);
    int fd;

    if (len + sizeof "/admin.sock" > sizeof at.sun_path) return -1;
    memcpy(at.sun_path, folder, len);
    memcpy(at.sun_path + len, "/admin.sock", sizeof "/admin.sock");
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    if (connect(fd, (struct sockaddr *)&at, sizeof at) == 0) return fd;
    (void)close(fd);
    return -1;
}

static void read_more(asking *a)
{
    char *to;

    text_reset(&a->out, 4 * (size_t)PIECE_BYTES);
    a->sent = 0;
    if (a->from == NULL) return;
    to = text_room(&a->out, PIECE_BYTES);
    size_t got = to == NULL ? 0 : fread(to, 1, PIECE_BYTES, a->from);
    a->out.len += got;
    if (got == 0) a->from = NULL;
}

/* A server that does not want more closes its end; what it said is still read. */
static void send_some(asking *a)
{
    ssize_t put =
        send(a->fd, a->out.at + a->sent, a->out.len - a->sent, MSG_NOSIGNAL | MSG_DONTWAIT);

    if (put >= 0) {
        a->sent += (size_t)put;
    } else if (errno != EINTR && errno != EAGAIN) {
        a->from = NULL;
        a->sent = a->out.len;
    }
}

static bool receive_some(asking *a)
{
    char piece[PIECE_BYTES];
    ssize_t got = recv(a->fd, piece, sizeof piece, MSG_DONTWAIT);

    if (got < 0) return errno == EINTR || errno == EAGAIN;
    return got > 0 && tool_reply_hear(a->reply, (slice){ piece, (size_t)got });
}

static void converse(asking *a)
{
    for (;;) {
        if (a->sent == a->out.len) read_more(a);
        if (a->sent == a->out.len && !a->shut) {
            (void)shutdown(a->fd, SHUT_WR);
            a->shut = true;
        }
        short wanted = (short)(a->sent < a->out.len ? POLLIN | POLLOUT : POLLIN);
        struct pollfd p = { .fd = a->fd, .events = wanted };
        if (poll(&p, 1, -1) < 0 && errno != EINTR) return;
        if ((p.revents & POLLOUT) != 0) send_some(a);
        if ((p.revents & (POLLIN | POLLHUP | POLLERR)) != 0 && !receive_some(a)) return;
    }
}

bool tool_ask_server(tool_reply *reply, slice wish_line, FILE *import_from)
{
    asking a = { .fd = connect_in(reply->call->folder), .reply = reply, .from = import_from };

    if (a.fd < 0) return false;
    text_add(&a.out, wish_line);
    if (text_ok(&a.out)) converse(&a);
    (void)close(a.fd);
    text_free(&a.out);
    return true;
}
