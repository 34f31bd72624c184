/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE 1 /* mkdtemp, sched_getaffinity. */

#include "bench/generator/arena.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/generator/machine.h"
#include "bench/generator/process.h"

#define ARENA_FOLDER "pipeport-bench-"
#define ARENA_DRAWN 6           /* Letters X, which mkdtemp draws. */
#define ARENA_FOLDER_LONGEST 64 /* With a name in it, and what servers put behind that, it must fit sun_path. */

/* The first two that this process may run on. With one alone nobody is bound to it. */
static void arena_take_processors(struct arena *arena)
{
    int found[2], count = 0;
    cpu_set_t set;

    arena->server_processor = PROCESS_ANY_PROCESSOR;
    arena->load_processor = PROCESS_ANY_PROCESSOR;
    if (sched_getaffinity(0, sizeof set, &set) != 0) {
        return;
    }
    for (int i = 0; i < CPU_SETSIZE && count < 2; i++) {
        if (CPU_ISSET((size_t) i, &set)) {
            found[count++] = i;
        }
    }
    if (count == 2) {
        arena->server_processor = found[0];
        arena->load_processor = found[1];
    }
}

bool arena_open(struct arena *arena, const char *bin)
{
    const char *above = getenv("TMPDIR");
    size_t length;
    char *end;

    if (above == NULL || above[0] != '/' || strlen(above) + sizeof ARENA_FOLDER + ARENA_DRAWN > ARENA_FOLDER_LONGEST) {
        above = "/tmp";
    }
    memset(arena, 0, sizeof *arena);
    if (bin != NULL) {
        snprintf(arena->bin, sizeof arena->bin, "%s", bin);
    } else {
        end = machine_program(arena->bin, sizeof arena->bin) ? strrchr(arena->bin, '/') : NULL;
        if (end == NULL) {
            errno = ENOENT;
            return false;
        }
        *end = '\0';
    }
    arena_take_processors(arena);
    length = (size_t) snprintf(arena->folder, sizeof arena->folder, "%s/%s", above, ARENA_FOLDER);
    memset(arena->folder + length, 'X', ARENA_DRAWN); /* Behind them are zeros. */
    if (mkdtemp(arena->folder) == NULL) {
        arena->folder[0] = '\0';
        return false;
    }
    return true;
}

void arena_close(struct arena *arena)
{
    DIR *folder = arena->folder[0] == '\0' ? NULL : opendir(arena->folder);
    const struct dirent *left;

    if (folder == NULL) {
        return;
    }
    while ((left = readdir(folder)) != NULL) {
        if (strcmp(left->d_name, ".") != 0 && strcmp(left->d_name, "..") != 0) {
            (void) unlinkat(dirfd(folder), left->d_name, 0);
        }
    }
    closedir(folder);
    (void) rmdir(arena->folder);
    arena->folder[0] = '\0';
}

void arena_name(struct arena *arena, char *name, size_t room)
{
    snprintf(name, room, "%s/%" PRIu32, arena->folder, arena->names++);
}

bool arena_program(const struct arena *arena, const char *program, char *path, size_t room)
{
    return (size_t) snprintf(path, room, "%s/%s", arena->bin, program) < room && access(path, X_OK) == 0;
}
