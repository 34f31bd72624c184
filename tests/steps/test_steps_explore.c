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
#include <stdlib.h>
#include <string.h>

TestSuite(steps, .timeout = 100);

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

/* ---- Against the search without reductions: small programs by chance, and all ends that each search reaches ---- */

enum { PROGRAMS = 300, CODES = 3, ENDS_MAX = 20000 };

typedef enum { LOAD, STORE, ADD, EXCHANGE, COMPARE, UNDER_LOCK, VERBS } verb;

typedef struct code {
    verb verb;
    uint32_t word, value;
} code;

static code program[3][CODES]; /* The third fiber has one code less, so that the whole search ends soon. */
static uint64_t heard[3];      /* By fiber: all that it was answered. */
static uint64_t ends[2][ENDS_MAX];
static uint32_t ends_count[2];
static uint32_t search;

static uint64_t mix(uint64_t sum, uint64_t value)
{
    sum = (sum ^ value) * UINT64_C(0x9E3779B97F4A7C15);
    return sum ^ sum >> 29;
}

static uint32_t obey(const code *what)
{
    _Atomic uint32_t *word = &words[what->word];
    uint32_t seen = what->value;
    switch (what->verb) {
    case LOAD:
        return atomic_load(word);
    case STORE:
        atomic_store(word, what->value);
        return 0;
    case ADD:
        return atomic_fetch_add(word, what->value);
    case EXCHANGE:
        return atomic_exchange(word, what->value);
    case COMPARE:
        return 16 * seen + atomic_compare_exchange_weak(word, &seen, what->value + 1);
    case UNDER_LOCK:
        pp_lock_take(&lock);
        seen = under_lock;
        under_lock = seen * 3 + what->value;
        pp_lock_give(&lock);
        return seen;
    case VERBS:
        break;
    }
    return 0;
}

static void run_program(int fiber)
{
    for (int i = 0; i < CODES - (fiber == 2); ++i) {
        heard[fiber] = mix(heard[fiber], obey(&program[fiber][i]));
    }
}

static void run_first(void)
{
    run_program(0);
}

static void run_second(void)
{
    run_program(1);
}

static void run_third(void)
{
    run_program(2);
}

static void begin_program(void)
{
    begin_lock();
    memset(heard, 0, sizeof heard);
}

static void end_program(void)
{
    uint64_t sum = under_lock;
    for (int i = 0; i < 3; ++i) {
        sum = mix(mix(sum, words[i]), heard[i]);
    }
    if (steps_order() == UINT64_MAX) {
        return;
    }
    uint32_t *count = &ends_count[search];
    *count = steps_order() == 0 ? 0 : *count; /* What was reached while places were learnt does not count. */
    for (uint32_t i = 0; i < *count; ++i) {
        if (ends[search][i] == sum) {
            return;
        }
    }
    STEPS_ASSERT(*count < ENDS_MAX);
    ends[search][(*count)++] = sum;
}

static int compare_ends(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *) a;
    uint64_t right = *(const uint64_t *) b;
    return (left > right) - (left < right);
}

static void explore_program(void)
{
    steps_scenario scenario = {
        .begin = begin_program, .fibers = {run_first, run_second, run_third}, .end = end_program};
    search = 0;
    uint64_t reduced = steps_explore(&scenario);
    scenario.whole = true;
    search = 1;
    cr_assert_leq(reduced, steps_explore(&scenario));
}

Test(steps, explorer_reaches_every_end_that_the_whole_search_reaches)
{
    uint64_t chance = 1;
    uint32_t most = 0;
    for (int i = 0; i < PROGRAMS; ++i) {
        for (int j = 0; j < 3 * CODES; ++j) {
            chance = mix(chance, 7);
            program[j / CODES][j % CODES] = (code){(verb) (chance % VERBS), chance / 16 % 2, chance / 64 % 3};
        }
        explore_program();
        for (int j = 0; j < 2; ++j) {
            qsort(ends[j], ends_count[j], sizeof ends[j][0], compare_ends);
        }
        cr_assert_eq(ends_count[0], ends_count[1], "program %d: %u ends, %u", i, ends_count[0], ends_count[1]);
        cr_assert_arr_eq(ends[0], ends[1], ends_count[0] * sizeof ends[0][0]);
        most = ends_count[0] > most ? ends_count[0] : most;
    }
    cr_assert_gt(most, 50, "programs in which little can happen");
}
