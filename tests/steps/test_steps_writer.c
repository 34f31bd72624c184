/* SPDX-License-Identifier: MIT */
/*
 * test_steps_writer.c - the write pump under every order of its steps: `sealed` comes once however a stop meets pushes,
 * writes and completions, and each accepted byte is written or discarded.
 *
 * The wire is a pipe whose write is pending until it is cancelled or, if the scenario says so, finished. Arming and
 * cancelling are steps.
 */
#include "engine/conn/writer.h"
#include "tests/steps/explore.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(steps, .timeout = 100);

enum { SENDERS = 2, PAYLOAD_BYTES = 4, FRAME_BYTES = PAYLOAD_BYTES + 4, QUEUE_BYTES_MAX = 64 };

typedef enum wire_state { WIRE_IDLE, WIRE_PENDING, WIRE_CANCELLED } wire_state;

static struct {
    pp_writer writer;
    pp_pipe pipe;
    pp_memory memory;
    pp_message *messages[SENDERS];
    uint32_t wire;       /* wire_state. */
    uint32_t wire_bytes; /* What is pending. */
    bool writes_at_once, hands_over;
    uint32_t posted;                       /* The pump is with the port. */
    uint32_t written, accepted, discarded; /* Sums. */
    uint32_t sealed;
    int pins;
} w;

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
static const pp_writer_means means = {&up, &w.pipe, QUEUE_BYTES_MAX};

static void write_done(pp_op *op, pp_result result, void *drainer)
{
    (void) op;
    pp_writer_done(&w.writer, &means, result, drainer);
}

uint64_t pp_os_now_ms(void)
{
    return 1;
}

void pp_worker_defer(pp_worker *worker, pp_op *chore)
{
    (void) worker;
    (void) chore;
    STEPS_ASSERT(!"nobody is a worker here");
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
    (void) pipe;
    (void) op;
    steps_take(&w.wire, sizeof w.wire, NULL, NULL);
    STEPS_ASSERT(w.wire == WIRE_IDLE);
    STEPS_ASSERT(count >= 1 && slices[0].bytes >= FRAME_BYTES);
    if (w.writes_at_once) {
        *now = (pp_result){{PIPEPORT_OK, 0}, slices[0].bytes, 0};
        return PP_NOW;
    }
    w.wire = WIRE_PENDING;
    w.wire_bytes = slices[0].bytes;
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

static void begin(void)
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

static void begin_with_a_quick_wire(void)
{
    begin();
    w.writes_at_once = true;
}

static void begin_with_a_worker(void)
{
    begin_with_a_quick_wire();
    w.hands_over = true;
    steps_name(&w.posted, "posted");
}

static void push(int sender)
{
    pp_message *message = w.messages[sender];
    bool corked = false;
    if (pp_writer_push(&w.writer, &means, &message->links[0], NULL, &corked) == PIPEPORT_OK) {
        w.accepted += FRAME_BYTES;
    } else {
        pp_message_release(message, 1);
    }
}

static void a_pushes(void)
{
    push(0);
}

/* As a worker that fans a broadcast out: the pump is taken with the link, and written behind. */
static void fan(bool lean)
{
    w.pins += !lean;
    if (pp_writer_take(&w.writer, &w.messages[0]->links[0])) {
        w.accepted += FRAME_BYTES;
        pp_writer_out(&w.writer, &means, lean, NULL);
    } else {
        w.pins -= !lean;
        push(0);
    }
}

static void a_fans(void)
{
    fan(false);
}

static void a_fans_alone(void)
{
    fan(true);
}

static void b_pushes(void)
{
    push(1);
}

static void stops(void)
{
    pp_writer_stop(&w.writer, &means, NULL);
}

static void drains(void)
{
    pp_writer_drain(&w.writer, &means, NULL);
}

static bool is_over_or_cancelled(void *argument)
{
    (void) argument;
    return w.sealed || w.wire == WIRE_CANCELLED;
}

static bool is_over_or_pending(void *argument)
{
    (void) argument;
    return w.sealed || w.written == SENDERS * FRAME_BYTES || w.wire != WIRE_IDLE;
}

static void complete(bool (*ready)(void *argument), pipeport_status status)
{
    for (;;) {
        steps_wait(ready, NULL);
        if (w.wire == WIRE_IDLE) {
            return;
        }
        bool ok = status == PIPEPORT_OK && w.wire == WIRE_PENDING;
        w.wire = WIRE_IDLE;
        w.writer.op.done(&w.writer.op, (pp_result){{ok ? PIPEPORT_OK : PIPEPORT_STOPPED, 0}, ok ? w.wire_bytes : 0, 0},
                         NULL);
    }
}

/* The peer never reads: a write comes home when it is cancelled, and only then. */
static void completes_what_is_cancelled(void)
{
    complete(is_over_or_cancelled, PIPEPORT_STOPPED);
}

static void completes(void)
{
    complete(is_over_or_pending, PIPEPORT_OK);
}

static bool is_over_or_posted(void *argument)
{
    (void) argument;
    return w.sealed || w.written == SENDERS * FRAME_BYTES || w.posted;
}

/* The worker that the pump is handed over to. */
static void comes(void)
{
    for (;;) {
        steps_wait(is_over_or_posted, NULL);
        if (!w.posted) {
            return;
        }
        w.posted = 0;
        w.writer.op.done(&w.writer.op, (pp_result){{PIPEPORT_OK, 0}, 0, 0}, NULL);
    }
}

/* What was not sent from the beginning is reserved still. */
static void end_common(uint32_t senders)
{
    STEPS_ASSERT(w.pins == 0);
    STEPS_ASSERT(w.wire == WIRE_IDLE);
    STEPS_ASSERT(steps_heap_blocks() == SENDERS - senders);
    STEPS_ASSERT(w.accepted == w.written + w.discarded);
    STEPS_ASSERT(*(const uint32_t *) (const void *) &w.writer.sendq.bytes == (SENDERS - senders) * FRAME_BYTES);
    pp_sendq_check(&w.writer.sendq, QUEUE_BYTES_MAX);
}

static void end_stopped(void)
{
    STEPS_ASSERT(w.sealed == 1);
    end_common(1);
}

static void end_stopped_with_two(void)
{
    STEPS_ASSERT(w.sealed == 1);
    end_common(2);
}

/* Nothing that was accepted is discarded, and the end is told however the wish met the pump. */
static void end_drained(void)
{
    STEPS_ASSERT(w.sealed == 1 && w.discarded == 0 && w.writer.drained);
    STEPS_ASSERT(w.writer.fault.status == PIPEPORT_OK);
    end_common(1);
}

static void end_drained_with_two(void)
{
    STEPS_ASSERT(w.sealed == 1 && w.discarded == 0 && w.writer.drained);
    end_common(2);
}

static void end_written(void)
{
    STEPS_ASSERT(w.sealed == 0 && w.written == SENDERS * FRAME_BYTES);
    end_common(2);
    STEPS_ASSERT(pp_sendq_hold(&w.writer.sendq));
}

Test(steps, writer_stopped_while_a_write_is_armed)
{
    const steps_scenario scenario = {.name = "writer: one pushes, one stops, the peer never reads",
                                     .begin = begin,
                                     .fibers = {a_pushes, stops, completes_what_is_cancelled},
                                     .end = end_stopped};
    cr_assert_gt(steps_explore(&scenario), 50);
}

Test(steps, writer_stopped_while_a_write_is_armed_and_another_pushes)
{
    const steps_scenario scenario = {.name = "writer: two push, one stops, the peer never reads",
                                     .begin = begin,
                                     .fibers = {a_pushes, b_pushes, stops, completes_what_is_cancelled},
                                     .end = end_stopped_with_two};
    cr_assert_gt(steps_explore(&scenario), 1000);
}

Test(steps, writer_stopped_while_it_gives_the_pump_back)
{
    const steps_scenario scenario = {.name = "writer: one pushes, one stops, writes finish at once",
                                     .begin = begin_with_a_quick_wire,
                                     .fibers = {a_pushes, stops},
                                     .end = end_stopped};
    cr_assert_gt(steps_explore(&scenario), 20);
}

Test(steps, writer_stopped_while_it_gives_the_pump_back_and_another_pushes)
{
    const steps_scenario scenario = {.name = "writer: two push, one stops, writes finish at once",
                                     .begin = begin_with_a_quick_wire,
                                     .fibers = {a_pushes, b_pushes, stops},
                                     .end = end_stopped_with_two};
    cr_assert_gt(steps_explore(&scenario), 1000);
}

Test(steps, writer_stopped_while_completions_come)
{
    const steps_scenario scenario = {.name = "writer: two push, one stops, the peer reads",
                                     .begin = begin,
                                     .fibers = {a_pushes, b_pushes, stops, completes},
                                     .end = end_stopped_with_two};
    cr_assert_gt(steps_explore(&scenario), 1000);
}

Test(steps, writer_writes_what_two_push)
{
    const steps_scenario scenario = {.name = "writer: two push, a third completes",
                                     .begin = begin,
                                     .fibers = {a_pushes, b_pushes, completes},
                                     .end = end_written};
    cr_assert_gt(steps_explore(&scenario), 100);
}

Test(steps, writer_writes_what_two_push_and_hand_over)
{
    const steps_scenario scenario = {.name = "writer: two push and hand over, a worker comes",
                                     .begin = begin_with_a_worker,
                                     .fibers = {a_pushes, b_pushes, comes},
                                     .end = end_written};
    cr_assert_gt(steps_explore(&scenario), 100);
}

Test(steps, writer_stopped_while_it_is_handed_over)
{
    const steps_scenario scenario = {.name = "writer: two push and hand over, one stops, a worker comes",
                                     .begin = begin_with_a_worker,
                                     .fibers = {a_pushes, b_pushes, stops, comes},
                                     .end = end_stopped_with_two};
    cr_assert_gt(steps_explore(&scenario), 1000);
}

Test(steps, writer_drained_while_it_gives_the_pump_back)
{
    const steps_scenario scenario = {.name = "writer: one pushes, one drains, writes finish at once",
                                     .begin = begin_with_a_quick_wire,
                                     .fibers = {a_pushes, drains},
                                     .end = end_drained};
    cr_assert_gt(steps_explore(&scenario), 20);
}

Test(steps, writer_drained_while_it_gives_the_pump_back_and_another_pushes)
{
    const steps_scenario scenario = {.name = "writer: two push, one drains, writes finish at once",
                                     .begin = begin_with_a_quick_wire,
                                     .fibers = {a_pushes, b_pushes, drains},
                                     .end = end_drained_with_two};
    cr_assert_gt(steps_explore(&scenario), 1000);
}

Test(steps, writer_drained_while_completions_come)
{
    const steps_scenario scenario = {.name = "writer: two push, one drains, the peer reads",
                                     .begin = begin,
                                     .fibers = {a_pushes, b_pushes, drains, completes},
                                     .end = end_drained_with_two};
    cr_assert_gt(steps_explore(&scenario), 1000);
}

Test(steps, writer_stopped_while_it_is_drained)
{
    const steps_scenario scenario = {.name = "writer: one pushes, one drains, one stops, the peer never reads",
                                     .begin = begin,
                                     .fibers = {a_pushes, drains, stops, completes_what_is_cancelled},
                                     .end = end_stopped};
    cr_assert_gt(steps_explore(&scenario), 1000);
}

Test(steps, writer_fans_while_another_pushes)
{
    const steps_scenario scenario = {.name = "writer: one fans, one pushes, writes finish at once",
                                     .begin = begin_with_a_quick_wire,
                                     .fibers = {a_fans, b_pushes},
                                     .end = end_written};
    cr_assert_gt(steps_explore(&scenario), 20);
}

Test(steps, writer_stopped_while_it_fans)
{
    steps_scenario scenario = {.name = "writer: one fans, one pushes, one stops, writes finish at once",
                               .begin = begin_with_a_quick_wire,
                               .fibers = {a_fans, b_pushes, stops},
                               .end = end_stopped_with_two};
    cr_assert_gt(steps_explore(&scenario), 1000);
    scenario.name = "writer: one fans alone, one pushes, one stops, writes finish at once";
    scenario.fibers[0] = a_fans_alone;
    cr_assert_gt(steps_explore(&scenario), 1000);
}

Test(steps, writer_drained_while_it_fans)
{
    steps_scenario scenario = {.name = "writer: one fans, one pushes, one drains, writes finish at once",
                               .begin = begin_with_a_quick_wire,
                               .fibers = {a_fans, b_pushes, drains},
                               .end = end_drained_with_two};
    cr_assert_gt(steps_explore(&scenario), 1000);
    scenario.name = "writer: one fans alone, one pushes, one drains, writes finish at once";
    scenario.fibers[0] = a_fans_alone;
    cr_assert_gt(steps_explore(&scenario), 1000);
}
