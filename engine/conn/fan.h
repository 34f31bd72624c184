/* SPDX-License-Identifier: MIT */
/*
 * fan.h - the pumps that a batch's broadcasts and answers have found idle: they are one chore.
 *
 * A member whose home is this worker, and whose queue is idle, has its pump taken with the link already at the front of
 * the chain, and stands in the worker's list. When the batch is handled all in the list are written, one after the
 * other, and while one is, what the next ones need is brought near: a thousand connections, their queues and the
 * kernel's sockets do not stay in a cache from one broadcast to the next. What was queued for one meanwhile leaves in
 * the same write. Everybody else (another home, a pump in use, a queue that is full, a close) goes the way of a send.
 * An answer (reply.h) is the same thing with one receiver, whose turn runs. A turn that has answered with much does not
 * wait for the others of its batch, by whose end all that would have left the cache: at its own end everything in the
 * list is written, if no broadcast is among it.
 *
 * Pins. A worker that is alone (worker.h) pins nobody on the way. Only a turn closes a connection, turns run on it
 * alone, and none runs inside an event, nor while a fan is written: so whose seat is found open is there until this
 * event has ended. While the pump is held the connection cannot be CLOSED, for it waits for its pump: so it is there
 * until the chore has given the pump back, and after that until the next turn. Where a write has to wait, or breaks,
 * the pump gets the pin that every pump has. With several workers the look-up's pin goes with the pump, or, for an
 * answer, one that the turn adds: nobody else gives the pump back before the chore.
 */
#ifndef PP_CONN_FAN_H
#define PP_CONN_FAN_H

#include "engine/conn/connection.h"

/* On that worker, inside an event; the connection is pinned, or the worker alone and its seat open. True: it has the
 * link, and its pump lies in the worker's chores, with the caller's pin. False: nothing has happened. */
bool pp_fan_take(pp_conn *conn, pp_link *link, pp_worker *worker);

/* The same where the connection's home is this worker's, and the link's bytes are reserved. The caller pins, if
 * the worker is not alone. False: somebody else holds the pump, or nobody ever will. */
bool pp_fan_hold(pp_conn *conn, pp_link *link, pp_worker *worker);

#endif
