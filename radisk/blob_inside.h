/* blob_inside.h - what writing and reading a blob share. */
#ifndef RADISK_BLOB_INSIDE_H
#define RADISK_BLOB_INSIDE_H

#include "radisk/blob.h"
#include "radisk/journal_inside.h"

/* A record's head for these bytes, its check filled in. */
void blob_head(char head[static BLOB_RECORD_HEAD], const blob_ref *ref, slice bytes);

/* Over the head (but the check itself) and the bytes. */
uint64_t blob_check(const char head[static BLOB_RECORD_HEAD], slice bytes);

#endif
