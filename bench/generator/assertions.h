/* SPDX-License-Identifier: MIT */
/*
 * assertions.h - `--assert 'p99<200us,errors=0'`: what must hold of a result, so that a script can stop at its exit
 * code.
 *
 *      ASSERTION[,ASSERTION...]        ASSERTION: METRIC OPERATOR VALUE, with blanks between them as you like
 *
 * METRIC is one of metric.h, OPERATOR one of < <= > >= =. A time wants a unit, ns, us, ms or s; rates and counts may
 * have K or M (a thousand, a million), bytes K, M or G (of 1,024). What was not measured does not hold.
 */
#ifndef PIPEPORT_GENERATOR_ASSERTIONS_H
#define PIPEPORT_GENERATOR_ASSERTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/generator/metric.h"
#include "bench/generator/text.h"

#define ASSERTIONS_MAX 32

enum assertion_relation { ASSERTION_LESS, ASSERTION_MOST, ASSERTION_MORE, ASSERTION_LEAST, ASSERTION_IS };

struct assertion {
    const char *text; /* As it was typed, `length` bytes. */
    int length;
    struct metric metric;
    enum assertion_relation relation;
    double value;
};

struct assertions {
    struct assertion list[ASSERTIONS_MAX];
    uint32_t count;
};

/* A sentence for people. */
struct assertions_fault {
    char text[384];
};

/* False where the text is none: the fault says what is wrong and what to write. The assertions point into the text. */
bool assertions_read(const char *text, struct assertions *assertions, struct assertions_fault *fault);

/* How many do not hold of this result; each gets a line in `text`. */
uint32_t assertions_check(const struct assertions *assertions, const struct result *result, struct text *text);

#endif
