/* SPDX-License-Identifier: MIT */
/*
 * payload.h - what the tools put into a message, so that its receiver can tell a right one from every wrong one.
 *
 * A message of PAYLOAD_HEADER_BYTES or more begins with a header (little endian) and goes on with bytes that look
 * random:
 *
 *    0  kind      4   what it is: "Req1" a request and its echo, "Bro1" a broadcast; of a topic, "Pub1" what was
 *                     published and "Sub1" what was sent to see whether one has subscribed
 *    4  tag       4   the connection's number; PAYLOAD_TAG_ALL in a broadcast
 *    8  sequence  8   0, 1, 2, ... for each tag and kind
 *   16  made_ns   8   when it was made (clock.h)
 *   24  length    8   of the whole message
 *   32  checksum  8   of everything else
 *
 * A shorter one has no header: it is the first bytes of a stream that seed, tag and sequence determine. An empty one
 * has nothing but its place between its neighbours; its length is what there is to check.
 *
 * A message that a delimiter ends lacks one byte (`lacks`), and does not end in a carriage return, which belongs to
 * some delimiters. Its length stays what it is. Of its header each byte is two letters, the lower half first, so that
 * it takes PAYLOAD_HEADER_BYTES_MAX; of the bytes behind it, those that must not be there are others.
 */
#ifndef PIPEPORT_TOOL_PAYLOAD_H
#define PIPEPORT_TOOL_PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAYLOAD_HEADER_BYTES 40
#define PAYLOAD_HEADER_BYTES_MAX 80
#define PAYLOAD_KIND_REQUEST UINT32_C(0x31716552)   /* "Req1" */
#define PAYLOAD_KIND_BROADCAST UINT32_C(0x316f7242) /* "Bro1" */
#define PAYLOAD_TAG_ALL UINT32_MAX
#define PAYLOAD_KIND_PUBLISHED UINT32_C(0x31627550) /* "Pub1" */
#define PAYLOAD_KIND_PROBE UINT32_C(0x31627553)     /* "Sub1" */
#define PAYLOAD_LACKS_NONE 0u
#define PAYLOAD_LACKS_HIGH 0x200u /* Every byte above 0x7f: it is text, in ASCII. */
#define PAYLOAD_LACKS(byte) (0x100u | (uint8_t) (byte))

/* What a message is, or is expected to be. */
struct payload {
    uint32_t kind;
    uint32_t tag;
    uint64_t sequence;
    uint64_t seed; /* What the bytes grow from; who checks needs it only for messages without a header. */
    uint64_t made_ns;
    size_t length;
    uint32_t lacks; /* PAYLOAD_LACKS(the byte that it may not hold), PAYLOAD_LACKS_HIGH or PAYLOAD_LACKS_NONE. */
};

enum payload_verdict {
    PAYLOAD_GOOD,
    PAYLOAD_WRONG_LENGTH, /* Not as long as the one that was due. */
    PAYLOAD_WRONG_BYTES,  /* Checksum or bytes differ. */
    PAYLOAD_WRONG_KIND,   /* Whole, but a request where a broadcast was due, or the other way round. */
    PAYLOAD_WRONG_TAG,    /* Whole, but somebody else's. */
    PAYLOAD_AHEAD,        /* Whole, but a later one: one was lost or overtaken. */
    PAYLOAD_AGAIN         /* Whole, but an earlier one: it came twice or late. */
};

/* Writes the message that `payload` describes into `data`, room for payload->length bytes. */
void payload_write(const struct payload *payload, void *data);

/* Reads a message that came where `expected` was due. `found` (never NULL) tells what a message with a header says of
 * itself, also where the verdict is bad; of one without, what was expected and its length. */
enum payload_verdict payload_read(const struct payload *expected, const void *data, size_t length,
                                  struct payload *found);

/* The kind that the bytes claim, PAYLOAD_KIND_REQUEST where they are too short, or too odd, to claim one. */
uint32_t payload_kind(uint32_t lacks, const void *data, size_t length);

/* What a message says of itself: kind, tag, sequence and made_ns of *found, whose `lacks` is given. False where it has
 * no header. Nothing of it can be trusted before payload_read has found it good. */
bool payload_peek(struct payload *found, const void *data, size_t length);

/* What the header of such a message takes; a shorter one has none. */
size_t payload_header_bytes(uint32_t lacks);

/* Every step can be undone, so two words that differ never become one. */
uint64_t payload_mix(uint64_t word);

/* A few words for people, static. */
const char *payload_verdict_text(enum payload_verdict verdict);

#endif
