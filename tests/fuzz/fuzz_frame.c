/* SPDX-License-Identifier: MIT */
/*
 * fuzz_frame.c - protocol/frame.h on any stream, cut after any byte.
 *
 * The input: which bound on payloads (one byte, and four if it chooses its own), then the stream.
 */
#include "protocol/frame.h"

#include "engine/base/assert.h"
#include "tests/fuzz/choices.h"
#include "tests/fuzz/naive.h"

#include <stdlib.h>
#include <string.h>

static uint32_t frame_bound(fuzz_choices *choices)
{
    static const uint32_t bounds[] = {0, 1, 3, 255, 256, 65535, 1 << 20, (1 << 24) - 1, PP_FRAME_PAYLOAD_BYTES_MAX};
    uint8_t choice = fuzz_byte(choices);
    if (choice < sizeof bounds / sizeof bounds[0]) {
        return bounds[choice];
    }
    return (uint32_t) fuzz_number(choices, 4) % (PP_FRAME_PAYLOAD_BYTES_MAX + 1u);
}

static void frame_look_as_naive(const uint8_t *stream, size_t length, uint32_t bound)
{
    naive_frame expected;
    naive_verdict verdict = naive_look(stream, length, 0, bound, &expected);
    pp_frame frame = {77, 77, 77};
    switch (pp_frame_look(stream, length, bound, &frame)) {
    case PP_FRAME_WHOLE:
        PP_VERIFY(verdict == NAIVE_MESSAGE);
        PP_VERIFY(frame.bytes_needed == expected.frame_bytes);
        break;
    case PP_FRAME_PART:
        PP_VERIFY(verdict == NAIVE_MORE);
        PP_VERIFY(frame.bytes_needed == expected.frame_bytes);
        PP_VERIFY(frame.bytes_needed > length);
        break;
    case PP_FRAME_REFUSED:
        PP_VERIFY(verdict == NAIVE_REFUSED);
        break;
    }
    PP_VERIFY(frame.header_bytes == 4);
    PP_VERIFY(frame.payload_bytes == expected.payload_bytes);
}

/* In a block that ends where the cut is, so that a look beyond it is seen. */
static void frame_look_cut(const uint8_t *stream, size_t cut, uint32_t bound)
{
    uint8_t *block = cut == 0 ? NULL : malloc(cut);
    PP_VERIFY(cut == 0 || block != NULL);
    if (cut != 0) {
        memcpy(block, stream, cut);
    }
    frame_look_as_naive(block, cut, bound);
    free(block);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    fuzz_choices choices = {data, length};
    uint32_t bound = frame_bound(&choices);
    const uint8_t *stream = NULL;
    size_t left = fuzz_raw(&choices, SIZE_MAX, &stream);
    for (;;) {
        for (size_t cut = 0; cut <= left; ++cut) {
            if (cut <= 8 || cut == left) {
                frame_look_cut(stream, cut, bound);
            } else {
                frame_look_as_naive(stream, cut, bound);
            }
        }
        naive_frame frame;
        if (naive_look(stream, left, 0, bound, &frame) != NAIVE_MESSAGE) {
            return 0;
        }
        uint8_t header[PP_FRAME_HEADER_BYTES];
        pp_frame_write_header(header, (uint32_t) frame.payload_bytes);
        PP_VERIFY(memcmp(header, stream, sizeof header) == 0);
        stream += frame.frame_bytes;
        left -= frame.frame_bytes;
    }
}
