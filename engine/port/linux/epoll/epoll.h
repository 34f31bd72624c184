/* SPDX-License-Identifier: MIT */
/*
 * epoll.h - the driver that runs on every Linux: an epoll set a drainer, edge-triggered.
 */
#ifndef PP_PORT_LINUX_EPOLL_EPOLL_H
#define PP_PORT_LINUX_EPOLL_EPOLL_H

#include "engine/port/linux/driver.h"

extern const pp_driver pp_epoll_driver;

#endif
