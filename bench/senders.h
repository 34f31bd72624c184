/* SPDX-License-Identifier: MIT */
/*
 * senders.h - one message to every connection, each by a send of its own: from inside an event, or from threads that
 * are not the engine's. What bench/compare sets side by side.
 */
#ifndef PIPEPORT_BENCH_SENDERS_H
#define PIPEPORT_BENCH_SENDERS_H

#include <pipeport.h>

#include <stddef.h>
#include <stdint.h>

struct senders;

/* `threads` foreign threads; 0: who calls senders_send sends by itself. Ends the program where one cannot be had. */
struct senders *senders_create(pipeport_engine *engine, uint32_t connections_max, uint32_t threads);

/* The targets. Answers a place, for senders_leave. Thread: any, for different connections at once. */
void *senders_join(struct senders *senders, pipeport_conn conn);
void senders_leave(struct senders *senders, void *place);

/* One message to all: the threads take turns. Thread: one at a time. */
void senders_send(struct senders *senders, const void *data, size_t length);

/* Ends the threads; what waits is sent before. Owner: `senders` is gone; NULL is fine. */
void senders_destroy(struct senders *senders);

#endif
