/* restore_read.c - reading a backup, and believing it only when it is whole. */
#include "radisk/backup.h"
#include "radisk/backup_inside.h"
#include "radisk/layout.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct reading {
    FILE *from;
    const backup_visitor *visitor;
    backup_counts seen, *end; /* counted; what the end record says */
    bool ended;
    uint8_t id[BACKUP_FILE_ID];
    uint64_t sequence;
    text body;
    char *why;
    const char *path;
} reading;

static status refuse(reading *r, const char *what)
{
    (void)snprintf(r->why, BACKUP_WHY_MAX, "%s is not a whole backup: %s", r->path, what);
    return STATUS_CORRUPT;
}

/* Reads exactly so many bytes; `cut` is what is wrong when the file ends before. */
static status take(reading *r, char *to, size_t len, const char *cut)
{
    if (fread(to, 1, len, r->from) == len) {
        r->seen.bytes += len;
        return STATUS_OK;
    }
    if (!ferror(r->from)) return refuse(r, cut);
    (void)snprintf(r->why, BACKUP_WHY_MAX, "%s: %s", r->path, strerror(errno));
    return STATUS_IO;
}

static status read_header(reading *r)
{
    char at[BACKUP_HEADER];
    status s = take(r, at, sizeof at, "it is too short");

    if (s != STATUS_OK) return s;
    if (memcmp(at, BACKUP_MAGIC, 8) != 0) return refuse(r, "it does not begin as one");
    memcpy(r->id, at + BACKUP_FILE_ID_AT, sizeof r->id);
    if (backup_check(r->id, (slice){ at, BACKUP_CHECKED }) != backup_get(at + BACKUP_CHECKED, 8) ||
        backup_get(at + BACKUP_CHECKED + 8, 8) != 0)
        return refuse(r, "its header is damaged");
    return STATUS_OK;
}

static bool known_row(slice soul, slice key, double state)
{
    return soul.len > 0 && key.len > 0 && state - state == 0; /* finite */
}

static status give_row(reading *r, slice *at)
{
    const char *head = at->at;

    if (at->len < BACKUP_ROW_HEAD) return refuse(r, "a row is cut short");
    uint64_t soul = backup_get(head + 4, 4), key = backup_get(head + 8, 4),
             value = backup_get(head + 12, 4);
    if (at->len - BACKUP_ROW_HEAD < soul + key + value) return refuse(r, "a row is cut short");
    const char *name = head + BACKUP_ROW_HEAD;
    view_row row = { .soul = { name, soul },
                     .key = { name + soul, key },
                     .value = { name + soul + key, value },
                     .state = layout_number_state(backup_get(head + 16, 8)),
                     .held = head[0] == BACKUP_HELD };
    *at = (slice){ name + soul + key + value,
                   at->len - BACKUP_ROW_HEAD - (size_t)(soul + key + value) };
    if ((head[0] != BACKUP_TAKEN && head[0] != BACKUP_HELD) ||
        !known_row(row.soul, row.key, row.state))
        return refuse(r, "it holds what is no row");
    store_hash_add(&r->seen.hash, &row);
    *(row.held ? &r->seen.held : &r->seen.rows) += 1;
    return r->visitor->row == NULL ? STATUS_OK : r->visitor->row(r->visitor->context, &row);
}

static status give_floor(reading *r, slice *at)
{
    const char *head = at->at;

    if (at->len < BACKUP_FLOOR_HEAD) return refuse(r, "a floor is cut short");
    uint64_t soul = backup_get(head + 4, 4), key = backup_get(head + 8, 4);
    if (at->len - BACKUP_FLOOR_HEAD < soul + key) return refuse(r, "a floor is cut short");
    const char *name = head + BACKUP_FLOOR_HEAD;
    view_floor floor = { .soul = { name, soul },
                         .key = { name + soul, key },
                         .prefix = head[0] == BACKUP_FLOOR_PREFIX,
                         .floor = layout_number_state(backup_get(head + 16, 8)),
                         .made_ms = layout_number_state(backup_get(head + 24, 8)) };
    *at = (slice){ name + soul + key, at->len - BACKUP_FLOOR_HEAD - (size_t)(soul + key) };
    bool of_row = head[0] == BACKUP_FLOOR_ROW;
    if (head[0] < BACKUP_FLOOR_ROW || head[0] > BACKUP_FLOOR_PREFIX || of_row != (key > 0) ||
        soul == 0)
        return refuse(r, "it holds what is no floor");
    r->seen.floors++;
    return r->visitor->floor == NULL ? STATUS_OK : r->visitor->floor(r->visitor->context, &floor);
}

static status give_pin(reading *r, slice *at)
{
    root_key root = { .len = ROOT_BYTES };

    if (at->len < BACKUP_PIN_BYTES) return refuse(r, "a pin is cut short");
    memcpy(root.at, at->at, ROOT_BYTES);
    double when_ms = layout_number_state(backup_get(at->at + ROOT_BYTES, 8));
    *at = (slice){ at->at + BACKUP_PIN_BYTES, at->len - BACKUP_PIN_BYTES };
    r->seen.pins++;
    return r->visitor->pin == NULL ? STATUS_OK
                                   : r->visitor->pin(r->visitor->context, &root, when_ms);
}

static status read_end(reading *r, slice body)
{
    const char *at = body.at;

    if (body.len != BACKUP_END_BYTES) return refuse(r, "its end is damaged");
    r->ended = true;
    r->seen.damaged = backup_get(at + 24, 8);
    if (backup_get(at, 8) != r->seen.rows || backup_get(at + 8, 8) != r->seen.held ||
        backup_get(at + 16, 8) != r->seen.floors || backup_get(at + 32, 8) != r->seen.hash.low ||
        backup_get(at + 40, 8) != r->seen.hash.high)
        return refuse(r, "what it holds is not what its end says");
    return STATUS_OK;
}

static status give_body(reading *r, uint64_t kind, slice body)
{
    status s = STATUS_OK;

    switch (kind) {
    case BACKUP_ROWS:
        while (body.len > 0 && s == STATUS_OK) s = give_row(r, &body);
        return s;
    case BACKUP_FLOORS:
        while (body.len > 0 && s == STATUS_OK) s = give_floor(r, &body);
        return s;
    case BACKUP_PINS:
        while (body.len > 0 && s == STATUS_OK) s = give_pin(r, &body);
        return s;
    case BACKUP_END:
        return read_end(r, body);
    default:
        return refuse(r, "it holds a record of a kind that this brasa does not know");
    }
}

static status read_record(reading *r)
{
    char head[BACKUP_RECORD_HEAD];
    status s = take(r, head, sizeof head, "it is cut off");

    if (s != STATUS_OK) return s;
    if (memcmp(head, BACKUP_MARK, 4) != 0 ||
        backup_check(r->id, (slice){ head, 32 }) != backup_get(head + 32, 8))
        return refuse(r, "a record is damaged");
    if (backup_get(head + 16, 8) != ++r->sequence) return refuse(r, "a record is missing");
    uint64_t len = backup_get(head + 8, 8);
    if (len > SIZE_MAX / 2) return refuse(r, "a record is damaged");
    size_t whole = (size_t)len + backup_padding((size_t)len);

    text_reset(&r->body, (size_t)4 << 20);
    char *to = text_room(&r->body, whole);
    if (to == NULL) {
        (void)snprintf(r->why, BACKUP_WHY_MAX, "out of memory");
        return STATUS_NO_MEMORY;
    }
    s = take(r, to, whole, "it is cut off");
    if (s != STATUS_OK) return s;
    slice body = { to, (size_t)len };
    if (backup_check(r->id, body) != backup_get(head + 24, 8))
        return refuse(r, "a record is damaged");
    for (size_t i = (size_t)len; i < whole; i++)
        if (to[i] != 0) return refuse(r, "a record is damaged");
    return give_body(r, backup_get(head + 4, 4), body);
}

status backup_read(const char *path, const backup_visitor *visitor, backup_counts *out,
                   char why[BACKUP_WHY_MAX])
{
    reading r = { .visitor = visitor, .why = why, .path = path, .from = fopen(path, "rbe") };

    why[0] = '\0';
    if (r.from == NULL) {
        (void)snprintf(why, BACKUP_WHY_MAX, "%s: %s", path, strerror(errno));
        return file_status(errno);
    }
    status s = read_header(&r);
    while (s == STATUS_OK && !r.ended) s = read_record(&r);
    if (s == STATUS_OK && getc(r.from) != EOF) s = refuse(&r, "something follows its end");
    (void)fclose(r.from);
    text_free(&r.body);
    *out = r.seen;
    return s;
}
