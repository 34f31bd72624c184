/* SPDX-License-Identifier: MIT */
#include "engine/port/linux/gnu.h"

#include "engine/port/linux/fault.h"

#include <errno.h>
#include <stddef.h>

static const struct {
    int code;
    pipeport_status status;
} fault_table[] = {
    {ENOMEM, PIPEPORT_NO_MEMORY},
    {ENOBUFS, PIPEPORT_NO_MEMORY},
    {ENOSPC, PIPEPORT_NO_MEMORY},      /* epoll_ctl: fs.epoll.max_user_watches. */
    {EADDRINUSE, PIPEPORT_NAME_TAKEN}, /* bind: something lies at the path. */
    {ENOENT, PIPEPORT_NO_SERVER},
    {ENOTDIR, PIPEPORT_NO_SERVER},
    {ECONNREFUSED, PIPEPORT_NO_SERVER}, /* The socket's file outlived its server. */
    {EAGAIN, PIPEPORT_BUSY},            /* connect: the backlog is full. */
    {EPROTOTYPE, PIPEPORT_WRONG_TYPE},  /* connect: a stream with packets, or the other way round. */
    {EACCES, PIPEPORT_DENIED},
    {EPERM, PIPEPORT_DENIED},
    {EROFS, PIPEPORT_DENIED},
    {ENAMETOOLONG, PIPEPORT_INVALID},
    {EMSGSIZE, PIPEPORT_TOO_LARGE}, /* A packet that the sending buffer cannot hold. */
    {EPIPE, PIPEPORT_GONE},
    {ECONNRESET, PIPEPORT_GONE},   /* The peer closed with something of ours unread. */
    {ECONNABORTED, PIPEPORT_GONE}, /* accept: came and went. */
    {ENOTCONN, PIPEPORT_GONE},
    {ECANCELED, PIPEPORT_STOPPED},
};

pp_fault pp_fault_from(int code)
{
    pp_fault fault = {PIPEPORT_SYSTEM, code};
    for (size_t i = 0; i < sizeof fault_table / sizeof fault_table[0]; i++) {
        if (fault_table[i].code == code) {
            fault.status = fault_table[i].status;
            break;
        }
    }
    return fault;
}
