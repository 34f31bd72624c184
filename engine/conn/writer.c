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
    WRITER_JOINED_BYTES_MAX = 64 * 1024 + 512,
    WRITER_FRAME_SLICES = 3
};

/* Drops the first link of the chain. */
static void writer_pop(pp_writer *writer, pp_worker *worker)
{
    pp_link *link = writer->chain;
    writer->chain = link->next;
    writer->chain_offset = 0;
    pp_shelf_release(worker ? &worker->shelf : NULL, link->message);
}

/* So many bytes have left the chain, and are told of. */
static void writer_credit(pp_writer *writer, const pp_writer_means *means, uint32_t bytes, pp_worker *worker)
{
    means->up->wrote(writer, bytes, worker);
    if (pp_sendq_credit(&writer->sendq, bytes, means->queue_bytes_max)) {
        means->up->drained(writer, worker);
    }
}

/* The system took `bytes` from the front of the chain. */
static void writer_wrote(pp_writer *writer, const pp_writer_means *means, uint32_t bytes, pp_worker *worker)
{
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
        writer_pop(writer, worker);
    }
    writer_credit(writer, means, bytes, worker);
}

/* Holder, at the end: nothing more is written, for this reason. Gives the pump's pin back. */
static void writer_seal(pp_writer *writer, const pp_writer_means *means, pp_fault fault, pp_worker *worker)
{
    uint32_t discarded = 0;
    pp_link *late = writer->drained ? NULL : pp_sendq_seal(&writer->sendq);
    for (;;) {
        while (writer->chain) {
            discarded += writer->chain->message->frame_bytes - writer->chain_offset;
            writer_pop(writer, worker);
        }
        if (!late) {
            break;
        }
        writer->chain = late;
        late = NULL;
    }
    writer->ended = true;
    writer->fault = fault;
    writer->discarded = discarded;
    (void) pp_sendq_credit(&writer->sendq, discarded,
                           means->queue_bytes_max); /* Who comes late hears GONE, not FULL. */
    means->up->sealed(writer, worker);
    means->up->unpin(writer, worker);
}

static uint32_t writer_join_max(const pp_writer_means *means)
{
    switch (means->pipe->slices_max) {
    case 0:
        return 0;
    case 1:
        return WRITER_JOIN_SINGLE;
    default:
        return WRITER_JOIN_GATHERING;
    }
}

/* How many bytes of small frames stand at the front of the chain, and whether there is more than one. */
static uint32_t writer_measure(const pp_writer *writer, uint32_t join_max, uint32_t *frames)
{
    uint32_t bytes = 0;
    uint32_t offset = writer->chain_offset;
    *frames = 0;
    if (join_max == 0) {
        return 0;
    }
    for (pp_link *link = writer->chain; link; link = link->next) {
        uint32_t rest = link->message->frame_bytes - offset;
        if (rest > join_max || rest > WRITER_JOINED_BYTES_MAX - bytes) {
            break;
        }
        bytes += rest;
        offset = 0;
        *frames += 1;
    }
    return bytes;
}

/* Small frames at the front of the chain become one message, by copying; where there is no memory to join them in, they
 * stay as they are. What is joined are bytes, the first of them perhaps a frame's rest: its framing means nothing, and
 * is one that lasts, for theirs may be copies in blocks that go with them. */
static void writer_join(pp_writer *writer, const pp_writer_means *means, pp_worker *worker)
{
    uint32_t small = 0;
    uint32_t bytes = writer_measure(writer, writer_join_max(means), &small);
    pp_message *joined = NULL;
    if (small > 1) {
        joined = pp_message_create_room(pp_port_memory(means->pipe->port), &pp_framing_default, bytes, 1);
    }
    if (!joined) {
        return;
    }
    while (small-- > 0) {
        pp_message_append_rest(joined, writer->chain->message, writer->chain_offset);
        writer_pop(writer, worker);
    }
    joined->links[0].next = writer->chain;
    writer->chain = &joined->links[0];
}

/* Builds one burst from the front of the chain: the number of slices. */
static uint32_t writer_build(pp_writer *writer, const pp_writer_means *means, pp_worker *worker,
                             pp_slice slices[PP_SLICES_MAX])
{
    bool is_cut = means->pipe->slices_max != 0;
    uint32_t most = is_cut ? means->pipe->slices_max : 1;
    uint32_t count = 0;
    uint32_t total = 0;
    if (writer->chain->next) {
        writer_join(writer, means, worker);
    }
    uint32_t offset = writer->chain_offset;
    pp_link *link = writer->chain;
    do {
        uint32_t rest = link->message->frame_bytes - offset;
        uint32_t room = WRITER_BURST_BYTES_MAX - total;
        uint32_t bytes = is_cut && rest > room ? room : rest;
        slices[count++] = (pp_slice){link->message->frame + offset, bytes};
        total += bytes;
        offset = 0;
        link = link->next;
    } while (link && count < most && total < WRITER_BURST_BYTES_MAX);
    return count;
}

/* Holder, with an empty chain. True: the pump is gone. False: something is to be done, and we hold it still, or again.
 * Who wishes raises the wish and then fails to hold, all before our give: so we look once more after it. */
static bool writer_let_go(pp_writer *writer)
{
    if (!pp_sendq_give(&writer->sendq)) {
        return false;
    }
    return !atomic_load(&writer->wishes) || !pp_sendq_hold(&writer->sendq);
}

/* The same, and its pin. */
static bool writer_give(pp_writer *writer, const pp_writer_means *means, pp_worker *worker)
{
    if (!writer_let_go(writer)) {
        return false;
    }
    means->up->unpin(writer, worker); /* Nobody wishes, or whoever holds the pump now sees it. */
    return true;
}

/* Holder. True: a message is at the front of the chain. False: the pump is gone (given back, or sealed).
 * Who meets DRAIN seals: nothing is accepted from now on. What senders that had looked before the close brought after
 * it was accepted, and is still written. */
static bool writer_refill(pp_writer *writer, const pp_writer_means *means, pp_worker *worker)
{
    while (!writer->chain) {
        uint8_t wishes = atomic_load(&writer->wishes);
        if (writer->drained || wishes & PP_WRITER_STOP) {
            writer_seal(writer, means, (pp_fault){PIPEPORT_OK, 0}, worker);
            return false;
        }
        if (wishes & PP_WRITER_DRAIN) {
            writer->drained = true;
            writer->chain = pp_sendq_seal(&writer->sendq);
            continue;
        }
        writer->chain = pp_sendq_take(&writer->sendq);
        if (!writer->chain && writer_give(writer, means, worker)) {
            return false;
        }
    }
    return true;
}

/* True: what this thread arms comes home to this thread, and not before it takes again: until then nobody else has the
 * pump, so nobody gives its pin back. */
static bool writer_is_home(const pp_writer_means *means, const pp_worker *worker)
{
    return worker && worker->drainer == means->pipe->home && !pp_port_is_shared(means->pipe->port);
}

/* A write is pending. The stop of a writer looks at it after its wish, as we at the wish after it. */
static void writer_pends(pp_writer *writer, const pp_writer_means *means, uint64_t since_ms, pp_worker *worker)
{
    if (atomic_load(&writer->wishes) & PP_WRITER_STOP) {
        pp_pipe_cancel(means->pipe, &writer->op);
    } else {
        means->up->stalled(writer, since_ms, worker);
    }
}

/* The same where it comes home to this thread, and not before it takes again. */
static void writer_waits(pp_writer *writer, const pp_writer_means *means, pp_worker *worker)
{
    uint64_t since_ms = pp_worker_writes_ms(worker);
    atomic_store_explicit(&writer->pending_since, pp_stamp_of(since_ms), memory_order_relaxed);
    writer_pends(writer, means, since_ms, worker);
}

/* Of a write that is finished. True: the pump goes on. */
static bool writer_goes_on(pp_writer *writer, const pp_writer_means *means, pp_result now, pp_worker *worker)
{
    writer_wrote(writer, means, now.bytes, worker);
    if (now.fault.status != PIPEPORT_OK) {
        writer_seal(writer, means, now.fault, worker);
        return false;
    }
    return true;
}

/* Arms one burst where it may come home to another thread before we have returned. */
static bool writer_arm_abroad(pp_writer *writer, const pp_writer_means *means, pp_worker *worker)
{
    pp_slice slices[PP_SLICES_MAX];
    uint32_t count = writer_build(writer, means, worker, slices);
    pp_result now = {{PIPEPORT_OK, 0}, 0, 0};
    uint64_t since_ms = pp_os_now_ms();
    means->up->pin(writer); /* The op takes the pump along: this pin is for our look at `wishes` after it. */
    atomic_store_explicit(&writer->pending_since, pp_stamp_of(since_ms), memory_order_relaxed);
    bool goes_on = false;
    if (pp_pipe_write(means->pipe, slices, count, &writer->op, &now) == PP_LATER) {
        writer_pends(writer, means, since_ms, worker);
    } else {
        atomic_store_explicit(&writer->pending_since, 0, memory_order_relaxed);
        goes_on = writer_goes_on(writer, means, now, worker);
    }
    means->up->unpin(writer, worker);
    return goes_on;
}

/* Arms one burst. True: it is finished and the pump goes on. */
static bool writer_arm(pp_writer *writer, const pp_writer_means *means, pp_worker *worker)
{
    writer->op.home = means->pipe->home;
    if (!writer_is_home(means, worker)) {
        return writer_arm_abroad(writer, means, worker);
    }
    pp_slice slices[PP_SLICES_MAX];
    uint32_t count = writer_build(writer, means, worker, slices);
    pp_result now = {{PIPEPORT_OK, 0}, 0, 0};
    if (pp_pipe_write(means->pipe, slices, count, &writer->op, &now) == PP_NOW) {
        return writer_goes_on(writer, means, now, worker);
    }
    writer_waits(writer, means, worker);
    return false;
}

/* The pump goes to a worker, behind what it has to do. */
static void writer_hand_over(pp_writer *writer, const pp_writer_means *means)
{
    writer->op.home = means->pipe->home;
    pp_port_post(means->pipe->port, &writer->op);
}

static void writer_pump(pp_writer *writer, const pp_writer_means *means, pp_worker *worker)
{
    for (uint32_t bursts = 0;; ++bursts) {
        if (atomic_load(&writer->wishes) & PP_WRITER_STOP) {
            writer_seal(writer, means, (pp_fault){PIPEPORT_OK, 0}, worker);
            return;
        }
        if (!writer_refill(writer, means, worker)) {
            return;
        }
        if (bursts == WRITER_BUDGET) {
            writer_hand_over(writer, means);
            return;
        }
        if (!writer_arm(writer, means, worker)) {
            return;
        }
    }
}

void pp_writer_init(pp_writer *writer, pp_op_done *done)
{
    memset(writer, 0, sizeof *writer);
    writer->op.done = done;
    pp_sendq_init(&writer->sendq);
}

void pp_writer_done(pp_writer *writer, const pp_writer_means *means, pp_result result, pp_worker *worker)
{
    atomic_store_explicit(&writer->pending_since, 0, memory_order_relaxed);
    writer_wrote(writer, means, result.bytes, worker);
    if (result.fault.status != PIPEPORT_OK) {
        writer_seal(writer, means, result.fault, worker);
    } else {
        writer_pump(writer, means, worker);
    }
}

pipeport_status pp_writer_push(pp_writer *writer, const pp_writer_means *means, pp_link *link, pp_worker *worker,
                               bool *corked)
{
    uint32_t bytes = link->message->frame_bytes;
    pipeport_status status = PIPEPORT_GONE;
    if (!worker) {
        means->up->pin(writer); /* The pump's, should it be ours: the caller's is for what he does afterwards. */
    }
    switch (pp_sendq_push(&writer->sendq, link)) {
    case PP_PUSH_TOOK:
        if (worker) {
            *corked = true;
            pp_worker_defer(worker, &writer->op);
        } else if (means->up->hands_over(writer)) {
            writer_hand_over(writer, means);
        } else {
            writer_pump(writer, means, NULL);
        }
        return PIPEPORT_OK;
    case PP_PUSH_QUEUED:
        status = PIPEPORT_OK;
        break;
    case PP_PUSH_SEALED:
        (void) pp_sendq_credit(&writer->sendq, bytes, means->queue_bytes_max);
        break;
    }
    if (!worker) {
        means->up->unpin(writer, worker);
    }
    return status;
}

/* Header, payload, trailer: the number of slices. */
static uint32_t writer_slice_frame(const pp_message *message, const void *payload, pp_slice slices[WRITER_FRAME_SLICES])
{
    uint32_t trailer_at = message->payload_at + message->payload_bytes;
    uint32_t count = 0;
    if (message->payload_at != 0) {
        slices[count++] = (pp_slice){message->frame, message->payload_at};
    }
    slices[count++] = (pp_slice){payload, message->payload_bytes};
    if (message->frame_bytes != trailer_at) {
        slices[count++] = (pp_slice){message->frame + trailer_at, message->frame_bytes - trailer_at};
    }
    return count;
}

/* What was not written of the payload comes to its place in the message. */
static void writer_copy_rest(const pp_message *message, const uint8_t *payload, uint32_t written)
{
    uint32_t skipped = written > message->payload_at ? written - message->payload_at : 0;
    if (skipped < message->payload_bytes) {
        memcpy(message->frame + message->payload_at + skipped, payload + skipped, message->payload_bytes - skipped);
    }
}

pp_passing pp_writer_pass(pp_writer *writer, const pp_writer_means *means, pp_message *message, const void *payload,
                          pp_worker *worker)
{
    pp_slice slices[WRITER_FRAME_SLICES];
    uint32_t count = writer_slice_frame(message, payload, slices);
    if ((count > 1 && count > means->pipe->slices_max) || !pp_sendq_hold(&writer->sendq)) {
        return PP_PASS_NOT;
    }
    pp_result now = {{PIPEPORT_OK, 0}, 0, 0};
    means->up->pin(writer); /* The pump's. */
    if (!(atomic_load(&writer->wishes) & PP_WRITER_STOP)) {
        (void) pp_pipe_write(means->pipe, slices, count, NULL, &now);
    }
    if (now.fault.status == PIPEPORT_OK) {
        writer_copy_rest(message, payload, now.bytes);
    }
    writer->chain = &message->links[0];
    writer->chain->next = NULL;
    if (!writer_goes_on(writer, means, now, worker)) {
        return PP_PASS_GONE;
    }
    bool is_kept = writer->chain != NULL;
    if (is_kept || !writer_give(writer, means, worker)) { /* What has come meanwhile is for the end of the batch too. */
        pp_worker_defer(worker, &writer->op);
    }
    return is_kept ? PP_PASS_KEPT : PP_PASS_GONE;
}

bool pp_writer_take(pp_writer *writer, pp_link *link)
{
    if (!pp_sendq_hold(&writer->sendq)) {
        return false;
    }
    link->next = NULL;
    writer->chain = link;
    return true;
}

/* Takes what came since behind what there is, so that they leave in one write. */
static void writer_append(pp_writer *writer)
{
    pp_link *last = writer->chain;
    while (last->next) {
        last = last->next;
    }
    last->next = pp_sendq_take(&writer->sendq);
}

/* Arms the one frame of the chain. */
static pp_armed writer_write_chain(pp_writer *writer, const pp_writer_means *means, pp_result *now)
{
    const pp_message *message = writer->chain->message;
    pp_slice slice = {message->frame, message->frame_bytes};
    writer->op.home = means->pipe->home;
    return pp_pipe_write(means->pipe, &slice, 1, &writer->op, now);
}

/* Nothing else is to be done than to write the one frame of the chain. */
static bool writer_is_plain(const pp_writer *writer)
{
    return !pp_sendq_has_come(&writer->sendq) && !atomic_load(&writer->wishes) &&
           writer->chain->message->frame_bytes <= WRITER_BURST_BYTES_MAX;
}

/* Mostly one frame is written at once, and the pump goes back; all else goes the way of every pump. */
void pp_writer_out(pp_writer *writer, const pp_writer_means *means, bool lean, pp_worker *worker)
{
    pp_result now = {{PIPEPORT_OK, 0}, 0, 0};
    pp_armed armed = PP_NOW;
    if (!writer_is_plain(writer)) {
        writer_append(writer);
    } else if ((armed = writer_write_chain(writer, means, &now)) == PP_NOW) {
        if (now.bytes != writer->chain->message->frame_bytes) {
            writer_wrote(writer, means, now.bytes, worker);
        } else {
            writer_pop(writer, worker);
            writer_credit(writer, means, now.bytes, worker);
            if (writer_let_go(writer)) {
                if (!lean) {
                    means->up->unpin(writer, worker);
                }
                return;
            }
        }
    }
    if (lean) { /* From here on it is a pump like any other. */
        means->up->pin(writer);
    }
    if (armed == PP_LATER) {
        writer_waits(writer, means, worker);
    } else if (now.fault.status != PIPEPORT_OK) {
        writer_seal(writer, means, now.fault, worker);
    } else {
        writer_pump(writer, means, worker);
    }
}

void pp_writer_drain(pp_writer *writer, const pp_writer_means *means, pp_worker *worker)
{
    atomic_fetch_or(&writer->wishes, PP_WRITER_DRAIN);
    means->up->pin(writer);
    if (pp_sendq_hold(&writer->sendq)) {
        writer_pump(writer, means, worker);
    } else {
        means->up->unpin(writer, worker);
    }
}

void pp_writer_stop(pp_writer *writer, const pp_writer_means *means, pp_worker *worker)
{
    atomic_fetch_or(&writer->wishes, PP_WRITER_STOP);
    means->up->pin(writer);
    if (pp_sendq_hold(&writer->sendq)) {
        writer_seal(writer, means, (pp_fault){PIPEPORT_OK, 0}, worker);
    } else {
        pp_pipe_cancel(means->pipe, &writer->op);
        means->up->unpin(writer, worker);
    }
}
