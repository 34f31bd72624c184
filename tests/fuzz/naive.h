/* SPDX-License-Identifier: MIT */
/*
 * naive.h - what a stream of frames says, worked out from its beginning with the whole of it in one piece: the clear
 * way that the real decoders, which see it cut anywhere, are held against. It shares no line with protocol/ or engine/.
 */
#ifndef TESTS_FUZZ_NAIVE_H
#define TESTS_FUZZ_NAIVE_H

#include <stddef.h>
#include <stdint.h>

typedef enum naive_verdict { NAIVE_MESSAGE, NAIVE_MORE, NAIVE_REFUSED } naive_verdict;

typedef struct naive_frame {
    size_t payload_at;      /* Where in the stream; for MESSAGE. */
    uint64_t payload_bytes; /* For MESSAGE; for the others what the length field says, 0 while it is not whole. */
    uint64_t frame_bytes;   /* With its length field; the field's 4 while it is not whole. */
} naive_frame;

/* The frame that begins at `at` of a stream that has `length` bytes so far. */
static inline naive_verdict naive_look(const uint8_t *stream, size_t length, size_t at, uint64_t payload_bytes_max,
                                       naive_frame *frame)
{
    *frame = (naive_frame){at + 4, 0, 4};
    if (at + 4 > length) {
        return NAIVE_MORE;
    }
    uint64_t place = 1;
    for (size_t i = 0; i < 4; ++i) {
        frame->payload_bytes += stream[at + i] * place;
        place *= 256;
    }
    if (frame->payload_bytes > payload_bytes_max) {
        return NAIVE_REFUSED;
    }
    frame->frame_bytes = 4 + frame->payload_bytes;
    return at + frame->frame_bytes > length ? NAIVE_MORE : NAIVE_MESSAGE;
}

#endif
