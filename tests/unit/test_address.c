/* test_address.c - the promises of server/address.h. */
#include "server/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static address read_address(const char *text)
{
    address a;

    assert_true(address_parse(text, strlen(text), &a));
    return a;
}

static void assert_address(const char *text, const address *a)
{
    address wanted = read_address(text);

    assert_memory_equal(&wanted, a, sizeof wanted);
}

static void addresses_are_read_and_printed(void **state)
{
    static const char *const same[] = { "1.2.3.4", "255.255.255.255", "::1",
                                        "::",      "2001:db8::ff",    "fe80::1:2" };
    char shown[ADDRESS_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        address a = read_address(same[i]);
        address_print(&a, shown);
        assert_string_equal(shown, same[i]);
    }
}

static void a_mapped_address_and_brackets_mean_the_address(void **state)
{
    address four = read_address("1.2.3.4"), six = read_address("2001:db8::1");

    (void)state;
    assert_address("::ffff:1.2.3.4", &four);
    assert_address("[2001:db8::1]", &six);
}

static void what_is_no_address_is_refused(void **state)
{
    static const char *const bad[] = {
        "",   "1.2.3",    "1.2.3.4.5", "256.1.1.1", "a.b.c.d", "[::1", "::1]",
        "[]", "1.2.3.4 ", " 1.2.3.4",  "1.2.3.4x",  "unknown", "::g",  "1:2:3:4:5:6:7:8:9"
    };
    address a;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(address_parse(bad[i], strlen(bad[i]), &a));
    assert_false(address_parse("1.2.3.4\0", 8, &a));
}

static void ranges_hold_what_their_prefix_says(void **state)
{
    static const struct {
        const char *range, *in, *out;
    } cases[] = {
        { "10.0.0.0/8", "10.255.1.2", "11.0.0.0" },
        { "192.168.4.0/22", "192.168.7.255", "192.168.8.0" },
        { "1.2.3.4", "1.2.3.4", "1.2.3.5" },
        { "1.2.3.4/32", "::ffff:1.2.3.4", "1.2.3.3" },
        { "0.0.0.0/0", "255.1.1.1", "2001:db8::1" },
        { "fd00::/8", "fdff::1", "fe00::1" },
        { "2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::1" },
        { "::1", "::1", "::2" },
    };
    address_range range;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        address in = read_address(cases[i].in), out = read_address(cases[i].out);
        assert_true(address_range_parse(cases[i].range, &range));
        assert_true(address_in(&in, &range, 1));
        assert_false(address_in(&out, &range, 1));
    }
}

static void a_range_that_is_not_meant_so_is_refused(void **state)
{
    static const char *const bad[] = { "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1",
                                       "fd00::/129", "fd00::1/8",   "/8",        "10.0.0.0/8x",
                                       "10/8",       "10.0.0.0/ 8", "" };
    address_range range;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(address_range_parse(bad[i], &range));
}

static void loopback_is_127_and_1(void **state)
{
    address four = read_address("127.8.9.1"), six = read_address("::1"),
            other = read_address("128.0.0.1"), mapped = read_address("::ffff:127.0.0.1"),
            any = read_address("::");

    (void)state;
    assert_true(address_is_loopback(&four));
    assert_true(address_is_loopback(&six));
    assert_true(address_is_loopback(&mapped));
    assert_false(address_is_loopback(&other));
    assert_false(address_is_loopback(&any));
}

static void a_person_is_an_address_or_the_64_of_it(void **state)
{
    address one = read_address("2001:db8:1:2:3:4:5:6"), two = read_address("2001:db8:1:2:ffff::"),
            far = read_address("2001:db8:1:3::"), four = read_address("1.2.3.4"),
            five = read_address("1.2.3.5");

    (void)state;
    one = address_person(&one);
    two = address_person(&two);
    far = address_person(&far);
    assert_memory_equal(&one, &two, sizeof one);
    assert_memory_not_equal(&one, &far, sizeof one);
    four = address_person(&four);
    five = address_person(&five);
    assert_address("1.2.3.4", &four);
    assert_memory_not_equal(&four, &five, sizeof four);
}

static void the_client_is_the_right_most_that_is_not_trusted(void **state)
{
    static const struct {
        const char *header, *client;
    } cases[] = {
        { "1.2.3.4", "1.2.3.4" },
        { "6.6.6.6, 1.2.3.4", "1.2.3.4" }, /* the left end is the client's own tale */
        { "127.0.0.1, 1.2.3.4", "1.2.3.4" },
        { "6.6.6.6,1.2.3.4,10.1.1.1 , 10.2.2.2", "1.2.3.4" },
        { "10.3.3.3, 10.1.1.1", "10.3.3.3" },        /* all trusted: the first hop */
        { "garbage, 1.2.3.4, 10.1.1.1", "1.2.3.4" }, /* left of it nothing matters */
        { "1.2.3.4:5678", "1.2.3.4" },
        { "[2001:db8::1]:443", "2001:db8::1" },
        { "2001:db8::1", "2001:db8::1" },
        { "::ffff:1.2.3.4, 10.9.9.9", "1.2.3.4" },
    };
    address_range trusted[2];
    address client;

    (void)state;
    assert_true(address_range_parse("10.0.0.0/8", &trusted[0]));
    assert_true(address_range_parse("::1", &trusted[1]));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_true(
            address_forwarded(cases[i].header, strlen(cases[i].header), trusted, 2, &client));
        assert_address(cases[i].client, &client);
    }
}

static void a_header_that_holds_something_else_is_not_believed(void **state)
{
    static const char *const bad[] = {
        "", "unknown", "1.2.3.4, _hidden", "1.2.3.4, 10.0.0.1, ", ",", "1.2.3.4, x, 10.1.1.1"
    };
    address_range trusted;
    address client;

    (void)state;
    assert_true(address_range_parse("10.0.0.0/8", &trusted));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(address_forwarded(bad[i], strlen(bad[i]), &trusted, 1, &client));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_read_and_printed),
        cmocka_unit_test(a_mapped_address_and_brackets_mean_the_address),
        cmocka_unit_test(what_is_no_address_is_refused),
        cmocka_unit_test(ranges_hold_what_their_prefix_says),
        cmocka_unit_test(a_range_that_is_not_meant_so_is_refused),
        cmocka_unit_test(loopback_is_127_and_1),
        cmocka_unit_test(a_person_is_an_address_or_the_64_of_it),
        cmocka_unit_test(the_client_is_the_right_most_that_is_not_trusted),
        cmocka_unit_test(a_header_that_holds_something_else_is_not_believed),
    };

    return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}
