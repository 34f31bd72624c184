/* SPDX-License-Identifier: MIT */
/*
 * test_laws_cancel.c - a cancel is a wish: it loses or wins, and either way the operation comes home exactly once and
 * no byte is lost.
 */
#include "tests/laws/bed.h"

#include <criterion/criterion.h>

#include <string.h>

enum { BLOCK = 32 * 1024 };

static test_bed cancel_bed;
static bed_end server, client;
static char block[BLOCK], room[BLOCK];

static void cancel_setup(void)
{
    bed_open_own(&cancel_bed, 1);
    bed_listen(&cancel_bed);
    bed_pair(&cancel_bed, &server, &client);
}

static void cancel_settle(void)
{
    bed_settle(&cancel_bed, &server, &client);
}

TestSuite(laws_cancel, .init = cancel_setup, .timeout = 100);

Test(laws_cancel, stops_an_armed_read_exactly_once)
{
    pp_result now;
    for (int i = 0; i < 50; i++) {
        cr_assert_eq(bed_arm_read(&server, room, BLOCK, &now), PP_LATER);
        pp_pipe_cancel(&server.pipe, &server.read);
        pp_pipe_cancel(&server.pipe, &server.read);
        pp_result result = bed_await(&cancel_bed, &server.read);
        cr_assert_eq(result.fault.status, PIPEPORT_STOPPED, "status %d, system code %d", result.fault.status,
                     result.fault.system_code);
        cr_assert_eq(result.bytes, 0);
    }
    bed_hears_nothing(&cancel_bed);
    bed_stream(&cancel_bed, &client, &server, 1000, 100); /* The pipe is as good as before. */
    cancel_settle();
}

Test(laws_cancel, stops_a_clients_read_as_well)
{
    pp_result now;
    cr_assert_eq(bed_arm_read(&client, room, BLOCK, &now), PP_LATER);
    pp_pipe_cancel(&client.pipe, &client.read);
    cr_assert_eq(bed_await(&cancel_bed, &client.read).fault.status, PIPEPORT_STOPPED);
    bed_stream(&cancel_bed, &server, &client, 1000, 100);
    cancel_settle();
}

Test(laws_cancel, stops_a_pending_write_exactly_once_and_what_was_taken_is_in_order)
{
    uint64_t taken = bed_fill(&cancel_bed, &server, block, BLOCK);
    pp_pipe_cancel(&server.pipe, &server.write);
    pp_pipe_cancel(&server.pipe, &server.write);
    pp_result result = bed_await(&cancel_bed, &server.write);
    cr_assert(result.fault.status == PIPEPORT_STOPPED || result.fault.status == PIPEPORT_OK);
    taken += result.bytes;
    for (uint64_t got = 0; got < taken;) {
        uint32_t want = taken - got < BLOCK ? (uint32_t) (taken - got) : BLOCK;
        pp_result read = bed_read(&cancel_bed, &client, room, want);
        cr_assert_eq(read.fault.status, PIPEPORT_OK);
        cr_assert(bed_is_stamped(room, read.bytes, got));
        got += read.bytes;
    }
    cancel_settle();
}

Test(laws_cancel, does_nothing_to_an_operation_that_is_home)
{
    pp_result now;
    cr_assert_eq(bed_write(&cancel_bed, &client, "a", 1).bytes, 1);
    cr_assert_eq(bed_read(&cancel_bed, &server, room, 1).bytes, 1);
    pp_pipe_cancel(&server.pipe, &server.read);
    pp_pipe_cancel(&client.pipe, &client.write);
    bed_hears_nothing(&cancel_bed);
    cr_assert_eq(bed_arm_read(&server, room, BLOCK, &now), PP_LATER); /* An old wish does not reach a new operation. */
    bed_hears_nothing(&cancel_bed);
    cr_assert_eq(bed_write(&cancel_bed, &client, "b", 1).bytes, 1);
    pp_result result = bed_await(&cancel_bed, &server.read);
    cr_assert(result.fault.status == PIPEPORT_OK && result.bytes == 1 && room[0] == 'b');
    cancel_settle();
}

Test(laws_cancel, keeps_the_true_result_of_an_operation_that_is_done_but_not_yet_taken)
{
    pp_result now;
    cr_assert_eq(bed_arm_read(&server, room, BLOCK, &now), PP_LATER);
    cr_assert_eq(bed_write(&cancel_bed, &client, "abc", 3).bytes, 3);
    pp_pipe_cancel(&server.pipe, &server.read);
    pp_result result = bed_await(&cancel_bed, &server.read);
    if (result.fault.status == PIPEPORT_STOPPED) { /* The wish was faster: then the bytes are still there. */
        result = bed_read(&cancel_bed, &server, room, BLOCK);
    }
    cr_assert(result.fault.status == PIPEPORT_OK && result.bytes == 3);
    cr_assert_eq(memcmp(room, "abc", 3), 0);
    cancel_settle();
}

Test(laws_cancel, of_a_read_leaves_the_write_alone)
{
    pp_result now;
    cr_assert_eq(bed_arm_read(&server, room, BLOCK, &now), PP_LATER);
    uint64_t taken = bed_fill(&cancel_bed, &server, block, BLOCK);
    pp_pipe_cancel(&server.pipe, &server.read);
    cr_assert_eq(bed_await(&cancel_bed, &server.read).fault.status, PIPEPORT_STOPPED);
    bed_hears_nothing(&cancel_bed);
    pp_result result;
    uint64_t got = 0;
    while (!bed_poll(&cancel_bed, &server.write, &result)) {
        pp_result read = bed_read(&cancel_bed, &client, room, BLOCK);
        cr_assert(read.fault.status == PIPEPORT_OK && bed_is_stamped(room, read.bytes, got));
        got += read.bytes;
    }
    cr_assert(result.fault.status == PIPEPORT_OK && got <= taken + result.bytes);
    cancel_settle();
}

Test(laws_cancel, of_a_write_leaves_the_read_alone)
{
    pp_result now;
    cr_assert_eq(bed_arm_read(&server, room, BLOCK, &now), PP_LATER);
    (void) bed_fill(&cancel_bed, &server, block, BLOCK);
    pp_pipe_cancel(&server.pipe, &server.write);
    cr_assert_neq(bed_await(&cancel_bed, &server.write).fault.status, PIPEPORT_GONE);
    bed_hears_nothing(&cancel_bed);
    cr_assert_eq(bed_write(&cancel_bed, &client, "x", 1).bytes, 1);
    cr_assert_eq(bed_await(&cancel_bed, &server.read).bytes, 1);
    cancel_settle();
}

Test(laws_cancel, races_with_data_and_neither_loses_nor_doubles_a_byte)
{
    static bed_race race;
    int won = 0;
    bed_race_open(&race, &client);
    for (uint32_t i = 0; i < BED_RACES; i++) {
        pp_result now;
        cr_assert_eq(bed_arm_read(&server, room, BLOCK, &now), PP_LATER);
        bed_race_begin(&race, i);
        pp_pipe_cancel(&server.pipe, &server.read);
        pp_result result = bed_await(&cancel_bed, &server.read);
        if (result.fault.status == PIPEPORT_STOPPED) {
            won++;
            result = bed_read(&cancel_bed, &server, room, BLOCK);
        }
        cr_assert(result.fault.status == PIPEPORT_OK && result.bytes == 1);
        cr_assert_eq((unsigned char) room[0], bed_byte(i));
    }
    bed_race_close(&race);
    cr_log_info("the cancel won %d of %d races", won, BED_RACES);
    cancel_settle();
}
