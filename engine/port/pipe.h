/* SPDX-License-Identifier: MIT */
/*
 * pipe.h - pipes on a completion port: an ear listens on a name, a pipe is one end of one connection.
 *
 * A pipe is closed -> (accepting | dialled) -> open -> closed. At most one read and one write are armed on it at a
 * time, by anybody; a read and a write may be armed by two threads at once. Closing is allowed when neither is armed
 * and nobody is inside a call on it. Closing delivers what the peer has not read yet; on Windows an accepted pipe then
 * lasts until the peer's end is closed too. Aborting does not wait for the peer (WINDOWS.md: CloseHandle,
 * DisconnectNamedPipe).
 */
#ifndef PP_PORT_PIPE_H
#define PP_PORT_PIPE_H

#include "engine/port/plan.h"
#include "engine/port/port.h"

enum { PP_NAME_BYTES_MAX = 200, PP_ADDRESS_BYTES_MAX = 260, PP_SLICES_MAX = 16 };

typedef struct pp_ear pp_ear;

typedef struct pp_pipe { /* In its owner's struct; the fields are the backend's. */
    int32_t handle;      /* HANDLE or file descriptor; PP_PIPE_CLOSED when closed. 32 bits of a HANDLE are significant
                            ("Interprocess Communication Between 32-bit and 64-bit Applications"). */
    uint16_t home;       /* The drainer it lives with; copy it into op->home before arming. Set when it opens. */
    uint16_t slices_max; /* What one write takes: 1 where the system cannot gather, at most PP_SLICES_MAX. 0: the pipe
                            has messages of its own, and each write is one, a slice with nothing cut off. */
    pp_port *port;
    _Atomic(void *) state; /* The backend's own, NULL if it needs none; a cancel may read it while an accept sets it. */
} pp_pipe;

#define PP_PIPE_CLOSED INT32_C(-1)

typedef struct pp_slice {
    const void *data;
    uint32_t bytes;
} pp_slice;

/* Checks a name and spells its address (UTF-8, NUL-terminated). Fails: INVALID. */
pipeport_status pp_pipe_address(const char *name, char address[PP_ADDRESS_BYTES_MAX]);

/* Claims the name for this process alone. The plan, which the system lacks nothing for, is copied.
 * There is room for nobody yet. Fails: INVALID, NAME_TAKEN, DENIED, NO_MEMORY, SYSTEM. */
pp_fault pp_ear_open(pp_ear **out, pp_port *port, pp_memory *memory, const char *name, const pp_plan *plan);

/* Makes room for `more` clients more: each accept that ends with OK takes one place, and there may not be more accepts
 * armed than there are places. A system that connects who comes before an accept is armed for him (Linux) lets no more
 * come than there are places; the others hear BUSY. One may slip through where the last place has just been taken: he
 * is connected, and the first for whom there is room. Any thread; the ear is not being closed. */
void pp_ear_make_room(pp_ear *ear, uint32_t more);

/* No accept may be armed on it. Windows: the name is free once every pipe accepted from it has been aborted, or closed
 * at both ends. */
void pp_ear_close(pp_ear *ear);

/* A closed pipe, ready to accept or dial. What it needs is of the port's memory. */
void pp_pipe_init(pp_pipe *pipe, pp_port *port);

/* Waits for one client, for whom there is room, on a new instance. On OK the pipe is open and `pipe->home` set; on any
 * other result it is closed again. GONE: a client came and went. STOPPED: cancelled. May answer PP_NOW: somebody was
 * already there, or the system refused an instance. The pipe may be moved (copied) by its owner when no operation is
 * armed on it. */
pp_armed pp_pipe_accept(pp_pipe *pipe, pp_ear *ear, pp_op *op, pp_result *now);

/* Connects without waiting for an instance. BUSY: every instance is taken, try again later. The pipe lives with drainer
 * `home`. Windows: a pipe of another machine waits for the network, 20 s and more where its host is silent.
 * Fails: INVALID, NO_SERVER, BUSY, DENIED (also: not the server that the plan demands), WRONG_TYPE (bytes here, whole
 * messages there, or the other way round; Windows reads messages as bytes), NO_MEMORY, SYSTEM. */
pp_fault pp_pipe_dial(pp_pipe *pipe, const char *name, const pp_plan *plan, uint32_t home);

/* Who opened the other end of an open pipe, which was accepted (else dialled). Never blocks. Fails: GONE, SYSTEM. */
pp_fault pp_pipe_peer(const pp_pipe *pipe, bool accepted, pipeport_peer *out);

/* Reads up to `bytes` (at least 1). GONE: the peer ended and everything was read. `op` NULL: it never pends, and what
 * it would have had to wait for is OK and 0 bytes; an await comes next. That only where pp_port_can_await.
 * Messages of the pipe's own (a plan with `whole`): what is read is of one message; `more` in port.h says what is left
 * of it. A system may bring the message's first part, or nothing until there is room for all of it. */
pp_armed pp_pipe_read(pp_pipe *pipe, void *buffer, uint32_t bytes, pp_op *op, pp_result *now);

/* Throws away what is left of the message of which the last read said that `more` than 1 byte is to come. Only where
 * pp_port_can_await. Never blocks. */
void pp_pipe_skip(pp_pipe *pipe);

/* Waits for something to read, or for the end, and lends no buffer: then OK and 0 bytes, and a read comes next. It is
 * the pipe's read: one of both at a time. A hint: that read may still pend. A pipe that by its plan is never read waits
 * for the end alone, and never comes without it: GONE. Only where pp_port_can_await. */
pp_armed pp_pipe_await(pp_pipe *pipe, pp_op *op, pp_result *now);

/* Writes from the slices in order (1 to slices_max, none of 0 bytes). It may take fewer bytes than it was given.
 * GONE: the peer ended. The slices' array is free when the call returns; what they point at is lent. `op` NULL: it
 * never pends, and what it would have had to wait for is OK and 0 bytes. That only where pp_port_can_await. */
pp_armed pp_pipe_write(pp_pipe *pipe, const pp_slice *slices, uint32_t count, pp_op *op, pp_result *now);

/* Wishes that the operation armed on this pipe with `op` (accept, read or write) end soon, with STOPPED. It may be home
 * already: then nothing happens. Any thread that keeps the pipe from being closed meanwhile; `op` is not read. */
void pp_pipe_cancel(pp_pipe *pipe, pp_op *op);

/* False: what is armed on this pipe with `op` (read, await or write) still waits for the peer; or, where drainers share
 * the port, its completion lies there and no take has brought it (pp_port_post is behind all that does, unless the
 * system has no memory for it). True: it need not wait any more, so its completion is on the way, in the hand of
 * whoever took it, or home; or nobody can tell from here (Linux, who is not the drainer of the pipe's home). Any thread
 * that keeps the pipe from being closed; `op` may come home and be armed again meanwhile. */
bool pp_pipe_is_answered(pp_pipe *pipe, const pp_op *op);

/* What was written can still be read by the peer. To Windows an accepted pipe stays an instance of its name until the
 * peer has closed its end too ("DisconnectNamedPipe function": "The pipe exists as long as a server or client process
 * has an open handle to the pipe"). Thread: any, once. */
void pp_pipe_close(pp_pipe *pipe);

/* Closes a pipe that was accepted, and leaves nothing of it to a peer that keeps its end: instance and name are free
 * when it returns. The peer hears GONE; what it has not read yet is lost (Windows), or can be read before that (Linux).
 * Thread: any, instead of a close. */
void pp_pipe_abort(pp_pipe *pipe);

#endif
