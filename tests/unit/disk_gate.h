/* disk_gate.h - the disk of a test: it can be held, and it can fail.
 *
 * Linked into a test, these functions stand in front of the C library's pwrite,
 * writev and fdatasync, also for LMDB. They do nothing until asked to,
 * so that "while a commit is under way" is a state that a test can be in for as
 * long as it likes, not a moment that it has to catch.
 */
#ifndef TESTS_UNIT_DISK_GATE_H
#define TESTS_UNIT_DISK_GATE_H

#include <stdbool.h>

/* From now on every sync waits at the gate until it is opened; or only those of the
 * database, so that a fold is under way and the journal goes on. */
void disk_gate_close(void);
void disk_gate_close_database(void);
void disk_gate_open(void);

/* Whether somebody waits at the closed gate; and waits until somebody does. */
bool disk_gate_waited_at(void);
void disk_gate_await(void);

/* What can fail. Of the journal and of blobs: a write; a sync. Of LMDB: a write of
 * data pages; the sync after them; the write of the meta page, which makes the
 * commit. */
typedef enum disk_part { LOG_WRITE, LOG_SYNC, DISK_DATA, DISK_SYNC, DISK_META } disk_part;

/* From now on `part` fails with `error`, `times` times (-1: for ever; 0: never). */
void disk_gate_fail(disk_part part, int error, int times);

/* How many calls have failed since then. */
int disk_gate_failed(void);

/* How many syncs and meta writes there were, ever. */
unsigned long disk_gate_syncs(void);

#endif
