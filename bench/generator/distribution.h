/* SPDX-License-Identifier: MIT */
/*
 * distribution.h - a histogram read from its shortest duration to its longest, bucket by bucket.
 *
 * A bucket stands for its longest duration, and the last one for the longest that was added, so that no share is told
 * too short. Only for histograms to which nobody adds any more.
 */
#ifndef PIPEPORT_GENERATOR_DISTRIBUTION_H
#define PIPEPORT_GENERATOR_DISTRIBUTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/pipeport/histogram.h"

struct distribution {
    const struct histogram *histogram;
    size_t next;    /* The bucket to look at next. */
    uint64_t ns;    /* Of the bucket that was found. */
    uint64_t count; /* How many are in it. */
    uint64_t until; /* How many are in it and before it. */
};

/* For a walk: `struct distribution at = distribution_of(histogram); while (distribution_next(&at)) ...`. NULL is an
 * empty histogram. */
struct distribution distribution_of(const struct histogram *histogram);

/* The next bucket that holds something; false where there is none. */
bool distribution_next(struct distribution *distribution);

/* 0 where nothing was added. From the middle of each bucket, so within 0.8 per cent; the mean is never
 * below the shortest nor above the longest as they are told here. */
double distribution_mean_ns(const struct histogram *histogram);
double distribution_deviation_ns(const struct histogram *histogram);

/* The shortest, to its bucket's width. */
uint64_t distribution_shortest_ns(const struct histogram *histogram);

/* True where something was added; NULL holds nothing. */
bool distribution_has_any(const struct histogram *histogram);

#endif
