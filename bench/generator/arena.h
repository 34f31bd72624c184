/* SPDX-License-Identifier: MIT */
/*
 * arena.h - where servers and load meet: the programs' folder, names for pipes that nobody else has, and a processor
 * for each side. One .c per system. Thread: main.
 */
#ifndef PIPEPORT_GENERATOR_ARENA_H
#define PIPEPORT_GENERATOR_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARENA_PATH_BYTES 4096

struct arena {
    char bin[ARENA_PATH_BYTES];
    char folder[256];                     /* Of the pipes, where they need one. */
    uint32_t names;                       /* Given so far. */
    int server_processor, load_processor; /* PROCESS_ANY_PROCESSOR: where the system likes. */
};

/* `bin`: NULL for the folder that this program is in. False: errno says why. Undone by arena_close. */
bool arena_open(struct arena *arena, const char *bin);

/* Takes away what the servers have left there. An arena of zeros is fine. */
void arena_close(struct arena *arena);

/* A new name for a pipe. */
void arena_name(struct arena *arena, char *name, size_t room);

/* Where a program of that name would be; is it there? */
bool arena_program(const struct arena *arena, const char *program, char *path, size_t room);

#endif
