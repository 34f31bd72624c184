/* SPDX-License-Identifier: MIT */
/*
 * peers_report.h - a contest as a table for people, and as JSON, which docs/BENCH.md tells of.
 */
#ifndef PIPEPORT_GENERATOR_PEERS_REPORT_H
#define PIPEPORT_GENERATOR_PEERS_REPORT_H

#include "bench/generator/contest.h"
#include "bench/generator/text.h"

#define PEERS_REPORT_FORMAT "pipeport-bench-peers"
#define PEERS_REPORT_VERSION 1

void peers_report_table(const struct contest *contest, struct text *text);
void peers_report_json(const struct contest *contest, struct text *text);

/* Who there is, before anything is started. */
void peers_report_list(const struct contest *contest, struct text *text);

#endif
