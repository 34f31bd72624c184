/* SPDX-License-Identifier: MIT */
#include "bench/generator/figure.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Three digits of a value below 1,000; rounding may make it 1000. */
static void figure_three_digits(struct figure *figure, double value, const char *unit)
{
    int digits = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;

    snprintf(figure->text, sizeof(figure->text), "%.*f %s", digits, value, unit);
}

const char *figure_duration(struct figure *figure, double ns)
{
    if (ns < 999.5) {
        snprintf(figure->text, sizeof(figure->text), "%.0f ns", ns);
    } else if (ns < 999.5e3) {
        figure_three_digits(figure, ns / 1e3, "us");
    } else if (ns < 999.5e6) {
        figure_three_digits(figure, ns / 1e6, "ms");
    } else {
        figure_three_digits(figure, ns / 1e9, "s");
    }
    return figure->text;
}

const char *figure_count(struct figure *figure, uint64_t count)
{
    char digits[24];
    size_t length = (size_t) snprintf(digits, sizeof(digits), "%" PRIu64, count), at = 0;

    for (size_t i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0) {
            figure->text[at++] = ',';
        }
        figure->text[at++] = digits[i];
    }
    figure->text[at] = '\0';
    return figure->text;
}

const char *figure_rate(struct figure *figure, double per_s)
{
    if (per_s < 99.95) {
        snprintf(figure->text, sizeof(figure->text), "%.1f/s", per_s);
    } else {
        size_t length = strlen(figure_count(figure, (uint64_t) (per_s + 0.5)));

        snprintf(figure->text + length, sizeof(figure->text) - length, "/s");
    }
    return figure->text;
}

const char *figure_bytes(struct figure *figure, double bytes)
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB"};
    size_t unit = 0;

    if (bytes < 1023.5) {
        snprintf(figure->text, sizeof(figure->text), "%.0f byte%s", bytes, bytes > 0.5 && bytes < 1.5 ? "" : "s");
        return figure->text;
    }
    bytes /= 1024.0;
    while (bytes >= 999.5 && unit + 1 < sizeof(units) / sizeof(units[0])) {
        bytes /= 1024.0;
        unit++;
    }
    figure_three_digits(figure, bytes, units[unit]);
    return figure->text;
}

const char *figure_change(struct figure *figure, double from, double to)
{
    if (!(from > 0.0)) {
        snprintf(figure->text, sizeof(figure->text), to > 0.0 ? "was 0" : "same");
    } else if (to >= 2.0 * from) {
        snprintf(figure->text, sizeof(figure->text), "x%.*f", to < 9.995 * from ? 2 : 1, to / from);
    } else if (fabs(to / from - 1.0) < 0.0005) {
        snprintf(figure->text, sizeof(figure->text), "same");
    } else {
        snprintf(figure->text, sizeof(figure->text), "%+.1f %%", (to / from - 1.0) * 100.0);
    }
    return figure->text;
}
