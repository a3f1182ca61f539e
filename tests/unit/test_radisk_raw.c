/* test_radisk_raw.c - chunks as bytes: at every moment of their way, by name and by
 * hash, and what is no chunk. */
#include "radisk/raw.h"
#include "tests/unit/radisk_kit.h"

#include <sodium.h>
#include <string.h>

enum { BYTES = 36864, TEXT = 4 * BYTES / 3 };

static unsigned char bytes[BYTES];
static char value[TEXT + 3];
static uint8_t hash[32];

static int set_up(void **state)
{
    for (size_t i = 0; i < sizeof bytes; ++i) bytes[i] = (unsigned char)(i * i >> 3);
    value[0] = '"';
    sodium_bin2base64(value + 1, TEXT + 1, bytes, BYTES, sodium_base64_VARIANT_ORIGINAL);
    crypto_hash_sha256(hash, (const unsigned char *)value + 1, TEXT);
    strcpy(value + 1 + TEXT, "\"");
    return kit_setup_quick(state);
}

static void assert_bytes(kit *k)
{
    slice got;

    assert_int_equal(radisk_raw(k->store, SLICE("a#1"), SLICE("x"), &got), STATUS_OK);
    assert_int_equal(got.len, BYTES);
    assert_memory_equal(got.at, bytes, BYTES);
    assert_int_equal(radisk_raw_by_hash(k->store, hash, &got), STATUS_OK);
    assert_int_equal(got.len, BYTES);
    assert_memory_equal(got.at, bytes, BYTES);
    assert_int_equal(radisk_holds(k->store, SLICE("a#1"), SLICE("x")), STATUS_OK);
}

static void a_chunk_is_read_as_bytes_at_every_moment_of_its_way(void **state)
{
    kit *k = *state;

    kit_open(k);
    kit_put(k, "a#1", "x", value, 1);
    assert_bytes(k); /* not yet written */
    kit_settle(k);
    assert_bytes(k); /* in its segment */
    kit_rest(k);
    assert_bytes(k); /* in the database's table */
    kit_reopen(k);
    assert_bytes(k);
    assert_string_equal(kit_value(k, "a#1", "x"), value);
    kit_close(k);
}

static void a_small_chunk_is_read_by_its_name(void **state)
{
    kit *k = *state;
    slice got;

    kit_open(k);
    kit_put(k, "a#1", "y", "\"aGVsbG8=\"", 1);
    assert_int_equal(radisk_raw(k->store, SLICE("a#1"), SLICE("y"), &got), STATUS_OK);
    assert_int_equal(got.len, 5);
    assert_memory_equal(got.at, "hello", 5);
    kit_rest(k);
    assert_int_equal(radisk_raw(k->store, SLICE("a#1"), SLICE("y"), &got), STATUS_OK);
    assert_int_equal(got.len, 5);
    kit_close(k);
}

static void a_chunk_is_found_by_its_hash_however_small_the_last_one_is(void **state)
{
    kit *k = *state;
    char last[67] = "\"";
    uint8_t of_last[32];
    graph_row row;
    slice got;

    memset(last + 1, 'Q', 64);
    last[65] = '"';
    crypto_hash_sha256(of_last, (const unsigned char *)last + 1, 64);
    kit_open(k);
    kit_put(k, "a#1", "z", last, 1);
    kit_put(k, "plain", "z", "\"QQQQ\"", 1);
    for (int i = 0; i < 2; ++i) {
        assert_int_equal(radisk_raw_by_hash(k->store, of_last, &got), STATUS_OK);
        assert_int_equal(got.len, 48);
        assert_int_equal(k->graph->by_hash(k->graph->context, of_last, &row), STATUS_OK);
        assert_int_equal(row.value.len, 66);
        assert_memory_equal(row.value.at, last, 66);
        assert_true(row.state == 1);
        kit_rest(k);
    }
    kit_reopen(k);
    assert_int_equal(k->graph->by_hash(k->graph->context, of_last, &row), STATUS_OK);
    kit_close(k);
}

static void what_is_no_chunk_is_said_to_be_none(void **state)
{
    kit *k = *state;
    uint8_t other[32] = { 1 };
    slice got;

    kit_open(k);
    kit_put(k, "a#1", "n", "5", 1);
    kit_put(k, "a#1", "t", "\"no base64!\"", 1);
    value[7] = '!';
    kit_put(k, "a#1", "l", value, 1);
    assert_int_equal(radisk_raw(k->store, SLICE("a#1"), SLICE("n"), &got), STATUS_MALFORMED);
    assert_int_equal(radisk_raw(k->store, SLICE("a#1"), SLICE("t"), &got), STATUS_MALFORMED);
    assert_int_equal(radisk_raw(k->store, SLICE("a#1"), SLICE("l"), &got), STATUS_MALFORMED);
    assert_int_equal(radisk_raw(k->store, SLICE("a#1"), SLICE("none"), &got), STATUS_NOT_FOUND);
    assert_int_equal(radisk_raw(k->store, SLICE("none"), SLICE("n"), &got), STATUS_NOT_FOUND);
    assert_int_equal(radisk_raw_by_hash(k->store, other, &got), STATUS_NOT_FOUND);
    assert_int_equal(radisk_holds(k->store, SLICE("a#1"), SLICE("none")), STATUS_NOT_FOUND);
    kit_close(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_chunk_is_read_as_bytes_at_every_moment_of_its_way, set_up,
                                        kit_teardown),
        cmocka_unit_test_setup_teardown(a_small_chunk_is_read_by_its_name, set_up, kit_teardown),
        cmocka_unit_test_setup_teardown(a_chunk_is_found_by_its_hash_however_small_the_last_one_is,
                                        set_up, kit_teardown),
        cmocka_unit_test_setup_teardown(what_is_no_chunk_is_said_to_be_none, set_up, kit_teardown),
    };

    if (sodium_init() < 0) return 1;
    return cmocka_run_group_tests_name("radisk_raw", tests, NULL, NULL);
}
