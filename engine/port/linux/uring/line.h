/* SPDX-License-Identifier: MIT */
/*
 * line.h - an open pipe's socket on its home's ring, and the read and the write that may wait on it.
 *
 * The pipe's owner moves the pp_pipe about; the line stays where it is, and is what the kernel's completions point at.
 *
 * What the kernel holds is not what the engine armed. For reading it is the line's intake (intake.h): an await lends
 * nothing and asks for a hint; a read that finds nothing sends its block, or waits for what is with the kernel already.
 * So an await, and a read whose block was not sent, are stopped at once, and the request stays: the next await or read
 * takes it over. A block that was sent, and a write, are home when the kernel says so.
 *
 * Where messages are whole, or nothing is ever read, the intake knows nothing but polls. Then whoever reads tries the
 * socket himself, on any thread: a poll takes nothing out of it, and one read at a time keeps the order. An await
 * always asks the kernel. The poll of a pipe that is never read is for its end alone: the kernel adds
 * POLLRDHUP to every poll, and with it that socket is ready all its life, so it is a multishot one, which stays, and
 * what it tells is looked at for POLLHUP. When that came `hung` keeps it.
 *
 * Who touches what. `lane` is for all: NULL, the armed operation, or that + 1: somebody wished to cancel it. The armer
 * stores it before the operation can come home, a canceller makes op + 1 of op with a CAS and calls the home, the home
 * stores NULL when the operation is done. So a wish is a part of this one arming: it never reaches the next. A plain
 * store may wipe a wish out, but only that of an operation which is done. What the operation has lent lies in its own
 * room. The socket's `fd` is for all. The rest is the home's: whoever arms, cancels or closes elsewhere calls it
 * (ring.h), and his operation is LATER. The home learns of an operation by the call that asks for it and not by the
 * lane, so that the line is there until its armer has called. But a write elsewhere first tries the socket itself: at
 * most one is armed, so nothing is before it. On a lent ring nobody is at home between takes, and who runs what a take
 * brought must see what was held, or he would ask for it for ever: there all but the requests is for who has the ring's
 * lock `lines`.
 *
 * A close elsewhere is the last letter; a close by the home waits for a letter that is under way, else it acts at once.
 * The line leaves, and the socket is closed with it, when the kernel holds no request of ours any more. So that the
 * peer hears of the end before that, and to bring the request home, the socket is shut down first (not where the home
 * sees that nothing is with the kernel: then it closes).
 */
#ifndef PP_PORT_LINUX_URING_LINE_H
#define PP_PORT_LINUX_URING_LINE_H

#include "engine/port/linux/uring/ring.h"

extern const pp_guest_kind pp_line_kind; /* What a ring knows of its lines. */

/* As driver.h says; `state` is the line. */
pp_fault pp_line_open(pp_pipe *pipe, int fd, pp_mailbox *home, uint8_t is);
pp_armed pp_line_await(void *state, pp_op *op, pp_result *now);
pp_armed pp_line_read(void *state, struct iovec *piece, pp_op *op, pp_result *now);
pp_armed pp_line_write(void *state, struct iovec *pieces, uint32_t count, pp_op *op, pp_result *now);
void pp_line_cancel(void *state, pp_op *op);
bool pp_line_is_answered(void *state, const pp_op *op);
void pp_line_close(void *state);

#endif
