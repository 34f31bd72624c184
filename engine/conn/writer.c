/* SPDX-License-Identifier: MIT */
/* writer.c - see writer.h. */
#include "engine/conn/writer.h"

#include "engine/base/assert.h"

#include <string.h>

enum {
    WRITER_BUDGET = 16,                  /* Bursts before the pump goes to the back of the port's queue. */
    WRITER_BURST_BYTES_MAX = 256 * 1024, /* One write: so often a slow peer shows that it still reads. */
    /* Frames up to this are copied together. Where the system gathers, copying wins below and ties at about 1 KiB;
     * where it does not, a copy is cheaper than another write up to the pipe's own buffer. */
    WRITER_JOIN_GATHERING = 2 * 1024,
    WRITER_JOIN_SINGLE = 32 * 1024,
    WRITER_JOINED_BYTES_MAX = 64 * 1024 + 512
};

/* Drops the first link of the chain. */
static void writer_pop(pp_writer *writer)
{
    pp_link *link = writer->chain;
    writer->chain = link->next;
    writer->chain_offset = 0;
    if (link->message) {
        pp_message_release(link->message, 1);
    }
}

/* The system took `bytes` from the front of the chain. */
static void writer_wrote(pp_writer *writer, uint32_t bytes, pp_worker *worker)
{
    if (writer->joined) {
        pp_memory_give(pp_port_memory(writer->pipe->port), writer->joined, writer->joined_bytes);
        writer->joined = NULL;
    }
    if (bytes == 0) {
        return;
    }
    for (uint32_t left = bytes; left > 0;) {
        uint32_t rest = writer->chain->message->frame_bytes - writer->chain_offset;
        if (left < rest) {
            writer->chain_offset += left;
            break;
        }
        left -= rest;
        writer_pop(writer);
    }
    writer->up->wrote(writer, bytes);
    if (pp_sendq_credit(&writer->sendq, bytes)) {
        writer->up->drained(writer, worker);
    }
}

/* Holder, at the end: nothing more is written. Gives the pump's pin back. */
static void writer_seal(pp_writer *writer, pp_worker *worker)
{
    uint64_t discarded = 0;
    pp_link *late = writer->drained_mark ? NULL : pp_sendq_seal(&writer->sendq);
    for (;;) {
        while (writer->chain) {
            if (writer->chain->message) {
                discarded += writer->chain->message->frame_bytes - writer->chain_offset;
            }
            writer_pop(writer);
        }
        if (!late) {
            break;
        }
        writer->chain = late;
        late = NULL;
    }
    (void) pp_sendq_credit(&writer->sendq, (uint32_t) discarded); /* So that who comes late hears GONE, not FULL. */
    writer->up->sealed(writer, discarded, worker);
    writer->up->unpin(writer, worker);
}

static uint32_t writer_join_max(const pp_writer *writer)
{
    return writer->pipe->slices_max == 1 ? WRITER_JOIN_SINGLE : WRITER_JOIN_GATHERING;
}

/* How many bytes of small frames stand at the front of the chain, and whether there is more than one. */
static uint32_t writer_measure(const pp_writer *writer, uint32_t *frames)
{
    uint32_t bytes = 0;
    uint32_t offset = writer->chain_offset;
    *frames = 0;
    for (pp_link *link = writer->chain; link && link->message; link = link->next) {
        uint32_t rest = link->message->frame_bytes - offset;
        if (rest > writer_join_max(writer) || rest > WRITER_JOINED_BYTES_MAX - bytes) {
            break;
        }
        bytes += rest;
        offset = 0;
        *frames += 1;
    }
    return bytes;
}

/* Builds one burst from the front of the chain: the number of slices. The first ones may be joined by copying; where
 * there is no memory to join them in, one is written by itself. */
static uint32_t writer_build(pp_writer *writer, pp_slice slices[PP_SLICES_MAX])
{
    uint32_t count = 0;
    uint32_t total = 0;
    uint32_t small = 0;
    pp_link *link = writer->chain;
    uint32_t offset = writer->chain_offset;
    uint32_t joined_bytes = writer_measure(writer, &small);
    if (small > 1 && (writer->joined = pp_memory_take(pp_port_memory(writer->pipe->port), joined_bytes)) != NULL) {
        writer->joined_bytes = joined_bytes;
        for (uint32_t at = 0; at < joined_bytes; link = link->next, offset = 0) {
            uint32_t rest = link->message->frame_bytes - offset;
            memcpy(writer->joined + at, link->message->frame + offset, rest);
            at += rest;
        }
        slices[count++] = (pp_slice){writer->joined, joined_bytes};
        total = joined_bytes;
    }
    while (link && link->message && count < writer->pipe->slices_max && total < WRITER_BURST_BYTES_MAX) {
        uint32_t rest = link->message->frame_bytes - offset;
        uint32_t bytes = rest < WRITER_BURST_BYTES_MAX - total ? rest : WRITER_BURST_BYTES_MAX - total;
        slices[count++] = (pp_slice){link->message->frame + offset, bytes};
        total += bytes;
        link = link->next;
        offset = 0;
    }
    PP_ASSERT(count > 0);
    return count;
}

/* Holder, with an empty chain. True: the pump is gone. False: something new has come.
 * Who stops us raises `stopping` and then fails to hold, all before our give: so we look once more after it. */
static bool writer_give(pp_writer *writer, pp_worker *worker)
{
    if (!pp_sendq_give(&writer->sendq)) {
        return false;
    }
    if (atomic_load(&writer->stopping) && pp_sendq_hold(&writer->sendq)) {
        writer_seal(writer, worker);
    } else { /* Nobody stops us, or whoever holds the pump now sees it. */
        writer->up->unpin(writer, worker);
    }
    return true;
}

/* Holder, with the mark at the front of the chain: nothing is accepted from now on. What senders that had looked before
 * the close brought behind the mark was accepted, and is still written. */
static void writer_meet_mark(pp_writer *writer)
{
    writer_pop(writer);
    writer->drained_mark = true;
    pp_link **end = &writer->chain;
    while (*end) {
        end = &(*end)->next;
    }
    *end = pp_sendq_seal(&writer->sendq);
}

/* Holder. True: a message is at the front of the chain. False: the pump is gone (given back, or sealed). */
static bool writer_refill(pp_writer *writer, pp_worker *worker)
{
    while (!writer->chain || !writer->chain->message) {
        if (writer->chain) {
            writer_meet_mark(writer);
        } else if (writer->drained_mark) {
            writer_seal(writer, worker);
            return false;
        } else {
            writer->chain = pp_sendq_take(&writer->sendq);
            if (!writer->chain && writer_give(writer, worker)) {
                return false;
            }
        }
    }
    return true;
}

static void writer_break(pp_writer *writer, pp_fault fault, pp_worker *worker)
{
    writer->fault = fault;
    writer_seal(writer, worker);
}

/* Arms one burst. True: it is finished and the pump goes on. */
static bool writer_arm(pp_writer *writer, pp_worker *worker)
{
    pp_slice slices[PP_SLICES_MAX];
    uint32_t count = writer_build(writer, slices);
    pp_result now = {{PIPEPORT_OK, 0}, 0};
    writer->op.home = writer->pipe->home;
    writer->up->pin(writer); /* The op takes the pump along: this pin is for our look at `stopping` after it. */
    atomic_store_explicit(&writer->pending_since_ms, pp_os_now_ms(), memory_order_relaxed);
    if (pp_pipe_write(writer->pipe, slices, count, &writer->op, &now) == PP_LATER) {
        if (atomic_load(&writer->stopping)) {
            pp_pipe_cancel(writer->pipe, &writer->op);
        } else {
            writer->up->stalled(writer, worker);
        }
        writer->up->unpin(writer, worker);
        return false;
    }
    atomic_store_explicit(&writer->pending_since_ms, 0, memory_order_relaxed);
    writer_wrote(writer, now.bytes, worker);
    bool broken = now.fault.status != PIPEPORT_OK;
    if (broken) {
        writer_break(writer, now.fault, worker);
    }
    writer->up->unpin(writer, worker);
    return !broken;
}

static void writer_pump(pp_writer *writer, pp_worker *worker)
{
    for (uint32_t bursts = 0;; ++bursts) {
        if (atomic_load(&writer->stopping)) {
            writer_seal(writer, worker);
            return;
        }
        if (!writer_refill(writer, worker)) {
            return;
        }
        if (bursts == WRITER_BUDGET) {
            writer->op.home = writer->pipe->home;
            pp_port_post(writer->pipe->port, &writer->op);
            return;
        }
        if (!writer_arm(writer, worker)) {
            return;
        }
    }
}

/* A write has come home, or a pump that was corked or handed over. */
static void writer_done(pp_op *op, pp_result result, void *drainer)
{
    pp_writer *writer = (pp_writer *) ((char *) op - offsetof(pp_writer, op));
    atomic_store_explicit(&writer->pending_since_ms, 0, memory_order_relaxed);
    writer_wrote(writer, result.bytes, drainer);
    if (result.fault.status != PIPEPORT_OK) {
        writer_break(writer, result.fault, drainer);
    } else {
        writer_pump(writer, drainer);
    }
}

void pp_writer_init(pp_writer *writer, const pp_writer_up *up, pp_pipe *pipe, uint32_t queue_bytes_max)
{
    memset(writer, 0, sizeof *writer);
    writer->up = up;
    writer->pipe = pipe;
    writer->op.done = writer_done;
    pp_sendq_init(&writer->sendq, queue_bytes_max);
}

pipeport_status pp_writer_push_corked(pp_writer *writer, pp_link *link, pp_worker *worker, bool *corked)
{
    uint32_t bytes = link->message ? link->message->frame_bytes : 0;
    writer->up->pin(writer); /* The pump's, should it be ours; it must be there before anybody can give it back. */
    switch (pp_sendq_push(&writer->sendq, link)) {
    case PP_PUSH_TOOK:
        if (worker) {
            *corked = true;
            pp_worker_defer(worker, &writer->op);
        } else {
            writer_pump(writer, NULL);
        }
        return PIPEPORT_OK;
    case PP_PUSH_QUEUED:
        writer->up->unpin(writer, worker);
        return PIPEPORT_OK;
    case PP_PUSH_SEALED:
        if (bytes) {
            (void) pp_sendq_credit(&writer->sendq, bytes);
        }
        writer->up->unpin(writer, worker);
        return PIPEPORT_GONE;
    }
    return PIPEPORT_GONE;
}

pipeport_status pp_writer_push(pp_writer *writer, pp_link *link, pp_worker *worker)
{
    bool corked = false;
    return pp_writer_push_corked(writer, link, worker, &corked);
}

void pp_writer_stop(pp_writer *writer, pp_worker *worker)
{
    atomic_store(&writer->stopping, true);
    writer->up->pin(writer);
    if (pp_sendq_hold(&writer->sendq)) {
        writer_seal(writer, worker);
    } else {
        pp_pipe_cancel(writer->pipe, &writer->op);
        writer->up->unpin(writer, worker);
    }
}

void pp_writer_check(const pp_writer *writer)
{
    bool pending = atomic_load(&writer->pending_since_ms) != 0;
    uint64_t waiting = 0;
    pp_sendq_check(&writer->sendq);
    for (const pp_link *link = writer->chain; link; link = link->next) {
        waiting += link->message ? link->message->frame_bytes : 0;
    }
    PP_VERIFY(waiting - writer->chain_offset <= atomic_load(&writer->sendq.bytes)); /* None is credited too early. */
    PP_VERIFY(writer->chain_offset == 0 || writer->chain_offset < writer->chain->message->frame_bytes);
    PP_VERIFY(!writer->joined || pending);  /* Small frames are copied together for a write, and no longer. */
    PP_VERIFY(!pending || writer->chain);   /* Something is being written. */
    if (pp_sendq_is_idle(&writer->sendq)) { /* Nobody holds the pump: so nothing of the holder's is left. */
        PP_VERIFY(!writer->chain && !pending && !writer->drained_mark);
        PP_VERIFY(atomic_load(&writer->sendq.bytes) == 0); /* And nothing is reserved that nobody will credit. */
    }
    if (writer->drained_mark || writer->fault.status != PIPEPORT_OK) {
        PP_VERIFY(pp_sendq_is_sealed(&writer->sendq));
    }
}
