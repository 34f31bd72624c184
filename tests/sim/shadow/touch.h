/* SPDX-License-Identifier: MIT */
/*
 * touch.h - what the shadowed <stdatomic.h> does before each atomic operation: it notes what will be touched, and then
 * takes a step (tests/sim/step.h).
 */
#ifndef TESTS_SIM_SHADOW_TOUCH_H
#define TESTS_SIM_SHADOW_TOUCH_H

#include "tests/sim/step.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct sim_touch {
    const volatile void *where; /* NULL: a fence. */
    size_t bytes;
    bool writes; /* May write; a compare-exchange too that will fail. */
} sim_touch;

/* For sim_step: what the caller does next. */
extern sim_touch sim_touched;

static inline void sim_touches(const volatile void *where, size_t bytes, bool writes)
{
    sim_touched.where = where;
    sim_touched.bytes = bytes;
    sim_touched.writes = writes;
    sim_step();
}

#endif
