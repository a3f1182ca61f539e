/* test_radisk_backup.c - a backup is believed whole or not at all. */
#include "radisk/backup.h"
#include "radisk/space.h"
#include "tests/unit/radisk_kit.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LARGE = 5000 };

static const double later = 2e12;

static void pinned(void *context, status how, bool was)
{
    assert_int_equal(how, STATUS_OK);
    assert_false(was);
    *(bool *)context = true;
}

static void pin(kit *k)
{
    static const uint8_t root[ROOT_BYTES] = "a root of audio that is pinned.";
    bool done = false;

    assert_int_equal(radisk_pin_begin(k->store, root, true, pinned, &done), STATUS_OK);
    radisk_turn(k->store);
    while (!done) assert_true(radisk_wait(k->store));
}

/* Rows of every sort: small, large, long names, one that is held; and a pin. */
static void fill(kit *k)
{
    pin(k);
    static char large[LARGE + 3], name[1201];
    graph_write w[3];

    memset(large, 'L', sizeof large - 1);
    large[0] = large[LARGE + 1] = '"';
    memset(name, 'n', sizeof name - 1);
    (void)kit_put(k, "a", "small", "1", 1000);
    (void)kit_put(k, "a", "large", large, 1000);
    (void)kit_put(k, name, name, "null", 1000.25);
    (void)kit_put(k, "b", "link", "{\"#\":\"a\"}", 2000);
    w[0] = kit_write("c", "held", "\"later\"", 3e12);
    (void)kit_merge(k, w, 1, 2e12);
}

static status into_text(void *context, slice bytes)
{
    text *t = context;

    text_add(t, bytes);
    return text_ok(t) ? STATUS_OK : STATUS_NO_MEMORY;
}

static void back_up(kit *k, text *out, backup_counts *counts)
{
    backup_wish wish = { .take = into_text, .take_context = out, .now_ms = 1 };
    radisk_view *view;

    assert_int_equal(radisk_view_now(k->store, &view), STATUS_OK);
    assert_int_equal(backup_write(view, &wish, counts), STATUS_OK);
    view_close(view);
}

static void purge(kit *k, slice soul, slice key, bool prefix)
{
    radisk_purge what = { .soul = soul, .key = key, .prefix = prefix };

    kit_purge(k, &what, later);
}

static char *file_in(const kit *k, const char *name)
{
    static char path[128];

    (void)snprintf(path, sizeof path, "%s.%s", k->folder, name);
    return path;
}

static void put_file(const char *path, slice bytes)
{
    int at = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(at >= 0);
    assert_int_equal(write(at, bytes.at, bytes.len), bytes.len);
    assert_int_equal(close(at), 0);
}

static status read_file(const char *path, backup_counts *counts)
{
    static const backup_visitor nobody;
    char why[BACKUP_WHY_MAX];

    return backup_read(path, &nobody, counts, why);
}

static void a_whole_backup_says_what_was_written(void **state)
{
    kit *k = *state;
    text bytes = { 0 };
    backup_counts wrote, found;
    char *path = file_in(k, "backup");

    kit_open(k);
    fill(k);
    purge(k, SLICE("gone"), SLICE(""), false);
    purge(k, SLICE("spam/"), SLICE(""), true);
    purge(k, SLICE("a"), SLICE("small"), false);
    back_up(k, &bytes, &wrote);
    assert_int_equal(wrote.rows, 3);
    assert_int_equal(wrote.held, 1);
    assert_int_equal(wrote.floors, 3);
    assert_int_equal(wrote.bytes, bytes.len);
    put_file(path, text_slice(&bytes));
    assert_int_equal(read_file(path, &found), STATUS_OK);
    assert_int_equal(found.rows, wrote.rows);
    assert_int_equal(found.held, wrote.held);
    assert_int_equal(found.floors, wrote.floors);
    assert_int_equal(wrote.pins, 1);
    assert_int_equal(found.pins, 1);
    assert_int_equal(found.bytes, wrote.bytes);
    assert_memory_equal(&found.hash, &wrote.hash, sizeof found.hash);
    (void)unlink(path);
    text_free(&bytes);
}

static void every_truncation_is_refused(void **state)
{
    kit *k = *state;
    text bytes = { 0 };
    backup_counts counts;
    char *path = file_in(k, "backup");

    kit_open(k);
    fill(k);
    back_up(k, &bytes, &counts);
    put_file(path, text_slice(&bytes));
    for (size_t len = bytes.len; len-- > 0;) {
        assert_int_equal(truncate(path, (off_t)len), 0);
        assert_int_equal(read_file(path, &counts), STATUS_CORRUPT);
    }
    (void)unlink(path);
    text_free(&bytes);
}

static void every_wrong_bit_is_refused(void **state)
{
    kit *k = *state;
    text bytes = { 0 };
    backup_counts counts;
    char *path = file_in(k, "backup");

    kit_open(k);
    (void)kit_put(k, "soul", "key", "\"value\"", 1000);
    purge(k, SLICE("gone"), SLICE(""), false);
    back_up(k, &bytes, &counts);
    put_file(path, text_slice(&bytes));
    int at = open(path, O_WRONLY);
    for (size_t i = 0; i < bytes.len; i++)
        for (int bit = 0; bit < 8; bit++) {
            char wrong = (char)(bytes.at[i] ^ 1 << bit);
            assert_int_equal(pwrite(at, &wrong, 1, (off_t)i), 1);
            assert_int_equal(read_file(path, &counts), STATUS_CORRUPT);
            assert_int_equal(pwrite(at, &bytes.at[i], 1, (off_t)i), 1);
        }
    assert_int_equal(read_file(path, &counts), STATUS_OK);
    assert_int_equal(pwrite(at, "", 1, (off_t)bytes.len), 1);
    assert_int_equal(read_file(path, &counts), STATUS_CORRUPT);
    (void)close(at);
    (void)unlink(path);
    text_free(&bytes);
}

static void records_of_another_backup_are_refused(void **state)
{
    kit *k = *state;
    text first = { 0 }, second = { 0 };
    backup_counts counts;
    char *path = file_in(k, "backup");

    kit_open(k);
    (void)kit_put(k, "soul", "key", "\"value\"", 1000);
    back_up(k, &first, &counts);
    back_up(k, &second, &counts);
    assert_int_equal(first.len, second.len);
    memcpy(first.at + BACKUP_HEADER, second.at + BACKUP_HEADER, second.len - BACKUP_HEADER);
    put_file(path, text_slice(&first));
    assert_int_equal(read_file(path, &counts), STATUS_CORRUPT);
    (void)unlink(path);
    text_free(&first);
    text_free(&second);
}

static status full(void *context, slice bytes)
{
    size_t *left = context;

    if (bytes.len > *left) return STATUS_NO_SPACE;
    *left -= bytes.len;
    return STATUS_OK;
}

static void a_full_disk_ends_a_backup(void **state)
{
    kit *k = *state;
    backup_counts counts;

    kit_open(k);
    fill(k);
    for (size_t room = 0; room < 200; room += 20) {
        size_t left = room;
        backup_wish wish = { .take = full, .take_context = &left };
        radisk_view *view;
        assert_int_equal(radisk_view_now(k->store, &view), STATUS_OK);
        assert_int_equal(backup_write(view, &wish, &counts), STATUS_NO_SPACE);
        view_close(view);
    }
}

static bool add_hash(void *context, const view_row *row)
{
    store_hash_add(context, row);
    return true;
}

static void hash_store(kit *k, store_hash *out)
{
    radisk_view *view;

    *out = (store_hash){ 0 };
    assert_int_equal(radisk_view_now(k->store, &view), STATUS_OK);
    assert_int_equal(view_rows(view, SLICE(""), add_hash, out), STATUS_OK);
    view_close(view);
}

static void the_hash_knows_no_history(void **state)
{
    kit *k = *state;
    store_hash one, two;

    kit_open(k);
    (void)kit_put(k, "a", "k", "1", 1000);
    (void)kit_put(k, "b", "k", "2", 1000);
    hash_store(k, &one);
    (void)kit_put(k, "c", "k", "3", 1000);
    hash_store(k, &two);
    assert_memory_not_equal(&one, &two, sizeof one);
    purge(k, SLICE("c"), SLICE("k"), false);
    (void)kit_put(k, "a", "k", "0", 500);
    hash_store(k, &two);
    assert_memory_equal(&one, &two, sizeof one);
    (void)kit_put(k, "a", "k", "1", 1001);
    hash_store(k, &two);
    assert_memory_not_equal(&one, &two, sizeof one);
}

typedef struct listing {
    text all;
} listing;

static bool list_row(void *context, const view_row *row)
{
    listing *l = context;
    slice soul = row->soul;

    if (soul.len > 4) soul.len = 4;
    text_add(&l->all, soul);
    text_add(&l->all, SLICE("."));
    text_add(&l->all, row->key.len > 5 ? (slice){ row->key.at, 5 } : row->key);
    text_add(&l->all, row->held ? SLICE("* ") : SLICE(" "));
    return true;
}

static void a_view_is_one_moment_in_order_with_what_is_held_behind(void **state)
{
    kit *k = *state;
    listing l = { { 0 } };
    radisk_view *view;

    kit_open(k);
    fill(k);
    assert_int_equal(radisk_view_now(k->store, &view), STATUS_OK);
    (void)kit_put(k, "a", "after", "1", 1000);
    assert_int_equal(radisk_fold(k->store), STATUS_OK);
    assert_int_equal(view_rows(view, SLICE(""), list_row, &l), STATUS_OK);
    text_add_char(&l.all, '\0');
    assert_string_equal(l.all.at, "a.large a.small b.link nnnn.nnnnn c.held* ");
    text_reset(&l.all, 100);
    assert_int_equal(view_rows(view, SLICE("a"), list_row, &l), STATUS_OK);
    text_add_char(&l.all, '\0');
    assert_string_equal(l.all.at, "a.large a.small ");
    view_close(view);
    text_free(&l.all);
}

static void a_restore_makes_the_same_store(void **state)
{
    kit *k = *state;
    text bytes = { 0 };
    backup_counts wrote, made;
    char why[BACKUP_WHY_MAX], path[128], folder[128];
    store_hash before, after;

    (void)snprintf(path, sizeof path, "%s.backup", k->folder);
    (void)snprintf(folder, sizeof folder, "%s/restored", k->folder);
    kit_open(k);
    fill(k);
    purge(k, SLICE("gone"), SLICE(""), false);
    hash_store(k, &before);
    back_up(k, &bytes, &wrote);
    put_file(path, text_slice(&bytes));
    kit_close(k);

    restore_wish wish = { .file = path, .folder = folder, .now_ms = 2e12 };
    assert_int_equal(restore_store(&wish, &made, why), STATUS_OK);
    assert_int_equal(made.rows, wrote.rows);
    assert_int_equal(restore_store(&wish, &made, why), STATUS_WRONG_FORMAT);
    k->options.folder = folder;
    kit_open(k);
    hash_store(k, &after);
    assert_memory_equal(&before, &after, sizeof before);
    back_up(k, &bytes, &wrote);
    assert_int_equal(wrote.pins, 1);
    graph_write old = kit_write("gone", "k", "1", 1e12);
    (void)kit_merge(k, &old, 1, 2e12);
    assert_int_equal(old.verdict, HAM_KEEP);
    kit_close(k);
    (void)unlink(path);
    text_free(&bytes);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, kit_setup_quick, kit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_whole_backup_says_what_was_written),
        TEST(every_truncation_is_refused),
        TEST(every_wrong_bit_is_refused),
        TEST(records_of_another_backup_are_refused),
        TEST(a_full_disk_ends_a_backup),
        TEST(the_hash_knows_no_history),
        TEST(a_view_is_one_moment_in_order_with_what_is_held_behind),
        TEST(a_restore_makes_the_same_store),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
