/* SPDX-License-Identifier: MIT */
#undef _WIN32_WINNT
#define _WIN32_WINNT 0x0602 /* Windows 8, as the library. */
#define WIN32_LEAN_AND_MEAN

#include "tools/pipeport/system.h"

#include <stdio.h>
#include <string.h>
#include <windows.h>

/* A process may have 16 million handles ("Kernel Objects"), which is above what --connections takes. */
bool system_allows(const char *who, uint32_t connections)
{
    (void) who, (void) connections;
    return true;
}

const char *system_code_text(struct system_room *room, long code)
{
    DWORD length = FormatMessageA(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS, NULL, (DWORD) code, 0,
                                  room->text, sizeof(room->text), NULL);

    while (length > 0 && strchr("\r\n.", room->text[length - 1]) != NULL) {
        room->text[--length] = '\0';
    }
    if (length == 0) {
        snprintf(room->text, sizeof(room->text), "no text");
    }
    return room->text;
}

uint32_t system_main_drains(void)
{
    return 1;
}

static SRWLOCK system_srw = SRWLOCK_INIT;

void system_lock_take(void)
{
    AcquireSRWLockExclusive(&system_srw);
}

void system_lock_give(void)
{
    ReleaseSRWLockExclusive(&system_srw);
}
