/* SPDX-License-Identifier: MIT */
/*
 * live.h - the line that tells how a run goes, on a terminal and nowhere else. Thread: main; so all of these.
 */
#ifndef PIPEPORT_GENERATOR_LIVE_H
#define PIPEPORT_GENERATOR_LIVE_H

#include "bench/generator/load.h"

struct live;

/* NULL: no memory. Where there is no terminal it stays silent. */
struct live *live_create(const struct load *load);

void live_connecting(struct live *live, uint32_t settled);
void live_running(struct live *live, uint64_t now_ns);

/* Clears the line and frees; NULL is fine. */
void live_end(struct live *live);

#endif
