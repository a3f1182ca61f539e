/* test_radisk_open.c - which folders are opened, and what is said of others. */
#include "tests/unit/radisk_kit.h"

#include "radisk/disk.h"
#include "radisk/layout.h"
#include "radisk/space.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void refused(kit *k, status expected, const char *sentence)
{
    char why[RADISK_WHY_MAX] = "";
    radisk *untouched = (radisk *)k, *out = untouched;

    assert_int_equal(radisk_open(&out, &k->options, why), expected);
    assert_ptr_equal(out, untouched);
    assert_non_null(strstr(why, sentence));
    assert_int_equal(radisk_open(&out, &k->options, NULL), expected);
}

static void a_missing_folder_is_made_for_its_owner_alone(void **state)
{
    kit *k = *state;
    struct stat found;

    assert_int_equal(rmdir(k->folder), 0);
    kit_open(k);
    assert_int_equal(stat(k->folder, &found), 0);
    assert_int_equal(found.st_mode & 0777, 0700);
    kit_put(k, "s", "a", "1", 1);
    kit_reopen(k);
    assert_string_equal(kit_value(k, "s", "a"), "1");
}

static void a_folder_that_cannot_be_made_is_refused(void **state)
{
    kit *k = *state;
    char path[128];

    (void)snprintf(path, sizeof path, "%s/no/such/place", k->folder);
    k->options.folder = path;
    refused(k, STATUS_IO, "cannot make the folder");
    (void)snprintf(path, sizeof path, "%s/file", k->folder);
    int at = open(path, O_CREAT | O_WRONLY, 0600);
    assert_true(at >= 0 && close(at) == 0);
    refused(k, STATUS_IO, "cannot open the folder");
}

static void a_second_opener_is_refused_also_in_this_process(void **state)
{
    kit *k = *state;

    kit_open(k);
    refused(k, STATUS_LOCKED, "another process uses the store");
    kit_put(k, "s", "a", "1", 1);
    kit_reopen(k);
    assert_string_equal(kit_value(k, "s", "a"), "1");
}

static void a_second_process_is_refused(void **state)
{
    kit *k = *state;
    int up[2], down[2], exit_status;
    char byte = 0;

    assert_int_equal(pipe(up), 0);
    assert_int_equal(pipe(down), 0);
    pid_t child = fork();
    if (child == 0) {
        radisk *store;
        bool open = radisk_open(&store, &k->options, NULL) == STATUS_OK;
        if (write(up[1], &byte, 1) != 1 || read(down[0], &byte, 1) != 1) _exit(2);
        _exit(open ? 0 : 1);
    }
    assert_int_equal(read(up[0], &byte, 1), 1);
    refused(k, STATUS_LOCKED, "another process uses the store");
    assert_int_equal(write(down[1], &byte, 1), 1);
    assert_int_equal(waitpid(child, &exit_status, 0), child);
    assert_int_equal(exit_status, 0);
    for (int i = 0; i < 2; i++) assert_true(close(up[i]) == 0 && close(down[i]) == 0);
    kit_open(k); /* the lock ended with its process */
}

static void set_format(const kit *k, const char *table, uint64_t format)
{
    char number[8];
    MDB_txn *txn;
    MDB_dbi meta;
    MDB_env *env = kit_open_env(k, &txn);
    MDB_val key = { 6, (void *)(uintptr_t) "format" }, value = { sizeof number, number };

    layout_put64(number, format);
    assert_int_equal(mdb_dbi_open(txn, table, MDB_CREATE, &meta), 0);
    assert_int_equal(mdb_put(txn, meta, &key, &value, 0), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

static void another_format_is_refused_with_a_sentence_and_left_alone(void **state)
{
    kit *k = *state;

    kit_open(k);
    kit_put(k, "s", "a", "1", 1);
    kit_close(k);
    for (uint64_t format = 0; format < 4; format++) {
        set_format(k, "meta", format);
        if (format == DISK_FORMAT) continue;
        refused(k, STATUS_WRONG_FORMAT,
                "and this brasa reads format 1 only: export it with the "
                "brasa that wrote it (brasa export DIR > FILE)");
    }
    set_format(k, "meta", DISK_FORMAT);
    kit_open(k);
    assert_string_equal(kit_value(k, "s", "a"), "1");
}

static void a_foreign_database_is_refused(void **state)
{
    kit *k = *state;

    set_format(k, "something else", 0);
    refused(k, STATUS_WRONG_FORMAT, "no store of brasa");
}

static void write_file(const kit *k, const char *name, const char *bytes, size_t len)
{
    char path[128];

    (void)snprintf(path, sizeof path, "%s/%s", k->folder, name);
    int at = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0600);
    assert_true(at >= 0);
    assert_int_equal(write(at, bytes, len), (ssize_t)len);
    assert_int_equal(close(at), 0);
}

static void a_file_that_is_no_database_is_refused(void **state)
{
    kit *k = *state;
    char junk[20000];

    memset(junk, 'j', sizeof junk);
    write_file(k, "data.mdb", junk, sizeof junk);
    refused(k, STATUS_CORRUPT, "cannot open the store");
    write_file(k, "data.mdb", junk, 10);
    refused(k, STATUS_CORRUPT, "cannot open the store");
}

static void a_store_may_be_opened_with_a_larger_map(void **state)
{
    kit *k = *state;

    k->options.limits.size_max = 1 << 20;
    kit_open(k);
    kit_put(k, "s", "a", "1", 1);
    kit_close(k);
    k->options.limits.size_max = (64 << 20) + 123; /* cut to whole pages */
    kit_open(k);
    assert_int_equal(kit_stats(k).map_bytes_max, 64 << 20);
    assert_string_equal(kit_value(k, "s", "a"), "1");
}

/* The index can be rebuilt from the rows: each soul has its name as its first. */
static void the_rows_prove_the_index_of_souls(void **state)
{
    kit *k = *state;
    MDB_txn *txn;
    MDB_dbi souls, rows;
    MDB_cursor *cursor;
    MDB_val key, value;
    size_t count = 0;
    char long_soul[1000];

    memset(long_soul, 'z', sizeof long_soul - 1);
    long_soul[sizeof long_soul - 1] = '\0';
    kit_open(k);
    kit_put(k, "b", "k", "1", 1);
    kit_put(k, long_soul, "k", "1", 1);
    kit_settle(k);
    kit_put(k, "a", "k", "1", 1);
    kit_close(k);
    MDB_env *env = kit_open_env(k, &txn);
    assert_int_equal(mdb_dbi_open(txn, "souls", 0, &souls), 0);
    assert_int_equal(mdb_dbi_open(txn, "rows", 0, &rows), 0);
    assert_int_equal(mdb_cursor_open(txn, souls, &cursor), 0);
    for (; mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0; count++) {
        MDB_val id = { 8, value.mv_data }, name;
        layout_entry e, proof;
        layout_seal seal;
        assert_int_equal(layout_entry_read(&e, (slice){ key.mv_data, key.mv_size },
                                           (slice){ value.mv_data, value.mv_size },
                                           layout_index_seal()),
                         STATUS_OK);
        assert_true(e.number >= 1 && e.number <= 3);
        assert_int_equal(mdb_get(txn, rows, &id, &name), 0);
        layout_seal_soul(&seal, e.name);
        assert_int_equal(
            layout_entry_read(&proof, SLICE(""), (slice){ name.mv_data, name.mv_size }, &seal),
            STATUS_OK);
        assert_true(slice_equal(e.name, proof.rest) && proof.number == e.number);
    }
    assert_int_equal(count, 3);
    mdb_cursor_close(cursor);
    mdb_txn_abort(txn);
    mdb_env_close(env);
}

static void expect_bytes(MDB_cursor *cursor, slice key, slice value)
{
    MDB_val k, v;

    assert_int_equal(mdb_cursor_get(cursor, &k, &v, MDB_NEXT), 0);
    assert_true(slice_equal((slice){ k.mv_data, k.mv_size }, key));
    assert_true(slice_equal((slice){ v.mv_data, v.mv_size }, value));
}

/* An entry's check is proved where entries are (test_radisk_layout.c). */
static void expect_entry(MDB_cursor *cursor, slice key, slice number, slice after_check)
{
    MDB_val k, v;

    assert_int_equal(mdb_cursor_get(cursor, &k, &v, MDB_NEXT), 0);
    assert_true(slice_equal((slice){ k.mv_data, k.mv_size }, key));
    assert_true(slice_equal((slice){ v.mv_data, 8 }, number));
    assert_true(slice_equal((slice){ (char *)v.mv_data + 16, v.mv_size - 16 }, after_check));
}

static MDB_cursor *open_table(MDB_txn *txn, const char *name, size_t entries)
{
    MDB_cursor *cursor;
    MDB_stat found;
    MDB_dbi table;

    assert_int_equal(mdb_dbi_open(txn, name, 0, &table), 0);
    assert_int_equal(mdb_stat(txn, table, &found), 0);
    assert_int_equal(found.ms_entries, entries);
    assert_int_equal(mdb_cursor_open(txn, table, &cursor), 0);
    return cursor;
}

static void the_bytes_are_those_that_the_docs_draw(void **state)
{
    kit *k = *state;
    MDB_txn *txn;

    kit_open(k);
    kit_put(k, "mark", "name", "\"Mark\"", 1);
    kit_close(k);
    MDB_env *env = kit_open_env(k, &txn);
    MDB_cursor *meta = open_table(txn, "meta", 6), *souls = open_table(txn, "souls", 1);
    MDB_cursor *rows = open_table(txn, "rows", 2), *held = open_table(txn, "held", 0);
    expect_bytes(meta, SLICE("folded through"), SLICE("\0\0\0\0\0\0\0\1"));
    expect_bytes(meta, SLICE("format"), SLICE("\0\0\0\0\0\0\0\1"));
    expect_bytes(meta, SLICE("hashed bytes"), SLICE("\0\0\0\0\0\0\0\0"));
    expect_bytes(meta, SLICE("next soul"), SLICE("\0\0\0\0\0\0\0\2"));
    expect_bytes(meta, SLICE("roots through"), SLICE("\0\0\0\0\0\0\0\1"));
    expect_bytes(meta, SLICE("store"), (slice){ (const char *)k->options.secret, 16 });
    expect_entry(souls, SLICE("mark"), SLICE("\0\0\0\0\0\0\0\1"), SLICE("\0"));
    expect_entry(rows, SLICE("\0\0\0\0\0\0\0\1"), SLICE("\0\0\0\0\0\0\0\1"), SLICE("\0mark"));
    expect_entry(rows, SLICE("\0\0\0\0\0\0\0\1name"), SLICE("\x3f\xf0\0\0\0\0\0\0"),
                 SLICE("\0\"Mark\""));
    mdb_cursor_close(held);
    mdb_txn_abort(txn);
    mdb_env_close(env);
}

static double never(void *context)
{
    (void)context;
    return 0;
}

static void so_are_those_of_what_expires_and_of_content_hashes(void **state)
{
    kit *k = *state;
    MDB_txn *txn;

    k->options.clock_ms = never;
    kit_open(k);
    kit_put(k, "#a<?2", "x", "\"123\"", 0);
    kit_close(k);
    MDB_env *env = kit_open_env(k, &txn);
    MDB_cursor *meta = open_table(txn, "meta", 6), *expiries = open_table(txn, "expiries", 2);
    expect_bytes(meta, SLICE("folded through"), SLICE("\0\0\0\0\0\0\0\1"));
    expect_bytes(meta, SLICE("format"), SLICE("\0\0\0\0\0\0\0\1"));
    expect_bytes(meta, SLICE("hashed bytes"), SLICE("\0\0\0\0\0\0\0\5"));
    /* 2000 and infinity as IEEE doubles, with the sign bit turned */
    expect_bytes(expiries, SLICE("d\xc0\x9f\x40\0\0\0\0\0\0\0\0\0\0\0\0\1"), SLICE(""));
    expect_bytes(expiries, SLICE("s\0\0\0\0\0\0\0\1"),
                 SLICE("\xc0\x9f\x40\0\0\0\0\0\xff\xf0\0\0\0\0\0\0"));
    mdb_txn_abort(txn);
    mdb_env_close(env);
}

/* A check's bytes are as good as any; that it is one is proved by reading it. */
static void expect_checked(MDB_cursor *cursor, slice key, slice after_check)
{
    MDB_val k, v;

    assert_int_equal(mdb_cursor_get(cursor, &k, &v, MDB_NEXT), 0);
    assert_true(slice_equal((slice){ k.mv_data, k.mv_size }, key));
    assert_true(slice_equal((slice){ (char *)v.mv_data + 8, v.mv_size - 8 }, after_check));
}

#define ROOT  "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define BYTES "\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff"
#define P     "0123456789012345678901234567890123456789abc.0123456789012345678901234567890123456789xyz"

static double at_once(void *context)
{
    (void)context;
    return 2000;
}

static void so_are_those_of_roots_of_audio(void **state)
{
    kit *k = *state;
    MDB_txn *txn;

    k->options.clock_ms = at_once;
    kit_open(k);
    kit_put(k, "audio/" ROOT "#0", "h", "\"123\"", 1);
    kit_put(k, "a", "x", "{\"#\":\"audio/" ROOT "#m\"}", 1);
    kit_put(k, "a", "y", "{\"#\":\"audio/" ROOT "#m\"}", 1);
    radisk_charge(k->store, kit_text("audio/" ROOT "#0"), kit_text("192.0.2.1"));
    kit_rest(k);
    kit_put(k, "~" P "/t", "x", "\"{\\\":\\\":{\\\"#\\\":\\\"audio/" ROOT "#m\\\"}}\"", 1);
    kit_close(k);
    MDB_env *env = kit_open_env(k, &txn);
    MDB_cursor *roots = open_table(txn, "roots", 1), *names = open_table(txn, "names", 2);
    MDB_cursor *uploaders = open_table(txn, "uploaders", 1), *pins = open_table(txn, "pins", 0);
    expect_checked(roots, SLICE(BYTES BYTES),
                   SLICE("\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\5\x40\x9f\x40\0\0\0\0\0\011"
                         "192.0.2.1\x58~" P));
    expect_checked(names, SLICE(BYTES BYTES "s~" P), SLICE("\0\0\0\0\0\0\0\1"));
    expect_checked(names, SLICE(BYTES BYTES "u"), SLICE("\0\0\0\0\0\0\0\2"));
    expect_checked(uploaders, SLICE("~" P), SLICE("\0\0\0\0\0\0\0\5"));
    mdb_cursor_close(pins);
    mdb_txn_abort(txn);
    mdb_env_close(env);
}

/* Ids only grow, so the rows of new souls go to the end and fill their pages;
 * put anywhere they would leave them half empty. */
static void new_nodes_append(void **state)
{
    kit *k = *state;
    char soul[32];
    MDB_txn *txn;
    MDB_dbi rows;
    MDB_stat found;

    kit_open(k);
    for (unsigned i = 0; i < 5000; i++) {
        (void)snprintf(soul, sizeof soul, "%08x", i * 2654435761u);
        kit_put(k, soul, "k", "\"0123456789012345678901234567890123456789\"", 1);
        if (i % 1000 == 0) kit_settle(k);
    }
    kit_close(k);
    MDB_env *env = kit_open_env(k, &txn);
    assert_int_equal(mdb_dbi_open(txn, "rows", 0, &rows), 0);
    assert_int_equal(mdb_stat(txn, rows, &found), 0);
    assert_int_equal(found.ms_entries, 10000);
    /* A soul's two rows: keys of 8 and 9 bytes, data of 25 and 59, 10 each of LMDB's. */
    size_t bytes = 5000 * (8 + 25 + 9 + 59 + 20);
    assert_true(found.ms_leaf_pages * 4096 < bytes * 10 / 9);
    mdb_txn_abort(txn);
    mdb_env_close(env);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_missing_folder_is_made_for_its_owner_alone),
        TEST(a_folder_that_cannot_be_made_is_refused),
        TEST(a_second_opener_is_refused_also_in_this_process),
        TEST(a_second_process_is_refused),
        TEST(another_format_is_refused_with_a_sentence_and_left_alone),
        TEST(a_foreign_database_is_refused),
        TEST(a_file_that_is_no_database_is_refused),
        TEST(a_store_may_be_opened_with_a_larger_map),
        TEST(the_bytes_are_those_that_the_docs_draw),
        TEST(so_are_those_of_what_expires_and_of_content_hashes),
        TEST(so_are_those_of_roots_of_audio),
        TEST(new_nodes_append),
        TEST(the_rows_prove_the_index_of_souls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
