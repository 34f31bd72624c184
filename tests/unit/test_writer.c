/* SPDX-License-Identifier: MIT */
/* test_writer.c - the write pump on a pipe that takes what the test says, byte by byte. */
#include "engine/conn/writer.h"
#include "tests/support/fake_os.h"
#include "tests/support/fake_port.h"

#include <criterion/criterion.h>

TestSuite(writer, .timeout = 60);

static pp_memory memory;
static pp_deadlines deadlines;
static pp_pool pool;
static pp_port *port;
static pp_writer writer;
static pp_pipe place;
static fake_pipe *pipe;
static int pins;
static unsigned sealed, drained, stalled;
static uint64_t wrote, discarded;
static test_bytes expected;
static pp_writer_means means;

static void up_pin(pp_writer *of)
{
    cr_assert_eq(of, &writer);
    pins += 1;
}

static void up_unpin(pp_writer *of, pp_worker *worker)
{
    (void) of;
    (void) worker;
    pins -= 1;
    cr_assert_geq(pins, 0);
}

static void up_wrote(pp_writer *of, uint32_t bytes, pp_worker *worker)
{
    (void) worker;
    wrote += of == &writer ? bytes : 0;
}

static void up_stalled(pp_writer *of, uint64_t since_ms, pp_worker *worker)
{
    (void) worker;
    stalled += of->pending_since == pp_stamp_of(since_ms);
}

static void up_drained(pp_writer *of, pp_worker *worker)
{
    (void) of;
    (void) worker;
    drained += 1;
}

static void up_sealed(pp_writer *of, pp_worker *worker)
{
    (void) worker;
    cr_assert_gt(pins, 0, "sealed without the pump's pin");
    sealed += 1;
    discarded += of->discarded;
}

static bool up_hands_over(pp_writer *of)
{
    return of != &writer;
}

static const pp_writer_up up = {up_pin, up_unpin, up_wrote, up_stalled, up_drained, up_sealed, up_hands_over};

static void write_done(pp_op *op, pp_result result, void *drainer)
{
    cr_assert_eq(op, &writer.op);
    pp_writer_done(&writer, &means, result, drainer);
}

static void begin(uint32_t slices_max)
{
    fake_reset();
    fake.waits = fake_os_pass;
    fake.slices_max = slices_max;
    pp_memory_init(&memory, 0);
    cr_assert_eq(pp_port_create(&port, &memory, &(pp_port_options){.drainers = 1}).status, PIPEPORT_OK);
    pp_deadlines_init(&deadlines, NULL);
    cr_assert_eq(pp_pool_start(&pool, port, &deadlines, 0).status, PIPEPORT_OK);
    pipe = fake_pipe_open(&place, port);
    means = (pp_writer_means){&up, &place, 1 << 24};
    pp_writer_init(&writer, write_done);
    pins = 0;
    sealed = drained = stalled = 0;
    wrote = discarded = 0;
    expected.length = 0;
}

static void settle(void)
{
    do {
        cr_assert_eq(pp_pool_lend(&pool, 0), PIPEPORT_OK);
    } while (fake_port_waiting());
    pp_writer_check(&writer, &means);
}

/* A message whose bytes tell where they belong. */
static pipeport_status push(uint32_t payload_bytes, pp_worker *worker)
{
    static uint8_t stamp;
    pp_message *message = pp_message_create(&memory, &pp_framing_default, payload_bytes, 1);
    if (!message) {
        return PIPEPORT_NO_MEMORY;
    }
    for (uint32_t i = 0; i < payload_bytes; ++i) {
        pp_message_payload(message)[i] = stamp++;
    }
    cr_assert(pp_sendq_reserve(&writer.sendq, message->frame_bytes, means.queue_bytes_max));
    test_bytes frame = {0};
    test_bytes_add(&frame, message->frame, message->frame_bytes);
    bool corked = false;
    pins += 1; /* The caller's. */
    pipeport_status status = pp_writer_push(&writer, &means, &message->links[0], worker, &corked);
    pins -= !corked;
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
    cr_assert_leq(pipe->written.length, expected.length);
    cr_assert(!wrote || memcmp(pipe->written.data, expected.data, pipe->written.length) == 0);
    cr_assert_eq(wrote, pipe->written.length);
    cr_assert(!sealed || wrote + discarded == expected.length);
    pp_sendq_check(&writer.sendq, means.queue_bytes_max);
}

static void end(void)
{
    if (!sealed) {
        pp_writer_stop(&writer, &means, NULL);
        settle();
    }
    cr_assert_eq(sealed, 1, "sealed %u times", sealed);
    cr_assert_eq(pins, 0, "%d pins left", pins);
    cr_assert_eq(push(1, NULL), PIPEPORT_GONE);
    cr_assert_eq(pins, 0);
    expect_accounts();
    cr_assert_eq(writer.sendq.bytes, 0);
    cr_assert_eq(fake.armed, fake.done);
    pp_pipe_close(&place);
    pp_pool_stop(&pool);
    pp_deadlines_fini(&deadlines);
    pp_port_destroy(port);
    pp_memory_check(&memory);
    cr_assert_eq(memory.bytes, 0, "%llu bytes left", (unsigned long long) memory.bytes);
    fake_reset();
    free(expected.data);
    expected = (test_bytes){0};
}

static void expect_all_written(void)
{
    expect_accounts();
    cr_assert_eq(pipe->written.length, expected.length);
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
                pipe->writes_later = later;
                pipe->write_bytes_max = takes[i];
                push_all(NULL);
                settle();
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
        pipe->write_room = cut;
        for (uint32_t i = 0; i < 6; ++i) {
            cr_assert_eq(push(i, NULL), PIPEPORT_OK);
        }
        settle();
        cr_assert_eq(pipe->written.length, cut < expected.length ? cut : expected.length);
        for (unsigned i = 0; i < 60; ++i) {
            fake_peer_reads(pipe, 1);
            settle();
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
    cr_assert_eq(pipe->writes, 0, "written before the end of the batch");
}

Test(writer, holds_back_what_a_worker_pushes_until_its_batch_ends)
{
    begin(PP_SLICES_MAX);
    pp_op op = {.done = push_on_worker};
    pp_port_post(port, &op);
    settle();
    expect_all_written();
    cr_assert_leq(pipe->writes, 5, "%u writes", pipe->writes);
    end();
}

Test(writer, writes_one_by_one_where_there_is_no_memory_to_join)
{
    begin(1);
    pipe->write_room = 0;
    for (int i = 0; i < 5; ++i) {
        cr_assert_eq(push(10, NULL), PIPEPORT_OK);
    }
    memory.fail_after = 0;
    pipe->write_room = UINT64_MAX;
    fake_peer_reads(pipe, 0);
    settle();
    memory.fail_after = UINT64_MAX;
    expect_all_written();
    cr_assert_eq(pipe->writes, 5);
    end();
}

/* A frame of a message that was built in place, which is released: its links are all that keeps it. */
static void push_built(const char *text, uint32_t bytes)
{
    static const pp_framing lines = {.kind = PP_FRAMING_DELIMITER, .delimiter = '\n'};
    pp_message *built = pp_message_build(&memory, &lines, bytes);
    memcpy(pp_message_payload(built), text, bytes);
    pp_message *fan = pp_message_fan(built, 1);
    pp_message_release(built, 1);
    cr_assert(pp_sendq_reserve(&writer.sendq, fan->frame_bytes, means.queue_bytes_max));
    test_bytes_add(&expected, fan->frame, fan->frame_bytes);
    bool corked = false;
    cr_assert_eq(pp_writer_push(&writer, &means, &fan->links[0], NULL, &corked), PIPEPORT_OK);
}

Test(writer, joins_what_was_built_in_place_and_keeps_nothing_of_it)
{
    begin(PP_SLICES_MAX);
    pipe->write_room = 2;
    push_built("first", 5);
    settle();
    for (int i = 0; i < 3; ++i) {
        push_built("joined", 6);
    }
    fake_peer_reads(pipe, 6);
    settle();
    cr_assert_not_null(writer.chain);
    cr_assert_eq(writer.chain->message->frame_bytes, 3 * 7);
    cr_assert_eq(writer.chain->message->framing, &pp_framing_default, "theirs went with their blocks");
    fake_peer_reads(pipe, 3 * 7);
    settle();
    expect_all_written();
    end();
}

Test(writer, hands_a_long_queue_over_to_a_worker)
{
    begin(1);
    pipe->write_bytes_max = 1;
    cr_assert_eq(push(100, NULL), PIPEPORT_OK); /* On this thread, which is nobody's worker. */
    cr_assert_eq(pipe->written.length, 16, "one go wrote %zu", pipe->written.length);
    cr_assert_eq(fake_port_waiting(), 1);
    settle();
    expect_all_written();
    end();
}

Test(writer, tells_drained_when_half_is_free_and_somebody_was_refused)
{
    begin(PP_SLICES_MAX);
    means.queue_bytes_max = 100;
    pipe->write_room = 0;
    cr_assert_eq(push(96, NULL), PIPEPORT_OK);
    cr_assert_not(pp_sendq_reserve(&writer.sendq, 1, means.queue_bytes_max));
    fake_peer_reads(pipe, 49);
    settle();
    cr_assert_eq(drained, 0);
    fake_peer_reads(pipe, 1);
    settle();
    cr_assert_eq(drained, 1);
    fake_peer_reads(pipe, 50);
    settle();
    cr_assert_eq(drained, 1);
    end();
}

Test(writer, discards_what_is_left_at_every_byte_when_it_is_stopped)
{
    for (uint64_t cut = 0; cut <= 30; ++cut) {
        begin(PP_SLICES_MAX);
        pipe->write_room = cut;
        for (uint32_t i = 0; i < 4; ++i) {
            cr_assert_eq(push(i, NULL), PIPEPORT_OK);
        }
        pp_writer_stop(&writer, &means, NULL);
        settle();
        cr_assert_eq(discarded, expected.length - (cut < expected.length ? cut : expected.length));
        end();
    }
}

static void stop_inside(fake_pipe *of)
{
    of->inside_write = NULL;
    pp_writer_stop(&writer, &means, NULL);
}

Test(writer, cancels_a_write_that_was_being_armed_when_it_was_stopped)
{
    begin(PP_SLICES_MAX);
    pipe->write_room = 0;
    pipe->inside_write = stop_inside; /* Its cancel finds nothing armed yet. */
    cr_assert_eq(push(10, NULL), PIPEPORT_OK);
    cr_assert_eq(pipe->cancels, 1, "the write is left pending behind the cancel");
    settle();
    cr_assert_eq(stalled, 0);
    end();
}

Test(writer, is_sealed_when_it_is_stopped_inside_a_write_that_finishes)
{
    begin(PP_SLICES_MAX);
    pipe->inside_write = stop_inside;
    cr_assert_eq(push(10, NULL), PIPEPORT_OK);
    cr_assert_eq(sealed, 1);
    cr_assert_eq(wrote, 14);
    end();
}

Test(writer, waits_for_a_write_whose_cancel_was_not_heard)
{
    begin(PP_SLICES_MAX);
    pipe->write_room = 0;
    pipe->cancel_loses = true;
    cr_assert_eq(push(10, NULL), PIPEPORT_OK);
    pp_writer_stop(&writer, &means, NULL);
    settle();
    cr_assert_eq(sealed, 0);
    fake_peer_reads(pipe, 10);
    settle();
    cr_assert_eq(sealed, 1);
    cr_assert_eq(discarded, 4);
    end();
}

Test(writer, is_sealed_when_it_is_stopped_on_its_way_to_a_worker)
{
    begin(1);
    pipe->write_bytes_max = 1;
    cr_assert_eq(push(100, NULL), PIPEPORT_OK);
    pp_writer_stop(&writer, &means, NULL);
    cr_assert_eq(sealed, 0);
    settle();
    cr_assert_eq(sealed, 1);
    end();
}

Test(writer, can_be_stopped_more_than_once)
{
    begin(1);
    pipe->write_room = 0;
    cr_assert_eq(push(10, NULL), PIPEPORT_OK);
    pp_writer_stop(&writer, &means, NULL);
    pp_writer_stop(&writer, &means, NULL);
    settle();
    pp_writer_stop(&writer, &means, NULL);
    end();
}

Test(writer, breaks_with_what_the_pipe_says_now_or_later)
{
    for (unsigned later = 0; later < 2; ++later) {
        begin(PP_SLICES_MAX);
        pipe->writes_later = later;
        pipe->write_end = (pp_fault){PIPEPORT_SYSTEM, 1450};
        cr_assert_eq(push(10, NULL), PIPEPORT_OK);
        settle();
        cr_assert_eq(sealed, 1);
        cr_assert_eq(writer.fault.status, PIPEPORT_SYSTEM);
        cr_assert_eq(writer.fault.system_code, 1450);
        cr_assert_eq(discarded, 14);
        end();
    }
}

Test(writer, ends_at_a_drain_when_all_before_it_is_written)
{
    begin(PP_SLICES_MAX);
    pipe->write_room = 20;
    cr_assert_eq(push(10, NULL), PIPEPORT_OK);
    cr_assert_eq(push(10, NULL), PIPEPORT_OK);
    pp_writer_drain(&writer, &means, NULL);
    settle();
    cr_assert_eq(sealed, 0);
    fake_peer_reads(pipe, 8);
    settle();
    cr_assert_eq(sealed, 1);
    cr_assert(writer.drained);
    expect_all_written();
    end();
}

Test(writer, ends_at_once_where_it_is_drained_with_nothing_to_write)
{
    begin(PP_SLICES_MAX);
    pp_writer_drain(&writer, &means, NULL);
    cr_assert_eq(sealed, 1);
    cr_assert(writer.drained);
    end();
}

Test(writer, still_writes_what_was_accepted_behind_a_drain)
{
    begin(PP_SLICES_MAX);
    pipe->write_room = 0;
    cr_assert_eq(push(10, NULL), PIPEPORT_OK);
    pp_writer_drain(&writer, &means, NULL);
    cr_assert_eq(push(20, NULL), PIPEPORT_OK); /* A sender who had looked for a close just before it came. */
    fake_peer_reads(pipe, 20);
    settle();
    cr_assert_eq(sealed, 0);
    cr_assert_eq(push(30, NULL), PIPEPORT_GONE);
    fake_peer_reads(pipe, 100);
    settle();
    cr_assert_eq(sealed, 1);
    cr_assert_eq(discarded, 0);
    expect_all_written();
    end();
}

Test(writer, still_writes_what_came_while_the_last_before_a_drain_was_written)
{
    begin(PP_SLICES_MAX);
    pipe->write_room = 0;
    cr_assert_eq(push(10, NULL), PIPEPORT_OK);
    cr_assert_eq(push(10, NULL), PIPEPORT_OK);
    fake_peer_reads(pipe, 14);
    settle(); /* The second is pending: whoever holds the pump does not look now. */
    pp_writer_drain(&writer, &means, NULL);
    cr_assert_eq(sealed, 0);
    cr_assert_eq(push(20, NULL), PIPEPORT_OK);
    cr_assert_eq(push(0, NULL), PIPEPORT_OK);
    fake_peer_reads(pipe, 100);
    settle();
    cr_assert_eq(sealed, 1);
    cr_assert_eq(discarded, 0);
    expect_all_written();
    end();
}

Test(writer, breaks_behind_a_drain_too)
{
    begin(PP_SLICES_MAX);
    pipe->write_room = 0;
    cr_assert_eq(push(10, NULL), PIPEPORT_OK);
    pp_writer_drain(&writer, &means, NULL);
    cr_assert_eq(push(20, NULL), PIPEPORT_OK);
    fake_peer_reads(pipe, 20);
    settle();
    fake_fail_write(pipe, PIPEPORT_GONE, 232);
    settle();
    cr_assert_eq(sealed, 1);
    cr_assert_eq(writer.fault.status, PIPEPORT_GONE);
    cr_assert_eq(discarded, 18);
    end();
}
