/* SPDX-License-Identifier: MIT */
/* The load generator's result: which run stands for all, and how far they lie apart. */
#include "bench/generator/result.h"
#include "tests/support/made.h"

#include <criterion/criterion.h>

static double median(const double *rates, uint32_t count)
{
    struct result result;
    double rate;

    made_result(&result, rates, count);
    rate = result_rate(result_median(&result));
    result_clear(&result);
    return rate;
}

static double spread(const double *rates, uint32_t count)
{
    struct result result;
    double found;

    made_result(&result, rates, count);
    found = result_spread(&result);
    result_clear(&result);
    return found;
}

Test(result, takes_the_run_of_the_median_rate_and_of_two_the_lower)
{
    cr_assert_float_eq(median((double[]){7}, 1), 7, 1e-9);
    cr_assert_float_eq(median((double[]){9, 7}, 2), 7, 1e-9);
    cr_assert_float_eq(median((double[]){9, 7, 8}, 3), 8, 1e-9);
    cr_assert_float_eq(median((double[]){4, 1, 3, 2}, 4), 2, 1e-9);
    cr_assert_float_eq(median((double[]){5, 5, 5}, 3), 5, 1e-9);
    cr_assert_float_eq(median((double[]){0, 0}, 2), 0, 1e-9);
}

Test(result, says_how_far_the_runs_lie_apart)
{
    cr_assert_float_eq(spread((double[]){7}, 1), 1.0, 1e-9);
    cr_assert_float_eq(spread((double[]){100, 135, 110}, 3), 1.35, 1e-9);
    cr_assert_float_eq(spread((double[]){0, 0}, 2), 1.0, 1e-9);
    cr_assert_gt(spread((double[]){0, 1}, 2), RESULT_UNSTABLE_SPREAD);
}

Test(result, has_no_rate_without_time_and_no_median_without_runs)
{
    struct result_run run = {.messages = 5};
    struct result result = {.runs_count = 0};

    cr_assert_float_eq(result_rate(&run), 0.0, 1e-9);
    cr_assert_null(result_median(&result));
    cr_assert_float_eq(result_spread(&result), 1.0, 1e-9);
    result_clear(&result);
}

Test(result, adds_up_its_errors)
{
    struct result_run run = {.errors = {1, 2, 4, 8, 16, 32}};

    cr_assert_eq(result_errors(&run), 63);
}
