/* SPDX-License-Identifier: MIT */
/*
 * made.h - results of the load generator made by hand, for the tests of what is told of them.
 */
#ifndef PIPEPORT_TESTS_MADE_H
#define PIPEPORT_TESTS_MADE_H

#include "bench/generator/result.h"

#define MADE_RUNS_MAX 16

/* Runs of ping-pong, 10 connections, 64 bytes, closed loop, 10 s each, of these rates, without errors. Each run has
 * 1,000 latencies: 900 of 10 us, 90 of 100 us, 9 of 1 ms and one of 10 ms; two connections that took 50 and 80 us; two
 * seconds; and a processor time of 1 us a message of the client, 2 us of the server. */
void made_result(struct result *result, const double *rates, uint32_t count);

/* Instead of what the run has: each of the latencies so often. Of open loops the corrected ones. */
void made_latency(struct result_run *run, uint64_t ns, uint64_t count);

/* The result becomes one of an open loop at 1,000/s: corrected latencies are those from made_result and twice as many
 * of 20 ms; what was planned has come. */
void made_open(struct result *result);

#endif
