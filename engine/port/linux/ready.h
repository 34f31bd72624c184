/* SPDX-License-Identifier: MIT */
/*
 * ready.h - whether a socket has something now, asked of the kernel itself.
 */
#ifndef PP_PORT_LINUX_READY_H
#define PP_PORT_LINUX_READY_H

#include <poll.h>
#include <stdbool.h>

/* `events`: of poll(2). An end and an error are something too. */
static inline bool pp_socket_is_ready(int fd, short events)
{
    struct pollfd socket = {.fd = fd, .events = events};
    return poll(&socket, 1, 0) != 0; /* Not asked after all: as if there were something. */
}

#endif
