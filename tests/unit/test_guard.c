/* test_guard.c - the three modes of core/guard.h, tokens, and roots that are learnt. */
#include "core/base64.h"
#include "core/graph_memory.h"
#include "core/guard.h"
#include "tests/unit/failing.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
// clang-format on

#define ANN                                                                                        \
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE"
#define BOB                                                                                        \
    "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAU"
#define EVE                                                                                        \
    "EEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEE.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAQ"
#define ANNS "~" ANN
#define EVES "~" EVE
/* Ann's too, as gun reads it. */
#define ANNS_OTHERWISE                                                                             \
    "~AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE"

/* A value signed, as far as the guard looks. */
#define SIGNED(says) "\"{\\\":\\\":" says ",\\\"~\\\":\\\"sig\\\"}\""
#define LINK(soul)   SIGNED("{\\\"#\\\":\\\"" soul "\\\"}")

static const slice ALLOWED[] = { { ANN, sizeof ANN - 1 }, { BOB, sizeof BOB - 1 } };
static const slice TOKENS[] = { { "open sesame", 11 }, { "12345678", 8 } };

static guard_rules rules(guard_mode mode)
{
    return (guard_rules){
        .mode = mode,
        .allowed = ALLOWED,
        .allowed_count = 2,
        .tokens = TOKENS,
        .token_count = 2,
        .roots_max = 4, /* one set of eight */
        .secret = { 7 },
    };
}

/* A guard over a store that is empty. */
static guard *make(guard_mode mode)
{
    graph_memory_options empty = { .secret = { 9 }, .bytes_max = 1 << 20, .held_max = 1 };
    guard_rules r = rules(mode);
    graph_memory *m;
    guard *g;

    assert_int_equal(graph_memory_new(&m, &empty), STATUS_OK);
    assert_int_equal(guard_new(&g, &r), STATUS_OK);
    assert_int_equal(guard_recall(g, graph_memory_table(m), 1), STATUS_OK);
    assert_false(guard_recalling(g));
    graph_memory_free(m);
    return g;
}

static slice of(const char *words)
{
    return (slice){ words, strlen(words) };
}

/* The first word of the refusal, or "" for none. */
static const char *asked(const guard *g, const char *soul, const char *key, bool trusted)
{
    static char word[32];
    const char *why = guard_refuses(g, of(soul), of(key), false, trusted);

    word[0] = 0;
    if (why != NULL) {
        assert_non_null(strchr(why, ':'));
        snprintf(word, sizeof word, "%.*s", (int)(strchr(why, ':') - why), why);
    }
    return word;
}

static void learn(guard *g, const char *soul, const char *value)
{
    guard_learn(g, of(soul), of(value));
}

static guard_gauges gauges(const guard *g)
{
    guard_gauges out;

    guard_measure(g, &out);
    return out;
}

static void in_open_mode_everything_may_be_written(void **state)
{
    static const char *const souls[] = { "chat", "~@",   "~@ann",  ANNS, EVES,
                                         "#",    "a#b#", "/RTC/x", "~",  "x" EVES };
    (void)state;
    guard *g = make(GUARD_OPEN);

    for (size_t i = 0; i < sizeof souls / sizeof *souls; ++i)
        for (int trusted = 0; trusted < 2; ++trusted)
            assert_string_equal(asked(g, souls[i], "k", trusted), "");
    guard_free(g);
}

static void in_signed_mode_only_what_is_nobodys_is_refused(void **state)
{
    static const char *const taken[] = { "~@", "~@ann", ANNS, EVES, "x" EVES "/y", "#", "a#b" };
    static const char *const refused[] = { "chat", "~", "~ann", "a/b", "@x" };
    (void)state;
    guard *g = make(GUARD_SIGNED);

    for (size_t i = 0; i < sizeof taken / sizeof *taken; ++i)
        assert_string_equal(asked(g, taken[i], "k", false), "");
    for (size_t i = 0; i < sizeof refused / sizeof *refused; ++i) {
        assert_string_equal(asked(g, refused[i], "k", false), "unsigned");
        assert_string_equal(asked(g, refused[i], "k", true), "");
    }
    guard_free(g);
}

static void what_is_not_kept_is_open_in_signed_mode_and_wants_the_token_in_closed(void **state)
{
    (void)state;
    guard *is_signed = make(GUARD_SIGNED), *closed = make(GUARD_CLOSED);

    assert_null(guard_refuses(is_signed, of("/RTC/room"), of("k"), true, false));
    assert_non_null(guard_refuses(closed, of("/RTC/room"), of("k"), true, false));
    assert_null(guard_refuses(closed, of("/RTC/room"), of("k"), true, true));
    guard_free(is_signed);
    guard_free(closed);
}

static void in_closed_mode_only_spaces_of_allowed_keys_may_be_written(void **state)
{
    (void)state;
    guard *g = make(GUARD_CLOSED);

    assert_string_equal(asked(g, ANNS, "k", false), "");
    assert_string_equal(asked(g, ANNS "/a/b", "k", false), "");
    assert_string_equal(asked(g, ANNS_OTHERWISE, "k", false), "");
    assert_string_equal(asked(g, "x" ANNS, "k", false), "");
    assert_string_equal(asked(g, "~" BOB, "pub", false), "");
    /* A token is for what is not signed: it lets nobody in who is not allowed. */
    for (int trusted = 0; trusted < 2; ++trusted) {
        assert_string_equal(asked(g, EVES, "k", trusted), "closed");
        assert_string_equal(asked(g, ANNS "A", "k", trusted), "closed");
        assert_string_equal(asked(g, "~a.b", "k", trusted), "closed");
        /* Whose it is, says the first "~". */
        assert_string_equal(asked(g, EVES ANNS, "k", trusted), "closed");
    }
    guard_free(g);
}

static void in_closed_mode_aliases_link_to_allowed_keys_only(void **state)
{
    (void)state;
    guard *g = make(GUARD_CLOSED);

    assert_string_equal(asked(g, "~@ann", ANNS, false), "");
    for (int trusted = 0; trusted < 2; ++trusted) {
        assert_string_equal(asked(g, "~@ann", EVES, trusted), "closed");
        assert_string_equal(asked(g, "~@ann", ANN, trusted), "closed");
        assert_string_equal(asked(g, "~@ann", ANNS "/x", trusted), "closed");
        assert_string_equal(asked(g, "~@ann", "", trusted), "closed");
    }
    assert_string_equal(asked(g, "~@", "~@ann", false), "closed");
    assert_string_equal(asked(g, "~@", "~@ann", true), "");
    guard_free(g);
}

static void in_closed_mode_the_token_opens_what_is_not_signed(void **state)
{
    static const char *const souls[] = { "chat", "#", "a#b", "~@" };
    (void)state;
    guard *g = make(GUARD_CLOSED);

    for (size_t i = 0; i < sizeof souls / sizeof *souls; ++i) {
        assert_string_equal(asked(g, souls[i], "k", false), "closed");
        assert_string_equal(asked(g, souls[i], "k", true), "");
    }
    guard_free(g);
}

static void a_link_of_an_allowed_key_opens_the_chunks_under_its_root(void **state)
{
    (void)state;
    guard *g = make(GUARD_CLOSED);

    assert_string_equal(asked(g, "audio/1a#0", "k", false), "closed");
    learn(g, ANNS "/tracks/1", LINK("audio/1a#m"));
    assert_string_equal(asked(g, "audio/1a#0", "k", false), "");
    assert_string_equal(asked(g, "audio/1a#m", "k", false), "");
    assert_string_equal(asked(g, "audio/1a#a#b", "k", false), "");
    assert_string_equal(asked(g, "audio/1#0", "k", false), "closed");
    assert_string_equal(asked(g, "audio/1ab#0", "k", false), "closed");
    /* Roots are for chunks. */
    assert_string_equal(asked(g, "audio/1a", "k", false), "closed");
    assert_int_equal(gauges(g).roots, 1);
    guard_free(g);
}

static void a_link_to_a_soul_without_a_root_opens_that_soul_alone(void **state)
{
    (void)state;
    guard *g = make(GUARD_CLOSED);

    learn(g, ANNS "/x", LINK("#images"));
    assert_string_equal(asked(g, "#images", "k", false), "");
    assert_string_equal(asked(g, "#image", "k", false), "closed");
    assert_string_equal(asked(g, "#", "k", false), "closed");
    guard_free(g);
}

static void nothing_else_teaches_a_root(void **state)
{
    static const struct {
        const char *soul, *value;
    } cases[] = {
        { EVES "/x", LINK("audio/1a#m") },      /* not allowed */
        { "x" ANNS, LINK("audio/1a#m") },       /* not found again after a restart */
        { ANNS_OTHERWISE, LINK("audio/1a#m") }, /* likewise: it does not begin with the key */
        { "chat", LINK("audio/1a#m") },         /* nobody's */
        { "~@ann", LINK("audio/1a#m") },        /* likewise */
        { ANNS, SIGNED("\\\"audio/1a#m\\\"") }, /* a text */
        { ANNS, SIGNED("null") },               /* nothing */
        { ANNS, LINK("audio/1a") },             /* no chunks */
        { ANNS, LINK("audio/1a#" EVES) },       /* a user space */
        { ANNS, "\"audio/1a#m\"" },             /* not signed */
        { ANNS, "\"{\\\":\\\":{\\\"#\\\":\\\"audio/1a#m\\\"}}\"" },
        { ANNS, "5" },
        { ANNS, "\"\"" },
    };
    (void)state;
    guard *g = make(GUARD_CLOSED);

    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        learn(g, cases[i].soul, cases[i].value);
        assert_int_equal(gauges(g).roots, 0);
        assert_string_equal(asked(g, "audio/1a#0", "k", false), "closed");
    }
    guard_free(g);
    g = make(GUARD_SIGNED);
    learn(g, ANNS, LINK("audio/1a#m"));
    assert_int_equal(gauges(g).roots, 0);
    guard_free(g);
}

static void a_full_table_of_roots_forgets_the_one_learnt_longest_ago(void **state)
{
    char link[128], soul[32];
    (void)state;
    guard *g = make(GUARD_CLOSED);

    for (int i = 0; i < 8; ++i) {
        snprintf(link, sizeof link, LINK("r%d#"), i);
        learn(g, ANNS, link);
    }
    learn(g, ANNS, LINK("r0#")); /* known: now it is the newest */
    assert_int_equal(gauges(g).roots, 8);
    assert_int_equal(gauges(g).crowded, 0);
    learn(g, ANNS, LINK("r8#"));
    assert_int_equal(gauges(g).roots, 8);
    assert_int_equal(gauges(g).crowded, 1);
    for (int i = 0; i < 9; ++i) {
        snprintf(soul, sizeof soul, "r%d#x", i);
        assert_string_equal(asked(g, soul, "k", false), i == 1 ? "closed" : "");
    }
    guard_free(g);
}

static void only_a_whole_token_is_trusted(void **state)
{
    static const char *const wrong[] = { "",        "open",      "open sesame ", "Open sesame",
                                         "1234567", "12345678\n" };
    (void)state;
    guard *g = make(GUARD_SIGNED);

    assert_true(guard_trusts(g, TOKENS[0]));
    assert_true(guard_trusts(g, TOKENS[1]));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; ++i)
        assert_false(guard_trusts(g, of(wrong[i])));
    assert_false(guard_trusts(g, (slice){ "12345678", 9 })); /* the NUL behind it */
    assert_int_equal(gauges(g).tokens, 2);
    guard_free(g);

    guard_rules none = rules(GUARD_SIGNED);
    none.token_count = 0;
    assert_int_equal(guard_new(&g, &none), STATUS_OK);
    assert_false(guard_trusts(g, of("")));
    guard_free(g);
}

static void keys_have_one_spelling(void **state)
{
    static const char *const wrong[] = {
        "",
        ".",
        ANNS,
        ANN "=",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        /* unused bits that are not zero, plain base64, the dot elsewhere, a space */
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE",
        "+AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA E",
    };
    (void)state;
    guard_rules r = rules(GUARD_CLOSED);
    guard *g;

    assert_true(guard_is_key(of(ANN)) && guard_is_key(of(BOB)) && guard_is_key(of(EVE)));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; ++i) {
        slice with[] = { ALLOWED[0], of(wrong[i]) };
        assert_false(guard_is_key(of(wrong[i])));
        r.allowed = with;
        assert_int_equal(guard_new(&g, &r), STATUS_MALFORMED);
    }
}

static void the_allowed_keys_are_replaced_whole_or_not_at_all(void **state)
{
    const slice eve_twice[] = { of(EVE), of(EVE) }, broken[] = { of(ANN), of("x") };
    (void)state;
    guard *g = make(GUARD_CLOSED);

    assert_int_equal(guard_allow(g, eve_twice, 2), STATUS_OK);
    assert_int_equal(gauges(g).allowed, 1);
    assert_string_equal(asked(g, EVES, "k", false), "");
    assert_string_equal(asked(g, ANNS, "k", false), "closed");
    assert_int_equal(guard_allow(g, broken, 2), STATUS_MALFORMED);
    assert_string_equal(asked(g, EVES, "k", false), "");
    assert_string_equal(asked(g, ANNS, "k", false), "closed");
    assert_int_equal(guard_allow(g, NULL, 0), STATUS_OK);
    assert_string_equal(asked(g, EVES, "k", false), "closed");
    guard_free(g);
}

/* --- what the store holds --- */

static graph_memory *store_of_spaces(int souls)
{
    graph_memory_options options = { .secret = { 9 }, .bytes_max = 8 << 20, .held_max = 1 };
    graph_memory *m;
    char soul[160], value[160];

    assert_int_equal(graph_memory_new(&m, &options), STATUS_OK);
    for (int i = 0; i < souls; ++i) {
        graph *t = graph_memory_table(m);
        graph_ticket ticket;
        graph_write w[3];

        snprintf(soul, sizeof soul, ANNS "/tracks/%04d", i);
        snprintf(value, sizeof value, LINK("a%d#m"), i);
        w[0] = (graph_write){ of(soul), of("audio"), of(value), 1, HAM_TAKE };
        w[1] = (graph_write){ of(soul), of("title"), of(SIGNED("\\\"x\\\"")), 1, HAM_TAKE };
        w[2] = (graph_write){ of(EVES), of(soul), of(LINK("eve#m")), 1, HAM_TAKE };
        assert_int_equal(t->merge(t->context, w, 3, (moment){ 10, 10 }, &ticket), STATUS_OK);
    }
    return m;
}

static void after_a_restart_links_are_found_in_the_store(void **state)
{
    enum { SOULS = 600 };
    graph_memory *m = store_of_spaces(SOULS);
    guard_rules r = rules(GUARD_CLOSED);
    char soul[32];
    guard *g;

    (void)state;
    r.roots_max = 100000;
    assert_int_equal(guard_new(&g, &r), STATUS_OK);
    assert_true(guard_recalling(g));
    assert_int_equal(guard_recall(g, graph_memory_table(m), 1000000), STATUS_OK);
    assert_false(guard_recalling(g));
    assert_int_equal(gauges(g).roots, SOULS);
    for (int i = 0; i < SOULS; ++i) {
        snprintf(soul, sizeof soul, "a%d#0", i);
        assert_string_equal(asked(g, soul, "k", false), "");
    }
    assert_string_equal(asked(g, "eve#0", "k", false), "closed");
    guard_free(g);
    graph_memory_free(m);
}

/* A store that counts what is asked, and fails when told to. */
typedef struct counting {
    graph table, *under;
    int scans;
    status answer;
} counting;

static status count_scan(void *context, slice soul, const lex_range *range, graph_visit *visit,
                         void *visitor)
{
    counting *c = context;

    ++c->scans;
    if (c->answer != STATUS_OK) return c->answer;
    return c->under->scan(c->under->context, soul, range, visit, visitor);
}

static status count_souls(void *context, const lex_range *range, graph_visit *visit, void *visitor)
{
    counting *c = context;

    return c->under->souls(c->under->context, range, visit, visitor);
}

static void a_recall_goes_in_steps_of_any_size_and_finds_the_same(void **state)
{
    enum { SOULS = 40 };
    graph_memory *m = store_of_spaces(SOULS);
    guard_rules r = rules(GUARD_CLOSED);

    (void)state;
    r.roots_max = 100000;
    for (size_t rows = 1; rows < 140; rows = rows * 3 / 2 + 1) {
        size_t steps = 0;
        guard *g;

        assert_int_equal(guard_new(&g, &r), STATUS_OK);
        while (guard_recalling(g)) {
            assert_string_equal(asked(g, "nowhere#0", "k", false), "busy");
            assert_string_equal(asked(g, "nowhere#0", "k", true), "");
            assert_string_equal(asked(g, "nowhere", "k", false), "closed");
            assert_int_equal(guard_recall(g, graph_memory_table(m), rows), STATUS_OK);
            assert_true(++steps <= 1000);
        }
        assert_int_equal(gauges(g).roots, SOULS);
        /* A soul is a row besides its own two. */
        assert_true(steps >= 3 * SOULS / rows);
        assert_string_equal(asked(g, "nowhere#0", "k", false), "closed");
        guard_free(g);
    }
    graph_memory_free(m);
}

static void what_is_learnt_meanwhile_is_open_at_once(void **state)
{
    graph_memory *m = store_of_spaces(9);
    guard_rules r = rules(GUARD_CLOSED);
    guard *g;

    (void)state;
    assert_int_equal(guard_new(&g, &r), STATUS_OK);
    assert_int_equal(guard_recall(g, graph_memory_table(m), 5), STATUS_OK);
    assert_true(guard_recalling(g));
    learn(g, ANNS, LINK("new#m"));
    assert_string_equal(asked(g, "new#0", "k", false), "");
    guard_free(g);
    graph_memory_free(m);
}

static void only_spaces_that_are_newly_allowed_are_read_again(void **state)
{
    const slice three[] = { of(ANN), of(BOB), of(EVE) };
    graph_memory *m = store_of_spaces(5);
    counting c = { .under = graph_memory_table(m), .answer = STATUS_OK };
    guard_rules r = rules(GUARD_CLOSED);
    guard *g, *open = make(GUARD_OPEN);

    (void)state;
    assert_int_equal(guard_new(&g, &r), STATUS_OK);
    c.table = (graph){ .context = &c, .scan = count_scan, .souls = count_souls };
    assert_int_equal(guard_recall(g, &c.table, 1000), STATUS_OK);
    assert_int_equal(c.scans, 5);
    assert_int_equal(guard_recall(g, &c.table, 1000), STATUS_OK);
    assert_int_equal(c.scans, 5);
    assert_int_equal(guard_allow(g, three, 3), STATUS_OK);
    assert_true(guard_recalling(g));
    assert_int_equal(guard_recall(g, &c.table, 1000), STATUS_OK);
    assert_false(guard_recalling(g));
    assert_int_equal(c.scans, 6);
    assert_string_equal(asked(g, "eve#0", "k", false), "");
    /* Other modes need no roots. */
    assert_false(guard_recalling(open));
    assert_int_equal(guard_recall(open, &c.table, 1000), STATUS_OK);
    assert_int_equal(c.scans, 6);
    guard_free(open);
    guard_free(g);
    graph_memory_free(m);
}

static void a_space_that_cannot_be_read_is_left_out_and_counted(void **state)
{
    const slice two[] = { of(ANN), of(EVE) };
    graph_memory *m = store_of_spaces(5);
    counting c = { .under = graph_memory_table(m), .answer = STATUS_IO };
    guard_rules r = rules(GUARD_CLOSED);
    guard *g;

    (void)state;
    c.table = (graph){ .context = &c, .scan = count_scan, .souls = count_souls };
    r.allowed = two;
    assert_int_equal(guard_new(&g, &r), STATUS_OK);
    assert_int_equal(guard_recall(g, &c.table, 1000), STATUS_IO);
    assert_true(guard_recalling(g));
    c.answer = STATUS_OK;
    assert_int_equal(guard_recall(g, &c.table, 1000), STATUS_OK);
    assert_false(guard_recalling(g));
    assert_int_equal(gauges(g).missed, 1);
    assert_int_equal(gauges(g).roots, 1);
    assert_string_equal(asked(g, "eve#0", "k", false), "");
    guard_free(g);
    graph_memory_free(m);
}

/* --- memory --- */

static void without_memory_there_is_no_guard_and_nothing_leaks(void **state)
{
    guard_rules r = rules(GUARD_CLOSED);
    bool failed = true;
    int tries = 0;

    (void)state;
    for (; failed; ++tries) {
        guard *g = NULL;
        failing_at(tries + 1);
        status s = guard_new(&g, &r);
        failed = failing_happened();
        failing_at(0);
        assert_int_equal(s, failed ? STATUS_NO_MEMORY : STATUS_OK);
        if (s == STATUS_OK) guard_free(g);
    }
    assert_int_equal(tries, 5); /* the guard, tokens, roots, keys; then none */
}

static void what_memory_was_too_short_for_is_counted_and_opens_nothing(void **state)
{
    (void)state;
    guard *g = make(GUARD_CLOSED);

    failing_at(1);
    learn(g, ANNS, LINK("audio/1a#m"));
    assert_true(failing_happened());
    failing_at(0);
    assert_int_equal(gauges(g).missed, 1);
    assert_string_equal(asked(g, "audio/1a#0", "k", false), "closed");
    learn(g, ANNS, LINK("audio/1a#m"));
    assert_string_equal(asked(g, "audio/1a#0", "k", false), "");
    guard_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_open_mode_everything_may_be_written),
        cmocka_unit_test(in_signed_mode_only_what_is_nobodys_is_refused),
        cmocka_unit_test(what_is_not_kept_is_open_in_signed_mode_and_wants_the_token_in_closed),
        cmocka_unit_test(in_closed_mode_only_spaces_of_allowed_keys_may_be_written),
        cmocka_unit_test(in_closed_mode_aliases_link_to_allowed_keys_only),
        cmocka_unit_test(in_closed_mode_the_token_opens_what_is_not_signed),
        cmocka_unit_test(a_link_of_an_allowed_key_opens_the_chunks_under_its_root),
        cmocka_unit_test(a_link_to_a_soul_without_a_root_opens_that_soul_alone),
        cmocka_unit_test(nothing_else_teaches_a_root),
        cmocka_unit_test(a_full_table_of_roots_forgets_the_one_learnt_longest_ago),
        cmocka_unit_test(only_a_whole_token_is_trusted),
        cmocka_unit_test(keys_have_one_spelling),
        cmocka_unit_test(the_allowed_keys_are_replaced_whole_or_not_at_all),
        cmocka_unit_test(after_a_restart_links_are_found_in_the_store),
        cmocka_unit_test(a_recall_goes_in_steps_of_any_size_and_finds_the_same),
        cmocka_unit_test(what_is_learnt_meanwhile_is_open_at_once),
        cmocka_unit_test(a_space_that_cannot_be_read_is_left_out_and_counted),
        cmocka_unit_test(only_spaces_that_are_newly_allowed_are_read_again),
        cmocka_unit_test(without_memory_there_is_no_guard_and_nothing_leaks),
        cmocka_unit_test(what_memory_was_too_short_for_is_counted_and_opens_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
