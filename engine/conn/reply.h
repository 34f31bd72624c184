/* SPDX-License-Identifier: MIT */
/*
 * reply.h - a connection that is spoken to inside its own turn, on the turn's worker: most sends of a server are.
 *
 * The turn keeps the connection, so nobody is looked up and nothing is pinned. Its answers are encoded one behind the
 * other into one growing message, as long as
 *   - the pump was taken by this turn, and so lies in the worker's chores: nobody takes from the queue until the turn
 *     has ended, whatever other threads push, stop or close; and
 *   - the growing message is the newest of the queue, or of the chain with nothing queued behind it, so that what
 *     others push between keeps its place.
 *
 * How long it may grow: by what the peer has said and the turn has not delivered yet, for most answers are about as
 * long as what they answer. Where the pump is elsewhere a message grows not at all, and what stays empty in the turn's
 * messages is taken from the room of those to come, so that nothing waits in blocks that are mostly empty.
 *
 * An answer that is large and finds the pump idle does not grow, nor wait: the pipe takes at once what it can of it
 * (writer.h). Answers that are much together leave at the end of their turn (fan.h).
 *
 * Figures of messages are added up here and reach the party's tally when the turn ends.
 *
 * All of it belongs to the worker's thread.
 */
#ifndef PP_CONN_REPLY_H
#define PP_CONN_REPLY_H

#include "engine/conn/connection.h"

/* The connection whose turn runs here, if that is the one this id names and it is open; else NULL. */
static inline pp_conn *pp_reply_conn(const pp_running *running, uint64_t id)
{
    return id && running->id == id ? running->conn : NULL;
}

/* What the peer has said and the turn has not delivered, up to a bound less what the turn has left empty, and up to a
 * part of what a queue of the party holds: room for the answers to it, which is reserved there at once. */
uint32_t pp_reply_more_bytes(const pp_running *running, const pp_party *party);

/* Nothing grows into this message any more. */
void pp_reply_leave_room(pp_running *running, const pp_message *message);

/* Sends to that connection. Fails: as pipeport_send. */
pipeport_status pp_reply_send(pp_worker *worker, const void *data, size_t length);

#endif
