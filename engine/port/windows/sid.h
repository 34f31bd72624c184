/* SPDX-License-Identifier: MIT */
/*
 * sid.h - whose a process is.
 */
#ifndef PP_PORT_WINDOWS_SID_H
#define PP_PORT_WINDOWS_SID_H

#include "engine/port/windows/win.h"

typedef union pp_sid {
    TOKEN_USER user; /* Its Sid points behind it: read it where it lies, a copy points at the first. */
    unsigned char bytes[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
} pp_sid;

/* The user of a process's own token, also while one of its threads wears somebody else's. The handle needs
 * PROCESS_QUERY_LIMITED_INFORMATION ("OpenProcessToken function"). Answers the system's code. */
DWORD pp_sid_of_process(pp_sid *sid, HANDLE process);

#endif
