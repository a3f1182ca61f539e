/* client_inside.h - what the files of a page share. */
#ifndef TESTS_SIM_CLIENT_INSIDE_H
#define TESTS_SIM_CLIENT_INSIDE_H

#include "tests/sim/world.h"

/* {"#":"<a new id>" in the world's line; the caller goes on. */
text *client_begin(client *c);
void client_add_at(text *t, slice at);
void client_say_to(client *c, int via, slice message);
/* What localStorage has of a soul comes into memory. */
void client_load_soul(client *c, int soul);

#endif
