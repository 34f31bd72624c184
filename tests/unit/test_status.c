/* SPDX-License-Identifier: MIT */
/*
 * test_status.c - every status speaks, each for itself.
 */
#include "engine/base/status.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

enum { STATUS_COUNT = PIPEPORT_WRONG_TYPE + 1 };

Test(status, has_a_sentence_of_its_own_for_each)
{
    const char *unknown = pipeport_status_text((pipeport_status) STATUS_COUNT);
    for (int i = 0; i < STATUS_COUNT; i++) {
        const char *text = pipeport_status_text((pipeport_status) i);
        cr_assert_not_null(text);
        cr_assert_str_neq(text, unknown, "status %d has no sentence", i);
        cr_assert_eq(text[strlen(text) - 1], '.', "status %d: %s", i, text);
        for (int other = 0; other < i; other++) {
            cr_assert_str_neq(text, pipeport_status_text((pipeport_status) other), "statuses %d and %d", i, other);
        }
    }
}

Test(status, says_something_about_a_number_that_is_none)
{
    cr_assert_not_null(pipeport_status_text((pipeport_status) -1));
    cr_assert_not_null(pipeport_status_text((pipeport_status) 0x7fffffff));
}

Test(status, keeps_the_numbers_it_has_published)
{
    /* They are the ABI: a program built against an older header reads a newer library's answers. */
    cr_assert_eq(PIPEPORT_OK, 0);
    cr_assert_eq(PIPEPORT_NO_MEMORY, 2);
    cr_assert_eq(PIPEPORT_FULL, 8);
    cr_assert_eq(PIPEPORT_GONE, 9);
    cr_assert_eq(PIPEPORT_BAD_PEER, 12);
    cr_assert_eq(PIPEPORT_SYSTEM, 15);
    cr_assert_eq(PIPEPORT_WRONG_TYPE, 16);
}

Test(status, tells_the_version_of_the_header)
{
    char expected[32];
    snprintf(expected, sizeof(expected), "%d.%d.%d", PIPEPORT_VERSION_MAJOR, PIPEPORT_VERSION_MINOR,
             PIPEPORT_VERSION_PATCH);
    cr_assert_str_eq(pipeport_version(), expected);
}
