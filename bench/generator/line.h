/* SPDX-License-Identifier: MIT */
/*
 * line.h - the one line of a terminal that lives: it is shown on stderr over and over, and cleared before another is
 * said.
 */
#ifndef PIPEPORT_GENERATOR_LINE_H
#define PIPEPORT_GENERATOR_LINE_H

#include <stdint.h>

/* How much of a text is shown: what is longer than the terminal is wide would go on in a line that is never cleared. */
uint32_t line_columns(void);

/* Whoever shows it knows that somebody sees it. Thread: one at a time. */
void line_show(const char *text);

/* Clears it where it is shown. Thread: any. */
void line_clear(void);

#endif
