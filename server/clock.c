/* clock.c - see clock.h. */
#include "server/clock.h"

#include <time.h>

moment clock_now(void)
{
    struct timespec wall, steady;

    clock_gettime(CLOCK_REALTIME, &wall);
    clock_gettime(CLOCK_MONOTONIC, &steady);
    return (moment){
        .wall_ms = (double)wall.tv_sec * 1e3 + (double)wall.tv_nsec / 1e6,
        .steady_ms = (int64_t)steady.tv_sec * 1000 + steady.tv_nsec / 1000000,
    };
}
