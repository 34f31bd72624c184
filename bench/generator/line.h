/* SPDX-License-Identifier: MIT */
/*
 * line.h - the one line of a terminal that lives: it is shown on stderr over and over, and cleared before another is
 * said.
 */
#ifndef PIPEPORT_GENERATOR_LINE_H
#define PIPEPORT_GENERATOR_LINE_H

/* Whoever shows it knows that somebody sees it. Thread: one at a time. */
void line_show(const char *text);

/* Clears it where it is shown. Thread: any. */
void line_clear(void);

#endif
