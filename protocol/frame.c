/* SPDX-License-Identifier: MIT */
/*
 * frame.c - the length field, byte by byte, so that neither the machine's byte order nor the stream's alignment
 * matters.
 */
#include "protocol/frame.h"

static uint32_t frame_read_length(const uint8_t *header)
{
    return (uint32_t) header[0] | (uint32_t) header[1] << 8 | (uint32_t) header[2] << 16 | (uint32_t) header[3] << 24;
}

pp_frame_verdict pp_frame_look(const uint8_t *stream, size_t available, uint32_t payload_bytes_max, pp_frame *frame)
{
    frame->header_bytes = PP_FRAME_HEADER_BYTES;
    frame->payload_bytes = 0;
    frame->bytes_needed = PP_FRAME_HEADER_BYTES;
    if (available < PP_FRAME_HEADER_BYTES) {
        return PP_FRAME_PART;
    }
    frame->payload_bytes = frame_read_length(stream);
    if (frame->payload_bytes > payload_bytes_max) {
        return PP_FRAME_REFUSED;
    }
    frame->bytes_needed += frame->payload_bytes;
    return available < frame->bytes_needed ? PP_FRAME_PART : PP_FRAME_WHOLE;
}

void pp_frame_write_header(uint8_t header[PP_FRAME_HEADER_BYTES], uint32_t payload_bytes)
{
    header[0] = (uint8_t) payload_bytes;
    header[1] = (uint8_t) (payload_bytes >> 8);
    header[2] = (uint8_t) (payload_bytes >> 16);
    header[3] = (uint8_t) (payload_bytes >> 24);
}
