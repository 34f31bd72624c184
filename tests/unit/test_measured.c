/* SPDX-License-Identifier: MIT */
/*
 * test_measured.c - messages whose length a function tells, and what of its answers is believed.
 */
#include "protocol/framing.h"

#include "tests/support/looks.h"

#include <criterion/criterion.h>

enum { MAX = PP_FRAMING_PAYLOAD_BYTES_MAX };

/* A frame is a digit and as many bytes as it says; it cannot tell before its second byte. */
static int64_t measured_digit(void *user, const void *stream, size_t available)
{
    const char *first = stream;
    *(uint32_t *) user += 1;
    if (*first < '0' || *first > '9') {
        return -1;
    }
    return available < 2 ? 0 : 1 + (*first - '0');
}

static int64_t measured_constant(void *user, const void *stream, size_t available)
{
    (void) stream, (void) available;
    return *(const int64_t *) user;
}

Test(measured, is_as_long_as_it_is_measured)
{
    uint32_t asked = 0;
    pp_framing framing = {.kind = PP_FRAMING_MEASURED, .measure = measured_digit, .measure_user = &asked};
    looks_whole(&(looks_stream){&framing, LOOKS_TEXT("3abc+"), 4}, 0, 4, 4);
    cr_assert_eq(asked, 2 * (4 + 2), "asked %u times: once a look", asked);
    looks_refused(&(looks_stream){&framing, LOOKS_TEXT("3abc+"), 3}, 2, "more than the bound");
    looks_part(&(looks_stream){&framing, LOOKS_TEXT("9"), 10}, 2);
    looks_part(&(looks_stream){&framing, LOOKS_TEXT("9a"), 10}, 10);
    looks_refused(&(looks_stream){&framing, LOOKS_TEXT("x"), 10}, 1, "no message");
}

Test(measured, refuses_an_answer_that_no_bound_holds)
{
    static const int64_t negative[] = {-1, INT64_MIN, INT32_MIN},
                         large[] = {MAX + 1ll, UINT32_MAX, 1ll << 32, INT64_MAX};
    for (int i = 0; i < 3; i++) {
        pp_framing framing = {
            .kind = PP_FRAMING_MEASURED, .measure = measured_constant, .measure_user = (void *) &negative[i]};
        looks_refused(&(looks_stream){&framing, LOOKS_TEXT("ab"), MAX}, 1, "no message");
    }
    for (int i = 0; i < 4; i++) {
        pp_framing framing = {
            .kind = PP_FRAMING_MEASURED, .measure = measured_constant, .measure_user = (void *) &large[i]};
        looks_refused(&(looks_stream){&framing, LOOKS_TEXT("ab"), MAX}, 1, "more than the bound");
    }
    int64_t most = MAX;
    pp_framing framing = {.kind = PP_FRAMING_MEASURED, .measure = measured_constant, .measure_user = &most};
    looks_part(&(looks_stream){&framing, LOOKS_TEXT("ab"), MAX}, MAX);
}

Test(measured, does_not_wait_beyond_the_bound)
{
    int64_t none = 0;
    pp_framing framing = {.kind = PP_FRAMING_MEASURED, .measure = measured_constant, .measure_user = &none};
    looks_part(&(looks_stream){&framing, LOOKS_TEXT("abc"), 4}, 4);
    looks_refused(&(looks_stream){&framing, LOOKS_TEXT("abcd"), 4}, 4, "cannot tell");
    looks_refused(&(looks_stream){&framing, LOOKS_TEXT("a"), 0}, 1, "cannot tell");
}

Test(measured, admits_what_it_measures_as_one)
{
    uint32_t asked = 0;
    pp_framing framing = {.kind = PP_FRAMING_MEASURED, .measure = measured_digit, .measure_user = &asked};
    const struct {
        const char *payload;
        uint32_t bytes;
        bool admitted;
    } cases[] = {
        {LOOKS_TEXT("1a"), true}, {LOOKS_TEXT("3abc"), true}, {LOOKS_TEXT("3ab"), false},  {LOOKS_TEXT("3abcd"), false},
        {LOOKS_TEXT("0"), false}, {LOOKS_TEXT("x"), false},   {LOOKS_TEXT("1a1a"), false}, {NULL, 0, false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cr_assert_eq(pp_framing_admit(&framing, (const uint8_t *) cases[i].payload, cases[i].bytes),
                     cases[i].admitted ? PP_ADMITTED : PP_ADMISSION_MALFORMED, "%zu", i);
    }
    cr_assert(pp_framing_fits(&framing, 1));
    cr_assert(pp_framing_fits(&framing, MAX));
    cr_assert_not(pp_framing_fits(&framing, 0));
    cr_assert_not(pp_framing_fits(&framing, MAX + 1u));
    cr_assert_eq(pp_framing_header_bytes(&framing, 9), 0);
    cr_assert_eq(pp_framing_trailer_bytes(&framing), 0);
}
