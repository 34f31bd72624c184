/* SPDX-License-Identifier: MIT */
/*
 * test_stamp.c - moments in 32 bits, also where the clock's lower half turns over.
 */
#include "engine/conn/stamp.h"

#include <criterion/criterion.h>

#define STAMP_TURN (UINT64_C(1) << 32)

static const uint64_t begins[] = {1, 1000, STAMP_TURN - 1, STAMP_TURN, STAMP_TURN + 1, 5 * STAMP_TURN - 30000};

enum { BEGINS = sizeof begins / sizeof begins[0] };

Test(stamp, says_when_a_bound_on_an_age_is_due)
{
    static const uint32_t ages[] = {0, 1, 29999, 30000, 30001, PP_STAMP_DAY_MS};
    for (unsigned i = 0; i < BEGINS; ++i) {
        uint32_t stamp = pp_stamp_of(begins[i]);
        uint64_t began_ms = begins[i] == STAMP_TURN ? begins[i] - 1 : begins[i];
        for (unsigned j = 0; j < sizeof ages / sizeof ages[0]; ++j) {
            cr_assert_neq(stamp, 0);
            cr_assert_eq(pp_stamp_due_ms(stamp, 30000, begins[i] + ages[j]), began_ms + 30000, "%u, %u", i, j);
        }
    }
}

Test(stamp, counts_as_new_what_another_thread_has_stamped_just_ahead_of_us)
{
    for (unsigned i = 0; i < BEGINS; ++i) {
        uint64_t due_ms = pp_stamp_due_ms(pp_stamp_of(begins[i] + 5), 30000, begins[i]);
        cr_assert_geq(due_ms, begins[i] + 30000);
        cr_assert_leq(due_ms, begins[i] + 30005);
    }
}

Test(stamp, takes_a_bound_that_is_too_long_for_the_longest)
{
    uint64_t now_ms = 7 * STAMP_TURN;
    uint32_t stamp = pp_stamp_of(now_ms - PP_STAMP_BOUND_MS_MAX);
    cr_assert_eq(pp_stamp_due_ms(stamp, UINT32_MAX, now_ms), now_ms);
    cr_assert_eq(pp_stamp_due_ms(stamp, PP_STAMP_BOUND_MS_MAX, now_ms + PP_STAMP_DAY_MS), now_ms);
}
