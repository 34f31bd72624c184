/* SPDX-License-Identifier: MIT */
/*
 * gnu.h - asks the C library for what Linux has beyond C11: accept4, epoll, futex, CPU sets. Every file of this folder
 * that needs a system header includes it before all others, because it decides what they declare.
 */
#ifndef PP_PORT_LINUX_GNU_H
#define PP_PORT_LINUX_GNU_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif

#endif
