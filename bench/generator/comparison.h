/* SPDX-License-Identifier: MIT */
/*
 * comparison.h - what changed from one result to another, and whether it is more than noise.
 *
 * A change is called only where each side has at least three runs, every run of the one lies beyond every run of the
 * other, and the ratio of the two medians is above that of the highest run to the lowest of either side (where a lowest
 * is 0, their difference above that one). By chance alone, runs of one and the same program come out so about once in
 * 20 with three runs each, and once in 500 with five. Latencies must differ by more than one bucket of their histogram
 * besides. With fewer runs there is nothing to say, but of errors: from none to some, and back, is a change after one.
 */
#ifndef PIPEPORT_GENERATOR_COMPARISON_H
#define PIPEPORT_GENERATOR_COMPARISON_H

#include "bench/generator/metric.h"
#include "bench/generator/text.h"

#define COMPARISON_RUNS_MIN 3

enum comparison_verdict {
    COMPARISON_NOT_MEASURED, /* On one side, or on both. */
    COMPARISON_NOTHING,      /* No errors on either side. */
    COMPARISON_CANNOT_TELL,  /* Too few runs. */
    COMPARISON_UNSTABLE,     /* One side's runs lie too far apart to claim anything (RESULT_UNSTABLE_SPREAD). */
    COMPARISON_NOISE,
    COMPARISON_BETTER,
    COMPARISON_WORSE
};

enum comparison_verdict comparison_judge(const struct metric *metric, const struct result *from,
                                         const struct result *to);

/* A result and what to call it. */
struct comparison_side {
    const char *name;
    const struct result *result;
};

/* What differs in load, machine and versions; then every metric that either has. */
void comparison_write(const struct comparison_side *from, const struct comparison_side *to, struct text *text);

#endif
