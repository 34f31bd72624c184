/* SPDX-License-Identifier: MIT */
/* The tools' histogram: every duration has one bucket, and shares come out within its width. */
#include "tools/pipeport/histogram.h"

#include <criterion/criterion.h>

Test(histogram, gives_every_duration_a_bucket_that_ends_close_above_it)
{
    uint64_t ns = 0;

    while (ns < UINT64_C(1) << HISTOGRAM_TOP_BIT) {
        uint64_t end = histogram_bucket_end_ns(histogram_bucket(ns));

        cr_assert_leq(ns, end);
        cr_assert_leq(end - ns, ns / HISTOGRAM_STEPS, "%llu ends at %llu", (unsigned long long) ns,
                      (unsigned long long) end);
        ns += ns / 1000 + 1;
    }
}

Test(histogram, joins_its_buckets_without_gaps)
{
    for (size_t i = 0; i + 1 < HISTOGRAM_BUCKETS; i++) {
        uint64_t end = histogram_bucket_end_ns(i);

        cr_assert_eq(histogram_bucket(end), i);
        cr_assert_eq(histogram_bucket(end + 1), i + 1);
    }
}

Test(histogram, counts_what_is_too_long_in_the_last_bucket)
{
    cr_assert_eq(histogram_bucket(UINT64_C(1) << HISTOGRAM_TOP_BIT), HISTOGRAM_BUCKETS - 1);
    cr_assert_eq(histogram_bucket(UINT64_MAX), HISTOGRAM_BUCKETS - 1);
}

Test(histogram, tells_shares_and_the_longest)
{
    struct histogram *histogram = histogram_create();

    cr_assert_not_null(histogram);
    cr_assert_eq(histogram_share_ns(histogram, 0.5), 0);
    for (uint64_t us = 1; us <= 10000; us++) {
        histogram_add(histogram, us * 1000);
    }
    cr_assert_eq(histogram_count(histogram), 10000);
    cr_assert_eq(histogram_longest_ns(histogram), 10000000);
    cr_assert_geq(histogram_share_ns(histogram, 0.5), 5000000);
    cr_assert_leq(histogram_share_ns(histogram, 0.5), 5080000);
    cr_assert_geq(histogram_share_ns(histogram, 0.99), 9900000);
    cr_assert_leq(histogram_share_ns(histogram, 0.99), 10000000);
    cr_assert_eq(histogram_share_ns(histogram, 1.0), 10000000);
    histogram_destroy(histogram);
}

Test(histogram, never_tells_a_share_above_the_longest)
{
    struct histogram *histogram = histogram_create();

    cr_assert_not_null(histogram);
    histogram_add(histogram, 1000001);
    cr_assert_eq(histogram_share_ns(histogram, 0.5), 1000001);
    histogram_destroy(histogram);
}
