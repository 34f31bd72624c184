/* SPDX-License-Identifier: MIT */
/*
 * test_laws_message.c - the laws of pipes whose messages are their own: none is cut, joined or lost, and one of no
 * bytes is no end.
 */
#include "tests/laws/bed.h"
#include "tests/support/random.h"
#include "tests/support/system.h"

#include <criterion/criterion.h>

#include <string.h>

enum { LENGTH_MAX = BED_MESSAGE_BYTES_MAX, MANY = 100, SMALL = 10, ROUNDS = 300 };

static test_bed message_bed;
static bed_end server, client;
static raw_client foreign;
static char block[LENGTH_MAX], room[LENGTH_MAX];

static void message_setup(void)
{
    bed_open_own(&message_bed, 1);
    message_bed.plan = bed_whole_plan;
    cr_assert(pp_plan_lacks(&bed_whole_plan) == NULL, "%s", pp_plan_lacks(&bed_whole_plan));
    bed_listen(&message_bed);
}

static void message_pair(void)
{
    bed_pair(&message_bed, &server, &client);
    cr_assert(server.pipe.slices_max == 0 && client.pipe.slices_max == 0);
}

/* `server` is connected with a client that is none of ours. */
static void message_pair_foreign(void)
{
    char address[PP_ADDRESS_BYTES_MAX];
    pp_result now;
    bed_end_init(&message_bed, &server, 0);
    pp_pipe_init(&client.pipe, message_bed.port);
    cr_assert_eq(pp_pipe_accept(&server.pipe, message_bed.ear, &server.accept, &now), PP_LATER);
    cr_assert_eq(pp_pipe_address(message_bed.name, address), PIPEPORT_OK);
    cr_assert(raw_connect_whole(&foreign, address));
    cr_assert_eq(bed_await(&message_bed, &server.accept).fault.status, PIPEPORT_OK);
}

static void message_settle(void)
{
    bed_settle(&message_bed, &server, &client);
}

TestSuite(laws_message, .init = message_setup, .timeout = 100);

/* Goes on with a message of which `first` has come: its length. A system may have brought nothing for want of room. */
static uint32_t message_rest(bed_end *end, pp_result first, uint32_t offered)
{
    uint32_t got = 0;
    pp_result result = first;
    for (int reads = 0;; reads++) {
        cr_assert_eq(result.fault.status, PIPEPORT_OK, "status %d", result.fault.status);
        cr_assert(result.bytes == offered || result.bytes == 0 || result.more == 0, "a part fills its room");
        got += result.bytes;
        if (result.more == 0) {
            return got;
        }
        cr_assert(reads < 10 && result.more <= LENGTH_MAX - got);
        offered = result.more;
        result = bed_read(&message_bed, end, room + got, offered);
    }
}

/* The next message, asked for with so much room: its length. */
static uint32_t message_take(bed_end *end, uint32_t offered)
{
    memset(room, 0xEE, offered);
    return message_rest(end, bed_read(&message_bed, end, room, offered), offered);
}

static void message_expect(bed_end *end, uint32_t offered, uint32_t length, uint64_t at)
{
    uint32_t got = message_take(end, offered);
    cr_assert_eq(got, length, "%u bytes of %u", got, length);
    cr_assert(bed_is_stamped(room, length, at));
}

static void message_expect_gone(bed_end *end)
{
    for (int i = 0; i < 3; i++) {
        pp_result result = bed_read(&message_bed, end, room, SMALL);
        cr_assert_eq(result.fault.status, PIPEPORT_GONE);
        cr_assert(result.bytes == 0 && result.more == 0);
    }
}

/* One write, whole, whether somebody must read for it or not. */
static void message_pass(bed_end *from, bed_end *to, uint32_t length, uint32_t offered)
{
    pp_result now;
    bed_stamp(block, length, length);
    pp_armed armed = bed_arm_write(from, block, length, &now);
    message_expect(to, offered, length, length);
    now = armed == PP_LATER ? bed_await(&message_bed, &from->write) : now;
    cr_assert(now.fault.status == PIPEPORT_OK && now.bytes == length);
}

Test(laws_message, arrives_as_long_as_it_was_whatever_room_there_is)
{
    static const uint32_t lengths[] = {1, 2, 511, 512, 513, 4095, 4096, 4097, 65535, 65536, LENGTH_MAX};
    static const uint32_t offers[] = {1, 512, 4096, LENGTH_MAX};
    message_pair();
    for (uint32_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        for (uint32_t k = 0; k < sizeof offers / sizeof offers[0]; k++) {
            message_pass(&client, &server, lengths[i], offers[k]);
            message_pass(&server, &client, lengths[i], offers[k]);
        }
    }
    message_settle();
}

Test(laws_message, is_joined_with_no_other_and_keeps_its_place)
{
    uint64_t random = test_seed();
    cr_log_info("PIPEPORT_TEST_SEED=%llu", (unsigned long long) random);
    message_pair();
    for (int round = 0; round < 20; round++) {
        uint32_t lengths[MANY];
        uint32_t sent = 0, got = 0;
        pp_result now = {{PIPEPORT_OK, 0}, 0, 0};
        pp_armed armed = PP_NOW;
        while (sent < MANY && armed == PP_NOW) {
            lengths[sent] = 1 + test_random_below(&random, 600);
            bed_stamp(block, lengths[sent], sent);
            armed = bed_arm_write(&client, block, lengths[sent], &now);
            cr_assert(armed == PP_LATER || (now.fault.status == PIPEPORT_OK && now.bytes == lengths[sent]));
            sent++;
        }
        for (; got < sent; got++) {
            message_expect(&server, test_random_below(&random, 2) ? 1000 : 100, lengths[got], got);
        }
        if (armed == PP_LATER) {
            now = bed_await(&message_bed, &client.write);
            cr_assert(now.fault.status == PIPEPORT_OK && now.bytes == lengths[sent - 1]);
        }
    }
    message_settle();
}

Test(laws_message, ends_an_armed_read_also_where_that_lent_too_little)
{
    for (uint32_t length = 1; length <= 1000; length += 333) {
        pp_result now;
        message_pair();
        cr_assert_eq(bed_arm_read(&server, room, SMALL, &now), PP_LATER);
        bed_stamp(block, length, length);
        cr_assert_eq(bed_write(&message_bed, &client, block, length).bytes, length);
        now = bed_await(&message_bed, &server.read);
        cr_assert(now.fault.status == PIPEPORT_OK && (length <= SMALL) == (now.more == 0));
        cr_assert_eq(message_rest(&server, now, SMALL), length);
        cr_assert(bed_is_stamped(room, length, length));
        bed_end_close(&server);
        bed_end_close(&client);
    }
    message_settle();
}

Test(laws_message, of_no_bytes_is_a_message_and_no_end)
{
    message_pair_foreign();
    cr_assert(raw_write_whole(&foreign, "", 0));
    cr_assert(raw_write_whole(&foreign, "x", 1));
    cr_assert(raw_write_whole(&foreign, "", 0));
    cr_assert(raw_write_whole(&foreign, "", 0));
    cr_assert(raw_write_whole(&foreign, "last", 4));
    cr_assert(raw_write_whole(&foreign, "", 0));
    raw_close(&foreign);
    static const uint32_t lengths[] = {0, 1, 0, 0, 4, 0};
    for (uint32_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        cr_assert_eq(message_take(&server, SMALL), lengths[i], "message %u", i);
    }
    message_expect_gone(&server);
    message_settle();
}

Test(laws_message, of_no_bytes_comes_as_often_as_it_was_sent)
{
    message_pair_foreign();
    for (uint32_t i = 0; i < MANY; i++) {
        cr_assert(raw_write_whole(&foreign, "", 0));
    }
    cr_assert(raw_write_whole(&foreign, "x", 1));
    for (uint32_t i = 0; i < MANY; i++) {
        cr_assert_eq(message_take(&server, SMALL), 0, "message %u", i);
    }
    cr_assert_eq(message_take(&server, SMALL), 1);
    raw_close(&foreign);
    message_expect_gone(&server);
    message_settle();
}

Test(laws_message, of_no_bytes_ends_an_armed_read)
{
    message_pair_foreign();
    for (uint32_t i = 0; i < 10; i++) {
        pp_result now;
        cr_assert_eq(bed_arm_read(&server, room, SMALL, &now), PP_LATER);
        cr_assert(raw_write_whole(&foreign, "", 0));
        now = bed_await(&message_bed, &server.read);
        cr_assert(now.fault.status == PIPEPORT_OK && now.bytes == 0 && now.more == 0);
    }
    raw_close(&foreign);
    message_expect_gone(&server);
    message_settle();
}

Test(laws_message, is_read_though_its_writer_closed_with_something_unread)
{
    static const uint32_t lengths[] = {3, 700, 20};
    message_pair();
    cr_assert_eq(bed_write(&message_bed, &server, "unread", 6).bytes, 6);
    for (uint32_t i = 0; i < 3; i++) {
        bed_stamp(block, lengths[i], i);
        cr_assert_eq(bed_write(&message_bed, &client, block, lengths[i]).bytes, lengths[i]);
    }
    bed_end_close(&client);
    for (uint32_t i = 0; i < 3; i++) {
        message_expect(&server, 100, lengths[i], i);
    }
    message_expect_gone(&server);
    message_settle();
}

Test(laws_message, that_waits_for_the_peer_is_written_whole)
{
    pp_result now;
    uint32_t sent = 0;
    message_pair();
    bed_stamp(block, 3000, 0);
    while (bed_arm_write(&client, block, 3000, &now) == PP_NOW || bed_poll(&message_bed, &client.write, &now)) {
        cr_assert(now.fault.status == PIPEPORT_OK && now.bytes == 3000);
        cr_assert_lt(++sent, 20000);
    }
    for (uint32_t i = 0; i <= sent; i++) {
        message_expect(&server, 4096, 3000, 0);
    }
    now = bed_await(&message_bed, &client.write);
    cr_assert(now.fault.status == PIPEPORT_OK && now.bytes == 3000);
    cr_assert_eq(bed_arm_read(&server, room, SMALL, &now), PP_LATER, "there was one more");
    bed_end_close(&client);
    cr_assert_eq(bed_await(&message_bed, &server.read).fault.status, PIPEPORT_GONE);
    message_settle();
}

Test(laws_message, is_not_lost_to_a_cancelled_read)
{
    static bed_race race;
    uint32_t stopped = 0;
    message_pair();
    bed_race_open(&race, &client);
    for (uint32_t i = 0; i < BED_RACES; i++) {
        pp_result result;
        cr_assert_eq(bed_arm_read(&server, room, SMALL, &result), PP_LATER);
        bed_race_begin(&race, i);
        pp_pipe_cancel(&server.pipe, &server.read);
        result = bed_await(&message_bed, &server.read);
        if (result.fault.status == PIPEPORT_STOPPED) {
            stopped++;
            result = bed_read(&message_bed, &server, room, SMALL);
        }
        cr_assert(result.fault.status == PIPEPORT_OK && result.bytes == 1 && result.more == 0);
        cr_assert_eq((unsigned char) room[0], bed_byte(i));
        bed_race_end(&message_bed, &race, i);
    }
    bed_race_close(&race);
    cr_assert_gt(stopped, 0, "no cancel ever won: the test tests nothing");
    message_settle();
}

/* A word of the system's that something is there; or (it may lie) that somebody is to look. */
static void message_await(bed_end *end)
{
    pp_result now;
    if (bed_arm_await(end, &now) == PP_LATER) {
        now = bed_await(&message_bed, &end->read);
    }
    cr_assert(now.fault.status == PIPEPORT_OK && now.bytes == 0);
}

/* As the engine reads where it can wait without a buffer. Answers the length, or -1 at the end. */
static int64_t message_hear(bed_end *end, uint32_t offered)
{
    uint32_t got = 0;
    for (int looks = 0; looks < 100; looks++) {
        pp_result result;
        cr_assert_eq(pp_pipe_read(&end->pipe, room + got, offered - got, NULL, &result), PP_NOW);
        if (result.fault.status == PIPEPORT_GONE) {
            return -1;
        }
        cr_assert(result.fault.status == PIPEPORT_OK);
        got += result.bytes;
        if (result.more == 0) {
            return got;
        }
        if (result.bytes == 0 && result.more <= offered - got) {
            message_await(end);
        } else if (result.more > offered - got) {
            offered = got + result.more;
        }
    }
    cr_assert(false, "the message never came");
    return -1;
}

Test(laws_message, is_heard_by_awaits_that_lend_nothing)
{
    if (!pp_port_can_await(message_bed.port)) {
        message_pair();
        message_settle();
        cr_skip_test("this system's pipes cannot wait without a buffer");
    }
    message_pair_foreign();
    for (uint32_t i = 0; i < ROUNDS; i++) {
        uint32_t length = i * 7 % 900;
        pp_result now;
        bed_stamp(block, length, i);
        server.read.home = server.pipe.home;
        bool pends = i % 2 == 0 && pp_pipe_await(&server.pipe, &server.read, &now) == PP_LATER;
        cr_assert(raw_write_whole(&foreign, block, length));
        if (pends) {
            cr_assert_eq(bed_await(&message_bed, &server.read).fault.status, PIPEPORT_OK);
        }
        cr_assert_eq(message_hear(&server, 1 + i % 500), length);
        cr_assert(bed_is_stamped(room, length, i));
    }
    cr_assert(raw_write_whole(&foreign, "", 0));
    raw_close(&foreign);
    cr_assert_eq(message_hear(&server, SMALL), 0);
    cr_assert_eq(message_hear(&server, SMALL), -1);
    message_settle();
}

Test(laws_message, that_lacked_room_is_thrown_away_alone)
{
    pp_result now;
    message_pair();
    if (!pp_port_can_await(message_bed.port)) {
        message_settle();
        cr_skip_test("this system brings a part of a message into any room");
    }
    for (uint32_t length = SMALL + 2; length <= LENGTH_MAX; length *= 3) {
        cr_assert_eq(bed_write(&message_bed, &client, block, length).bytes, length);
        bed_stamp(block, 3, length);
        cr_assert_eq(bed_write(&message_bed, &client, block, 3).bytes, 3);
        message_await(&server);
        cr_assert_eq(pp_pipe_read(&server.pipe, room, SMALL, NULL, &now), PP_NOW);
        cr_assert(now.fault.status == PIPEPORT_OK && now.bytes + now.more == length);
        pp_pipe_skip(&server.pipe);
        cr_assert_eq(message_hear(&server, SMALL), 3);
        cr_assert(bed_is_stamped(room, 3, length));
    }
    message_settle();
}

Test(laws_message, that_is_not_there_is_told_from_one_of_no_bytes)
{
    pp_result now;
    message_pair();
    if (pp_port_can_await(message_bed.port)) {
        for (int i = 0; i < 3; i++) {
            cr_assert_eq(pp_pipe_read(&server.pipe, room, SMALL, NULL, &now), PP_NOW);
            cr_assert(now.fault.status == PIPEPORT_OK && now.bytes == 0 && now.more >= 1);
        }
    }
    cr_assert_eq(bed_arm_read(&server, room, SMALL, &now), PP_LATER);
    cr_assert_eq(bed_write(&message_bed, &client, "abc", 3).bytes, 3);
    now = bed_await(&message_bed, &server.read);
    cr_assert(now.bytes == 3 && now.more == 0);
    message_settle();
}

Test(laws_message, is_refused_when_the_peer_has_gone)
{
    message_pair();
    bed_end_close(&client);
    pp_result result = bed_write(&message_bed, &server, "x", 1);
    if (result.fault.status == PIPEPORT_OK) { /* It went before the system knew. */
        result = bed_write(&message_bed, &server, "x", 1);
    }
    cr_assert_eq(result.fault.status, PIPEPORT_GONE);
    message_expect_gone(&server);
    message_settle();
}
