/* SPDX-License-Identifier: MIT */
/*
 * varint.c - a length in groups of 7 bits, lowest first, a set top bit for "one more", as .NET's Read7BitEncodedInt
 * takes it: at most 5 bytes, of which the last holds 4 bits; a length in more bytes than it needs is taken.
 */
#include "protocol/kinds.h"

enum { VARINT_LAST = 4, VARINT_LAST_MAX = 0x0f }; /* The fifth byte, and the bits of a 32-bit number left for it. */

/* The groups can only add to the number: it is above the bound as soon as its lower groups are. */
pp_frame_verdict pp_varint_look(const uint8_t *stream, uint32_t available, uint32_t payload_bytes_max, pp_frame *frame)
{
    uint32_t value = 0;
    for (uint32_t i = 0; i < available; i++) {
        uint8_t byte = stream[i];
        if (i == VARINT_LAST && byte > VARINT_LAST_MAX) {
            return pp_frame_refused(frame, "its length has more than 5 bytes or 32 bits");
        }
        value |= (uint32_t) (byte & 0x7f) << 7 * i;
        if (value > payload_bytes_max) {
            return pp_frame_refused(frame, "its length says more than the bound on messages");
        }
        if ((byte & 0x80) == 0) {
            return pp_frame_of(frame, i + 1, value, i + 1 + value, available);
        }
    }
    return pp_frame_part(frame, available + 1);
}

uint32_t pp_varint_header_bytes(uint32_t payload_bytes)
{
    uint32_t bytes = 1;
    while (payload_bytes > 0x7f) {
        payload_bytes >>= 7;
        bytes += 1;
    }
    return bytes;
}

void pp_varint_write_header(uint8_t *header, uint32_t payload_bytes)
{
    while (payload_bytes > 0x7f) {
        *header++ = (uint8_t) (payload_bytes | 0x80);
        payload_bytes >>= 7;
    }
    *header = (uint8_t) payload_bytes;
}
