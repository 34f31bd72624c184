/* SPDX-License-Identifier: MIT */
/*
 * test_steps_writer.c - the write pump under every order of its steps: `sealed` comes once however a stop meets pushes,
 * writes and completions, and each accepted byte is written or discarded.
 */
#include "tests/steps/explore.h"
#include "tests/steps/wire.h"

#include <criterion/criterion.h>

TestSuite(steps, .timeout = 100);

static void push(int sender)
{
    pp_message *message = w.messages[sender];
    bool corked = false;
    if (pp_writer_push(&w.writer, &wire_means, &message->links[0], NULL, &corked) == PIPEPORT_OK) {
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
        pp_writer_out(&w.writer, &wire_means, lean, NULL);
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

/* As a worker that answers with what is large; what is left to it is done when its batch has ended. */
static void a_passes(void)
{
    static const uint8_t payload[PAYLOAD_BYTES];
    if (pp_writer_pass(&w.writer, &wire_means, w.messages[0], payload, NULL) == PP_PASS_NOT) {
        push(0);
        return;
    }
    w.accepted += FRAME_BYTES;
    if (w.deferred) {
        w.deferred = false;
        w.writer.op.done(&w.writer.op, (pp_result){{PIPEPORT_OK, 0}, 0, 0}, NULL);
    }
}

static void b_pushes(void)
{
    push(1);
}

static void stops(void)
{
    pp_writer_stop(&w.writer, &wire_means, NULL);
}

static void drains(void)
{
    pp_writer_drain(&w.writer, &wire_means, NULL);
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
                                     .begin = wire_begin,
                                     .fibers = {a_pushes, stops, completes_what_is_cancelled},
                                     .end = end_stopped};
    cr_assert_gt(steps_explore(&scenario), 50);
}

Test(steps, writer_stopped_while_a_write_is_armed_and_another_pushes)
{
    const steps_scenario scenario = {.name = "writer: two push, one stops, the peer never reads",
                                     .begin = wire_begin,
                                     .fibers = {a_pushes, b_pushes, stops, completes_what_is_cancelled},
                                     .end = end_stopped_with_two};
    cr_assert_gt(steps_explore(&scenario), 1000);
}

Test(steps, writer_stopped_while_it_gives_the_pump_back)
{
    const steps_scenario scenario = {.name = "writer: one pushes, one stops, writes finish at once",
                                     .begin = wire_begin_quick,
                                     .fibers = {a_pushes, stops},
                                     .end = end_stopped};
    cr_assert_gt(steps_explore(&scenario), 20);
}

Test(steps, writer_stopped_while_it_gives_the_pump_back_and_another_pushes)
{
    const steps_scenario scenario = {.name = "writer: two push, one stops, writes finish at once",
                                     .begin = wire_begin_quick,
                                     .fibers = {a_pushes, b_pushes, stops},
                                     .end = end_stopped_with_two};
    cr_assert_gt(steps_explore(&scenario), 1000);
}

Test(steps, writer_stopped_while_completions_come)
{
    const steps_scenario scenario = {.name = "writer: two push, one stops, the peer reads",
                                     .begin = wire_begin,
                                     .fibers = {a_pushes, b_pushes, stops, completes},
                                     .end = end_stopped_with_two};
    cr_assert_gt(steps_explore(&scenario), 1000);
}

Test(steps, writer_writes_what_two_push)
{
    const steps_scenario scenario = {.name = "writer: two push, a third completes",
                                     .begin = wire_begin,
                                     .fibers = {a_pushes, b_pushes, completes},
                                     .end = end_written};
    cr_assert_gt(steps_explore(&scenario), 100);
}

Test(steps, writer_writes_what_two_push_and_hand_over)
{
    const steps_scenario scenario = {.name = "writer: two push and hand over, a worker comes",
                                     .begin = wire_begin_handed,
                                     .fibers = {a_pushes, b_pushes, comes},
                                     .end = end_written};
    cr_assert_gt(steps_explore(&scenario), 100);
}

Test(steps, writer_stopped_while_it_is_handed_over)
{
    const steps_scenario scenario = {.name = "writer: two push and hand over, one stops, a worker comes",
                                     .begin = wire_begin_handed,
                                     .fibers = {a_pushes, b_pushes, stops, comes},
                                     .end = end_stopped_with_two};
    cr_assert_gt(steps_explore(&scenario), 1000);
}

Test(steps, writer_drained_while_it_gives_the_pump_back)
{
    const steps_scenario scenario = {.name = "writer: one pushes, one drains, writes finish at once",
                                     .begin = wire_begin_quick,
                                     .fibers = {a_pushes, drains},
                                     .end = end_drained};
    cr_assert_gt(steps_explore(&scenario), 20);
}

Test(steps, writer_drained_while_it_gives_the_pump_back_and_another_pushes)
{
    const steps_scenario scenario = {.name = "writer: two push, one drains, writes finish at once",
                                     .begin = wire_begin_quick,
                                     .fibers = {a_pushes, b_pushes, drains},
                                     .end = end_drained_with_two};
    cr_assert_gt(steps_explore(&scenario), 1000);
}

Test(steps, writer_drained_while_completions_come)
{
    const steps_scenario scenario = {.name = "writer: two push, one drains, the peer reads",
                                     .begin = wire_begin,
                                     .fibers = {a_pushes, b_pushes, drains, completes},
                                     .end = end_drained_with_two};
    cr_assert_gt(steps_explore(&scenario), 1000);
}

Test(steps, writer_stopped_while_it_is_drained)
{
    const steps_scenario scenario = {.name = "writer: one pushes, one drains, one stops, the peer never reads",
                                     .begin = wire_begin,
                                     .fibers = {a_pushes, drains, stops, completes_what_is_cancelled},
                                     .end = end_stopped};
    cr_assert_gt(steps_explore(&scenario), 1000);
}

Test(steps, writer_fans_while_another_pushes)
{
    const steps_scenario scenario = {.name = "writer: one fans, one pushes, writes finish at once",
                                     .begin = wire_begin_quick,
                                     .fibers = {a_fans, b_pushes},
                                     .end = end_written};
    cr_assert_gt(steps_explore(&scenario), 20);
}

Test(steps, writer_stopped_while_it_fans)
{
    steps_scenario scenario = {.name = "writer: one fans, one pushes, one stops, writes finish at once",
                               .begin = wire_begin_quick,
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
                               .begin = wire_begin_quick,
                               .fibers = {a_fans, b_pushes, drains},
                               .end = end_drained_with_two};
    cr_assert_gt(steps_explore(&scenario), 1000);
    scenario.name = "writer: one fans alone, one pushes, one drains, writes finish at once";
    scenario.fibers[0] = a_fans_alone;
    cr_assert_gt(steps_explore(&scenario), 1000);
}

static void explore_passes(const char *name, void (*other)(void), void (*end)(void))
{
    steps_scenario scenario = {
        .name = name, .begin = wire_begin_passing, .fibers = {a_passes, b_pushes, other}, .end = end};
    cr_assert_gt(steps_explore(&scenario), 50);
    scenario.begin = wire_begin_half_way;
    cr_assert_gt(steps_explore(&scenario), 50);
}

Test(steps, writer_passes_while_another_pushes)
{
    explore_passes("writer: one passes, one pushes, writes finish at once", NULL, end_written);
}

Test(steps, writer_stopped_while_it_passes)
{
    explore_passes("writer: one passes, one pushes, one stops, writes finish at once", stops, end_stopped_with_two);
}

Test(steps, writer_drained_while_it_passes)
{
    explore_passes("writer: one passes, one pushes, one drains, writes finish at once", drains, end_drained_with_two);
}
