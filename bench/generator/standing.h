/* SPDX-License-Identifier: MIT */
/*
 * standing.h - what a row of figures, one of each round, says: its middle, and how far to trust it.
 *
 * Quartiles lie between the figures, in a straight line from one to the next, so that the lowest and the highest figure
 * are the 0th and the 4th.
 */
#ifndef PIPEPORT_GENERATOR_STANDING_H
#define PIPEPORT_GENERATOR_STANDING_H

#include <stdbool.h>
#include <stdint.h>

#define STANDING_FIGURES_MAX 1000

struct standing {
    uint32_t count; /* Of figures; with 0 all others are 0 as well. */
    double lowest, low, median, high, highest;
    double spread; /* Highest by lowest; at least 1. RESULT_SPREAD_ENDLESS where only the lowest is 0. */
};

/* Of at most STANDING_FIGURES_MAX figures, none below 0. */
struct standing standing_of(const double *figures, uint32_t count);

/* Of the ratios of ours to its, round by round, as far as both have one. A round in which its figure is 0 has none. */
struct standing standing_of_ratios(const double *ours, const double *its, uint32_t count);

/* Does it lie so far apart that its median claims nothing? */
bool standing_is_unstable(const struct standing *standing);

#endif
