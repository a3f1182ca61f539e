/* test_radisk_layout.c - the bytes of format 1, as docs/storage.md draws them. */
#include "radisk/layout.h"

#include <sodium/crypto_shorthash.h>

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

static const layout_seal *seal_of(slice soul)
{
    static layout_seal seal;

    layout_seal_soul(&seal, soul);
    return &seal;
}

/* SipHash-2-4 with the key that the docs give, and what goes on from there: the key
 * with its first eight bytes changed by what was hashed so far. */
static uint64_t chained(uint8_t key[static 16], slice bytes)
{
    unsigned char hash[8];
    uint64_t number;

    crypto_shorthash(hash, (const unsigned char *)bytes.at, bytes.len, key);
    for (int i = 0; i < 8; i++) key[i] ^= hash[i];
    memcpy(&number, hash, sizeof number);
    return number;
}

static void an_entry_is_number_check_kind_and_rest(void **state)
{
    layout_entry e = { SLICE("k"), layout_state_number(1.5), LAYOUT_TEXT, SLICE("\"v\"") }, back;
    uint8_t key[16] = "brasa row check";
    char at[64], check[8];

    (void)state;
    assert_int_equal(layout_entry_bytes(&e), 20);
    layout_entry_write(at, &e, seal_of(SLICE("soul")));
    assert_memory_equal(at, "\x3f\xf8\0\0\0\0\0\0", 8);
    assert_memory_equal(at + 16, "\0\"v\"", 4);
    (void)chained(key, SLICE("soul"));
    (void)chained(key, SLICE("k"));
    (void)chained(key, SLICE("\x3f\xf8\0\0\0\0\0\0\0"));
    layout_put64(check, chained(key, SLICE("\"v\"")));
    assert_memory_equal(at + 8, check, 8);
    assert_int_equal(
        layout_entry_read(&back, SLICE("k"), (slice){ at, 20 }, seal_of(SLICE("soul"))), STATUS_OK);
    assert_true(slice_equal(back.name, e.name) && slice_equal(back.rest, e.rest));
    assert_true(layout_number_state(back.number) == 1.5 && back.kind == LAYOUT_TEXT);
}

static void an_entry_of_a_long_name_has_it_whole(void **state)
{
    char name[500], at[600];
    layout_entry e = { repeated(name, 'n', 500), 7, LAYOUT_TEXT, SLICE("1") }, back;
    layout_key k;

    (void)state;
    layout_soul_key(&k, e.name);
    assert_int_equal(layout_entry_bytes(&e), 17 + 4 + 500 + 1);
    layout_entry_write(at, &e, layout_index_seal());
    assert_memory_equal(at + 16, "\0\0\0\1\xf4nn", 7);
    assert_int_equal(
        layout_entry_read(&back, layout_key_slice(&k), (slice){ at, 522 }, layout_index_seal()),
        STATUS_OK);
    assert_true(slice_equal(back.name, e.name) && slice_equal(back.rest, e.rest) &&
                back.number == 7);
}

static void refuse(slice stored, slice bytes, const layout_seal *seal)
{
    layout_entry back;

    assert_int_equal(layout_entry_read(&back, stored, bytes, seal), STATUS_CORRUPT);
}

static void an_entry_with_any_bit_flipped_is_corrupt(void **state)
{
    char name[441], at[600], other[LAYOUT_KEY_MAX];
    layout_seal seal = *seal_of(SLICE("soul"));

    (void)state;
    for (size_t len = 1; len <= 441; len += 440) {
        layout_entry e = { repeated(name, 'n', len), 7, LAYOUT_TEXT, SLICE("\"value\"") };
        layout_key k;
        layout_soul_key(&k, e.name);
        layout_entry_write(at, &e, &seal);
        slice bytes = { at, layout_entry_bytes(&e) };
        for (size_t bit = 0; bit < bytes.len * 8; bit++) {
            at[bit / 8] = (char)(at[bit / 8] ^ 1 << bit % 8);
            refuse(layout_key_slice(&k), bytes, &seal);
            at[bit / 8] = (char)(at[bit / 8] ^ 1 << bit % 8);
        }
        for (size_t cut = 0; cut < bytes.len; cut++)
            refuse(layout_key_slice(&k), (slice){ at, cut }, &seal);
        if (len > LAYOUT_WHOLE_MAX) continue; /* there the name in the entry is what counts */
        memcpy(other, k.at, k.len);
        other[0] ^= 1;
        refuse((slice){ other, k.len }, bytes, &seal);
    }
}

static void an_entry_that_strayed_to_another_soul_or_key_is_corrupt(void **state)
{
    layout_entry e = { SLICE("k"), 7, LAYOUT_TEXT, SLICE("1") };
    char at[64];

    (void)state;
    layout_entry_write(at, &e, seal_of(SLICE("one")));
    slice bytes = { at, layout_entry_bytes(&e) };
    refuse(SLICE("k"), bytes, seal_of(SLICE("another")));
    refuse(SLICE("l"), bytes, seal_of(SLICE("one")));
    refuse(SLICE("k"), bytes, layout_index_seal());
}

static void what_is_counted_of_blobs_has_checks(void **state)
{
    layout_blob b = { .ref = { .text_bytes = 5000, .encoding = BLOB_BASE64 },
                      .place = { 3, 64, 3746 },
                      .refs = 2 },
                back;
    layout_segment counts = { 3, 100, 50 }, read;
    char at[LAYOUT_BLOB_BYTES], segment[LAYOUT_SEGMENT_BYTES], number[8];

    (void)state;
    memset(b.ref.hash, 9, sizeof b.ref.hash);
    slice hash = { (const char *)b.ref.hash, BLOB_HASH };
    layout_blob_entry_write(at, &b);
    assert_int_equal(layout_blob_entry_read(&back, hash, (slice){ at, sizeof at }), STATUS_OK);
    assert_true(back.place.segment == 3 && back.place.offset == 64 &&
                back.place.stored_bytes == 3746);
    assert_true(back.refs == 2 && back.ref.text_bytes == 5000 && back.ref.encoding == BLOB_BASE64);
    for (size_t bit = 0; bit < sizeof at * 8; bit++) {
        at[bit / 8] = (char)(at[bit / 8] ^ 1 << bit % 8);
        assert_int_equal(layout_blob_entry_read(&back, hash, (slice){ at, sizeof at }),
                         STATUS_CORRUPT);
        at[bit / 8] = (char)(at[bit / 8] ^ 1 << bit % 8);
    }
    layout_put64(number, 3);
    layout_segment_write(segment, &counts);
    slice key = { number, 8 }, bytes = { segment, sizeof segment };
    assert_int_equal(layout_segment_read(&read, key, bytes), STATUS_OK);
    assert_true(read.number == 3 && read.bytes == 100 && read.dead == 50);
    number[7] = 4;
    assert_int_equal(layout_segment_read(&read, key, bytes), STATUS_CORRUPT);
}

static void floors_and_marks_come_back(void **state)
{
    char rest[LAYOUT_FLOOR_SOUL], at[LAYOUT_MARK_MAX], later[LAYOUT_MARK_MAX];
    double floor, when_ms;
    layout_mark_kind kind;
    slice key;

    (void)state;
    layout_floor_soul_write(rest, -1.5, 1e12);
    assert_int_equal(layout_floor_soul_read((slice){ rest, sizeof rest }, &floor, &when_ms),
                     STATUS_OK);
    assert_true(floor == -1.5 && when_ms == 1e12);
    assert_int_equal(layout_floor_soul_read((slice){ rest, 15 }, &floor, &when_ms), STATUS_CORRUPT);
    size_t len = layout_mark_write(at, 1000, MARK_SOUL, SLICE("soul"));
    (void)layout_mark_write(later, 2000, MARK_ROW, SLICE("a"));
    assert_true(memcmp(at, later, 9) < 0);
    assert_int_equal(layout_mark_read((slice){ at, len }, &when_ms, &kind, &key), STATUS_OK);
    assert_true(when_ms == 1000 && kind == MARK_SOUL && slice_equal(key, SLICE("soul")));
    assert_int_equal(layout_mark_read((slice){ at, 9 }, &when_ms, &kind, &key), STATUS_CORRUPT);
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

static void hold_and_compare(const layout_held *h)
{
    char at[128], key[LAYOUT_HELD_KEY];
    layout_held back;
    size_t len = layout_held_bytes(h);

    layout_held_write(at, h);
    layout_held_key(key, h->state, (slice){ at, len });
    slice stored = { key, sizeof key };
    assert_int_equal(layout_held_read(&back, stored, (slice){ at, len }), STATUS_OK);
    assert_true(slice_equal(back.soul, h->soul) && slice_equal(back.key, h->key) &&
                back.is_blob == h->is_blob && back.state == h->state);
    if (h->is_blob)
        assert_memory_equal(&back.blob, &h->blob, sizeof h->blob);
    else
        assert_true(slice_equal(back.value, h->value));
    for (size_t cut = 0; cut < len; cut++)
        assert_int_equal(layout_held_read(&back, stored, (slice){ at, cut }), STATUS_CORRUPT);
    for (size_t bit = 0; bit < len * 8; bit++) {
        at[bit / 8] = (char)(at[bit / 8] ^ 1 << bit % 8);
        assert_int_equal(layout_held_read(&back, stored, (slice){ at, len }), STATUS_CORRUPT);
        at[bit / 8] = (char)(at[bit / 8] ^ 1 << bit % 8);
    }
    key[3] ^= 1; /* another due time */
    assert_int_equal(layout_held_read(&back, stored, (slice){ at, len }), STATUS_CORRUPT);
    assert_int_equal(layout_held_read(&back, (slice){ key, 8 }, (slice){ at, len }),
                     STATUS_CORRUPT);
}

static void a_held_write_comes_back_and_no_other(void **state)
{
    layout_held h = {
        .soul = SLICE("so"), .key = SLICE("key"), .value = SLICE("true"), .state = 1
    };
    char at[64];

    (void)state;
    assert_int_equal(layout_held_bytes(&h), 26);
    layout_held_write(at, &h);
    assert_memory_equal(at + 8, "\0\0\0\0\2so\0\0\0\3keytrue", 18);
    hold_and_compare(&h);
    h.is_blob = true;
    h.blob = (blob_ref){ .text_bytes = 5000, .encoding = BLOB_BASE64 };
    memset(h.blob.hash, 7, sizeof h.blob.hash);
    hold_and_compare(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_is_keyed_by_id_and_name),
        cmocka_unit_test(a_long_name_is_its_beginning_and_a_hash),
        cmocka_unit_test(an_entry_is_number_check_kind_and_rest),
        cmocka_unit_test(an_entry_of_a_long_name_has_it_whole),
        cmocka_unit_test(an_entry_with_any_bit_flipped_is_corrupt),
        cmocka_unit_test(an_entry_that_strayed_to_another_soul_or_key_is_corrupt),
        cmocka_unit_test(what_is_counted_of_blobs_has_checks),
        cmocka_unit_test(floors_and_marks_come_back),
        cmocka_unit_test(due_times_order_as_numbers_do),
        cmocka_unit_test(a_held_write_comes_back_and_no_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
