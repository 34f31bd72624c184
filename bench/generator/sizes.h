/* SPDX-License-Identifier: MIT */
/*
 * sizes.h - `--size`: what is typed, and how long the next message is.
 *
 *      64      64,1K,64K      64-4K      64*9,64K*1      and any of them with commas between
 */
#ifndef PIPEPORT_GENERATOR_SIZES_H
#define PIPEPORT_GENERATOR_SIZES_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/generator/plan.h"

#define SIZES_BYTES_MAX (UINT32_C(1) << 30)
#define SIZES_WEIGHT_MAX UINT32_C(1000000)

struct sizes_fault {
    char text[192]; /* A sentence for people. */
};

/* Fills plan->sizes; false where the text is none of the above: the fault says what is wrong and what to write. */
bool sizes_read(const char *text, struct plan *plan, struct sizes_fault *fault);

/* How long message `sequence` of a connection is: a choice that grows from the plan's seed. */
uint32_t sizes_draw(const struct plan *plan, uint32_t tag, uint64_t sequence);

uint32_t sizes_shortest(const struct plan *plan);
uint32_t sizes_longest(const struct plan *plan);

/* A number that looks random and grows from `number`. */
uint64_t sizes_mix(uint64_t number);

#endif
