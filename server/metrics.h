/* metrics.h - what the server counts, as text for those who watch it.
 *
 * Both give a buffer to be freed, NULL when out of memory. The names are those of
 * RELAY_COUNT_LIST and SERVER_COUNT_LIST with brasa_ before and _total behind, so
 * that a count cannot exist without its metric; docs/operating.md has the rest.
 */
#ifndef SERVER_METRICS_H
#define SERVER_METRICS_H

#include "server/server.h"

/* Prometheus text format 0.0.4. */
char *metrics_text(server *s, size_t *len);

/* One JSON object: what this is, how it is doing, what its limits are. */
char *metrics_status(server *s, size_t *len);

#endif
