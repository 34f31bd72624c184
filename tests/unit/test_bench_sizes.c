/* SPDX-License-Identifier: MIT */
/* The load generator's sizes: what is typed, and what is drawn. */
#include "bench/generator/sizes.h"

#include <criterion/criterion.h>

#include <string.h>

static struct plan read(const char *text)
{
    struct plan plan = {.seed = 1};
    struct sizes_fault fault;

    cr_assert(sizes_read(text, &plan, &fault), "%s: %s", text, fault.text);
    return plan;
}

Test(sizes, reads_one_a_list_a_range_and_weights)
{
    struct plan plan = read("0,1K,64-4k,2M*9,1-2*1000000,1G");
    static const struct plan_size due[] = {{0, 0, 1},       {1024, 1024, 1},      {64, 4096, 1}, {2 << 20, 2 << 20, 9},
                                           {1, 2, 1000000}, {1 << 30, 1 << 30, 1}};

    cr_assert_eq(plan.sizes_count, 6);
    for (size_t i = 0; i < 6; i++) {
        cr_assert_eq(plan.sizes[i].min_bytes, due[i].min_bytes, "%zu", i);
        cr_assert_eq(plan.sizes[i].max_bytes, due[i].max_bytes, "%zu", i);
        cr_assert_eq(plan.sizes[i].weight, due[i].weight, "%zu", i);
    }
    cr_assert_eq(sizes_shortest(&plan), 0);
    cr_assert_eq(sizes_longest(&plan), 1 << 30);
}

Test(sizes, refuses_everything_else_with_a_sentence)
{
    static const char *const texts[] = {
        "",      ",",  "1,",  ",1",        "x",     "-1",  "5x", "1KK", "4K-64", "1-",   "-",
        "1-2-3", "1*", "1*0", "1*1000001", "1*2*3", "1.5", " 1", "1 ",  "2G",    "1-2G", "99999999999999999999"};

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct plan plan = {.seed = 1};
        struct sizes_fault fault = {""};

        cr_expect_not(sizes_read(texts[i], &plan, &fault), "'%s'", texts[i]);
        cr_expect_not_null(strstr(fault.text, "give one such as"), "'%s': %s", texts[i], fault.text);
    }
}

Test(sizes, takes_as_many_as_there_is_room_for)
{
    char text[PLAN_SIZES_MAX * 2 + 2] = "1";
    struct plan plan = {.seed = 1};
    struct sizes_fault fault;

    for (int i = 1; i < PLAN_SIZES_MAX; i++) {
        strcat(text, ",1");
    }
    cr_assert(sizes_read(text, &plan, &fault));
    strcat(text, ",1");
    cr_assert_not(sizes_read(text, &plan, &fault));
    cr_assert_not_null(strstr(fault.text, "more than"));
}

Test(sizes, draws_by_weight_and_evenly_within_a_range)
{
    struct plan plan = read("10*3,100-109");
    uint32_t tens = 0, seen[10] = {0};

    for (uint64_t i = 0; i < 40000; i++) {
        uint32_t size = sizes_draw(&plan, (uint32_t) (i % 4), i / 4);

        cr_assert(size == 10 || (size >= 100 && size <= 109), "%u", size);
        if (size == 10) {
            tens++;
        } else {
            seen[size - 100]++;
        }
    }
    cr_assert(tens > 29500 && tens < 30500, "%u of 40000 for 3 of 4", tens);
    for (int i = 0; i < 10; i++) {
        cr_assert(seen[i] > 850 && seen[i] < 1150, "%u of 10000 for 1 of 10", seen[i]);
    }
}

Test(sizes, draws_the_same_from_the_same_seed_only)
{
    struct plan plan = read("0-1000000"), other = plan;
    uint32_t same = 0;

    other.seed = 2;
    for (uint64_t i = 0; i < 1000; i++) {
        cr_assert_eq(sizes_draw(&plan, 7, i), sizes_draw(&plan, 7, i));
        same += sizes_draw(&plan, 7, i) == sizes_draw(&other, 7, i);
        same += sizes_draw(&plan, 7, i) == sizes_draw(&plan, 8, i);
        same += sizes_draw(&plan, 7, i) == sizes_draw(&plan, 7, i + 1);
    }
    cr_assert_lt(same, 10);
}
