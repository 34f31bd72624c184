/* SPDX-License-Identifier: MIT */
/* test_writer_fan.c - the pump of a receiver of a broadcast: taken with its link, written when the batch is handled. */
#include "tests/support/pump.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(writer_fan, .timeout = 100);

enum { PAYLOAD_BYTES = 100, FRAME_BYTES = PAYLOAD_BYTES + 4 };

static bool is_lean;
static uint32_t between; /* So many frames are pushed before the pump is written. */
static void (*before_out)(void);

static void begin(void)
{
    pump_begin(PP_SLICES_MAX, 4 * FRAME_BYTES, true);
    before_out = NULL;
}

/* Its bytes are of one letter, so that what is written tells in which order. */
static pp_link *make(char letter)
{
    pp_message *message = pp_message_create(&pump.memory, &pp_framing_default, PAYLOAD_BYTES, 1);
    cr_assert_not_null(message);
    memset(pp_message_payload(message), letter, PAYLOAD_BYTES);
    cr_assert(pp_sendq_reserve(&pump.writer.sendq, FRAME_BYTES, pump.means.queue_bytes_max));
    return &message->links[0];
}

static void fan_on_worker(pp_op *op, pp_result result, void *drainer)
{
    (void) op;
    (void) result;
    unsigned writes = pump.pipe->writes;
    pump.pins += !is_lean;
    cr_assert(pp_writer_take(&pump.writer, make('a')));
    for (uint32_t i = 0; i < between; ++i) {
        bool corked = false;
        cr_assert_eq(pp_writer_push(&pump.writer, &pump.means, make((char) ('b' + i)), NULL, &corked), PIPEPORT_OK);
        cr_assert(!corked);
    }
    cr_assert_eq(pump.pipe->writes, writes);
    if (before_out) {
        before_out();
    }
    pp_writer_out(&pump.writer, &pump.means, is_lean, drainer);
}

static void fan(bool lean, uint32_t frames)
{
    is_lean = lean;
    between = frames;
    pp_op op = {.done = fan_on_worker};
    pp_port_post(pump.port, &op);
    pump_settle();
}

static void expect_frames(uint32_t frames)
{
    cr_assert_eq(pump.pipe->written.length, (size_t) frames * FRAME_BYTES, "%zu bytes", pump.pipe->written.length);
    cr_assert_eq(pump.wrote, pump.pipe->written.length);
    for (uint32_t i = 0; i < frames; ++i) {
        cr_assert_eq(pump.pipe->written.data[i * FRAME_BYTES], PAYLOAD_BYTES);
        cr_assert_eq(pump.pipe->written.data[i * FRAME_BYTES + 4], 'a' + i);
        cr_assert_eq(pump.pipe->written.data[(i + 1) * FRAME_BYTES - 1], 'a' + i);
    }
    cr_assert_eq(pump.pins, 0);
    cr_assert_eq(pump.writer.sendq.bytes, 0);
}

Test(writer_fan, leaves_in_one_write)
{
    for (int lean = 0; lean < 2; ++lean) {
        begin();
        fan(lean, 0);
        expect_frames(1);
        cr_assert_eq(pump.pipe->writes, 1);
        fan(lean, 0);
        cr_assert_eq(pump.pipe->writes, 2, "the pump was given back");
        pump_end();
    }
}

Test(writer_fan, leaves_together_with_what_came_since)
{
    for (int lean = 0; lean < 2; ++lean) {
        begin();
        fan(lean, 3);
        expect_frames(4);
        cr_assert_eq(pump.pipe->writes, 1, "%u writes", pump.pipe->writes);
        pump_end();
    }
}

Test(writer_fan, is_a_pump_like_any_other_where_the_peer_reads_slowly)
{
    for (uint32_t room = 0; room <= FRAME_BYTES; room += FRAME_BYTES / 8) {
        begin();
        pump.pipe->write_room = room;
        fan(room % 2 != 0, 0);
        cr_assert_eq(pump.pipe->written.length, room);
        cr_assert_eq(pump.pins, room < FRAME_BYTES, "a pump that waits has a pin");
        cr_assert_eq(pump.stalled, room < FRAME_BYTES);
        fake_peer_reads(pump.pipe, FRAME_BYTES);
        pump_settle();
        expect_frames(1);
        pump_end();
    }
}

static void starves(void)
{
    cr_assert(!pp_sendq_reserve(&pump.writer.sendq, pump.means.queue_bytes_max, pump.means.queue_bytes_max));
}

/* Who was refused hears of it as soon as half of the bound is free. */
Test(writer_fan, tells_of_room)
{
    for (int lean = 0; lean < 2; ++lean) {
        begin();
        pump.pipe->write_room = 0;
        fan(lean, 3);
        cr_assert(!pp_sendq_reserve(&pump.writer.sendq, 1, pump.means.queue_bytes_max));
        fake_peer_reads(pump.pipe, UINT64_MAX);
        pump_settle();
        cr_assert_eq(pump.drained, 1);
        expect_frames(4);
        before_out = starves;
        fan(lean, 0);
        cr_assert_eq(pump.drained, 2);
        pump_end();
    }
}

Test(writer_fan, is_cut_off_by_a_stop)
{
    for (int lean = 0; lean < 2; ++lean) {
        begin();
        pump.pipe->write_room = 7;
        fan(lean, 1);
        cr_assert_eq(pump.pins, 1);
        pump_end();
        cr_assert_eq(pump.wrote, 7);
        cr_assert_eq(pump.discarded, 2 * FRAME_BYTES - 7);
    }
}

static void stops(void)
{
    pp_writer_stop(&pump.writer, &pump.means, NULL);
    cr_assert_eq(pump.sealed, 0, "the pump is held");
}

static void drains(void)
{
    pp_writer_drain(&pump.writer, &pump.means, NULL);
    cr_assert_eq(pump.sealed, 0, "the pump is held");
}

Test(writer_fan, is_stopped_before_it_is_written)
{
    for (uint32_t kind = 0; kind < 4; ++kind) {
        begin();
        before_out = stops;
        fan(kind & 1, kind / 2);
        cr_assert_eq(pump.sealed, 1);
        cr_assert_eq(pump.pipe->writes, 0);
        pump_end();
        cr_assert_eq(pump.discarded, (1 + kind / 2) * FRAME_BYTES);
    }
}

Test(writer_fan, is_drained_before_it_is_written)
{
    for (uint32_t kind = 0; kind < 4; ++kind) {
        begin();
        before_out = drains;
        fan(kind & 1, kind / 2);
        expect_frames(1 + kind / 2);
        cr_assert(pump.writer.drained && pump.writer.fault.status == PIPEPORT_OK);
        pump_end();
        cr_assert_eq(pump.discarded, 0);
    }
}

Test(writer_fan, ends_where_the_peer_is_gone)
{
    for (int lean = 0; lean < 2; ++lean) {
        begin();
        pump.pipe->write_end = (pp_fault){PIPEPORT_GONE, 0};
        fan(lean, 0);
        cr_assert_eq(pump.sealed, 1);
        cr_assert_eq(pump.writer.fault.status, PIPEPORT_GONE);
        cr_assert_eq(pump.discarded, FRAME_BYTES);
        pump_end();
    }
}
