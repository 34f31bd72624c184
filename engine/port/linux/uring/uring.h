/* SPDX-License-Identifier: MIT */
/*
 * uring.h - the driver that needs Linux 6.1 and a kernel that lets us: a private ring a drainer.
 */
#ifndef PP_PORT_LINUX_URING_URING_H
#define PP_PORT_LINUX_URING_URING_H

#include "engine/port/linux/driver.h"

extern const pp_driver pp_uring_driver;

#endif
