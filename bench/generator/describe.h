/* SPDX-License-Identifier: MIT */
/*
 * describe.h - what was run, and what its errors mean, in words that the summary and the page share.
 */
#ifndef PIPEPORT_GENERATOR_DESCRIBE_H
#define PIPEPORT_GENERATOR_DESCRIBE_H

#include <stdbool.h>

#include "bench/generator/result.h"
#include "bench/generator/text.h"

/* "ping-pong, 64 connections, 64 bytes" */
void describe_load(const struct plan *plan, struct text *text);

/* "closed loop, 10 s after 1 s of warm-up" */
void describe_course(const struct plan *plan, struct text *text);

/* "9,000 of 10,000 planned", and where that is too few, what it means: how far the plan of an open loop came about. Of
 * broadcasts those that reached all. */
void describe_planned(const struct plan *plan, const struct result_run *run, struct text *text);

/* "8 connections, 20.0/s of 20.0/s planned": how many were killed in this run. */
void describe_killed(const struct plan *plan, const struct result_run *run, struct text *text);

/* "64 bytes", "64 to 1,024 bytes", "64 bytes (3 of 4), 65,536 bytes (1 of 4)" */
void describe_sizes(const struct plan *plan, struct text *text);

/* What so many `messages` of a run are: "messages", "deliveries", "visits", or "message" for one; static. */
const char *describe_noun(enum plan_mode mode, uint64_t count);

/* True where latencies are counted from planned moments, so that corrected and uncorrected ones differ. */
bool describe_is_open_loop(const struct plan *plan);

/* What happened, and what to do; static, each one sentence without its end. */
const char *describe_error(enum result_error error);
const char *describe_cure(enum result_error error);

#endif
