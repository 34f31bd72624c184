/* SPDX-License-Identifier: MIT */
/*
 * choices.h - the fuzzer's bytes, taken as choices one after the other. When they have come to their end every choice
 * is 0.
 */
#ifndef TESTS_FUZZ_CHOICES_H
#define TESTS_FUZZ_CHOICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct fuzz_choices {
    const uint8_t *data;
    size_t left;
} fuzz_choices;

/* What libFuzzer calls, and replay.c. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

static inline uint8_t fuzz_byte(fuzz_choices *choices)
{
    if (choices->left == 0) {
        return 0;
    }
    choices->left -= 1;
    return *choices->data++;
}

/* From `bytes` bytes, little endian. */
static inline uint64_t fuzz_number(fuzz_choices *choices, unsigned bytes)
{
    uint64_t number = 0;
    for (unsigned i = 0; i < bytes; ++i) {
        number |= (uint64_t) fuzz_byte(choices) << 8 * i;
    }
    return number;
}

/* 0 to below - 1, most of the time small: a length, for which a byte is enough until the fuzzer wants more. */
static inline uint32_t fuzz_length(fuzz_choices *choices, uint32_t below)
{
    uint32_t number = fuzz_byte(choices);
    if (number >= 0xF0) {
        number = (uint32_t) fuzz_number(choices, number < 0xF8 ? 2 : 3);
    }
    return number % below;
}

/* Up to `most` of the fuzzer's own bytes, as they are; *data is where they lie. */
static inline size_t fuzz_raw(fuzz_choices *choices, size_t most, const uint8_t **data)
{
    size_t length = most < choices->left ? most : choices->left;
    *data = choices->data;
    choices->data += length;
    choices->left -= length;
    return length;
}

#endif
