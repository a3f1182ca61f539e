/* clock.h - the two clocks of the machine, read in one place.
 *
 * Everything below the server is handed a moment and never asks for one. Wall
 * time keeps its fraction of a millisecond, because client states have one and
 * a client that is a fraction ahead would otherwise be held back.
 */
#ifndef SERVER_CLOCK_H
#define SERVER_CLOCK_H

#include "core/moment.h"

moment clock_now(void);

#endif
