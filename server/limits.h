/* limits.h - every limit by its name, for --limit NAME=VALUE and --help. */
#ifndef SERVER_LIMITS_H
#define SERVER_LIMITS_H

#include "server/options.h"

typedef struct limit limit;

/* NULL: there is none of that name. */
const limit *limit_find(slice name);

/* The largest value that it takes. */
double limit_most(const limit *l);

void limit_put(options *o, const limit *l, double value);

/* One a line, with what it is set to. */
void limits_print(FILE *to, const options *o);

#endif
