/* SPDX-License-Identifier: MIT */
/*
 * port.h (Windows) - the port is one I/O completion port for all drainers, and a list for what it refuses.
 *
 * A packet's key says what it is: an operation on a pipe, an operation posted, or a wake. An operation's room begins
 * with its OVERLAPPED, so that a packet leads back to the operation and to nothing else that might be gone.
 *
 * Refused posts. PostQueuedCompletionStatus fails where the system has no memory for a packet. The operation then goes
 * onto `refused`: any thread pushes one with a CAS, a taker takes all with one exchange, and nobody ever pops a single
 * one, so there is no ABA. Every take looks there before it waits. A taker that waits already cannot be told, for
 * telling it takes a packet; so no wait is longer than PORT_LOOK_MS, and that is how late a refused post may come.
 *
 * Wakes. `wakes` counts them, and each drainer remembers how many it has seen; a take that finds a new one does not
 * wait. That alone makes a wake impossible to lose. The packets sent besides only make it prompt: one for each drainer,
 * and who gets two in one batch sends one back. A drainer that takes again at once may get the packet meant for a
 * sleeper, who then sees the count after PORT_LOOK_MS; after a stop nobody takes again.
 *
 * Threads that end. What a thread has armed on a handle of a port does not end with it (docs/WINDOWS.md). But what is
 * answered while its thread is ending, Wine 8.0 answers to the port alone: the packet's status is right, and the
 * OVERLAPPED's is STATUS_PENDING for ever, and the count of bytes 0. A pipe takes a write whole, so its count is known;
 * what a read has brought is lost, and said so: SYSTEM, ERROR_IO_PENDING.
 */
#ifndef PP_PORT_WINDOWS_PORT_H
#define PP_PORT_WINDOWS_PORT_H

#include "engine/port/pipe.h"
#include "engine/port/windows/win.h"

#include <stdatomic.h>

enum { PP_DRAINERS_MAX = 64 };

/* What op->room is here. It is the system's from arming until the packet is taken. */
typedef struct __attribute__((may_alias)) pp_room {
    OVERLAPPED overlapped; /* First. hEvent stays NULL: with a port nobody waits for an event. */
    union {
        pp_pipe *accepting; /* PP_MARK_ACCEPT: to be closed if it ends badly. */
        HANDLE message;     /* PP_MARK_MESSAGE: what is read, to be asked how much of a message is left. */
        pp_op *next;        /* In `refused`, where only posted operations stand. */
    };
} pp_room;

/* op->own_mark, from arming until the packet is taken. */
enum pp_mark { PP_MARK_PLAIN, PP_MARK_ACCEPT, PP_MARK_MESSAGE, PP_MARK_WRITE };

_Static_assert(sizeof(pp_room) <= sizeof(((pp_op *) 0)->room), "an operation has room for ours");
_Static_assert(offsetof(pp_room, overlapped) == 0, "a packet's OVERLAPPED is where the room begins");

static inline pp_room *pp_room_of(pp_op *op)
{
    return (pp_room *) &op->room;
}

/* One drainer's figures, on a cache line of its own. Foreign threads count in one chosen by their id. */
typedef struct pp_drainer {
    _Atomic uint64_t armed; /* Relaxed: a figure. Counted before the call, and taken back if it did not pend. */
    _Atomic uint64_t done;  /* A figure; released and acquired, so that who reads it sees the arming too. */
    uint64_t wakes_seen;    /* The taker's own. */
    char apart[40];
} pp_drainer;

struct pp_port {
    HANDLE iocp;
    pp_memory *memory;
    _Atomic(pp_op *) refused; /* Pushed with release, taken whole with acquire. */
    _Atomic uint32_t wakes;   /* Counted with release before the packets are sent; read with acquire. */
    _Atomic uint32_t used;    /* How many wake packets wake everybody: one more than the largest number that took. */
    char apart[32];
    pp_drainer drainers[PP_DRAINERS_MAX]; /* All of them, for more may drain than were asked for. */
};

/* Binds a handle to the port. Silent: what succeeds at once leaves no packet. Else it leaves one, and so does what ends
 * at once with ERROR_MORE_DATA, of which nobody says what it does on a silent handle; so who reads messages is not
 * silent. Fails as the system does. */
pp_fault pp_port_adopt(pp_port *port, HANDLE handle, bool silent);

/* Before a call that may pend, with a blank room; and after it, if it did not pend. For an accept its pipe; for a read
 * of messages their handle; for a write its bytes. */
void pp_port_arm(pp_port *port, pp_op *op, pp_pipe *accepting);
void pp_port_arm_message(pp_port *port, pp_op *op, HANDLE handle);
void pp_port_arm_write(pp_port *port, pp_op *op, uint32_t bytes);
void pp_port_disarm(pp_port *port);

/* What a post does with an operation that the system refused. */
void pp_port_keep(pp_port *port, pp_op *op);

#endif
