/* SPDX-License-Identifier: MIT */
/* C11's own timespec_get is the wall clock, which an administrator may set back, and mingw-w64 links it only with the
 * universal C runtime. POSIX's monotonic clock is in both systems' <time.h>, if it is asked for. */
#define _POSIX_C_SOURCE 200809L
#include "tools/pipeport/clock.h"

#include <time.h>

uint64_t clock_now_ns(void)
{
    struct timespec now = {0, 0};

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t) now.tv_sec * 1000000000u + (uint64_t) now.tv_nsec;
}
