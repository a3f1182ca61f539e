/* journal_read.c - see journal.h: a segment read back, whatever happened to it.
 *
 * A segment is read into memory whole: it is bounded, and a group of records must
 * be seen to its end before its first row counts. What does not check is stepped
 * over in eights until something does; that is damage if a good record follows,
 * and the tail if none does. The head check is looked at before a length is
 * believed, so bytes that look like a record cost no more than others.
 */
#include "radisk/journal_inside.h"

#include <stdlib.h>

typedef struct reading {
    const char *at;
    size_t len;
    uint8_t key[16];
    uint64_t sequence; /* of the last good record */
    journal_visit *visit;
    void *visitor;
    journal_report *report;
} reading;

typedef struct record {
    size_t at, next;
    uint32_t flags;
    uint64_t sequence;
    slice body;
} record;

static bool read_record(const reading *r, size_t at, record *out)
{
    const char *head = r->at + at;

    if (r->len - at < JOURNAL_RECORD_HEAD || memcmp(head, "rec1", 4) != 0) return false;
    if (journal_get32(head + 12) != journal_head_check(r->key, head)) return false;
    size_t body = journal_get32(head + 8), whole = JOURNAL_RECORD_HEAD + (body + 7) / 8 * 8;
    if (whole > r->len - at) return false;
    *out = (record){ .at = at,
                     .next = at + whole,
                     .flags = journal_get32(head + 4),
                     .sequence = journal_get64(head + 16),
                     .body = { head + JOURNAL_RECORD_HEAD, body } };
    return journal_get64(head + 24) ==
           journal_check(r->key, journal_head_hash(r->key, head), out->body);
}

static bool find_record(const reading *r, size_t from, record *out)
{
    for (size_t at = from; at + JOURNAL_RECORD_HEAD <= r->len; at += 8)
        if (read_record(r, at, out)) return true;
    return false;
}

/* ---- rows ---- */

static bool read_blob(slice value, journal_row *out)
{
    if (value.len != JOURNAL_BLOB) return false;
    memcpy(out->blob.hash, value.at, BLOB_HASH);
    out->blob.text_bytes = journal_get32(value.at + 32);
    out->blob.encoding = journal_get32(value.at + 36);
    out->place = (blob_place){ .segment = journal_get64(value.at + 40),
                               .offset = journal_get64(value.at + 48),
                               .stored_bytes = journal_get32(value.at + 56) };
    out->value = (slice){ NULL, 0 };
    return true;
}

/* Takes a row off the front of a body; `out->soul` is the last row's before. */
static bool read_row(slice *body, journal_row *out)
{
    const char *at = body->at;
    uint64_t state;

    if (body->len < JOURNAL_ROW_HEAD) return false;
    size_t soul = journal_get32(at + 4), key = journal_get32(at + 8),
           value = journal_get32(at + 12);
    size_t left = body->len - JOURNAL_ROW_HEAD;
    if (soul > left || key > left - soul || value > left - soul - key) return false;
    if (at[0] < JOURNAL_TAKEN || at[0] > JOURNAL_LOST) return false;
    out->kind = (journal_kind)at[0];
    out->is_blob = (at[1] & JOURNAL_IS_BLOB) != 0;
    state = journal_get64(at + 16);
    memcpy(&out->state, &state, sizeof state);
    at += JOURNAL_ROW_HEAD;
    if ((body->at[1] & JOURNAL_SAME_SOUL) == 0) out->soul = (slice){ at, soul };
    out->key = (slice){ at + soul, key };
    out->value = (slice){ at + soul + key, value };
    *body = (slice){ at + soul + key + value, left - soul - key - value };
    if (out->soul.len == 0 || key == 0) return false;
    return !out->is_blob || read_blob(out->value, out);
}

static bool are_rows(slice body)
{
    journal_row row = { .kind = JOURNAL_TAKEN };

    while (body.len > 0)
        if (!read_row(&body, &row)) return false;
    return true;
}

/* A record that is checked, and yet holds what we do not know, is of another version:
 * none of its rows is taken, for a put is whole. */
static status give_rows(reading *r, const record *rec, bool last_of_group)
{
    slice body = rec->body;
    journal_row row = { .kind = JOURNAL_TAKEN };
    status s = STATUS_OK;

    if (!are_rows(body)) {
        r->report->damaged++;
        return STATUS_OK;
    }
    while (s == STATUS_OK && body.len > 0) {
        (void)read_row(&body, &row);
        r->report->rows++;
        s = r->visit(r->visitor, &row, rec->at, last_of_group && body.len == 0);
    }
    return s;
}

/* ---- groups ---- */

static bool follows(const record *before, const record *rec)
{
    return rec->sequence == before->sequence + 1;
}

/* The last record of the group that begins with `first`; false when it is not all
 * there. */
static bool find_end(const reading *r, const record *first, record *last)
{
    record next;

    *last = *first;
    while ((last->flags & JOURNAL_MORE) != 0) {
        if (!read_record(r, last->next, &next) || !follows(last, &next)) return false;
        *last = next;
    }
    return true;
}

static status give_group(reading *r, const record *first, const record *last)
{
    record rec = *first;
    status s;

    for (;;) {
        bool is_last = rec.at == last->at;
        r->report->records++;
        r->report->end = rec.next;
        r->sequence = rec.sequence;
        s = give_rows(r, &rec, is_last);
        if (s != STATUS_OK || is_last || !read_record(r, rec.next, &rec)) return s;
    }
}

static status read_all(reading *r, size_t from)
{
    size_t at = from;
    record first, last;
    status s = STATUS_OK;

    while (s == STATUS_OK && find_record(r, at, &first)) {
        bool jumped = first.at != at || (r->sequence != 0 && first.sequence != r->sequence + 1);
        bool whole = find_end(r, &first, &last) && (first.flags & JOURNAL_REST) == 0;
        if (!whole) { /* what follows the torn group, if anything, is damage behind it */
            r->report->torn = 1;
            at = last.next;
            r->sequence = last.sequence;
            continue;
        }
        if (jumped || r->report->torn) r->report->damaged++;
        r->report->torn = 0;
        s = give_group(r, &first, &last);
        at = r->report->end;
    }
    return s;
}

/* Something was begun behind the last good record, and is not whole. */
static void look_at_tail(reading *r)
{
    size_t at = (size_t)r->report->end;

    if (r->len - at >= 4 && memcmp(r->at + at, "rec1", 4) == 0 &&
        r->len - at >= JOURNAL_RECORD_HEAD &&
        journal_get32(r->at + at + 12) == journal_head_check(r->key, r->at + at))
        r->report->torn = 1;
}

/* ---- files ---- */

static status load(const files *f, uint64_t number, char **out, size_t *len)
{
    char name[JOURNAL_NAME];
    int handle;
    uint64_t bytes = 0;

    *out = NULL;
    journal_file_name(name, number);
    status s = f->open(f->context, name, FILE_READ, &handle);
    if (s != STATUS_OK) return s;
    s = f->size(f->context, handle, &bytes);
    if (s == STATUS_OK && (*out = malloc(bytes + 1)) == NULL) s = STATUS_NO_MEMORY;
    if (s == STATUS_OK) s = f->read(f->context, handle, *out, (size_t)bytes, 0, len);
    f->close(f->context, handle);
    return s;
}

status journal_read(const files *f, const uint8_t store[static JOURNAL_STORE_ID], uint64_t number,
                    uint64_t from, journal_visit *visit, void *visitor, journal_report *report)
{
    char *bytes;
    size_t len = 0;
    status s = load(f, number, &bytes, &len);

    *report = (journal_report){ .end = JOURNAL_HEADER };
    if (s == STATUS_OK) {
        reading r = {
            .at = bytes, .len = len, .visit = visit, .visitor = visitor, .report = report
        };
        journal_key(r.key, store, number);
        if (from > report->end) report->end = from;
        report->no_header = len < JOURNAL_HEADER || !journal_header_is(bytes, store, number, r.key);
        if (report->end <= len) { /* each record proves itself, also without the header */
            s = read_all(&r, (size_t)report->end);
            if (s == STATUS_OK) look_at_tail(&r);
        }
    }
    free(bytes);
    return s;
}
