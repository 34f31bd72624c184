/* SPDX-License-Identifier: MIT */
/*
 * said.h - what a program that we started has said, as far as it matters: its last 4 KiB.
 */
#ifndef PIPEPORT_GENERATOR_SAID_H
#define PIPEPORT_GENERATOR_SAID_H

#include <stdbool.h>
#include <stddef.h>

#define SAID_BYTES 4096

struct said {
    char bytes[SAID_BYTES + 1]; /* Terminated; control characters but line ends are blanks. */
    size_t length;
};

void said_add(struct said *said, const char *bytes, size_t count);
void said_clear(struct said *said);

/* Is there a whole line that begins so? Into `line`, without its end, and cut to the room. */
bool said_line(const struct said *said, const char *begin, char *line, size_t room);

/* The last line that says something, whole or not; "nothing" where there is none. */
void said_last(const struct said *said, char *line, size_t room);

#endif
