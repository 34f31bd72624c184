/* SPDX-License-Identifier: MIT */
/*
 * transfer.h - recv(2) and send(2) of each message, without what the C library puts around them.
 *
 * It makes both points where a thread may be cancelled (pthread_cancel(3)), which costs two locked operations a call as
 * soon as there is a second thread; nobody cancels a thread that drains a port. Sanitizers watch the C library's calls,
 * so under them those are used.
 */
#ifndef PP_PORT_LINUX_TRANSFER_H
#define PP_PORT_LINUX_TRANSFER_H

#include "engine/port/linux/gnu.h"

#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

static inline ssize_t pp_transfer_in(int fd, void *data, size_t bytes, int flags)
{
#ifdef PP_SANITIZED
    return recv(fd, data, bytes, flags);
#else
    return syscall(SYS_recvfrom, fd, data, bytes, flags, NULL, NULL);
#endif
}

static inline ssize_t pp_transfer_out(int fd, const void *data, size_t bytes, int flags)
{
#ifdef PP_SANITIZED
    return send(fd, data, bytes, flags | MSG_NOSIGNAL);
#else
    return syscall(SYS_sendto, fd, data, bytes, flags | MSG_NOSIGNAL, NULL, 0);
#endif
}

#endif
