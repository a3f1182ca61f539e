/* failing.h - an allocator that fails when told to.
 *
 * The executable is linked with --wrap for malloc, calloc and realloc, so that
 * every allocation of the code under test passes here. A test runs a call again
 * and again with the first, second, third ... allocation failing, until the
 * call gets through untouched.
 */
#ifndef TESTS_UNIT_FAILING_H
#define TESTS_UNIT_FAILING_H

#include <stdbool.h>

/* The n-th allocation from now fails, once (1 is the next); 0: none. */
void failing_at(long n);

/* Whether the allocation that was to fail has failed. */
bool failing_happened(void);

#endif
