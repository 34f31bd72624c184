/* SPDX-License-Identifier: MIT */
/*
 * test_laws_pipe.c - the laws of reading, writing and closing, one step at a time with one drainer.
 */
#include "tests/laws/bed.h"

#include <criterion/criterion.h>

#include <string.h>

enum { BLOCK = 32 * 1024, PIECE = 3 };

static test_bed pipe_bed;
static bed_end server, client;
static char block[BLOCK], room[BLOCK];

static void pipe_setup(void)
{
    bed_open_own(&pipe_bed, 1);
    bed_listen(&pipe_bed);
    bed_pair(&pipe_bed, &server, &client);
}

static void pipe_settle(void)
{
    bed_settle(&pipe_bed, &server, &client);
}

TestSuite(laws_pipe, .init = pipe_setup, .timeout = 100);

/* Reads at `end` as many stamped bytes as were written from `at` on. */
static void pipe_expect(bed_end *end, uint64_t bytes, uint64_t at)
{
    for (uint64_t got = 0; got < bytes;) {
        uint32_t want = bytes - got < BLOCK ? (uint32_t) (bytes - got) : BLOCK;
        pp_result result = bed_read(&pipe_bed, end, room, want);
        cr_assert_eq(result.fault.status, PIPEPORT_OK);
        cr_assert(bed_is_stamped(room, result.bytes, at + got));
        got += result.bytes;
    }
}

static void pipe_must_be_gone(pp_result result)
{
    cr_assert_eq(result.fault.status, PIPEPORT_GONE, "status %d, system code %d", result.fault.status,
                 result.fault.system_code);
}

static void pipe_expect_gone(bed_end *end)
{
    pp_result result = bed_read(&pipe_bed, end, room, BLOCK);
    pipe_must_be_gone(result);
    cr_assert_eq(result.bytes, 0);
}

Test(laws_pipe, reads_what_is_there)
{
    bed_stamp(block, 100, 0);
    cr_assert_eq(bed_write(&pipe_bed, &client, block, 100).bytes, 100);
    pp_result result = bed_read(&pipe_bed, &server, room, BLOCK);
    cr_assert(result.fault.status == PIPEPORT_OK && result.bytes == 100);
    cr_assert(bed_is_stamped(room, 100, 0));
    pipe_settle();
}

Test(laws_pipe, brings_an_armed_read_what_is_written_later)
{
    pp_result now;
    bed_stamp(block, 100, 7);
    cr_assert_eq(bed_arm_read(&server, room, BLOCK, &now), PP_LATER);
    cr_assert_eq(bed_write(&pipe_bed, &client, block, 100).bytes, 100);
    pp_result result = bed_await(&pipe_bed, &server.read);
    cr_assert(result.fault.status == PIPEPORT_OK && result.bytes == 100);
    cr_assert(bed_is_stamped(room, 100, 7));
    pipe_settle();
}

Test(laws_pipe, reads_no_more_than_it_is_asked_for_and_keeps_the_rest)
{
    bed_stamp(block, 100, 0);
    cr_assert_eq(bed_write(&pipe_bed, &server, block, 100).bytes, 100);
    memset(room, 0x55, sizeof room);
    cr_assert_eq(bed_read(&pipe_bed, &client, room, 1).bytes, 1);
    cr_assert_eq(bed_read(&pipe_bed, &client, room + 1, 58).bytes, 58);
    cr_assert_eq(room[59], 0x55);
    cr_assert_eq(bed_read(&pipe_bed, &client, room + 59, BLOCK - 59).bytes, 41);
    cr_assert(bed_is_stamped(room, 100, 0));
    pipe_settle();
}

Test(laws_pipe, writes_all_slices_in_their_order)
{
    pp_slice slices[PP_SLICES_MAX];
    uint32_t count = client.pipe.slices_max;
    cr_assert(count >= 1 && count <= PP_SLICES_MAX);
    bed_stamp(block, count * PIECE, 0);
    for (uint32_t i = 0; i < count; i++) {
        slices[i] = (pp_slice){block + i * PIECE, PIECE};
    }
    client.write.home = client.pipe.home;
    pp_result result;
    pp_armed armed = pp_pipe_write(&client.pipe, slices, count, &client.write, &result);
    memset(slices, 0, sizeof slices); /* The array is ours again. */
    if (armed == PP_LATER) {
        result = bed_await(&pipe_bed, &client.write);
    }
    cr_assert_eq(result.bytes, count * PIECE);
    pipe_expect(&server, count * PIECE, 0);
    pipe_settle();
}

Test(laws_pipe, may_be_moved_while_nothing_is_armed)
{
    bed_end moved;
    memcpy(&moved, &client, sizeof moved);
    memset(&client, 0xDD, sizeof client);
    bed_stream(&pipe_bed, &moved, &server, 1000, 100);
    bed_stream(&pipe_bed, &server, &moved, 1000, 100);
    memcpy(&client, &moved, sizeof moved);
    pipe_settle();
}

Test(laws_pipe, carries_single_bytes_and_odd_pieces_in_order)
{
    bed_stream(&pipe_bed, &client, &server, 500, 1);
    bed_stream(&pipe_bed, &server, &client, 500, 1);
    bed_stream(&pipe_bed, &client, &server, 100000, 777);
    bed_stream(&pipe_bed, &server, &client, 1000000, 65537);
    pipe_settle();
}

Test(laws_pipe, takes_four_mebibytes_in_as_many_parts_as_it_likes)
{
    bed_stream(&pipe_bed, &client, &server, 4u << 20, 4u << 20);
    bed_stream(&pipe_bed, &server, &client, 4u << 20, 4u << 20);
    pipe_settle();
}

Test(laws_pipe, has_a_read_and_a_write_pending_at_once_on_each_end)
{
    static char other[BLOCK];
    pp_result now;
    cr_assert_eq(bed_arm_read(&server, room, 1, &now), PP_LATER);
    uint64_t taken = bed_fill(&pipe_bed, &server, block,
                              BLOCK); /* Towards the client; its own direction stays empty. */
    cr_assert_eq(bed_write(&pipe_bed, &client, "x", 1).bytes, 1);
    pp_result result = bed_await(&pipe_bed, &server.read);
    cr_assert(result.fault.status == PIPEPORT_OK && result.bytes == 1 && room[0] == 'x');
    uint64_t taken_back = bed_fill(&pipe_bed, &client, other, BLOCK); /* Now both directions are full. */
    pipe_expect(&client, taken + 1, 0);
    pipe_expect(&server, taken_back + 1, 0);
    while (!bed_poll(&pipe_bed, &server.write, &result)) {
        taken += bed_read(&pipe_bed, &client, room, 100).bytes;
    }
    cr_assert(result.fault.status == PIPEPORT_OK && result.bytes >= 1);
    while (!bed_poll(&pipe_bed, &client.write, &result)) {
        taken_back += bed_read(&pipe_bed, &server, room, 100).bytes;
    }
    cr_assert(result.fault.status == PIPEPORT_OK && result.bytes >= 1);
    pipe_settle();
}

Test(laws_pipe, reads_all_that_was_written_before_a_close_and_then_gone)
{
    bed_stamp(block, 3000, 0);
    for (uint32_t at = 0; at < 3000; at += 1000) {
        cr_assert_eq(bed_write(&pipe_bed, &client, block + at, 1000).bytes, 1000);
    }
    bed_end_close(&client);
    pipe_expect(&server, 3000, 0);
    pipe_expect_gone(&server);
    pipe_expect_gone(&server);
    pipe_settle();
}

Test(laws_pipe, delivers_to_a_client_what_the_server_wrote_before_it_closed)
{
    bed_stamp(block, 3000, 0);
    cr_assert_eq(bed_write(&pipe_bed, &server, block, 3000).bytes, 3000);
    bed_end_close(&server);
    pipe_expect(&client, 3000, 0);
    pipe_expect_gone(&client);
    pipe_settle();
}

Test(laws_pipe, delivers_what_was_written_by_one_who_closed_with_something_unread)
{
    bed_stamp(block, 1000, 0);
    cr_assert_eq(bed_write(&pipe_bed, &server, block, 1000).bytes, 1000);
    cr_assert_eq(bed_write(&pipe_bed, &client, block, 1000).bytes, 1000);
    bed_end_close(&client);
    pipe_expect(&server, 1000, 0);
    pipe_expect_gone(&server);
    pipe_settle();
}

Test(laws_pipe, ends_an_armed_read_with_gone_when_the_peer_closes)
{
    pp_result now;
    cr_assert_eq(bed_arm_read(&server, room, BLOCK, &now), PP_LATER);
    bed_end_close(&client);
    pp_result result = bed_await(&pipe_bed, &server.read);
    cr_assert_eq(result.fault.status, PIPEPORT_GONE);
    pipe_expect_gone(&server);
    pipe_settle();
}

Test(laws_pipe, ends_a_clients_armed_read_with_gone_when_the_server_closes)
{
    pp_result now;
    cr_assert_eq(bed_arm_read(&client, room, BLOCK, &now), PP_LATER);
    bed_end_close(&server);
    pp_result result = bed_await(&pipe_bed, &client.read);
    cr_assert_eq(result.fault.status, PIPEPORT_GONE);
    pipe_settle();
}

Test(laws_pipe, answers_gone_to_a_write_after_the_peers_end)
{
    bed_end_close(&server);
    pipe_must_be_gone(bed_write(&pipe_bed, &client, "x", 1));
    pipe_must_be_gone(bed_write(&pipe_bed, &client, "x", 1));
    pipe_settle();
}

Test(laws_pipe, ends_a_pending_write_with_gone_when_the_peer_closes)
{
    (void) bed_fill(&pipe_bed, &server, block, BLOCK);
    bed_end_close(&client);
    pipe_must_be_gone(bed_await(&pipe_bed, &server.write));
    pipe_settle();
}

Test(laws_pipe, ends_a_read_and_a_write_once_each_when_the_peer_closes)
{
    pp_result now;
    cr_assert_eq(bed_arm_read(&server, room, BLOCK, &now), PP_LATER);
    (void) bed_fill(&pipe_bed, &server, block, BLOCK);
    bed_end_close(&client);
    cr_assert_eq(bed_await(&pipe_bed, &server.write).fault.status, PIPEPORT_GONE);
    cr_assert_eq(bed_await(&pipe_bed, &server.read).fault.status, PIPEPORT_GONE);
    pipe_settle();
}

/* An abort: what the peer has not read may be lost (Windows); what it does read is what was written. */
Test(laws_pipe, reads_what_was_written_before_an_abort_or_less_and_then_gone)
{
    uint64_t got = 0;
    bed_stamp(block, 3000, 0);
    cr_assert_eq(bed_write(&pipe_bed, &server, block, 3000).bytes, 3000);
    pipe_expect(&client, 100, 0);
    bed_end_abort(&server);
    for (;;) {
        pp_result result = bed_read(&pipe_bed, &client, room, 700);
        if (result.fault.status != PIPEPORT_OK) {
            break;
        }
        cr_assert(bed_is_stamped(room, result.bytes, 100 + got));
        got += result.bytes;
    }
    cr_assert_leq(got, 2900);
    pipe_expect_gone(&client);
    cr_assert_eq(bed_write(&pipe_bed, &client, "x", 1).fault.status, PIPEPORT_GONE);
    pipe_settle();
}

Test(laws_pipe, ends_a_clients_read_and_write_with_gone_when_the_server_aborts)
{
    pp_result now;
    cr_assert_eq(bed_arm_read(&client, room, BLOCK, &now), PP_LATER);
    (void) bed_fill(&pipe_bed, &client, block, BLOCK);
    bed_end_abort(&server);
    pipe_must_be_gone(bed_await(&pipe_bed, &client.write));
    pipe_must_be_gone(bed_await(&pipe_bed, &client.read));
    pipe_settle();
}

Test(laws_pipe, aborts_a_pipe_whose_peer_has_left)
{
    bed_end_close(&client);
    pipe_expect_gone(&server);
    bed_end_abort(&server);
    pipe_settle();
}
