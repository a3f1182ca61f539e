/* plan.c - see plan.h. */
#include "tests/crash/plan.h"

#include "tests/crash/tool.h"

#include <stdlib.h>

static uint64_t hash_of(uint64_t h, slice s)
{
    for (size_t i = 0; i < s.len; i++) h = (h ^ (uint8_t)s.at[i]) * 0x100000001b3ull;
    return h ^ h >> 29;
}

static uint64_t hash_of_key(slice soul, slice key)
{
    return hash_of(hash_of(0xcbf29ce484222325ull, soul) + 1, key);
}

size_t plan_find_put(const plan *p, slice id)
{
    for (size_t i = hash_of(1, id) & p->table_mask;; i = (i + 1) & p->table_mask) {
        if (p->put_table[i] == 0) return SIZE_MAX;
        if (slice_equal(p->puts[p->put_table[i] - 1].id, id)) return p->put_table[i] - 1;
    }
}

/* The place in the table where the key is, or is to be. */
static size_t *key_slot(const plan *p, slice soul, slice key)
{
    size_t i = hash_of_key(soul, key) & p->table_mask;

    for (; p->key_table[i] != 0; i = (i + 1) & p->table_mask) {
        const plan_key *k = &p->keys[p->key_table[i] - 1];
        if (slice_equal(k->soul, soul) && slice_equal(k->key, key)) break;
    }
    return &p->key_table[i];
}

size_t plan_find_key(const plan *p, slice soul, slice key)
{
    return *key_slot(p, soul, key) - 1;
}

static slice take_until(slice *rest, char end)
{
    const char *at = memchr(rest->at, end, rest->len);
    slice word = { rest->at, at == NULL ? rest->len : (size_t)(at - rest->at) };

    rest->at += word.len + (at != NULL);
    rest->len -= word.len + (at != NULL);
    return word;
}

static double number_of(slice s)
{
    char digits[64] = "";

    if (s.len >= sizeof digits) tool_fail("a number in the plan is too long");
    memcpy(digits, s.at, s.len);
    return strtod(digits, NULL);
}

static void add_put(plan *p, slice line)
{
    plan_put *put = &p->puts[p->put_count++];

    (void)take_until(&line, ' ');
    *put = (plan_put){ .id = take_until(&line, ' '), .first = p->write_count };
    slice flags = take_until(&line, ' ');
    put->old = slice_equal(flags, SLICE("old"));
    put->held = slice_equal(flags, SLICE("held"));
    put->count = (size_t)number_of(line);
    size_t i = hash_of(1, put->id) & p->table_mask;
    while (p->put_table[i] != 0) i = (i + 1) & p->table_mask;
    p->put_table[i] = p->put_count;
}

static void add_write(plan *p, slice line)
{
    plan_write *w = &p->writes[p->write_count++];
    slice soul = take_until(&line, ' '), key = take_until(&line, ' ');
    size_t *slot = key_slot(p, soul, key);

    if (*slot == 0) {
        p->keys[p->key_count++] = (plan_key){ .soul = soul, .key = key };
        *slot = p->key_count;
    }
    *w = (plan_write){ .put = p->put_count - 1, .key = *slot - 1 };
    w->state = number_of(take_until(&line, ' '));
    w->value = line;
    w->next = p->keys[w->key].first;
    p->keys[w->key].first = p->write_count;
}

/* What is written to the soul later is an old copy, and does not count. */
static void note_purge(plan *p, slice soul)
{
    for (size_t i = 0; i < p->key_count; i++)
        if (slice_equal(p->keys[i].soul, soul)) p->keys[i].purged = p->put_count + 1;
}

void plan_read(plan *p, const char *path)
{
    size_t len, lines = 0;

    *p = (plan){ .text = tool_read_file(path, &len) };
    for (size_t i = 0; i < len; i++) lines += p->text[i] == '\n';
    p->puts = tool_room(lines + 1, sizeof *p->puts);
    p->writes = tool_room(lines + 1, sizeof *p->writes);
    p->keys = tool_room(lines + 1, sizeof *p->keys);
    for (p->table_mask = 1023; p->table_mask < 4 * lines;) p->table_mask = p->table_mask * 2 + 1;
    p->put_table = tool_room(p->table_mask + 1, sizeof *p->put_table);
    p->key_table = tool_room(p->table_mask + 1, sizeof *p->key_table);

    slice rest = { p->text, len };
    while (rest.len > 0) {
        slice line = take_until(&rest, '\n');
        if (slice_begins(line, SLICE("put ")))
            add_put(p, line);
        else if (slice_begins(line, SLICE("purged ")))
            note_purge(p, (slice){ line.at + 7, line.len - 7 });
        else
            add_write(p, line);
    }
}

void plan_free(plan *p)
{
    free(p->text);
    free(p->puts);
    free(p->writes);
    free(p->keys);
    free(p->put_table);
    free(p->key_table);
    *p = (plan){ 0 };
}
