/* SPDX-License-Identifier: MIT */
/*
 * fiber.h - threads of a simulated program: stacks of their own on one real thread, of which one runs at a time, until
 * it yields. Who runs next is for the caller of resume to say, so that a schedule is a list of choices and replays.
 *
 * One real thread uses all of it.
 */
#ifndef TESTS_SIM_FIBER_H
#define TESTS_SIM_FIBER_H

#include <stdbool.h>

typedef struct sim_fiber sim_fiber;

/* Does not run it yet. Never NULL: without memory the program ends. */
sim_fiber *sim_fiber_create(void (*body)(void *argument), void *argument);

/* Ended, or never to be resumed again (what its stack owns is then lost). */
void sim_fiber_destroy(sim_fiber *fiber);

/* From outside any fiber: runs it until it yields or its body returns. Not once it has ended. */
void sim_fiber_resume(sim_fiber *fiber);

/* From inside: back to who resumed. */
void sim_fiber_yield(void);

bool sim_fiber_has_ended(const sim_fiber *fiber);

/* Which one this is, or NULL: none. */
sim_fiber *sim_fiber_self(void);

#endif
