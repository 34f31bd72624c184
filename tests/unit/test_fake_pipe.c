/* SPDX-License-Identifier: MIT */
/*
 * test_fake_pipe.c - the scripted pipe's messages of its own, and its ways: what tests of the engine lean on.
 */
#include "tests/support/fake_port.h"

#include <criterion/criterion.h>

#include <string.h>

static pp_pipe place;
static fake_pipe *pipe;
static pp_op op;
static uint8_t room[64];

static void done(pp_op *which, pp_result result, void *drainer)
{
    (void) which;
    (void) result;
    (void) drainer;
}

static void fake_setup(void)
{
    fake_reset();
    fake.whole = true;
    pipe = fake_pipe_open(&place, NULL);
    op.done = done;
}

TestSuite(fake_pipe, .init = fake_setup, .fini = fake_reset);

static void expect_read(uint32_t bytes, pp_op *with, pp_result expected)
{
    pp_result now;
    cr_assert_eq(pp_pipe_read(&place, room, bytes, with, &now), PP_NOW);
    cr_assert_eq(now.fault.status, expected.fault.status);
    cr_assert_eq(now.bytes, expected.bytes);
    cr_assert_eq(now.more, expected.more);
}

Test(fake_pipe, brings_parts_of_a_message_and_says_what_is_left)
{
    fake_peer_says(pipe, "abcdef", 6);
    fake_peer_says(pipe, "", 0);
    fake_peer_says(pipe, "gh", 2);
    expect_read(4, &op, (pp_result){{PIPEPORT_OK, 0}, 4, 2});
    expect_read(64, &op, (pp_result){{PIPEPORT_OK, 0}, 2, 0});
    cr_assert_eq(memcmp(room, "ef", 2), 0);
    expect_read(64, &op, (pp_result){{PIPEPORT_OK, 0}, 0, 0});
    expect_read(64, &op, (pp_result){{PIPEPORT_OK, 0}, 2, 0});
    expect_read(64, NULL, (pp_result){{PIPEPORT_OK, 0}, 0, 1});
    fake_peer_goes(pipe);
    expect_read(64, &op, (pp_result){{PIPEPORT_GONE, 0}, 0, 0});
}

Test(fake_pipe, brings_nothing_of_a_message_for_which_there_is_no_room_where_it_gathers)
{
    fake.gathers = true;
    fake_peer_says(pipe, "abcdef", 6);
    expect_read(4, NULL, (pp_result){{PIPEPORT_OK, 0}, 0, 6});
    expect_read(6, NULL, (pp_result){{PIPEPORT_OK, 0}, 6, 0});
    cr_assert_eq(memcmp(room, "abcdef", 6), 0);
}

Test(fake_pipe, takes_a_message_whole_or_waits)
{
    pp_result now;
    pp_completion home;
    pipe->write_room = 3;
    cr_assert_eq(place.slices_max, 0);
    cr_assert_eq(pp_pipe_write(&place, &(pp_slice){"abc", 3}, 1, &op, &now), PP_NOW);
    cr_assert_eq(pp_pipe_write(&place, &(pp_slice){"defg", 4}, 1, &op, &now), PP_LATER);
    fake_peer_reads(pipe, 3);
    cr_assert_eq(fake_port_waiting(), 0);
    fake_peer_reads(pipe, 1);
    cr_assert_eq(pp_port_take(NULL, 0, 0, &home, 1), 1);
    cr_assert_eq(home.result.bytes, 4);
    uint32_t lengths[] = {3, 4};
    cr_assert(pipe->heard.length == sizeof lengths && memcmp(pipe->heard.data, lengths, sizeof lengths) == 0);
}

Test(fake_pipe, tells_an_await_on_what_is_never_read_of_the_end_alone)
{
    pp_result now;
    pp_pipe other;
    pp_completion home;
    const pp_plan plan = {.in_bytes = 512, .out_bytes = 512, .way = PP_WAY_TO_SERVER};
    pp_pipe_init(&other, NULL);
    cr_assert_eq(pp_pipe_dial(&other, "name", &plan, 0).status, PIPEPORT_OK);
    fake_pipe *of = fake_newest();
    cr_assert(of->unread && !of->unwritten && !of->whole);
    fake_peer_sends(of, "x", 1);
    cr_assert_eq(pp_pipe_await(&other, &op, &now), PP_LATER);
    cr_assert_eq(fake_port_waiting(), 0);
    fake_peer_goes(of);
    cr_assert_eq(pp_port_take(NULL, 0, 0, &home, 1), 1);
    cr_assert_eq(home.result.fault.status, PIPEPORT_GONE);
    cr_assert_eq(pp_pipe_await(&other, &op, &now), PP_NOW);
    cr_assert_eq(now.fault.status, PIPEPORT_GONE);
}
