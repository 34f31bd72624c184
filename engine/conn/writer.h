/* SPDX-License-Identifier: MIT */
/*
 * writer.h - the write pump of one connection: takes what waits in the send queue and gives it to the pipe.
 *
 * Who holds the pump (sendq.h) is a worker inside its chore, a foreign thread inside pp_writer_push, or the pending
 * write operation itself; never two. On a worker a pump that was just taken waits until the batch is handled (corking),
 * so that many replies leave in one write. A foreign thread writes at once; where so many write that a worker does
 * better (worker.h), it hands the pump over, and what is pushed until the worker comes leaves in that one write. Fields
 * marked "pump" belong to the holder and travel with the pump's release and acquire.
 *
 * One write is one burst: frames from the front of the chain, small ones copied together, large ones taken where they
 * lie as far as the pipe can gather. What is copied together is one message from then on, in the place of those it was
 * copied from. A link leaves the chain when its last byte is copied so, or written. Where the pipe has messages of its
 * own a write is one frame, and nothing is copied.
 *
 * A large frame that finds the pump idle is passed: written at once, from where its sender has it, as far as the pipe
 * takes it. So it is copied only where the peer does not keep up.
 *
 * Ending. pp_writer_stop raises STOP in `wishes` and then cancels; the holder arms, or gives the pump back, and then
 * looks at `wishes` (all sequentially consistent), so that no write is left pending and no pump idle behind it. Whoever
 * holds the pump then seals the queue, discards the rest and tells `sealed`, once. What failed is told with `sealed`.
 *
 * A drain-close goes the same way: pp_writer_drain raises DRAIN and then tries to hold the pump; the holder looks when
 * it has written what it had taken, and after it gave the pump back. Who finds the wish seals the queue, writes what
 * the seal answered, which was all accepted, and then tells `sealed`. So an end without a fault has discarded nothing.
 */
#ifndef PP_CONN_WRITER_H
#define PP_CONN_WRITER_H

#include "engine/conn/stamp.h"
#include "engine/conn/worker.h"
#include "engine/flow/sendq.h"
#include "engine/port/pipe.h"

typedef struct pp_writer pp_writer;

typedef struct pp_writer_up { /* What a writer tells its connection; `worker` is NULL on a foreign thread. */
    void (*pin)(pp_writer *writer);
    void (*unpin)(pp_writer *writer, pp_worker *worker); /* The writer may be gone after it. */
    void (*wrote)(pp_writer *writer, uint32_t bytes, pp_worker *worker);
    void (*stalled)(pp_writer *writer, uint64_t since_ms, pp_worker *worker); /* A write is pending: watch its time. */
    void (*drained)(pp_writer *writer, pp_worker *worker); /* Half of the queue is free, and somebody had heard FULL. */
    void (*sealed)(pp_writer *writer, pp_worker *worker);
    bool (*hands_over)(pp_writer *writer); /* On a foreign thread that has just taken the pump: leave it to a worker? */
} pp_writer_up;

typedef struct pp_writer_means { /* What it is called with each time, the same in each call on one writer. */
    const pp_writer_up *up;
    pp_pipe *pipe; /* Open, and in its place; joined frames are of its memory. */
    uint32_t queue_bytes_max;
} pp_writer_means;

enum { PP_WRITER_STOP = 1, PP_WRITER_DRAIN = 2 };

struct pp_writer {
    pp_sendq sendq;
    pp_op op; /* Holds the pump: a pending write, a chore (corked), or posted (handed to a worker). Its `done` is the
                 owner's, and calls pp_writer_done. */
    union {
        pp_link *chain; /* Pump, before `ended`: taken and not yet written, oldest first. */
        pp_fault fault; /* From then on, read after `sealed`: why it broke; OK if it did not. */
    };
    uint32_t chain_offset;          /* Pump: bytes of the first frame that are written. */
    uint32_t discarded;             /* Pump: bytes, once `ended`. Read after `sealed`. */
    _Atomic uint32_t pending_since; /* A stamp (stamp.h), 0: no write is pending. Relaxed: a clock for the stall
                                       bound. */
    _Atomic uint8_t wishes;         /* STOP and DRAIN: only raised. */
    bool drained;                   /* Pump: DRAIN was met and the queue is sealed. Read after `sealed`. */
    bool ended;                     /* Pump: the queue is sealed, and what was left is discarded. */
};

void pp_writer_init(pp_writer *writer, pp_op_done *done);

/* Its op has come home: a write, or a pump that was corked or handed over. */
void pp_writer_done(pp_writer *writer, const pp_writer_means *means, pp_result result, pp_worker *worker);

/* Pushes a link whose bytes are reserved and sees to the pump. The caller holds a pin; *corked becomes true if he took
 * the pump, which now waits for the end of the worker's batch, and has taken his pin: until then nobody else gives it
 * back. `worker`: this thread's, or NULL, and then nothing is corked.
 * Fails: GONE (sealed: the link is still the caller's; its message's bytes have been credited). */
pipeport_status pp_writer_push(pp_writer *writer, const pp_writer_means *means, pp_link *link, pp_worker *worker,
                               bool *corked);

/* What has become of a frame that was to be passed. */
typedef enum pp_passing {
    PP_PASS_NOT,  /* Nothing: somebody else holds the pump, or nobody ever will. The message is still the caller's. */
    PP_PASS_GONE, /* It is written, or discarded because writing has failed; the count is the writer's. */
    PP_PASS_KEPT  /* The rest waits at the front of the queue for the end of the worker's batch, as what is corked. */
} pp_passing;

/* Writes a frame whose payload is not in `message` yet, but at `payload`: if nobody holds the pump the pipe takes at
 * once what it can of it from there, and only the rest is copied. Its bytes are reserved; the message is one frame with
 * one link. The caller is a worker, holds a pin, which stays his, and the port can await. */
pp_passing pp_writer_pass(pp_writer *writer, const pp_writer_means *means, pp_message *message, const void *payload,
                          pp_worker *worker);

/* On a worker of the pipe's home that has looked the connection up, or runs its turn: takes the pump if nobody holds
 * it, with this link, whose bytes are reserved, at the front of the chain. Then pp_writer_out must follow on the same
 * worker, before it takes from the port; until then nobody else gives the pump back. */
bool pp_writer_take(pp_writer *writer, pp_link *link);

/* Who holds the pump, or whose worker does so in its chores: true if nothing was sent since this link. */
static inline bool pp_writer_is_newest(const pp_writer *writer, const pp_link *link)
{
    return writer->chain == link ? !pp_sendq_has_come(&writer->sendq) : pp_sendq_is_newest(&writer->sendq, link);
}

/* Writes what was taken so, and what came since. `lean`: the pump has no pin, for without it the connection stays as
 * long as the pump is held, and after that until this worker runs a turn. */
void pp_writer_out(pp_writer *writer, const pp_writer_means *means, bool lean, pp_worker *worker);

/* Ends writing when all that was pushed before is written: `sealed` follows, perhaps inside. Any thread that holds a
 * pin. */
void pp_writer_drain(pp_writer *writer, const pp_writer_means *means, pp_worker *worker);

/* Ends writing: `sealed` follows, perhaps inside. Once or more, from one thread at a time that holds a pin. */
void pp_writer_stop(pp_writer *writer, const pp_writer_means *means, pp_worker *worker);

/* Tests: asserts what must hold while nobody is inside a call on it; a write may be pending. */
void pp_writer_check(const pp_writer *writer, const pp_writer_means *means);

#endif
