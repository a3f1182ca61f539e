/* unread.c - see unread.h. */
#include "server/unread.h"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* The end of a stream counts as a byte; no request is so short. */
enum { LEAST_REQUEST = 16 };

/* Urgent bytes among the others: else those behind them are not counted as unread. */
void unread_begin(int fd)
{
    int on = 1;

    setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &on, sizeof on);
}

static bool received(int fd, uint64_t *out)
{
    struct tcp_info info;
    socklen_t len = sizeof info;

    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0 ||
        len < offsetof(struct tcp_info, tcpi_bytes_received) + sizeof info.tcpi_bytes_received)
        return false;
    *out = info.tcpi_bytes_received;
    return true;
}

/* Bytes may arrive between the two questions. */
static bool taken(int fd, uint64_t *out)
{
    uint64_t before, after;
    int waiting;

    if (!received(fd, &after)) return false;
    do {
        before = after;
        if (ioctl(fd, SIOCINQ, &waiting) != 0 || !received(fd, &after)) return false;
    } while (before != after);
    *out = after - (uint64_t)waiting;
    return true;
}

bool unread_note(unread *u, int fd)
{
    uint64_t before = u->taken;
    bool is_first = !u->is_known;

    u->is_known = true;
    if (!taken(fd, &u->taken)) return is_first;
    return is_first || u->taken - before >= LEAST_REQUEST;
}

void unread_note_end(unread *u, int fd)
{
    (void)taken(fd, &u->taken);
}
