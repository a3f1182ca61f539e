/* fuzz_backup.c - any bytes as the records of a backup, signed as if they were right.
 *
 * Checks keep damage out; here they are made for whatever comes, so that what
 * reads the rows behind them is met. What is visited lies within its bounds.
 *
 *     input: pieces of kind 1 | length 2 | that many bytes, each a record
 */
#include "radisk/backup.h"
#include "radisk/backup_inside.h"
#include "tests/fuzz/fuzz.h"

#include <math.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

static void check_name(slice name)
{
    volatile char last = name.len > 0 ? name.at[name.len - 1] : 0;

    (void)last;
}

static status row(void *context, const view_row *r)
{
    (void)context;
    must(r->soul.len > 0 && r->key.len > 0 && isfinite(r->state));
    check_name(r->soul);
    check_name(r->key);
    check_name(r->value);
    return STATUS_OK;
}

static status floor_of(void *context, const view_floor *f)
{
    (void)context;
    must(f->soul.len > 0 && !(f->prefix && f->key.len > 0));
    check_name(f->soul);
    check_name(f->key);
    return STATUS_OK;
}

static const uint8_t file_id[BACKUP_FILE_ID] = "an id of a file";

static void write_header(text *out)
{
    char at[BACKUP_HEADER] = BACKUP_MAGIC;

    memcpy(at + BACKUP_FILE_ID_AT, file_id, sizeof file_id);
    backup_put(at + BACKUP_CHECKED, backup_check(file_id, (slice){ at, BACKUP_CHECKED }), 8);
    text_add(out, (slice){ at, sizeof at });
}

static void write_record(text *out, uint64_t sequence, uint64_t kind, slice body)
{
    char head[BACKUP_RECORD_HEAD] = BACKUP_MARK;
    static const char zeros[8];

    backup_put(head + 4, kind, 4);
    backup_put(head + 8, body.len, 8);
    backup_put(head + 16, sequence, 8);
    backup_put(head + 24, backup_check(file_id, body), 8);
    backup_put(head + 32, backup_check(file_id, (slice){ head, 32 }), 8);
    text_add(out, (slice){ head, sizeof head });
    text_add(out, body);
    text_add(out, (slice){ zeros, backup_padding(body.len) });
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const backup_visitor visitor = { .row = row, .floor = floor_of };
    char path[64], why[BACKUP_WHY_MAX];
    backup_counts counts;
    text file = { 0 };
    uint64_t sequence = 0;

    write_header(&file);
    for (size_t at = 0; at + 3 <= size;) {
        size_t len = (size_t)data[at + 1] | (size_t)data[at + 2] << 8, left = size - at - 3;
        if (len > left) len = left;
        write_record(&file, ++sequence, data[at], (slice){ (const char *)data + at + 3, len });
        at += 3 + len;
    }
    int handle = memfd_create("backup", MFD_CLOEXEC);
    must(handle >= 0 && text_ok(&file));
    must(write(handle, file.at, file.len) == (ssize_t)file.len);
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", handle);
    status s = backup_read(path, &visitor, &counts, why);
    must(s == STATUS_OK || (s == STATUS_CORRUPT && why[0] != '\0'));
    (void)close(handle);
    text_free(&file);
    return 0;
}
