/* SPDX-License-Identifier: MIT */
/*
 * pattern.h - content that tells a lost, doubled, cut or mixed message: bytes that follow from a seed.
 */
#ifndef TESTS_SUPPORT_PATTERN_H
#define TESTS_SUPPORT_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t pattern_word(uint64_t seed, uint64_t index)
{
    uint64_t word = (seed + index + 1) * UINT64_C(0x9e3779b97f4a7c15);
    return word ^ (word >> 29);
}

static inline void pattern_fill(void *data, size_t bytes, uint64_t seed)
{
    for (size_t at = 0; at < bytes; at += 8) {
        uint64_t word = pattern_word(seed, at);
        memcpy((char *) data + at, &word, bytes - at < 8 ? bytes - at : 8);
    }
}

static inline bool pattern_is(const void *data, size_t bytes, uint64_t seed)
{
    for (size_t at = 0; at < bytes; at += 8) {
        uint64_t word = pattern_word(seed, at);
        if (memcmp((const char *) data + at, &word, bytes - at < 8 ? bytes - at : 8) != 0) {
            return false;
        }
    }
    return true;
}

#endif
