/* SPDX-License-Identifier: MIT */
/* The tools' names of topics: one number each while it is held, and none used up by who comes and goes. */
#include "tools/pipeport/topic_table.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define NUMBERS 100

static struct topic_table *table;

static void setup(void)
{
    table = topic_table_create(NUMBERS);
    cr_assert_not_null(table);
}

static void teardown(void)
{
    topic_table_destroy(table);
}

TestSuite(topic_table, .init = setup, .fini = teardown);

static uint32_t enter(unsigned number)
{
    char name[32];

    return topic_table_enter(table, name, (size_t) snprintf(name, sizeof(name), "topic %u", number));
}

static uint32_t find(unsigned number)
{
    char name[32];

    return topic_table_find(table, name, (size_t) snprintf(name, sizeof(name), "topic %u", number));
}

Test(topic_table, gives_each_name_a_number_of_its_own)
{
    uint32_t numbers[NUMBERS];

    for (unsigned i = 0; i < NUMBERS; i++) {
        cr_assert_eq(find(i), TOPIC_TABLE_NONE);
        numbers[i] = enter(i);
        cr_assert_lt(numbers[i], NUMBERS);
        for (unsigned j = 0; j < i; j++) {
            cr_assert_neq(numbers[i], numbers[j]);
            cr_assert_eq(find(j), numbers[j]);
        }
    }
    cr_assert_eq(topic_table_count(table), NUMBERS);
    cr_assert_eq(enter(NUMBERS), TOPIC_TABLE_NONE, "there are no more numbers");
    cr_assert_eq(enter(7), numbers[7], "who is there is found in a full table");
    topic_table_drop(table, numbers[50]);
    cr_assert_eq(find(50), TOPIC_TABLE_NONE);
    cr_assert_eq(enter(NUMBERS), numbers[50]);
    for (unsigned i = 0; i < NUMBERS; i++) {
        cr_assert_eq(find(i), i == 50 ? TOPIC_TABLE_NONE : numbers[i]);
    }
}

Test(topic_table, keeps_a_name_until_the_last_lets_go)
{
    uint32_t number = enter(1);

    cr_assert_eq(enter(1), number);
    topic_table_hold(table, number);
    topic_table_drop(table, number);
    topic_table_drop(table, number);
    cr_assert_eq(find(1), number);
    topic_table_drop(table, number);
    cr_assert_eq(find(1), TOPIC_TABLE_NONE);
    cr_assert_eq(topic_table_count(table), 0);
}

Test(topic_table, is_not_used_up_by_who_comes_and_goes)
{
    for (unsigned i = 0; i < 100 * NUMBERS; i++) {
        uint32_t number = enter(i);

        cr_assert_lt(number, NUMBERS, "name %u", i);
        if (i >= NUMBERS / 2) {
            topic_table_drop(table, find(i - NUMBERS / 2));
        }
    }
    cr_assert_eq(topic_table_count(table), NUMBERS / 2);
}

Test(topic_table, tells_names_apart_by_every_byte_and_the_length)
{
    char name[TOPIC_TABLE_NAME_BYTES_MAX];
    uint32_t number;

    memset(name, 'x', sizeof(name));
    number = topic_table_enter(table, name, sizeof(name));
    cr_assert_eq(topic_table_find(table, name, sizeof(name) - 1), TOPIC_TABLE_NONE);
    cr_assert_neq(topic_table_enter(table, name, 0), number);
    name[sizeof(name) - 1] = '\0';
    cr_assert_eq(topic_table_find(table, name, sizeof(name)), TOPIC_TABLE_NONE);
    name[sizeof(name) - 1] = 'x';
    cr_assert_eq(topic_table_find(table, name, sizeof(name)), number);
}
