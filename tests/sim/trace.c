/* SPDX-License-Identifier: MIT */
/* trace.c - see trace.h. */
#include "tests/sim/trace.h"

#include "tests/sim/schedule.h"
#include "tests/sim/world.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { TRACE_KEPT = 50 };

typedef struct trace_line {
    const char *text;
    uint64_t a, b, c, step, now_ns;
    uint32_t thread;
} trace_line;

bool sim_trace_prints;

static trace_line trace_lines[TRACE_KEPT];
static uint64_t trace_count;
static uint64_t trace_hash;

void sim_trace_begin(void)
{
    trace_count = 0;
    trace_hash = UINT64_C(0xcbf29ce484222325);
}

static void trace_mix(uint64_t word)
{
    trace_hash = (trace_hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    trace_hash ^= trace_hash >> 29;
}

static void trace_print(FILE *to, const trace_line *line)
{
    fprintf(to, "%10" PRIu64 " %14.6f ms  #%-3u %s %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", line->step,
            (double) line->now_ns / 1e6, line->thread, line->text, line->a, line->b, line->c);
}

void sim_trace(const char *text, uint64_t a, uint64_t b, uint64_t c)
{
    trace_line *line = &trace_lines[trace_count++ % TRACE_KEPT];
    *line = (trace_line){text, a, b, c, sim.step, sim_now_ns(), sim_self()};
    for (const char *at = text; *at != '\0'; at++) {
        trace_hash = (trace_hash ^ (unsigned char) *at) * UINT64_C(0x100000001b3);
    }
    trace_mix(a);
    trace_mix(b);
    trace_mix(c);
    trace_mix(line->step);
    trace_mix(line->now_ns);
    trace_mix(line->thread);
    if (sim_trace_prints) {
        trace_print(stdout, line);
    }
}

uint64_t sim_trace_hash(void)
{
    return trace_hash;
}

_Noreturn void sim_fail(const char *format, ...)
{
    fflush(stdout);
    fprintf(stderr, "\nseed %" PRIu64 " broke at step %" PRIu64 ": ", sim.seed, sim.step);
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\nthe last lines of its trace (step, time, thread, what happened):\n");
    uint64_t first = trace_count > TRACE_KEPT ? trace_count - TRACE_KEPT : 0;
    for (uint64_t i = first; i < trace_count; i++) {
        trace_print(stderr, &trace_lines[i % TRACE_KEPT]);
    }
    fprintf(stderr, "replay: sim --seeds %" PRIu64 ":%" PRIu64 " --trace\n", sim.seed, sim.seed);
    fflush(stderr);
    _Exit(1);
}
