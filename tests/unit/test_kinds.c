/* SPDX-License-Identifier: MIT */
/*
 * test_kinds.c - what is the same for every kind: what was encoded comes out again, whole with its last byte and not
 * before; and the kinds that have no frames.
 */
#include "protocol/framing.h"

#include "tests/support/looks.h"

#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

enum { MAX = PP_FRAMING_PAYLOAD_BYTES_MAX };

static const pp_framing kinds_encoding[] = {
    {.width = 4},
    {.width = 4, .big_endian = true},
    {.width = 8},
    {.width = 8, .big_endian = true, .offset = PP_FRAMING_OFFSET_MAX},
    {.width = 1},
    {.width = 1, .escape = true},
    {.width = 2, .escape = true, .big_endian = true, .adjust = -2},
    {.width = 3, .offset = 5, .adjust = 300},
    {.width = 2, .adjust = -2},
    {.kind = PP_FRAMING_VARINT},
    {.kind = PP_FRAMING_DELIMITER, .delimiter = '\n', .strip_cr = true},
    {.kind = PP_FRAMING_DELIMITER},
    {.kind = PP_FRAMING_HEADERS},
};
enum { ENCODINGS = sizeof kinds_encoding / sizeof kinds_encoding[0] };

/* Header, payload, trailer, and a byte of what follows. The payload's room holds `x` only, before and after. */
static void kinds_round_trip(const pp_framing *framing, uint8_t *stream, uint32_t payload_bytes)
{
    uint32_t header = pp_framing_header_bytes(framing, payload_bytes);
    uint32_t trailer = pp_framing_trailer_bytes(framing), whole = header + payload_bytes + trailer;
    cr_assert_leq(header, PP_FRAMING_HEADER_BYTES_MAX);
    pp_framing_write_header(framing, stream, payload_bytes);
    cr_assert(payload_bytes + trailer == 0 || stream[header] == 'x', "the header is longer than it says");
    pp_framing_write_trailer(framing, stream + header + payload_bytes);
    const uint32_t cuts[] = {whole - 1, whole, whole + 1};
    for (int i = whole == 1 ? 1 : 0; i < 3; i++) {
        pp_frame frame = {0};
        pp_frame_verdict verdict = pp_framing_look(framing, stream, cuts[i], payload_bytes, &frame);
        cr_assert_eq(verdict, i == 0 ? PP_FRAME_PART : PP_FRAME_WHOLE, "%u bytes, cut %d", payload_bytes, i);
        cr_assert_eq(frame.bytes_needed, whole, "%u bytes: %u", payload_bytes, frame.bytes_needed);
        if (verdict == PP_FRAME_WHOLE) {
            cr_assert_eq(frame.payload_at, header);
            cr_assert_eq(frame.payload_bytes, payload_bytes);
        }
    }
    if (payload_bytes > 0) {
        pp_frame frame = {0};
        cr_assert_eq(pp_framing_look(framing, stream, whole, payload_bytes - 1, &frame), PP_FRAME_REFUSED);
    }
    memset(stream, 'x', header);
    memset(stream + header + payload_bytes, 'x', trailer);
}

Test(kinds, bring_back_what_they_have_encoded)
{
    enum { MOST = 70000 };
    uint32_t room = MOST + PP_FRAMING_HEADER_BYTES_MAX + 2;
    uint8_t *stream = malloc(room);
    cr_assert_not_null(stream);
    memset(stream, 'x', room);
    for (int i = 0; i < ENCODINGS; i++) {
        const pp_framing *framing = &kinds_encoding[i];
        cr_assert_null(pp_framing_fault(framing));
        uint32_t tried = 0;
        for (uint32_t bytes = 0; bytes < MOST; bytes += bytes < 3000 || bytes > 65000 ? 1 : 13) {
            if (pp_framing_fits(framing, bytes)) {
                kinds_round_trip(framing, stream, bytes);
                tried += 1;
            }
        }
        cr_assert_geq(tried, 256, "%u lengths of kind %d", tried, i);
    }
    free(stream);
}

Test(kinds, without_messages_deliver_what_has_come)
{
    pp_framing framing = {.kind = PP_FRAMING_NONE};
    looks_whole(&(looks_stream){&framing, "a", 1, 3}, 0, 1, 1);
    for (uint32_t available = 1; available < 6; available++) {
        looks_stream stream = {&framing, "abcdef", 6, 3};
        pp_frame frame = {0};
        cr_assert_eq(looks_at_cut(&stream, available, 0, &frame), PP_FRAME_WHOLE);
        cr_assert_eq(frame.payload_at, 0);
        cr_assert_eq(frame.payload_bytes, available < 3 ? available : 3);
        cr_assert_eq(frame.bytes_needed, frame.payload_bytes);
    }
    looks_refused(&(looks_stream){&framing, "a", 1, 0}, 1, "lets no byte through");
}

Test(kinds, without_headers_write_nothing_and_send_nothing_empty)
{
    static const pp_framing framings[] = {{.kind = PP_FRAMING_NONE}, {.kind = PP_FRAMING_MESSAGE}};
    for (int i = 0; i < 2; i++) {
        uint8_t room[1] = {0x55};
        cr_assert_eq(pp_framing_header_bytes(&framings[i], 5), 0);
        cr_assert_eq(pp_framing_trailer_bytes(&framings[i]), 0);
        pp_framing_write_header(&framings[i], room, 5);
        pp_framing_write_trailer(&framings[i], room);
        cr_assert_eq(room[0], 0x55);
        cr_assert_eq(pp_framing_admit(&framings[i], NULL, 0), PP_ADMISSION_MALFORMED);
        cr_assert_eq(pp_framing_admit(&framings[i], room, 1), PP_ADMITTED);
        cr_assert_eq(pp_framing_admit(&framings[i], room, MAX + 1u), PP_ADMISSION_TOO_LONG);
        cr_assert_not(pp_framing_fits(&framings[i], 0));
        cr_assert(pp_framing_fits(&framings[i], 1));
        cr_assert(pp_framing_fits(&framings[i], MAX));
        cr_assert_not(pp_framing_fits(&framings[i], MAX + 1u));
    }
}

Test(kinds, do_not_look_into_a_pipe_that_keeps_boundaries)
{
    pp_framing framing = {.kind = PP_FRAMING_MESSAGE};
    looks_refused(&(looks_stream){&framing, "a", 1, 9}, 1, "keeps the boundaries");
}
