/* SPDX-License-Identifier: MIT */
#include "bench/generator/page.h"

#include <math.h>
#include <stdio.h>

#include "bench/generator/chart.h"
#include "bench/generator/describe.h"
#include "bench/generator/distribution.h"
#include "bench/generator/figure.h"

#define PAGE_COLUMNS_FOCUSED 120 /* Of a longer run only so many columns, evenly spread, tell their number. */
#define PAGE_NINES_MAX 8.0

/* A curve of the percentile plot. */
struct page_curve {
    const struct histogram *histogram;
    const char *name;
    const char *class;
};

static uint32_t page_curves(const struct result *result, const struct result_run *run, struct page_curve curves[3])
{
    uint32_t count = 0;

    if (distribution_has_any(run->corrected)) {
        curves[count++] = (struct page_curve){run->corrected,
                                              describe_is_open_loop(&result->plan) ? "corrected" : "latency", "first"};
    }
    if (describe_is_open_loop(&result->plan) && distribution_has_any(run->service)) {
        curves[count++] = (struct page_curve){run->service, "uncorrected", "second"};
    }
    if (distribution_has_any(run->last)) {
        curves[count++] = (struct page_curve){run->last, "last receiver", "third"};
    }
    return count;
}

/* How many nines: 0 at the shortest, 1 at 90 %, 2 at 99 %. So far reach the shares that are told of `until` messages:
 * a share is rounded to a whole number of them (histogram_share_ns), and dots and tables come from there. */
static double page_nines(uint64_t until, uint64_t count)
{
    double all = log10((double) count);

    return until >= count ? all : fmin(all, -log10(1.0 - ((double) until + 0.5) / (double) count));
}

/* In steps, as every share above those of the bucket before has this bucket's duration: a slope between two buckets
 * would tell the few long ones of a tail far too short. */
static void page_draw_curve(const struct chart *chart, const struct histogram *histogram, const char *class)
{
    struct distribution at = distribution_of(histogram);
    uint64_t count = histogram_count(histogram);
    double from = 0.0;

    chart_line_begin(chart, class);
    while (distribution_next(&at)) {
        double to = page_nines(at.until, count);
        bool is_first = at.until == at.count;

        if (is_first) {
            chart_line_point(chart, from, (double) at.ns);
        }
        if (chart_x(chart, to) - chart_x(chart, from) >= 1.0 || at.until == count) { /* No finer than a pixel. */
            if (!is_first) {
                chart_line_point(chart, from, (double) at.ns);
            }
            chart_line_point(chart, to, (double) at.ns);
            from = to;
        }
    }
    chart_line_end(chart);
}

/* The dots of a curve, or what is shown when one is pointed at: that comes after all dots, so that none covers it. */
static void page_draw_curve_points(const struct chart *chart, const struct page_curve *curve, bool tips)
{
    static const struct {
        double share;
        const char *name;
    } marks[] = {{0.5, "50 %"},     {0.9, "90 %"},       {0.99, "99 %"},
                 {0.999, "99.9 %"}, {0.9999, "99.99 %"}, {0.99999, "99.999 %"}};

    for (size_t i = 0; i <= sizeof(marks) / sizeof(marks[0]); i++) {
        bool is_longest = i == sizeof(marks) / sizeof(marks[0]);
        uint64_t ns = is_longest ? histogram_longest_ns(curve->histogram)
                                 : histogram_share_ns(curve->histogram, marks[i].share);
        double nines = is_longest ? log10((double) histogram_count(curve->histogram)) : -log10(1.0 - marks[i].share);
        struct text duration = {NULL, 0, 0, false};
        struct chart_tip tip = {.count = 2};

        if (nines > log10((double) histogram_count(curve->histogram))) {
            continue; /* Fewer were measured than this share can be told of. */
        }
        page_add_duration((double) ns, &duration);
        snprintf(tip.lines[0], sizeof(tip.lines[0]), "%s: %.24s", is_longest ? "longest" : marks[i].name,
                 text_string(&duration));
        snprintf(tip.lines[1], sizeof(tip.lines[1]), "%s", curve->name);
        if (tips) {
            chart_point(chart, curve->class, nines, (double) ns, &tip);
        } else {
            chart_dot(chart, curve->class, nines, (double) ns);
        }
        text_clear(&duration);
    }
}

static void page_tick_nines(const struct chart *chart)
{
    static const char *const wide[] = {"90 %",     "99 %",    "99.9 %",  "99.99 %",
                                       "99.999 %", "6 nines", "7 nines", "8 nines"};
    static const char *const narrow[] = {"90", "99", "99.9", "99.99", "99.999", "6 nines", "7 nines", "8 nines"};

    chart_tick_x(chart, 0.0, "0");
    if (!chart->narrow || chart->x.to < 4.0) {
        chart_tick_x(chart, -log10(0.5), chart->narrow ? "50" : "50 %");
    }
    for (size_t i = 0; i < sizeof(wide) / sizeof(wide[0]) && (double) (i + 1) <= chart->x.to; i++) {
        bool room = chart->x.to - (double) (i + 1) > 0.25 || !chart->narrow;
        bool crowded = chart->narrow && chart->x.to > 6.5 && i >= 4 && i % 2 == 0;

        chart_tick_x(chart, (double) (i + 1), !room || crowded ? "" : chart->narrow ? narrow[i] : wide[i]);
    }
}

static void page_draw_percentiles(const struct result *result, bool narrow, struct text *text)
{
    const struct result_run *run = result_median(result);
    struct chart chart = chart_make(text, narrow, narrow ? 300.0 : 380.0);
    double least = 1e300, most = 1.0, nines = 1.0;
    struct page_curve curves[3];
    uint32_t count = page_curves(result, run, curves);

    for (uint32_t i = 0; i < count + result->runs_count; i++) {
        const struct histogram *shown = i < count ? curves[i].histogram : result->runs[i - count].corrected;

        if (distribution_has_any(shown)) {
            least = fmin(least, (double) distribution_shortest_ns(shown));
            most = fmax(most, (double) histogram_longest_ns(shown));
            nines = fmax(nines, log10((double) histogram_count(shown)));
        }
    }
    chart.x = (struct chart_scale){0.0, fmin(nines, PAGE_NINES_MAX), false};
    chart.y = chart_durations(least, most);
    chart_begin(&chart, "percentiles",
                "How long the given share of messages took at most; the tables below say the same.");
    page_tick_nines(&chart);
    chart_ticks_durations(&chart);
    for (uint32_t i = 0; i < result->runs_count; i++) {
        if (&result->runs[i] != run && distribution_has_any(result->runs[i].corrected)) {
            page_draw_curve(&chart, result->runs[i].corrected, "other");
        }
    }
    for (uint32_t i = count; i > 0; i--) { /* The first one lies on top. */
        page_draw_curve(&chart, curves[i - 1].histogram, curves[i - 1].class);
    }
    for (uint32_t i = 0; i < 2 * count; i++) {
        page_draw_curve_points(&chart, &curves[i % count], i >= count);
    }
    chart_end(&chart);
}

static void page_add_key(const char *class, const char *name, struct text *text)
{
    text_add(
        text,
        "<li><svg class=\"key\" viewBox=\"0 0 28 8\" aria-hidden=\"true\"><line class=\"line %s\" x1=\"1\" x2=\"27\" "
        "y1=\"4\" y2=\"4\"/></svg>%s</li>\n",
        class, name);
}

void page_add_percentiles(const struct result *result, struct text *text)
{
    const struct result_run *run = result_median(result);
    struct page_curve curves[3];
    uint32_t count = page_curves(result, run, curves);

    if (count == 0) {
        return;
    }
    text_add(text, "<section>\n<h2 id=\"percentiles\">Latency by percentile</h2>\n<p class=\"note\">%s</p>\n",
             describe_is_open_loop(&result->plan)
                 ? "Corrected is counted from the moment a message was planned for, uncorrected from its sending."
                 : "Counted from the sending of a message; the next one waits for it (closed loop).");
    text_add(text, "<ul class=\"keys\">\n");
    for (uint32_t i = 0; i < count && (count > 1 || result->runs_count > 1); i++) {
        page_add_key(curves[i].class, curves[i].name, text);
    }
    if (result->runs_count > 1) {
        page_add_key("other", "the other runs", text);
    }
    text_add(text, "</ul>\n");
    page_draw_percentiles(result, false, text);
    page_draw_percentiles(result, true, text);
    text_add(text, "</section>\n");
}

static double page_second_rate(const struct result_second *second)
{
    return say_rate(second->messages, second->end_ns - second->begin_ns);
}

static struct chart page_time_chart(const struct result_run *run, bool narrow, struct text *text)
{
    struct chart chart = chart_make(text, narrow, narrow ? 220.0 : 250.0);
    double end = (double) run->seconds[run->seconds_count - 1].end_ns / 1e9;

    chart.x = (struct chart_scale){0.0, end > 0.0 ? end : 1.0, false};
    return chart;
}

static void page_tip_of(const struct result_second *second, struct chart_tip *tip)
{
    struct text line = {NULL, 0, 0, false};
    struct chart_unit unit = chart_unit((double) second->end_ns / 1e9);
    struct chart_time begin, end;
    struct figure figure;

    tip->count = 0;
    snprintf(tip->lines[tip->count++], sizeof(tip->lines[0]), "%s to %s %s",
             chart_time(&begin, (double) second->begin_ns / 1e9, &unit),
             chart_time(&end, (double) second->end_ns / 1e9, &unit), unit.name);
    snprintf(tip->lines[tip->count++], sizeof(tip->lines[0]), "rate %s",
             figure_rate(&figure, page_second_rate(second)));
    if (second->longest_ns > 0) {
        const struct {
            const char *name;
            uint64_t ns;
        } lines[] = {{"p50", second->p50_ns}, {"p99", second->p99_ns}, {"longest", second->longest_ns}};

        for (size_t i = 0; i < 3; i++) {
            page_add_duration((double) lines[i].ns, &line);
            snprintf(tip->lines[tip->count++], sizeof(tip->lines[0]), "%s %.24s", lines[i].name, text_string(&line));
            text_clear(&line);
        }
    }
    if (second->errors > 0) {
        snprintf(tip->lines[tip->count++], sizeof(tip->lines[0]), "errors %s", figure_count(&figure, second->errors));
    }
}

static void page_draw_columns(const struct chart *chart, const struct result_run *run)
{
    uint32_t step = (run->seconds_count + PAGE_COLUMNS_FOCUSED - 1) / PAGE_COLUMNS_FOCUSED;

    for (uint32_t i = 0; i < run->seconds_count; i += step) {
        const struct result_second *second = &run->seconds[i];
        uint32_t last = i + step < run->seconds_count ? i + step - 1 : run->seconds_count - 1;
        struct chart_tip tip;

        page_tip_of(second, &tip);
        chart_column(chart, (double) second->begin_ns / 1e9, (double) run->seconds[last].end_ns / 1e9, &tip);
    }
}

static void page_draw_rate(const struct result_run *run, bool narrow, struct text *text)
{
    struct chart chart = page_time_chart(run, narrow, text);
    double most = 0.0;

    for (uint32_t i = 0; i < run->seconds_count; i++) {
        most = fmax(most, page_second_rate(&run->seconds[i]));
    }
    chart.y = chart_rates(most);
    chart_begin(&chart, "rate", "Messages a second, second by second; the table of seconds below says the same.");
    chart_ticks_seconds(&chart);
    chart_ticks_rates(&chart);
    text_add(text, "<polygon class=\"area\" points=\"%.1f,%.1f ", chart.left, chart.bottom);
    for (uint32_t i = 0; i < run->seconds_count; i++) {
        const struct result_second *second = &run->seconds[i];

        chart_line_point(&chart, (double) second->begin_ns / 1e9, page_second_rate(second));
        chart_line_point(&chart, (double) second->end_ns / 1e9, page_second_rate(second));
    }
    text_add(text, "%.1f,%.1f\"/>\n", chart.right, chart.bottom);
    chart_line_begin(&chart, "first");
    for (uint32_t i = 0; i < run->seconds_count; i++) {
        const struct result_second *second = &run->seconds[i];

        chart_line_point(&chart, (double) second->begin_ns / 1e9, page_second_rate(second));
        chart_line_point(&chart, (double) second->end_ns / 1e9, page_second_rate(second));
    }
    chart_line_end(&chart);
    for (uint32_t i = 0; i < run->seconds_count; i++) {
        if (run->seconds[i].errors > 0) {
            double x = chart_x(&chart, (double) (run->seconds[i].begin_ns + run->seconds[i].end_ns) / 2e9);

            text_add(text, "<path class=\"bad\" d=\"M%.1f %.1f l5 9 h-10 z\"/>\n", x, chart.top);
        }
    }
    page_draw_columns(&chart, run);
    chart_end(&chart);
}

/* Each second from its begin to its end; the line breaks where nothing came, as there is no latency to be told. */
static void page_draw_latency(const struct chart *chart, const struct result_run *run, const char *class, size_t offset)
{
    bool begun = false;

    for (uint32_t i = 0; i < run->seconds_count; i++) {
        const struct result_second *second = &run->seconds[i];
        const void *place = (const char *) second + offset;

        if (second->longest_ns > 0) {
            double ns = (double) *(const uint64_t *) place;

            if (!begun) {
                chart_line_begin(chart, class);
            }
            chart_line_point(chart, (double) second->begin_ns / 1e9, ns);
            chart_line_point(chart, (double) second->end_ns / 1e9, ns);
        } else if (begun) {
            chart_line_end(chart);
        }
        begun = second->longest_ns > 0;
    }
    if (begun) {
        chart_line_end(chart);
    }
}

static void page_draw_latencies(const struct result_run *run, bool narrow, struct text *text)
{
    static const struct {
        const char *class;
        size_t offset;
    } lines[] = {{"third", offsetof(struct result_second, longest_ns)},
                 {"second", offsetof(struct result_second, p99_ns)},
                 {"first", offsetof(struct result_second, p50_ns)}};
    struct chart chart = page_time_chart(run, narrow, text);
    double least = 1e300, most = 1.0;

    for (uint32_t i = 0; i < run->seconds_count; i++) {
        if (run->seconds[i].longest_ns > 0) {
            least = fmin(least, (double) run->seconds[i].p50_ns);
            most = fmax(most, (double) run->seconds[i].longest_ns);
        }
    }
    chart.y = chart_durations(fmin(least, most), most);
    chart_begin(&chart, "latencies", "Latencies, second by second; the table of seconds below says the same.");
    chart_ticks_seconds(&chart);
    chart_ticks_durations(&chart);
    for (size_t line = 0; line < sizeof(lines) / sizeof(lines[0]); line++) {
        page_draw_latency(&chart, run, lines[line].class, lines[line].offset);
    }
    page_draw_columns(&chart, run);
    chart_end(&chart);
}

void page_add_times(const struct result *result, struct text *text)
{
    const struct result_run *run = result_median(result);
    bool any = false;

    for (uint32_t i = 0; i < run->seconds_count; i++) {
        any = any || run->seconds[i].longest_ns > 0;
    }
    if (run->seconds_count == 0 || result->plan.mode == PLAN_IDLE) {
        return;
    }
    text_add(text, "<section>\n<h2 id=\"rate\">Rate over time</h2>\n");
    page_draw_rate(run, false, text);
    page_draw_rate(run, true, text);
    text_add(text, "</section>\n");
    if (any) {
        text_add(text, "<section>\n<h2 id=\"latencies\">Latency over time</h2>\n<ul class=\"keys\">\n");
        page_add_key("first", "p50", text);
        page_add_key("second", "p99", text);
        page_add_key("third", "longest", text);
        text_add(text, "</ul>\n");
        page_draw_latencies(run, false, text);
        page_draw_latencies(run, true, text);
        text_add(text, "</section>\n");
    }
}
