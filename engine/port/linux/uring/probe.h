/* SPDX-License-Identifier: MIT */
/* probe.h - what a kernel is asked before its rings are trusted. */
#ifndef PP_PORT_LINUX_URING_PROBE_H
#define PP_PORT_LINUX_URING_PROBE_H

#include "engine/port/linux/gnu.h"

#include <liburing.h>
#include <stdbool.h>

/* This ring has all that ring.c, line.c, intake.c and pool.c ask for but for a ring of buffers. */
bool pp_probe_operations(struct io_uring *uring);

/* A receive that goes on (IORING_RECV_MULTISHOT) tells of an end that comes while it waits, however near to the last
 * bytes; what some kernels do instead, and what intake.c sees to itself, is in docs/decisions/0024. False as well where
 * there is nothing left to try it with. The answer does not depend on time. */
bool pp_probe_streams(void);

#endif
