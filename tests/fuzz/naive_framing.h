/* SPDX-License-Identifier: MIT */
/*
 * naive_framing.h - what a frame is, worked out with the whole stream in one piece: after how many of its bytes it is
 * known how long it is, or that it is none. From that follows what a look must say at each cut. It shares no line with
 * protocol/ but the types, and reads in another way: lengths saturate instead of being held against a bound on the way,
 * and headers are parsed with a cursor over the whole block.
 */
#ifndef TESTS_FUZZ_NAIVE_FRAMING_H
#define TESTS_FUZZ_NAIVE_FRAMING_H

#include "protocol/framing.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct naive_framed {
    size_t refused_after; /* It is refused from so many bytes on; 0: it is not. */
    size_t known_after;   /* From so many on it is known how long it is, which is */
    int64_t frame_bytes;  /* this, of which */
    int64_t payload_at;   /* are delivered */
    int64_t payload_bytes;
    size_t first_field; /* LENGTH: what must be there before anything can be said. 0: each byte may say something. */
} naive_framed;         /* refused_after and known_after 0: the stream ends before either. */

#define NAIVE_HUGE ((int64_t) 1 << 40) /* As far as a length is counted. */

static inline int64_t naive_saturated(int64_t number)
{
    return number > NAIVE_HUGE ? NAIVE_HUGE : number;
}

/* A field, its most significant byte first. */
static inline int64_t naive_field(const pp_framing *framing, const uint8_t *field, size_t width)
{
    int64_t number = 0;
    for (size_t i = 0; i < width; ++i) {
        number = naive_saturated(number * 256 + (framing->big_endian ? field[i] : field[width - 1 - i]));
    }
    return number;
}

static inline naive_framed naive_length(const pp_framing *framing, const uint8_t *stream, size_t length, int64_t bound)
{
    naive_framed framed = {.first_field = (size_t) framing->offset + framing->width};
    size_t header = framed.first_field;
    if (length < header) {
        return framed;
    }
    bool ones = true;
    for (size_t i = framing->offset; i < header; ++i) {
        ones = ones && stream[i] == 255;
    }
    int64_t value = naive_field(framing, stream + framing->offset, framing->width);
    if (ones && framing->escape) {
        header += 8;
        if (length < header) {
            return framed;
        }
        value = naive_field(framing, stream + header - 8, 8);
    }
    int64_t whole = (int64_t) header + value + framing->adjust;
    framed.payload_at = framing->keep ? 0 : (int64_t) header;
    framed.payload_bytes = whole - framed.payload_at;
    if (whole < (int64_t) header || framed.payload_bytes > bound) {
        framed.refused_after = header;
    } else {
        framed.known_after = header;
        framed.frame_bytes = whole;
    }
    return framed;
}

static inline naive_framed naive_varint(const uint8_t *stream, size_t length, int64_t bound)
{
    naive_framed framed = {0};
    int64_t value = 0, place = 1;
    for (size_t i = 0; i < length; ++i, place *= 128) {
        value += stream[i] % 128 * place;
        if (value > bound || (i == 4 && stream[i] >= 16)) {
            framed.refused_after = i + 1;
            break;
        }
        if (stream[i] < 128) {
            framed.known_after = i + 1;
            framed.payload_at = (int64_t) i + 1;
            framed.payload_bytes = value;
            framed.frame_bytes = framed.payload_at + value;
            break;
        }
    }
    return framed;
}

static inline naive_framed naive_delimiter(const pp_framing *framing, const uint8_t *stream, size_t length,
                                           int64_t bound)
{
    naive_framed framed = {0};
    int64_t before = 0; /* The message, if it ended here. */
    for (size_t i = 0; i < length; ++i) {
        if (stream[i] == framing->delimiter) {
            if (before <= bound) {
                framed.known_after = i + 1;
                framed.payload_bytes = before;
                framed.frame_bytes = (int64_t) i + 1;
            } else {
                framed.refused_after = i + 1;
            }
            break;
        }
        before = (int64_t) i + (framing->strip_cr && stream[i] == '\r' ? 0 : 1);
        if (before > bound) {
            framed.refused_after = i + 1;
            break;
        }
    }
    return framed;
}

static inline bool naive_is_in(uint8_t byte, const char *set)
{
    for (; *set != 0; ++set) {
        if ((uint8_t) *set == byte) {
            return true;
        }
    }
    return false;
}

static inline size_t naive_span(const uint8_t *stream, size_t length, size_t at, const char *set)
{
    while (at < length && naive_is_in(stream[at], set)) {
        ++at;
    }
    return at;
}

static inline bool naive_is_content_length(const uint8_t *name, size_t bytes)
{
    static const char lower[] = "content-length", upper[] = "CONTENT-LENGTH";
    size_t i = 0;
    while (i < bytes && i < sizeof lower - 1 && (name[i] == (uint8_t) lower[i] || name[i] == (uint8_t) upper[i])) {
        ++i;
    }
    return i == bytes && i == sizeof lower - 1;
}

typedef struct naive_cursor {
    const uint8_t *stream;
    size_t length;
    size_t at;
    size_t wrong; /* The first wrong byte, counted from 1; 0: none yet. */
} naive_cursor;

/* Steps over the one byte that may stand here. False: it is not there, or another is. */
static inline bool naive_take(naive_cursor *cursor, char byte)
{
    if (cursor->at < cursor->length && cursor->stream[cursor->at] != (uint8_t) byte) {
        cursor->wrong = cursor->at + 1;
    }
    return cursor->at < cursor->length && cursor->stream[cursor->at++] == (uint8_t) byte;
}

/* " 12 " behind the colon. False: the cursor stands where it stops, wrong or not. */
static inline bool naive_take_number(naive_cursor *cursor, int64_t bound, int64_t *number)
{
    cursor->at = naive_span(cursor->stream, cursor->length, cursor->at, " \t");
    size_t end = naive_span(cursor->stream, cursor->length, cursor->at, "0123456789");
    if (end == cursor->at) {
        cursor->wrong = end < cursor->length ? end + 1 : 0;
        return false;
    }
    for (*number = 0; cursor->at < end; ++cursor->at) {
        *number = naive_saturated(*number * 10 + (cursor->stream[cursor->at] - '0'));
        if (*number > bound) {
            cursor->wrong = cursor->at + 1;
            return false;
        }
    }
    cursor->at = naive_span(cursor->stream, cursor->length, cursor->at, " \t");
    return true;
}

/* All lines and the empty one. */
static inline bool naive_take_block(naive_cursor *cursor, int64_t bound, int64_t *number)
{
    bool found = false;
    while (cursor->at < cursor->length && cursor->stream[cursor->at] != '\r') {
        size_t name = cursor->at;
        cursor->at = naive_span(cursor->stream, cursor->length, name,
                                "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
        size_t bytes = cursor->at - name;
        if (bytes == 0) {
            cursor->wrong = name + 1;
            return false;
        }
        bool is_length = naive_is_content_length(cursor->stream + name, bytes);
        if (!naive_take(cursor, ':')) {
            return false;
        }
        if (is_length && found) {
            cursor->wrong = cursor->at;
            return false;
        }
        if (is_length && !naive_take_number(cursor, bound, number)) {
            return false;
        }
        while (!is_length && cursor->at < cursor->length && cursor->stream[cursor->at] != 127 &&
               (cursor->stream[cursor->at] > 31 || cursor->stream[cursor->at] == '\t')) {
            ++cursor->at;
        }
        found = found || is_length;
        if (!naive_take(cursor, '\r') || !naive_take(cursor, '\n')) {
            return false;
        }
    }
    if (cursor->at < cursor->length && !found) {
        cursor->wrong = cursor->at + 1;
    }
    return found && naive_take(cursor, '\r') && naive_take(cursor, '\n');
}

static inline naive_framed naive_headers(const uint8_t *stream, size_t length, int64_t bound)
{
    naive_framed framed = {0};
    naive_cursor cursor = {stream, length < 4096 ? length : 4096, 0, 0};
    if (naive_take_block(&cursor, bound, &framed.payload_bytes)) {
        framed.known_after = cursor.at;
        framed.payload_at = (int64_t) cursor.at;
        framed.frame_bytes = framed.payload_at + framed.payload_bytes;
    } else if (cursor.wrong != 0) {
        framed.refused_after = cursor.wrong;
    } else if (length >= 4096) {
        framed.refused_after = 4096;
    }
    return framed;
}

static inline naive_framed naive_measured(const pp_framing *framing, const uint8_t *stream, size_t length,
                                          int64_t bound)
{
    naive_framed framed = {0};
    for (size_t seen = 1; seen <= length && framed.known_after == 0 && framed.refused_after == 0; ++seen) {
        int64_t bytes = framing->measure(framing->measure_user, stream, seen);
        if (bytes < 0 || bytes > bound || (bytes == 0 && (int64_t) seen >= bound)) {
            framed.refused_after = seen;
        } else if (bytes > 0) {
            framed.known_after = seen;
            framed.payload_bytes = framed.frame_bytes = bytes;
        }
    }
    return framed;
}

/* The frame that begins `stream`. Not for NONE and MESSAGE, which have none. */
static inline naive_framed naive_frame_at(const pp_framing *framing, const uint8_t *stream, size_t length,
                                          int64_t bound)
{
    switch ((pp_framing_kind) framing->kind) {
    case PP_FRAMING_LENGTH:
        return naive_length(framing, stream, length, bound);
    case PP_FRAMING_VARINT:
        return naive_varint(stream, length, bound);
    case PP_FRAMING_DELIMITER:
        return naive_delimiter(framing, stream, length, bound);
    case PP_FRAMING_HEADERS:
        return naive_headers(stream, length, bound);
    case PP_FRAMING_MEASURED:
        return naive_measured(framing, stream, length, bound);
    case PP_FRAMING_NONE:
    case PP_FRAMING_MESSAGE:
        break;
    }
    return (naive_framed){0};
}

/* The fields of a framing without fault, said once more. */
static inline bool naive_is_framing(const pp_framing *framing)
{
    bool length = framing->kind == PP_FRAMING_LENGTH, delimiter = framing->kind == PP_FRAMING_DELIMITER;
    bool measured = framing->kind == PP_FRAMING_MEASURED;
    uint32_t widths = length ? 1u << 1 | 1u << 2 | 1u << 3 | 1u << 4 | (framing->escape ? 0u : 1u << 8) : 1u;
    int64_t adjust = length ? 1048576 : 0;
    return framing->kind <= 6 && framing->width < 32 && (widths >> framing->width & 1) == 1 &&
           framing->offset <= (length ? 64 : 0) && framing->adjust <= adjust && framing->adjust >= -adjust &&
           (length || !(framing->big_endian || framing->escape || framing->keep)) &&
           (delimiter || (framing->delimiter == 0 && !framing->strip_cr)) &&
           !(framing->strip_cr && framing->delimiter == 13) && measured == (framing->measure != NULL) &&
           (measured || framing->measure_user == NULL);
}

#endif
