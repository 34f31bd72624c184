/* SPDX-License-Identifier: MIT */
#include "tools/pipeport/histogram.h"

#include <stdlib.h>

struct histogram *histogram_create(void)
{
    return calloc(1, sizeof(struct histogram));
}

void histogram_destroy(struct histogram *histogram)
{
    free(histogram);
}

size_t histogram_bucket(uint64_t ns)
{
    unsigned octave; /* How often ns is halved until it is below twice the steps: by its highest bit. */

    if (ns >= UINT64_C(1) << HISTOGRAM_TOP_BIT) {
        return HISTOGRAM_BUCKETS - 1;
    }
    octave = 63u - (unsigned) __builtin_clzll(ns | HISTOGRAM_STEPS) - HISTOGRAM_STEP_BITS;
    return (size_t) octave * HISTOGRAM_STEPS + (size_t) (ns >> octave);
}

uint64_t histogram_bucket_end_ns(size_t bucket)
{
    size_t octave = bucket < 2 * HISTOGRAM_STEPS ? 0 : bucket / HISTOGRAM_STEPS - 1;

    return ((uint64_t) (bucket - octave * HISTOGRAM_STEPS + 1) << octave) - 1;
}

void histogram_add(struct histogram *histogram, uint64_t ns)
{
    histogram_add_many(histogram, ns, 1);
}

void histogram_add_many(struct histogram *histogram, uint64_t ns, uint64_t count)
{
    uint64_t longest = atomic_load_explicit(&histogram->longest_ns, memory_order_relaxed);

    atomic_fetch_add_explicit(&histogram->buckets[histogram_bucket(ns)], count, memory_order_relaxed);
    atomic_fetch_add_explicit(&histogram->count, count, memory_order_relaxed);
    while (ns > longest && !atomic_compare_exchange_weak_explicit(&histogram->longest_ns, &longest, ns,
                                                                  memory_order_relaxed, memory_order_relaxed)) {
    }
}

uint64_t histogram_share_ns(const struct histogram *histogram, double share)
{
    uint64_t count = histogram_count(histogram);
    uint64_t longest = histogram_longest_ns(histogram);
    uint64_t wanted = (uint64_t) (share * (double) count + 0.5);
    uint64_t seen = 0;

    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += atomic_load_explicit(&histogram->buckets[i], memory_order_relaxed);
        if (seen > 0 && seen >= wanted) {
            uint64_t end = histogram_bucket_end_ns(i);

            return end < longest ? end : longest;
        }
    }
    return longest;
}

uint64_t histogram_count(const struct histogram *histogram)
{
    return atomic_load_explicit(&histogram->count, memory_order_relaxed);
}

uint64_t histogram_longest_ns(const struct histogram *histogram)
{
    return atomic_load_explicit(&histogram->longest_ns, memory_order_relaxed);
}
