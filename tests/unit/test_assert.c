/* SPDX-License-Identifier: MIT */
/*
 * test_assert.c - the asserts themselves: what holds passes, what does not ends the process, and release asks less.
 */
#include "engine/base/assert.h"
#include "tests/support/aborts.h"

#include <criterion/criterion.h>

#include <stdbool.h>

static int asked;

static bool assert_ask(bool answer)
{
    asked++;
    return answer;
}

Test(assert, verify_lets_pass_what_holds_and_asks_once)
{
    PP_VERIFY(assert_ask(true));
    cr_assert_eq(asked, 1);
}

Test(assert, verify_ends_the_process_in_every_build, TEST_ABORTS)
{
    PP_VERIFY(assert_ask(false));
}

Test(assert, can_stand_where_an_expression_stands)
{
    int value = (PP_VERIFY(true), 1);
    cr_assert_eq(value, 1);
}

#ifdef NDEBUG
Test(assert, assert_asks_nothing_in_release)
{
    PP_ASSERT(assert_ask(false));
    cr_assert_eq(asked, 0);
}
#else
Test(assert, assert_lets_pass_what_holds_and_asks_once)
{
    PP_ASSERT(assert_ask(true));
    cr_assert_eq(asked, 1);
}

Test(assert, assert_ends_the_process_in_debug, TEST_ABORTS)
{
    PP_ASSERT(assert_ask(false));
}
#endif
