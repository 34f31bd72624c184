/* SPDX-License-Identifier: MIT */
/*
 * dials.h - how the connections of a run are made: the first one alone, then the others, all at once or so many a
 * second as the plan says. All these answer false where a Ctrl-C came. Thread: main.
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

/* Waits until so many are settled, for as long as they grow more. False also if they do not: one line has said so. */
bool dials_wait(const struct load *load, struct live *live, uint32_t wanted);

#endif
