/* sorted.c - see sorted.h. Nothing recurses: paths are walked by pointers to
 * the links themselves. */
#include "core/sorted.h"

#include <assert.h>

sorted_node *sorted_find(const sorted *s, slice name)
{
    for (sorted_node *n = s->root; n != NULL;) {
        int order = slice_order(name, n->name);

        if (order == 0) return n;
        n = order < 0 ? n->left : n->right;
    }
    return NULL;
}

sorted_node *sorted_from(const sorted *s, slice name, bool open)
{
    sorted_node *best = NULL;

    for (sorted_node *n = s->root; n != NULL;) {
        int order = slice_order(n->name, name);

        if (order > 0 || (order == 0 && !open)) {
            best = n;
            n = n->left;
        } else {
            n = n->right;
        }
    }
    return best;
}

sorted_node *sorted_until(const sorted *s, slice name, bool open)
{
    sorted_node *best = NULL;

    for (sorted_node *n = s->root; n != NULL;) {
        int order = slice_order(n->name, name);

        if (order < 0 || (order == 0 && !open)) {
            best = n;
            n = n->right;
        } else {
            n = n->left;
        }
    }
    return best;
}

static void link_in_order(sorted *s, sorted_node *n, sorted_node *before, sorted_node *after)
{
    n->before = before;
    n->after = after;
    *(before ? &before->after : &s->first) = n;
    *(after ? &after->before : &s->last) = n;
    s->count++;
}

/* Splits a tree into what is below the name and what is above it. */
static void split(sorted_node *tree, slice name, sorted_node **below, sorted_node **above)
{
    while (tree != NULL) {
        if (slice_order(tree->name, name) < 0) {
            *below = tree;
            below = &tree->right;
            tree = tree->right;
        } else {
            *above = tree;
            above = &tree->left;
            tree = tree->left;
        }
    }
    *below = *above = NULL;
}

void sorted_insert(sorted *s, sorted_node *n)
{
    sorted_node **link = &s->root, *before = NULL, *after = NULL;

    while (*link != NULL && (*link)->priority >= n->priority) {
        int order = slice_order(n->name, (*link)->name);

        assert(order != 0);
        if (order < 0) after = *link;
        if (order > 0) before = *link;
        link = order < 0 ? &(*link)->left : &(*link)->right;
    }
    split(*link, n->name, &n->left, &n->right);
    *link = n;

    /* The neighbours are in the subtrees, if there are any, else on the path. */
    for (sorted_node *l = n->left; l != NULL; l = l->right) before = l;
    for (sorted_node *r = n->right; r != NULL; r = r->left) after = r;
    link_in_order(s, n, before, after);
}

/* Joins two trees, all of `left` below all of `right`, into *link. */
static void join(sorted_node **link, sorted_node *left, sorted_node *right)
{
    while (left != NULL && right != NULL) {
        if (left->priority >= right->priority) {
            *link = left;
            link = &left->right;
            left = left->right;
        } else {
            *link = right;
            link = &right->left;
            right = right->left;
        }
    }
    *link = left ? left : right;
}

void sorted_remove(sorted *s, sorted_node *n)
{
    sorted_node **link = &s->root;

    while (*link != n) {
        assert(*link != NULL);
        link = slice_order(n->name, (*link)->name) < 0 ? &(*link)->left : &(*link)->right;
    }
    join(link, n->left, n->right);

    *(n->before ? &n->before->after : &s->first) = n->after;
    *(n->after ? &n->after->before : &s->last) = n->before;
    s->count--;
}
