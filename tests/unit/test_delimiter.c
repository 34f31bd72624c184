/* SPDX-License-Identifier: MIT */
/*
 * test_delimiter.c - messages that end with a byte: the bound, with and without a carriage return, what may be sent.
 */
#include "protocol/framing.h"

#include "tests/support/looks.h"

#include <criterion/criterion.h>

#include <string.h>

static const pp_framing delimiter_line = {.kind = PP_FRAMING_DELIMITER, .delimiter = '\n', .strip_cr = true};
static const pp_framing delimiter_feed = {.kind = PP_FRAMING_DELIMITER, .delimiter = '\n'};
static const pp_framing delimiter_nul = {.kind = PP_FRAMING_DELIMITER};

Test(delimiter, ends_a_message)
{
    looks_whole(&(looks_stream){&delimiter_feed, LOOKS_TEXT("hello\n+\n"), 99}, 0, 5, 6);
    looks_whole(&(looks_stream){&delimiter_feed, LOOKS_TEXT("\n\n"), 99}, 0, 0, 1);
    looks_whole(&(looks_stream){&delimiter_nul, LOOKS_TEXT("a\nb\0c"), 99}, 0, 3, 4);
    looks_whole(&(looks_stream){&delimiter_feed, LOOKS_TEXT("hi\r\n+"), 99}, 0, 3, 4);
    looks_part(&(looks_stream){&delimiter_feed, LOOKS_TEXT("hello"), 99}, 6);
}

Test(delimiter, strips_one_carriage_return)
{
    looks_whole(&(looks_stream){&delimiter_line, LOOKS_TEXT("hello\r\n+\n"), 99}, 0, 5, 7);
    looks_whole(&(looks_stream){&delimiter_line, LOOKS_TEXT("hello\n+\n"), 99}, 0, 5, 6);
    looks_whole(&(looks_stream){&delimiter_line, LOOKS_TEXT("\r\n+"), 99}, 0, 0, 2);
    looks_whole(&(looks_stream){&delimiter_line, LOOKS_TEXT("\n"), 99}, 0, 0, 1);
    looks_whole(&(looks_stream){&delimiter_line, LOOKS_TEXT("\r\r\n"), 99}, 0, 1, 3);
    looks_whole(&(looks_stream){&delimiter_line, LOOKS_TEXT("a\rb\n"), 99}, 0, 3, 4);
    looks_part(&(looks_stream){&delimiter_line, LOOKS_TEXT("hello\r"), 99}, 7);
}

Test(delimiter, bounds_what_is_delivered)
{
    looks_whole(&(looks_stream){&delimiter_feed, LOOKS_TEXT("hello\n"), 5}, 0, 5, 6);
    looks_refused(&(looks_stream){&delimiter_feed, LOOKS_TEXT("hello\n"), 4}, 5, "without its delimiter");
    looks_refused(&(looks_stream){&delimiter_feed, LOOKS_TEXT("hell\r\n"), 4}, 5, "without its delimiter");
    looks_refused(&(looks_stream){&delimiter_feed, LOOKS_TEXT("hello world and no end"), 4}, 5, "without");
    looks_whole(&(looks_stream){&delimiter_feed, LOOKS_TEXT("\n"), 0}, 0, 0, 1);
    looks_refused(&(looks_stream){&delimiter_feed, LOOKS_TEXT("x\n"), 0}, 1, "without its delimiter");
}

Test(delimiter, bounds_it_without_the_carriage_return)
{
    looks_whole(&(looks_stream){&delimiter_line, LOOKS_TEXT("hello\n"), 5}, 0, 5, 6);
    looks_whole(&(looks_stream){&delimiter_line, LOOKS_TEXT("hello\r\n"), 5}, 0, 5, 7);
    looks_refused(&(looks_stream){&delimiter_line, LOOKS_TEXT("hello!\n"), 5}, 6, "without its delimiter");
    looks_refused(&(looks_stream){&delimiter_line, LOOKS_TEXT("hello\r\r\n"), 5}, 7, "without its delimiter");
    looks_refused(&(looks_stream){&delimiter_line, LOOKS_TEXT("hello\r!\n"), 5}, 7, "without its delimiter");
    looks_part(&(looks_stream){&delimiter_line, LOOKS_TEXT("hello\r"), 5}, 7);
    looks_whole(&(looks_stream){&delimiter_line, LOOKS_TEXT("\r\n"), 0}, 0, 0, 2);
    looks_refused(&(looks_stream){&delimiter_line, LOOKS_TEXT("\r\r\n"), 0}, 2, "without its delimiter");
}

/* Not found where the last look was: it trusts who asks. */
Test(delimiter, does_not_search_again_what_was_looked_at)
{
    pp_frame frame = {.looked = 3};
    cr_assert_eq(pp_framing_look(&delimiter_feed, (const uint8_t *) "a\nbcd\n", 6, 99, &frame), PP_FRAME_WHOLE);
    cr_assert_eq(frame.payload_bytes, 5);
    frame.looked = 6;
    cr_assert_eq(pp_framing_look(&delimiter_feed, (const uint8_t *) "a\nbcd\n", 6, 99, &frame), PP_FRAME_PART);
    cr_assert_eq(frame.bytes_needed, 7);
}

Test(delimiter, admits_what_arrives_as_it_was)
{
    const struct {
        const pp_framing *framing;
        const char *payload;
        uint32_t bytes;
        bool admitted;
    } cases[] = {
        {&delimiter_feed, NULL, 0, true},
        {&delimiter_line, NULL, 0, true},
        {&delimiter_feed, LOOKS_TEXT("a"), true},
        {&delimiter_feed, LOOKS_TEXT("a\r"), true},
        {&delimiter_feed, LOOKS_TEXT("\n"), false},
        {&delimiter_feed, LOOKS_TEXT("\na"), false},
        {&delimiter_feed, LOOKS_TEXT("a\n"), false},
        {&delimiter_line, LOOKS_TEXT("\r"), false},
        {&delimiter_line, LOOKS_TEXT("a\r"), false},
        {&delimiter_line, LOOKS_TEXT("\ra"), true},
        {&delimiter_line, LOOKS_TEXT("a\nb"), false},
        {&delimiter_nul, LOOKS_TEXT("a\nb"), true},
        {&delimiter_nul, LOOKS_TEXT("a\0b"), false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cr_assert_eq(pp_framing_admit(cases[i].framing, (const uint8_t *) cases[i].payload, cases[i].bytes),
                     cases[i].admitted ? PP_ADMITTED : PP_ADMISSION_MALFORMED, "%zu", i);
        cr_assert(pp_framing_fits(cases[i].framing, cases[i].bytes));
    }
}

Test(delimiter, is_written_behind_and_nothing_before)
{
    uint8_t trailer[2] = {0x55, 0x55};
    cr_assert_eq(pp_framing_header_bytes(&delimiter_line, 9), 0);
    cr_assert_eq(pp_framing_trailer_bytes(&delimiter_line), 1);
    pp_framing_write_header(&delimiter_line, trailer, 9);
    cr_assert_eq(trailer[0], 0x55);
    pp_framing_write_trailer(&delimiter_line, trailer);
    cr_assert_arr_eq(trailer, "\n\x55", 2);
}
