/* SPDX-License-Identifier: MIT */
/*
 * dials.h - how the connections of a run are made: the first one alone, then the others, all at once or so many a
 * second as the plan says. Those that answer answer false where a Ctrl-C came. Thread: main.
 */
#ifndef PIPEPORT_GENERATOR_DIALS_H
#define PIPEPORT_GENERATOR_DIALS_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/generator/live.h"
#include "bench/generator/load.h"

/* Lane 0 goes first: where it cannot connect, nobody can. False also then: one line has said why. */
bool dials_first(struct load *load, struct live *live);

/* The others are on their way. */
bool dials_others(struct load *load, struct live *live);

/* How far a ramp is that others' work goes on beside. It begins with {now, 1}. */
struct dials_ramp {
    uint64_t from_ns;
    uint32_t next; /* The lane that is dialled next. */
};

/* Those that are due by now, so many a second as the plan says; called again and again. */
void dials_ramp(struct load *load, struct dials_ramp *ramp, uint64_t now_ns);

/* Waits until so many are settled, for as long as they grow more. False also if they do not: one line has said so. */
bool dials_wait(const struct load *load, struct live *live, uint32_t wanted);

#endif
