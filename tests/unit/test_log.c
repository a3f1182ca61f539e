/* test_log.c - the promises of server/log.h. */
#include "server/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct book {
    char *text;
    size_t len;
    log l;
} book;

static void open_book(book *b)
{
    *b = (book){ 0 };
    b->l.to = open_memstream(&b->text, &b->len);
    assert_non_null(b->l.to);
}

static void close_book(book *b)
{
    fclose(b->l.to);
    free(b->text);
}

static unsigned lines(const book *b)
{
    unsigned count = 0;

    for (size_t i = 0; i < b->len; i++) count += b->text[i] == '\n';
    return count;
}

static void a_line_has_its_time_and_kind(void **state)
{
    book b;

    (void)state;
    open_book(&b);
    log_say(&b.l, LOG_STORE, (moment){ .wall_ms = 1795211438951.25 }, "word %d", 7);
    assert_string_equal(b.text, "2026-11-20T21:50:38.951Z store: word 7\n");
    log_plain(&b.l, "ready");
    assert_non_null(strstr(b.text, "\nready\n"));
    close_book(&b);
}

static void what_peers_can_cause_is_said_a_few_times_and_then_counted(void **state)
{
    moment now = { .wall_ms = 1e12, .steady_ms = 5 };
    book b;

    (void)state;
    open_book(&b);
    for (int i = 0; i < 1000; i++) log_say(&b.l, LOG_REFUSED, now, "no");
    log_say(&b.l, LOG_CLOSED, now, "another kind");
    assert_int_equal(lines(&b), LOG_LINES_MAX + 1);
    log_tick(&b.l, now);
    assert_int_equal(lines(&b), LOG_LINES_MAX + 1);
    now.steady_ms += LOG_WINDOW_MS;
    log_tick(&b.l, now);
    assert_int_equal(lines(&b), LOG_LINES_MAX + 2);
    assert_non_null(strstr(b.text, "refused: 995 similar\n"));
    log_say(&b.l, LOG_REFUSED, now, "again");
    assert_non_null(strstr(b.text, "refused: again\n"));
    close_book(&b);
}

static void what_only_the_operator_causes_is_always_said(void **state)
{
    moment now = { .wall_ms = 1e12 };
    book b;

    (void)state;
    open_book(&b);
    for (int i = 0; i < 100; i++) log_say(&b.l, LOG_LIFE, now, "life");
    for (int i = 0; i < 100; i++) log_say(&b.l, LOG_TLS, now, "tls");
    assert_int_equal(lines(&b), 200);
    close_book(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_has_its_time_and_kind),
        cmocka_unit_test(what_peers_can_cause_is_said_a_few_times_and_then_counted),
        cmocka_unit_test(what_only_the_operator_causes_is_always_said),
    };

    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
