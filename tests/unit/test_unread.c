/* test_unread.c - which requests were read after the one before them had ended. */
#include "server/unread.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define REQUEST "POST /audio HTTP/1.1\r\nContent-Length: 5\r\n\r\n"

enum { REQUEST_BYTES = sizeof REQUEST - 1 };

typedef struct pair {
    int client, server;
} pair;

static pair pair_open(void)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof at;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    pair p;

    assert_int_equal(bind(listener, (struct sockaddr *)&at, len), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &len), 0);
    p.client = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(p.client, (struct sockaddr *)&at, sizeof at), 0);
    p.server = accept(listener, NULL, NULL);
    assert_true(p.server >= 0);
    close(listener);
    unread_begin(p.server);
    return p;
}

static void pair_close(pair p)
{
    close(p.client);
    close(p.server);
}

static void client_says(pair p, const char *what, size_t len)
{
    assert_int_equal(send(p.client, what, len, 0), len);
}

static void server_takes(pair p, size_t len)
{
    char room[4096];

    assert_true(len <= sizeof room);
    assert_int_equal(recv(p.server, room, len, MSG_WAITALL), len);
}

static void requests_that_are_read_one_by_one_may_all_have_bodies(void **state)
{
    pair p = pair_open();
    unread u = { 0 };

    (void)state;
    for (int i = 0; i < 3; ++i) {
        client_says(p, REQUEST "hello", REQUEST_BYTES + 5);
        server_takes(p, REQUEST_BYTES + 5);
        assert_true(unread_note(&u, p.server));
        unread_note_end(&u, p.server);
    }
    pair_close(p);
}

static pair one_of_two_that_were_read_together_has_ended(unread *u)
{
    pair p = pair_open();

    *u = (unread){ 0 };
    client_says(p, REQUEST "hello" REQUEST "again", 2 * REQUEST_BYTES + 10);
    server_takes(p, 2 * REQUEST_BYTES + 10);
    assert_true(unread_note(u, p.server));
    unread_note_end(u, p.server);
    return p;
}

static void one_that_was_read_with_the_one_before_may_not(void **state)
{
    unread u;
    pair p = one_of_two_that_were_read_together_has_ended(&u);

    (void)state;
    assert_false(unread_note(&u, p.server));
    pair_close(p);
}

static void what_arrives_behind_it_changes_nothing_as_long_as_nobody_takes_it(void **state)
{
    unread u;
    pair p = one_of_two_that_were_read_together_has_ended(&u);

    (void)state;
    client_says(p, REQUEST REQUEST REQUEST, 3 * REQUEST_BYTES);
    assert_false(unread_note(&u, p.server));
    pair_close(p);
}

static void the_body_of_one_is_not_the_reading_of_the_next(void **state)
{
    pair p = pair_open();
    unread u = { 0 };

    (void)state;
    client_says(p, REQUEST, REQUEST_BYTES);
    server_takes(p, REQUEST_BYTES);
    assert_true(unread_note(&u, p.server));
    client_says(p, "hello" REQUEST, REQUEST_BYTES + 5);
    server_takes(p, REQUEST_BYTES + 5);
    unread_note_end(&u, p.server);
    assert_false(unread_note(&u, p.server));
    pair_close(p);
}

/* The end of a stream is counted as a byte by the kernel, and urgent bytes make it
 * count those behind them as taken, but for unread_begin(). */
static void neither_an_end_nor_urgent_bytes_look_like_reading(void **state)
{
    unread u;
    pair p = one_of_two_that_were_read_together_has_ended(&u);

    (void)state;
    assert_int_equal(send(p.client, "!", 1, MSG_OOB), 1);
    client_says(p, REQUEST REQUEST REQUEST, 3 * REQUEST_BYTES);
    assert_int_equal(send(p.client, "!", 1, MSG_OOB), 1);
    client_says(p, REQUEST REQUEST REQUEST, 3 * REQUEST_BYTES);
    assert_false(unread_note(&u, p.server));
    assert_int_equal(shutdown(p.client, SHUT_WR), 0);
    assert_false(unread_note(&u, p.server));
    pair_close(p);
}

static void where_the_kernel_does_not_tell_only_the_first_may(void **state)
{
    int fds[2];
    unread u = { 0 };

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    assert_true(unread_note(&u, fds[0]));
    assert_false(unread_note(&u, fds[0]));
    close(fds[0]);
    close(fds[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_that_are_read_one_by_one_may_all_have_bodies),
        cmocka_unit_test(one_that_was_read_with_the_one_before_may_not),
        cmocka_unit_test(what_arrives_behind_it_changes_nothing_as_long_as_nobody_takes_it),
        cmocka_unit_test(the_body_of_one_is_not_the_reading_of_the_next),
        cmocka_unit_test(neither_an_end_nor_urgent_bytes_look_like_reading),
        cmocka_unit_test(where_the_kernel_does_not_tell_only_the_first_may),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
