/* page.c - see page.h. */
#include "server/page.h"

#include <stdlib.h>

static int order(const void *path, const void *file)
{
    const page *p = file;

    return slice_order(*(const slice *)path, (slice){ p->path, strlen(p->path) });
}

static const page *file_at(slice path)
{
    return bsearch(&path, page_files, page_count, sizeof *page_files, order);
}

const page *page_find(slice path)
{
    if (slice_equal(path, SLICE("/gun")) || slice_equal(path, SLICE("/gun/")) ||
        slice_equal(path, SLICE("/ws")))
        return file_at(SLICE("/"));
    return file_at(path);
}
