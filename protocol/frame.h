/* SPDX-License-Identifier: MIT */
/*
 * frame.h - where one message ends and the next begins: a length field of 4 bytes, little endian, in front of each
 * payload.
 *
 * Pure: no I/O, no allocation, no state. A stream may be cut at any byte; whoever holds the bytes asks again with more.
 * A length above the bound is refused as soon as its last byte is seen, before anybody allocates for it.
 */
#ifndef PP_PROTOCOL_FRAME_H
#define PP_PROTOCOL_FRAME_H

#include <stddef.h>
#include <stdint.h>

enum { PP_FRAME_HEADER_BYTES = 4, PP_FRAME_PAYLOAD_BYTES_MAX = 1 << 30 };

typedef enum pp_frame_verdict {
    PP_FRAME_WHOLE,  /* header_bytes + payload_bytes of the stream are one message. */
    PP_FRAME_PART,   /* At least bytes_needed in all, from the start of the frame, before there is more to say. */
    PP_FRAME_REFUSED /* The length is above the bound. Nothing after it can be trusted. */
} pp_frame_verdict;

typedef struct pp_frame {
    uint32_t header_bytes;
    uint32_t payload_bytes; /* Set for WHOLE and REFUSED, and for PART once the header is whole; else 0. */
    uint32_t bytes_needed;  /* The whole frame once the header is whole, else the header. */
} pp_frame;

/* Looks at the stream from the start of a frame. `stream` may be NULL when available is 0. */
pp_frame_verdict pp_frame_look(const uint8_t *stream, size_t available, uint32_t payload_bytes_max, pp_frame *frame);

/* Writes the header of a payload of payload_bytes (<= PP_FRAME_PAYLOAD_BYTES_MAX). */
void pp_frame_write_header(uint8_t header[PP_FRAME_HEADER_BYTES], uint32_t payload_bytes);

#endif
