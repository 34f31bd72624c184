/* SPDX-License-Identifier: MIT */
/*
 * test_steps_explore.c - the explorer itself, on code that is small enough to count its orders by hand, and on code
 * that is wrong.
 */
#include "tests/sim/shadow/stdatomic.h"

#include "engine/port/os.h"
#include "tests/steps/explore.h"
#include "tests/support/aborts.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(steps, .timeout = 60);

static _Atomic uint32_t words[3];
static uint32_t sums[8]; /* How often words[0] ended with this. */
static bool expects_two;

static void begin(void)
{
    memset((void *) words, 0, sizeof words);
}

static void end(void)
{
    sums[words[0]] += 1;
    STEPS_ASSERT(!expects_two || words[0] == 2);
}

static void add_by_store(void)
{
    atomic_store(&words[0], atomic_load(&words[0]) + 1);
}

static void add_by_weak_exchange(void)
{
    uint32_t seen = atomic_load(&words[0]);
    while (!atomic_compare_exchange_weak(&words[0], &seen, seen + 1)) {
    }
}

static const steps_scenario loses = {
    .name = "two add by load and store", .begin = begin, .fibers = {add_by_store, add_by_store}, .end = end};

/* L1 S1 L2 S2, L2 S2 L1 S1, and both loads (whose order does not matter) with either store first. */
Test(steps, explorer_finds_every_outcome_and_each_once)
{
    cr_assert_eq(steps_explore(&loses), 4);
    cr_assert_gt(sums[2], 0);
    cr_assert_gt(sums[1], 0);
}

Test(steps, explorer_aborts_where_an_order_is_wrong, TEST_ABORTS)
{
    expects_two = true;
    steps_explore(&loses);
}

/* Without failures: who exchanges first, and whether the other has looked before that: 4. One failure more: the first
 * or the second exchange of either of them, and all places where the other's steps may be. */
Test(steps, explorer_lets_one_weak_exchange_fail)
{
    expects_two = true;
    const steps_scenario adds = {.name = "two add by weak exchange",
                                 .begin = begin,
                                 .fibers = {add_by_weak_exchange, add_by_weak_exchange},
                                 .end = end};
    cr_assert_gt(steps_explore(&adds), 4);
}

static void add_elsewhere(void)
{
    for (int i = 0; i < 5; ++i) {
        atomic_fetch_add(&words[1], 1);
    }
}

Test(steps, explorer_leaves_out_orders_that_nobody_can_tell_apart)
{
    const steps_scenario apart = {.name = "two that never meet, and one that reads what one of them wrote",
                                  .begin = begin,
                                  .fibers = {add_by_store, add_elsewhere},
                                  .end = end};
    cr_assert_eq(steps_explore(&apart), 1);
}

/* Independent, but not by address: both places are shared, by pairs of fibers that meet only once. */
static void add_to_first_and_last(void)
{
    atomic_fetch_add(&words[0], 1);
    atomic_fetch_add(&words[2], 1);
}

static void add_to_both(void)
{
    atomic_fetch_add(&words[1], 1);
    atomic_fetch_add(&words[0], 1);
}

static void add_to_second(void)
{
    atomic_fetch_add(&words[1], 1);
}

/* 2 orders at words[0] by 2 at words[1]; none of them is ruled out by another. */
Test(steps, explorer_gives_each_order_of_conflicts_once)
{
    const steps_scenario chain = {.name = "two places with two at each",
                                  .begin = begin,
                                  .fibers = {add_to_first_and_last, add_to_both, add_to_second},
                                  .end = end};
    cr_assert_eq(steps_explore(&chain), 4);
}

static pp_lock lock;
static uint32_t under_lock;

static void begin_lock(void)
{
    begin();
    pp_lock_init(&lock);
    under_lock = 0;
}

static void add_under_lock(void)
{
    pp_lock_take(&lock);
    uint32_t seen = under_lock;
    (void) atomic_load(&words[0]);
    under_lock = seen + 1;
    pp_lock_give(&lock);
    atomic_fetch_add(&words[0], 1);
}

static void end_lock(void)
{
    STEPS_ASSERT(under_lock == 3);
    pp_lock_fini(&lock);
}

Test(steps, explorer_keeps_locks)
{
    const steps_scenario locked = {.name = "three under a lock",
                                   .begin = begin_lock,
                                   .fibers = {add_under_lock, add_under_lock, add_under_lock},
                                   .end = end_lock};
    cr_assert_geq(steps_explore(&locked), 6);
}

static bool is_set(void *argument)
{
    return atomic_load((_Atomic uint32_t *) argument) != 0;
}

static void wait_for_first(void)
{
    steps_wait(is_set, (void *) (uintptr_t) &words[0]);
    atomic_store(&words[1], 1);
}

static void set_first_and_wait(void)
{
    atomic_store(&words[0], 1);
    steps_wait(is_set, (void *) (uintptr_t) &words[1]);
}

static void look_and_maybe_wait(void)
{
    if (!atomic_load(&words[0])) {
        steps_wait(is_set, (void *) (uintptr_t) &words[1]);
    }
    atomic_store(&words[0], 1);
}

Test(steps, explorer_wakes_who_waits)
{
    const steps_scenario waits = {.name = "two that wait for each other in turn",
                                  .begin = begin,
                                  .fibers = {wait_for_first, set_first_and_wait},
                                  .end = end};
    cr_assert_geq(steps_explore(&waits), 1);
}

Test(steps, explorer_aborts_where_all_wait, TEST_ABORTS)
{
    const steps_scenario stuck = {.name = "two of which the first that looks waits",
                                  .begin = begin,
                                  .fibers = {look_and_maybe_wait, look_and_maybe_wait},
                                  .end = end};
    steps_explore(&stuck);
}

static void spin(void)
{
    while (atomic_load(&words[0]) == 0) {
    }
}

Test(steps, explorer_aborts_where_a_run_does_not_end, TEST_ABORTS)
{
    const steps_scenario spins = {
        .name = "one spins for another", .begin = begin, .fibers = {spin, add_by_store}, .end = end};
    steps_explore(&spins);
}
