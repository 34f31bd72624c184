/* SPDX-License-Identifier: MIT */
/*
 * fuzz_framing.c - protocol/framing.h: any framing, any bound, any stream, cut after any byte.
 *
 * The input: the framing (a kind with fields that fit it, or any fields at all), the bound, a length that is encoded by
 * itself, a stride, then pieces of a stream: bytes as they are, or messages that are admitted and encoded. Each cut is
 * held against naive_framing.h, which has seen the whole of it.
 */
#include "protocol/framing.h"

#include "engine/base/assert.h"
#include "tests/fuzz/choices.h"
#include "tests/fuzz/naive_framing.h"

#include <stdlib.h>
#include <string.h>

enum { STREAM_BYTES_MAX = 1 << 13, EACH_CUT_UP_TO = 32, CUTS = 32, BLOCK_UP_TO = 12 };

/* Two bytes that say a length, little endian; but for 255 in the first, which is none. The user's byte is its unit. A
 * frame of one byte would be there whole before it is known, which the law forbids: it is none either. */
static int64_t framing_measure(void *user, const void *stream, size_t available)
{
    const uint8_t *bytes = stream;
    if (bytes[0] == 255) {
        return -1;
    }
    if (available < 2) {
        return 0;
    }
    int64_t whole = (int64_t) (bytes[0] | bytes[1] << 8) << *(const uint8_t *) user;
    return whole == 1 ? -1 : whole;
}

static pp_framing framing_any(fuzz_choices *choices, uint8_t *unit)
{
    pp_framing framing = {.kind = fuzz_byte(choices), .width = fuzz_byte(choices), .offset = fuzz_byte(choices)};
    uint8_t bits = fuzz_byte(choices);
    framing.big_endian = bits & 1;
    framing.escape = bits >> 1 & 1;
    framing.keep = bits >> 2 & 1;
    framing.strip_cr = bits >> 3 & 1;
    framing.measure = (bits >> 4 & 1) != 0 ? framing_measure : NULL;
    framing.measure_user = (bits >> 5 & 1) != 0 || framing.measure != NULL ? unit : NULL;
    framing.delimiter = fuzz_byte(choices);
    framing.adjust = (int32_t) (uint32_t) fuzz_number(choices, 4);
    return framing;
}

static pp_framing framing_of_kind(fuzz_choices *choices, uint8_t kind, uint8_t *unit)
{
    static const uint8_t widths[] = {4, 1, 2, 3, 8};
    pp_framing framing = {.kind = kind};
    uint8_t bits = fuzz_byte(choices);
    if (kind == PP_FRAMING_LENGTH) {
        framing.width = widths[fuzz_byte(choices) % sizeof widths];
        framing.big_endian = bits & 1;
        framing.escape = (bits >> 1 & 1) != 0 && framing.width != 8;
        framing.keep = bits >> 2 & 1;
        framing.offset = (bits >> 3 & 1) != 0 ? fuzz_byte(choices) % (PP_FRAMING_OFFSET_MAX + 1) : 0;
        if ((bits >> 4 & 1) != 0) {
            int32_t adjust = (int32_t) (fuzz_number(choices, bits >= 128 ? 3 : 1) % (PP_FRAMING_ADJUST_MAX + 1));
            framing.adjust = (bits >> 5 & 1) != 0 ? -adjust : adjust;
        }
    } else if (kind == PP_FRAMING_DELIMITER) {
        framing.delimiter = fuzz_byte(choices);
        framing.strip_cr = (bits & 1) != 0 && framing.delimiter != '\r';
    } else if (kind == PP_FRAMING_MEASURED) {
        framing.measure = framing_measure;
        framing.measure_user = unit;
        *unit = fuzz_byte(choices) % 20;
    }
    return framing;
}

static uint32_t framing_bound(fuzz_choices *choices)
{
    static const uint32_t bounds[] = {PP_FRAMING_PAYLOAD_BYTES_MAX, 0, 1, 2, 127, 128, 255, 256, 65535, 1 << 20};
    uint8_t choice = fuzz_byte(choices);
    if (choice < sizeof bounds / sizeof bounds[0]) {
        return bounds[choice];
    }
    return choice < 128 ? choice : (uint32_t) fuzz_number(choices, 4) % (PP_FRAMING_PAYLOAD_BYTES_MAX + 1u);
}

static void framing_check_value(const pp_framing *framing)
{
    pp_framing other = *framing;
    PP_VERIFY(pp_framing_equals(framing, &other));
    other.adjust ^= 1;
    PP_VERIFY(!pp_framing_equals(framing, &other));
    other.adjust ^= 1;
    other.keep = !other.keep;
    PP_VERIFY(!pp_framing_equals(&other, framing));
    PP_VERIFY((pp_framing_fault(framing) == NULL) == naive_is_framing(framing));
}

typedef struct framing_bed {
    pp_framing framing;
    uint32_t bound;
    uint32_t stride; /* From one cut to the next, where they are not near to an edge. */
    uint32_t length;
    uint8_t stream[STREAM_BYTES_MAX + PP_FRAMING_HEADER_BYTES_MAX + 1];
} framing_bed;

static bool framing_has_frames(const pp_framing *framing)
{
    return framing->kind != PP_FRAMING_NONE && framing->kind != PP_FRAMING_MESSAGE;
}

/* One look at `cut` bytes, against what is known of all of them. True: there may be more to say with more bytes. */
static bool framing_look_as_naive(const framing_bed *bed, const uint8_t *stream, uint32_t cut, pp_frame *frame,
                                  const naive_framed *framed)
{
    switch (pp_framing_look(&bed->framing, stream, cut, bed->bound, frame)) {
    case PP_FRAME_WHOLE:
        PP_VERIFY(framed->known_after != 0 && cut >= framed->known_after && cut >= framed->frame_bytes);
        PP_VERIFY(frame->payload_at == framed->payload_at && frame->payload_bytes == framed->payload_bytes);
        PP_VERIFY(frame->bytes_needed == framed->frame_bytes && frame->bytes_needed >= 1);
        PP_VERIFY(frame->payload_bytes <= bed->bound);
        return false;
    case PP_FRAME_PART:
        PP_VERIFY(framed->refused_after == 0 || cut < framed->refused_after);
        PP_VERIFY(frame->bytes_needed > cut);
        if (framed->known_after != 0 && cut >= framed->known_after) {
            PP_VERIFY(frame->bytes_needed == framed->frame_bytes);
        } else if (framed->first_field != 0) {
            PP_VERIFY(frame->bytes_needed == framed->first_field + (cut < framed->first_field ? 0 : 8));
        } else {
            PP_VERIFY(frame->bytes_needed == cut + 1);
        }
        return true;
    case PP_FRAME_REFUSED:
        PP_VERIFY(framed->refused_after != 0 && cut >= framed->refused_after);
        PP_VERIFY(frame->why != NULL && frame->why[0] != 0);
        return false;
    }
    return false;
}

/* In a block that ends where the cut is, so that a look beyond it is seen. */
static bool framing_look_in_block(const framing_bed *bed, const uint8_t *stream, uint32_t cut, pp_frame *frame,
                                  const naive_framed *framed)
{
    uint8_t *block = malloc(cut);
    PP_VERIFY(block != NULL);
    memcpy(block, stream, cut);
    bool part = framing_look_as_naive(bed, block, cut, frame, framed);
    free(block);
    return part;
}

static bool framing_is_edge(const naive_framed *framed, uint32_t cut)
{
    const int64_t edges[] = {(int64_t) framed->known_after, (int64_t) framed->refused_after, framed->frame_bytes};
    for (int i = 0; i < 3; ++i) {
        if (edges[i] - 1 <= cut && cut <= edges[i] + 1) {
            return true;
        }
    }
    return false;
}

/* All the cuts of the frame that begins at `at`. How long it is; 0: it is not whole, or none. */
static uint32_t framing_cut(const framing_bed *bed, uint32_t at)
{
    const uint8_t *stream = bed->stream + at;
    uint32_t left = bed->length - at, looked = 0, stride = bed->stride + left / CUTS;
    naive_framed framed = naive_frame_at(&bed->framing, stream, left, bed->bound);
    for (uint32_t cut = 1; cut <= left; ++cut) {
        bool is_edge = cut == left || framing_is_edge(&framed, cut);
        if (cut > EACH_CUT_UP_TO && cut % stride != 0 && !is_edge) {
            continue;
        }
        pp_frame frame = {.looked = looked}, afresh = {0};
        (void) framing_look_as_naive(bed, stream, cut, &afresh, &framed);
        bool part = cut <= BLOCK_UP_TO || is_edge ? framing_look_in_block(bed, stream, cut, &frame, &framed)
                                                  : framing_look_as_naive(bed, stream, cut, &frame, &framed);
        looked = part ? cut : looked; /* From then on, as it would be with the cuts between left out. */
    }
    bool is_whole = framed.known_after != 0 && framed.known_after <= left && framed.frame_bytes <= (int64_t) left;
    return is_whole ? (uint32_t) framed.frame_bytes : 0;
}

static void framing_cut_none(const framing_bed *bed)
{
    for (uint32_t available = 1; available <= bed->length && available < 4; ++available) {
        pp_frame frame = {0};
        if (bed->framing.kind == PP_FRAMING_MESSAGE || bed->bound == 0) {
            PP_VERIFY(pp_framing_look(&bed->framing, bed->stream, available, bed->bound, &frame) == PP_FRAME_REFUSED);
            PP_VERIFY(frame.why != NULL);
            continue;
        }
        PP_VERIFY(pp_framing_look(&bed->framing, bed->stream, available, bed->bound, &frame) == PP_FRAME_WHOLE);
        PP_VERIFY(frame.bytes_needed == (available < bed->bound ? available : bed->bound));
        PP_VERIFY(frame.payload_at == 0 && frame.payload_bytes == frame.bytes_needed);
    }
}

/* Is there a frame of this length? A value of this length or shorter by the escape says so, if a field holds it. */
static bool framing_has_kept(const pp_framing *framing, int64_t bytes)
{
    for (int escaped = 0; escaped <= (framing->escape ? 1 : 0); ++escaped) {
        int64_t payload = bytes - framing->offset - framing->width - 8 * escaped, value = payload - framing->adjust;
        bool is_held = escaped || framing->width == 8 ||
                       value < ((int64_t) 1 << 8 * framing->width) - (framing->escape ? 1 : 0);
        if (payload >= 0 && value >= 0 && is_held) {
            return true;
        }
    }
    return false;
}

/* The header of a payload of any length, which need not be there to be read back. */
static void framing_check_header(const pp_framing *framing, uint32_t payload_bytes)
{
    uint8_t header[PP_FRAMING_HEADER_BYTES_MAX + 1];
    memset(header, 'h', sizeof header);
    bool fits = pp_framing_fits(framing, payload_bytes);
    PP_VERIFY(fits || framing->kind == PP_FRAMING_LENGTH || payload_bytes == 0);
    PP_VERIFY(!framing->keep || fits == framing_has_kept(framing, payload_bytes));
    uint32_t bytes = fits ? pp_framing_header_bytes(framing, payload_bytes) : 0;
    PP_VERIFY(bytes < sizeof header);
    if (bytes == 0) {
        return;
    }
    pp_framing_write_header(framing, header, payload_bytes);
    PP_VERIFY(header[bytes] == 'h');
    for (int i = 0; i < framing->offset; ++i) {
        PP_VERIFY(header[i] == 0);
    }
    naive_framed framed = naive_frame_at(framing, header, bytes, payload_bytes);
    PP_VERIFY(framed.known_after == bytes && framed.payload_at == bytes && framed.payload_bytes == payload_bytes);
    PP_VERIFY(framed.frame_bytes == (int64_t) bytes + payload_bytes);
}

/* Whether it may be sent, worked out from what the receiver would make of it. */
static bool framing_admits(const framing_bed *bed, const uint8_t *payload, uint32_t bytes)
{
    const pp_framing *framing = &bed->framing;
    pp_admission admission = pp_framing_admit(framing, bytes == 0 ? NULL : payload, bytes);
    bool fits = pp_framing_fits(framing, bytes), admitted = admission == PP_ADMITTED;
    PP_VERIFY(fits || !admitted);
    if (framing->kind == PP_FRAMING_MEASURED || framing->keep) {
        naive_framed framed = naive_frame_at(framing, payload, bytes, PP_FRAMING_PAYLOAD_BYTES_MAX);
        PP_VERIFY(admitted == (framed.known_after != 0 && framed.frame_bytes == bytes));
        PP_VERIFY(admission != PP_ADMISSION_TOO_LONG);
    } else if (framing->kind == PP_FRAMING_LENGTH) {
        int64_t value = (int64_t) bytes - framing->adjust, most = framing->width == 8 ? NAIVE_HUGE : 1;
        for (int i = 0; i < framing->width && framing->width != 8; ++i) {
            most *= 256;
        }
        PP_VERIFY((admission == PP_ADMISSION_MALFORMED) == (value < 0));
        PP_VERIFY((admission == PP_ADMISSION_TOO_LONG) == (value >= most && !framing->escape));
        PP_VERIFY(fits == admitted);
    } else if (framing->kind == PP_FRAMING_DELIMITER) {
        naive_framed framed = naive_frame_at(framing, payload, bytes + 1, PP_FRAMING_PAYLOAD_BYTES_MAX);
        PP_VERIFY(admitted == (framed.frame_bytes == (int64_t) bytes + 1 && framed.payload_bytes == bytes));
        PP_VERIFY(admission != PP_ADMISSION_TOO_LONG);
    } else {
        PP_VERIFY(admitted == (framing_has_frames(framing) || bytes != 0));
    }
    return admitted;
}

/* A message of the fuzzer's bytes, if it is admitted, behind what is there. */
static void framing_send(framing_bed *bed, fuzz_choices *choices)
{
    const uint8_t *data = NULL;
    uint8_t payload[STREAM_BYTES_MAX / 4 + 1];
    uint32_t bytes = fuzz_length(choices, sizeof payload);
    memset(payload, 'p', sizeof payload);
    size_t own = fuzz_raw(choices, bytes < 40 ? bytes : bytes % 8, &data);
    if (own != 0) {
        memcpy(payload, data, own);
    }
    payload[bytes] = bed->framing.delimiter;
    if (!framing_admits(bed, payload, bytes)) {
        return;
    }
    uint32_t header = pp_framing_header_bytes(&bed->framing, bytes), trailer = pp_framing_trailer_bytes(&bed->framing);
    uint8_t *frame = bed->stream + bed->length;
    if (header + bytes + trailer > STREAM_BYTES_MAX - bed->length) {
        return;
    }
    pp_framing_write_header(&bed->framing, frame, bytes);
    memcpy(frame + header, payload, bytes);
    pp_framing_write_trailer(&bed->framing, frame + header + bytes);
    bed->length += header + bytes + trailer;
    if (framing_has_frames(&bed->framing)) {
        naive_framed framed = naive_frame_at(&bed->framing, frame, header + bytes + trailer, bytes);
        PP_VERIFY(framed.frame_bytes == (int64_t) header + bytes + trailer && framed.known_after != 0);
        PP_VERIFY(framed.payload_at == header && framed.payload_bytes == bytes);
    }
}

static void framing_fill(framing_bed *bed, fuzz_choices *choices)
{
    while (choices->left != 0) {
        uint8_t step = fuzz_byte(choices);
        if (step % 4 == 0) {
            framing_send(bed, choices);
        } else if (step % 4 == 1) { /* More of the same: headers and lines that are too long. */
            uint32_t bytes = fuzz_length(choices, STREAM_BYTES_MAX - bed->length + 1);
            memset(bed->stream + bed->length, fuzz_byte(choices), bytes);
            bed->length += bytes;
        } else {
            const uint8_t *data = NULL;
            size_t most = step < 128 ? step / 4 : SIZE_MAX, room = STREAM_BYTES_MAX - bed->length;
            size_t bytes = fuzz_raw(choices, most < room ? most : room, &data);
            if (bytes != 0) {
                memcpy(bed->stream + bed->length, data, bytes);
            }
            bed->length += (uint32_t) bytes;
            if (bytes == 0 && most != 0) { /* No room, or no more. */
                return;
            }
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    static framing_bed bed;
    fuzz_choices choices = {data, length};
    uint8_t unit = 0, kind = fuzz_byte(&choices);
    bed.length = 0;
    bed.framing = kind % 16 == 15 ? framing_any(&choices, &unit) : framing_of_kind(&choices, kind % 16 % 7, &unit);
    framing_check_value(&bed.framing);
    if (pp_framing_fault(&bed.framing) != NULL) {
        PP_VERIFY(kind % 16 == 15);
        return 0;
    }
    bed.bound = framing_bound(&choices);
    uint32_t any = (uint32_t) fuzz_number(&choices, 4);
    framing_check_header(&bed.framing, any % (PP_FRAMING_PAYLOAD_BYTES_MAX + 1u));
    framing_check_header(&bed.framing, any % 512);
    bed.stride = 1 + fuzz_byte(&choices);
    framing_fill(&bed, &choices);
    if (!framing_has_frames(&bed.framing)) {
        framing_cut_none(&bed);
        return 0;
    }
    for (uint32_t at = 0, frames = 0; at < bed.length && frames < 32; ++frames) {
        uint32_t bytes = framing_cut(&bed, at);
        if (bytes == 0) {
            break;
        }
        at += bytes;
    }
    return 0;
}
