/* SPDX-License-Identifier: MIT */
/*
 * Wine opens files in its server: there /proc/self is the server itself, and so the one that serves us.
 */
#undef _WIN32_WINNT
#define _WIN32_WINNT 0x0602 /* Windows 8, as the library. */
#define WIN32_LEAN_AND_MEAN

#include "bench/generator/windows/wine.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#define WINE_PROC "\\\\?\\unix\\proc\\"
#define WINE_SERVER "self"
#define WINE_FILE_BYTES 4096
#define WINE_TICK_NS UINT64_C(10000000) /* proc(5): USER_HZ is 100. */

/* Of a file of a process, terminated; 0 where there is none. */
static size_t wine_read(const char *process, const char *name, char bytes[WINE_FILE_BYTES])
{
    char path[64];
    size_t length = 0;
    FILE *file;

    snprintf(path, sizeof path, WINE_PROC "%.16s\\%.16s", process, name);
    file = fopen(path, "rb");
    if (file != NULL) {
        length = fread(bytes, 1, WINE_FILE_BYTES - 1, file);
        fclose(file);
    }
    bytes[length] = '\0';
    return length;
}

static const char *wine_last(const char *path)
{
    const char *last = path;

    for (; *path != '\0'; path++) {
        last = *path == '/' || *path == '\\' ? path + 1 : last;
    }
    return last;
}

static bool wine_is(const char *process, const char *path, const char *word)
{
    char called[WINE_FILE_BYTES];
    size_t length = wine_read(process, "cmdline", called);
    size_t first = strlen(called);

    return first < length && strcmp(wine_last(called), wine_last(path)) == 0 && strcmp(called + first + 1, word) == 0;
}

uint32_t wine_find(const char *path, const char *word)
{
    WIN32_FIND_DATAA entry;
    HANDLE all = FindFirstFileA(WINE_PROC "*", &entry);
    uint32_t id = 0;

    if (all == INVALID_HANDLE_VALUE) {
        return 0;
    }
    do {
        if (entry.cFileName[0] >= '0' && entry.cFileName[0] <= '9' && wine_is(entry.cFileName, path, word)) {
            id = (uint32_t) strtoul(entry.cFileName, NULL, 10);
        }
    } while (id == 0 && FindNextFileA(all, &entry));
    FindClose(all);
    return id;
}

/* The 14th and 15th cell of a line that holds a name with whatever in it as the 2nd, in brackets. */
static bool wine_ticks(const char *process, const char *name, uint64_t *ticks)
{
    char line[WINE_FILE_BYTES];
    uint64_t user, kernel;
    const char *rest;

    if (wine_read(process, "stat", line) == 0 || strstr(line, name) == NULL || (rest = strrchr(line, ')')) == NULL ||
        sscanf(rest, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64, &user, &kernel) != 2) {
        return false;
    }
    *ticks = user + kernel;
    return true;
}

uint64_t wine_cpu_ns(uint32_t id)
{
    uint64_t own, server;
    char process[16];

    snprintf(process, sizeof process, "%" PRIu32, id);
    if (!wine_ticks(process, "", &own) || !wine_ticks(WINE_SERVER, "(wineserver", &server)) {
        return 0;
    }
    return (own + server) * WINE_TICK_NS;
}
