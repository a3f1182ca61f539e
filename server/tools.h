/* tools.h - the commands beside `brasa serve`: looking after a store, and asking
 * what the rules say.
 *
 * stat, get, scan, export, backup, import and purge ask the server that has the
 * folder, over its admin.sock, and open the folder themselves when there is none;
 * what they say is the same either way. check, restore and compact want the folder
 * to themselves. verify and can need no folder.
 *
 * Exit status: 0 it is done; 1 it is not, or something was found that is not well;
 * 2 the command line or the folder is wrong. Data goes to stdout, all else to stderr.
 */
#ifndef SERVER_TOOLS_H
#define SERVER_TOOLS_H

#include <stdbool.h>
#include <stdio.h>

/* Whether there is a tool of that name, and running it: words[0] is its name. */
bool tools_know(const char *word);
int tools_run(int count, char **words);

/* One line for each. */
void tools_usage(FILE *to);

#endif
