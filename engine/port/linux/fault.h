/* SPDX-License-Identifier: MIT */
/*
 * fault.h - the one table from errno to a status.
 */
#ifndef PP_PORT_LINUX_FAULT_H
#define PP_PORT_LINUX_FAULT_H

#include "engine/base/status.h"

/* `code` is an errno other than 0; it is kept beside the status for people to read. */
pp_fault pp_fault_from(int code);

#endif
