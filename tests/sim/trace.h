/* SPDX-License-Identifier: MIT */
/*
 * trace.h - what happened, line after line: hashed all, kept the last ones, and printed when something breaks.
 */
#ifndef TESTS_SIM_TRACE_H
#define TESTS_SIM_TRACE_H

#include <stdbool.h>
#include <stdint.h>

extern bool sim_trace_prints; /* --trace: each line, to stdout. */

void sim_trace_begin(void);

/* `text` is static; a, b and c are no addresses. */
void sim_trace(const char *text, uint64_t a, uint64_t b, uint64_t c);
uint64_t sim_trace_hash(void);

#if defined(__MINGW32__)
#define SIM_PRINTS __attribute__((format(gnu_printf, 1, 2)))
#else
#define SIM_PRINTS __attribute__((format(printf, 1, 2)))
#endif

/* Something is broken: prints seed, step, what, the last lines, and the command that replays; ends the program. */
SIM_PRINTS _Noreturn void sim_fail(const char *format, ...);

#define SIM_MUST(what) ((what) ? (void) 0 : sim_fail("%s:%d: %s", __FILE__, __LINE__, #what))

#endif
