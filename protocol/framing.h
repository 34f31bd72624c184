/* SPDX-License-Identifier: MIT */
/*
 * framing.h - where one message ends and the next begins: the rule, as a value.
 *
 *      frame:  [ header | payload | trailer ]        what is delivered: the payload, or with `keep` the whole frame
 *
 *      LENGTH     [ offset bytes | value, `width` bytes | payload ]; the whole has offset + width + value + adjust
 *                 bytes, so that the payload has value + adjust. With `escape` a value of ones only is followed by 8
 *                 bytes, in the same order, that hold the true one and count as header (Python,
 *                 multiprocessing.connection: 4 bytes big endian, escaped beyond 2 GiB).
 *      VARINT     the payload's length in groups of 7 bits, lowest first, at most 5 bytes (LEB128; .NET's
 *                 Write7BitEncodedInt), then the payload. A length in more bytes than it needs is taken.
 *      DELIMITER  the payload, then one byte that does not occur in it; with `strip_cr` a carriage return before it
 *                 belongs to it.
 *      HEADERS    lines ended by CR LF, one of them Content-Length in any case, an empty line, the payload ("Language
 *                 Server Protocol Specification", base protocol; also JSON-RPC). Other lines need a name and a colon,
 *                 and are ignored.
 *      MEASURED   as long as `measure` says; the whole is delivered. It is refused if it still says 0 of as many bytes
 *                 as the bound allows.
 *      NONE       no messages, only bytes: what has come is delivered as it comes, at most the bound at a time, which
 *                 is at least 1.
 *      MESSAGE    the pipe's own boundaries. Nothing here knows them; a look is never asked for it.
 *
 * Pure: no I/O, no allocation, no state. A stream may be cut at any byte; whoever holds the bytes asks again with more.
 * It refuses, and never guesses: what breaks the rule or its bound is refused as soon as the byte that breaks it is
 * seen, before anybody allocates for it. (A length field is seen when its last byte is.)
 */
#ifndef PP_PROTOCOL_FRAMING_H
#define PP_PROTOCOL_FRAMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
    PP_FRAMING_PAYLOAD_BYTES_MAX = 1 << 30,
    PP_FRAMING_OFFSET_MAX = 64,
    PP_FRAMING_ADJUST_MAX = 1 << 20,         /* Either way. */
    PP_FRAMING_HEADER_BYTES_MAX = 80,        /* Of what is sent. */
    PP_FRAMING_HEADER_BLOCK_BYTES_MAX = 4096 /* HEADERS, received: with its empty line. */
};

typedef enum pp_framing_kind {
    PP_FRAMING_LENGTH,
    PP_FRAMING_VARINT,
    PP_FRAMING_DELIMITER,
    PP_FRAMING_HEADERS,
    PP_FRAMING_MEASURED,
    PP_FRAMING_NONE,
    PP_FRAMING_MESSAGE
} pp_framing_kind;

/* How long is the frame that begins here? The whole, in bytes; 0: more than `available` (at least 1) must be seen; less
 * than 0: this is no frame. A frame that is there whole must be answered by its length, and no byte behind it may
 * change the answer: else the cuts of the stream would decide what is a message. */
typedef int64_t pp_framing_measure(void *user, const void *stream, size_t available);

/* What a kind does not name is 0. The first 8 bytes have no gap: they are compared as one. */
typedef struct pp_framing {
    uint8_t kind;                /* pp_framing_kind */
    uint8_t width;               /* LENGTH: 1, 2, 3, 4 or 8 bytes. */
    uint8_t offset;              /* LENGTH: bytes before the value, at most PP_FRAMING_OFFSET_MAX. Sent as zeros. */
    uint8_t delimiter;           /* DELIMITER */
    bool big_endian;             /* LENGTH */
    bool escape;                 /* LENGTH, not with width 8. */
    bool keep;                   /* LENGTH: header and payload are delivered, and given to be sent, as one. */
    bool strip_cr;               /* DELIMITER, not where that is the carriage return. */
    int32_t adjust;              /* LENGTH: between -PP_FRAMING_ADJUST_MAX and PP_FRAMING_ADJUST_MAX. */
    pp_framing_measure *measure; /* MEASURED */
    void *measure_user;
} pp_framing;

typedef enum pp_frame_verdict {
    PP_FRAME_WHOLE,
    PP_FRAME_PART,   /* At least bytes_needed (> available) in all, from the frame's start, before more can be said. */
    PP_FRAME_REFUSED /* Nothing after it can be trusted. */
} pp_frame_verdict;

/* What a verdict does not name is left as it was. */
typedef struct pp_frame {
    uint32_t looked;     /* Given: so many bytes of this frame the last look has had, which said PART. 0: none was. */
    uint32_t payload_at; /* WHOLE: what is delivered, from the frame's start, */
    uint32_t payload_bytes; /* and its length. */
    uint32_t bytes_needed;  /* WHOLE: the frame, at least 1. PART: see there. */
    const char *why;        /* REFUSED: what is wrong with it, half an English sentence, static. */
} pp_frame;

/* NULL: the value keeps to the bounds above. Else which field does not, and what it may be; static. */
const char *pp_framing_fault(const pp_framing *framing);

/* The same rule, field by field? */
bool pp_framing_equals(const pp_framing *one, const pp_framing *other);

/* Looks at the stream from the start of a frame. `available` is at least 1. The `frame->looked` bytes that are known to
 * hold no delimiter are not searched again; headers are read from their beginning each time. payload_bytes_max (<=
 * PP_FRAMING_PAYLOAD_BYTES_MAX) bounds what is delivered. Not for MESSAGE. */
pp_frame_verdict pp_framing_look(const pp_framing *framing, const uint8_t *stream, uint32_t available,
                                 uint32_t payload_bytes_max, pp_frame *frame);

typedef enum pp_admission {
    PP_ADMITTED,
    PP_ADMISSION_TOO_LONG, /* Its length does not fit its field. */
    PP_ADMISSION_MALFORMED /* It would not arrive as one message: it holds the delimiter; it is not one whole frame
                              (keep, MEASURED); it is empty (NONE, MESSAGE), or shorter than `adjust`. */
} pp_admission;

/* May this payload (<= PP_FRAMING_PAYLOAD_BYTES_MAX) be sent? With strip_cr it may end in a carriage return no more
 * than hold the delimiter, for the peer would strip it. NULL when payload_bytes is 0. */
pp_admission pp_framing_admit(const pp_framing *framing, const uint8_t *payload, uint32_t payload_bytes);

/* Only its length is known yet, which may be any: false if no payload of this length is admitted. */
bool pp_framing_fits(const pp_framing *framing, uint32_t payload_bytes);

/* Of one that does not fit: is it too long? Else it is too short to be one message. */
bool pp_framing_is_too_long(const pp_framing *framing, uint32_t payload_bytes);

/* What encoding puts before a payload that fits, and behind it: DELIMITER its byte, without a carriage return. */
uint32_t pp_framing_header_bytes(const pp_framing *framing, uint32_t payload_bytes);
uint32_t pp_framing_trailer_bytes(const pp_framing *framing);
void pp_framing_write_header(const pp_framing *framing, uint8_t *header, uint32_t payload_bytes);
void pp_framing_write_trailer(const pp_framing *framing, uint8_t *trailer);

/* A length field of 4 bytes, little endian, in front of each payload: what most pipes speak. Each message asks for it
 * several times, so who handles many may do it in place; what the functions above answer is the same. */
extern const pp_framing pp_framing_default;

enum { PP_FRAMING_DEFAULT_HEADER_BYTES = 4 };

_Static_assert(offsetof(pp_framing, adjust) == 8, "kind to strip_cr have no gap, and can be compared as one");

static inline bool pp_framing_is_default(const pp_framing *framing)
{
    static const uint8_t rule[offsetof(pp_framing, adjust)] = {PP_FRAMING_LENGTH, PP_FRAMING_DEFAULT_HEADER_BYTES};
    return memcmp(framing, rule, sizeof rule) == 0 && framing->adjust == 0;
}

static inline uint32_t pp_framing_default_read(const uint8_t *header)
{
    return (uint32_t) header[0] | (uint32_t) header[1] << 8 | (uint32_t) header[2] << 16 | (uint32_t) header[3] << 24;
}

static inline void pp_framing_default_write(uint8_t *header, uint32_t payload_bytes)
{
    header[0] = (uint8_t) payload_bytes;
    header[1] = (uint8_t) (payload_bytes >> 8);
    header[2] = (uint8_t) (payload_bytes >> 16);
    header[3] = (uint8_t) (payload_bytes >> 24);
}

#endif
