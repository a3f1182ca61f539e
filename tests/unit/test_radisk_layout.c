/* test_radisk_layout.c - the bytes of format 0, as docs/storage.md draws them. */
#include "radisk/layout.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
// clang-format on

static slice repeated(char *at, char byte, size_t len)
{
    memset(at, byte, len);
    return (slice){ at, len };
}

static void a_row_is_keyed_by_id_and_name(void **state)
{
    layout_key k;

    (void)state;
    layout_row_key(&k, 0x0102030405060708, SLICE("ab"));
    assert_int_equal(k.len, 10);
    assert_memory_equal(k.at, "\1\2\3\4\5\6\7\10ab", 10);
    layout_row_key(&k, 258, SLICE(""));
    assert_int_equal(k.len, 8);
    assert_memory_equal(k.at, "\0\0\0\0\0\0\1\2", 8);
    layout_soul_key(&k, SLICE("soul"));
    assert_true(slice_equal(layout_key_slice(&k), SLICE("soul")));
}

static void a_long_name_is_its_beginning_and_a_hash(void **state)
{
    char at[1000];
    layout_key whole, cut, other;

    (void)state;
    layout_soul_key(&whole, repeated(at, 'x', 440));
    assert_int_equal(whole.len, 440);
    layout_soul_key(&cut, repeated(at, 'x', 441));
    assert_int_equal(cut.len, LAYOUT_LONG);
    assert_memory_equal(cut.at, at, 440);
    layout_soul_key(&other, repeated(at, 'x', 442));
    assert_memory_equal(cut.at, other.at, 440);
    assert_memory_not_equal(cut.at + 440, other.at + 440, 32);
    /* BLAKE2b-256 of 441 times "x", from Python's hashlib. */
    static const unsigned char hash[4] = { 0x2c, 0x09, 0x2f, 0xdb };
    assert_memory_equal(cut.at + 440, hash, 4);
}

static void an_entry_is_number_and_rest(void **state)
{
    layout_entry e = { SLICE("k"), layout_state_number(1.5), SLICE("\"v\"") }, back;
    char at[64];

    (void)state;
    assert_int_equal(layout_entry_bytes(&e), 11);
    layout_entry_write(at, &e);
    assert_memory_equal(at, "\x3f\xf8\0\0\0\0\0\0\"v\"", 11);
    assert_int_equal(layout_entry_read(&back, SLICE("k"), (slice){ at, 11 }), STATUS_OK);
    assert_true(slice_equal(back.name, e.name) && slice_equal(back.rest, e.rest));
    assert_true(layout_number_state(back.number) == 1.5);
}

static void an_entry_of_a_long_name_has_it_whole(void **state)
{
    char name[500], at[600];
    layout_entry e = { repeated(name, 'n', 500), 7, SLICE("1") }, back;
    layout_key k;

    (void)state;
    layout_soul_key(&k, e.name);
    assert_int_equal(layout_entry_bytes(&e), 8 + 4 + 500 + 1);
    layout_entry_write(at, &e);
    assert_memory_equal(at, "\0\0\0\0\0\0\0\7\0\0\1\xf4nn", 14);
    assert_int_equal(layout_entry_read(&back, layout_key_slice(&k), (slice){ at, 513 }), STATUS_OK);
    assert_true(slice_equal(back.name, e.name) && slice_equal(back.rest, e.rest) &&
                back.number == 7);
}

static void what_cannot_be_an_entry_is_corrupt(void **state)
{
    char name[600], at[700];
    layout_entry e = { repeated(name, 'n', 500), 7, SLICE("1") }, back;
    layout_key k;

    (void)state;
    layout_soul_key(&k, e.name);
    layout_entry_write(at, &e);
    for (size_t len = 0; len < 512; len++)
        assert_int_equal(layout_entry_read(&back, layout_key_slice(&k), (slice){ at, len }),
                         STATUS_CORRUPT);
    for (size_t len = 0; len < 8; len++)
        assert_int_equal(layout_entry_read(&back, SLICE("k"), (slice){ at, len }), STATUS_CORRUPT);
    assert_int_equal(layout_entry_read(&back, repeated(name, 'n', 441), (slice){ at, 513 }),
                     STATUS_CORRUPT);
    at[12] = 'm'; /* not the name that it is stored under */
    assert_int_equal(layout_entry_read(&back, layout_key_slice(&k), (slice){ at, 513 }),
                     STATUS_CORRUPT);
    memcpy(at + 8, "\0\0\0\5", 4);
    at[12] = 'n'; /* a short name has no business here */
    assert_int_equal(layout_entry_read(&back, layout_key_slice(&k), (slice){ at, 513 }),
                     STATUS_CORRUPT);
    memcpy(at + 8, "\xff\xff\xff\xff", 4);
    assert_int_equal(layout_entry_read(&back, layout_key_slice(&k), (slice){ at, 513 }),
                     STATUS_CORRUPT);
}

static void due_times_order_as_numbers_do(void **state)
{
    static const double times[] = {
        -1e300,           -2.5, -1, -5e-324, 0.0, 5e-324, 1, 1.0000000000000002, 2.5, 1732000000000,
        1732000000000.25, 1e300
    };
    char before[LAYOUT_HELD_KEY], key[LAYOUT_HELD_KEY];

    (void)state;
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        layout_held_key(key, times[i], SLICE("any"));
        assert_true(layout_held_state(key) == times[i]);
        if (i > 0) assert_true(memcmp(before, key, 8) < 0);
        memcpy(before, key, sizeof key);
    }
}

static void a_held_write_comes_back(void **state)
{
    layout_held h = { SLICE("so"), SLICE("key"), SLICE("true"), 1 }, back;
    char at[64], key[LAYOUT_HELD_KEY];

    (void)state;
    assert_int_equal(layout_held_bytes(&h), 17);
    layout_held_write(at, &h);
    assert_memory_equal(at, "\0\0\0\2so\0\0\0\3keytrue", 17);
    layout_held_key(key, h.state, (slice){ at, 17 });
    assert_memory_equal(key, "\xbf\xf0\0\0\0\0\0\0", 8);
    slice stored = { key, sizeof key };
    assert_int_equal(layout_held_read(&back, stored, (slice){ at, 17 }), STATUS_OK);
    assert_true(slice_equal(back.soul, h.soul) && slice_equal(back.key, h.key) &&
                slice_equal(back.value, h.value) && back.state == 1);
    for (size_t len = 0; len < 13; len++)
        assert_int_equal(layout_held_read(&back, stored, (slice){ at, len }), STATUS_CORRUPT);
    assert_int_equal(layout_held_read(&back, (slice){ key, 8 }, (slice){ at, 17 }), STATUS_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_is_keyed_by_id_and_name),
        cmocka_unit_test(a_long_name_is_its_beginning_and_a_hash),
        cmocka_unit_test(an_entry_is_number_and_rest),
        cmocka_unit_test(an_entry_of_a_long_name_has_it_whole),
        cmocka_unit_test(what_cannot_be_an_entry_is_corrupt),
        cmocka_unit_test(due_times_order_as_numbers_do),
        cmocka_unit_test(a_held_write_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
