/* SPDX-License-Identifier: MIT */
/*
 * kinds.h - the kinds of framing that have a file of their own, as kinds.c asks them, which is what framing.h says of
 * looking and encoding. Nobody outside of this folder includes it.
 *
 * A look may count on a framing without fault, on available >= 1 and on a bound of at most
 * PP_FRAMING_PAYLOAD_BYTES_MAX: so each sum below fits 32 bits, with a header and a trailer of the largest kind.
 */
#ifndef PP_PROTOCOL_KINDS_H
#define PP_PROTOCOL_KINDS_H

#include "protocol/framing.h"

/* `delivered` bytes from `at` on, of a frame of `bytes` that may not all be there: then the part that is. */
static inline pp_frame_verdict pp_frame_of(pp_frame *frame, uint32_t at, uint32_t delivered, uint32_t bytes,
                                           uint32_t available)
{
    frame->payload_at = at;
    frame->payload_bytes = delivered;
    frame->bytes_needed = bytes;
    return available < bytes ? PP_FRAME_PART : PP_FRAME_WHOLE;
}

static inline pp_frame_verdict pp_frame_part(pp_frame *frame, uint32_t bytes_needed)
{
    frame->bytes_needed = bytes_needed;
    return PP_FRAME_PART;
}

static inline pp_frame_verdict pp_frame_refused(pp_frame *frame, const char *why)
{
    frame->why = why;
    return PP_FRAME_REFUSED;
}

pp_frame_verdict pp_length_look(const pp_framing *framing, const uint8_t *stream, uint32_t available,
                                uint32_t payload_bytes_max, pp_frame *frame);
bool pp_length_fits(const pp_framing *framing, uint32_t payload_bytes);
bool pp_length_is_too_long(const pp_framing *framing, uint32_t payload_bytes);
uint32_t pp_length_header_bytes(const pp_framing *framing, uint32_t payload_bytes);
void pp_length_write_header(const pp_framing *framing, uint8_t *header, uint32_t payload_bytes);

pp_frame_verdict pp_varint_look(const uint8_t *stream, uint32_t available, uint32_t payload_bytes_max, pp_frame *frame);
uint32_t pp_varint_header_bytes(uint32_t payload_bytes);
void pp_varint_write_header(uint8_t *header, uint32_t payload_bytes);

pp_frame_verdict pp_delimiter_look(const pp_framing *framing, const uint8_t *stream, uint32_t available,
                                   uint32_t payload_bytes_max, pp_frame *frame);
bool pp_delimiter_admits(const pp_framing *framing, const uint8_t *payload, uint32_t payload_bytes);

pp_frame_verdict pp_headers_look(const uint8_t *stream, uint32_t available, uint32_t payload_bytes_max,
                                 pp_frame *frame);
uint32_t pp_headers_header_bytes(uint32_t payload_bytes);
void pp_headers_write_header(uint8_t *header, uint32_t payload_bytes);

pp_frame_verdict pp_measured_look(const pp_framing *framing, const uint8_t *stream, uint32_t available,
                                  uint32_t payload_bytes_max, pp_frame *frame);

#endif
