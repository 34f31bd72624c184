/* SPDX-License-Identifier: MIT */
/* Metrics: every name that is one, none that is not, and what each is of a result. */
#include "bench/generator/metric.h"
#include "tests/support/made.h"

#include <criterion/criterion.h>
#include <string.h>

static const double three[] = {1000, 1200, 1100};

static bool is_metric(const char *name)
{
    struct metric metric;

    return metric_read(name, strlen(name), &metric);
}

static double value_of(const struct result *result, const char *name)
{
    struct metric metric;
    double value = -1.0;

    cr_assert(metric_read(name, strlen(name), &metric), "%s", name);
    cr_assert(metric_of(&metric, result, &value), "%s was not measured", name);
    return value;
}

static bool is_measured(const struct result *result, const char *name)
{
    struct metric metric;
    double value;

    cr_assert(metric_read(name, strlen(name), &metric), "%s", name);
    return metric_of(&metric, result, &value);
}

Test(metric, reads_every_name)
{
    static const char *const names[] = {"rate",
                                        "p50",
                                        "p99",
                                        "p99.99",
                                        "p99.999999",
                                        "p1",
                                        "p0.1",
                                        "min",
                                        "mean",
                                        "max",
                                        "errors",
                                        "connect",
                                        "lost",
                                        "refused",
                                        "damaged",
                                        "order",
                                        "missing",
                                        "cpu",
                                        "client-cpu",
                                        "memory",
                                        "server-cpu",
                                        "spread",
                                        "last.p50",
                                        "last.max",
                                        "connecting.p99",
                                        "uncorrected.p99.9",
                                        "corrected.mean"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        cr_assert(is_metric(names[i]), "%s", names[i]);
    }
}

Test(metric, refuses_what_is_none)
{
    static const char *const names[] = {"",          "p",        "p100",        "p0",     "p0.0",  "p99.",    "p.9",
                                        "p9.9.9",    "px",       "P99",         "rates",  "rat",   "last",    "last.",
                                        "last.x",    "99",       "p 99",        "p-1",    "error", "errors ", "p1e1",
                                        "last.rate", "lost.p50", "p99.9999999", "unknown"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        cr_assert_not(is_metric(names[i]), "'%s'", names[i]);
    }
}

Test(metric, tells_latencies_of_each_series)
{
    struct result result;

    made_result(&result, three, 3);
    made_open(&result);
    cr_assert_float_eq(value_of(&result, "uncorrected.p50"), 10111, 130);
    cr_assert_float_eq(value_of(&result, "uncorrected.p99"), 100e3, 1600);
    cr_assert_float_eq(value_of(&result, "uncorrected.p99.9"), 1e6, 16e3);
    cr_assert_float_eq(value_of(&result, "uncorrected.max"), 10e6, 0.1);
    cr_assert_float_eq(value_of(&result, "uncorrected.min"), 10000, 160);
    cr_assert_float_eq(value_of(&result, "uncorrected.mean"), 37000, 300);
    cr_assert_float_eq(value_of(&result, "p50"), 20e6, 1);
    cr_assert_float_eq(value_of(&result, "corrected.p50"), 20e6, 1);
    cr_assert_float_eq(value_of(&result, "connecting.max"), 80e3, 0.1);
    cr_assert_not(is_measured(&result, "last.p99"));
    result_clear(&result);
}

Test(metric, tells_no_mean_outside_of_min_and_max)
{
    static const uint64_t durations[] = {0, 1, 63, 1000, 193500, 194000, UINT64_C(1) << 42, UINT64_C(1) << 43};
    struct result result;

    for (size_t i = 0; i < sizeof(durations) / sizeof(durations[0]); i++) {
        made_result(&result, three, 1);
        made_latency(&result.runs[0], durations[i], 3);
        cr_assert_eq(value_of(&result, "mean"), value_of(&result, "min"), "%zu", i); /* As it is told: both exact. */
        cr_assert_eq(value_of(&result, "mean"), value_of(&result, "max"), "%zu", i);
        histogram_add_many(result.runs[0].corrected, durations[i] + durations[i] / 8 + 1, 1);
        cr_assert_geq(value_of(&result, "mean"), value_of(&result, "min"), "%zu", i);
        cr_assert_leq(value_of(&result, "mean"), value_of(&result, "max"), "%zu", i);
        result_clear(&result);
    }
}

Test(metric, takes_the_median_of_the_runs_and_of_two_the_worse)
{
    struct result result;

    made_result(&result, three, 3);
    made_latency(&result.runs[0], 40, 1);
    made_latency(&result.runs[1], 60, 1);
    made_latency(&result.runs[2], 50, 1);
    cr_assert_float_eq(value_of(&result, "rate"), 1100, 1e-9);
    cr_assert_float_eq(value_of(&result, "p99"), 50, 1e-9);
    cr_assert_float_eq(value_of(&result, "spread"), 1.2, 1e-9);
    result.runs_count = 2;
    cr_assert_float_eq(value_of(&result, "rate"), 1000, 1e-9);
    cr_assert_float_eq(value_of(&result, "p99"), 60, 1e-9);
    result.runs_count = 1;
    cr_assert_not(is_measured(&result, "spread"));
    result.runs_count = 3;
    result_clear(&result);
}

Test(metric, forgives_no_error_of_any_run)
{
    struct result result;

    made_result(&result, three, 3);
    cr_assert_float_eq(value_of(&result, "errors"), 0, 1e-9);
    result.runs[0].errors[RESULT_LOST] = 2;
    result.runs[2].errors[RESULT_MISSING] = 5;
    cr_assert_float_eq(value_of(&result, "errors"), 7, 1e-9);
    cr_assert_float_eq(value_of(&result, "lost"), 2, 1e-9);
    cr_assert_float_eq(value_of(&result, "order"), 0, 1e-9);
    result_clear(&result);
}

Test(metric, counts_processor_time_only_where_it_is_known)
{
    struct result result;

    made_result(&result, three, 3);
    cr_assert_float_eq(value_of(&result, "cpu"), 3000, 1e-6);
    cr_assert_float_eq(value_of(&result, "client-cpu"), 1000, 1e-6);
    cr_assert_float_eq(value_of(&result, "server-cpu"), 2000, 1e-6);
    cr_assert_not(is_measured(&result, "memory"));
    for (uint32_t i = 0; i < 3; i++) {
        result.runs[i].server_cpu_ns = 0;
        result.runs[i].server_idle_bytes = 4096 + i;
    }
    cr_assert_not(is_measured(&result, "cpu"));
    cr_assert_not(is_measured(&result, "server-cpu"));
    cr_assert_float_eq(value_of(&result, "memory"), 4097, 1e-9);
    result_clear(&result);
}
