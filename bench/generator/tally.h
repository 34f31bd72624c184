/* SPDX-License-Identifier: MIT */
/*
 * tally.h - what all threads of a load have counted, taken together by the main one.
 */
#ifndef PIPEPORT_GENERATOR_TALLY_H
#define PIPEPORT_GENERATOR_TALLY_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/generator/load.h"
#include "bench/generator/result.h"

/* Into `run`, once nobody counts any more, with what is missing. False: there is no memory, which one line has said. */
bool tally_sum(const struct load *load, struct result_run *run);

/* When the last counted message was complete: by count a run ends there, and not when the main thread looks. */
uint64_t tally_last_ns(const struct load *load);

#endif
