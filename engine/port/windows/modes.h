/* SPDX-License-Identifier: MIT */
/*
 * modes.h - what a plan says of way, type and reading, in the words of the system.
 *
 * From "CreateNamedPipeW function", where no other page is named. A pipe's type is its name's, the mode of reading each
 * handle's own; a client's handle begins with bytes.
 */
#ifndef PP_PORT_WINDOWS_MODES_H
#define PP_PORT_WINDOWS_MODES_H

#include "engine/base/status.h"
#include "engine/port/plan.h"
#include "engine/port/windows/win.h"

/* Of an instance: dwOpenMode but for first instance and the like, dwPipeMode, nMaxInstances. The ear's own instance
 * counts to the system, so there is one more than the plan says; hence at most 253, for 255 is
 * PIPE_UNLIMITED_INSTANCES. */
DWORD pp_modes_open(const pp_plan *plan);
DWORD pp_modes_pipe(const pp_plan *plan);
DWORD pp_modes_instances(const pp_plan *plan);

/* What a client asks for. */
DWORD pp_modes_rights(const pp_plan *plan);

/* Sets how a client's handle, just opened, is to be read. WRONG_TYPE, ERROR_INVALID_PARAMETER: the plan wants
 * messages, and the server's pipe is of bytes. Fails: GONE, SYSTEM too. */
pp_fault pp_modes_set(HANDLE client, const pp_plan *plan);

/* At least how much is left of a message of which a part was just read: what the system says, and 1 at least. The
 * handle may be read, and nobody else reads it. Waits for nobody's writing, but for the network where the pipe is
 * another machine's. */
uint32_t pp_modes_left(HANDLE handle);

#endif
