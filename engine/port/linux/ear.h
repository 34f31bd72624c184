/* SPDX-License-Identifier: MIT */
/*
 * ear.h - a listening socket (backlog.h), and the accepts that wait on it, oldest first.
 *
 * Every drainer of its port has a view of the socket (edge-triggered: a slow handler on one drainer does not keep
 * clients from the others). Who gets the edge serves the waiting accepts, whatever their homes; a pipe lives with
 * op->home, and its completion comes out there.
 *
 * All of it is under the port's one lock, `accepting`: rare, and held for no more than an accept4 that cannot block.
 * `backlog_empty` is set by an accept4 that found nobody, and cleared by every edge: who arms while it is set need not
 * ask. No edge is lost: accept4 and the append to the list are one under the lock, and who comes after that accept4 is
 * an edge whose taker comes to the lock later and finds the list.
 *
 * A cancel has only the pipe, and the pipe's fields may at that moment be written by who serves it: all it reads is
 * `port` and, atomically, `state`, which is NULL until the pipe is open. Then it looks for the operation in the lists
 * of the port's ears; what is not there is home, or on its way.
 */
#ifndef PP_PORT_LINUX_EAR_H
#define PP_PORT_LINUX_EAR_H

#include "engine/port/linux/port.h"

/* As pp_pipe_accept, and pp_pipe_cancel of an accept. */
pp_armed pp_ear_accept(pp_ear *ear, pp_pipe *pipe, pp_op *op, pp_result *now);
void pp_ear_cancel(pp_port *port, pp_op *op);

#endif
