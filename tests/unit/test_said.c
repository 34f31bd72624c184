/* SPDX-License-Identifier: MIT */
/* What another program has said: whole lines, the last one, and no more than fits. */
#include "bench/generator/said.h"

#include <criterion/criterion.h>

#include <string.h>

static void add(struct said *said, const char *text)
{
    said_add(said, text, strlen(text));
}

Test(said, knows_a_line_once_it_is_whole)
{
    struct said said = {.length = 0};
    char line[64] = "";

    add(&said, "warning: odd\nlistening on ");
    cr_assert_not(said_line(&said, "listening on ", line, sizeof line));
    add(&said, "/tmp/x\r\nmore");
    cr_assert(said_line(&said, "listening on ", line, sizeof line));
    cr_assert_str_eq(line, "listening on /tmp/x");
    cr_assert_not(said_line(&said, "istening", line, sizeof line));
    cr_assert(said_line(&said, "warning", line, sizeof line));
    cr_assert_str_eq(line, "warning: odd");
}

Test(said, ends_with_the_last_line_that_says_something)
{
    struct said said = {.length = 0};
    char line[64];

    said_last(&said, line, sizeof line);
    cr_assert_str_eq(line, "nothing");
    add(&said, "\n \r\n");
    said_last(&said, line, sizeof line);
    cr_assert_str_eq(line, "nothing");
    add(&said, "first\nlast one\r\n\n");
    said_last(&said, line, sizeof line);
    cr_assert_str_eq(line, "last one");
    add(&said, "half");
    said_last(&said, line, sizeof line);
    cr_assert_str_eq(line, "half");
    said_clear(&said);
    said_last(&said, line, sizeof line);
    cr_assert_str_eq(line, "nothing");
}

Test(said, cuts_a_line_to_the_room)
{
    struct said said = {.length = 0};
    char line[5];

    add(&said, "abcdefgh\n");
    said_last(&said, line, sizeof line);
    cr_assert_str_eq(line, "abcd");
}

Test(said, keeps_what_came_last)
{
    static char many[3 * SAID_BYTES];
    struct said said = {.length = 0};
    char line[64];

    memset(many, 'a', sizeof many);
    add(&said, "first\n");
    said_add(&said, many, SAID_BYTES - 3);
    cr_assert_eq(said.length, SAID_BYTES);
    cr_assert_eq(strncmp(said.bytes, "st\naaa", 6), 0, "%.8s", said.bytes);
    said_add(&said, many, sizeof many);
    add(&said, "\nlast\n");
    cr_assert_eq(said.length, SAID_BYTES);
    cr_assert_eq(strlen(said.bytes), SAID_BYTES);
    said_last(&said, line, sizeof line);
    cr_assert_str_eq(line, "last");
}

Test(said, has_no_control_characters)
{
    struct said said = {.length = 0};
    char line[64];

    said_add(&said, "a\0b\x1b[1m\tc\n", 10);
    said_last(&said, line, sizeof line);
    cr_assert_str_eq(line, "a b [1m c");
}
