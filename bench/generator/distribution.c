/* SPDX-License-Identifier: MIT */
#include "bench/generator/distribution.h"

#include <math.h>
#include <stdatomic.h>

struct distribution distribution_of(const struct histogram *histogram)
{
    return (struct distribution){histogram, 0, 0, 0, 0};
}

bool distribution_next(struct distribution *distribution)
{
    const struct histogram *histogram = distribution->histogram;
    uint64_t longest = histogram == NULL ? 0 : histogram_longest_ns(histogram);

    while (histogram != NULL && distribution->next < HISTOGRAM_BUCKETS) {
        size_t bucket = distribution->next++;
        uint64_t count = atomic_load_explicit(&histogram->buckets[bucket], memory_order_relaxed);

        if (count > 0) {
            distribution->count = count;
            distribution->until += count;
            distribution->ns = histogram_bucket_end_ns(bucket);
            if (distribution->ns > longest || bucket == HISTOGRAM_BUCKETS - 1) {
                distribution->ns = longest;
            }
            return true;
        }
    }
    return false;
}

static double distribution_middle_ns(const struct distribution *at)
{
    size_t bucket = at->next - 1;
    uint64_t begin = bucket == 0 ? 0 : histogram_bucket_end_ns(bucket - 1) + 1;

    return ((double) begin + (double) at->ns) / 2.0;
}

static double distribution_middles_mean_ns(const struct histogram *histogram)
{
    struct distribution at = distribution_of(histogram);
    double sum = 0.0;

    while (distribution_next(&at)) {
        sum += distribution_middle_ns(&at) * (double) at.count;
    }
    return at.until == 0 ? 0.0 : sum / (double) at.until;
}

/* The shortest is told by the end of its bucket, and the mean by the middles: of durations that fall into few buckets
 * it would be told below the shortest. The longest is above every middle, unless sums are rounded. */
double distribution_mean_ns(const struct histogram *histogram)
{
    double mean = distribution_middles_mean_ns(histogram);

    mean = fmax(mean, (double) distribution_shortest_ns(histogram));
    return histogram == NULL ? mean : fmin(mean, (double) histogram_longest_ns(histogram));
}

/* Around the mean of the middles, of which it is made: durations of one bucket deviate by nothing. */
double distribution_deviation_ns(const struct histogram *histogram)
{
    struct distribution at = distribution_of(histogram);
    double mean = distribution_middles_mean_ns(histogram), sum = 0.0;

    while (distribution_next(&at)) {
        double away = distribution_middle_ns(&at) - mean;

        sum += away * away * (double) at.count;
    }
    return at.until == 0 ? 0.0 : sqrt(sum / (double) at.until);
}

uint64_t distribution_shortest_ns(const struct histogram *histogram)
{
    struct distribution at = distribution_of(histogram);

    return distribution_next(&at) ? at.ns : 0;
}

bool distribution_has_any(const struct histogram *histogram)
{
    return histogram != NULL && histogram_count(histogram) > 0;
}
