/* SPDX-License-Identifier: MIT */
/* test_writer.c - the write pump on a pipe that takes what the test says, byte by byte. */
#include "tests/support/pump.h"

#include <criterion/criterion.h>

TestSuite(writer, .timeout = 100);

static test_bytes expected;

static void begin(uint32_t slices_max)
{
    pump_begin(slices_max, 1 << 24, false);
    expected.length = 0;
}

/* A message whose bytes tell where they belong. */
static pipeport_status push(uint32_t payload_bytes, pp_worker *worker)
{
    static uint8_t stamp;
    pp_message *message = pp_message_create(&pump.memory, &pp_framing_default, payload_bytes, 1);
    if (!message) {
        return PIPEPORT_NO_MEMORY;
    }
    for (uint32_t i = 0; i < payload_bytes; ++i) {
        pp_message_payload(message)[i] = stamp++;
    }
    cr_assert(pp_sendq_reserve(&pump.writer.sendq, message->frame_bytes, pump.means.queue_bytes_max));
    test_bytes frame = {0};
    test_bytes_add(&frame, message->frame, message->frame_bytes);
    bool corked = false;
    pump.pins += 1; /* The caller's. */
    pipeport_status status = pp_writer_push(&pump.writer, &pump.means, &message->links[0], worker, &corked);
    pump.pins -= !corked;
    if (status == PIPEPORT_OK) {
        test_bytes_add(&expected, frame.data, frame.length);
    } else {
        pp_message_release(message, 1);
    }
    free(frame.data);
    return status;
}

/* What was written is the begin of what was accepted; with what was discarded it is all. */
static void expect_accounts(void)
{
    cr_assert_leq(pump.pipe->written.length, expected.length);
    cr_assert(!pump.wrote || memcmp(pump.pipe->written.data, expected.data, pump.pipe->written.length) == 0);
    cr_assert_eq(pump.wrote, pump.pipe->written.length);
    cr_assert(!pump.sealed || pump.wrote + pump.discarded == expected.length);
    pp_sendq_check(&pump.writer.sendq, pump.means.queue_bytes_max);
}

static void end(void)
{
    pump_stop();
    cr_assert_eq(push(1, NULL), PIPEPORT_GONE);
    cr_assert_eq(pump.pins, 0);
    expect_accounts();
    pump_end();
}

static void expect_all_written(void)
{
    expect_accounts();
    cr_assert_eq(pump.pipe->written.length, expected.length);
}

/* Small ones that are joined, a large one that is not, one longer than a burst, an empty one. */
static const uint32_t sizes[] = {0, 1, 7, 2000, 3000, 40000, 2, 300000, 5, 0};

enum { SIZES = sizeof sizes / sizeof sizes[0] };

static void push_all(pp_worker *worker)
{
    for (unsigned i = 0; i < SIZES; ++i) {
        cr_assert_eq(push(sizes[i], worker), PIPEPORT_OK);
    }
}

Test(writer, writes_every_size_in_order_whatever_a_write_takes)
{
    static const uint32_t takes[] = {UINT32_MAX, 100000, 4096, 1000, 17, 5};
    for (unsigned slices = 1; slices <= PP_SLICES_MAX; slices += 5) {
        for (unsigned later = 0; later < 2; ++later) {
            for (unsigned i = 0; i < sizeof takes / sizeof takes[0]; ++i) {
                begin(slices);
                pump.pipe->writes_later = later;
                pump.pipe->write_bytes_max = takes[i];
                push_all(NULL);
                pump_settle();
                expect_all_written();
                end();
            }
        }
    }
}

Test(writer, goes_on_from_every_byte_at_which_a_write_may_end)
{
    for (uint64_t cut = 0; cut < 60; ++cut) {
        begin(PP_SLICES_MAX);
        pump.pipe->write_room = cut;
        for (uint32_t i = 0; i < 6; ++i) {
            cr_assert_eq(push(i, NULL), PIPEPORT_OK);
        }
        pump_settle();
        cr_assert_eq(pump.pipe->written.length, cut < expected.length ? cut : expected.length);
        for (unsigned i = 0; i < 60; ++i) {
            fake_peer_reads(pump.pipe, 1);
            pump_settle();
        }
        expect_all_written();
        end();
    }
}

static void push_on_worker(pp_op *op, pp_result result, void *drainer)
{
    (void) op;
    (void) result;
    push_all(drainer);
    cr_assert_eq(pump.pipe->writes, 0, "written before the end of the batch");
}

Test(writer, holds_back_what_a_worker_pushes_until_its_batch_ends)
{
    begin(PP_SLICES_MAX);
    pp_op op = {.done = push_on_worker};
    pp_port_post(pump.port, &op);
    pump_settle();
    expect_all_written();
    cr_assert_leq(pump.pipe->writes, 5, "%u writes", pump.pipe->writes);
    end();
}

Test(writer, writes_one_by_one_where_there_is_no_memory_to_join)
{
    begin(1);
    pump.pipe->write_room = 0;
    for (int i = 0; i < 5; ++i) {
        cr_assert_eq(push(10, NULL), PIPEPORT_OK);
    }
    pump.memory.fail_after = 0;
    pump.pipe->write_room = UINT64_MAX;
    fake_peer_reads(pump.pipe, 0);
    pump_settle();
    pump.memory.fail_after = UINT64_MAX;
    expect_all_written();
    cr_assert_eq(pump.pipe->writes, 5);
    end();
}

/* A frame of a message that was built in place, which is released: its links are all that keeps it. */
static void push_built(const char *text, uint32_t bytes)
{
    static const pp_framing lines = {.kind = PP_FRAMING_DELIMITER, .delimiter = '\n'};
    pp_message *built = pp_message_build(&pump.memory, &lines, bytes);
    memcpy(pp_message_payload(built), text, bytes);
    pp_message *fan = pp_message_fan(built, 1);
    pp_message_release(built, 1);
    cr_assert(pp_sendq_reserve(&pump.writer.sendq, fan->frame_bytes, pump.means.queue_bytes_max));
    test_bytes_add(&expected, fan->frame, fan->frame_bytes);
    bool corked = false;
    cr_assert_eq(pp_writer_push(&pump.writer, &pump.means, &fan->links[0], NULL, &corked), PIPEPORT_OK);
}

Test(writer, joins_what_was_built_in_place_and_keeps_nothing_of_it)
{
    begin(PP_SLICES_MAX);
    pump.pipe->write_room = 2;
    push_built("first", 5);
    pump_settle();
    for (int i = 0; i < 3; ++i) {
        push_built("joined", 6);
    }
    fake_peer_reads(pump.pipe, 6);
    pump_settle();
    cr_assert_not_null(pump.writer.chain);
    cr_assert_eq(pump.writer.chain->message->frame_bytes, 3 * 7);
    cr_assert_eq(pump.writer.chain->message->framing, &pp_framing_default, "theirs went with their blocks");
    fake_peer_reads(pump.pipe, 3 * 7);
    pump_settle();
    expect_all_written();
    end();
}

Test(writer, hands_a_long_queue_over_to_a_worker)
{
    begin(1);
    pump.pipe->write_bytes_max = 1;
    cr_assert_eq(push(100, NULL), PIPEPORT_OK); /* On this thread, which is nobody's worker. */
    cr_assert_eq(pump.pipe->written.length, 16, "one go wrote %zu", pump.pipe->written.length);
    cr_assert_eq(fake_port_waiting(), 1);
    pump_settle();
    expect_all_written();
    end();
}

Test(writer, tells_drained_when_half_is_free_and_somebody_was_refused)
{
    begin(PP_SLICES_MAX);
    pump.means.queue_bytes_max = 100;
    pump.pipe->write_room = 0;
    cr_assert_eq(push(96, NULL), PIPEPORT_OK);
    cr_assert_not(pp_sendq_reserve(&pump.writer.sendq, 1, pump.means.queue_bytes_max));
    fake_peer_reads(pump.pipe, 49);
    pump_settle();
    cr_assert_eq(pump.drained, 0);
    fake_peer_reads(pump.pipe, 1);
    pump_settle();
    cr_assert_eq(pump.drained, 1);
    fake_peer_reads(pump.pipe, 50);
    pump_settle();
    cr_assert_eq(pump.drained, 1);
    end();
}

Test(writer, discards_what_is_left_at_every_byte_when_it_is_stopped)
{
    for (uint64_t cut = 0; cut <= 30; ++cut) {
        begin(PP_SLICES_MAX);
        pump.pipe->write_room = cut;
        for (uint32_t i = 0; i < 4; ++i) {
            cr_assert_eq(push(i, NULL), PIPEPORT_OK);
        }
        pp_writer_stop(&pump.writer, &pump.means, NULL);
        pump_settle();
        cr_assert_eq(pump.discarded, expected.length - (cut < expected.length ? cut : expected.length));
        end();
    }
}

static void stop_inside(fake_pipe *of)
{
    of->inside_write = NULL;
    pp_writer_stop(&pump.writer, &pump.means, NULL);
}

Test(writer, cancels_a_write_that_was_being_armed_when_it_was_stopped)
{
    begin(PP_SLICES_MAX);
    pump.pipe->write_room = 0;
    pump.pipe->inside_write = stop_inside; /* Its cancel finds nothing armed yet. */
    cr_assert_eq(push(10, NULL), PIPEPORT_OK);
    cr_assert_eq(pump.pipe->cancels, 1, "the write is left pending behind the cancel");
    pump_settle();
    cr_assert_eq(pump.stalled, 0);
    end();
}

Test(writer, is_sealed_when_it_is_stopped_inside_a_write_that_finishes)
{
    begin(PP_SLICES_MAX);
    pump.pipe->inside_write = stop_inside;
    cr_assert_eq(push(10, NULL), PIPEPORT_OK);
    cr_assert_eq(pump.sealed, 1);
    cr_assert_eq(pump.wrote, 14);
    end();
}

Test(writer, waits_for_a_write_whose_cancel_was_not_heard)
{
    begin(PP_SLICES_MAX);
    pump.pipe->write_room = 0;
    pump.pipe->cancel_loses = true;
    cr_assert_eq(push(10, NULL), PIPEPORT_OK);
    pp_writer_stop(&pump.writer, &pump.means, NULL);
    pump_settle();
    cr_assert_eq(pump.sealed, 0);
    fake_peer_reads(pump.pipe, 10);
    pump_settle();
    cr_assert_eq(pump.sealed, 1);
    cr_assert_eq(pump.discarded, 4);
    end();
}

Test(writer, is_sealed_when_it_is_stopped_on_its_way_to_a_worker)
{
    begin(1);
    pump.pipe->write_bytes_max = 1;
    cr_assert_eq(push(100, NULL), PIPEPORT_OK);
    pp_writer_stop(&pump.writer, &pump.means, NULL);
    cr_assert_eq(pump.sealed, 0);
    pump_settle();
    cr_assert_eq(pump.sealed, 1);
    end();
}

Test(writer, can_be_stopped_more_than_once)
{
    begin(1);
    pump.pipe->write_room = 0;
    cr_assert_eq(push(10, NULL), PIPEPORT_OK);
    pp_writer_stop(&pump.writer, &pump.means, NULL);
    pp_writer_stop(&pump.writer, &pump.means, NULL);
    pump_settle();
    pp_writer_stop(&pump.writer, &pump.means, NULL);
    end();
}

Test(writer, breaks_with_what_the_pipe_says_now_or_later)
{
    for (unsigned later = 0; later < 2; ++later) {
        begin(PP_SLICES_MAX);
        pump.pipe->writes_later = later;
        pump.pipe->write_end = (pp_fault){PIPEPORT_SYSTEM, 1450};
        cr_assert_eq(push(10, NULL), PIPEPORT_OK);
        pump_settle();
        cr_assert_eq(pump.sealed, 1);
        cr_assert_eq(pump.writer.fault.status, PIPEPORT_SYSTEM);
        cr_assert_eq(pump.writer.fault.system_code, 1450);
        cr_assert_eq(pump.discarded, 14);
        end();
    }
}

Test(writer, ends_at_a_drain_when_all_before_it_is_written)
{
    begin(PP_SLICES_MAX);
    pump.pipe->write_room = 20;
    cr_assert_eq(push(10, NULL), PIPEPORT_OK);
    cr_assert_eq(push(10, NULL), PIPEPORT_OK);
    pp_writer_drain(&pump.writer, &pump.means, NULL);
    pump_settle();
    cr_assert_eq(pump.sealed, 0);
    fake_peer_reads(pump.pipe, 8);
    pump_settle();
    cr_assert_eq(pump.sealed, 1);
    cr_assert(pump.writer.drained);
    expect_all_written();
    end();
}

Test(writer, ends_at_once_where_it_is_drained_with_nothing_to_write)
{
    begin(PP_SLICES_MAX);
    pp_writer_drain(&pump.writer, &pump.means, NULL);
    cr_assert_eq(pump.sealed, 1);
    cr_assert(pump.writer.drained);
    end();
}

Test(writer, still_writes_what_was_accepted_behind_a_drain)
{
    begin(PP_SLICES_MAX);
    pump.pipe->write_room = 0;
    cr_assert_eq(push(10, NULL), PIPEPORT_OK);
    pp_writer_drain(&pump.writer, &pump.means, NULL);
    cr_assert_eq(push(20, NULL), PIPEPORT_OK); /* A sender who had looked for a close just before it came. */
    fake_peer_reads(pump.pipe, 20);
    pump_settle();
    cr_assert_eq(pump.sealed, 0);
    cr_assert_eq(push(30, NULL), PIPEPORT_GONE);
    fake_peer_reads(pump.pipe, 100);
    pump_settle();
    cr_assert_eq(pump.sealed, 1);
    cr_assert_eq(pump.discarded, 0);
    expect_all_written();
    end();
}

Test(writer, still_writes_what_came_while_the_last_before_a_drain_was_written)
{
    begin(PP_SLICES_MAX);
    pump.pipe->write_room = 0;
    cr_assert_eq(push(10, NULL), PIPEPORT_OK);
    cr_assert_eq(push(10, NULL), PIPEPORT_OK);
    fake_peer_reads(pump.pipe, 14);
    pump_settle(); /* The second is pending: whoever holds the pump does not look now. */
    pp_writer_drain(&pump.writer, &pump.means, NULL);
    cr_assert_eq(pump.sealed, 0);
    cr_assert_eq(push(20, NULL), PIPEPORT_OK);
    cr_assert_eq(push(0, NULL), PIPEPORT_OK);
    fake_peer_reads(pump.pipe, 100);
    pump_settle();
    cr_assert_eq(pump.sealed, 1);
    cr_assert_eq(pump.discarded, 0);
    expect_all_written();
    end();
}

Test(writer, breaks_behind_a_drain_too)
{
    begin(PP_SLICES_MAX);
    pump.pipe->write_room = 0;
    cr_assert_eq(push(10, NULL), PIPEPORT_OK);
    pp_writer_drain(&pump.writer, &pump.means, NULL);
    cr_assert_eq(push(20, NULL), PIPEPORT_OK);
    fake_peer_reads(pump.pipe, 20);
    pump_settle();
    fake_fail_write(pump.pipe, PIPEPORT_GONE, 232);
    pump_settle();
    cr_assert_eq(pump.sealed, 1);
    cr_assert_eq(pump.writer.fault.status, PIPEPORT_GONE);
    cr_assert_eq(pump.discarded, 18);
    end();
}
