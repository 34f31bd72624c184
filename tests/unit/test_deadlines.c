/* SPDX-License-Identifier: MIT */
/*
 * test_deadlines.c - the pairing heap against a list that is searched from end to end.
 */
#include "engine/conn/deadlines.h"
#include "tests/support/random.h"

#include <criterion/criterion.h>

TestSuite(deadlines, .timeout = 100);

enum { COUNT = 60, STEPS = 20000 };

static pp_deadlines deadlines;
static pp_deadline all[COUNT];
static uint64_t model[COUNT]; /* 0: not set. */

static uint64_t model_first(void)
{
    uint64_t first = UINT64_MAX;
    for (int i = 0; i < COUNT; ++i) {
        first = model[i] && model[i] < first ? model[i] : first;
    }
    return first;
}

static const pp_deadline *rang, *alarm_rang;

static void deadline_due(pp_deadline *deadline, void *drainer)
{
    cr_assert_eq(drainer, &deadlines);
    rang = deadline;
}

static void alarm_due(pp_deadline *deadline, void *drainer)
{
    cr_assert_eq(drainer, &deadlines);
    alarm_rang = deadline;
}

static void step_set(int i, uint64_t due_ms)
{
    pp_deadline_set set = pp_deadlines_set(&deadlines, &all[i], due_ms);
    cr_assert_eq(set.was_set, model[i] != 0);
    model[i] = due_ms;
    cr_assert(!set.is_next || model_first() == due_ms);
    cr_assert(set.is_next || model_first() <= due_ms);
}

static void step_pop(uint64_t now_ms)
{
    pp_deadline *due = pp_deadlines_pop(&deadlines, now_ms);
    uint64_t first = model_first();
    cr_assert_eq(due != NULL, first <= now_ms);
    if (due) {
        cr_assert_eq(model[due - all], first, "popped one that is not the first");
        model[due - all] = 0;
    }
}

Test(deadlines, do_what_a_list_would_do)
{
    uint64_t seed = test_seed();
    uint64_t random = seed;
    pp_deadlines_init(&deadlines, deadline_due);
    for (int step = 0; step < STEPS; ++step) {
        int i = (int) test_random_below(&random, COUNT);
        switch (test_random_below(&random, 4)) {
        case 0:
        case 1:
            step_set(i, 1 + test_random_below(&random, 100)); /* Few times, so that many are the same. */
            break;
        case 2:
            cr_assert_eq(pp_deadlines_clear(&deadlines, &all[i]), model[i] != 0, "seed %llu",
                         (unsigned long long) seed);
            model[i] = 0;
            break;
        default:
            step_pop(test_random_below(&random, 30));
        }
        pp_deadlines_check(&deadlines);
        cr_assert_eq(deadlines.next_ms, model_first(), "seed %llu, step %d", (unsigned long long) seed, step);
    }
    while (model_first() != UINT64_MAX) {
        step_pop(UINT64_MAX - 1);
    }
    pp_deadlines_fini(&deadlines);
}

Test(deadlines, are_not_due_before_their_millisecond)
{
    pp_deadlines_init(&deadlines, deadline_due);
    step_set(0, 100);
    cr_assert_null(pp_deadlines_pop(&deadlines, 99));
    cr_assert_eq(pp_deadlines_pop(&deadlines, 100), &all[0]);
    cr_assert_null(pp_deadlines_pop(&deadlines, 100));
    cr_assert_not(pp_deadlines_clear(&deadlines, &all[0]));
    pp_deadlines_fini(&deadlines);
}

Test(deadlines, ring_an_alarm_by_what_is_its_own)
{
    static pp_alarm alarm;
    pp_deadlines_init(&deadlines, deadline_due);
    pp_alarm_init(&alarm, alarm_due);
    for (uint64_t round = 1; round <= 3; ++round) {
        rang = alarm_rang = NULL;
        cr_assert_eq(pp_deadline_due_ms(&alarm.deadline), 0);
        cr_assert_not(pp_deadlines_set(&deadlines, &alarm.deadline, 2 * round + 1).was_set);
        cr_assert_not(pp_deadlines_set(&deadlines, &all[0], 2 * round).was_set);
        cr_assert_eq(pp_deadline_due_ms(&alarm.deadline), 2 * round + 1);
        for (int i = 0; i < 2; ++i) {
            pp_deadlines_ring(&deadlines, pp_deadlines_pop(&deadlines, 100), &deadlines);
        }
        cr_assert_eq(rang, &all[0]);
        cr_assert_eq(alarm_rang, &alarm.deadline);
        cr_assert_not(pp_deadlines_clear(&deadlines, &alarm.deadline));
    }
    pp_deadlines_fini(&deadlines);
}
