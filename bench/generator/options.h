/* SPDX-License-Identifier: MIT */
/*
 * options.h - the command line of `pipeport-bench run`, made into a plan.
 */
#ifndef PIPEPORT_GENERATOR_OPTIONS_H
#define PIPEPORT_GENERATOR_OPTIONS_H

#include "bench/generator/plan.h"
#include "tools/pipeport/args.h"

/* Its table, for who prints help or completes words. */
extern const struct args_command options_command;

/* Fills the plan. What is wrong is one line on stderr that says what, where and what to do. */
enum args_result options_read(int count, char **arguments, struct plan *plan);

/* "10s", "500ms", "2m", "1.5" (seconds); false where it is none, or above a week. Exposed for the test. */
bool options_take_time(const char *text, uint32_t *ms);

/* "1000", "2.5K", "1M"; false where it is none, or not above 0. Exposed for the test. */
bool options_take_rate(const char *text, double *per_s);

#endif
