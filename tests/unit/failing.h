/* failing.h - an allocator that fails when told to, and that counts.
 *
 * The executable is linked with --wrap for malloc, calloc, realloc and free, so that
 * every allocation of the code under test passes here. A test runs a call again
 * and again with the first, second, third ... allocation failing, until the
 * call gets through untouched.
 */
#ifndef TESTS_UNIT_FAILING_H
#define TESTS_UNIT_FAILING_H

#include <stdbool.h>
#include <stddef.h>

/* The n-th allocation from now fails, once (1 is the next); 0: none. */
void failing_at(long n);

/* Whether the allocation that was to fail has failed. */
bool failing_happened(void);

/* Bytes that the code under test holds of the heap, as the heap rounds them. */
size_t failing_heap_bytes(void);

#endif
