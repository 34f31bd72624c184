/* SPDX-License-Identifier: MIT */
/*
 * fault.h - the one table from the system's codes to a status.
 */
#ifndef PP_PORT_WINDOWS_FAULT_H
#define PP_PORT_WINDOWS_FAULT_H

#include "engine/base/status.h"

#include <stdbool.h>

/* `code` as GetLastError tells it, 0 for none; it is kept beside the status for people to read. */
pp_fault pp_fault_from(unsigned long code);

/* The same for what an operation ended with (OVERLAPPED.Internal). A warning (more data waits) is not a failure. */
pp_fault pp_fault_from_packet(unsigned long nt_status);

/* True: that warning. Of a message a part was read. */
bool pp_fault_is_part(unsigned long nt_status);

#endif
