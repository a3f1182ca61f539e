/* test_audio.c - names, manifests and ranges of large audio, against what the
 * browser code of the convention makes of the same bytes. */
#include "core/audio.h"
#include "core/base64.h"
#include "tests/tools/curve.h"
#include "vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* The stream of the vectors: xorshift32. */
static void fill(uint8_t *to, size_t count, uint32_t x)
{
    for (size_t i = 0; i < count; ++i) {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        to[i] = (uint8_t)x;
    }
}

typedef struct made {
    uint8_t *bytes, *hashes;
    audio_manifest m;
    text printed;
    text parts[8];
    size_t part_count;
} made;

static bool keep_part(void *context, slice part)
{
    made *one = context;

    assert_true(one->part_count < 8);
    text_add(&one->parts[one->part_count++], part);
    return true;
}

static void make(made *one, vectors *v, uint32_t i)
{
    audio_manifest *m = &one->m;

    *one = (made){ .part_count = 0 };
    m->bytes = (uint64_t)vectors_number(v, vectors_at(v, i, "bytes"));
    m->chunk = m->span = (uint32_t)vectors_number(v, vectors_at(v, i, "chunk"));
    m->count = (uint32_t)((m->bytes + m->span - 1) / m->span);
    m->mime = vectors_name(v, vectors_at(v, i, "mime"));
    m->has_sha256 = true;
    one->bytes = malloc(m->bytes);
    one->hashes = malloc((size_t)m->count * AUDIO_HASH);
    fill(one->bytes, m->bytes, (uint32_t)vectors_number(v, vectors_at(v, i, "seed")));
    for (uint32_t c = 0; c < m->count; ++c) {
        slice raw = { (const char *)one->bytes + (size_t)c * m->chunk, audio_plain_bytes(m, c) };
        assert_int_equal(audio_chunk_hash(&test_curve, raw, one->hashes + c * AUDIO_HASH),
                         STATUS_OK);
    }
    m->hashes = one->hashes;
    audio_root(&test_curve, m->hashes, m->count, m->root);
    test_curve.sha256(NULL, (slice){ (const char *)one->bytes, m->bytes }, m->sha256);
    assert_int_equal(audio_manifest_print(&one->printed, m, &test_curve, keep_part, one),
                     STATUS_OK);
}

static void unmake(made *one)
{
    for (size_t i = 0; i < one->part_count; ++i) text_free(&one->parts[i]);
    text_free(&one->printed);
    free(one->bytes);
    free(one->hashes);
}

static void assert_name(slice expected, const char *at, size_t len)
{
    assert_int_equal(expected.len, len);
    assert_memory_equal(expected.at, at, len);
}

static void the_same_bytes_have_the_names_that_browsers_give_them(void **state)
{
    vectors v;
    made one;

    (void)state;
    vectors_open(&v, "audio.json");
    uint32_t list = vectors_at(&v, 0, "cases");
    assert_int_equal(vectors_count(&v, list), 6);
    for (uint32_t i = vectors_first(list); vectors_in(&v, list, i); i = vectors_next(&v, i)) {
        char soul[AUDIO_SOUL_MAX], key[AUDIO_KEY_MAX], hex[AUDIO_ROOT];
        uint8_t digest[AUDIO_HASH];
        size_t len;

        make(&one, &v, i);
        audio_hex(one.m.root, hex);
        assert_name(vectors_name(&v, vectors_at(&v, i, "root")), hex, sizeof hex);
        len = audio_chunk_soul(soul, one.m.root, one.m.count - 1);
        assert_name(vectors_name(&v, vectors_at(&v, i, "last_soul")), soul, len);
        len = audio_chunk_key(key, one.m.count - 1,
                              one.hashes + (size_t)(one.m.count - 1) * AUDIO_HASH);
        assert_name(vectors_name(&v, vectors_at(&v, i, "last_key")), key, len);
        test_curve.sha256(NULL, text_slice(&one.printed), digest);
        audio_hex(digest, hex);
        assert_name(vectors_name(&v, vectors_at(&v, i, "manifest_sha256")), hex, sizeof hex);
        unmake(&one);
    }
    vectors_close(&v);
}

static void a_manifest_is_read_as_it_was_printed(void **state)
{
    vectors v;
    made one;

    (void)state;
    vectors_open(&v, "audio.json");
    uint32_t list = vectors_at(&v, 0, "cases");
    for (uint32_t i = vectors_first(list); vectors_in(&v, list, i); i = vectors_next(&v, i)) {
        arena a = arena_make(1 << 22);
        slice parts[8];
        audio_manifest m;
        const char *why;

        make(&one, &v, i);
        assert_int_equal(audio_manifest_read(&m, &test_curve, &a, text_slice(&one.printed), &why),
                         STATUS_OK);
        assert_int_equal(m.part_count, one.part_count);
        for (size_t p = 0; p < one.part_count; ++p) parts[p] = text_slice(&one.parts[p]);
        if (m.part_count > 0) {
            assert_null(m.hashes);
            assert_int_equal(audio_manifest_join(&m, &test_curve, &a, parts, &why), STATUS_OK);
        }
        assert_int_equal(m.bytes, one.m.bytes);
        assert_int_equal(m.count, one.m.count);
        assert_memory_equal(m.root, one.m.root, AUDIO_HASH);
        assert_memory_equal(m.sha256, one.m.sha256, AUDIO_HASH);
        assert_memory_equal(m.hashes, one.hashes, (size_t)m.count * AUDIO_HASH);
        arena_free(&a);
        unmake(&one);
    }
    vectors_close(&v);
}

static status read_text(const char *words, const char **why)
{
    arena a = arena_make(1 << 20);
    audio_manifest m;
    status s = audio_manifest_read(&m, &test_curve, &a, (slice){ words, strlen(words) }, why);

    arena_free(&a);
    return s;
}

/* A good one, in which a case changes a part of the text. */
static const char *good_manifest(void)
{
    static char text_of[2000];
    vectors v;

    vectors_open(&v, "audio.json");
    uint32_t list = vectors_at(&v, 0, "cases"), third = vectors_first(list);
    third = vectors_next(&v, vectors_next(&v, third));
    slice s = vectors_name(&v, vectors_at(&v, third, "manifest"));
    assert_true(s.len < sizeof text_of);
    memcpy(text_of, s.at, s.len);
    text_of[s.len] = '\0';
    vectors_close(&v);
    return text_of;
}

static void a_manifest_that_contradicts_itself_is_refused(void **state)
{
    static const struct {
        const char *from, *to, *why;
    } cases[] = {
        { "\"v\":1", "\"v\":2", "version" },
        { "\"v\":1,", "", "version" },
        { "\"bytes\":36865", "\"bytes\":0", "bytes" },
        { "\"bytes\":36865", "\"bytes\":36865.5", "bytes" },
        { "\"bytes\":36865", "\"bytes\":-1", "bytes" },
        { "\"bytes\":36865", "\"bytes\":\"36865\"", "bytes" },
        { "\"bytes\":36865", "\"bytes\":1e300", "bytes" },
        { "\"bytes\":36865", "\"bytes\":36864", "\"n\"" },
        { "\"chunk\":36864", "\"chunk\":36863", "chunk" },
        { "\"chunk\":36864", "\"chunk\":786435", "chunk" },
        { "\"span\":36864", "\"span\":36865", "span" },
        { "\"span\":36864", "\"span\":0", "span" },
        { "\"span\":36864", "\"span\":36000", "span" },
        { "\"n\":2", "\"n\":3", "\"n\"" },
        { "\"seg\":64", "\"seg\":65", "seg" },
        { "\"mime\":\"audio/wav\"", "\"mime\":5", "mime" },
        { "\"root\":\"", "\"root\":\"A", "root" },
        { "\"sha256\":\"", "\"sha256\":\"0", "sha256" },
        { "\"h\":[\"", "\"h\":[\"A", "base64" },
        { "\"h\":[", "\"h\":[5,", "base64" },
        { "\"h\":[", "\"q\":[", "parts" },
        { "\"h\":[\"", "\"h\":{},\"i\":[\"", "no list" },
    };
    const char *good = good_manifest(), *why;

    (void)state;
    assert_int_equal(read_text(good, &why), STATUS_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        char changed[2100];
        const char *at = strstr(good, cases[i].from);

        assert_non_null(at);
        snprintf(changed, sizeof changed, "%.*s%s%s", (int)(at - good), good, cases[i].to,
                 at + strlen(cases[i].from));
        assert_int_equal(read_text(changed, &why), STATUS_MALFORMED);
        if (strstr(why, cases[i].why) == NULL) fail_msg("%s: %s", cases[i].to, why);
    }
    assert_int_equal(read_text("[]", &why), STATUS_MALFORMED);
    assert_int_equal(read_text("{", &why), STATUS_MALFORMED);
}

/* Prints it with the first character of each hash spelled as an escape, so that its
 * characters have to be made. */
static void escape_hashes(char *to, slice manifest)
{
    bool in_list = false;

    for (const char *at = manifest.at; at < manifest.at + manifest.len; ++at) {
        in_list = in_list || *at == '[';
        if (in_list && at[-1] == '"' && (at[-2] == '[' || at[-2] == ','))
            to += sprintf(to, "\\u00%02x", (unsigned)*at);
        else
            *to++ = *at;
    }
    *to = '\0';
}

/* Of a manifest that was given no memory nobody may remember that it is bad. */
static void what_there_is_no_memory_for_is_not_called_malformed(void **state)
{
    char escaped[6000];
    const char *why;
    int refused = 0;
    vectors v;

    (void)state;
    vectors_open(&v, "audio.json");
    uint32_t i = vectors_first(vectors_at(&v, 0, "cases"));
    for (int n = 0; n < 3; ++n) i = vectors_next(&v, i);
    escape_hashes(escaped, vectors_name(&v, vectors_at(&v, i, "manifest")));
    vectors_close(&v);
    assert_int_equal(read_text(escaped, &why), STATUS_OK);
    for (size_t bytes = 0;; bytes += 16) {
        slice words = { escaped, strlen(escaped) };
        arena a = arena_make(bytes);
        audio_manifest m;
        status s = audio_manifest_read(&m, &test_curve, &a, words, &why);

        arena_free(&a);
        if (s == STATUS_OK) break;
        assert_int_equal(s, STATUS_TOO_BIG);
        ++refused;
    }
    assert_true(refused > 100);
}

static void every_flipped_bit_of_a_hash_or_root_is_refused(void **state)
{
    const char *good = good_manifest(), *why;
    const char *begin = strstr(good, "\"root\":\"") + 8, *list = strstr(good, "\"h\":[\"") + 6;
    int refused = 0;

    (void)state;
    for (int i = 0; i < AUDIO_ROOT + BASE64_LEN_32 - 1; ++i) {
        const char *at = i < AUDIO_ROOT ? begin + i : list + (i - AUDIO_ROOT);
        for (int bit = 0; bit < 7; ++bit) {
            char changed[2100];
            strcpy(changed, good);
            changed[at - good] = (char)(changed[at - good] ^ 1 << bit);
            if (changed[at - good] == '"' || changed[at - good] == '\\') continue;
            assert_int_equal(read_text(changed, &why), STATUS_MALFORMED);
            ++refused;
        }
    }
    assert_true(refused > 700);
}

static void parts_are_proved_one_by_one_and_together(void **state)
{
    vectors v;
    made one;
    arena a = arena_make(1 << 22);
    slice parts[8];
    audio_manifest m;
    const char *why;

    (void)state;
    vectors_open(&v, "audio.json");
    uint32_t list = vectors_at(&v, 0, "cases"), i = vectors_first(list);
    for (int n = 0; n < 4; ++n) i = vectors_next(&v, i);
    make(&one, &v, i);
    assert_int_equal(one.part_count, 2); /* 1,667 chunks of 3 bytes */
    for (size_t p = 0; p < 2; ++p) parts[p] = text_slice(&one.parts[p]);
    assert_int_equal(audio_manifest_read(&m, &test_curve, &a, text_slice(&one.printed), &why),
                     STATUS_OK);
    slice swapped[] = { parts[1], parts[0] };
    assert_int_equal(audio_manifest_join(&m, &test_curve, &a, swapped, &why), STATUS_MALFORMED);
    assert_null(m.hashes);
    one.parts[0].at[5] ^= 1;
    assert_int_equal(audio_manifest_join(&m, &test_curve, &a, parts, &why), STATUS_MALFORMED);
    one.parts[0].at[5] ^= 1;
    for (size_t bytes = 0; bytes < 80000; bytes += 4000) { /* of 53,344 for the hashes alone */
        arena small = arena_make(bytes);
        assert_int_equal(audio_manifest_join(&m, &test_curve, &small, parts, &why), STATUS_TOO_BIG);
        arena_free(&small);
    }
    assert_int_equal(audio_manifest_join(&m, &test_curve, &a, parts, &why), STATUS_OK);
    assert_non_null(m.hashes);
    arena_free(&a);
    unmake(&one);
    vectors_close(&v);
}

static void names_are_read_back_and_others_are_none(void **state)
{
    const char *root = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    char soul[200];
    uint8_t hash[AUDIO_HASH], other[AUDIO_HASH];
    char key[AUDIO_KEY_MAX];
    uint32_t index;
    audio_soul s;

    (void)state;
    snprintf(soul, sizeof soul, "audio/%s#15", root);
    s = audio_soul_read((slice){ soul, strlen(soul) });
    assert_int_equal(s.kind, AUDIO_CHUNKS);
    assert_int_equal(s.segment, 15);
    assert_int_equal(s.root[1], 0x23);
    snprintf(soul, sizeof soul, "audio/%s#m", root);
    assert_int_equal(audio_soul_read((slice){ soul, strlen(soul) }).kind, AUDIO_MANIFEST);
    static const char *const others[] = { "#015", "#", "#m1", "#1000000", "#-1", "/m", "#p0", "" };
    for (size_t i = 0; i < sizeof others / sizeof *others; ++i) {
        snprintf(soul, sizeof soul, "audio/%s%s", root, others[i]);
        assert_int_equal(audio_soul_read((slice){ soul, strlen(soul) }).kind, AUDIO_NONE);
    }
    snprintf(soul, sizeof soul, "audio/A%s#m", root + 1);
    assert_int_equal(audio_soul_read((slice){ soul, strlen(soul) }).kind, AUDIO_NONE);
    for (size_t i = 0; i < AUDIO_HASH; ++i) hash[i] = (uint8_t)(i * 37);
    assert_int_equal(audio_chunk_key(key, 4711, hash), AUDIO_KEY_MAX);
    assert_true(audio_chunk_key_read((slice){ key, sizeof key }, &index, other));
    assert_int_equal(index, 4711);
    assert_memory_equal(hash, other, sizeof hash);
    key[3] = 'x';
    assert_false(audio_chunk_key_read((slice){ key, sizeof key }, &index, other));
    key[3] = '7';
    assert_false(audio_chunk_key_read((slice){ key, sizeof key - 1 }, &index, other));
}

static void chunks_grow_with_the_file_and_the_last_is_what_is_left(void **state)
{
    audio_manifest m = { .bytes = 100000, .chunk = 36864, .span = 36848, .count = 3 };

    (void)state;
    assert_int_equal(audio_chunk_bytes(AUDIO_LARGE), AUDIO_CHUNK);
    assert_int_equal(audio_chunk_bytes(AUDIO_LARGE + 1), AUDIO_CHUNK_LARGE);
    assert_int_equal(audio_plain_bytes(&m, 0), 36848);
    assert_int_equal(audio_stored_bytes(&m, 0), 36864);
    assert_int_equal(audio_plain_bytes(&m, 2), 100000 - 2 * 36848);
    assert_int_equal(audio_stored_bytes(&m, 2), 100000 - 2 * 36848 + 16);
    assert_int_equal(audio_stored_total(&m), 100000 + 3 * 16);
    audio_place p = audio_place_of(&m, 36864);
    assert_int_equal(p.index, 1);
    assert_int_equal(p.offset, 0);
}

static void ranges_are_read_as_the_rfc_has_them(void **state)
{
    static const struct {
        const char *header;
        audio_range_kind kind;
        uint64_t first, last;
    } cases[] = {
        { "bytes=0-0", AUDIO_RANGE_PART, 0, 0 },
        { "bytes=0-", AUDIO_RANGE_PART, 0, 999 },
        { "bytes=10-19", AUDIO_RANGE_PART, 10, 19 },
        { "bytes=999-", AUDIO_RANGE_PART, 999, 999 },
        { "bytes=990-5000", AUDIO_RANGE_PART, 990, 999 },
        { "bytes=0-99999999999999999999999", AUDIO_RANGE_PART, 0, 999 },
        { "bytes=-1", AUDIO_RANGE_PART, 999, 999 },
        { "bytes=-1000", AUDIO_RANGE_PART, 0, 999 },
        { "bytes=-5000", AUDIO_RANGE_PART, 0, 999 },
        { "Bytes = 10-19 ", AUDIO_RANGE_PART, 10, 19 },
        { "bytes=1000-", AUDIO_RANGE_NONE, 0, 0 },
        { "bytes=99999999999999999999999-", AUDIO_RANGE_NONE, 0, 0 },
        { "bytes=-0", AUDIO_RANGE_NONE, 0, 0 },
        { "bytes=20-10", AUDIO_RANGE_WHOLE, 0, 0 },
        { "bytes=-", AUDIO_RANGE_WHOLE, 0, 0 },
        { "bytes=", AUDIO_RANGE_WHOLE, 0, 0 },
        { "bytes=1-2,4-5", AUDIO_RANGE_WHOLE, 0, 0 },
        { "bytes=a-b", AUDIO_RANGE_WHOLE, 0, 0 },
        { "bytes=1-2x", AUDIO_RANGE_WHOLE, 0, 0 },
        { "chunks=1-2", AUDIO_RANGE_WHOLE, 0, 0 },
        { "bytes 1-2", AUDIO_RANGE_WHOLE, 0, 0 },
        { "", AUDIO_RANGE_WHOLE, 0, 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        slice header = { cases[i].header, strlen(cases[i].header) };
        audio_range range;

        if (audio_range_read(header, 1000, &range) != cases[i].kind)
            fail_msg("%s", cases[i].header);
        if (cases[i].kind != AUDIO_RANGE_PART) continue;
        assert_int_equal(range.first, cases[i].first);
        assert_int_equal(range.last, cases[i].last);
    }
    audio_range none;
    assert_int_equal(audio_range_read(SLICE("bytes=0-"), 0, &none), AUDIO_RANGE_NONE);
    assert_int_equal(audio_range_read(SLICE("bytes=-5"), 0, &none), AUDIO_RANGE_NONE);
}

static void only_what_plays_is_served_as_what_it_says(void **state)
{
    static const char *const safe[] = { "audio/mpeg", "audio/x-wav", "audio/vnd.wave", "video/mp4",
                                        "image/gif" },
                             *const unsafe[] = { "text/html",       "audio/",
                                                 "image/svg+xml",   "audio/mpeg; charset=x",
                                                 "audio/mp\r\neg",  "AUDIO/mpeg",
                                                 "application/pdf", "video/ogg",
                                                 "audio/mpeg\"",    "" };

    (void)state;
    for (size_t i = 0; i < sizeof safe / sizeof *safe; ++i)
        assert_true(audio_type_is_safe((slice){ safe[i], strlen(safe[i]) }));
    for (size_t i = 0; i < sizeof unsafe / sizeof *unsafe; ++i)
        assert_false(audio_type_is_safe((slice){ unsafe[i], strlen(unsafe[i]) }));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_bytes_have_the_names_that_browsers_give_them),
        cmocka_unit_test(a_manifest_is_read_as_it_was_printed),
        cmocka_unit_test(a_manifest_that_contradicts_itself_is_refused),
        cmocka_unit_test(what_there_is_no_memory_for_is_not_called_malformed),
        cmocka_unit_test(every_flipped_bit_of_a_hash_or_root_is_refused),
        cmocka_unit_test(parts_are_proved_one_by_one_and_together),
        cmocka_unit_test(names_are_read_back_and_others_are_none),
        cmocka_unit_test(chunks_grow_with_the_file_and_the_last_is_what_is_left),
        cmocka_unit_test(ranges_are_read_as_the_rfc_has_them),
        cmocka_unit_test(only_what_plays_is_served_as_what_it_says),
    };

    return cmocka_run_group_tests_name("audio", tests, NULL, NULL);
}
