/* SPDX-License-Identifier: MIT */
/*
 * visit.h - what one visit of the load to one server found.
 */
#ifndef PIPEPORT_GENERATOR_VISIT_H
#define PIPEPORT_GENERATOR_VISIT_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/generator/rival.h"

struct visit {
    double rate;                                    /* Messages, deliveries or visits a second; RIVAL_IDLE: 0. */
    double cpu_us;                                  /* Of the server, a message; 0 where it is not known. */
    double p50_us, p90_us, p99_us, p999_us, max_us; /* Round trips. */
    double load_busy;       /* How much of a processor the load took; 0 where it is not known. */
    double memory_bytes;    /* RIVAL_IDLE: resident bytes of the server a connection; else 0. */
    uint64_t messages, all; /* Counted; and with those of the warm-up and of the end. */
};

/* The last line of the load. False: it is not that of a load with which all was well. */
bool visit_read(const char *line, struct visit *visit);

/* What is compared in that mode. */
double visit_figure(const struct visit *visit, enum rival_mode mode);

#endif
