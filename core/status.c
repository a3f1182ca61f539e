/* status.c - see status.h. */
#include "core/status.h"

#include <stddef.h>

const char *status_text(status s)
{
    static const char *const texts[] = {
#define X(name, text) text,
        STATUS_LIST(X)
#undef X
    };

    return (size_t)s < sizeof texts / sizeof *texts ? texts[s] : "unknown status";
}
