/* SPDX-License-Identifier: MIT */
/*
 * pipeport_framing.h - where one message ends and the next begins (docs/PROTOCOL.md shows each in bytes). A part of
 * pipeport.h, which says how to read it.
 */
#ifndef PIPEPORT_FRAMING_H
#define PIPEPORT_FRAMING_H

#include <stddef.h>
#include <stdint.h>

#include "pipeport_status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum pipeport_framing_kind {
    PIPEPORT_FRAMING_DEFAULT = 0, /* 4 bytes, little endian, in front of each message. */
    PIPEPORT_FRAMING_LENGTH = 1,
    PIPEPORT_FRAMING_VARINT = 2,
    PIPEPORT_FRAMING_DELIMITER = 3,
    PIPEPORT_FRAMING_HEADERS = 4,
    PIPEPORT_FRAMING_MEASURED = 5,
    PIPEPORT_FRAMING_NONE = 6,
    PIPEPORT_FRAMING_MESSAGE = 7
} pipeport_framing_kind;

typedef enum pipeport_framing_flags {
    PIPEPORT_BIG_ENDIAN = 1, /* LENGTH: the first byte is the highest. */
    PIPEPORT_KEEP = 2,       /* LENGTH: messages are whole frames, header in front, both ways. */
    PIPEPORT_ESCAPE = 4,     /* LENGTH: a value of ones only is followed by 8 bytes that hold the true one. */
    PIPEPORT_STRIP_CR = 8 /* DELIMITER: a carriage return before the delimiter belongs to it. Sent is the delimiter. */
} pipeport_framing_flags;

/* How long is the frame that begins at `stream`? Its whole length in bytes; 0: more than `available` (at least 1) must
 * be seen; less than 0: it is none, and the peer is closed, BAD_PEER. Called from any worker, and for a message to be
 * sent, which must be exactly one frame. While the answer is 0 it is called at each read, with all of the frame that
 * has come; once it tells the length, again only when the whole is there. So it should decide from the first bytes: one
 * that must search to the frame's end costs the square of its length where the peer sends little at a time. */
typedef int64_t pipeport_measure(void *user, const void *stream, size_t available);

/* A value: copy it, keep it, compare nothing. Made by the functions below. */
typedef struct pipeport_framing {
    uint32_t kind;     /* pipeport_framing_kind */
    uint32_t flags;    /* pipeport_framing_flags */
    uint32_t width;    /* LENGTH: of the length field: 1, 2, 3, 4 or 8 bytes. */
    uint32_t offset;   /* LENGTH: 0-64 bytes before the field. Sent as zeros; not delivered without KEEP. */
    int32_t adjust;    /* LENGTH: +-1 MiB; the whole frame has offset + width + value + adjust bytes. */
    uint8_t delimiter; /* DELIMITER */
    pipeport_measure *measure;
    void *measure_user;
} pipeport_framing;

/* A length field of `width` bytes in front of each message; more than that by the fields above. A length that does not
 * fit is TOO_LARGE. Python's multiprocessing.connection: width 4, BIG_ENDIAN | ESCAPE. Thread: any; so all of these. */
PIPEPORT_API pipeport_framing pipeport_framing_length(uint32_t width, uint32_t flags);

/* The length in groups of 7 bits, at most 5 bytes (LEB128; .NET's BinaryWriter.Write7BitEncodedInt). */
PIPEPORT_API pipeport_framing pipeport_framing_varint(void);

/* Messages end with this byte; one that holds it is INVALID. Lines: '\n', STRIP_CR. */
PIPEPORT_API pipeport_framing pipeport_framing_delimiter(uint8_t delimiter, uint32_t flags);

/* A block of header lines with Content-Length, at most 4 KiB ("Language Server Protocol", base protocol). */
PIPEPORT_API pipeport_framing pipeport_framing_headers(void);

/* Frames as long as `measure` says. */
PIPEPORT_API pipeport_framing pipeport_framing_measured(pipeport_measure *measure, void *user);

/* No messages: what came is delivered as it came, message_bytes_max at a time at most. An empty send is INVALID. */
PIPEPORT_API pipeport_framing pipeport_framing_none(void);

/* The pipe's own messages, of a pipe of type PIPEPORT_TYPE_MESSAGE: each is written by one write of its own. One of
 * length 0 is delivered, and is no end; to send one is INVALID, for readers take it for an end. */
PIPEPORT_API pipeport_framing pipeport_framing_message(void);

#ifdef __cplusplus
}
#endif

#endif
