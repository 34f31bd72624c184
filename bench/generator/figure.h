/* SPDX-License-Identifier: MIT */
/*
 * figure.h - numbers for people: three digits that say something, and the unit they are in.
 */
#ifndef PIPEPORT_GENERATOR_FIGURE_H
#define PIPEPORT_GENERATOR_FIGURE_H

#include <stdint.h>

struct figure {
    char text[32];
};

/* Each gives `figure->text` back. */

/* "812 ns", "12.3 us", "4.56 ms", "1.20 s" */
const char *figure_duration(struct figure *figure, double ns);

/* "1,234,567" */
const char *figure_count(struct figure *figure, uint64_t count);

/* "87.3/s", "1,234/s" */
const char *figure_rate(struct figure *figure, double per_s);

/* "512 bytes", "1.50 KiB", "12.3 MiB" */
const char *figure_bytes(struct figure *figure, double bytes);

/* "+3.1 %"; "x12.3" where it is more than doubled; "was 0" where there is nothing to compare with. */
const char *figure_change(struct figure *figure, double from, double to);

#endif
