/* SPDX-License-Identifier: MIT */
/*
 * topic.c - both strings are cut out first, then read: a payload whose lengths are wrong costs nothing more.
 */
#include "protocol/topic.h"

#include <string.h>

static const char topic_not_utf8[] = "a string in it is not UTF-8";
static const char topic_too_long[] = "a string in it is longer than 2 GiB - 1";

typedef struct topic_cursor {
    const uint8_t *payload;
    uint32_t at;
    uint32_t end;
} topic_cursor;

static const char *topic_read_length(topic_cursor *cursor, uint32_t *length)
{
    *length = 0;
    for (unsigned shift = 0; shift <= 28; shift += 7) {
        if (cursor->at == cursor->end) {
            return "it ends inside a string's length";
        }
        uint8_t group = cursor->payload[cursor->at++];
        if (shift == 28 && group > 0x0F) {
            return "a string's length has more than 32 bits";
        }
        *length |= (uint32_t) (group & 0x7F) << shift;
        if (group < 0x80) {
            break;
        }
    }
    return *length > PP_TOPIC_TEXT_BYTES_MAX ? topic_too_long : NULL;
}

static const char *topic_cut(topic_cursor *cursor, pp_topic_text *text)
{
    const char *why = topic_read_length(cursor, &text->length);
    if (why != NULL) {
        return why;
    }
    if (text->length > cursor->end - cursor->at) {
        return "it ends inside a string";
    }
    text->bytes = cursor->payload + cursor->at;
    cursor->at += text->length;
    return NULL;
}

const char *pp_topic_read(const uint8_t *payload, uint32_t payload_bytes, pp_topic *topic)
{
    topic_cursor cursor = {payload, 0, payload_bytes};
    pp_topic found;
    const char *why = topic_cut(&cursor, &found.topic);
    if (why == NULL) {
        why = topic_cut(&cursor, &found.message);
    }
    if (why != NULL) {
        return why;
    }
    if (cursor.at != cursor.end) {
        return "it has bytes behind its two strings";
    }
    if (!pp_topic_utf8(found.topic.bytes, found.topic.length) ||
        !pp_topic_utf8(found.message.bytes, found.message.length)) {
        return topic_not_utf8;
    }
    *topic = found;
    return NULL;
}

static uint32_t topic_length_bytes(uint32_t length)
{
    uint32_t bytes = 1;
    while (length >= 0x80) {
        length >>= 7;
        bytes += 1;
    }
    return bytes;
}

uint64_t pp_topic_bytes(uint32_t topic_length, uint32_t message_length)
{
    return (uint64_t) topic_length_bytes(topic_length) + topic_length + topic_length_bytes(message_length) +
           message_length;
}

static uint8_t *topic_put(const pp_topic_text *text, uint8_t *at)
{
    uint32_t length = text->length;
    while (length >= 0x80) {
        *at++ = (uint8_t) (length | 0x80);
        length >>= 7;
    }
    *at++ = (uint8_t) length;
    if (text->length != 0) {
        memcpy(at, text->bytes, text->length);
    }
    return at + text->length;
}

const char *pp_topic_write(const pp_topic *topic, uint8_t *payload)
{
    if (topic->topic.length > PP_TOPIC_TEXT_BYTES_MAX || topic->message.length > PP_TOPIC_TEXT_BYTES_MAX) {
        return topic_too_long;
    }
    if (!pp_topic_utf8(topic->topic.bytes, topic->topic.length) ||
        !pp_topic_utf8(topic->message.bytes, topic->message.length)) {
        return topic_not_utf8;
    }
    (void) topic_put(&topic->message, topic_put(&topic->topic, payload));
    return NULL;
}

/* How long is the character that begins here? 0: none does. The second byte alone decides about long forms (after E0
 * and F0), surrogates (after ED) and what is above U+10FFFF (after F4). */
static size_t topic_character(const uint8_t *at, size_t left)
{
    uint8_t lead = at[0];
    uint8_t second_min = 0x80;
    uint8_t second_max = 0xBF;
    size_t bytes = 2;
    if (lead < 0x80) {
        return 1;
    }
    if (lead < 0xC2 || lead > 0xF4) {
        return 0;
    }
    if (lead >= 0xF0) {
        bytes = 4;
        second_min = lead == 0xF0 ? 0x90 : 0x80;
        second_max = lead == 0xF4 ? 0x8F : 0xBF;
    } else if (lead >= 0xE0) {
        bytes = 3;
        second_min = lead == 0xE0 ? 0xA0 : 0x80;
        second_max = lead == 0xED ? 0x9F : 0xBF;
    }
    if (bytes > left || at[1] < second_min || at[1] > second_max) {
        return 0;
    }
    for (size_t i = 2; i < bytes; ++i) {
        if ((at[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    return bytes;
}

bool pp_topic_utf8(const uint8_t *bytes, size_t length)
{
    for (size_t at = 0; at < length;) {
        uint64_t eight;
        if (length - at >= sizeof eight) {
            memcpy(&eight, bytes + at, sizeof eight);
            if ((eight & UINT64_C(0x8080808080808080)) == 0) {
                at += sizeof eight;
                continue;
            }
        }
        size_t step = topic_character(bytes + at, length - at);
        if (step == 0) {
            return false;
        }
        at += step;
    }
    return true;
}
