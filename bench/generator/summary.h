/* SPDX-License-Identifier: MIT */
/*
 * summary.h - what a run found, for people at a terminal: lines of 100 columns without colours.
 *
 * Of several runs each figure is their median, with the lowest and the highest beside it. Where the rates lie farther
 * apart than RESULT_UNSTABLE_SPREAD, the word "unstable" stands in the place of the rate.
 */
#ifndef PIPEPORT_GENERATOR_SUMMARY_H
#define PIPEPORT_GENERATOR_SUMMARY_H

#include "bench/generator/result.h"
#include "bench/generator/text.h"

void summary_write(const struct result *result, struct text *text);

#endif
