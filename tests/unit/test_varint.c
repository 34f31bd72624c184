/* SPDX-License-Identifier: MIT */
/*
 * test_varint.c - lengths in groups of 7 bits: as .NET writes them, longer than need be, too long.
 */
#include "protocol/framing.h"

#include "tests/support/looks.h"

#include <criterion/criterion.h>

static const pp_framing varint = {.kind = PP_FRAMING_VARINT};

enum { MAX = PP_FRAMING_PAYLOAD_BYTES_MAX };

Test(varint, speaks_as_binary_writer_does)
{
    looks_whole(&(looks_stream){&varint, LOOKS_TEXT("\5hello+"), 5}, 1, 5, 6);
    looks_whole(&(looks_stream){&varint, LOOKS_TEXT("\0+"), 0}, 1, 0, 1);
    uint8_t stream[2 + 300 + 1] = {0xac, 0x02};
    looks_whole(&(looks_stream){&varint, stream, sizeof stream, 300}, 2, 300, 302);
    looks_refused(&(looks_stream){&varint, stream, sizeof stream, 299}, 2, "more than the bound");
}

Test(varint, writes_the_shortest_form)
{
    const struct {
        uint32_t payload_bytes, header_bytes;
        const char *header;
    } cases[] = {
        {0, 1, "\0"},
        {127, 1, "\x7f"},
        {128, 2, "\x80\1"},
        {300, 2, "\xac\2"},
        {16383, 2, "\xff\x7f"},
        {16384, 3, "\x80\x80\1"},
        {2097151, 3, "\xff\xff\x7f"},
        {2097152, 4, "\x80\x80\x80\1"},
        {268435455, 4, "\xff\xff\xff\x7f"},
        {268435456, 5, "\x80\x80\x80\x80\1"},
        {MAX, 5, "\x80\x80\x80\x80\4"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t header[6] = {0, 0, 0, 0, 0, 0};
        header[cases[i].header_bytes] = 0x55;
        cr_assert_eq(pp_framing_header_bytes(&varint, cases[i].payload_bytes), cases[i].header_bytes, "%zu", i);
        pp_framing_write_header(&varint, header, cases[i].payload_bytes);
        cr_assert_arr_eq(header, cases[i].header, cases[i].header_bytes, "%zu", i);
        cr_assert_eq(header[cases[i].header_bytes], 0x55, "%zu", i);
        cr_assert_eq(pp_framing_admit(&varint, NULL, cases[i].payload_bytes), PP_ADMITTED);
        cr_assert(pp_framing_fits(&varint, cases[i].payload_bytes));
    }
    cr_assert_not(pp_framing_fits(&varint, MAX + 1u));
    cr_assert_eq(pp_framing_admit(&varint, NULL, MAX + 1u), PP_ADMISSION_TOO_LONG);
}

Test(varint, takes_a_length_in_more_bytes_than_it_needs)
{
    looks_whole(&(looks_stream){&varint, LOOKS_TEXT("\x82\0ab+"), 2}, 2, 2, 4);
    looks_whole(&(looks_stream){&varint, LOOKS_TEXT("\x82\x80\x80\x80\0ab+"), 2}, 5, 2, 7);
    looks_whole(&(looks_stream){&varint, LOOKS_TEXT("\x80\x80\x80\x80\0+"), 0}, 5, 0, 5);
}

Test(varint, refuses_what_no_32_bits_hold)
{
    looks_refused(&(looks_stream){&varint, LOOKS_TEXT("\x80\x80\x80\x80\x10"), MAX}, 5, "5 bytes or 32 bits");
    looks_refused(&(looks_stream){&varint, LOOKS_TEXT("\x80\x80\x80\x80\x80\0"), MAX}, 5, "5 bytes or 32 bits");
    looks_refused(&(looks_stream){&varint, LOOKS_TEXT("\xff\xff\xff\xff\xff\xff\xff"), MAX}, 5, "5 bytes or 32 bits");
    looks_refused(&(looks_stream){&varint, LOOKS_TEXT("\xff\xff\xff\xff\x07"), MAX}, 5, "more than the bound");
    looks_refused(&(looks_stream){&varint, LOOKS_TEXT("\xff\xff\xff\xff\x0f"), MAX}, 5, "more than the bound");
}

Test(varint, refuses_with_the_group_that_passes_the_bound)
{
    looks_refused(&(looks_stream){&varint, LOOKS_TEXT("\x81\x80\x80\0"), 0}, 1, "more than the bound");
    looks_refused(&(looks_stream){&varint, LOOKS_TEXT("\x80\x81\x80\0"), 127}, 2, "more than the bound");
    looks_whole(&(looks_stream){&varint, LOOKS_TEXT("\x80\0+"), 0}, 2, 0, 2);
    looks_part(&(looks_stream){&varint, LOOKS_TEXT("\x80\x80\x80\x80\4"), MAX}, MAX + 5u);
    looks_refused(&(looks_stream){&varint, LOOKS_TEXT("\x81\x80\x80\x80\4"), MAX}, 5, "more than the bound");
    looks_part(&(looks_stream){&varint, LOOKS_TEXT("\x80\x80\x80\x80"), 0}, 5);
}
