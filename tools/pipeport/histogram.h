/* SPDX-License-Identifier: MIT */
/*
 * histogram.h - how long things took: any number of durations in a fixed room, each kept to better than 1.6 per cent.
 *
 * Log-linear: below 64 ns one bucket a nanosecond; above, every power of two is cut into 64 equal buckets. Any number
 * of threads add; who reads wants them to have finished, or takes what is there.
 */
#ifndef PIPEPORT_TOOL_HISTOGRAM_H
#define PIPEPORT_TOOL_HISTOGRAM_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define HISTOGRAM_STEP_BITS 6
#define HISTOGRAM_STEPS ((size_t) 1 << HISTOGRAM_STEP_BITS)
#define HISTOGRAM_TOP_BIT 42 /* 2^42 ns are 73 minutes; what is longer counts as that. */
#define HISTOGRAM_BUCKETS (HISTOGRAM_STEPS * (HISTOGRAM_TOP_BIT - HISTOGRAM_STEP_BITS + 1))

struct histogram {
    _Atomic uint64_t buckets[HISTOGRAM_BUCKETS]; /* Relaxed: each is a sum, nothing hangs on their order. */
    _Atomic uint64_t count;                      /* Sum of all buckets once nobody adds. */
    _Atomic uint64_t longest_ns;                 /* Exact. */
};

/* Owner: the caller, or NULL when there is no memory; give it to histogram_destroy. */
struct histogram *histogram_create(void);
void histogram_destroy(struct histogram *histogram);

/* Thread: any. */
void histogram_add(struct histogram *histogram, uint64_t ns);
void histogram_add_many(struct histogram *histogram, uint64_t ns, uint64_t count);

/* The duration that `share` (0.0-1.0) of all did not pass: the upper edge of its bucket, never above the longest; 0
 * where nothing was added. */
uint64_t histogram_share_ns(const struct histogram *histogram, double share);

uint64_t histogram_count(const struct histogram *histogram);
uint64_t histogram_longest_ns(const struct histogram *histogram);

/* Exposed for the test: which bucket a duration falls into, and the longest duration that does. */
size_t histogram_bucket(uint64_t ns);
uint64_t histogram_bucket_end_ns(size_t bucket);

#endif
