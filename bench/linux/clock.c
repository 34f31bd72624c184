/* SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "bench/clock.h"

#include <time.h>
#include <unistd.h>

uint64_t clock_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t) now.tv_sec * UINT64_C(1000000000) + (uint64_t) now.tv_nsec;
}

void clock_pause_ms(uint32_t ms)
{
    struct timespec rest = {.tv_sec = (time_t) (ms / 1000), .tv_nsec = (long) (ms % 1000) * 1000000};

    if (ms == UINT32_MAX) {
        for (;;) {
            pause();
        }
    }
    while (nanosleep(&rest, &rest) != 0) { /* A signal interrupts it; what is left of the pause goes on. */
    }
}
