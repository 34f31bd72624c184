/* SPDX-License-Identifier: MIT */
/*
 * test_fiber.c - fibers, and the atomic operations that take a step first (tests/sim).
 */
#include "tests/sim/shadow/stdatomic.h"

#include "tests/sim/fiber.h"

#include <criterion/criterion.h>

#include <stdint.h>
#include <string.h>

TestSuite(fiber, .timeout = 100);

static unsigned steps;
static unsigned failures; /* This many weak compare-exchanges still fail. */

void sim_step(void)
{
    steps += 1;
    if (sim_fiber_self()) {
        sim_fiber_yield();
    }
}

bool sim_step_fails_weakly(void)
{
    return failures != 0 && failures-- != 0;
}

typedef struct runner {
    sim_fiber *fiber;
    unsigned turns;
    char name;
    char *log;
} runner;

static void runner_body(void *argument)
{
    runner *self = argument;
    unsigned sum = 0;
    for (unsigned i = 1; i <= self->turns; ++i) {
        cr_assert_eq(sim_fiber_self(), self->fiber);
        sum += i;
        self->log[strlen(self->log)] = self->name;
        sim_fiber_yield();
    }
    cr_assert_eq(sum, self->turns * (self->turns + 1) / 2);
}

Test(fiber, runs_when_resumed_and_keeps_its_stack)
{
    char log[16] = "";
    runner runners[2] = {{.turns = 3, .name = 'a', .log = log}, {.turns = 2, .name = 'b', .log = log}};
    for (int i = 0; i < 2; ++i) {
        runners[i].fiber = sim_fiber_create(runner_body, &runners[i]);
    }
    cr_assert_str_eq(log, "");
    for (const char *order = "babaa"; *order; ++order) {
        sim_fiber_resume(runners[*order - 'a'].fiber);
        cr_assert_null(sim_fiber_self());
    }
    cr_assert_str_eq(log, "babaa");
    for (int i = 0; i < 2; ++i) {
        cr_assert_not(sim_fiber_has_ended(runners[i].fiber));
        sim_fiber_resume(runners[i].fiber);
        cr_assert(sim_fiber_has_ended(runners[i].fiber));
        sim_fiber_destroy(runners[i].fiber);
    }
}

static uint64_t deep(unsigned depth)
{
    volatile unsigned char room[1024];
    memset((void *) (uintptr_t) room, (int) depth, sizeof room);
    uint64_t below = depth ? deep(depth - 1) : 0;
    return below + room[depth];
}

static void deep_body(void *argument)
{
    *(uint64_t *) argument = deep(200);
    sim_fiber_yield();
}

Test(fiber, has_room_for_deep_calls_and_may_be_left_half_done)
{
    for (int i = 0; i < 5000; ++i) {
        uint64_t sum = 0;
        sim_fiber *fiber = sim_fiber_create(deep_body, &sum);
        sim_fiber_resume(fiber);
        cr_assert_eq(sum, 200 * 201 / 2);
        if (i % 2 == 0) {
            sim_fiber_resume(fiber);
            cr_assert(sim_fiber_has_ended(fiber));
        }
        sim_fiber_destroy(fiber);
    }
}

static _Atomic unsigned counter;

static void counter_body(void *argument)
{
    (void) argument;
    atomic_store(&counter, atomic_load(&counter) + 1); /* A step in an operand, and one for the store. */
}

Test(fiber, comes_between_a_load_and_a_store)
{
    sim_fiber *fibers[2] = {sim_fiber_create(counter_body, NULL), sim_fiber_create(counter_body, NULL)};
    for (int round = 0; round < 3; ++round) {
        for (int i = 0; i < 2; ++i) {
            sim_fiber_resume(fibers[i]);
        }
    }
    for (int i = 0; i < 2; ++i) {
        cr_assert(sim_fiber_has_ended(fibers[i]));
        sim_fiber_destroy(fibers[i]);
    }
    cr_assert_eq(counter, 1, "both read 0");
    cr_assert_eq(steps, 4);
}

/* What was announced since the last look: exactly one step, and what it touches. */
static void expect_step(const volatile void *where, bool writes)
{
    cr_assert_eq(steps, 1);
    cr_assert_eq(sim_touched.where, where);
    cr_assert_eq(sim_touched.writes, writes);
    steps = 0;
}

#define STEP(expected, operation, where, writes)                                                                       \
    do {                                                                                                               \
        cr_assert_eq((expected), (operation));                                                                         \
        expect_step((where), (writes));                                                                                \
    } while (0)

Test(fiber, each_atomic_operation_is_a_step_and_does_its_work)
{
    _Atomic uint64_t word = 5;
    uint64_t seen = 4;
    STEP(5, atomic_load(&word), &word, false);
    STEP(5, atomic_load_explicit(&word, memory_order_relaxed), &word, false);
    atomic_store(&word, 6);
    expect_step(&word, true);
    STEP(6, atomic_exchange(&word, 7), &word, true);
    STEP(false, atomic_compare_exchange_strong(&word, &seen, 9), &word, true);
    STEP(true, seen == 7 && atomic_compare_exchange_strong(&word, &seen, 8), &word, true);
    STEP(false, atomic_compare_exchange_weak(&word, &seen, 9), &word, true);
    STEP(true, seen == 8 && atomic_compare_exchange_weak(&word, &seen, 1), &word, true);
    STEP(1, atomic_fetch_add(&word, 5), &word, true);
    STEP(6, atomic_fetch_sub(&word, 3), &word, true);
    STEP(3, atomic_fetch_or(&word, 4), &word, true);
    STEP(7, atomic_fetch_and(&word, 5), &word, true);
    STEP(5, atomic_fetch_xor(&word, 1), &word, true);
    STEP(4, atomic_load(&word), &word, false);
    atomic_thread_fence(memory_order_seq_cst);
    expect_step(NULL, true);
    atomic_flag flag = ATOMIC_FLAG_INIT;
    STEP(false, atomic_flag_test_and_set(&flag), &flag, true);
    STEP(true, atomic_flag_test_and_set(&flag), &flag, true);
    atomic_flag_clear(&flag);
    expect_step(&flag, true);
    STEP(false, atomic_flag_test_and_set(&flag), &flag, true);
}

Test(fiber, pointers_and_booleans_are_atomic_too)
{
    int here = 0;
    _Atomic(int *) pointer = NULL;
    int *seen = NULL;
    STEP(true, atomic_compare_exchange_strong(&pointer, &seen, &here), &pointer, true);
    STEP(&here, atomic_exchange(&pointer, NULL), &pointer, true);
    _Atomic bool mark = false;
    STEP(false, atomic_exchange(&mark, 2), &mark, true);
    STEP(true, atomic_load(&mark), &mark, false);
}

Test(fiber, a_weak_compare_exchange_may_fail_for_no_reason)
{
    _Atomic uint32_t word = 5;
    uint32_t seen = 5;
    failures = 1;
    STEP(false, atomic_compare_exchange_weak(&word, &seen, 6), &word, true);
    cr_assert_eq(seen, 5);
    STEP(true, atomic_compare_exchange_weak(&word, &seen, 6), &word, true);
    failures = 1;
    STEP(true, seen == 5 && atomic_compare_exchange_strong(&word, &(uint32_t){6}, 7), &word, true);
}
