/* test_starved.c - the text layer when memory is short: any call answers
 * STATUS_NO_MEMORY, and afterwards everything still works and nothing leaks. */
#include "core/lex.h"
#include "core/value.h"
#include "tests/unit/failing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const json_bounds BOUNDS = { .depth_max = 8, .tokens_max = 100000 };

/* Runs `work` with the first, the second, ... allocation failing. */
static void starve(status (*work)(arena *a))
{
    long n = 0;

    for (bool failed = true; failed;) {
        arena a = arena_make(64u << 20);

        failing_at(++n);
        status s = work(&a);
        failed = failing_happened();
        failing_at(0);
        assert_int_equal(s, failed ? STATUS_NO_MEMORY : STATUS_OK);
        /* The arena is as good as before. */
        arena_reset(&a, 0);
        assert_int_equal(work(&a), STATUS_OK);
        arena_free(&a);
    }
    assert_true(n > 1);
}

static char MANY[60001];

/* Thirty thousand tokens: the array grows over several blocks. */
static status read_many(arena *a)
{
    json j;

    for (size_t i = 0; i < sizeof MANY; ++i) MANY[i] = i % 2 == 0 ? ',' : '1';
    MANY[0] = '[';
    MANY[sizeof MANY - 1] = ']';
    return json_read(&j, a, (slice){ MANY, sizeof MANY }, &BOUNDS);
}

static status read_names(arena *a)
{
    slice source = SLICE("{\"\\u0062\":1,\"a\":\"\\\"x\\\"\"}"), name;
    bool twice;
    json j;
    status s = json_read(&j, a, source, &BOUNDS);

    if (s == STATUS_OK) s = json_name(&j, a, 1, &name);
    if (s == STATUS_OK) s = json_utf8(&j, a, 4, &name);
    if (s == STATUS_OK) s = json_has_duplicates(&j, a, 0, &twice);
    return s;
}

static status read_values(arena *a)
{
    slice source = SLICE("[1.0,\"\\u0061\\/\",{ \"#\":\"\\u0062\" }]"), value, soul;
    json j;
    status s = json_read(&j, a, source, &BOUNDS);

    for (uint32_t i = 1; s == STATUS_OK && i < j.count; i = j.tokens[i].next) {
        s = value_read(&j, a, i, &value);
    }
    return s == STATUS_OK ? value_link(value, a, &soul) : s;
}

/* Larger than a block, so that each piece asks for one. */
static char LONG_NAME[100001];

static status make_range(arena *a)
{
    lex q = { .has_prefix = true, .has_from = true, .has_to = true };
    lex_range r;

    memset(LONG_NAME, 'k', sizeof LONG_NAME);
    q.prefix = q.from = q.to = (slice){ LONG_NAME, sizeof LONG_NAME };
    status s = lex_to_range(&q, a, &r);
    q.has_to = q.has_from = false;
    return s == STATUS_OK ? lex_to_range(&q, a, &r) : s;
}

static status print_much(arena *a)
{
    text t = { 0 };

    (void)a;
    for (int i = 0; i < 2000; ++i) json_print_name(&t, SLICE("a name\n"));
    status s = text_ok(&t) ? STATUS_OK : STATUS_NO_MEMORY;
    text_free(&t);
    return s;
}

static void a_document_of_many_tokens_is_refused(void **state)
{
    (void)state;
    starve(read_many);
}

static void names_are_refused(void **state)
{
    (void)state;
    starve(read_names);
}

static void values_are_refused(void **state)
{
    (void)state;
    starve(read_values);
}

static void ranges_are_refused(void **state)
{
    (void)state;
    starve(make_range);
}

static void a_printer_says_at_the_end_that_it_failed(void **state)
{
    (void)state;
    starve(print_much);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_document_of_many_tokens_is_refused),
        cmocka_unit_test(names_are_refused),
        cmocka_unit_test(values_are_refused),
        cmocka_unit_test(ranges_are_refused),
        cmocka_unit_test(a_printer_says_at_the_end_that_it_failed),
    };
    return cmocka_run_group_tests_name("starved", tests, NULL, NULL);
}
