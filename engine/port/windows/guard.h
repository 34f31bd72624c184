/* SPDX-License-Identifier: MIT */
/*
 * guard.h - who may use a pipe: its owner, SYSTEM and the Administrators, and whom a plan adds; nobody who inherits a
 * handle or a right.
 *
 * The list is protected, so that nothing is added to it from above, and explicit, for the default one lets Everyone
 * read ("Named Pipe Security and Access Rights"). Whom a preset adds may read, write and wait, and see and set the
 * pipe's state, but has no FILE_CREATE_PIPE_INSTANCE: who has it can play the server. That bit is FILE_APPEND_DATA, a
 * part of GENERIC_WRITE, so that these ask for FILE_WRITE_DATA. The owner is the process's user, also where the system
 * would write Administrators, so that a client can demand him.
 *
 * A text of the plan's is taken as it stands but for the protection. It must hold a list that is not empty of meaning:
 * none, or a null one, lets Everyone in, and is INVALID. It must let the server's own user make instances, and read and
 * write as the plan does, or the system refuses the second instance: so it is DENIED before the first one.
 */
#ifndef PP_PORT_WINDOWS_GUARD_H
#define PP_PORT_WINDOWS_GUARD_H

#include "engine/base/memory.h"
#include "engine/base/status.h"
#include "engine/port/plan.h"
#include "engine/port/windows/win.h"

/* FILE_GENERIC_READ, FILE_WRITE_DATA, FILE_WRITE_EA, FILE_WRITE_ATTRIBUTES: what .NET calls ReadWrite, and waiting. */
enum { PP_GUARD_GUEST_RIGHTS = 0x12019B };

typedef struct pp_guard {
    SECURITY_ATTRIBUTES attributes; /* What a pipe is created with; points at the system's own block. */
} pp_guard;

/* Fails: INVALID (no descriptor, or none with a list), NO_MEMORY, DENIED, SYSTEM. */
pp_fault pp_guard_init(pp_guard *guard, pp_memory *memory, const pp_plan *plan);
void pp_guard_fini(pp_guard *guard);

#endif
