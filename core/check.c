/* check.c - see check.h. */
#include "core/check.h"

void check_run(check *c, const sea_crypto *crypto)
{
    for (size_t i = 0; i < c->count; ++i) {
        const graph_write *w = c->writes[i];
        c->how[i] =
            sea_judge(crypto, &c->arena, w->soul, w->key, w->value, w->state, &c->findings[i]);
    }
}
