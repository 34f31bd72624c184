/* SPDX-License-Identifier: MIT */
/*
 * test_laws_way.c - the laws of pipes that go one way: the end is heard by who reads, and by who waits for it alone.
 */
#include "tests/laws/bed.h"

#include <criterion/criterion.h>

#include <string.h>

enum { BLOCK = 32 * 1024, ROUNDS = 50 };

static test_bed way_bed;
static bed_end server, client;
static bed_end *writer, *reader;
static char block[BLOCK], room[BLOCK];

TestSuite(laws_way, .timeout = 100);

static void way_open(pp_way way, bool whole)
{
    bed_open_own(&way_bed, 1);
    way_bed.plan = whole ? bed_whole_plan : bed_plan;
    way_bed.plan.way = (uint8_t) way;
    cr_assert(pp_plan_lacks(&way_bed.plan) == NULL, "%s", pp_plan_lacks(&way_bed.plan));
    bed_listen(&way_bed);
    bed_pair(&way_bed, &server, &client);
    writer = way == PP_WAY_TO_SERVER ? &client : &server;
    reader = way == PP_WAY_TO_SERVER ? &server : &client;
}

static void way_close(void)
{
    bed_settle(&way_bed, &server, &client);
}

/* A body for each way and kind of pipe. */
static void way_each(void (*body)(void))
{
    for (int i = 0; i < 4; i++) {
        way_open(i % 2 == 0 ? PP_WAY_TO_SERVER : PP_WAY_TO_CLIENT, i >= 2);
        body();
        way_close();
    }
}

static void way_send(uint32_t bytes, uint64_t at)
{
    bed_stamp(block, bytes, at);
    cr_assert_eq(bed_write(&way_bed, writer, block, bytes).bytes, bytes);
    pp_result result = bed_read(&way_bed, reader, room, BLOCK);
    cr_assert(result.fault.status == PIPEPORT_OK && result.bytes == bytes);
    cr_assert(bed_is_stamped(room, bytes, at));
}

static void way_carries(void)
{
    pp_result now;
    for (uint32_t i = 1; i < ROUNDS; i++) {
        way_send(i * 19, i);
    }
    cr_assert_eq(bed_arm_read(reader, room, BLOCK, &now), PP_LATER);
    cr_assert_eq(bed_write(&way_bed, writer, "later", 5).bytes, 5);
    cr_assert_eq(bed_await(&way_bed, &reader->read).bytes, 5);
}

Test(laws_way, carries_what_is_sent_along_it)
{
    way_each(way_carries);
}

static void way_reader_hears(void)
{
    cr_assert_eq(bed_write(&way_bed, writer, "last", 4).bytes, 4);
    bed_end_close(writer);
    cr_assert_eq(bed_read(&way_bed, reader, room, BLOCK).bytes, 4);
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(bed_read(&way_bed, reader, room, BLOCK).fault.status, PIPEPORT_GONE);
    }
}

Test(laws_way, tells_the_reader_of_the_end_after_the_last_bytes)
{
    way_each(way_reader_hears);
}

static void way_reader_waits(void)
{
    pp_result now;
    cr_assert_eq(bed_arm_read(reader, room, BLOCK, &now), PP_LATER);
    bed_hears_nothing(&way_bed);
    bed_end_close(writer);
    cr_assert_eq(bed_await(&way_bed, &reader->read).fault.status, PIPEPORT_GONE);
}

Test(laws_way, keeps_the_reader_waiting_until_there_is_an_end)
{
    way_each(way_reader_waits);
}

static void way_writer_hears(void)
{
    bed_end_close(reader);
    pp_result result = bed_write(&way_bed, writer, "x", 1);
    for (int i = 0; i < 3 && result.fault.status == PIPEPORT_OK; i++) { /* They went before the system knew. */
        result = bed_write(&way_bed, writer, "x", 1);
    }
    cr_assert_eq(result.fault.status, PIPEPORT_GONE);
}

Test(laws_way, tells_the_writer_of_the_end_when_it_writes)
{
    way_each(way_writer_hears);
}

static bool way_can_await(void)
{
    bed_open_own(&way_bed, 1);
    bool can = pp_port_can_await(way_bed.port);
    bed_close(&way_bed);
    return can;
}

/* An await, armed or answered with `now`, is told of the end. */
static void way_expect_end(pp_armed armed, pp_result now)
{
    now = armed == PP_LATER ? bed_await(&way_bed, &writer->read) : now;
    cr_assert(now.fault.status == PIPEPORT_GONE && now.bytes == 0, "status %d", now.fault.status);
}

static void way_writer_awaits(void)
{
    pp_result now;
    cr_assert_eq(bed_arm_await(writer, &now), PP_LATER);
    for (uint32_t i = 1; i < ROUNDS; i++) {
        way_send(i * 19, i);
    }
    bed_hears_nothing(&way_bed);
    bed_end_close(reader);
    way_expect_end(PP_LATER, now);
    pp_armed armed = bed_arm_await(writer, &now);
    way_expect_end(armed, now);
}

Test(laws_way, tells_the_writer_that_awaits_of_the_end_and_of_nothing_else)
{
    if (!way_can_await()) {
        cr_skip_test("this system's pipes cannot wait without a buffer");
    }
    way_each(way_writer_awaits);
}

static void way_writer_comes_late(void)
{
    pp_result now;
    cr_assert_eq(bed_write(&way_bed, writer, "unread", 6).bytes, 6);
    bed_end_close(reader);
    pp_armed armed = bed_arm_await(writer, &now);
    way_expect_end(armed, now);
}

Test(laws_way, tells_a_writer_that_awaits_after_the_end)
{
    if (!way_can_await()) {
        cr_skip_test("this system's pipes cannot wait without a buffer");
    }
    way_each(way_writer_comes_late);
}

static void way_writer_stops(void)
{
    pp_result now;
    for (uint32_t i = 0; i < 3; i++) {
        cr_assert_eq(bed_arm_await(writer, &now), PP_LATER);
        pp_pipe_cancel(&writer->pipe, &writer->read);
        cr_assert_eq(bed_await(&way_bed, &writer->read).fault.status, PIPEPORT_STOPPED);
        bed_hears_nothing(&way_bed);
    }
    cr_assert_eq(bed_arm_await(writer, &now), PP_LATER);
    bed_end_close(reader);
    way_expect_end(PP_LATER, now);
}

Test(laws_way, stops_a_wait_for_the_end_and_begins_another)
{
    if (!way_can_await()) {
        cr_skip_test("this system's pipes cannot wait without a buffer");
    }
    way_each(way_writer_stops);
}
