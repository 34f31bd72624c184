/* SPDX-License-Identifier: MIT */
/*
 * looks.h - a stream that is looked at after each of its bytes, as an inbox would: what the last look has had is not
 * given to be searched again, and a block ends where the cut is, so that a sanitizer sees a look beyond it.
 */
#ifndef TESTS_SUPPORT_LOOKS_H
#define TESTS_SUPPORT_LOOKS_H

#include "protocol/framing.h"

#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

typedef struct looks_stream {
    const pp_framing *framing;
    const void *bytes;
    uint32_t length;
    uint32_t bound;
} looks_stream;

/* A string constant as bytes and their number; it may hold NULs. */
#define LOOKS_TEXT(text) (text), (uint32_t) (sizeof(text) - 1)

/* One look at the first `cut` bytes. It says the same whether the last look is remembered or not. */
static inline pp_frame_verdict looks_at_cut(const looks_stream *stream, uint32_t cut, uint32_t looked, pp_frame *frame)
{
    uint8_t *block = malloc(cut);
    cr_assert_not_null(block);
    memcpy(block, stream->bytes, cut);
    pp_frame afresh = {0};
    *frame = (pp_frame){.looked = looked};
    pp_frame_verdict verdict = pp_framing_look(stream->framing, block, cut, stream->bound, frame);
    cr_assert_eq(pp_framing_look(stream->framing, block, cut, stream->bound, &afresh), verdict, "cut %u", cut);
    if (verdict == PP_FRAME_REFUSED) {
        cr_assert_eq(afresh.why, frame->why);
    } else {
        cr_assert_eq(afresh.bytes_needed, frame->bytes_needed, "cut %u", cut);
    }
    free(block);
    return verdict;
}

/* Looks after each byte until there is more to say than PART, and says after which. UINT32_MAX: never. */
static inline uint32_t looks_until(const looks_stream *stream, pp_frame_verdict *verdict, pp_frame *frame)
{
    uint32_t needed = 1;
    for (uint32_t cut = 1, looked = 0; cut <= stream->length; looked = cut++) {
        *verdict = looks_at_cut(stream, cut, looked, frame);
        if (*verdict != PP_FRAME_PART) {
            cr_assert_geq(cut, needed, "%u bytes were needed, and after %u there was more to say", needed, cut);
            return cut;
        }
        cr_assert_gt(frame->bytes_needed, cut);
        cr_assert_geq(frame->bytes_needed, needed);
        needed = frame->bytes_needed;
    }
    return UINT32_MAX;
}

/* The frame is whole with its last byte and not before, and stays so whatever comes after it. */
static inline void looks_whole(const looks_stream *stream, uint32_t payload_at, uint32_t payload_bytes, uint32_t whole)
{
    pp_frame frame;
    pp_frame_verdict verdict = PP_FRAME_PART;
    uint32_t cut = looks_until(stream, &verdict, &frame);
    cr_assert_eq(verdict, PP_FRAME_WHOLE, "after %u: %s", cut, verdict == PP_FRAME_REFUSED ? frame.why : "part");
    cr_assert_eq(cut, whole, "whole after %u, not %u", cut, whole);
    for (; cut <= stream->length; cut++) {
        cr_assert_eq(looks_at_cut(stream, cut, whole - 1, &frame), PP_FRAME_WHOLE);
        cr_assert_eq(frame.payload_at, payload_at, "payload at %u, not %u", frame.payload_at, payload_at);
        cr_assert_eq(frame.payload_bytes, payload_bytes, "%u bytes, not %u", frame.payload_bytes, payload_bytes);
        cr_assert_eq(frame.bytes_needed, whole);
    }
}

/* It is refused with its `at`th byte and not before, and stays so; `why` is found in what is said. */
static inline void looks_refused(const looks_stream *stream, uint32_t at, const char *why)
{
    pp_frame frame = {0};
    pp_frame_verdict verdict = PP_FRAME_PART;
    uint32_t cut = looks_until(stream, &verdict, &frame);
    cr_assert_eq(verdict, PP_FRAME_REFUSED, "%d after %u", verdict, cut);
    cr_assert_eq(cut, at, "refused after %u, not %u: %s", cut, at, frame.why);
    for (; cut <= stream->length; cut++) {
        cr_assert_eq(looks_at_cut(stream, cut, at - 1, &frame), PP_FRAME_REFUSED);
        cr_assert_not_null(strstr(frame.why, why), "'%s' is not in '%s'", why, frame.why);
    }
}

/* All of it is part of a frame; the last look asks for `needed`. */
static inline void looks_part(const looks_stream *stream, uint32_t needed)
{
    pp_frame frame = {0};
    pp_frame_verdict verdict = PP_FRAME_REFUSED;
    uint32_t cut = looks_until(stream, &verdict, &frame);
    cr_assert_eq(verdict, PP_FRAME_PART, "%d after %u", verdict, cut);
    cr_assert_eq(frame.bytes_needed, needed, "%u needed, not %u", frame.bytes_needed, needed);
}

#endif
