/* test_hash31.c - the promises of core/hash31.h, and vectors/hash.json. */
#include "core/hash31.h"
#include "tests/unit/vectors.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static int32_t hash_of(slice s)
{
    return hash31_value(hash31_add(hash31_start(), s));
}

static void strings_of_hash_json_hash_as_in_gun(void **state)
{
    vectors v;

    (void)state;
    vectors_open(&v, "hash.json");
    uint32_t list = vectors_at(&v, 0, "string_hash");
    assert_int_equal(vectors_count(&v, list), 20);
    for (uint32_t i = vectors_first(list); vectors_in(&v, list, i); i = vectors_next(&v, i)) {
        assert_int_equal(hash_of(vectors_name(&v, vectors_at(&v, i, "text"))),
                         (int32_t)vectors_number(&v, vectors_at(&v, i, "hash")));
    }
    vectors_close(&v);
}

/* In the files, the text of a put stands in a string: as UTF-8 it is what goes
 * over the wire. */
static void puts_of_hash_json_hash_as_the_relay_hashes_them(void **state)
{
    vectors v;
    size_t clients = 0;

    (void)state;
    vectors_open(&v, "hash.json");
    uint32_t list = vectors_at(&v, 0, "graph_hash");
    assert_int_equal(vectors_count(&v, list), 10);
    for (uint32_t i = vectors_first(list); vectors_in(&v, list, i); i = vectors_next(&v, i)) {
        slice wire;
        assert_int_equal(json_utf8(&v.j, &v.memory, vectors_at(&v, i, "relay_text"), &wire),
                         STATUS_OK);
        assert_int_equal(hash_of(wire),
                         (int32_t)vectors_number(&v, vectors_at(&v, i, "relay_hash")));
        if (!vectors_has(&v, i, "client_text")) continue;
        assert_int_equal(hash_of(vectors_name(&v, vectors_at(&v, i, "client_text"))),
                         (int32_t)vectors_number(&v, vectors_at(&v, i, "client_hash")));
        ++clients;
    }
    assert_int_equal(clients, 1);
    vectors_close(&v);
}

static void a_long_text_hashes_piece_by_piece(void **state)
{
    vectors v;

    (void)state;
    vectors_open(&v, "hash.json");
    int32_t want =
        (int32_t)vectors_number(&v, vectors_at(&v, vectors_at(&v, 0, "chunk_check"), "hash_whole"));
    hash31 all = hash31_start(), piece = hash31_start();
    for (int i = 0; i < 40000; ++i) {
        all = hash31_add(all, SLICE("ab"));
        piece = hash31_add(piece, SLICE("ab"));
        if (i == 12345) piece = hash31_join(piece, hash31_start());
    }
    assert_int_equal(hash31_value(all), want);
    assert_int_equal(hash31_value(piece), want);
    vectors_close(&v);
}

static void pieces_join_to_the_hash_of_the_whole(void **state)
{
    slice whole = SLICE("{\"s\":\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80 and more\"}");

    (void)state;
    for (size_t cut = 0; cut <= whole.len; ++cut) {
        if (cut < whole.len && (whole.at[cut] & 0xC0) == 0x80) continue;
        hash31 a = hash31_add(hash31_start(), (slice){ whole.at, cut });
        hash31 b = hash31_add(hash31_start(), (slice){ whole.at + cut, whole.len - cut });
        assert_int_equal(hash31_value(hash31_join(a, b)), hash_of(whole));
        assert_int_equal(hash31_value(hash31_add(a, (slice){ whole.at + cut, whole.len - cut })),
                         hash_of(whole));
    }
}

static void both_spellings_of_a_pair_hash_alike(void **state)
{
    (void)state;
    assert_int_equal(hash_of(SLICE("\xF0\x9F\x98\x80")), 1772899);
    assert_int_equal(hash_of(SLICE("\xED\xA0\xBD\xED\xB8\x80")), 1772899);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings_of_hash_json_hash_as_in_gun),
        cmocka_unit_test(puts_of_hash_json_hash_as_the_relay_hashes_them),
        cmocka_unit_test(a_long_text_hashes_piece_by_piece),
        cmocka_unit_test(pieces_join_to_the_hash_of_the_whole),
        cmocka_unit_test(both_spellings_of_a_pair_hash_alike),
    };
    return cmocka_run_group_tests_name("hash31", tests, NULL, NULL);
}
