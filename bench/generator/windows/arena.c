/* SPDX-License-Identifier: MIT */
#undef _WIN32_WINNT
#define _WIN32_WINNT 0x0602 /* Windows 8, as the library. */
#define WIN32_LEAN_AND_MEAN

#include "bench/generator/arena.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <windows.h>

#include "bench/generator/machine.h"
#include "bench/generator/process.h"

bool arena_open(struct arena *arena, const char *bin)
{
    char *end;

    memset(arena, 0, sizeof *arena);
    arena->server_processor = PROCESS_ANY_PROCESSOR;
    arena->load_processor = PROCESS_ANY_PROCESSOR;
    if (bin != NULL) {
        snprintf(arena->bin, sizeof arena->bin, "%s", bin);
        return true;
    }
    end = machine_program(arena->bin, sizeof arena->bin) ? strrchr(arena->bin, '\\') : NULL;
    if (end == NULL) {
        errno = ENOENT;
        return false;
    }
    *end = '\0';
    return true;
}

void arena_close(struct arena *arena)
{
    (void) arena; /* A pipe goes with its last handle. */
}

void arena_name(struct arena *arena, char *name, size_t room)
{
    snprintf(name, room, "pipeport-peers-%lu-%" PRIu32, GetCurrentProcessId(), arena->names++);
}

bool arena_program(const struct arena *arena, const char *program, char *path, size_t room)
{
    DWORD attributes;

    if ((size_t) snprintf(path, room, "%s\\%s.exe", arena->bin, program) >= room) {
        return false;
    }
    attributes = GetFileAttributesA(path);
    return attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_DIRECTORY) == 0;
}
