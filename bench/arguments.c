/* SPDX-License-Identifier: MIT */
#include "bench/arguments.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Noreturn void arguments_help(const char *program, const struct argument *known)
{
    printf("usage: %s NAME [options]\n", program);
    for (; known->option != NULL; known++) {
        printf("  %-14s %s (%" PRIu32 "-%" PRIu32 ", now %" PRIu32 ")\n", known->option, known->help, known->min,
               known->max, *known->value);
    }
    exit(0);
}

static _Noreturn void arguments_refuse(const char *what, const char *word)
{
    fprintf(stderr, "%s: %s; --help lists the options\n", word, what);
    exit(2);
}

static const struct argument *arguments_find(const struct argument *known, const char *word)
{
    for (; known->option != NULL; known++) {
        if (strcmp(known->option, word) == 0) {
            return known;
        }
    }
    arguments_refuse("unknown option", word);
}

static void arguments_set(const struct argument *argument, const char *text)
{
    char *end = NULL;
    unsigned long long value = text == NULL || *text == '-' ? 0 : strtoull(text, &end, 10);

    if (end == NULL || end == text || *end != '\0' || value < argument->min || value > argument->max) {
        arguments_refuse("wants a number within its bounds", argument->option);
    }
    *argument->value = (uint32_t) value;
}

const char *arguments_read(int argc, char **argv, const struct argument *known)
{
    const char *name = NULL;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            arguments_help(argv[0], known);
        } else if (argv[i][0] == '-') {
            const struct argument *argument = arguments_find(known, argv[i]);

            arguments_set(argument, i + 1 < argc ? argv[i + 1] : NULL);
            i++;
        } else if (name == NULL) {
            name = argv[i];
        } else {
            arguments_refuse("one pipe name is enough", argv[i]);
        }
    }
    if (name == NULL || strlen(name) > 200) {
        arguments_refuse("give the pipe's name, 1 to 200 bytes", argv[0]);
    }
    return name;
}
