/* SPDX-License-Identifier: MIT */
/*
 * arguments.h - the command line of a benchmark: one pipe name, and numbers by name.
 */
#ifndef PIPEPORT_BENCH_ARGUMENTS_H
#define PIPEPORT_BENCH_ARGUMENTS_H

#include <stdint.h>

struct argument {
    const char *option; /* "--size"; the table ends with NULL. */
    uint32_t *value;    /* Holds the default; set where the option is given. */
    uint32_t min, max;
    const char *help;
};

/* Reads NAME [OPTION NUMBER]... and returns NAME. On --help, or anything it does not understand, it says so and ends
 * the program, with 0 or 2. */
const char *arguments_read(int argc, char **argv, const struct argument *known);

#endif
