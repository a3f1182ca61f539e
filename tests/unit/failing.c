/* failing.c - see failing.h. The countdown is global as the heap is. */
#include "tests/unit/failing.h"

#include <stddef.h>

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *old, size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *old, size_t bytes);

static long failing_in;
static bool failing_did;

void failing_at(long n)
{
    failing_in = n;
    failing_did = false;
}

bool failing_happened(void)
{
    return failing_did;
}

static bool fails(void)
{
    if (failing_in == 0 || --failing_in > 0) return false;
    failing_did = true;
    return true;
}

void *__wrap_malloc(size_t bytes)
{
    return fails() ? NULL : __real_malloc(bytes);
}

void *__wrap_calloc(size_t count, size_t bytes)
{
    return fails() ? NULL : __real_calloc(count, bytes);
}

void *__wrap_realloc(void *old, size_t bytes)
{
    return fails() ? NULL : __real_realloc(old, bytes);
}
