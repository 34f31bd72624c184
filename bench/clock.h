/* SPDX-License-Identifier: MIT */
/*
 * clock.h - one clock that never steps back, and a pause.
 */
#ifndef PIPEPORT_BENCH_CLOCK_H
#define PIPEPORT_BENCH_CLOCK_H

#include <stdint.h>

/* Nanoseconds since some fixed moment. Thread: any. */
uint64_t clock_now_ns(void);

/* Holds this thread for that long; UINT32_MAX: for good. */
void clock_pause_ms(uint32_t ms);

#endif
