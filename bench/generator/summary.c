/* SPDX-License-Identifier: MIT */
#include "bench/generator/summary.h"

#include <string.h>

#include "bench/generator/describe.h"
#include "bench/generator/distribution.h"
#include "bench/generator/metric.h"

#define SUMMARY_RANGE_COLUMNS 24 /* Of "  lowest to highest" beside a median. */

/* A metric by a name that is known to be one. */
static struct metric summary_metric(const char *name)
{
    struct metric metric;

    metric_read(name, strlen(name), &metric);
    return metric;
}

/* Lowest and highest of the runs; false where fewer than two have it. */
static bool summary_range(const struct metric *metric, const struct result *result, double *lowest, double *highest)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < result->runs_count; i++) {
        double value;

        if (metric_of_run(metric, &result->runs[i], &value)) {
            *lowest = count == 0 || value < *lowest ? value : *lowest;
            *highest = count == 0 || value > *highest ? value : *highest;
            count++;
        }
    }
    return count > 1;
}

static void summary_add_head(const struct result *result, struct text *text)
{
    text_add(text, "pipeport %s (%s) on %s, %s\n", result->version, result->driver, result->machine, result->began);
    describe_load(&result->plan, text);
    text_add(text, ", ");
    describe_course(&result->plan, text);
    if (result->runs_count < result->plan.repeat) {
        text_add(text, "; %u of %u runs", (unsigned) result->runs_count, (unsigned) result->plan.repeat);
    } else if (result->runs_count > 1) {
        text_add(text, "; %u runs", (unsigned) result->runs_count);
    }
    text_add(text, "\n%s\n", result->interrupted ? "interrupted: this is what was measured until then\n" : "");
}

static void summary_add_rate(const struct result *result, const struct result_run *run, struct text *text)
{
    struct metric rate = summary_metric("rate");
    double lowest, highest, spread = result_spread(result);
    struct figure one, other, count, time;
    bool many = summary_range(&rate, result, &lowest, &highest);

    if (result->plan.mode == PLAN_IDLE) {
        text_add(text, "%-14s%s connections for %s\n", "held", figure_count(&one, run->connected),
                 figure_duration(&time, (double) run->measured_ns));
        return;
    }
    if (many && spread > RESULT_UNSTABLE_SPREAD) {
        text_add(text, "%-14sunstable: %s to %s in %u runs, spread %.2f\n", "throughput", figure_rate(&one, lowest),
                 figure_rate(&other, highest), (unsigned) result->runs_count, spread);
        text_add(text, "%-14sno figure is claimed; try a quiet machine, a longer --duration, more --repeat\n", "");
        return;
    }
    text_add(text, "%-14s%s, ", "throughput", figure_rate(&one, result_rate(run)));
    text_add(text, "%s/s; %s %s in %s\n", figure_bytes(&other, say_rate(run->bytes, run->measured_ns)),
             figure_count(&count, run->messages), describe_noun(result->plan.mode, run->messages),
             figure_duration(&time, (double) run->measured_ns));
    if (many) {
        text_add(text, "%-14s%s to %s in %u runs, spread %.2f\n", "", figure_rate(&one, lowest),
                 figure_rate(&other, highest), (unsigned) result->runs_count, spread);
    }
}

static void summary_add_plan(const struct result *result, const struct result_run *run, struct text *text)
{
    struct figure half, most;

    if (!describe_is_open_loop(&result->plan) || run->planned == 0) {
        return;
    }
    text_add(text, "%-14s", "plan");
    describe_planned(&result->plan, run, text);
    text_add(text, "\n%-14s", "lateness");
    text_add(text, "the generator itself sent p50 %s, p99 %s", figure_duration(&half, (double) run->late_p50_ns),
             figure_duration(&most, (double) run->late_p99_ns));
    text_add(text, " after the plan\n");
}

static void summary_add_killed(const struct result *result, const struct result_run *run, struct text *text)
{
    if (result->plan.kill_per_s > 0.0) {
        text_add(text, "%-14s", "killed");
        describe_killed(&result->plan, run, text);
        text_add(text, "\n");
    }
}

/* Without the blanks that a padded column leaves. */
static void summary_end_line(struct text *text)
{
    while (text->length > 0 && text->bytes[text->length - 1] == ' ') {
        text->length--;
    }
    text_add(text, "\n");
}

/* A column of latencies. */
struct summary_column {
    const char *title;
    const char *prefix; /* Of its metrics' names. */
};

static uint32_t summary_columns(const struct result *result, const struct result_run *run,
                                struct summary_column columns[3])
{
    uint32_t count = 0;

    if (describe_is_open_loop(&result->plan)) {
        columns[count++] = (struct summary_column){"corrected", "corrected."};
        columns[count++] = (struct summary_column){"uncorrected", "uncorrected."};
    } else if (distribution_has_any(run->corrected)) {
        columns[count++] = (struct summary_column){"each message", "corrected."};
    }
    if (distribution_has_any(run->last)) {
        columns[count++] = (struct summary_column){"last receiver", "last."};
    }
    return count;
}

static void summary_add_cell(const struct result *result, const char *prefix, const char *row, struct text *text)
{
    struct text name = {NULL, 0, 0, false};
    struct figure figure, lowest_figure;
    double value, lowest, highest;
    struct metric metric;

    text_add(&name, "%s%s", prefix, row);
    if (!metric_read(text_string(&name), name.length, &metric) || !metric_of(&metric, result, &value)) {
        text_add(text, "%14s", "-");
    } else {
        text_add(text, "%14s", metric_figure(&metric, value, &figure));
        if (summary_range(&metric, result, &lowest, &highest)) {
            text_add(text, "  %9s to %-9s", metric_figure(&metric, lowest, &lowest_figure),
                     metric_figure(&metric, highest, &figure));
        }
    }
    text_clear(&name);
}

static void summary_add_latency(const struct result *result, const struct result_run *run, struct text *text)
{
    static const char *const rows[] = {"min", "mean", "p50", "p90", "p99", "p99.9", "p99.99", "max"};
    struct summary_column columns[3];
    uint32_t count = summary_columns(result, run, columns);

    if (count == 0) {
        return;
    }
    text_add(text, "%-8s", "latency");
    for (uint32_t i = 0; i < count; i++) {
        text_add(text, "%14s%*s", columns[i].title, result->runs_count > 1 ? SUMMARY_RANGE_COLUMNS : 0, "");
    }
    summary_end_line(text);
    for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
        text_add(text, "  %-6s", rows[row]);
        for (uint32_t i = 0; i < count; i++) {
            summary_add_cell(result, columns[i].prefix, rows[row], text);
        }
        summary_end_line(text);
    }
}

static void summary_add_connecting(const struct result *result, const struct result_run *run, struct text *text)
{
    static const char *const names[] = {"connecting.p50", "connecting.p99", "connecting.max"};

    if (!distribution_has_any(run->connecting)) {
        return;
    }
    text_add(text, "%-14s", "connecting");
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct metric metric = summary_metric(names[i]);
        struct figure figure;
        double value = 0.0;

        metric_of(&metric, result, &value);
        text_add(text, "%s%s %s", i == 0 ? "" : ", ", strchr(names[i], '.') + 1,
                 metric_figure(&metric, value, &figure));
    }
    text_add(text, "\n");
}

static void summary_add_costs(const struct result *result, struct text *text)
{
    struct metric client = summary_metric("client-cpu"), server = summary_metric("server-cpu");
    struct metric memory = summary_metric("memory");
    struct figure figure;
    double value;

    if (metric_of(&client, result, &value)) {
        text_add(text, "%-14sclient %s", "cpu a message", figure_duration(&figure, value));
        text_add(text, ", server %s\n",
                 metric_of(&server, result, &value) ? figure_duration(&figure, value) : "not known");
    }
    if (metric_of(&memory, result, &value)) {
        text_add(text, "%-14s%s a connection, in the server\n", "memory", figure_bytes(&figure, value));
    }
}

static void summary_add_errors(const struct result *result, struct text *text)
{
    struct metric all = summary_metric("errors");
    struct figure figure;
    double count = 0.0;

    metric_of(&all, result, &count);
    text_add(text, "%-14s%s\n", "errors", count > 0.0 ? figure_count(&figure, (uint64_t) count) : "none");
    for (int i = 0; i < RESULT_ERRORS; i++) {
        enum result_error error = (enum result_error) i;
        struct metric metric = summary_metric(metric_error_name(error));

        if (metric_of(&metric, result, &count) && count > 0.0) {
            text_add(text, "  %-12s%s: %s;\n%-14s%s\n", metric_error_name(error),
                     figure_count(&figure, (uint64_t) count), describe_error(error), "", describe_cure(error));
        }
    }
}

void summary_write(const struct result *result, struct text *text)
{
    const struct result_run *run = result_median(result);

    summary_add_head(result, text);
    if (run == NULL) {
        text_add(text, "nothing was measured\n");
        return;
    }
    summary_add_rate(result, run, text);
    summary_add_plan(result, run, text);
    summary_add_killed(result, run, text);
    summary_add_latency(result, run, text);
    summary_add_connecting(result, run, text);
    summary_add_costs(result, text);
    summary_add_errors(result, text);
}
