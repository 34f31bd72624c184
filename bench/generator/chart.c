/* SPDX-License-Identifier: MIT */
#include "bench/generator/chart.h"

#include <math.h>
#include <stdio.h>

#define CHART_WIDE 920.0
#define CHART_NARROW 400.0
#define CHART_LETTER 7.0 /* About as wide as a letter is, at most. */
#define CHART_LETTER_BOLD 8.4
#define CHART_TICKS_APART 15.0
#define CHART_ROW 17.0 /* Of a tip. */

struct chart chart_make(struct text *text, bool narrow, double height)
{
    struct chart chart = {.text = text, .narrow = narrow};

    chart.width = narrow ? CHART_NARROW : CHART_WIDE;
    chart.height = height;
    chart.left = narrow ? 54.0 : 68.0;
    chart.top = 14.0;
    chart.right = chart.width - (narrow ? 14.0 : 24.0);
    chart.bottom = height - 30.0;
    return chart;
}

void chart_begin(const struct chart *chart, const char *id, const char *about)
{
    text_add(chart->text, "<svg class=\"%s\" viewBox=\"0 0 %.0f %.0f\" role=\"group\" aria-labelledby=\"%s\">\n<desc>",
             chart->narrow ? "narrow" : "wide", chart->width, chart->height, id);
    text_add_html(chart->text, about);
    text_add(chart->text, "</desc>\n");
}

void chart_end(const struct chart *chart)
{
    text_add(chart->text, "</svg>\n");
}

static double chart_share(const struct chart_scale *scale, double value)
{
    double share = scale->is_log ? log(fmax(value, scale->from) / scale->from) / log(scale->to / scale->from)
                                 : (value - scale->from) / (scale->to - scale->from);

    return fmin(fmax(share, 0.0), 1.0);
}

double chart_x(const struct chart *chart, double value)
{
    return chart->left + (chart->right - chart->left) * chart_share(&chart->x, value);
}

double chart_y(const struct chart *chart, double value)
{
    return chart->bottom - (chart->bottom - chart->top) * chart_share(&chart->y, value);
}

void chart_tick_x(const struct chart *chart, double value, const char *label)
{
    double x = chart_x(chart, value);

    text_add(chart->text, "<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>", x, x, chart->top,
             chart->bottom);
    text_add(chart->text, "<text class=\"tick\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%s</text>\n", x,
             chart->bottom + 20.0, label);
}

void chart_tick_y(const struct chart *chart, double value, const char *label)
{
    double y = chart_y(chart, value);

    text_add(chart->text, "<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>", chart->left,
             chart->right, y, y);
    text_add(chart->text, "<text class=\"tick\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n",
             chart->left - 8.0, y + 4.0, label);
}

/* 1, 2 or 5 times a power of ten: the greatest that is not above, or the least that is not below. */
static double chart_round(double value, bool up)
{
    static const double steps[] = {1.0, 2.0, 5.0, 10.0};
    double power = pow(10.0, floor(log10(value) + 1e-9));

    for (size_t i = 0; i < 4; i++) {
        if (up && steps[i] * power >= value * (1.0 - 1e-9)) {
            return steps[i] * power;
        }
        if (!up && (i == 3 || steps[i + 1] * power > value * (1.0 + 1e-9))) {
            return steps[i] * power;
        }
    }
    return value;
}

struct chart_scale chart_durations(double least, double most)
{
    struct chart_scale scale = {chart_round(fmax(least, 1.0), false), chart_round(fmax(most, 1.0), true), true};

    if (!(scale.to > scale.from)) {
        scale.to = scale.from * 2.0;
    }
    return scale;
}

void chart_ticks_durations(const struct chart *chart)
{
    double decade = (chart->bottom - chart->top) / log10(chart->y.to / chart->y.from); /* How high one is. */
    bool room = decade * log10(2.0) >= CHART_TICKS_APART;
    double tick = chart->y.from;

    while (tick <= chart->y.to * 1.001) {
        char label[32];
        bool is_power = fabs(log10(tick) - round(log10(tick))) < 1e-6;

        if (tick < 1e3) {
            snprintf(label, sizeof(label), "%g ns", tick);
        } else if (tick < 1e6) {
            snprintf(label, sizeof(label), "%g \xc2\xb5s", tick / 1e3);
        } else if (tick < 1e9) {
            snprintf(label, sizeof(label), "%g ms", tick / 1e6);
        } else {
            snprintf(label, sizeof(label), "%g s", tick / 1e9);
        }
        if (is_power || room) {
            chart_tick_y(chart, tick, label);
        }
        tick = chart_round(tick * 1.5, true);
    }
}

struct chart_unit chart_unit(double most_s)
{
    static const struct chart_unit units[] = {{"s", 1.0}, {"ms", 1e3}, {"\xc2\xb5s", 1e6}, {"ns", 1e9}};
    size_t unit = 0;

    /* What four digits round to 1 of a unit is not told as 1,000 of the next. */
    while (unit + 1 < sizeof(units) / sizeof(units[0]) && most_s * units[unit].per_s < 0.99995) {
        unit++;
    }
    return units[unit];
}

const char *chart_time(struct chart_time *time, double seconds, const struct chart_unit *unit)
{
    double value = seconds * unit->per_s;

    /* %g alone would give 10,000 s of a long run as 1e+04. */
    snprintf(time->text, sizeof(time->text), value < 1e3 ? "%.4g" : "%.0f", value);
    return time->text;
}

void chart_ticks_seconds(const struct chart *chart)
{
    double step = chart_round(chart->x.to / (chart->narrow ? 5.0 : 10.0), true);
    struct chart_unit unit = chart_unit(floor(chart->x.to * 1.001 / step) * step);

    for (int i = 0; i * step <= chart->x.to * 1.001; i++) {
        double tick = i * step;
        struct chart_time time;
        char label[32];

        snprintf(label, sizeof(label), "%s %s", chart_time(&time, tick, &unit), unit.name);
        chart_tick_x(chart, tick, label);
    }
}

struct chart_scale chart_rates(double most)
{
    double step = chart_round(fmax(most, 1.0) / 4.0, true);

    return (struct chart_scale){0.0, step * ceil(fmax(most, 1.0) / step - 1e-9), false};
}

void chart_ticks_rates(const struct chart *chart)
{
    double step = chart_round(chart->y.to / 4.0, false);

    step = chart->y.to / step > 6.5 ? chart_round(step * 1.5, true) : step;
    for (int i = 0; i * step <= chart->y.to * 1.001; i++) {
        double tick = i * step;
        char label[32];

        if (tick >= 1e6) {
            snprintf(label, sizeof(label), "%g M/s", tick / 1e6);
        } else if (tick >= 1e3) {
            snprintf(label, sizeof(label), "%g K/s", tick / 1e3);
        } else {
            snprintf(label, sizeof(label), tick > 0.0 ? "%g/s" : "%g", tick);
        }
        chart_tick_y(chart, tick, label);
    }
}

void chart_line_begin(const struct chart *chart, const char *class)
{
    text_add(chart->text, "<polyline class=\"line %s\" points=\"", class);
}

void chart_line_point(const struct chart *chart, double x, double y)
{
    text_add(chart->text, "%.1f,%.1f ", chart_x(chart, x), chart_y(chart, y));
}

void chart_line_end(const struct chart *chart)
{
    text_add(chart->text, "\"/>\n");
}

/* What a screen reader says. */
static void chart_add_label(const struct chart *chart, const struct chart_tip *tip)
{
    text_add(chart->text, " tabindex=\"0\" role=\"img\" aria-label=\"");
    for (size_t i = 0; i < tip->count; i++) {
        text_add(chart->text, "%s%s", i == 0 ? "" : ", ", tip->lines[i]);
    }
    text_add(chart->text, "\">");
}

/* Letters of a line, not bytes. */
static size_t chart_letters(const char *line)
{
    size_t letters = 0;

    for (; *line != '\0'; line++) {
        letters += ((unsigned char) *line & 0xc0) != 0x80;
    }
    return letters;
}

/* Beside a place, and within the chart. */
static void chart_add_tip(const struct chart *chart, double x, double y, const struct chart_tip *tip)
{
    double width = 0.0, height = CHART_ROW * (double) tip->count + 10.0;

    for (size_t i = 0; i < tip->count; i++) {
        double letter = i == 0 ? CHART_LETTER_BOLD : CHART_LETTER;

        width = fmax(width, letter * (double) chart_letters(tip->lines[i]) + 16.0);
    }
    x = x + 12.0 + width > chart->width ? fmax(x - 12.0 - width, 0.0) : x + 12.0;
    y = y - height - 8.0 < 0.0 ? fmin(y + 8.0, chart->height - height) : y - height - 8.0;
    text_add(
        chart->text,
        "<g class=\"tip\" aria-hidden=\"true\"><rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" rx=\"5\"/>",
        x, y, width, height);
    for (size_t i = 0; i < tip->count; i++) {
        text_add(chart->text, "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\">%s</text>", i == 0 ? "first" : "more", x + 8.0,
                 y + CHART_ROW * (double) (i + 1), tip->lines[i]);
    }
    text_add(chart->text, "</g></g>\n");
}

void chart_dot(const struct chart *chart, const char *class, double x, double y)
{
    text_add(chart->text, "<g class=\"%s\"><circle class=\"dot\" cx=\"%.1f\" cy=\"%.1f\" r=\"4.5\"/></g>\n", class,
             chart_x(chart, x), chart_y(chart, y));
}

void chart_point(const struct chart *chart, const char *class, double x, double y, const struct chart_tip *tip)
{
    double at_x = chart_x(chart, x), at_y = chart_y(chart, y);

    text_add(chart->text, "<g class=\"spot %s\"", class);
    chart_add_label(chart, tip);
    text_add(chart->text, "<circle class=\"reach\" cx=\"%.1f\" cy=\"%.1f\" r=\"14\"/>", at_x, at_y);
    text_add(chart->text, "<circle class=\"dot\" cx=\"%.1f\" cy=\"%.1f\" r=\"6.5\"/>", at_x, at_y);
    chart_add_tip(chart, at_x, at_y, tip);
}

void chart_column(const struct chart *chart, double x, double x_end, const struct chart_tip *tip)
{
    double left = chart_x(chart, x), right = chart_x(chart, x_end);

    text_add(chart->text, "<g class=\"spot column\"");
    chart_add_label(chart, tip);
    text_add(chart->text, "<rect class=\"reach\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>", left,
             chart->top, fmax(right - left, 0.5), chart->bottom - chart->top);
    chart_add_tip(chart, (left + right) / 2.0, chart->top + 40.0, tip);
}
