/* lines.h - what a tool is told, as lines of JSON.
 *
 *     a row     {"#":soul,".":key,":":value,">":state}      held: "held":true besides
 *     a soul    {"#":soul}
 *     a floor   {"#":soul,".":key,"floor":F}    of a soul: no ".";
 *               of a prefix: {"#":prefix,"prefix":true,"floor":F}
 *     the end   {"done":true,...} or {"err":"..."}
 *
 * All append to a text, whose error is sticky.
 */
#ifndef SERVER_LINES_H
#define SERVER_LINES_H

#include "core/text.h"
#include "radisk/backup.h"
#include "radisk/view.h"

void line_row(text *out, const view_row *row);
void line_soul(text *out, slice soul);
void line_floor(text *out, const view_floor *floor);

void line_error(text *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The end, with members as they are given: `,"rows":5`. */
void line_done(text *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

void line_backed_up(text *out, const backup_counts *counts);
void line_stat(text *out, const radisk_stats *stats, const char *trouble);

#endif
