/* SPDX-License-Identifier: MIT */
#include "bench/generator/words.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void words_add(struct words *words, const char *word)
{
    size_t bytes = strlen(word) + 1;

    if (words->count == WORDS_MAX || bytes > sizeof words->room - words->used) {
        words->failed = true;
        return;
    }
    memcpy(words->room + words->used, word, bytes);
    words->list[words->count++] = words->room + words->used;
    words->list[words->count] = NULL;
    words->used += bytes;
}

void words_add_number(struct words *words, const char *option, uint32_t number)
{
    char digits[16];

    snprintf(digits, sizeof digits, "%" PRIu32, number);
    words_add(words, option);
    words_add(words, digits);
}
