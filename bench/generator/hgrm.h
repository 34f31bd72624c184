/* SPDX-License-Identifier: MIT */
/*
 * hgrm.h - a histogram as HdrHistogram's outputPercentileDistribution prints it, so that its plotter and whatever else
 * reads .hgrm files can read ours.
 *
 * Values are microseconds with three digits. Percentiles come as there: five steps to each half of the distance that
 * is left to 100 %.
 */
#ifndef PIPEPORT_GENERATOR_HGRM_H
#define PIPEPORT_GENERATOR_HGRM_H

#include "bench/generator/text.h"
#include "tools/pipeport/histogram.h"

/* NULL is an empty histogram. */
void hgrm_write(const struct histogram *histogram, struct text *text);

#endif
