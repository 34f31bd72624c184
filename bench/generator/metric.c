/* SPDX-License-Identifier: MIT */
#include "bench/generator/metric.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/generator/distribution.h"

#define METRIC_SHARE_DIGITS 6 /* Behind the point: p99.999999 is one in a hundred million. */

static bool metric_is(const char *name, size_t length, const char *word)
{
    return strlen(word) == length && memcmp(name, word, length) == 0;
}

const char *metric_error_name(enum result_error error)
{
    switch (error) {
    case RESULT_CONNECT:
        return "connect";
    case RESULT_LOST:
        return "lost";
    case RESULT_REFUSED:
        return "refused";
    case RESULT_DAMAGED:
        return "damaged";
    case RESULT_ORDER:
        return "order";
    case RESULT_MISSING:
        return "missing";
    case RESULT_ERRORS:
        break;
    }
    return "unknown";
}

/* "99.9", two digits and a few more behind a point. */
static bool metric_read_share(const char *digits, size_t length, double *share)
{
    char copy[METRIC_SHARE_DIGITS + 4];
    size_t whole = 0;

    if (length == 0 || length >= sizeof(copy)) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        bool is_digit = digits[i] >= '0' && digits[i] <= '9';

        if (!is_digit && !(digits[i] == '.' && whole == 0 && i > 0 && i + 1 < length)) {
            return false;
        }
        whole = digits[i] == '.' ? i : whole;
    }
    whole = whole == 0 ? length : whole;
    if (whole > 2) {
        return false;
    }
    memcpy(copy, digits, length);
    copy[length] = '\0';
    *share = strtod(copy, NULL) / 100.0;
    return *share > 0.0;
}

static bool metric_read_latency(const char *name, size_t length, struct metric *metric)
{
    static const struct {
        const char *word;
        enum metric_kind kind;
    } words[] = {{"min", METRIC_KIND_MIN}, {"mean", METRIC_KIND_MEAN}, {"max", METRIC_KIND_MAX}};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (metric_is(name, length, words[i].word)) {
            metric->kind = words[i].kind;
            return true;
        }
    }
    metric->kind = METRIC_KIND_SHARE;
    return length > 1 && name[0] == 'p' && metric_read_share(name + 1, length - 1, &metric->share);
}

bool metric_read(const char *name, size_t length, struct metric *metric)
{
    static const char *const series[] = {"corrected.", "uncorrected.", "last.", "connecting."};
    static const struct {
        const char *word;
        enum metric_kind kind;
    } words[] = {{"rate", METRIC_KIND_RATE},
                 {"errors", METRIC_KIND_ERRORS},
                 {"cpu", METRIC_KIND_CPU},
                 {"memory", METRIC_KIND_MEMORY},
                 {"client-cpu", METRIC_KIND_CLIENT_CPU},
                 {"spread", METRIC_KIND_SPREAD},
                 {"server-cpu", METRIC_KIND_SERVER_CPU}};

    memset(metric, 0, sizeof(*metric));
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (metric_is(name, length, words[i].word)) {
            metric->kind = words[i].kind;
            return true;
        }
    }
    for (int i = 0; i < RESULT_ERRORS; i++) {
        if (metric_is(name, length, metric_error_name((enum result_error) i))) {
            metric->kind = METRIC_KIND_ERROR;
            metric->error = (enum result_error) i;
            return true;
        }
    }
    for (size_t i = 0; i < sizeof(series) / sizeof(series[0]); i++) {
        size_t prefix = strlen(series[i]);

        if (length > prefix && memcmp(name, series[i], prefix) == 0) {
            metric->series = (enum metric_series) i;
            return metric_read_latency(name + prefix, length - prefix, metric);
        }
    }
    return metric_read_latency(name, length, metric);
}

enum metric_unit metric_unit(const struct metric *metric)
{
    switch (metric->kind) {
    case METRIC_KIND_RATE:
        return METRIC_RATE;
    case METRIC_KIND_SHARE:
    case METRIC_KIND_MIN:
    case METRIC_KIND_MEAN:
    case METRIC_KIND_MAX:
    case METRIC_KIND_CPU:
    case METRIC_KIND_CLIENT_CPU:
    case METRIC_KIND_SERVER_CPU:
        return METRIC_TIME;
    case METRIC_KIND_ERRORS:
    case METRIC_KIND_ERROR:
        return METRIC_COUNT;
    case METRIC_KIND_MEMORY:
        return METRIC_BYTES;
    case METRIC_KIND_SPREAD:
        return METRIC_RATIO;
    }
    return METRIC_COUNT;
}

bool metric_is_better_low(const struct metric *metric)
{
    return metric->kind != METRIC_KIND_RATE;
}

static const struct histogram *metric_histogram(const struct metric *metric, const struct result_run *run)
{
    switch (metric->series) {
    case METRIC_CORRECTED:
        return run->corrected;
    case METRIC_UNCORRECTED:
        return run->service;
    case METRIC_LAST:
        return run->last;
    case METRIC_CONNECTING:
        return run->connecting;
    }
    return NULL;
}

static bool metric_of_series(const struct metric *metric, const struct result_run *run, double *value)
{
    const struct histogram *histogram = metric_histogram(metric, run);

    if (!distribution_has_any(histogram)) {
        return false;
    }
    if (metric->kind == METRIC_KIND_SHARE) {
        *value = (double) histogram_share_ns(histogram, metric->share);
    } else if (metric->kind == METRIC_KIND_MIN) {
        *value = (double) distribution_shortest_ns(histogram);
    } else if (metric->kind == METRIC_KIND_MEAN) {
        *value = distribution_mean_ns(histogram);
    } else {
        *value = (double) histogram_longest_ns(histogram);
    }
    return true;
}

/* Processor time of whom it is known, a message. */
static bool metric_of_cpu(uint64_t client_ns, uint64_t server_ns, uint64_t messages, double *value)
{
    if (messages == 0 || client_ns + server_ns == 0) {
        return false;
    }
    *value = (double) (client_ns + server_ns) / (double) messages;
    return true;
}

bool metric_of_run(const struct metric *metric, const struct result_run *run, double *value)
{
    switch (metric->kind) {
    case METRIC_KIND_RATE:
        *value = result_rate(run);
        return run->measured_ns > 0;
    case METRIC_KIND_SHARE:
    case METRIC_KIND_MIN:
    case METRIC_KIND_MEAN:
    case METRIC_KIND_MAX:
        return metric_of_series(metric, run, value);
    case METRIC_KIND_ERRORS:
        *value = (double) result_errors(run);
        return true;
    case METRIC_KIND_ERROR:
        *value = (double) run->errors[metric->error];
        return true;
    case METRIC_KIND_CPU:
        return run->server_cpu_ns > 0 && metric_of_cpu(run->client_cpu_ns, run->server_cpu_ns, run->messages, value);
    case METRIC_KIND_CLIENT_CPU:
        return metric_of_cpu(run->client_cpu_ns, 0, run->messages, value);
    case METRIC_KIND_SERVER_CPU:
        return metric_of_cpu(0, run->server_cpu_ns, run->messages, value);
    case METRIC_KIND_MEMORY:
        *value = (double) run->server_idle_bytes;
        return run->server_idle_bytes > 0;
    case METRIC_KIND_SPREAD:
        return false;
    }
    return false;
}

static int metric_compare(const void *left, const void *right)
{
    double a = *(const double *) left, b = *(const double *) right;

    return (a > b) - (a < b);
}

bool metric_of(const struct metric *metric, const struct result *result, double *value)
{
    bool adds = metric->kind == METRIC_KIND_ERRORS || metric->kind == METRIC_KIND_ERROR;
    double *values, sum = 0.0;
    uint32_t count = 0;

    if (metric->kind == METRIC_KIND_SPREAD) {
        *value = result_spread(result);
        return result->runs_count > 1;
    }
    values = calloc(result->runs_count == 0 ? 1 : result->runs_count, sizeof(*values));
    if (values == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < result->runs_count; i++) {
        if (metric_of_run(metric, &result->runs[i], &values[count])) {
            sum += values[count++];
        }
    }
    qsort(values, count, sizeof(*values), metric_compare);
    if (count > 0) {
        *value = adds ? sum : values[metric_is_better_low(metric) ? count / 2 : (count - 1) / 2];
    }
    free(values);
    return count > 0;
}

const char *metric_figure(const struct metric *metric, double value, struct figure *figure)
{
    switch (metric_unit(metric)) {
    case METRIC_RATE:
        return figure_rate(figure, value);
    case METRIC_TIME:
        return figure_duration(figure, value);
    case METRIC_COUNT:
        return figure_count(figure, (uint64_t) value);
    case METRIC_BYTES:
        return figure_bytes(figure, value);
    case METRIC_RATIO:
        snprintf(figure->text, sizeof(figure->text), "%.2f", value);
        return figure->text;
    }
    return "";
}
