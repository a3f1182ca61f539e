/* vectors.h - the vector files of tests/vectors, read with our own reader.
 *
 * A test opens a file, walks its tokens, and closes it. What is missing or of
 * another type than asked for fails the test at once.
 */
#ifndef TESTS_UNIT_VECTORS_H
#define TESTS_UNIT_VECTORS_H

#include "core/json.h"

typedef struct vectors {
    arena memory;
    char *bytes;
    json j;
} vectors;

void vectors_open(vectors *v, const char *file);
void vectors_close(vectors *v);

/* Reads a text of our own, e.g. a case written in the test. Borrows it. */
void vectors_read(vectors *v, slice source);

/* The member's token; fails when there is none. */
uint32_t vectors_at(const vectors *v, uint32_t object, const char *key);
bool vectors_has(const vectors *v, uint32_t object, const char *key);

slice vectors_name(vectors *v, uint32_t string);
double vectors_number(const vectors *v, uint32_t number);
bool vectors_true(const vectors *v, uint32_t boolean);
size_t vectors_count(const vectors *v, uint32_t array);

/* The name (CESU-8) that a list of units in hex, "d83d de00", spells. */
slice vectors_units(vectors *v, slice hex);

/* Index of the first element, and of the one behind element `at`. */
static inline uint32_t vectors_first(uint32_t array)
{
    return array + 1;
}
static inline uint32_t vectors_next(const vectors *v, uint32_t at)
{
    return v->j.tokens[at].next;
}
static inline bool vectors_in(const vectors *v, uint32_t array, uint32_t at)
{
    return at < v->j.tokens[array].next;
}

/* Fails unless the slices are equal, and shows both. */
#define assert_slice(got, want) vectors_assert((got), (want), __FILE__, __LINE__)
void vectors_assert(slice got, slice want, const char *file, int line);

#endif
