/* SPDX-License-Identifier: MIT */
/*
 * test_framing.c - the value: each of its faults, and when two are the same rule.
 */
#include "protocol/framing.h"

#include <criterion/criterion.h>

#include <string.h>

static int64_t framing_measure_one(void *user, const void *stream, size_t available)
{
    (void) user, (void) stream, (void) available;
    return 1;
}

static int64_t framing_measure_two(void *user, const void *stream, size_t available)
{
    (void) user, (void) stream, (void) available;
    return 2;
}

Test(framing, takes_each_kind_at_its_bounds)
{
    int somebody = 0;
    const pp_framing good[] = {
        pp_framing_default,
        {.width = 1},
        {.width = 2},
        {.width = 3},
        {.width = 8, .big_endian = true, .keep = true},
        {.width = 4, .escape = true, .big_endian = true},
        {.width = 3, .escape = true, .keep = true},
        {.width = 4, .offset = PP_FRAMING_OFFSET_MAX},
        {.width = 4, .adjust = PP_FRAMING_ADJUST_MAX},
        {.width = 4, .adjust = -PP_FRAMING_ADJUST_MAX},
        {.kind = PP_FRAMING_VARINT},
        {.kind = PP_FRAMING_DELIMITER},
        {.kind = PP_FRAMING_DELIMITER, .delimiter = '\n', .strip_cr = true},
        {.kind = PP_FRAMING_DELIMITER, .delimiter = '\r'},
        {.kind = PP_FRAMING_DELIMITER, .delimiter = 255},
        {.kind = PP_FRAMING_HEADERS},
        {.kind = PP_FRAMING_MEASURED, .measure = framing_measure_one},
        {.kind = PP_FRAMING_MEASURED, .measure = framing_measure_one, .measure_user = &somebody},
        {.kind = PP_FRAMING_NONE},
        {.kind = PP_FRAMING_MESSAGE},
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        cr_assert_null(pp_framing_fault(&good[i]), "%zu: %s", i, pp_framing_fault(&good[i]));
        cr_assert(pp_framing_equals(&good[i], &good[i]));
    }
}

Test(framing, names_the_field_that_is_wrong)
{
    int somebody = 0;
    const struct {
        pp_framing framing;
        const char *fault;
    } bad[] = {
        {{.kind = PP_FRAMING_MESSAGE + 1}, "kind"},
        {{.kind = 255, .width = 4}, "kind"},
        {{.width = 0}, "width: 1"},
        {{.width = 5}, "width: 1"},
        {{.width = 6}, "width: 1"},
        {{.width = 7}, "width: 1"},
        {{.width = 9}, "width: 1"},
        {{.width = 255}, "width: 1"},
        {{.width = 4, .offset = PP_FRAMING_OFFSET_MAX + 1}, "offset: at most"},
        {{.width = 4, .adjust = PP_FRAMING_ADJUST_MAX + 1}, "adjust: between"},
        {{.width = 4, .adjust = -PP_FRAMING_ADJUST_MAX - 1}, "adjust: between"},
        {{.width = 4, .adjust = INT32_MIN}, "adjust: between"},
        {{.width = 8, .escape = true}, "escape: not"},
        {{.width = 4, .delimiter = '\n'}, "delimiter"},
        {{.width = 4, .strip_cr = true}, "strip_cr: 0"},
        {{.width = 4, .measure = framing_measure_one}, "measure_user: NULL"},
        {{.width = 4, .measure_user = &somebody}, "measure_user: NULL"},
        {{.kind = PP_FRAMING_VARINT, .width = 1}, "width"},
        {{.kind = PP_FRAMING_NONE, .offset = 1}, "offset"},
        {{.kind = PP_FRAMING_MESSAGE, .adjust = -1}, "adjust"},
        {{.kind = PP_FRAMING_VARINT, .big_endian = true}, "big_endian"},
        {{.kind = PP_FRAMING_HEADERS, .escape = true}, "escape"},
        {{.kind = PP_FRAMING_DELIMITER, .keep = true}, "keep"},
        {{.kind = PP_FRAMING_HEADERS, .delimiter = 1}, "delimiter"},
        {{.kind = PP_FRAMING_DELIMITER, .delimiter = '\r', .strip_cr = true}, "strip_cr: not"},
        {{.kind = PP_FRAMING_DELIMITER, .measure = framing_measure_one}, "measure"},
        {{.kind = PP_FRAMING_MEASURED}, "measure: a function"},
        {{.kind = PP_FRAMING_MEASURED, .measure_user = &somebody}, "measure: a function"},
        {{.kind = PP_FRAMING_NONE, .measure_user = &somebody}, "measure_user: NULL"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const char *fault = pp_framing_fault(&bad[i].framing);
        cr_assert_not_null(fault, "%zu has none", i);
        cr_assert_not_null(strstr(fault, bad[i].fault), "%zu: '%s' is not in '%s'", i, bad[i].fault, fault);
    }
}

Test(framing, is_the_same_rule_if_every_field_is)
{
    int somebody = 0;
    const pp_framing base = {.kind = PP_FRAMING_LENGTH, .width = 4};
    const pp_framing other[] = {
        {.kind = PP_FRAMING_VARINT, .width = 4},
        {.width = 2},
        {.width = 4, .offset = 1},
        {.width = 4, .delimiter = 1},
        {.width = 4, .big_endian = true},
        {.width = 4, .escape = true},
        {.width = 4, .keep = true},
        {.width = 4, .strip_cr = true},
        {.width = 4, .adjust = 1},
        {.width = 4, .measure = framing_measure_one},
        {.width = 4, .measure = framing_measure_two},
        {.width = 4, .measure_user = &somebody},
    };
    enum { OTHERS = sizeof other / sizeof other[0] };
    cr_assert(pp_framing_equals(&base, &pp_framing_default));
    for (int i = 0; i < OTHERS; i++) {
        cr_assert_not(pp_framing_equals(&base, &other[i]), "%d", i);
        for (int k = 0; k < OTHERS; k++) {
            cr_assert_eq(pp_framing_equals(&other[i], &other[k]), i == k, "%d and %d", i, k);
        }
    }
}
