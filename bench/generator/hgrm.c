/* SPDX-License-Identifier: MIT */
#include "bench/generator/hgrm.h"

#include <inttypes.h>
#include <math.h>

#include "bench/generator/distribution.h"

#define HGRM_TICKS 5 /* Steps to each half of what is left. */

/* HdrHistogram's arithmetic, kept to the letter: its rows are told apart by this percentile. */
static double hgrm_next_level(double level)
{
    double halvings = floor(log(100.0 / (100.0 - level)) / log(2.0));
    double next = level + 100.0 / (HGRM_TICKS * pow(2.0, halvings + 1.0));

    return next > level ? next : 100.0; /* Steps that a double no longer holds lead to the end. */
}

void hgrm_write(const struct histogram *histogram, struct text *text)
{
    struct distribution at = distribution_of(histogram);
    uint64_t count = histogram == NULL ? 0 : histogram_count(histogram);
    double longest = histogram == NULL ? 0.0 : (double) histogram_longest_ns(histogram);
    double level = 0.0;

    text_add(text, "%12s %14s %10s %14s\n\n", "Value", "Percentile", "TotalCount", "1/(1-Percentile)");
    while (distribution_next(&at)) {
        /* A bucket that reaches over several levels is printed for each; the last one once, and then for all. */
        while (level < 100.0 && 100.0 * (double) at.until / (double) count >= level) {
            text_add(text, "%12.3f %2.12f %10" PRIu64 " %14.2f\n", (double) at.ns / 1e3, level / 100.0, at.until,
                     1.0 / (1.0 - level / 100.0));
            level = hgrm_next_level(level);
            if (at.until == count) {
                break;
            }
        }
    }
    if (count > 0) {
        text_add(text, "%12.3f %2.12f %10" PRIu64 "\n", longest / 1e3, 1.0, count);
    }
    text_add(text, "#[Mean    = %12.3f, StdDeviation   = %12.3f]\n", distribution_mean_ns(histogram) / 1e3,
             distribution_deviation_ns(histogram) / 1e3);
    text_add(text, "#[Max     = %12.3f, Total count    = %12" PRIu64 "]\n", longest / 1e3, count);
    text_add(text, "#[Buckets = %12d, SubBuckets     = %12d]\n", HISTOGRAM_TOP_BIT - HISTOGRAM_STEP_BITS,
             (int) (2 * HISTOGRAM_STEPS));
}
