/* SPDX-License-Identifier: MIT */
/*
 * series.h - a run cut into seconds: what was completed in each, and how long it took.
 *
 * The recorders are summed at each cut, and the sum before is taken away. Thread: main; so all of these.
 */
#ifndef PIPEPORT_GENERATOR_SERIES_H
#define PIPEPORT_GENERATOR_SERIES_H

#include "bench/generator/load.h"
#include "bench/generator/result.h"

struct series_sum {
    uint64_t messages, bytes, errors;
    struct histogram times; /* Corrected; in a closed loop that is the service. */
};

struct series {
    struct series_sum before, now, between;
    uint64_t cut_ns; /* When the last cut was. */
};

/* Everything that the recorders hold, summed; of a run that has ended, exact. */
void series_add_up(const struct load *load, struct series_sum *sum);

/* What came since the last cut, in `series->between`, whose longest is a bucket's end. */
void series_cut(struct series *series, const struct load *load);

/* The same, kept as one more second of the run. False: no memory. */
bool series_keep(struct series *series, const struct load *load, struct result_run *run, uint64_t now_ns);

#endif
