/* SPDX-License-Identifier: MIT */
/*
 * test_frame.c - the length field at its edges: cut headers, the bound, the byte order.
 */
#include "protocol/frame.h"

#include <criterion/criterion.h>

static const uint32_t frame_lengths[] = {
    0, 1, 2, 127, 128, 255, 256, 65535, 65536, 0xffffff, 0x1000000, 0x12345678, PP_FRAME_PAYLOAD_BYTES_MAX};
enum { FRAME_LENGTHS = sizeof(frame_lengths) / sizeof(frame_lengths[0]) };

Test(frame, writes_the_length_little_endian)
{
    uint8_t header[PP_FRAME_HEADER_BYTES];
    pp_frame_write_header(header, 0x04030201);
    cr_assert_arr_eq(header, ((uint8_t[]){1, 2, 3, 4}), sizeof(header));
}

Test(frame, reads_back_every_length_it_wrote)
{
    for (int i = 0; i < FRAME_LENGTHS; i++) {
        uint8_t header[PP_FRAME_HEADER_BYTES];
        pp_frame frame;
        pp_frame_write_header(header, frame_lengths[i]);
        pp_frame_verdict verdict = pp_frame_look(header, sizeof(header), PP_FRAME_PAYLOAD_BYTES_MAX, &frame);
        cr_assert_eq(verdict, frame_lengths[i] == 0 ? PP_FRAME_WHOLE : PP_FRAME_PART, "length %u", frame_lengths[i]);
        cr_assert_eq(frame.header_bytes, PP_FRAME_HEADER_BYTES);
        cr_assert_eq(frame.payload_bytes, frame_lengths[i]);
        cr_assert_eq(frame.bytes_needed, frame_lengths[i] + PP_FRAME_HEADER_BYTES);
    }
}

Test(frame, asks_for_the_whole_header_first)
{
    /* What is there of it would be refused, if it were the length. */
    uint8_t header[PP_FRAME_HEADER_BYTES] = {0xff, 0xff, 0xff, 0xff};
    for (size_t available = 0; available < sizeof(header); available++) {
        pp_frame frame;
        cr_assert_eq(pp_frame_look(available != 0 ? header : NULL, available, 0, &frame), PP_FRAME_PART);
        cr_assert_eq(frame.header_bytes, PP_FRAME_HEADER_BYTES);
        cr_assert_eq(frame.payload_bytes, 0);
        cr_assert_eq(frame.bytes_needed, PP_FRAME_HEADER_BYTES);
    }
}

Test(frame, is_whole_at_its_last_byte_and_not_before)
{
    uint8_t stream[PP_FRAME_HEADER_BYTES + 5 + 1] = {0};
    pp_frame_write_header(stream, 5);
    for (size_t available = PP_FRAME_HEADER_BYTES; available <= sizeof(stream); available++) {
        pp_frame frame;
        pp_frame_verdict expected = available < PP_FRAME_HEADER_BYTES + 5 ? PP_FRAME_PART : PP_FRAME_WHOLE;
        cr_assert_eq(pp_frame_look(stream, available, 5, &frame), expected, "%zu available", available);
        cr_assert_eq(frame.payload_bytes, 5);
        cr_assert_eq(frame.bytes_needed, PP_FRAME_HEADER_BYTES + 5);
    }
}

Test(frame, takes_the_bound_and_refuses_one_more)
{
    for (int i = 0; i < FRAME_LENGTHS; i++) {
        uint32_t bound = frame_lengths[i];
        uint8_t header[PP_FRAME_HEADER_BYTES];
        pp_frame frame;
        pp_frame_write_header(header, bound);
        cr_assert_neq(pp_frame_look(header, sizeof(header), bound, &frame), PP_FRAME_REFUSED, "bound %u", bound);
        pp_frame_write_header(header, bound + 1);
        cr_assert_eq(pp_frame_look(header, sizeof(header), bound, &frame), PP_FRAME_REFUSED, "bound %u", bound);
        cr_assert_eq(frame.payload_bytes, bound + 1);
    }
}

Test(frame, refuses_the_largest_number_under_every_bound)
{
    uint8_t header[PP_FRAME_HEADER_BYTES] = {0xff, 0xff, 0xff, 0xff};
    for (int i = 0; i < FRAME_LENGTHS; i++) {
        pp_frame frame;
        cr_assert_eq(pp_frame_look(header, sizeof(header), frame_lengths[i], &frame), PP_FRAME_REFUSED);
        cr_assert_eq(frame.payload_bytes, UINT32_MAX);
    }
}

Test(frame, does_not_care_where_the_stream_lies)
{
    uint8_t stream[PP_FRAME_HEADER_BYTES + 8];
    for (size_t shift = 0; shift < 8; shift++) {
        pp_frame frame;
        pp_frame_write_header(stream + shift, 0x00c0ffee);
        pp_frame_look(stream + shift, PP_FRAME_HEADER_BYTES, PP_FRAME_PAYLOAD_BYTES_MAX, &frame);
        cr_assert_eq(frame.payload_bytes, 0x00c0ffee);
    }
}
