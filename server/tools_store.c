/* tools_store.c - check, restore and compact: they want the folder to themselves. */
#include "radisk/check.h"
#include "radisk/compact.h"
#include "server/clock.h"
#include "server/tools_inside.h"

#include <inttypes.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LINES_MAX = 10000 };

/* ---- check ---- */

static void say_finding(void *context, const char *finding)
{
    uint64_t *said = context;

    if (*said < LINES_MAX) printf("%s\n", finding);
    if (*said == LINES_MAX) printf("(what follows is only counted)\n");
    ++*said;
}

static void say_report(const tool_call *call, const check_report *r)
{
    char hash[STORE_HASH_TEXT];

    printf("souls %" PRIu64 "\nrows %" PRIu64 "\nheld %" PRIu64 "\nfloors %" PRIu64
           "\nblobs %" PRIu64 "\nblob_bytes %" PRIu64 "\ndead_bytes %" PRIu64
           "\nhashed_bytes %" PRIu64 "\nroots %" PRIu64 "\npins %" PRIu64
           "\njournal_segments %" PRIu64 "\njournal_records %" PRIu64 "\njournal_rows %" PRIu64
           "\njournal_torn %" PRIu64 "\n",
           r->souls, r->rows, r->held, r->floors, r->blobs, r->blob_bytes, r->dead_bytes,
           r->hashed_bytes, r->roots, r->pins, r->journal_segments, r->journal_records,
           r->journal_rows, r->torn);
    store_hash_text(&r->hash, hash);
    if (call->hash) printf("hash %s\n", hash);
    printf("damaged %" PRIu64 "\n", r->findings);
}

static int check_here(const tool_call *call)
{
    uint64_t said = 0;
    check_report report;
    check_wish all = { .folder = call->folder,
                       .size_max = tool_map_bytes(call->folder),
                       .hash = call->hash,
                       .now_ms = clock_now().wall_ms,
                       .say = say_finding,
                       .context = &said };
    char why[CHECK_WHY_MAX] = "";
    status s = check_store(&all, &report, why);

    if (s == STATUS_CORRUPT || s == STATUS_IO) return tool_complain(call, TOOL_FAILED, "%s", why);
    if (s != STATUS_OK) return tool_complain(call, TOOL_WRONG, "%s", why);
    if (why[0] != '\0') (void)tool_complain(call, 0, "note: %s", why);
    say_report(call, &report);
    return report.findings == 0 ? TOOL_DONE : TOOL_FAILED;
}

/* A damaged page can end the process that follows it: LMDB trusts its own. So it
 * is followed in another one. */
int tool_check(const tool_call *call)
{
    int ended = 0;
    pid_t child;

    if (!tool_is_store(call->folder))
        return tool_complain(call, TOOL_WRONG, "there is no store in %s", call->folder);
    (void)fflush(NULL);
    child = fork();
    if (child < 0) return tool_complain(call, TOOL_WRONG, "no second process could be made");
    if (child == 0) {
        int result = check_here(call);
        if (fflush(stdout) != 0 && result == TOOL_DONE) result = TOOL_FAILED;
        _exit(result);
    }
    if (waitpid(child, &ended, 0) != child) return TOOL_FAILED;
    if (WIFEXITED(ended) && WEXITSTATUS(ended) <= TOOL_WRONG) return WEXITSTATUS(ended);
    return tool_complain(call, TOOL_FAILED,
                         "the database is so damaged that it cannot be read to its end: restore a "
                         "backup into another folder");
}

/* ---- restore ---- */

int tool_restore(const tool_call *call)
{
    restore_wish made = { .file = call->file,
                          .folder = call->folder,
                          .now_ms = clock_now().wall_ms,
                          .progress = tool_progress };
    backup_counts counts;
    char why[BACKUP_WHY_MAX], hash[STORE_HASH_TEXT];
    status s = restore_store(&made, &counts, why);

    if (s != STATUS_OK) return tool_complain(call, TOOL_FAILED, "%s", why);
    store_hash_text(&counts.hash, hash);
    printf("rows %" PRIu64 "\nheld %" PRIu64 "\nfloors %" PRIu64 "\npins %" PRIu64
           "\ndamaged %" PRIu64 "\nbytes %" PRIu64 "\nhash %s\n",
           counts.rows, counts.held, counts.floors, counts.pins, counts.damaged, counts.bytes,
           hash);
    if (counts.damaged == 0) return TOOL_DONE;
    return tool_complain(call, TOOL_FAILED,
                         "restored; %" PRIu64 " rows were damaged when the backup was made and are "
                         "not in it",
                         counts.damaged);
}

/* ---- compact ---- */

int tool_compact(const tool_call *call)
{
    char why[COMPACT_WHY_MAX];
    compact_report report;

    if (!tool_is_store(call->folder))
        return tool_complain(call, TOOL_WRONG, "there is no store in %s", call->folder);
    status s = compact_store(call->folder, tool_map_bytes(call->folder), &report, why);
    if (s == STATUS_LOCKED || s == STATUS_WRONG_FORMAT)
        return tool_complain(call, TOOL_WRONG, "%s", why);
    if (s != STATUS_OK) return tool_complain(call, TOOL_FAILED, "%s", why);
    printf("bytes_before %" PRIu64 "\nbytes_after %" PRIu64 "\n", report.before, report.after);
    return TOOL_DONE;
}
