/* SPDX-License-Identifier: MIT */
/*
 * chart.h - the parts of which a plot of the page is drawn: two axes, lines between them, and points that tell their
 * number when they are pointed at or reached with the keyboard.
 *
 * Everything is inline SVG without a script. Colours and what is shown when are the page's style (style.h); here only
 * classes are named. A chart is drawn twice, wide and narrow, since letters shall not shrink with a screen.
 */
#ifndef PIPEPORT_GENERATOR_CHART_H
#define PIPEPORT_GENERATOR_CHART_H

#include <stdbool.h>
#include <stddef.h>

#include "bench/generator/text.h"

#define CHART_LINES_MAX 6

/* In what the times of an axis are told: seconds, or of a short run less. */
struct chart_unit {
    const char *name;
    double per_s; /* How many a second has. */
};

/* A time in it, without its name. */
struct chart_time {
    char text[24];
};

/* From values to places. */
struct chart_scale {
    double from, to; /* from < to; above 0 where it is logarithmic. */
    bool is_log;
};

struct chart {
    struct text *text;
    bool narrow;
    double width, height; /* Of the whole. */
    double left, top, right, bottom;
    struct chart_scale x, y;
};

/* A tip has a line or a few. */
struct chart_tip {
    char lines[CHART_LINES_MAX][48];
    size_t count;
};

/* Place and margins of a chart this high, wide or narrow; the scales are the caller's. */
struct chart chart_make(struct text *text, bool narrow, double height);

/* `id`: of the element that names it. `about`: what it shows, for who cannot see it. */
void chart_begin(const struct chart *chart, const char *id, const char *about);
void chart_end(const struct chart *chart);

double chart_x(const struct chart *chart, double value);
double chart_y(const struct chart *chart, double value);

/* A grid line and its label, under the chart or left of it. */
void chart_tick_x(const struct chart *chart, double value, const char *label);
void chart_tick_y(const struct chart *chart, double value, const char *label);

/* Durations in ns on a logarithmic y: bounds at 1, 2 or 5 around what is to be seen, and their ticks. */
struct chart_scale chart_durations(double least, double most);
void chart_ticks_durations(const struct chart *chart);

/* The largest unit of which a time of so many seconds has at least one, and a time in it; `time->text` is given back.
 * One unit is for all that is told side by side. */
struct chart_unit chart_unit(double most_s);
const char *chart_time(struct chart_time *time, double seconds, const struct chart_unit *unit);

/* Seconds from 0 on x, in the unit that its last tick is told in, and a rate from 0 on y. */
void chart_ticks_seconds(const struct chart *chart);
struct chart_scale chart_rates(double most);
void chart_ticks_rates(const struct chart *chart);

/* A line of this class: open it, give it its points, close it. */
void chart_line_begin(const struct chart *chart, const char *class);
void chart_line_point(const struct chart *chart, double x, double y);
void chart_line_end(const struct chart *chart);

/* A dot on a line of this class, and a place to point at that shows its tip. */
void chart_dot(const struct chart *chart, const char *class, double x, double y);
void chart_point(const struct chart *chart, const char *class, double x, double y, const struct chart_tip *tip);

/* A column from x to x_end over the whole height that shows its tip. */
void chart_column(const struct chart *chart, double x, double x_end, const struct chart_tip *tip);

#endif
