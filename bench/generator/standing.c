/* SPDX-License-Identifier: MIT */
#include "bench/generator/standing.h"

#include <stdlib.h>
#include <string.h>

#include "bench/generator/result.h"

static int standing_compare(const void *one, const void *other)
{
    double left = *(const double *) one, right = *(const double *) other;

    return (left > right) - (left < right);
}

/* `part` of 0 to 1, of figures in order. */
static double standing_at(const double *figures, uint32_t count, double part)
{
    double place = part * (count - 1);
    uint32_t below = (uint32_t) place;

    if (below + 1 >= count) {
        return figures[count - 1];
    }
    return figures[below] + (figures[below + 1] - figures[below]) * (place - below);
}

struct standing standing_of(const double *figures, uint32_t count)
{
    struct standing standing = {.spread = 1.0};
    double sorted[STANDING_FIGURES_MAX];

    if (count == 0) {
        return standing;
    }
    memcpy(sorted, figures, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, standing_compare);
    standing.count = count;
    standing.lowest = sorted[0];
    standing.low = standing_at(sorted, count, 0.25);
    standing.median = standing_at(sorted, count, 0.5);
    standing.high = standing_at(sorted, count, 0.75);
    standing.highest = sorted[count - 1];
    if (standing.highest > 0) {
        standing.spread = standing.lowest > 0 ? standing.highest / standing.lowest : RESULT_SPREAD_ENDLESS;
    }
    return standing;
}

struct standing standing_of_ratios(const double *ours, const double *its, uint32_t count)
{
    double ratios[STANDING_FIGURES_MAX];
    uint32_t found = 0;

    for (uint32_t i = 0; i < count; i++) {
        if (its[i] > 0) {
            ratios[found++] = ours[i] / its[i];
        }
    }
    return standing_of(ratios, found);
}

bool standing_is_unstable(const struct standing *standing)
{
    return standing->spread > RESULT_UNSTABLE_SPREAD;
}
