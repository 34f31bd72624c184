/* SPDX-License-Identifier: MIT */
/*
 * system.h - what the program asks of the system beside the library. One .c per system.
 */
#ifndef PIPEPORT_TOOL_SYSTEM_H
#define PIPEPORT_TOOL_SYSTEM_H

#include <stdbool.h>
#include <stdint.h>

struct system_room {
    char text[160];
};

/* May this process have `connections` pipes open, and what else it needs? Raises its own bound as far as a process may;
 * where that is not enough, one line on stderr says what, where and what to do. Thread: main, before others begin. */
bool system_allows(const char *who, uint32_t connections);

/* How many threads more drain the port where the main thread is lent to an engine that has workers: 1, or 0 on Linux,
 * where each of its own has pipes of its own. */
uint32_t system_main_drains(void);

/* The program's one lock, for what is short and rare. Thread: any, not twice. */
void system_lock_take(void);
void system_lock_give(void);

/* What a code of the system's means in the system's words, "no text" where it has none. Thread: any. */
const char *system_code_text(struct system_room *room, long code);

#endif
