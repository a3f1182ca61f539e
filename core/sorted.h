/* sorted.h - things with a name, in the order of their names.
 *
 * A treap: a search tree by name that is at the same time a heap by priority,
 * and the priority is a keyed hash of the name. So its shape is that of a tree
 * filled in random order whatever order the names come in, nobody outside can
 * make it deep, and the same names under the same secret give the same tree.
 * Nodes are also linked in order, so a scan steps without searching.
 *
 * The node is embedded in whatever it names; the tree owns nothing and cannot
 * fail.
 */
#ifndef CORE_SORTED_H
#define CORE_SORTED_H

#include "core/slice.h"

#include <stdint.h>

typedef struct sorted_node {
    struct sorted_node *left, *right;
    struct sorted_node *before, *after; /* in order of names; NULL at the ends */
    slice name;
    uint64_t priority; /* a keyed hash of the name */
} sorted_node;

typedef struct sorted {
    sorted_node *root, *first, *last;
    size_t count;
} sorted;

/* The node of this name or NULL. */
sorted_node *sorted_find(const sorted *s, slice name);

/* The first node at the name or above it; above it only when `open`. */
sorted_node *sorted_from(const sorted *s, slice name, bool open);

/* The last node at the name or below it; below it only when `open`. */
sorted_node *sorted_until(const sorted *s, slice name, bool open);

/* The name must not be in it, and must not change while it is. */
void sorted_insert(sorted *s, sorted_node *n);
void sorted_remove(sorted *s, sorted_node *n);

#endif
