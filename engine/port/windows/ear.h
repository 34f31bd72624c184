/* SPDX-License-Identifier: MIT */
/*
 * ear.h (Windows) - a name held from the opening of the ear to its closing, and instances of it for accepts.
 *
 * A name lives only while an instance of it does. Were the last accept's instance to end badly, or its client to leave
 * at once, then until the next is armed clients would find no server, and anybody could claim the name. So the ear
 * keeps one instance for itself, the holder, which is the first one and belongs to nobody: it is connected once, by the
 * ear, and disconnected again, which leaves it where no client reaches it ("Named Pipe Operations": a disconnected
 * instance waits for ConnectNamedPipe, which it never gets). While nobody accepts clients therefore hear BUSY.
 */
#ifndef PP_PORT_WINDOWS_EAR_H
#define PP_PORT_WINDOWS_EAR_H

#include "engine/port/pipe.h"
#include "engine/port/windows/guard.h"
#include "engine/port/windows/name.h"

struct pp_ear {
    pp_memory *memory;
    HANDLE holder;
    pp_plan plan;
    pp_guard guard;
    pp_name name;
};

/* One more instance, ready for a client; INVALID_HANDLE_VALUE and GetLastError if there is none. Any thread. */
HANDLE pp_ear_instance(const pp_ear *ear, DWORD more_flags);

/* A client's end of a pipe, or INVALID_HANDLE_VALUE and GetLastError. Waits for no instance, but for the network where
 * the pipe is another machine's: the open itself is synchronous, FILE_FLAG_OVERLAPPED is about what follows
 * ("CreateFileW function"). */
HANDLE pp_ear_reach(const wchar_t *path, const pp_plan *plan);

#endif
