/* SPDX-License-Identifier: MIT */
/*
 * guard.h - who may use a pipe: its owner, SYSTEM and the Administrators, and nobody who inherits a handle or a right.
 *
 * The list is protected, so that nothing is added to it from above, and explicit, for the default one lets Everyone
 * read ("Named Pipe Security and Access Rights").
 */
#ifndef PP_PORT_WINDOWS_GUARD_H
#define PP_PORT_WINDOWS_GUARD_H

#include "engine/base/status.h"
#include "engine/port/windows/win.h"

typedef struct pp_guard {
    SECURITY_ATTRIBUTES attributes; /* What a pipe is created with; points at the system's own block. */
} pp_guard;

/* Fails: NO_MEMORY, DENIED, SYSTEM. */
pp_fault pp_guard_init(pp_guard *guard);
void pp_guard_fini(pp_guard *guard);

#endif
