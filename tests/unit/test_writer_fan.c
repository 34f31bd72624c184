/* SPDX-License-Identifier: MIT */
/* test_writer_fan.c - the pump of a receiver of a broadcast: taken with its link, written when the batch is handled. */
#include "engine/conn/writer.h"
#include "tests/support/fake_os.h"
#include "tests/support/fake_port.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(writer_fan, .timeout = 60);

enum { PAYLOAD_BYTES = 100, FRAME_BYTES = PAYLOAD_BYTES + 4 };

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
static pp_writer_means means;
static bool is_lean;
static uint32_t between; /* So many frames are pushed before the pump is written. */
static void (*before_out)(void);

static void up_pin(pp_writer *of)
{
    (void) of;
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
    (void) of;
    (void) worker;
    wrote += bytes;
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

static void begin(void)
{
    fake_reset();
    fake.waits = fake_os_pass;
    fake.slices_max = PP_SLICES_MAX;
    fake.not_shared = true;
    pp_memory_init(&memory, 0);
    cr_assert_eq(pp_port_create(&port, &memory, &(pp_port_options){.drainers = 1}).status, PIPEPORT_OK);
    pp_deadlines_init(&deadlines, NULL);
    cr_assert_eq(pp_pool_start(&pool, port, &deadlines, 0).status, PIPEPORT_OK);
    pipe = fake_pipe_open(&place, port);
    means = (pp_writer_means){&up, &place, 4 * FRAME_BYTES};
    pp_writer_init(&writer, write_done);
    pins = 0;
    sealed = drained = stalled = 0;
    wrote = discarded = 0;
    before_out = NULL;
}

static void settle(void)
{
    do {
        cr_assert_eq(pp_pool_lend(&pool, 0), PIPEPORT_OK);
    } while (fake_port_waiting());
    pp_writer_check(&writer, &means);
}

/* Its bytes are of one letter, so that what is written tells in which order. */
static pp_link *make(char letter)
{
    pp_message *message = pp_message_create(&memory, &pp_framing_default, PAYLOAD_BYTES, 1);
    cr_assert_not_null(message);
    memset(pp_message_payload(message), letter, PAYLOAD_BYTES);
    cr_assert(pp_sendq_reserve(&writer.sendq, FRAME_BYTES, means.queue_bytes_max));
    return &message->links[0];
}

static void fan_on_worker(pp_op *op, pp_result result, void *drainer)
{
    (void) op;
    (void) result;
    unsigned writes = pipe->writes;
    pins += !is_lean;
    cr_assert(pp_writer_take(&writer, make('a')));
    for (uint32_t i = 0; i < between; ++i) {
        bool corked = false;
        cr_assert_eq(pp_writer_push(&writer, &means, make((char) ('b' + i)), NULL, &corked), PIPEPORT_OK);
        cr_assert(!corked);
    }
    cr_assert_eq(pipe->writes, writes);
    if (before_out) {
        before_out();
    }
    pp_writer_out(&writer, &means, is_lean, drainer);
}

static void fan(bool lean, uint32_t frames)
{
    is_lean = lean;
    between = frames;
    pp_op op = {.done = fan_on_worker};
    pp_port_post(port, &op);
    settle();
}

static void expect_frames(uint32_t frames)
{
    cr_assert_eq(pipe->written.length, (size_t) frames * FRAME_BYTES, "%zu bytes", pipe->written.length);
    cr_assert_eq(wrote, pipe->written.length);
    for (uint32_t i = 0; i < frames; ++i) {
        cr_assert_eq(pipe->written.data[i * FRAME_BYTES], PAYLOAD_BYTES);
        cr_assert_eq(pipe->written.data[i * FRAME_BYTES + 4], 'a' + i);
        cr_assert_eq(pipe->written.data[(i + 1) * FRAME_BYTES - 1], 'a' + i);
    }
    cr_assert_eq(pins, 0);
    cr_assert_eq(writer.sendq.bytes, 0);
}

static void end(void)
{
    if (!sealed) {
        pp_writer_stop(&writer, &means, NULL);
        settle();
    }
    cr_assert_eq(sealed, 1);
    cr_assert_eq(pins, 0, "%d pins left", pins);
    cr_assert_eq(writer.sendq.bytes, 0);
    cr_assert_eq(fake.armed, fake.done);
    pp_pipe_close(&place);
    pp_pool_stop(&pool);
    pp_deadlines_fini(&deadlines);
    pp_port_destroy(port);
    pp_memory_check(&memory);
    cr_assert_eq(memory.bytes, 0, "%llu bytes left", (unsigned long long) memory.bytes);
    fake_reset();
}

Test(writer_fan, leaves_in_one_write)
{
    for (int lean = 0; lean < 2; ++lean) {
        begin();
        fan(lean, 0);
        expect_frames(1);
        cr_assert_eq(pipe->writes, 1);
        fan(lean, 0);
        cr_assert_eq(pipe->writes, 2, "the pump was given back");
        end();
    }
}

Test(writer_fan, leaves_together_with_what_came_since)
{
    for (int lean = 0; lean < 2; ++lean) {
        begin();
        fan(lean, 3);
        expect_frames(4);
        cr_assert_eq(pipe->writes, 1, "%u writes", pipe->writes);
        end();
    }
}

Test(writer_fan, is_a_pump_like_any_other_where_the_peer_reads_slowly)
{
    for (uint32_t room = 0; room <= FRAME_BYTES; room += FRAME_BYTES / 8) {
        begin();
        pipe->write_room = room;
        fan(room % 2 != 0, 0);
        cr_assert_eq(pipe->written.length, room);
        cr_assert_eq(pins, room < FRAME_BYTES, "a pump that waits has a pin");
        cr_assert_eq(stalled, room < FRAME_BYTES);
        fake_peer_reads(pipe, FRAME_BYTES);
        settle();
        expect_frames(1);
        end();
    }
}

static void starves(void)
{
    cr_assert(!pp_sendq_reserve(&writer.sendq, means.queue_bytes_max, means.queue_bytes_max));
}

/* Who was refused hears of it as soon as half of the bound is free. */
Test(writer_fan, tells_of_room)
{
    for (int lean = 0; lean < 2; ++lean) {
        begin();
        pipe->write_room = 0;
        fan(lean, 3);
        cr_assert(!pp_sendq_reserve(&writer.sendq, 1, means.queue_bytes_max));
        fake_peer_reads(pipe, UINT64_MAX);
        settle();
        cr_assert_eq(drained, 1);
        expect_frames(4);
        before_out = starves;
        fan(lean, 0);
        cr_assert_eq(drained, 2);
        end();
    }
}

Test(writer_fan, is_cut_off_by_a_stop)
{
    for (int lean = 0; lean < 2; ++lean) {
        begin();
        pipe->write_room = 7;
        fan(lean, 1);
        cr_assert_eq(pins, 1);
        end();
        cr_assert_eq(wrote, 7);
        cr_assert_eq(discarded, 2 * FRAME_BYTES - 7);
    }
}

static void stops(void)
{
    pp_writer_stop(&writer, &means, NULL);
    cr_assert_eq(sealed, 0, "the pump is held");
}

static void drains(void)
{
    pp_writer_drain(&writer, &means, NULL);
    cr_assert_eq(sealed, 0, "the pump is held");
}

Test(writer_fan, is_stopped_before_it_is_written)
{
    for (uint32_t kind = 0; kind < 4; ++kind) {
        begin();
        before_out = stops;
        fan(kind & 1, kind / 2);
        cr_assert_eq(sealed, 1);
        cr_assert_eq(pipe->writes, 0);
        end();
        cr_assert_eq(discarded, (1 + kind / 2) * FRAME_BYTES);
    }
}

Test(writer_fan, is_drained_before_it_is_written)
{
    for (uint32_t kind = 0; kind < 4; ++kind) {
        begin();
        before_out = drains;
        fan(kind & 1, kind / 2);
        expect_frames(1 + kind / 2);
        cr_assert(writer.drained && writer.fault.status == PIPEPORT_OK);
        end();
        cr_assert_eq(discarded, 0);
    }
}

Test(writer_fan, ends_where_the_peer_is_gone)
{
    for (int lean = 0; lean < 2; ++lean) {
        begin();
        pipe->write_end = (pp_fault){PIPEPORT_GONE, 0};
        fan(lean, 0);
        cr_assert_eq(sealed, 1);
        cr_assert_eq(writer.fault.status, PIPEPORT_GONE);
        cr_assert_eq(discarded, FRAME_BYTES);
        end();
    }
}
