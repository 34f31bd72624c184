/* SPDX-License-Identifier: MIT */
/*
 * writer.h - the write pump of one connection: takes what waits in the send queue and gives it to the pipe.
 *
 * Who holds the pump (sendq.h) is a worker inside its chore, a foreign thread inside pp_writer_push, or the pending
 * write operation itself; never two. On a worker a pump that was just taken waits until the batch is handled (corking),
 * so that many replies leave in one write; a foreign thread writes at once. Fields marked "pump" belong to the holder
 * and travel with the pump's release and acquire.
 *
 * One write is one burst: frames from the front of the chain, small ones copied together, large ones taken where they
 * lie as far as the pipe can gather. A link leaves the chain when its last byte is written.
 *
 * Ending. pp_writer_stop raises `stopping` and then cancels; the holder arms, or gives the pump back, and then looks at
 * `stopping` (all sequentially consistent), so that no write is left pending and no pump idle behind it. Whoever holds
 * the pump then seals the queue, discards the rest and tells `sealed`, once. What failed is told with `sealed`.
 *
 * A mark in the queue (message NULL) is a drain-close: who meets it seals the queue, writes what is left, which was all
 * accepted, and then tells `sealed`. So an end without a fault has discarded nothing.
 */
#ifndef PP_CONN_WRITER_H
#define PP_CONN_WRITER_H

#include "engine/conn/worker.h"
#include "engine/flow/sendq.h"
#include "engine/port/pipe.h"

typedef struct pp_writer pp_writer;

typedef struct pp_writer_up { /* What a writer tells its connection; `worker` is NULL on a foreign thread. */
    void (*pin)(pp_writer *writer);
    void (*unpin)(pp_writer *writer, pp_worker *worker); /* The writer may be gone after it. */
    void (*wrote)(pp_writer *writer, uint32_t bytes);
    void (*stalled)(pp_writer *writer, pp_worker *worker); /* A write is pending: watch its time. */
    void (*drained)(pp_writer *writer, pp_worker *worker); /* Half of the queue is free, and somebody had heard FULL. */
    void (*sealed)(pp_writer *writer, uint64_t discarded, pp_worker *worker);
} pp_writer_up;

struct pp_writer {
    const pp_writer_up *up;
    pp_pipe *pipe;
    pp_sendq sendq;
    pp_op op;              /* Holds the pump: a pending write, a chore (corked), or posted (handed to a worker). */
    pp_link *chain;        /* Pump: taken and not yet written, oldest first. */
    uint32_t chain_offset; /* Pump: bytes of the first frame that are written. */
    uint32_t joined_bytes; /* Pump: of `joined`. */
    uint8_t *joined;       /* Pump: small frames copied together, lent while the write is pending. */
    pp_fault fault;        /* Pump: why it broke; OK if it did not. Read after `sealed`. */
    bool drained_mark;     /* Pump: the mark was met and the queue is sealed. Read after `sealed`. */
    _Atomic bool stopping;
    _Atomic uint64_t pending_since_ms; /* 0: no write is pending. Relaxed: a clock for the stall bound. */
};

/* The pipe is open, and stays where it is; joined frames are of its memory. */
void pp_writer_init(pp_writer *writer, const pp_writer_up *up, pp_pipe *pipe, uint32_t queue_bytes_max);

/* Pushes a link whose bytes are reserved (or a mark) and sees to the pump. `worker`: this thread's, or NULL.
 * Fails: GONE (sealed: the link is still the caller's; a message's bytes have been credited). */
pipeport_status pp_writer_push(pp_writer *writer, pp_link *link, pp_worker *worker);

/* The same; *corked becomes true if that took the pump, and it now waits for the end of the worker's batch. */
pipeport_status pp_writer_push_corked(pp_writer *writer, pp_link *link, pp_worker *worker, bool *corked);

/* Ends writing: `sealed` follows, perhaps inside. Once or more, from one thread at a time that holds a pin. */
void pp_writer_stop(pp_writer *writer, pp_worker *worker);

/* Tests: asserts what must hold while nobody is inside a call on it; a write may be pending. */
void pp_writer_check(const pp_writer *writer);

#endif
