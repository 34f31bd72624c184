/* SPDX-License-Identifier: MIT */
/*
 * result.h - what a run of the load generator found, whole: every report is made of this and of nothing else.
 *
 * A result holds the runs of one command, as many as --repeat said. It is written as JSON and read back from it, so
 * that two of them can be compared long after.
 */
#ifndef PIPEPORT_GENERATOR_RESULT_H
#define PIPEPORT_GENERATOR_RESULT_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/generator/plan.h"
#include "tools/pipeport/histogram.h"

#define RESULT_UNSTABLE_SPREAD 1.35 /* Highest rate of the runs by their lowest; above it a median claims nothing. */
#define RESULT_SPREAD_ENDLESS 1e9   /* Where a run brought nothing and another did. */

/* What went wrong, counted; each is told apart because each has another cure. */
enum result_error {
    RESULT_CONNECT, /* A connection could not be made within its time. */
    RESULT_LOST,    /* Ended by the peer or the system while messages were due, and not by --kill-rate. */
    RESULT_REFUSED, /* A message was not accepted for sending: the send queue or the memory is at its bound. */
    RESULT_DAMAGED, /* Length, checksum or whose it is. */
    RESULT_ORDER,   /* Lost, doubled or overtaken. */
    RESULT_MISSING, /* Sent and never answered by the end of the run. */
    RESULT_ERRORS
};

/* One second of a run; the last may be shorter. */
struct result_second {
    uint64_t begin_ns, end_ns; /* From the run's measured begin. */
    uint64_t messages, bytes;  /* Completed within it. */
    uint64_t errors;
    uint64_t p50_ns, p99_ns, longest_ns; /* Corrected, of those completed within it. */
    uint32_t connected;                  /* At its end. */
};

/* One run. Durations that were never measured have count 0. */
struct result_run {
    uint64_t measured_ns;
    uint64_t messages; /* Completed in the measured time: echoed, delivered, visits or sent, by mode. */
    uint64_t bytes;    /* Their lengths, without framing. */
    uint64_t planned;  /* Open loop: planned in the measured time; else 0. */
    uint64_t errors[RESULT_ERRORS];
    struct histogram *service;    /* From the send itself: what a closed loop sees. Owner: the result. */
    struct histogram *corrected;  /* From the planned moment (open loop); in a closed loop `service`, or its like. */
    struct histogram *last;       /* Broadcast: until the last receiver had it. NULL in other modes. */
    struct histogram *connecting; /* Dial to connected. */
    uint64_t client_cpu_ns;       /* Of this process in the measured time. */
    uint64_t server_cpu_ns;       /* Of the server in it; 0 where its process is not known. */
    uint64_t server_idle_bytes;   /* Idle mode: resident bytes of the server a connection; 0 where not known. */
    uint64_t killed;              /* By --kill-rate. */
    uint64_t late_p50_ns, late_p99_ns; /* Open loop: how late the generator itself sent what it had planned; else 0. */
    struct result_second *seconds;     /* Owner: the result. */
    uint32_t seconds_count;
    uint32_t connected; /* The most at once. */
};

struct result {
    struct plan plan;    /* Its texts point into `texts` where it was read from a file. */
    const char *command; /* As it was typed. */
    const char *machine; /* "AMD EPYC, 2 processors, Linux 6.1" */
    const char *began;   /* UTC, "2026-01-31T12:00:00Z" */
    const char *version; /* Of pipeport. */
    const char *build;   /* What it was compiled by, and how: "gcc 12.2.0, Release"; NULL: not known. */
    const char *driver;  /* "epoll", "io_uring", "iocp" */
    struct result_run *runs;
    uint32_t runs_count;
    bool interrupted; /* Ended by Ctrl-C: what was measured until then. */
    char *texts;      /* Owner: the result; what a file's texts lie in, or NULL. */
};

/* Messages a second of a run; 0 where no time passed. */
double result_rate(const struct result_run *run);

/* Sum of its errors. */
uint64_t result_errors(const struct result_run *run);

/* The run of the median rate (the lower of the middle two), for everything that shows one run; NULL where there is
 * none. */
const struct result_run *result_median(const struct result *result);

/* Highest rate of the runs by their lowest; 1.0 for one run, or where all are 0. */
double result_spread(const struct result *result);

/* Frees what it owns; a result of zeros is allowed. */
void result_clear(struct result *result);

#endif
