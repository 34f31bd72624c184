/* SPDX-License-Identifier: MIT */
/*
 * words.h - a command line for another program, word by word.
 */
#ifndef PIPEPORT_GENERATOR_WORDS_H
#define PIPEPORT_GENERATOR_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WORDS_MAX 40

/* The words lie in its room: it is not copied. Begin with zeros. */
struct words {
    char *list[WORDS_MAX + 1]; /* Ends with NULL. */
    char room[6144];
    size_t count, used;
    bool failed; /* A word found no room; it stays so. */
};

void words_add(struct words *words, const char *word);
void words_add_number(struct words *words, const char *option, uint32_t number);

#endif
