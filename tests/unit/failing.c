/* failing.c - see failing.h. The countdown is global as the heap is, and atomic:
 * the store's workers ask for memory too. */
#include "tests/unit/failing.h"

#include <malloc.h>
#include <stdatomic.h>

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *old, size_t bytes);
void __real_free(void *old);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *old, size_t bytes);
void __wrap_free(void *old);

static _Atomic long failing_in;
static atomic_bool failing_did;
static atomic_size_t failing_heap;

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

size_t failing_heap_bytes(void)
{
    return failing_heap;
}

static void *counted(void *block)
{
    if (block != NULL) failing_heap += malloc_usable_size(block);
    return block;
}

void *__wrap_malloc(size_t bytes)
{
    return fails() ? NULL : counted(__real_malloc(bytes));
}

void *__wrap_calloc(size_t count, size_t bytes)
{
    return fails() ? NULL : counted(__real_calloc(count, bytes));
}

void *__wrap_realloc(void *old, size_t bytes)
{
    size_t had = malloc_usable_size(old);
    void *block = fails() ? NULL : __real_realloc(old, bytes);

    if (block != NULL) failing_heap -= had;
    return counted(block);
}

void __wrap_free(void *old)
{
    failing_heap -= malloc_usable_size(old);
    __real_free(old);
}
