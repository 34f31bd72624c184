/* SPDX-License-Identifier: MIT */
/*
 * naive_topic.h - topic and message worked out the clear way: lengths as numbers in 64 bits, texts character by
 * character, by each character's value. It shares no line with protocol/.
 */
#ifndef TESTS_FUZZ_NAIVE_TOPIC_H
#define TESTS_FUZZ_NAIVE_TOPIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct naive_string {
    size_t at; /* Where its bytes lie in the payload. */
    uint64_t bytes;
    bool shortest; /* Its length is written as .NET writes it. */
} naive_string;

/* The value of the character at *at, which is moved behind it; -1: there is none. */
static inline int64_t naive_character(const uint8_t *text, size_t length, size_t *at)
{
    unsigned ones = 0; /* In front of the first byte's first zero bit. */
    while (ones < 8 && (text[*at] >> (7 - ones)) % 2 == 1) {
        ones += 1;
    }
    if (ones == 1 || ones > 4) {
        return -1;
    }
    size_t bytes = ones == 0 ? 1 : ones;
    if (*at + bytes > length) {
        return -1;
    }
    int64_t value = text[*at] % (1 << (7 - ones));
    for (size_t i = 1; i < bytes; ++i) {
        if (text[*at + i] / 64 != 2) {
            return -1;
        }
        value = value * 64 + text[*at + i] % 64;
    }
    size_t needed = value <= 0x7F ? 1 : value <= 0x7FF ? 2 : value <= 0xFFFF ? 3 : 4;
    bool surrogate = value >= 0xD800 && value <= 0xDFFF;
    *at += bytes;
    return bytes == needed && !surrogate && value <= 0x10FFFF ? value : -1;
}

static inline bool naive_utf8(const uint8_t *text, size_t length)
{
    for (size_t at = 0; at < length;) {
        if (naive_character(text, length, &at) < 0) {
            return false;
        }
    }
    return true;
}

/* The string that begins at *at of a payload, which is moved behind it. */
static inline bool naive_read_string(const uint8_t *payload, size_t length, size_t *at, naive_string *string)
{
    uint64_t place = 1;
    size_t groups = 0;
    uint8_t group = 0;
    string->bytes = 0;
    do {
        if (groups == 5 || *at == length) {
            return false;
        }
        group = payload[*at];
        string->bytes += group % 128 * place;
        place *= 128;
        *at += 1;
        groups += 1;
    } while (group >= 128);
    string->at = *at;
    string->shortest = groups == 1 || group != 0;
    if (string->bytes > 0x7FFFFFFF || string->at + string->bytes > length) {
        return false;
    }
    *at += string->bytes;
    return naive_utf8(payload + string->at, string->bytes);
}

/* Are they two strings and nothing else? */
static inline bool naive_read_topic(const uint8_t *payload, size_t length, naive_string *topic, naive_string *message)
{
    size_t at = 0;
    return naive_read_string(payload, length, &at, topic) && naive_read_string(payload, length, &at, message) &&
           at == length;
}

#endif
