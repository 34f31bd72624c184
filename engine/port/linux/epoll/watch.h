/* SPDX-License-Identifier: MIT */
/*
 * watch.h - an open pipe's socket in its home's epoll set, and the read and the write that may wait on it.
 *
 * The pipe's owner moves the pp_pipe about; the watch stays where it is, and is what events point at.
 *
 * One lane for reading, one for writing. A lane is one word:
 *
 *     quiet   nothing is armed; the last try found nothing, and no edge has come since
 *     ready   nothing is armed; worth a try
 *     ended   as ready, for good: the peer's end was seen, no edge will come again (reading only)
 *     op      armed
 *     op + 1  armed, and the home's taker is trying it at this moment
 *     op + 2  the same, and meanwhile somebody wished to cancel it
 *
 *     armer (one at a time, any thread)   ready -> quiet, then try; quiet -> op
 *     home's taker, for an edge           quiet -> ready | ended;  op -> op + 1 -> (done) quiet | ready | ended
 *                                                                               -> (nothing there) op
 *     canceller (any thread)              op -> ready;  op + 1 -> op + 2
 *
 * An armed operation changes hands by CAS only, so of taker and canceller exactly one gets it, and the completion is
 * one. What the taker holds is not taken from it: it delivers the true result, or, if there was none and the wish is
 * there, STOPPED. The armer fills op->room and publishes it with release; who gets the operation acquires it. After
 * publishing the armer touches nothing of the pipe: it may be done and closed already.
 *
 * No edge is lost. The armer sets `quiet` before it tries. What comes to the socket before the try, the try finds; what
 * comes after it is an edge that the taker meets after `quiet`, and so makes it `ready` (then quiet -> op fails and the
 * armer tries again) or finds the operation. A read that got less than it asked has emptied the socket: the lane stays
 * `quiet`, and the next read is armed without a try (epoll(7), "Questions and answers"). The peer's end may have come
 * in the same edge as those bytes, and then has no edge of its own: so it is `ended`, which stays. (A peer that sends
 * descriptors or urgent bytes cuts reads short with more behind them: it delays its own bytes until it sends more.)
 *
 * Where messages are whole a read takes one, so another may lie behind it: the lane is `ready` after it, and `quiet`
 * only after a try that found nothing.
 *
 * A pipe that is never read is watched for EPOLLHUP and errors alone: for EPOLLIN and EPOLLRDHUP its socket is ready
 * all its life. Nobody tries there, and so its await, which finds `ready` after a cancel, makes it `quiet` itself: the
 * end is `ended`, whenever it came.
 *
 * Else EPOLLIN and EPOLLRDHUP are watched always, edge-triggered; EPOLLOUT only while a write is armed, or every read
 * of the peer's would wake us to hear that there is room. It is asked for before the write is published (the kernel
 * looks at once, so room that came meanwhile is an edge), and dropped by the taker that completes the write. After a
 * cancelled write it stays, and costs idle wake-ups, until the next armed write; nearly always a close follows.
 */
#ifndef PP_PORT_LINUX_EPOLL_WATCH_H
#define PP_PORT_LINUX_EPOLL_WATCH_H

#include "engine/port/linux/epoll/drainer.h"

typedef enum pp_direction { PP_READING, PP_WRITING } pp_direction;

typedef struct pp_watch {
    pp_source source; /* First: an event's source is the watch. */
    pp_drainer *home;
    _Atomic(char *) lane[2]; /* By direction, see above; NULL is `quiet`. */
} pp_watch;

/* As driver.h says; `state` is the watch. An await is an armed read of no pieces: its edge ends it. */
pp_fault pp_watch_open(pp_pipe *pipe, int fd, pp_mailbox *home, uint8_t is);
pp_armed pp_watch_await(void *state, pp_op *op, pp_result *now);
pp_armed pp_watch_read(void *state, struct iovec *piece, pp_op *op, pp_result *now);
pp_armed pp_watch_write(void *state, struct iovec *pieces, uint32_t count, pp_op *op, pp_result *now);
void pp_watch_cancel(void *state, pp_op *op);
bool pp_watch_is_answered(void *state, const pp_op *op);
void pp_watch_close(void *state);

#endif
