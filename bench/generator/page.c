/* SPDX-License-Identifier: MIT */
#include "bench/generator/page.h"

#include <stdio.h>
#include <string.h>

#include "bench/generator/chart.h"
#include "bench/generator/describe.h"
#include "bench/generator/distribution.h"
#include "bench/generator/metric.h"
#include "bench/generator/style.h"

void page_add_duration(double ns, struct text *text)
{
    struct figure figure;
    const char *unit = strchr(figure_duration(&figure, ns), 'u');

    if (unit == NULL) {
        text_add(text, "%s", figure.text);
    } else {
        text_add(text, "%.*s\xc2\xb5s", (int) (unit - figure.text), figure.text);
    }
}

/* "2026-01-31 12:00 UTC" */
static void page_add_began(const struct result *result, struct text *text)
{
    if (strlen(result->began) >= strlen("2026-01-31T12:00")) {
        text_add(text, "<time datetime=\"");
        text_add_html(text, result->began);
        text_add(text, "\">%.10s %.5s UTC</time>", result->began, result->began + 11);
    }
}

/* A metric of all runs for people; false, and a dash, where it was not measured. */
static bool page_add_metric(const struct result *result, const char *name, struct text *text)
{
    struct metric metric;
    struct figure figure;
    double value;

    if (!metric_read(name, strlen(name), &metric) || !metric_of(&metric, result, &value)) {
        text_add(text, "\xe2\x80\x93");
        return false;
    }
    if (metric_unit(&metric) == METRIC_TIME) {
        page_add_duration(value, text);
    } else {
        text_add(text, "%s", metric_figure(&metric, value, &figure));
    }
    return true;
}

/* Lowest and highest of the runs, "9.8 to 11.2 us"; nothing where there is one run. */
static void page_add_range(const struct result *result, const char *name, struct text *text)
{
    double lowest = 0.0, highest = 0.0;
    struct figure low, high;
    struct metric metric;
    uint32_t count = 0;

    if (!metric_read(name, strlen(name), &metric)) {
        return;
    }
    for (uint32_t i = 0; i < result->runs_count; i++) {
        double value;

        if (metric_of_run(&metric, &result->runs[i], &value)) {
            lowest = count == 0 || value < lowest ? value : lowest;
            highest = count == 0 || value > highest ? value : highest;
            count++;
        }
    }
    if (count < 2) {
        return;
    }
    if (strcmp(metric_figure(&metric, lowest, &low), metric_figure(&metric, highest, &high)) == 0) {
        text_add(text, "in every run");
    } else if (metric_unit(&metric) == METRIC_TIME) {
        page_add_duration(lowest, text);
        text_add(text, " to ");
        page_add_duration(highest, text);
    } else {
        text_add(text, "%s to %s", low.text, high.text);
    }
}

static void page_add_card(const struct result *result, const char *name, const char *metric, struct text *text)
{
    text_add(text, "<li><span class=\"name\">%s</span><strong>", name);
    page_add_metric(result, metric, text);
    text_add(text, "</strong><span class=\"more\">");
    page_add_range(result, metric, text);
    text_add(text, "</span></li>\n");
}

static bool page_is_unstable(const struct result *result)
{
    return result_spread(result) > RESULT_UNSTABLE_SPREAD;
}

static void page_add_rate_card(const struct result *result, const struct result_run *run, struct text *text)
{
    struct figure figure;

    if (result->plan.mode == PLAN_IDLE) {
        text_add(text, "<li><span class=\"name\">connections held</span><strong>%s</strong><span class=\"more\">for ",
                 figure_count(&figure, run->connected));
        page_add_duration((double) run->measured_ns, text);
        text_add(text, "</span></li>\n");
    } else if (page_is_unstable(result)) {
        text_add(text, "<li class=\"bad\"><span class=\"name\">throughput</span><strong>unstable</strong>"
                       "<span class=\"more\">");
        page_add_range(result, "rate", text);
        text_add(text, "</span></li>\n");
    } else {
        page_add_card(result, "throughput", "rate", text);
    }
}

static void page_add_cards(const struct result *result, const struct result_run *run, struct text *text)
{
    struct metric errors;
    struct figure figure;
    uint64_t messages = 0;
    double count = 0.0;

    metric_read("errors", strlen("errors"), &errors);
    metric_of(&errors, result, &count);
    for (uint32_t i = 0; i < result->runs_count; i++) { /* As of all runs are the errors. */
        messages += result->runs[i].messages;
    }
    text_add(text, "<ul class=\"cards\">\n");
    page_add_rate_card(result, run, text);
    if (distribution_has_any(run->corrected)) {
        page_add_card(result, "p50, half within", "p50", text);
        page_add_card(result, "p99", "p99", text);
        page_add_card(result, "p99.9", "p99.9", text);
    }
    if (run->client_cpu_ns > 0 && run->server_cpu_ns > 0 && run->messages > 0) {
        page_add_card(result, "CPU a message", "cpu", text);
    }
    if (run->server_idle_bytes > 0) {
        page_add_card(result, "memory a connection", "memory", text);
    }
    text_add(text, "<li class=\"%s\"><span class=\"name\">errors</span><strong>%s</strong><span class=\"more\">",
             count > 0.0 ? "bad" : "good", count > 0.0 ? figure_count(&figure, (uint64_t) count) : "none");
    if (messages > 0) {
        text_add(text, "in %s %s", figure_count(&figure, messages), describe_noun(result->plan.mode, messages));
    }
    text_add(text, "</span></li>\n</ul>\n");
}

static void page_add_warnings(const struct result *result, struct text *text)
{
    if (result->interrupted) {
        text_add(text, "<section class=\"warning\"><p><strong>Interrupted.</strong> This is what was measured until "
                       "then.</p></section>\n");
    }
    if (page_is_unstable(result)) {
        text_add(text,
                 "<section class=\"warning\"><p><strong>Unstable.</strong> The fastest of %u runs was %.2f times the "
                 "slowest, so no throughput is claimed. Try a quiet machine, a longer --duration, more "
                 "--repeat.</p></section>\n",
                 (unsigned) result->runs_count, result_spread(result));
    }
}

static void page_add_latency_row(const struct result *result, const char *const prefixes[], size_t columns,
                                 const char *row, struct text *text)
{
    text_add(text, "<tr><th scope=\"row\">%s</th>", row);
    for (size_t i = 0; i < columns; i++) {
        char name[48];

        snprintf(name, sizeof(name), "%s%s", prefixes[i], row);
        text_add(text, "<td>");
        page_add_metric(result, name, text);
        text_add(text, "</td>");
        if (result->runs_count > 1) {
            text_add(text, "<td class=\"range\">");
            page_add_range(result, name, text);
            text_add(text, "</td>");
        }
    }
    text_add(text, "</tr>\n");
}

static void page_add_latency_table(const struct result *result, const struct result_run *run, struct text *text)
{
    static const char *const rows[] = {"min", "mean", "p50", "p90", "p99", "p99.9", "p99.99", "max"};
    const char *prefixes[4], *titles[4];
    size_t columns = 0;

    if (distribution_has_any(run->corrected)) {
        titles[columns] = describe_is_open_loop(&result->plan) ? "corrected" : "latency";
        prefixes[columns++] = "corrected.";
    }
    if (describe_is_open_loop(&result->plan)) {
        titles[columns] = "uncorrected";
        prefixes[columns++] = "uncorrected.";
    }
    if (distribution_has_any(run->last)) {
        titles[columns] = "last receiver";
        prefixes[columns++] = "last.";
    }
    if (distribution_has_any(run->connecting)) {
        titles[columns] = "connecting";
        prefixes[columns++] = "connecting.";
    }
    if (columns == 0) {
        return;
    }
    text_add(text, "<section>\n<h2 id=\"table\">Latencies</h2>\n");
    if (result->runs_count > 1) {
        text_add(text, "<p class=\"note\">Medians of %u runs.</p>\n", (unsigned) result->runs_count);
    }
    text_add(text, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-labelledby=\"table\"><table>\n"
                   "<thead><tr><th scope=\"col\">share</th>");
    for (size_t i = 0; i < columns; i++) {
        text_add(text, "<th scope=\"col\">%s</th>%s", titles[i],
                 result->runs_count > 1 ? "<th scope=\"col\" class=\"range\">lowest to highest run</th>" : "");
    }
    text_add(text, "</tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        page_add_latency_row(result, prefixes, columns, rows[i], text);
    }
    text_add(text, "</tbody></table></div>\n</section>\n");
}

static void page_add_errors(const struct result *result, struct text *text)
{
    struct metric all;
    struct figure figure;
    double count = 0.0;

    metric_read("errors", strlen("errors"), &all);
    if (!metric_of(&all, result, &count) || !(count > 0.0)) {
        return;
    }
    text_add(text, "<section class=\"warning\">\n<h2 id=\"errors\">What went wrong</h2>\n<ul class=\"errors\">\n");
    for (int i = 0; i < RESULT_ERRORS; i++) {
        enum result_error error = (enum result_error) i;
        struct metric metric;

        metric_read(metric_error_name(error), strlen(metric_error_name(error)), &metric);
        if (metric_of(&metric, result, &count) && count > 0.0) {
            text_add(text, "<li><strong>%s %s</strong> %s: %s.</li>\n", figure_count(&figure, (uint64_t) count),
                     metric_error_name(error), describe_error(error), describe_cure(error));
        }
    }
    text_add(text, "</ul>\n</section>\n");
}

/* One row of the tables of runs and of seconds: times after the first columns. */
static void page_add_times_row(const double *ns, size_t count, struct text *text)
{
    for (size_t i = 0; i < count; i++) {
        text_add(text, "<td>");
        if (ns[i] > 0.0) {
            page_add_duration(ns[i], text);
        } else {
            text_add(text, "\xe2\x80\x93");
        }
        text_add(text, "</td>");
    }
    text_add(text, "</tr>\n");
}

static void page_add_runs(const struct result *result, struct text *text)
{
    static const char *const names[] = {"p50", "p99", "p99.9", "max", "client-cpu", "server-cpu"};
    struct figure rate, errors;

    if (result->runs_count < 2) {
        return;
    }
    text_add(text,
             "<section>\n<h2 id=\"runs\">The runs</h2>\n<p class=\"note\">Spread %.2f: the fastest by the slowest. "
             "Curves and seconds are those of run %u, which has the median rate.</p>\n<div class=\"scroll\" "
             "tabindex=\"0\" role=\"region\" aria-labelledby=\"runs\"><table>\n<thead><tr><th scope=\"col\">run</th>"
             "<th scope=\"col\">rate</th><th scope=\"col\">errors</th>",
             result_spread(result), (unsigned) (result_median(result) - result->runs) + 1);
    text_add(text,
             "<th scope=\"col\">p50</th><th scope=\"col\">p99</th><th scope=\"col\">p99.9</th><th scope=\"col\">"
             "max</th><th scope=\"col\">client CPU</th><th scope=\"col\">server CPU</th></tr></thead>\n<tbody>\n");
    for (uint32_t i = 0; i < result->runs_count; i++) {
        double ns[6] = {0};

        for (size_t j = 0; j < 6; j++) {
            struct metric metric;

            metric_read(names[j], strlen(names[j]), &metric);
            metric_of_run(&metric, &result->runs[i], &ns[j]);
        }
        text_add(text, "<tr><th scope=\"row\">%u</th><td>%s</td><td>%s</td>", (unsigned) i + 1,
                 figure_rate(&rate, result_rate(&result->runs[i])),
                 figure_count(&errors, result_errors(&result->runs[i])));
        page_add_times_row(ns, 6, text);
    }
    text_add(text, "</tbody></table></div>\n</section>\n");
}

static void page_add_seconds(const struct result_run *run, struct text *text)
{
    struct figure rate, errors, connected;
    struct chart_unit unit;

    if (run->seconds_count == 0) {
        return;
    }
    unit = chart_unit((double) run->seconds[run->seconds_count - 1].end_ns / 1e9);
    text_add(text, "<section>\n<details><summary id=\"seconds\">Second by second</summary>\n<div class=\"scroll\" "
                   "tabindex=\"0\" role=\"region\" aria-labelledby=\"seconds\"><table>\n<thead><tr><th scope=\"col\">"
                   "until</th><th scope=\"col\">rate</th><th scope=\"col\">errors</th><th scope=\"col\">connected</th>"
                   "<th scope=\"col\">p50</th><th scope=\"col\">p99</th><th scope=\"col\">longest</th></tr></thead>\n"
                   "<tbody>\n");
    for (uint32_t i = 0; i < run->seconds_count; i++) {
        const struct result_second *second = &run->seconds[i];
        double ns[] = {(double) second->p50_ns, (double) second->p99_ns, (double) second->longest_ns};
        struct chart_time until;

        text_add(text, "<tr><th scope=\"row\">%s %s</th><td>%s</td><td>%s</td><td>%s</td>",
                 chart_time(&until, (double) second->end_ns / 1e9, &unit), unit.name,
                 figure_rate(&rate, say_rate(second->messages, second->end_ns - second->begin_ns)),
                 figure_count(&errors, second->errors), figure_count(&connected, second->connected));
        page_add_times_row(ns, 3, text);
    }
    text_add(text, "</tbody></table></div>\n</details>\n</section>\n");
}

/* How far what was planned came about: of an open loop, and of connections to be killed. */
static void page_add_course(const struct result *result, const struct result_run *run, struct text *text)
{
    if (describe_is_open_loop(&result->plan) && run->planned > 0) {
        text_add(text, "<dt>plan</dt><dd>");
        describe_planned(&result->plan, run, text);
        text_add(text, "</dd>\n<dt>lateness</dt><dd>the generator itself sent p50 ");
        page_add_duration((double) run->late_p50_ns, text);
        text_add(text, ", p99 ");
        page_add_duration((double) run->late_p99_ns, text);
        text_add(text, " after the plan</dd>\n");
    }
    if (result->plan.kill_per_s > 0.0) {
        text_add(text, "<dt>killed</dt><dd>");
        describe_killed(&result->plan, run, text);
        text_add(text, "</dd>\n");
    }
}

static void page_add_origin(const struct result *result, struct text *text)
{
    struct figure figure;

    text_add(text, "<section>\n<h2>How it was measured</h2>\n<dl>\n<dt>load</dt><dd>");
    describe_load(&result->plan, text);
    text_add(text, ", ");
    describe_course(&result->plan, text);
    text_add(text, "</dd>\n<dt>server</dt><dd>");
    text_add_html(text, result->plan.self ? "pipeport's own, in a process of its own" : result->plan.name);
    text_add(text, "</dd>\n<dt>client</dt><dd>pipeport %s (%s), %u thread%s, seed %llu%s</dd>\n<dt>machine</dt><dd>",
             result->version, result->driver, (unsigned) result->plan.threads, result->plan.threads == 1 ? "" : "s",
             (unsigned long long) result->plan.seed, result->plan.verify ? ", every message verified" : "");
    text_add_html(text, result->machine);
    text_add(text, "</dd>\n<dt>built by</dt><dd>");
    text_add_html(text, result->build == NULL ? "not known" : result->build);
    text_add(text, "</dd>\n<dt>begun</dt><dd>");
    page_add_began(result, text);
    text_add(text, "</dd>\n<dt>CPU a message</dt><dd>client ");
    page_add_metric(result, "client-cpu", text);
    text_add(text, ", server ");
    page_add_metric(result, "server-cpu", text);
    text_add(text, "</dd>\n<dt>connections</dt><dd>%s at once</dd>\n",
             figure_count(&figure, result_median(result)->connected));
    page_add_course(result, result_median(result), text);
    text_add(text, "</dl>\n<pre tabindex=\"0\">");
    text_add_html(text, result->command);
    text_add(text, "</pre>\n</section>\n");
}

static void page_add_head(const struct result *result, struct text *text)
{
    struct text title = {NULL, 0, 0, false};

    describe_load(&result->plan, &title);
    text_add(text, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n<meta name=\"viewport\" "
                   "content=\"width=device-width, initial-scale=1\"/>\n<title>pipeport-bench: ");
    text_add_html(text, text_string(&title));
    text_add(text, "</title>\n<style>\n");
    for (size_t i = 0; i < STYLE_PIECES; i++) {
        text_add(text, "%s", style_sheet[i]);
    }
    text_add(text, "</style>\n</head>\n<body>\n<main>\n<header>\n<h1>");
    text_add_html(text, text_string(&title));
    text_add(text, "</h1>\n<p class=\"soft\">");
    describe_course(&result->plan, text);
    if (result->runs_count > 1) {
        text_add(text, "; %u runs", (unsigned) result->runs_count);
    }
    text_add(text, "<br/>");
    page_add_began(result, text);
    text_add(text, " on ");
    text_add_html(text, result->machine);
    text_add(text, "</p>\n</header>\n");
    text_clear(&title);
}

void page_write(const struct result *result, struct text *text)
{
    const struct result_run *run = result_median(result);

    page_add_head(result, text);
    page_add_warnings(result, text);
    if (run != NULL) {
        page_add_cards(result, run, text);
        page_add_errors(result, text);
        page_add_percentiles(result, text);
        page_add_times(result, text);
        page_add_latency_table(result, run, text);
        page_add_runs(result, text);
        page_add_seconds(run, text);
        page_add_origin(result, text);
    }
    text_add(text, "<footer>Written by pipeport-bench %s.</footer>\n</main>\n</body>\n</html>\n", result->version);
}
