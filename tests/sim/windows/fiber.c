/* SPDX-License-Identifier: MIT */
/*
 * fiber.c - fibers on Windows, the system's own.
 */
#include "tests/sim/fiber.h"

#include <stdio.h>
#include <stdlib.h>

#define WIN32_LEAN_AND_MEAN 1
#include <windows.h>

enum { FIBER_STACK_BYTES = 512 * 1024 };

/* Runs one body after the other: a fiber of the system that has returned would end its thread. */
struct sim_fiber {
    void *fiber;
    void (*body)(void *argument);
    void *argument;
    sim_fiber *next_free; /* While in the pool. */
    bool has_ended;
};

static void *outside;
static sim_fiber *running;
static sim_fiber *pool; /* Those that stand at the end of a body, ready for the next. */

static void fiber_fail(const char *what)
{
    fprintf(stderr, "%s\n", what);
    fflush(stderr);
    abort();
}

static void WINAPI fiber_entry(void *parameter)
{
    sim_fiber *self = parameter;
    for (;;) {
        self->body(self->argument);
        self->has_ended = true;
        SwitchToFiber(outside);
    }
}

sim_fiber *sim_fiber_create(void (*body)(void *argument), void *argument)
{
    sim_fiber *fiber = pool;
    if (fiber) {
        pool = fiber->next_free;
    } else {
        fiber = calloc(1, sizeof *fiber);
        if (!fiber) {
            fiber_fail("no memory for a fiber");
        }
        fiber->fiber = CreateFiberEx(0, FIBER_STACK_BYTES, 0, fiber_entry, fiber);
        if (!fiber->fiber) {
            fiber_fail("CreateFiberEx");
        }
    }
    fiber->body = body;
    fiber->argument = argument;
    fiber->has_ended = false;
    return fiber;
}

void sim_fiber_destroy(sim_fiber *fiber)
{
    if (fiber->has_ended) {
        fiber->next_free = pool;
        pool = fiber;
    } else {
        DeleteFiber(fiber->fiber);
        free(fiber);
    }
}

void sim_fiber_resume(sim_fiber *fiber)
{
    if (running || fiber->has_ended) {
        fiber_fail("a fiber is resumed inside another, or after its end");
    }
    if (!outside) {
        outside = ConvertThreadToFiber(NULL);
        if (!outside) {
            fiber_fail("ConvertThreadToFiber");
        }
    }
    running = fiber;
    SwitchToFiber(fiber->fiber);
    running = NULL;
}

void sim_fiber_yield(void)
{
    if (!running) {
        fiber_fail("nobody to yield to");
    }
    SwitchToFiber(outside);
}

bool sim_fiber_has_ended(const sim_fiber *fiber)
{
    return fiber->has_ended;
}

sim_fiber *sim_fiber_self(void)
{
    return running;
}
