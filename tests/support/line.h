/* SPDX-License-Identifier: MIT */
/*
 * line.h - a command line as one writes it.
 */
#ifndef TESTS_SUPPORT_LINE_H
#define TESTS_SUPPORT_LINE_H

#include <stdio.h>
#include <string.h>

enum { TEST_LINE_BYTES = 512, TEST_LINE_WORDS_MAX = 48 };

typedef struct test_line {
    char text[TEST_LINE_BYTES]; /* The words lie in it. */
    char *words[TEST_LINE_WORDS_MAX];
    int count;
} test_line;

/* The words of a line, parted by blanks. */
static inline void test_line_part(test_line *line, const char *text)
{
    line->count = 0;
    (void) snprintf(line->text, sizeof line->text, "%s", text);
    for (char *word = strtok(line->text, " "); word != NULL && line->count < TEST_LINE_WORDS_MAX;
         word = strtok(NULL, " ")) {
        line->words[line->count++] = word;
    }
}

#endif
