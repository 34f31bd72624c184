/* SPDX-License-Identifier: MIT */
/*
 * test_length.c - the length field at its edges: cut anywhere, each width and order, the bound, escapes, adjustments.
 */
#include "protocol/framing.h"

#include "tests/support/looks.h"

#include <criterion/criterion.h>

#include <string.h>

static const pp_framing length_python = {.width = 4, .big_endian = true, .escape = true};

enum { MAX = PP_FRAMING_PAYLOAD_BYTES_MAX };

Test(length, cuts_the_default)
{
    looks_whole(&(looks_stream){&pp_framing_default, LOOKS_TEXT("\5\0\0\0hello+"), 5}, 4, 5, 9);
    looks_whole(&(looks_stream){&pp_framing_default, LOOKS_TEXT("\0\0\0\0+"), 0}, 4, 0, 4);
    looks_refused(&(looks_stream){&pp_framing_default, LOOKS_TEXT("\5\0\0\0hello"), 4}, 4, "more than the bound");
    looks_refused(&(looks_stream){&pp_framing_default, LOOKS_TEXT("\xff\xff\xff\xff\0"), MAX}, 4,
                  "more than the bound");
    looks_refused(&(looks_stream){&pp_framing_default, LOOKS_TEXT("\1\0\0\x40"), MAX}, 4, "more than the bound");
    looks_part(&(looks_stream){&pp_framing_default, LOOKS_TEXT("\0\0\0\x40"), MAX}, MAX + 4u);
    looks_part(&(looks_stream){&pp_framing_default, LOOKS_TEXT("\xff\xff\xff"), 0}, 4);
    looks_part(&(looks_stream){&pp_framing_default, LOOKS_TEXT("\4\3\2\1"), MAX}, 0x01020304 + 4);
}

Test(length, reads_each_width_in_each_order)
{
    static const uint8_t widths[] = {1, 2, 3, 4, 8};
    for (int i = 0; i < 10; i++) {
        pp_framing framing = {.width = widths[i / 2], .big_endian = i % 2 == 1};
        uint32_t width = framing.width, payload = width == 1 ? 7 : 0x0103;
        uint8_t stream[8 + 0x0103 + 1] = {0};
        stream[framing.big_endian ? width - 1 : 0] = payload & 0xff;
        if (width > 1) {
            stream[framing.big_endian ? width - 2 : 1] = 1;
        }
        looks_whole(&(looks_stream){&framing, stream, width + payload + 1, payload}, width, payload, width + payload);
        looks_refused(&(looks_stream){&framing, stream, width + payload, payload - 1}, width, "more than the bound");
    }
}

Test(length, refuses_numbers_that_would_overflow)
{
    for (int32_t adjust = -PP_FRAMING_ADJUST_MAX; adjust <= PP_FRAMING_ADJUST_MAX; adjust += PP_FRAMING_ADJUST_MAX) {
        pp_framing framing = {.width = 8, .adjust = adjust, .offset = 2};
        static const char *const large[] = {"..\xff\xff\xff\xff\xff\xff\xff\xff",
                                            "..\xff\xff\xff\xff\xff\xff\xff\x7f",
                                            "..\0\0\0\0\0\0\0\x80",
                                            "..\0\0\0\0\1\0\0\0",
                                            "..\xff\xff\xff\xff\0\0\0\0",
                                            "..\1\0\x10\x40\0\0\0\0"};
        for (int i = 0; i < 6; i++) {
            looks_refused(&(looks_stream){&framing, large[i], 10, MAX}, 10, "more than the bound");
        }
        pp_framing narrow = {.width = 4, .adjust = adjust};
        looks_refused(&(looks_stream){&narrow, "\xff\xff\xff\xff", 4, MAX}, 4, "more than the bound");
    }
}

Test(length, reaches_the_largest_payload_with_the_largest_adjustments)
{
    pp_framing more = {.width = 4, .adjust = PP_FRAMING_ADJUST_MAX, .big_endian = true};
    looks_part(&(looks_stream){&more, LOOKS_TEXT("\x3f\xf0\0\0"), MAX}, MAX + 4u);
    looks_refused(&(looks_stream){&more, LOOKS_TEXT("\x3f\xf0\0\1"), MAX}, 4, "more than the bound");
    pp_framing less = {.width = 4, .adjust = -PP_FRAMING_ADJUST_MAX, .big_endian = true};
    looks_part(&(looks_stream){&less, LOOKS_TEXT("\x40\x10\0\0"), MAX}, MAX + 4u);
    looks_refused(&(looks_stream){&less, LOOKS_TEXT("\x40\x10\0\1"), MAX}, 4, "more than the bound");
    looks_whole(&(looks_stream){&less, LOOKS_TEXT("\x00\x10\0\0."), MAX}, 4, 0, 4);
    looks_refused(&(looks_stream){&less, LOOKS_TEXT("\x00\x0f\xff\xff."), MAX}, 4, "less than its own header");
}

Test(length, counts_what_adjust_says)
{
    pp_framing whole = {.width = 2, .big_endian = true, .adjust = -2}; /* The field counts itself. */
    looks_whole(&(looks_stream){&whole, LOOKS_TEXT("\0\5abc+"), 3}, 2, 3, 5);
    looks_whole(&(looks_stream){&whole, LOOKS_TEXT("\0\2+"), 3}, 2, 0, 2);
    looks_refused(&(looks_stream){&whole, LOOKS_TEXT("\0\1+"), 3}, 2, "less than its own header");
    looks_refused(&(looks_stream){&whole, LOOKS_TEXT("\0\0+"), 3}, 2, "less than its own header");
    looks_refused(&(looks_stream){&whole, LOOKS_TEXT("\0\6abcd"), 3}, 2, "more than the bound");
    pp_framing rest = {.width = 1, .offset = 3, .adjust = 2}; /* Two bytes behind the field are not counted. */
    looks_whole(&(looks_stream){&rest, LOOKS_TEXT("...\1xyz+"), 3}, 4, 3, 7);
    looks_whole(&(looks_stream){&rest, LOOKS_TEXT("...\0xy+"), 2}, 4, 2, 6);
    looks_refused(&(looks_stream){&rest, LOOKS_TEXT("...\0xy"), 1}, 4, "more than the bound");
}

/* Each of these is the default but for one field. */
Test(length, takes_nothing_for_the_default_that_is_not)
{
    pp_framing framing = {.width = 4, .adjust = -4};
    uint8_t header[8] = {0};
    looks_whole(&(looks_stream){&framing, LOOKS_TEXT("\5\0\0\0a+"), 1}, 4, 1, 5);
    looks_refused(&(looks_stream){&framing, LOOKS_TEXT("\3\0\0\0"), 1}, 4, "less than its own header");
    pp_framing_write_header(&framing, header, 1);
    cr_assert_arr_eq(header, "\5\0\0\0", 4);
    framing = (pp_framing){.width = 4, .adjust = 1};
    looks_whole(&(looks_stream){&framing, LOOKS_TEXT("\0\0\0\0a+"), 1}, 4, 1, 5);
    cr_assert_eq(pp_framing_admit(&framing, NULL, 0), PP_ADMISSION_MALFORMED);
    framing = (pp_framing){.width = 4, .keep = true};
    looks_whole(&(looks_stream){&framing, LOOKS_TEXT("\1\0\0\0a+"), 5}, 0, 5, 5);
    framing = (pp_framing){.width = 4, .offset = 1};
    looks_whole(&(looks_stream){&framing, LOOKS_TEXT("!\1\0\0\0a+"), 1}, 5, 1, 6);
    framing = (pp_framing){.width = 4, .escape = true};
    looks_whole(&(looks_stream){&framing, LOOKS_TEXT("\xff\xff\xff\xff\1\0\0\0\0\0\0\0a+"), 1}, 12, 1, 13);
}

Test(length, keeps_the_header_and_bounds_the_whole)
{
    pp_framing framing = {.width = 2, .offset = 1, .keep = true};
    looks_whole(&(looks_stream){&framing, LOOKS_TEXT("!\2\0ab+"), 5}, 0, 5, 5);
    looks_refused(&(looks_stream){&framing, LOOKS_TEXT("!\2\0ab"), 4}, 3, "more than the bound");
    looks_whole(&(looks_stream){&framing, LOOKS_TEXT("!\0\0+"), 3}, 0, 3, 3);
    looks_refused(&(looks_stream){&framing, LOOKS_TEXT("!\0\0"), 2}, 3, "more than the bound");
    looks_refused(&(looks_stream){&framing, LOOKS_TEXT("!\xff\xff"), 0}, 3, "more than the bound");
    pp_framing whole = {.width = 2, .keep = true, .adjust = -2};
    looks_whole(&(looks_stream){&whole, LOOKS_TEXT("\4\0ab+"), 4}, 0, 4, 4);
    looks_refused(&(looks_stream){&whole, LOOKS_TEXT("\1\0ab"), 4}, 2, "less than its own header");
}

Test(length, speaks_as_python_does)
{
    looks_whole(&(looks_stream){&length_python, LOOKS_TEXT("\0\0\0\5hello+"), 5}, 4, 5, 9);
    looks_whole(&(looks_stream){&length_python, LOOKS_TEXT("\xff\xff\xff\xff\0\0\0\0\0\0\0\5hello+"), 5}, 12, 5, 17);
    looks_part(&(looks_stream){&length_python, LOOKS_TEXT("\xff\xff\xff\xff"), 5}, 12);
    looks_part(&(looks_stream){&length_python, LOOKS_TEXT("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), 5}, 12);
    looks_refused(&(looks_stream){&length_python, LOOKS_TEXT("\xff\xff\xff\xff\0\0\0\0\0\0\0\6"), 5}, 12, "more than");
    looks_refused(&(looks_stream){&length_python, LOOKS_TEXT("\xff\xff\xff\xff\0\0\0\1\0\0\0\0"), MAX}, 12,
                  "more than");
    looks_refused(&(looks_stream){&length_python, LOOKS_TEXT("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), MAX},
                  12, "more than");
    looks_refused(&(looks_stream){&length_python, LOOKS_TEXT("\xff\xff\xff\xfe"), MAX}, 4, "more than the bound");
    uint8_t header[4];
    cr_assert_eq(pp_framing_header_bytes(&length_python, 0x01020304), 4);
    pp_framing_write_header(&length_python, header, 0x01020304);
    cr_assert_arr_eq(header, "\1\2\3\4", 4);
}

Test(length, escapes_what_its_width_does_not_hold)
{
    pp_framing framing = {.width = 1, .escape = true, .offset = 1};
    uint8_t header[PP_FRAMING_HEADER_BYTES_MAX];
    memset(header, 0x55, sizeof header);
    cr_assert_eq(pp_framing_header_bytes(&framing, 254), 2);
    pp_framing_write_header(&framing, header, 254);
    cr_assert_arr_eq(header, "\0\xfe\x55", 3);
    cr_assert_eq(pp_framing_header_bytes(&framing, 255), 10);
    pp_framing_write_header(&framing, header, 255);
    cr_assert_arr_eq(header, "\0\xff\xff\0\0\0\0\0\0\0\x55", 11);
    looks_part(&(looks_stream){&framing, header, 10, 255}, 265);
    cr_assert(pp_framing_fits(&framing, MAX));
    framing.escape = false;
    cr_assert_eq(pp_framing_header_bytes(&framing, 255), 2);
    pp_framing_write_header(&framing, header, 255);
    cr_assert_arr_eq(header, "\0\xff\xff", 3);
    cr_assert_not(pp_framing_fits(&framing, 256));
}

Test(length, writes_the_default_little_endian)
{
    uint8_t header[5] = {0, 0, 0, 0, 0x55};
    pp_framing_write_header(&pp_framing_default, header, 0x04030201);
    cr_assert_arr_eq(header, "\1\2\3\4\x55", 5);
    cr_assert_eq(pp_framing_header_bytes(&pp_framing_default, 0), 4);
    cr_assert_eq(pp_framing_trailer_bytes(&pp_framing_default), 0);
}

Test(length, admits_what_its_field_can_say)
{
    const struct {
        pp_framing framing;
        uint32_t payload_bytes;
        pp_admission admission;
    } cases[] = {
        {{.width = 4}, 0, PP_ADMITTED},
        {{.width = 4}, MAX, PP_ADMITTED},
        {{.width = 4}, MAX + 1u, PP_ADMISSION_TOO_LONG},
        {{.width = 1}, 255, PP_ADMITTED},
        {{.width = 1}, 256, PP_ADMISSION_TOO_LONG},
        {{.width = 2}, 65535, PP_ADMITTED},
        {{.width = 2}, 65536, PP_ADMISSION_TOO_LONG},
        {{.width = 3}, 0xffffff, PP_ADMITTED},
        {{.width = 3}, 0x1000000, PP_ADMISSION_TOO_LONG},
        {{.width = 8}, MAX, PP_ADMITTED},
        {{.width = 8}, MAX + 1u, PP_ADMISSION_TOO_LONG},
        {{.width = 1, .adjust = 10}, 9, PP_ADMISSION_MALFORMED},
        {{.width = 1, .adjust = 10}, 10, PP_ADMITTED},
        {{.width = 1, .adjust = 10}, 265, PP_ADMITTED},
        {{.width = 1, .adjust = 10}, 266, PP_ADMISSION_TOO_LONG},
        {{.width = 1, .adjust = -1}, 254, PP_ADMITTED},
        {{.width = 1, .adjust = -1}, 255, PP_ADMISSION_TOO_LONG},
        {{.width = 1, .adjust = -300}, 0, PP_ADMISSION_TOO_LONG},
        {{.width = 1, .adjust = -1, .escape = true}, 255, PP_ADMITTED},
        {{.width = 1, .adjust = 10, .escape = true}, 9, PP_ADMISSION_MALFORMED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        static const uint8_t nothing_of_it_is_read[1];
        pp_admission admission = pp_framing_admit(&cases[i].framing, nothing_of_it_is_read, cases[i].payload_bytes);
        cr_assert_eq(admission, cases[i].admission, "%zu: %d", i, admission);
        cr_assert_eq(pp_framing_fits(&cases[i].framing, cases[i].payload_bytes), admission == PP_ADMITTED, "%zu", i);
        cr_assert_eq(pp_framing_is_too_long(&cases[i].framing, cases[i].payload_bytes),
                     admission == PP_ADMISSION_TOO_LONG, "%zu", i);
    }
}

Test(length, admits_only_one_whole_frame_where_it_keeps_headers)
{
    pp_framing framing = {.width = 1, .offset = 1, .keep = true, .escape = true};
    const struct {
        const char *payload;
        uint32_t bytes;
        bool admitted;
    } cases[] = {
        {"!\0", 2, true},
        {"!\1x", 3, true},
        {"!\1", 2, false},
        {"!\1xy", 4, false},
        {"!\0!\0", 4, false},
        {"!", 1, false},
        {NULL, 0, false},
        {"!\xff\1\0\0\0\0\0\0\0x", 11, true},
        {"!\xff\1\0\0\0\0\0\0\0", 10, false},
        {"!\xff\1\0\0\0\0\0\0", 9, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cr_assert_eq(pp_framing_admit(&framing, (const uint8_t *) cases[i].payload, cases[i].bytes),
                     cases[i].admitted ? PP_ADMITTED : PP_ADMISSION_MALFORMED, "%zu", i);
    }
    cr_assert_eq(pp_framing_header_bytes(&framing, 5), 0);
    uint8_t header[1] = {0x55};
    pp_framing_write_header(&framing, header, 5);
    cr_assert_eq(header[0], 0x55);
}

Test(length, knows_which_lengths_no_kept_frame_has)
{
    pp_framing framing = {.width = 1, .offset = 1, .keep = true};
    cr_assert_not(pp_framing_fits(&framing, 1));
    cr_assert(pp_framing_fits(&framing, 2));
    cr_assert(pp_framing_fits(&framing, 257));
    cr_assert_not(pp_framing_fits(&framing, 258));
    cr_assert(pp_framing_is_too_long(&framing, 258) && !pp_framing_is_too_long(&framing, 1));
    framing.escape = true;
    cr_assert_not(pp_framing_fits(&framing, 1));
    cr_assert(pp_framing_fits(&framing, 256));
    cr_assert(pp_framing_fits(&framing, 257)); /* Escaped, with 247 bytes behind it. */
    cr_assert(pp_framing_fits(&framing, MAX));
    framing.adjust = 3;
    cr_assert(!pp_framing_fits(&framing, 4) && !pp_framing_is_too_long(&framing, 4));
    cr_assert(pp_framing_fits(&framing, 5));
    pp_framing wide = {.width = 2, .keep = true, .adjust = -300}; /* Its value would fit; its header does not. */
    cr_assert_not(pp_framing_fits(&wide, 1));
    cr_assert(pp_framing_fits(&wide, 2));
    framing.adjust = -300; /* Its short form can say nothing: the escaped one is the shortest. */
    cr_assert_not(pp_framing_fits(&framing, 9));
    cr_assert(pp_framing_fits(&framing, 10));
}
