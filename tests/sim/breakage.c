/* breakage.c - see breakage.h. */
#include "tests/sim/breakage.h"

#include "tests/sim/platter.h"
#include "tests/sim/world.h"

#include <errno.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { PATH_MOST = 128 };

struct breakage {
    world *world;
    dice *dice;
    platter *platter;
    bool dies, tore, commit_failed;
    int commit_fails; /* an errno for the next commit; 0: none */
    uint32_t commits_left;
};

/* LMDB's commits are nobody's but the process's. */
static breakage *present;
static char folder[PATH_MOST];

/* --- LMDB's commits --- */

int __real_mdb_txn_commit(MDB_txn *txn);
int __wrap_mdb_txn_commit(MDB_txn *txn);

static int commit_fails(breakage *b)
{
    int error = b->commit_fails;

    b->commit_fails = 0;
    if (error != 0) b->commit_failed = true;
    if (b->dies && b->commits_left == 0) return EIO;
    if (b->dies) b->commits_left--;
    return error;
}

int __wrap_mdb_txn_commit(MDB_txn *txn)
{
    int error = present == NULL ? 0 : commit_fails(present);

    if (error == 0) return __real_mdb_txn_commit(txn);
    mdb_txn_abort(txn);
    return error;
}

/* --- the folder --- */

static void remove_in(const char *name)
{
    char path[PATH_MOST + 32];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    (void)unlink(path);
}

static void empty_folder(void)
{
    remove_in("data.mdb");
    remove_in("lock.mdb");
    remove_in("lock");
}

static void remove_folder(void)
{
    empty_folder();
    (void)rmdir(folder);
}

/* In memory if it can be: LMDB syncs each commit, and who pays for that learns
 * nothing here. */
static bool make_folder_in(const char *where)
{
    if (where == NULL) return false;
    snprintf(folder, sizeof folder, "%s/brasa-sim-XXXXXX", where);
    return mkdtemp(folder) != NULL;
}

static void prepare_folder(void)
{
    if (folder[0] != '\0') {
        empty_folder();
        return;
    }
    if (!make_folder_in("/dev/shm") && !make_folder_in(getenv("TMPDIR")) &&
        !make_folder_in("/tmp")) {
        perror("sim: no folder for LMDB");
        exit(2);
    }
    (void)atexit(remove_folder);
}

/* --- life --- */

breakage *breakage_new(world *w, dice *d)
{
    breakage *b = must(calloc(1, sizeof *b));

    prepare_folder();
    b->world = w;
    b->dice = d;
    b->platter = platter_new(d);
    present = b;
    return b;
}

void breakage_free(breakage *b)
{
    if (b == NULL) return;
    present = NULL;
    platter_free(b->platter);
    free(b);
}

const files *breakage_files(breakage *b)
{
    return platter_files(b->platter);
}

const char *breakage_folder(const breakage *b)
{
    (void)b;
    return folder;
}

/* --- what is wrong --- */

static void fill(breakage *b)
{
    platter_full(b->platter, true);
    world_log(b->world, "the disk is full", -1, SLICE(""));
    world_plan(b->world, dice_between(b->dice, 200000, 4000000),
               (event){ .kind = EVENT_DISK_ROOM });
}

void breakage_make_room(breakage *b)
{
    platter_full(b->platter, false);
}

bool breakage_break(breakage *b)
{
    switch (dice_below(b->dice, 8)) {
    case 0:
    case 1:
        platter_fail_sync(b->platter);
        world_log(b->world, "a sync will fail", -1, SLICE(""));
        return true;
    case 2:
        platter_fail_write(b->platter);
        world_log(b->world, "a write will fail", -1, SLICE(""));
        return true;
    case 3:
        b->commit_fails = dice_percent(b->dice, 50) ? EIO : ENOSPC;
        world_log(b->world, "a commit will fail", -1, SLICE(""));
        return true;
    case 4:
    case 5:
        fill(b);
        return true;
    default:
        return false;
    }
}

void breakage_mend(breakage *b)
{
    platter_mend(b->platter);
    b->commit_fails = 0;
    b->dies = false;
}

void breakage_die_after(breakage *b, uint32_t calls, uint32_t commits)
{
    b->dies = true;
    b->commits_left = commits;
    platter_die_after(b->platter, calls);
}

void breakage_crash(breakage *b, bool power)
{
    b->tore |= platter_crash(b->platter, power);
    b->dies = false;
    b->commit_fails = 0;
    (void)breakage_excuses(b);
}

bool breakage_excuses(breakage *b)
{
    bool excuse = platter_failed(b->platter) || b->commit_failed;

    b->commit_failed = false;
    return excuse;
}

bool breakage_tore(const breakage *b)
{
    return b->tore;
}
