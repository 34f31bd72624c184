/* SPDX-License-Identifier: MIT */
/*
 * page.h - a result as one self-contained HTML page: what was run, the percentile curve, rate and latencies over time,
 * the tables, the command.
 *
 * It names no other file and no address and has no script, so it can be mailed, kept and opened anywhere. It is
 * well-formed XML, so that programs can read it too. page.c is the page and its tables, page_plots.c its plots.
 */
#ifndef PIPEPORT_GENERATOR_PAGE_H
#define PIPEPORT_GENERATOR_PAGE_H

#include "bench/generator/result.h"
#include "bench/generator/text.h"

void page_write(const struct result *result, struct text *text);

/* The plots, of the run of the median rate; nothing where that has nothing to show. Called by page_write. */
void page_add_percentiles(const struct result *result, struct text *text);
void page_add_times(const struct result *result, struct text *text);

/* A duration with the Greek letter in place of the u. */
void page_add_duration(double ns, struct text *text);

#endif
