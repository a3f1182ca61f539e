/* page.c - see page.h. */
#include "server/page.h"

static slice path_of(const page *p)
{
    return (slice){ p->path, strlen(p->path) };
}

static const page *file_at(slice path)
{
    size_t low = 0, high = page_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = slice_order(path, path_of(&page_files[middle]));
        if (order == 0) return &page_files[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

const page *page_find(slice path)
{
    if (slice_equal(path, SLICE("/gun")) || slice_equal(path, SLICE("/gun/")) ||
        slice_equal(path, SLICE("/ws")))
        return file_at(SLICE("/"));
    return file_at(path);
}
