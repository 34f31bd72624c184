/* SPDX-License-Identifier: MIT */
/*
 * clock.h - one clock that never steps back, the same for every process of the machine.
 *
 * That it is the same everywhere (Windows: "QueryPerformanceCounter function"; Linux: clock_gettime(2)) lets a receiver
 * measure how long ago a message of another process was made.
 */
#ifndef PIPEPORT_TOOL_CLOCK_H
#define PIPEPORT_TOOL_CLOCK_H

#include <stdint.h>

/* Nanoseconds since some fixed moment before this program. Thread: any. */
uint64_t clock_now_ns(void);

#endif
