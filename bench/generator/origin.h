/* SPDX-License-Identifier: MIT */
/*
 * origin.h - how a result came to be: the command as it was typed, when, and by which build.
 */
#ifndef PIPEPORT_GENERATOR_ORIGIN_H
#define PIPEPORT_GENERATOR_ORIGIN_H

#include <stddef.h>

/* "pipeport-bench WORD ARGUMENTS", so far as a shell would read it back, and cut to the room. */
void origin_command(char *text, size_t room, const char *word, int count, char **arguments);

/* Now, in UTC: "2026-01-31T12:00:00Z". */
void origin_began(char *text, size_t room);

/* What this program was compiled by, and how: "gcc 12.2.0, Release". */
const char *origin_build(void);

#endif
