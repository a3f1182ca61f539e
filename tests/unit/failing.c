/* failing.c - see failing.h. The countdown is global as the heap is, and atomic:
 * the store's workers ask for memory too. */
#include "tests/unit/failing.h"

#include <stdatomic.h>
#include <stddef.h>

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *old, size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *old, size_t bytes);

static _Atomic long failing_in;
static atomic_bool failing_did;

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
    long left = failing_in;

    while (left != 0) {
        if (!atomic_compare_exchange_weak(&failing_in, &left, left - 1)) continue;
        if (left > 1) return false;
        failing_did = true;
        return true;
    }
    return false;
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
