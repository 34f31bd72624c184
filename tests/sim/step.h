/* SPDX-License-Identifier: MIT */
/*
 * step.h - what runs before each atomic operation of code that is compiled with tests/sim/shadow in front of its
 * include path. The program defines it; inside a fiber it may yield, so that other fibers come between.
 */
#ifndef TESTS_SIM_STEP_H
#define TESTS_SIM_STEP_H

#include <stdbool.h>

void sim_step(void);

/* Before a weak compare-exchange: true lets it fail for no reason, as a processor may. */
bool sim_step_fails_weakly(void);

#endif
