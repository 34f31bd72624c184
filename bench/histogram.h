/* SPDX-License-Identifier: MIT */
/*
 * histogram.h - how long things took, each kept to better than 3.2 per cent in a fixed room.
 *
 * The upper bits decide: a duration falls into its power of two, cut into 32. One thread adds; sums are made when
 * nobody adds any more.
 *
 * The tools' histogram of the same name is another one for a reason. Many threads add to that, which costs two locked
 * instructions a duration; this one counts each message of the loads that the comparisons measure with, on the
 * processors that they measure, and is as small and cheap as it can be. And those loads do without the tools.
 */
#ifndef PIPEPORT_BENCH_HISTOGRAM_H
#define PIPEPORT_BENCH_HISTOGRAM_H

#include <stdint.h>

enum { HISTOGRAM_OCTAVES = 40, HISTOGRAM_CUTS = 32 }; /* Up to 2^40 ns, 18 minutes; longer counts as that. */

struct histogram {
    uint64_t buckets[HISTOGRAM_OCTAVES][HISTOGRAM_CUTS];
    uint64_t count;      /* Sum of all buckets. */
    uint64_t longest_ns; /* Exact. */
};

void histogram_add(struct histogram *histogram, uint64_t ns);
void histogram_sum(struct histogram *histogram, const struct histogram *other);

/* What `share` (0.0-1.0) of all durations did not pass; 0 if there are none. */
uint64_t histogram_share_ns(const struct histogram *histogram, double share);

#endif
