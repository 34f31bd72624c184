/* SPDX-License-Identifier: MIT */
/*
 * metric.h - one number of a result, by the name that people give it.
 *
 *      rate                messages a second
 *      pNN[.NN]            latency that NN per cent did not pass: p50, p99, p99.99; in an open loop the corrected one
 *      min, mean, max      likewise
 *      SERIES.p99 ...      the same of another series: `uncorrected`, `last` (broadcast: to the last receiver),
 *                          `connecting`
 *      errors              of all kinds; connect, lost, refused, damaged, order, missing: of one
 *      cpu                 processor time of client and server a message; client-cpu, server-cpu
 *      memory              resident bytes of the server a connection (mode idle)
 *      spread              highest rate of the runs by their lowest
 *
 * Of several runs a metric is their median (of two in the middle the worse one), except that errors are added up: none
 * is forgiven.
 */
#ifndef PIPEPORT_GENERATOR_METRIC_H
#define PIPEPORT_GENERATOR_METRIC_H

#include <stdbool.h>
#include <stddef.h>

#include "bench/generator/figure.h"
#include "bench/generator/result.h"

/* What a metric's value is in. */
enum metric_unit {
    METRIC_RATE, /* A second. */
    METRIC_TIME, /* Nanoseconds. */
    METRIC_COUNT,
    METRIC_BYTES,
    METRIC_RATIO
};

enum metric_series { METRIC_CORRECTED, METRIC_UNCORRECTED, METRIC_LAST, METRIC_CONNECTING };

enum metric_kind {
    METRIC_KIND_RATE,
    METRIC_KIND_SHARE, /* Of a series. */
    METRIC_KIND_MIN,
    METRIC_KIND_MEAN,
    METRIC_KIND_MAX,
    METRIC_KIND_ERRORS,
    METRIC_KIND_ERROR, /* Of one kind. */
    METRIC_KIND_CPU,
    METRIC_KIND_CLIENT_CPU,
    METRIC_KIND_SERVER_CPU,
    METRIC_KIND_MEMORY,
    METRIC_KIND_SPREAD
};

struct metric {
    enum metric_kind kind;
    enum metric_series series; /* Of shares, min, mean and max. */
    enum result_error error;   /* METRIC_KIND_ERROR */
    double share;              /* METRIC_KIND_SHARE: 0.0-1.0 */
};

#define METRIC_NAMES                                                                                                   \
    "rate, p50 to p99.9999, min, mean, max (each also of uncorrected., last. and connecting.), errors, connect, "      \
    "lost, "                                                                                                           \
    "refused, damaged, order, missing, cpu, client-cpu, server-cpu, memory, spread"

/* False where these `length` bytes name none. */
bool metric_read(const char *name, size_t length, struct metric *metric);

enum metric_unit metric_unit(const struct metric *metric);
bool metric_is_better_low(const struct metric *metric);

/* Of one run; false where it was not measured. METRIC_KIND_SPREAD is of no single run. */
bool metric_of_run(const struct metric *metric, const struct result_run *run, double *value);

/* Of all runs, as above. */
bool metric_of(const struct metric *metric, const struct result *result, double *value);

/* For people, with its unit. */
const char *metric_figure(const struct metric *metric, double value, struct figure *figure);

/* "connect", "lost", ...; static. */
const char *metric_error_name(enum result_error error);

#endif
