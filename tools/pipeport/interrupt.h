/* SPDX-License-Identifier: MIT */
/*
 * interrupt.h - Ctrl-C, as a state that the main thread looks at.
 *
 * The first one asks for an orderly end. The second finds the system's own handler again and ends the process, so that
 * nobody is ever locked in by an end that takes long.
 */
#ifndef PIPEPORT_TOOL_INTERRUPT_H
#define PIPEPORT_TOOL_INTERRUPT_H

#include <stdbool.h>

/* Thread: main, once. */
void interrupt_watch(void);

/* True from the first Ctrl-C (or request to terminate) on. Thread: any. */
bool interrupt_came(void);

#endif
