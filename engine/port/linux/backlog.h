/* SPDX-License-Identifier: MIT */
/*
 * backlog.h - a listening socket, and the queue in which the kernel keeps who has connected and was not taken yet.
 *
 * A Unix socket's connect() succeeds as soon as it stands in that queue. So that nobody stands there for whom there is
 * no room, the queue is kept shorter than the room, and where there is none at all, it is full: of a plug, a socket of
 * our own that is connected to it. Then connect() answers EAGAIN, or waits if it may block. What the kernel does:
 * - listen(fd, n) lets a connect() in while no more than n are there, so n + 1 of them at most. It may be called at any
 *   time; who is there stays there. 0 is the least, so that an empty queue always lets one in.
 * - The queue is first in, first out; who is in it and goes keeps his place until he is taken.
 *
 * `length` is n + 1. It stays below `room`, for between a take and the next listen() somebody may come: so there are
 * never more than `room` in the queue while there is room for two or more. The last take leaves the queue empty and
 * without room until the plug is in it, which is one call later. Somebody who comes between those two calls is there
 * before the plug, and does what it would have done: he fills the queue, and nobody comes after him. He is the one
 * client that can wait unheard; when there is room, he is the first.
 *
 * The plug is let in only where nobody is, so it is the first in line, and the next that is taken is it.
 *
 * listen() is called when `length` must shrink, by a quarter and more at once, and when it is less than half of what
 * it may be: far from the bound no take costs a call.
 *
 * Thread: one at a time.
 */
#ifndef PP_PORT_LINUX_BACKLOG_H
#define PP_PORT_LINUX_BACKLOG_H

#include "engine/port/pipe.h"

typedef struct pp_backlog {
    int fd;
    int type;            /* SOCK_STREAM or SOCK_SEQPACKET. */
    const char *address; /* The owner's. */
    uint32_t room;       /* How many more may be taken. */
    uint32_t length;     /* How many the queue takes: 1 to room - 1, 1 where that is less. */
    int plug;            /* Our end of it; -1: there is none. Not plugged: it is at hand, with room for one at most. */
    bool plugged;        /* It is first in the queue; `plug` may be closed already. */
} pp_backlog;

/* Binds and listens, with room for nobody, for whom the plan lets in. Fails: as bind, chown, chmod and listen do; then
 * nothing is left at the address. */
pp_fault pp_backlog_open(pp_backlog *backlog, const char *address, const pp_plan *plan);

/* For `more` clients more. With room for two or more there is no plug, and none at hand. */
void pp_backlog_make_room(pp_backlog *backlog, uint32_t more);

/* The descriptor of the oldest that waits, or -1 and the fault; BUSY: nobody waits. There is room. `flags` are
 * accept4's. */
int pp_backlog_take(pp_backlog *backlog, int flags, pp_fault *fault);

/* Ends everybody who waits. */
void pp_backlog_close(pp_backlog *backlog);

#endif
