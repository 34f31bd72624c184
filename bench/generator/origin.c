/* SPDX-License-Identifier: MIT */
#include "bench/generator/origin.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tools/pipeport/say.h"

/* As text, what a macro stands for. */
#define ORIGIN_WORD(word) #word
#define ORIGIN_NUMBER(macro) ORIGIN_WORD(macro)

void origin_command(char *text, size_t room, const char *word, int count, char **arguments)
{
    size_t used = (size_t) snprintf(text, room, "%s %s", say_program_name(), word);

    for (int i = 0; i < count && used < room; i++) {
        bool plain = arguments[i][0] != '\0' && strpbrk(arguments[i], " \t\"'\\$*?<>|&;()[]{}#!`~") == NULL;

        used += (size_t) snprintf(text + used, room - used, plain ? " %s" : " '%s'", arguments[i]);
    }
}

void origin_began(char *text, size_t room)
{
    time_t now = time(NULL);
    const struct tm *utc = gmtime(&now);

    if (utc == NULL || strftime(text, room, "%Y-%m-%dT%H:%M:%SZ", utc) == 0) {
        snprintf(text, room, "unknown");
    }
}

const char *origin_build(void)
{
#if defined(__clang__)
    return "clang " ORIGIN_NUMBER(__clang_major__) "." ORIGIN_NUMBER(__clang_minor__) ", " PIPEPORT_BUILD_TYPE;
#elif defined(__GNUC__)
    return "gcc " __VERSION__ ", " PIPEPORT_BUILD_TYPE;
#else
    return "an unknown compiler, " PIPEPORT_BUILD_TYPE;
#endif
}
