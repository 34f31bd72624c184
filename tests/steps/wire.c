/* SPDX-License-Identifier: MIT */
#include "tests/steps/wire.h"

#include "tests/steps/explore.h"

#include <string.h>

struct wire_bed w;

static void up_pin(pp_writer *writer)
{
    (void) writer;
    w.pins += 1;
}

static void up_unpin(pp_writer *writer, pp_worker *worker)
{
    (void) writer;
    (void) worker;
    w.pins -= 1;
}

static void up_wrote(pp_writer *writer, uint32_t bytes, pp_worker *worker)
{
    (void) writer;
    (void) worker;
    w.written += bytes;
}

static void up_tells(pp_writer *writer, pp_worker *worker)
{
    (void) writer;
    (void) worker;
}

static void up_stalled(pp_writer *writer, uint64_t since_ms, pp_worker *worker)
{
    (void) since_ms;
    up_tells(writer, worker);
}

static void up_sealed(pp_writer *writer, pp_worker *worker)
{
    (void) worker;
    STEPS_ASSERT(w.sealed == 0);
    w.sealed = 1;
    w.discarded = writer->discarded;
}

static bool up_hands_over(pp_writer *writer)
{
    (void) writer;
    return w.hands_over;
}

static const pp_writer_up up = {up_pin, up_unpin, up_wrote, up_stalled, up_tells, up_sealed, up_hands_over};
const pp_writer_means wire_means = {&up, &w.pipe, QUEUE_BYTES_MAX};

static void write_done(pp_op *op, pp_result result, void *drainer)
{
    (void) op;
    pp_writer_done(&w.writer, &wire_means, result, drainer);
}

uint64_t pp_os_now_ms(void)
{
    return 1;
}

void pp_worker_defer(pp_worker *worker, pp_op *chore)
{
    (void) worker;
    STEPS_ASSERT(w.passes && !w.deferred && chore == &w.writer.op);
    w.deferred = true;
}

void pp_port_post(pp_port *port, pp_op *op)
{
    (void) port;
    steps_take(&w.posted, sizeof w.posted, NULL, NULL);
    STEPS_ASSERT(w.hands_over && !w.posted && op == &w.writer.op);
    w.posted = 1;
}

bool pp_port_is_shared(const pp_port *port)
{
    (void) port;
    STEPS_ASSERT(!"nobody is a worker here");
    return true;
}

pp_armed pp_pipe_write(pp_pipe *pipe, const pp_slice *slices, uint32_t count, pp_op *op, pp_result *now)
{
    uint32_t bytes = 0;
    (void) pipe;
    steps_take(&w.wire, sizeof w.wire, NULL, NULL);
    STEPS_ASSERT(w.wire == WIRE_IDLE && count >= 1);
    for (uint32_t i = 0; i < count; ++i) {
        bytes += slices[i].bytes;
    }
    STEPS_ASSERT(bytes >= FRAME_BYTES - w.passes % FRAME_BYTES);
    if (w.writes_at_once) {
        *now = (pp_result){{PIPEPORT_OK, 0}, op == NULL && bytes > w.passes ? w.passes : bytes, 0};
        return PP_NOW;
    }
    w.wire = WIRE_PENDING;
    w.wire_bytes = bytes;
    return PP_LATER;
}

pp_memory *pp_port_memory(const pp_port *port)
{
    (void) port;
    return &w.memory;
}

void pp_pipe_cancel(pp_pipe *pipe, pp_op *op)
{
    (void) pipe;
    STEPS_ASSERT(op == &w.writer.op);
    steps_take(&w.wire, sizeof w.wire, NULL, NULL);
    w.wire = w.wire == WIRE_IDLE ? WIRE_IDLE : WIRE_CANCELLED;
}

void wire_begin(void)
{
    memset(&w, 0, sizeof w);
    steps_heap_reset();
    pp_memory_init(&w.memory, 0);
    w.pipe.slices_max = 1;
    pp_writer_init(&w.writer, write_done);
    for (int i = 0; i < SENDERS; ++i) {
        w.messages[i] = pp_message_create(&w.memory, &pp_framing_default, PAYLOAD_BYTES, 1);
        STEPS_ASSERT(pp_sendq_reserve(&w.writer.sendq, FRAME_BYTES, QUEUE_BYTES_MAX));
    }
    steps_name(&w.writer.sendq.head, "head");
    steps_name(&w.writer.sendq.bytes, "bytes");
    steps_name(&w.writer.wishes, "wishes");
    steps_name(&w.writer.pending_since, "pending since");
    steps_name(&w.wire, "wire");
}

void wire_begin_quick(void)
{
    wire_begin();
    w.writes_at_once = true;
}

void wire_begin_passing(void)
{
    wire_begin_quick();
    w.pipe.slices_max = PP_SLICES_MAX;
    w.passes = FRAME_BYTES;
}

void wire_begin_half_way(void)
{
    wire_begin_passing();
    w.passes = FRAME_BYTES / 2 + 1;
}

void wire_begin_handed(void)
{
    wire_begin_quick();
    w.hands_over = true;
    steps_name(&w.posted, "posted");
}
