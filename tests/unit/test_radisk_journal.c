/* What a segment of the journal tells after something happened to its bytes. */
#include "radisk/journal.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { SEGMENT = 1, BYTES = 4096 };

static const uint8_t store[JOURNAL_STORE_ID] = "a store like any";

typedef struct kit {
    char folder[64];
    int at;
    files files;
    journal_writer writer;
    size_t ends[16]; /* of the records, in the file */
    size_t records;
    char seen[64]; /* keys that were read, in order */
    journal_report report;
} kit;

static int set_up(void **state)
{
    kit *k = calloc(1, sizeof *k);

    assert_non_null(k);
    snprintf(k->folder, sizeof k->folder, "/tmp/brasa-journal-XXXXXX");
    assert_non_null(mkdtemp(k->folder));
    k->at = open(k->folder, O_RDONLY | O_DIRECTORY);
    assert_true(k->at >= 0);
    files_real(&k->files, k->at);
    assert_int_equal(k->files.make_folder(k->files.context, "journal"), STATUS_OK);
    *state = k;
    return 0;
}

static void remove_segment(kit *k, uint64_t number)
{
    char name[JOURNAL_NAME];

    journal_file_name(name, number);
    (void)k->files.remove(k->files.context, name);
}

static int tear_down(void **state)
{
    kit *k = *state;

    for (uint64_t n = SEGMENT; n < SEGMENT + 4; n++) remove_segment(k, n);
    (void)unlinkat(k->at, "journal", AT_REMOVEDIR);
    (void)rmdir(k->folder);
    (void)close(k->at);
    text_free(&k->writer.bytes);
    free(k);
    return 0;
}

/* Gathers a record with one row, the key of which names it. */
static void gather(kit *k, uint32_t flags, const char *key)
{
    journal_row row = { .kind = JOURNAL_TAKEN,
                        .soul = SLICE("soul"),
                        .key = { key, strlen(key) },
                        .value = SLICE("\"value\""),
                        .state = 1 };

    journal_begin(&k->writer, flags);
    journal_add(&k->writer, &row);
    assert_int_equal(journal_end(&k->writer), STATUS_OK);
    k->ends[k->records++] = JOURNAL_HEADER + k->writer.bytes.len;
}

static void write_segment(kit *k, uint64_t number, uint64_t recycled)
{
    journal_segment s;

    assert_int_equal(journal_make(&k->files, store, number, recycled, BYTES, &s), STATUS_OK);
    assert_int_equal(journal_append(&k->files, &s, &k->writer.bytes), STATUS_OK);
    assert_int_equal(journal_sync(&k->files, &s), STATUS_OK);
    journal_close(&k->files, &s);
    text_free(&k->writer.bytes);
    k->writer = (journal_writer){ 0 };
}

/* One bit in the middle of a record's body. */
static void damage(kit *k, uint64_t number, size_t record)
{
    char name[JOURNAL_NAME], byte;
    size_t got, at = (record == 0 ? JOURNAL_HEADER : k->ends[record - 1]) + JOURNAL_RECORD_HEAD + 2;
    int handle;

    journal_file_name(name, number);
    assert_int_equal(k->files.open(k->files.context, name, FILE_WRITE, &handle), STATUS_OK);
    assert_int_equal(k->files.read(k->files.context, handle, &byte, 1, at, &got), STATUS_OK);
    byte ^= 4;
    assert_int_equal(k->files.write(k->files.context, handle, &byte, 1, at), STATUS_OK);
    k->files.close(k->files.context, handle);
}

static status see(void *visitor, const journal_row *row, uint64_t position, bool last)
{
    kit *k = visitor;

    (void)position;
    (void)last;
    strncat(k->seen, row->key.at, row->key.len);
    return STATUS_OK;
}

static const char *read_segment(kit *k, uint64_t number)
{
    k->seen[0] = '\0';
    assert_int_equal(journal_read(&k->files, store, number, 0, see, k, &k->report), STATUS_OK);
    return k->seen;
}

static void gather_group(kit *k)
{
    gather(k, 0, "a");
    gather(k, JOURNAL_MORE, "b");
    gather(k, JOURNAL_MORE | JOURNAL_REST, "c");
    gather(k, JOURNAL_REST, "d");
}

static void a_torn_record_is_dropped_and_those_before_it_are_not(void **state)
{
    kit *k = *state;

    gather(k, 0, "a");
    gather(k, 0, "b");
    gather(k, 0, "c");
    write_segment(k, SEGMENT, 0);
    assert_string_equal(read_segment(k, SEGMENT), "abc");
    damage(k, SEGMENT, 2);
    assert_string_equal(read_segment(k, SEGMENT), "ab");
    assert_int_equal(k->report.damaged, 0);
    assert_int_equal(k->report.torn, 1);
}

static void what_follows_damage_is_read(void **state)
{
    kit *k = *state;

    gather(k, 0, "a");
    gather(k, 0, "b");
    gather(k, 0, "c");
    write_segment(k, SEGMENT, 0);
    damage(k, SEGMENT, 1);
    assert_string_equal(read_segment(k, SEGMENT), "ac");
    assert_int_equal(k->report.damaged, 1);
}

static void a_record_with_a_row_of_another_kind_is_damage_as_a_whole(void **state)
{
    kit *k = *state;
    journal_row row = { .kind = JOURNAL_LOST,
                        .soul = SLICE("soul"),
                        .key = SLICE("b"),
                        .value = SLICE("1"),
                        .state = 1 };

    gather(k, 0, "a");
    for (int i = 0; i < 2; i++) {
        journal_begin(&k->writer, 0);
        journal_add(&k->writer, &row);
        row.kind = (journal_kind)(i == 0 ? JOURNAL_LOST + 1 : JOURNAL_LOST);
        row.key = SLICE("c");
        journal_add(&k->writer, &row);
        row.kind = JOURNAL_LOST;
        assert_int_equal(journal_end(&k->writer), STATUS_OK);
    }
    gather(k, 0, "d");
    write_segment(k, SEGMENT, 0);
    assert_string_equal(read_segment(k, SEGMENT), "accd");
    assert_int_equal(k->report.damaged, 1);
}

static void a_group_is_taken_whole(void **state)
{
    kit *k = *state;

    gather_group(k);
    write_segment(k, SEGMENT, 0);
    assert_string_equal(read_segment(k, SEGMENT), "abcd");
    assert_int_equal(k->report.torn, 0);
}

static void a_group_without_its_end_is_not_taken(void **state)
{
    kit *k = *state;

    gather_group(k);
    write_segment(k, SEGMENT, 0);
    damage(k, SEGMENT, 3);
    assert_string_equal(read_segment(k, SEGMENT), "a");
    assert_int_equal(k->report.torn, 1);
}

static void a_group_without_its_middle_is_not_taken(void **state)
{
    kit *k = *state;

    gather_group(k);
    write_segment(k, SEGMENT, 0);
    damage(k, SEGMENT, 2);
    assert_string_equal(read_segment(k, SEGMENT), "a");
}

static void a_group_without_its_beginning_is_not_taken(void **state)
{
    kit *k = *state;

    gather_group(k);
    write_segment(k, SEGMENT, 0);
    damage(k, SEGMENT, 1);
    assert_string_equal(read_segment(k, SEGMENT), "a");
}

static void a_file_used_again_does_not_speak_for_its_past(void **state)
{
    kit *k = *state;

    for (const char *key = "abcdefgh"; *key != '\0'; key++) gather(k, 0, (char[]){ *key, '\0' });
    write_segment(k, SEGMENT, 0);
    gather(k, 0, "x");
    write_segment(k, SEGMENT + 1, SEGMENT);
    assert_string_equal(read_segment(k, SEGMENT + 1), "x");
    assert_int_equal(k->report.damaged, 0);
    assert_int_equal(journal_read(&k->files, store, SEGMENT, 0, see, k, &k->report),
                     STATUS_NOT_FOUND);
}

static void records_prove_themselves_without_the_header(void **state)
{
    kit *k = *state;
    char name[JOURNAL_NAME];
    int handle;

    gather(k, 0, "a");
    write_segment(k, SEGMENT, 0);
    journal_file_name(name, SEGMENT);
    assert_int_equal(k->files.open(k->files.context, name, FILE_WRITE, &handle), STATUS_OK);
    assert_int_equal(k->files.write(k->files.context, handle, "?", 1, 9), STATUS_OK);
    k->files.close(k->files.context, handle);
    assert_string_equal(read_segment(k, SEGMENT), "a");
    assert_true(k->report.no_header);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(a_torn_record_is_dropped_and_those_before_it_are_not),
        CASE(what_follows_damage_is_read),
        CASE(a_record_with_a_row_of_another_kind_is_damage_as_a_whole),
        CASE(a_group_is_taken_whole),
        CASE(a_group_without_its_end_is_not_taken),
        CASE(a_group_without_its_middle_is_not_taken),
        CASE(a_group_without_its_beginning_is_not_taken),
        CASE(a_file_used_again_does_not_speak_for_its_past),
        CASE(records_prove_themselves_without_the_header),
    };
#undef CASE

    return cmocka_run_group_tests(tests, NULL, NULL);
}
