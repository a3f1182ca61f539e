/* page.h - the page at `/`, put into the program when it is built.
 *
 * embed.cmake makes page_files.c from page.html, page.js and page.css.
 */
#ifndef SERVER_PAGE_H
#define SERVER_PAGE_H

#include <stddef.h>

typedef struct page {
    const unsigned char *bytes;
    size_t len;
    const char *type, *etag;
} page;

extern const page page_html, page_js, page_css;

#endif
