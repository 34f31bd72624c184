/* SPDX-License-Identifier: MIT */
/*
 * plan.h - what a run of the load generator is to do, as its command line says it.
 *
 * Filled by options.c, read by everybody else and never changed once a run has begun.
 */
#ifndef PIPEPORT_GENERATOR_PLAN_H
#define PIPEPORT_GENERATOR_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/include/pipeport.h"

enum plan_mode {
    PLAN_PING_PONG, /* One message in flight on each connection; its echo brings the next. */
    PLAN_PIPELINED, /* `depth` of them. */
    PLAN_ONE_WAY,   /* Only sent; what counts is what the system took. */
    PLAN_BROADCAST, /* One asks, all receive: deliveries, and the time to the last receiver. */
    PLAN_CHURN,     /* Connect, exchange one message, close. */
    PLAN_IDLE       /* Connect and hold: what a connection costs the server in memory. */
};

#define PLAN_SIZES_MAX 64

/* Messages of min to max bytes, evenly spread. Which of a list is due is drawn by weight. */
struct plan_size {
    uint32_t min_bytes, max_bytes;
    uint32_t weight; /* At least 1. */
};

struct plan {
    enum plan_mode mode;
    const char *name;         /* The pipe's; with `self` the one that is made for it. */
    bool self;                /* The server is our own, in a process of its own. */
    uint32_t connections;     /* 1-65,536 */
    uint32_t threads;         /* Workers of the client's engine. */
    uint32_t depth;           /* Messages in flight on each connection, at most; broadcast: in all. */
    uint32_t ramp_per_s;      /* Connections begun a second; 0 as fast as they come. */
    uint32_t duration_ms;     /* Measured time; 0 where `count` bounds the run. */
    uint64_t count;           /* Measured messages of all connections; 0 where `duration_ms` bounds it. */
    uint32_t warmup_ms;       /* Not measured, before it. */
    double rate_per_s;        /* Open loop: messages of all connections planned a second; 0 closed loop. */
    uint32_t slow_percent;    /* So many of 100 connections never read. */
    double kill_per_s;        /* Connections aborted, and dialled anew, a second; no slow readers. */
    bool verify;              /* Sequence and checksum of each message; otherwise its length only. */
    uint64_t seed;            /* Sizes, contents, who is killed: all choices grow from it. */
    uint32_t repeat;          /* Runs; 1 by default. */
    uint32_t server_pid;      /* Given by hand; 0: whoever the first connection finds at the other end. */
    uint32_t silence_ms;      /* So long nothing at all may come while something is due; then the run ends. */
    const char *framing_text; /* As it was typed. */
    pipeport_framing framing;
    struct plan_size sizes[PLAN_SIZES_MAX];
    uint32_t sizes_count;
    const char *json, *hgrm, *html; /* Files to write, or NULL. */
    const char *assertions;         /* "p99<200us,errors=0", or NULL. */
};

/* "ping-pong", as the command line has it; static. */
const char *plan_mode_text(enum plan_mode mode);

/* So many of the connections are no slow readers; at least 1. */
uint32_t plan_readers(const struct plan *plan);

#endif
