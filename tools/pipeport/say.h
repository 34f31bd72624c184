/* SPDX-License-Identifier: MIT */
/*
 * say.h - whole lines to people and to the scripts that wait for them.
 *
 * Each line leaves at once: under Windows a stdout that is a file or a pipe knows no line buffering. A line is one call
 * of the C library and so is not torn by another thread's.
 */
#ifndef PIPEPORT_TOOL_SAY_H
#define PIPEPORT_TOOL_SAY_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/include/pipeport.h"

#if defined(__GNUC__) && !defined(__clang__)
#define SAY_FORMAT(text, first) __attribute__((format(gnu_printf, text, first)))
#elif defined(__clang__)
#define SAY_FORMAT(text, first) __attribute__((format(printf, text, first)))
#else
#define SAY_FORMAT(text, first)
#endif

#define SAY_EXIT_OK 0
#define SAY_EXIT_FAIL 1  /* It ran and something was wrong. */
#define SAY_EXIT_USAGE 2 /* It was asked for something it does not know. */

/* How the program is called, static; "pipeport" until told. Thread: main, before others begin. */
void say_program(const char *name);
const char *say_program_name(void);

/* A line on stdout. Thread: any. */
void say(const char *format, ...) SAY_FORMAT(1, 2);

/* True: `say` says nothing until told otherwise. Thread: main, while no other says anything. */
void say_hush(bool hushed);

/* "PROGRAM WHO: ..." on stderr. Thread: any. */
void say_error(const char *who, const char *format, ...) SAY_FORMAT(2, 3);

/* "PROGRAM WHO: WHAT: the status' sentence (status N)" on stderr. Thread: any. */
void say_status(const char *who, const char *what, pipeport_status status);

/* A duration for people, "12.3 ms"; `room` is given back. */
struct say_room {
    char text[32];
};
const char *say_duration(struct say_room *room, uint64_t ns);

/* An amount for people, "12.3 MiB". */
const char *say_bytes(struct say_room *room, double bytes);

/* How many a second, 0 where no time passed. */
double say_rate(uint64_t count, uint64_t ns);

#endif
