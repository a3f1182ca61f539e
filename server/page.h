/* page.h - the files of web-demo, put into the program when it is built.
 *
 * embed.cmake makes page_files.c from them, so that a relay is one file and what
 * it serves is what it was tested with. A path is compared with the names of that
 * list and never becomes the name of a file.
 */
#ifndef SERVER_PAGE_H
#define SERVER_PAGE_H

#include "core/slice.h"

typedef struct page {
    const char *path; /* as asked for: "/js/app.js" */
    const unsigned char *bytes;
    size_t len;
    const char *type, *etag;
} page;

/* Sorted by path, as strcmp() has it. */
extern const page page_files[];
extern const size_t page_count;

/* Lends the file of this path, for ever; NULL when there is none. A folder is its
 * index.html, and so is what peers connect to, for whoever opens it in a browser. */
const page *page_find(slice path);

#endif
