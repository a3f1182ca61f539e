/* test_radisk_collect.c - whatever happens between two steps of a collection, nothing is
 * broken that was promised: writes, links, renewals, crashes, a disk that fails. And what
 * a store of before, or a restored one, knows of its audio.
 */
#include "radisk/backup.h"
#include "radisk/raw.h"
#include "tests/unit/audio_kit.h"
#include "tests/unit/disk_gate.h"

#include <errno.h>
#include <string.h>

static void pinned(void *context, status how, bool was)
{
    *(int *)context = how == STATUS_OK ? was : -1;
}

static void by_hand(kit *k)
{
    k->options.by_hand = true;
    kit_open(k);
}

/* Begins a pass, and does so many jobs of the folder. */
static void begin_pass(kit *k, audio_ended *e, int jobs)
{
    audio_begin(k, -1, false, e);
    for (int i = 0; i < jobs && !e->told; i++) {
        (void)radisk_step_journal(k->store);
        (void)radisk_step_folder(k->store);
        radisk_turn(k->store);
    }
}

static void end_pass(kit *k, audio_ended *e)
{
    while (!e->told) {
        assert_true(radisk_wait(k->store));
        radisk_turn(k->store);
    }
}

typedef enum event { NOTHING, RENEWED, WRITTEN, LINKED, PINNED, OWNER_PINNED, EVENTS } event;

/* Between any two steps of a collection: whoever was told that a chunk is here finds it
 * here, and a link or pin that was taken while it was here keeps it. */
static void what_happens_between_two_steps_is_not_broken(void **state)
{
    kit *k = *state;
    slice key = kit_text(PUB);
    int was;

    by_hand(k);
    k->options.limits.fold_rows = 4;
    assert_int_equal(radisk_allow_pins(k->store, &key, 1), STATUS_OK);
    for (int jobs = 0; jobs < 8; jobs++) {
        for (event what = NOTHING; what < EVENTS; what++) {
            audio_ended e;
            root_key root;
            audio_put_track(k, R1, 3);
            kit_rest(k);
            audio_wall += 2 * DAY;
            begin_pass(k, &e, jobs);
            bool here = audio_has_chunk(k, R1, 0) && audio_has_chunk(k, R1, 2);
            assert_int_equal(audio_has_chunk(k, R1, 0), audio_has_chunk(k, R1, 2));
            if (what == RENEWED) audio_renew(k, R1);
            if (what == WRITTEN) audio_put_track(k, R1, 3);
            if (what == LINKED) audio_put(k, "x", "a", LINK(R1));
            if (what == OWNER_PINNED) audio_put(k, "~" PUB "/pins", R1, SIGNED("true"));
            assert_true(root_read(kit_text(R1), &root));
            if (what == PINNED)
                assert_int_equal(
                    radisk_pin_begin(k->store, (const uint8_t *)root.at, true, pinned, &was),
                    STATUS_OK);
            end_pass(k, &e);
            assert_int_equal(e.how, STATUS_OK);
            kit_rest(k);
            bool stays = what == WRITTEN || (here && what != NOTHING);
            for (int i = 0; i < 3; i++) assert_int_equal(audio_has_chunk(k, R1, i), stays);
            audio_put(k, "x", "a", "null");
            audio_put(k, "~" PUB "/pins", R1, SIGNED("null"));
            kit_rest(k);
            (void)audio_pin(k, R1, false);
            kit_rest(k);
            audio_wall += 2 * DAY;
            begin_pass(k, &e, 0);
            end_pass(k, &e);
            kit_rest(k);
            assert_false(audio_has_chunk(k, R1, 0));
            assert_int_equal(radisk_hashed_bytes(k->store), 0);
        }
    }
    (void)audio_check(k);
}

/* A crash at any step, and whatever was there before: the rest is whole, and what is
 * counted is what is there. */
static void a_crash_at_any_step_leaves_a_whole_store(void **state)
{
    kit *k = *state;

    k->options.limits.fold_rows = 4;
    by_hand(k);
    for (int jobs = 0; jobs < 24; jobs++) {
        audio_ended e;
        audio_put_track(k, R1, 40);
        audio_put_track(k, R2, 2);
        audio_put(k, "x", "a", LINK(R2));
        kit_rest(k);
        audio_wall += 2 * DAY;
        begin_pass(k, &e, jobs);
        if (!e.told) audio_put_chunk(k, R2, 1);
        radisk_crash(k->store);
        e.told = true;
        k->store = NULL;
        (void)audio_check(k);
        kit_open(k);
        kit_rest(k);
        assert_true(audio_has_chunk(k, R2, 0) && audio_has_chunk(k, R2, 1));
        (void)audio_check(k);
        kit_open(k);
        begin_pass(k, &e, 0);
        end_pass(k, &e);
        assert_false(audio_has_chunk(k, R1, 0) || audio_has_chunk(k, R1, 39));
    }
    (void)audio_check(k);
}

/* A chunk of an old track is sent again while that is removed: it is acknowledged, and
 * it is there, also when the power goes. */
static void an_upload_that_meets_a_removal_is_kept(void **state)
{
    kit *k = *state;

    k->options.limits.fold_rows = 4;
    by_hand(k);
    for (int jobs = 0; jobs < 12; jobs++) {
        audio_ended e;
        audio_put_track(k, R1, 30);
        kit_rest(k);
        audio_wall += 2 * DAY;
        begin_pass(k, &e, jobs);
        audio_put_chunk(k, R1, 29);
        radisk_turn(k->store);
        while (radisk_step_journal(k->store)) radisk_turn(k->store);
        if (jobs % 2 == 0) {
            radisk_crash(k->store);
            e.told = true;
            kit_open(k);
            kit_rest(k);
        } else {
            end_pass(k, &e);
            kit_rest(k);
        }
        assert_true(audio_has_chunk(k, R1, 29));
        char soul[100], key[64];
        slice raw;
        (void)snprintf(soul, sizeof soul, "audio/%s#0", R1);
        audio_key(key, 29);
        assert_int_equal(radisk_raw(k->store, kit_text(soul), kit_text(key), &raw), STATUS_OK);
        radisk_turn(k->store);
    }
    (void)audio_check(k);
}

static void a_pass_that_the_disk_fails_breaks_nothing(void **state)
{
    static const struct {
        disk_part part;
        int error;
    } faults[] = {
        { DISK_DATA, EIO }, { DISK_SYNC, EIO }, { DISK_META, EIO }, { DISK_DATA, ENOSPC }
    };
    kit *k = *state;

    kit_open(k);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        audio_put_track(k, R1, 3);
        audio_put(k, "x", "a", LINK(R2));
        kit_rest(k);
        audio_wall += 2 * DAY;
        disk_gate_fail(faults[i].part, faults[i].error, 1);
        audio_ended e = audio_pass(k, -1, false);
        disk_gate_fail(DISK_DATA, 0, 0);
        assert_true(e.how != STATUS_OK || e.gone.roots == 1);
        assert_true(radisk_ready(k->store));
        audio_work(k, audio_wall);
        e = audio_pass(k, -1, false);
        assert_int_equal(e.how, STATUS_OK);
        assert_false(audio_has_chunk(k, R1, 0));
        audio_steady += 61000; /* two failures within a minute would latch */
    }
    (void)audio_check(k);
}

/* ---- stores of before ---- */

/* Takes from the database what a store of before had not; or only makes it look as if a
 * brasa of before had folded something. */
static void make_old(kit *k, bool tables)
{
    static const char *const names[] = { "roots", "names", "pins", "uploaders" };
    MDB_val key = { sizeof "roots through" - 1, "roots through" };
    MDB_txn *txn;
    MDB_env *env = kit_open_env(k, &txn);
    MDB_dbi table;

    assert_int_equal(mdb_dbi_open(txn, "meta", 0, &table), 0);
    if (tables) {
        assert_int_equal(mdb_del(txn, table, &key, NULL), 0);
        for (size_t i = 0; i < 4; i++) {
            assert_int_equal(mdb_dbi_open(txn, names[i], 0, &table), 0);
            assert_int_equal(mdb_drop(txn, table, 1), 0);
        }
    } else {
        MDB_val before = { 8, "\0\0\0\0\0\0\0\1" };
        assert_int_equal(mdb_put(txn, table, &key, &before, 0), 0);
        assert_int_equal(mdb_dbi_open(txn, "names", 0, &table), 0);
        assert_int_equal(mdb_drop(txn, table, 0), 0);
    }
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

static void a_store_of_before_is_counted_at_its_first_start(void **state)
{
    kit *k = *state;

    for (int i = 0; i < 2; i++) {
        kit_open(k);
        audio_put_track(k, R1, 100);
        audio_put_track(k, R2, 2);
        audio_charge(k, R2, "192.0.2.9");
        audio_put(k, "~" PUB "/tracks/b", "audio", SIGNED_LINK(R1));
        kit_rest(k);
        audio_work(k, audio_wall);
        kit_close(k);
        make_old(k, i == 0);
        (void)audio_check(k);
        audio_wall += i == 0 ? 2 * DAY : 0;
        kit_open(k);
        assert_int_equal(audio_collect(k), 0); /* nothing is known of its graces */
        assert_true(audio_charged(k, "~" PUB) > 100 * CHUNK_BYTES);
        assert_int_equal(audio_charged(k, "192.0.2.9") > 0, i == 1);
        audio_wall += 2 * DAY;
        assert_int_equal(audio_collect(k), 1);
        assert_true(audio_has_chunk(k, R1, 99));
        assert_false(audio_has_chunk(k, R2, 0));
        assert_int_equal(audio_check(k).roots, 1);
    }
}

static void back_up(kit *k, const char *path)
{
    char why[BACKUP_WHY_MAX];
    backup_file file;
    backup_counts counts;
    backup_wish wish = { .take = backup_file_take, .take_context = &file, .now_ms = audio_wall };
    radisk_view *view;

    assert_int_equal(backup_file_open(&file, path, why), STATUS_OK);
    assert_int_equal(radisk_view_now(k->store, &view), STATUS_OK);
    assert_int_equal(backup_write(view, &wish, &counts), STATUS_OK);
    view_close(view);
    assert_int_equal(backup_file_finish(&file, why), STATUS_OK);
}

/* Graces begin with the restore; pins and links are in the backup. */
static void a_restored_store_keeps_what_the_other_kept(void **state)
{
    kit *k = *state;
    char path[100], folder[100], why[BACKUP_WHY_MAX];
    backup_counts counts;

    (void)snprintf(path, sizeof path, "%s/backup", k->folder);
    (void)snprintf(folder, sizeof folder, "%s/restored", k->folder);
    kit_open(k);
    audio_put_track(k, R1, 2);
    audio_put_track(k, R2, 2);
    audio_put_track(k, R3, 2);
    audio_put(k, "~" PUB "/tracks/b", "audio", SIGNED_LINK(R1));
    assert_false(audio_pin(k, R2, true));
    kit_rest(k);
    back_up(k, path);
    kit_close(k);
    audio_wall = T + 30 * DAY;
    restore_wish wish = { .file = path, .folder = folder, .now_ms = audio_wall };
    assert_int_equal(restore_store(&wish, &counts, why), STATUS_OK);
    assert_int_equal(counts.pins, 1);
    k->options.folder = folder;
    kit_open(k);
    assert_true(audio_charged(k, "~" PUB) > 2 * CHUNK_BYTES);
    audio_wall += DAY;
    assert_int_equal(audio_collect(k), 0);
    audio_wall += DAY;
    assert_int_equal(audio_collect(k), 1);
    assert_true(audio_has_chunk(k, R1, 1) && audio_has_chunk(k, R2, 1));
    assert_false(audio_has_chunk(k, R3, 1));
}
/* There is room for notes of 4,096 roots in one go. */
static void renewals_beyond_what_can_be_noted_keep_their_roots_and_few_others(void **state)
{
    uint8_t stranger[ROOT_BYTES] = { 1 };
    kit *k = *state;

    kit_open(k);
    audio_put_track(k, R1, 2);
    audio_put_track(k, R2, 2);
    audio_put_track(k, R3, 2);
    kit_rest(k);
    audio_wall = T + 20 * HOUR;
    for (int i = 0; i < 5000; i++) {
        memcpy(stranger + 1, &i, sizeof i);
        radisk_renew(k->store, stranger);
    }
    audio_renew(k, R2);
    audio_work(k, T + 30 * HOUR);
    assert_int_equal(audio_collect(k), 2);
    assert_true(audio_has_chunk(k, R2, 0));
    audio_work(k, T + 50 * HOUR);
    assert_int_equal(audio_collect(k), 1);
    (void)audio_check(k);
}

static void many_notes_that_find_no_room_are_tried_again_each_second(void **state)
{
    uint8_t stranger[ROOT_BYTES] = { 1 };
    kit *k = *state;
    int tries = 0;

    by_hand(k);
    audio_put_track(k, R1, 2);
    kit_rest(k);
    audio_wall = T + 3 * DAY;
    audio_renew(k, R1);
    for (int i = 0; i < 3000; i++) {
        memcpy(stranger + 1, &i, sizeof i);
        radisk_renew(k->store, stranger);
    }
    disk_gate_fail(DISK_DATA, ENOSPC, -1);
    for (int turns = 0; turns < 20; turns++) {
        radisk_turn(k->store);
        tries += radisk_step_folder(k->store);
    }
    assert_int_equal(tries, 1);
    audio_steady += 1000;
    radisk_turn(k->store);
    assert_true(radisk_step_folder(k->store));
    disk_gate_fail(DISK_DATA, 0, 0);
    audio_work(k, audio_wall);
    assert_int_equal(audio_collect(k), 0);
    (void)audio_check(k);
}

/* Else who notes enough at once answers for nothing that comes in the next hour. */
static void a_charge_that_could_not_be_noted_is_noted_with_the_next_chunk(void **state)
{
    char soul[100];
    kit *k = *state;

    kit_open(k);
    audio_put_track(k, R1, 2); /* notes wait until it is folded */
    for (int i = 0; i < 5000; i++) {
        (void)snprintf(soul, sizeof soul, "audio/%064d#m", i);
        radisk_charge(k->store, kit_text(soul), kit_text("192.0.2.1"));
    }
    audio_charge(k, R1, "192.0.2.1");
    kit_rest(k);
    audio_work(k, audio_wall);
    assert_int_equal(audio_charged(k, "192.0.2.1"), 0);
    audio_put_chunk(k, R1, 2);
    audio_charge(k, R1, "192.0.2.1");
    kit_rest(k);
    audio_work(k, audio_wall);
    assert_true(audio_charged(k, "192.0.2.1") > 3 * CHUNK_BYTES);
    (void)audio_check(k);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, audio_setup, kit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(what_happens_between_two_steps_is_not_broken),
        TEST(a_crash_at_any_step_leaves_a_whole_store),
        TEST(an_upload_that_meets_a_removal_is_kept),
        TEST(a_pass_that_the_disk_fails_breaks_nothing),
        TEST(a_store_of_before_is_counted_at_its_first_start),
        TEST(a_restored_store_keeps_what_the_other_kept),
        TEST(renewals_beyond_what_can_be_noted_keep_their_roots_and_few_others),
        TEST(many_notes_that_find_no_room_are_tried_again_each_second),
        TEST(a_charge_that_could_not_be_noted_is_noted_with_the_next_chunk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
