/* SPDX-License-Identifier: MIT */
/*
 * topic.h - a topic and a message in one payload: two strings, one behind the other, and nothing behind them.
 *
 *      payload:  [ length | topic | length | message ]
 *
 * Each as .NET writes a string (BinaryWriter.Write(String)): the number of its bytes in groups of 7 bits, lowest first,
 * at most 5 bytes (Write7BitEncodedInt), then the bytes, which are UTF-8. The length is a signed number there, so it
 * ends at 2^31 - 1; one that is written with more groups than it needs is read like any other. A NUL is a character,
 * and so is a byte order mark.
 *
 * Pure: no I/O, no allocation, no state. The payload is whole. It refuses, and never repairs: a string that is not
 * UTF-8 comes from no .NET writer, whose default encoding throws first.
 */
#ifndef PP_PROTOCOL_TOPIC_H
#define PP_PROTOCOL_TOPIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PP_TOPIC_TEXT_BYTES_MAX = INT32_MAX };

/* Not ended by a NUL. Lent by whoever holds the bytes. */
typedef struct pp_topic_text {
    const uint8_t *bytes; /* May be NULL where length is 0, when it is given to be written; never when it was read. */
    uint32_t length;
} pp_topic_text;

typedef struct pp_topic {
    pp_topic_text topic;
    pp_topic_text message;
} pp_topic;

/* NULL: *topic lies in the payload. Else what is wrong with it, half an English sentence, static; *topic is untouched.
 * `payload` may be NULL when payload_bytes is 0. */
const char *pp_topic_read(const uint8_t *payload, uint32_t payload_bytes, pp_topic *topic);

/* The payload that holds texts of these lengths. */
uint64_t pp_topic_bytes(uint32_t topic_length, uint32_t message_length);

/* NULL: the pp_topic_bytes bytes at `payload` are written. Else what is wrong with the texts, as above; nothing is
 * written. The texts do not lie in the payload's room. */
const char *pp_topic_write(const pp_topic *topic, uint8_t *payload);

/* Is it UTF-8 as "The Unicode Standard" has it in table 3-7: shortest forms only, no surrogate, nothing above
 * U+10FFFF? */
bool pp_topic_utf8(const uint8_t *bytes, size_t length);

#endif
