/* SPDX-License-Identifier: MIT */
/* Medians, quartiles and spreads of figures and of ratios. */
#include "bench/generator/standing.h"

#include "bench/generator/result.h"

#include <criterion/criterion.h>

#include <math.h>

static void expect_near(double found, double wanted)
{
    cr_assert(fabs(found - wanted) < 1e-9, "%.12g, not %.12g", found, wanted);
}

Test(standing, of_five_takes_the_second_the_third_and_the_fourth)
{
    struct standing standing = standing_of((double[]){30, 10, 50, 20, 40}, 5);

    cr_assert_eq(standing.count, 5);
    expect_near(standing.lowest, 10);
    expect_near(standing.low, 20);
    expect_near(standing.median, 30);
    expect_near(standing.high, 40);
    expect_near(standing.highest, 50);
    expect_near(standing.spread, 5);
}

Test(standing, of_four_lies_between_the_figures)
{
    struct standing standing = standing_of((double[]){4, 1, 2, 3}, 4);

    expect_near(standing.low, 1.75);
    expect_near(standing.median, 2.5);
    expect_near(standing.high, 3.25);
}

Test(standing, of_one_is_that_one)
{
    struct standing standing = standing_of((double[]){7}, 1);

    expect_near(standing.lowest, 7);
    expect_near(standing.low, 7);
    expect_near(standing.median, 7);
    expect_near(standing.high, 7);
    expect_near(standing.highest, 7);
    expect_near(standing.spread, 1);
}

Test(standing, of_none_counts_none_and_claims_nothing_apart)
{
    struct standing standing = standing_of(NULL, 0);

    cr_assert_eq(standing.count, 0);
    expect_near(standing.median, 0);
    cr_assert_not(standing_is_unstable(&standing));
}

Test(standing, leaves_the_figures_as_they_are)
{
    double figures[] = {3, 1, 2};

    (void) standing_of(figures, 3);
    expect_near(figures[0], 3);
    expect_near(figures[1], 1);
    expect_near(figures[2], 2);
}

Test(standing, is_unstable_from_the_bound_on_that_run_has)
{
    struct standing calm = standing_of((double[]){100, 100 * RESULT_UNSTABLE_SPREAD - 0.1}, 2);
    struct standing wild = standing_of((double[]){100, 100 * RESULT_UNSTABLE_SPREAD + 0.1}, 2);
    struct standing dead = standing_of((double[]){0, 100}, 2);
    struct standing nothing = standing_of((double[]){0, 0}, 2);

    cr_assert_not(standing_is_unstable(&calm));
    cr_assert(standing_is_unstable(&wild));
    cr_assert(standing_is_unstable(&dead));
    expect_near(dead.spread, RESULT_SPREAD_ENDLESS);
    cr_assert_not(standing_is_unstable(&nothing));
}

/* The median of ratios is not the ratio of medians. */
Test(standing, takes_ratios_round_by_round)
{
    struct standing ratios = standing_of_ratios((double[]){100, 50, 90}, (double[]){50, 100, 30}, 3);

    cr_assert_eq(ratios.count, 3);
    expect_near(ratios.lowest, 0.5);
    expect_near(ratios.median, 2);
    expect_near(ratios.highest, 3);
}

Test(standing, leaves_out_the_rounds_that_have_no_ratio)
{
    struct standing ratios = standing_of_ratios((double[]){100, 50, 0}, (double[]){0, 100, 30}, 3);

    cr_assert_eq(ratios.count, 2);
    expect_near(ratios.lowest, 0);
    expect_near(ratios.highest, 0.5);
    ratios = standing_of_ratios((double[]){100}, (double[]){0}, 1);
    cr_assert_eq(ratios.count, 0);
}
