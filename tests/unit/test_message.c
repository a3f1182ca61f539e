/* test_message.c - the promises of core/message.h. */
#include "core/message.h"
#include "tests/unit/vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const message_limits LIMITS = {
    .name_bytes_max = 40, .id_bytes_max = 20, .put_keys_max = 8, .depth_max = 16, .tokens_max = 500
};

typedef struct heard {
    arena memory;
    message m;
    message_fault fault;
    status s;
    char source[4096];
} heard;

/* Reads a message; single quotes stand for double ones. */
static void hear(heard *h, const char *source)
{
    size_t len = strlen(source);

    assert_true(len < sizeof h->source);
    for (size_t i = 0; i < len; ++i) h->source[i] = source[i] == '\'' ? '"' : source[i];
    h->memory = arena_make(1 << 20);
    h->s = message_read(&h->m, &h->memory, (slice){ h->source, len }, &LIMITS, &h->fault);
}

static void forget(heard *h)
{
    arena_free(&h->memory);
}

static slice word(const char *s)
{
    return (slice){ s, strlen(s) };
}

/* ---- what is no message */

static void what_is_no_message_is_malformed_and_says_why(void **state)
{
    static const struct {
        const char *source, *why;
    } cases[] = {
        { "", "malformed: not JSON" },
        { "{'#':'a'", "malformed: not JSON" },
        { "{'#':'a'}{}", "malformed: not JSON" },
        { "[]", "malformed: not a message" },
        { "'a'", "malformed: not a message" },
        { "null", "malformed: not a message" },
        { "5", "malformed: not a message" },
        { "{'#':5}", "malformed: an id is a string" },
        { "{'#':'a','@':{}}", "malformed: an id is a string" },
        { "{'#':'a','dam':true}", "malformed: an id is a string" },
        { "{'#':'a','put':5}", "malformed: put is not an object" },
        { "{'#':'a','put':[]}", "malformed: put is not an object" },
        { "{'#':'a','get':'n'}", "malformed: get is not an object" },
        { "{'#':'a','get':{'#':5}}", "malformed: soul is not a string" },
        { "{'#':'a','get':{'#':['s']}}", "malformed: soul is not a string" },
        { "{'#':'a','get':{'#':'s','.':['k']}}", "malformed: an array is no key" },
        { "{'#':'a','get':{'#':'s','#':'t'}}", "malformed: duplicate key in a get" },
        { "{'#':'a','put':{'s':{},'s':{}}}", "malformed: duplicate soul" },
        { "{'#':'a','x':1,'\\u0078':2}", "malformed: duplicate key in a message" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        heard h;
        hear(&h, cases[i].source);
        assert_int_equal(h.s, STATUS_MALFORMED);
        assert_string_equal(h.fault.why, cases[i].why);
        forget(&h);
    }
}

static void a_refused_message_keeps_the_id_it_can_be_answered_by(void **state)
{
    static const char *const sources[] = {
        "{'#':'me','put':5}",
        "{'get':{'#':5},'#':'me'}",
        "{'#':'me','put':{'s':{},'s':{}}}",
        "{'#':'me','get':{'#':'0123456789012345678901234567890123456789x'}}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof sources / sizeof *sources; ++i) {
        heard h;
        hear(&h, sources[i]);
        assert_int_not_equal(h.s, STATUS_OK);
        assert_slice(h.m.id, SLICE("me"));
        forget(&h);
    }
}

static void crossing_a_limit_is_too_big_and_says_which(void **state)
{
    static const struct {
        const char *source, *why;
    } cases[] = {
        { "{'#':'012345678901234567890'}", "limit: id too long" },
        { "{'@':'012345678901234567890'}", "limit: id too long" },
        { "{'get':{'#':'0123456789012345678901234567890123456789x'}}", "limit: name too long" },
        { "{'get':{'#':'s','.':'0123456789012345678901234567890123456789x'}}",
          "limit: name too long" },
        { "{'get':{'#':'s','.':{'*':'0123456789012345678901234567890123456789x'}}}",
          "limit: name too long" },
        { "{'x':[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]}", "limit: message too complex" },
        { "{'#':'p','put':{'s':{'_':{},'a':1,'b':1,'c':1,'d':1,'e':1,'f':1,'g':1,'h':1,'i':1}}}",
          "limit: too many keys in a put" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        heard h;
        hear(&h, cases[i].source);
        assert_int_equal(h.s, STATUS_TOO_BIG);
        assert_string_equal(h.fault.why, cases[i].why);
        forget(&h);
    }
}

/* ---- put */

static void writes_come_sorted_with_state_and_canonical_value(void **state)
{
    heard h;
    static const struct {
        const char *soul, *key, *value;
        double state;
    } want[] = {
        { "a", "k", "true", 2.5 },
        { "b", "10", "\"A\"", 1 },
        { "b", "9", "1", -3 },
        { "b", "z", "{\"#\":\"a\"}", 0 },
    };

    (void)state;
    hear(&h, "{'#':'p','put':{"
             "'b':{'z':{ '#':'a'},'9':1.0,'_':{'>':{'10':1,'z':0,'9':-3,'gone':7},'#':'b'},"
             "'10':'\\u0041'},"
             "'a':{'_':{'#':'a','>':{'k':2.5}},'k':true}}}");
    assert_int_equal(h.s, STATUS_OK);
    assert_true(h.m.has_put);
    assert_int_equal(h.m.bad_count, 0);
    assert_int_equal(h.m.write_count, 4);
    for (size_t i = 0; i < 4; ++i) {
        const graph_write *w = &h.m.writes[i];
        assert_slice(w->soul, word(want[i].soul));
        assert_slice(w->key, word(want[i].key));
        assert_slice(w->value, word(want[i].value));
        assert_true(w->state == want[i].state);
    }
    forget(&h);
}

static void a_bad_key_is_left_out_and_the_first_is_named(void **state)
{
    static const struct {
        const char *node, *why, *key;
        size_t good;
    } cases[] = {
        { "{'_':{'#':'s','>':{'a':1}},'a':1,'b':2}", "malformed: no state", "b", 1 },
        { "{'_':{'#':'s','>':{'a':'5','b':1}},'a':1,'b':2}", "malformed: state is not a number",
          "a", 1 },
        { "{'_':{'#':'s','>':{'a':null}},'a':1}", "malformed: state is not a number", "a", 0 },
        { "{'_':{'#':'s','>':{'a':1e400}},'a':1}", "malformed: state is not a finite number", "a",
          0 },
        { "{'_':{'#':'s','>':{'a':1,'b':1}},'a':[1],'b':2}", "malformed: not a value", "a", 1 },
        { "{'_':{'#':'s','>':{'a':1}},'a':{'b':{'c':1}}}", "malformed: not a value", "a", 0 },
        { "{'_':{'#':'s','>':{'a':1}},'a':1e309}", "malformed: not a value", "a", 0 },
        { "{'_':{'#':'s','>':{'':1,'a':1}},'':1,'a':1}", "malformed: empty name", "", 1 },
        { "{'_':{'#':'t','>':{'a':1}},'a':1}", "malformed: soul not same", "", 0 },
        { "{'_':{'#':5,'>':{'a':1}},'a':1}", "malformed: soul not same", "", 0 },
        { "{'_':{'>':{'a':1}},'a':1}", "malformed: soul not same", "", 0 },
        { "{'_':{'#':'s'},'a':1}", "malformed: no state", "", 0 },
        { "{'_':{'#':'s','>':5},'a':1}", "malformed: no state", "", 0 },
        { "{'_':5,'a':1}", "malformed: no meta", "", 0 },
        { "{'a':1}", "malformed: no meta", "", 0 },
        { "null", "malformed: no node", "", 0 },
        { "[]", "malformed: no node", "", 0 },
        { "{'_':{'#':'s','>':{'a':1}},'a':1,'\\u0061':2}", "malformed: duplicate key", "", 0 },
        { "{'_':{'#':'s','>':{'a':1,'a':2}},'a':1}", "malformed: duplicate state", "", 0 },
        { "{'_':{'#':'s','#':'s','>':{'a':1}},'a':1}", "malformed: duplicate key in a meta", "",
          0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        char source[1000];
        heard h;

        snprintf(source, sizeof source, "{'#':'p','put':{'s':%s}}", cases[i].node);
        hear(&h, source);
        assert_int_equal(h.s, STATUS_OK);
        assert_int_equal(h.m.bad_count, 1);
        assert_string_equal(h.m.bad.why, cases[i].why);
        assert_slice(h.m.bad.soul, SLICE("s"));
        assert_slice(h.m.bad.key, word(cases[i].key));
        assert_int_equal(h.m.write_count, cases[i].good);
        forget(&h);
    }
}

static void names_that_javascript_trips_over_are_names_like_others(void **state)
{
    static const char *const names[] = { "__proto__", "constructor", "toString", "small",
                                         "at",        "link",        "valueOf",  "length",
                                         "\\u0000",   "s\\u001bx",   "\\ud800" };

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; ++i) {
        char source[1000];
        heard h;

        snprintf(source, sizeof source,
                 "{'#':'p','put':{'%s':{'_':{'#':'%s','>':{'%s':1}},'%s':1}}}", names[i], names[i],
                 names[i], names[i]);
        hear(&h, source);
        assert_int_equal(h.s, STATUS_OK);
        assert_int_equal(h.m.bad_count, 0);
        assert_int_equal(h.m.write_count, 1);
        assert_slice(h.m.writes[0].soul, h.m.writes[0].key);
        forget(&h);
    }
}

static void an_empty_put_is_a_put_of_nothing(void **state)
{
    static const char *const sources[] = { "{'#':'p','put':{}}",
                                           "{'#':'p','put':{'s':{'_':{'#':'s','>':{}}}}}" };

    (void)state;
    for (size_t i = 0; i < sizeof sources / sizeof *sources; ++i) {
        heard h;
        hear(&h, sources[i]);
        assert_int_equal(h.s, STATUS_OK);
        assert_true(h.m.has_put);
        assert_int_equal(h.m.write_count + h.m.bad_count, 0);
        forget(&h);
    }
}

/* ---- get */

static void every_form_of_get_is_told_apart(void **state)
{
    static const struct {
        const char *get;
        message_get kind;
        const char *soul, *key;
        bool has_range, lists_all, backwards;
        double limit;
    } cases[] = {
        { "{}", GET_NOTHING, "", "", false, false, false, 0 },
        { "{'#':null}", GET_NOTHING, "", "", false, false, false, 0 },
        { "{'#':''}", GET_NOTHING, "", "", false, false, false, 0 },
        { "{'#':'s'}", GET_NODE, "s", "", false, false, false, 0 },
        { "{'#':'s','.':''}", GET_NODE, "s", "", false, false, false, 0 },
        { "{'#':'s','.':null}", GET_NODE, "s", "", false, false, false, 0 },
        { "{'#':'s','.':5}", GET_NODE, "s", "", false, false, false, 0 },
        { "{'#':'s','%':60}", GET_NODE, "s", "", false, false, false, 60 },
        { "{'#':'s','.':'k'}", GET_KEY, "s", "k", false, false, false, 0 },
        { "{'#':'s','.':{'=':'k'}}", GET_KEY, "s", "k", false, false, false, 0 },
        { "{'#':'s','.':{'*':'k'}}", GET_NODE, "s", "", true, false, false, 0 },
        { "{'#':'s','.':{'*':'k','-':1},'%':50}", GET_NODE, "s", "", true, false, true, 50 },
        { "{'#':'s','.':{'>':'a','%':7},'-':1}", GET_NODE, "s", "", true, false, true, 7 },
        { "{'#':'s','.':{}}", GET_NODE, "s", "", true, false, false, 0 },
        { "{'#':{'*':'u/'},'%':1000}", GET_SOULS, "", "", true, false, false, 1000 },
        { "{'#':{'*':'u/'},'.':'k'}", GET_SOULS, "", "", true, false, false, 0 },
        { "{'#':{'*':''}}", GET_SOULS, "", "", true, true, false, 0 },
        { "{'#':{}}", GET_SOULS, "", "", true, true, false, 0 },
        { "{'#':{'>':'','-':1}}", GET_SOULS, "", "", true, true, true, 0 },
        { "{'#':{'>':'a'}}", GET_SOULS, "", "", true, false, false, 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        char source[1000];
        heard h;

        snprintf(source, sizeof source, "{'#':'g','get':%s}", cases[i].get);
        hear(&h, source);
        assert_int_equal(h.s, STATUS_OK);
        assert_int_equal(h.m.get, cases[i].kind);
        assert_slice(h.m.soul, word(cases[i].soul));
        assert_slice(h.m.key, word(cases[i].key));
        assert_int_equal(h.m.has_range, cases[i].has_range);
        assert_int_equal(h.m.lists_all, cases[i].lists_all);
        assert_int_equal(h.m.has_range && h.m.range.backwards, cases[i].backwards);
        assert_true(h.m.limit == cases[i].limit);
        forget(&h);
    }
}

static void the_query_can_be_passed_on_as_it_was_sent(void **state)
{
    heard h;

    (void)state;
    hear(&h, "{'#':'g','get':{'#':'s','.':{ '*' : 'k' } }}");
    assert_slice(h.m.query_text, SLICE("{ \"*\" : \"k\" }"));
    assert_true(lex_range_has(&h.m.range, SLICE("k1")));
    assert_false(lex_range_has(&h.m.range, SLICE("l")));
    forget(&h);
}

/* ---- the rest */

static void ids_hashes_and_acks_are_read(void **state)
{
    heard h;

    (void)state;
    hear(&h, "{'#':'a\\ud83d\\ude00','@':'b','##':-5,'ok':{'/':1},'err':null}");
    assert_int_equal(h.s, STATUS_OK);
    assert_slice(h.m.id, SLICE("a\xED\xA0\xBD\xED\xB8\x80"));
    assert_slice(h.m.at, SLICE("b"));
    assert_true(h.m.has_hash && h.m.hash == -5);
    assert_true(h.m.has_ok && h.m.has_err);
    assert_slice(h.m.ok, SLICE("{\"/\":1}"));
    assert_int_equal(h.m.get, GET_NONE);
    assert_false(h.m.has_put);
    forget(&h);
    hear(&h, "{'@':'b','ok':true,'##':'x'}");
    assert_true(h.m.has_ok);
    assert_int_equal(h.m.ok.len + h.m.id.len, 0);
    assert_false(h.m.has_hash);
    forget(&h);
}

static void a_token_is_read_and_what_is_none_is_ignored(void **state)
{
    static const struct {
        const char *source, *token;
    } cases[] = {
        { "{'#':'a','get':{'#':'s'}}", "" },
        { "{'#':'a','headers':{'token':'open sesame'}}", "open sesame" },
        { "{'#':'a','headers':{'x':[1],'token':'\\u0061b\u00fc'}}", "ab\u00fc" },
        { "{'#':'a','headers':{'token':''}}", "" },
        { "{'#':'a','headers':{'token':5}}", "" },
        { "{'#':'a','headers':{'token':{'token':'b'}}}", "" },
        { "{'#':'a','headers':{'token':'\\ud800'}}", "" },
        { "{'#':'a','headers':'token'}", "" },
        { "{'#':'a','headers':null}", "" },
        { "{'#':'a','token':'open sesame'}", "" },
        { "{'#':'a','put':{'s':{'headers':{'token':'b'}}}}", "" },
    };
    char longest[MESSAGE_TOKEN_MAX + 64];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        heard h;
        hear(&h, cases[i].source);
        assert_int_equal(h.s, STATUS_OK);
        assert_slice(h.m.token, word(cases[i].token));
        forget(&h);
    }
    for (int more = 0; more < 2; ++more) {
        heard h;
        snprintf(longest, sizeof longest, "{'headers':{'token':'%0*d'}}", MESSAGE_TOKEN_MAX + more,
                 7);
        hear(&h, longest);
        assert_int_equal(h.s, STATUS_OK);
        assert_int_equal(h.m.token.len, more ? 0 : MESSAGE_TOKEN_MAX);
        forget(&h);
    }
}

static void a_control_message_is_nothing_else(void **state)
{
    heard h;

    (void)state;
    hear(&h, "{'dam':'?','pid':'me','#':'a','put':5,'get':'x'}");
    assert_int_equal(h.s, STATUS_OK);
    assert_slice(h.m.dam, SLICE("?"));
    assert_slice(h.m.pid, SLICE("me"));
    assert_false(h.m.has_put);
    assert_int_equal(h.m.get, GET_NONE);
    forget(&h);
}

static void a_question_for_the_time_is_told_from_an_answer(void **state)
{
    static const struct {
        const char *nts;
        bool asks;
        const char *first;
    } cases[] = {
        { "true", true, "" },     { "[1.5]", true, "1.5" }, { "[1,2]", false, "" },
        { "[1,2,3]", false, "" }, { "[]", false, "" },      { "['x']", false, "" },
        { "[[1]]", false, "" },   { "5", false, "" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        char source[100];
        heard h;

        snprintf(source, sizeof source, "{'#':'a','nts':%s}", cases[i].nts);
        hear(&h, source);
        assert_int_equal(h.s, STATUS_OK);
        assert_true(h.m.has_nts);
        assert_int_equal(h.m.nts_asks, cases[i].asks);
        assert_slice(h.m.nts, word(cases[i].first));
        forget(&h);
    }
}

static void a_short_arena_ends_a_message_and_nothing_else(void **state)
{
    slice source =
        SLICE("{\"#\":\"p\",\"put\":{\"\\u0073\":{\"_\":{\"#\":\"\\u0073\",\">\":{\"\\u0061\":1}},"
              "\"\\u0061\":\"\\u0062\"}}}");
    message_fault fault;
    message m;
    size_t bytes = 0;
    status s;

    (void)state;
    do {
        arena a = arena_make(bytes);
        s = message_read(&m, &a, source, &LIMITS, &fault);
        assert_true(s == STATUS_OK || s == STATUS_TOO_BIG || s == STATUS_NO_MEMORY);
        if (s == STATUS_OK) assert_int_equal(m.bad_count, 0);
        arena_free(&a);
        bytes += 16;
    } while (s != STATUS_OK);
    assert_int_equal(m.write_count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_message_is_malformed_and_says_why),
        cmocka_unit_test(a_refused_message_keeps_the_id_it_can_be_answered_by),
        cmocka_unit_test(crossing_a_limit_is_too_big_and_says_which),
        cmocka_unit_test(writes_come_sorted_with_state_and_canonical_value),
        cmocka_unit_test(a_bad_key_is_left_out_and_the_first_is_named),
        cmocka_unit_test(names_that_javascript_trips_over_are_names_like_others),
        cmocka_unit_test(an_empty_put_is_a_put_of_nothing),
        cmocka_unit_test(every_form_of_get_is_told_apart),
        cmocka_unit_test(the_query_can_be_passed_on_as_it_was_sent),
        cmocka_unit_test(ids_hashes_and_acks_are_read),
        cmocka_unit_test(a_token_is_read_and_what_is_none_is_ignored),
        cmocka_unit_test(a_control_message_is_nothing_else),
        cmocka_unit_test(a_question_for_the_time_is_told_from_an_answer),
        cmocka_unit_test(a_short_arena_ends_a_message_and_nothing_else),
    };
    return cmocka_run_group_tests_name("message", tests, NULL, NULL);
}
