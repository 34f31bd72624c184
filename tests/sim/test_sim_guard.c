/* SPDX-License-Identifier: MIT */
/*
 * test_sim_guard.c - what the seam forbids its users ends the program, and is called by its name: each test breaks one
 * law and passes if it is ended (sim_fail exits with 1).
 */
#include "tests/laws/bed.h"
#include "tests/sim/trace.h"
#include "tests/sim/world.h"

#include <criterion/criterion.h>

#include <string.h>

static test_bed guard_bed;
static bed_end server, client;
static unsigned char room[256], other[256];
static pp_lock lock, second_lock;
static pp_gate gate;

static void guard_setup(void)
{
    sim.rules.poisons = true;
    bed_open(&guard_bed, 1);
    bed_listen(&guard_bed);
    bed_pair(&guard_bed, &server, &client);
    pp_lock_init(&lock);
    pp_lock_init(&second_lock);
    pp_gate_init(&gate, 1);
}

TestSuite(sim_guard, .init = guard_setup, .timeout = 100);

#define GUARDED(name) Test(sim_guard, ends_who_##name, .exit_code = 1)

static void guard_arm_read(void)
{
    pp_result now;
    cr_assert_eq(bed_arm_read(&server, room, sizeof room, &now), PP_LATER);
}

Test(sim_guard, lets_the_lawful_live)
{
    guard_arm_read();
    cr_assert_eq(bed_write(&guard_bed, &client, "x", 1).bytes, 1);
    cr_assert_eq(bed_await(&guard_bed, &server.read).bytes, 1);
    pp_lock_take(&lock);
    pp_lock_give(&lock);
    bed_end_close(&server);
    bed_end_close(&client);
    bed_close(&guard_bed);
}

GUARDED(arms_an_operation_twice)
{
    pp_op op = {0};
    pp_port_post(guard_bed.port, &op);
    pp_port_post(guard_bed.port, &op);
}

GUARDED(arms_two_reads_on_one_pipe)
{
    guard_arm_read();
    pp_op op = {0};
    pp_result now;
    (void) pp_pipe_read(&server.pipe, other, sizeof other, &op, &now);
}

/* Another pair beside the first, which goes to the server only. */
static void guard_pair_one_way(bed_end *to, bed_end *from)
{
    static test_bed bed;
    bed_open(&bed, 1);
    bed.plan.way = PP_WAY_TO_SERVER;
    bed_listen(&bed);
    bed_pair(&bed, to, from);
}

GUARDED(reads_a_pipe_against_its_way)
{
    bed_end to, from;
    pp_result now;
    guard_pair_one_way(&to, &from);
    (void) bed_arm_read(&from, room, sizeof room, &now);
}

GUARDED(writes_a_pipe_against_its_way)
{
    bed_end to, from;
    pp_result now;
    guard_pair_one_way(&to, &from);
    (void) bed_arm_write(&to, "x", 1, &now);
}

GUARDED(arms_two_writes_on_one_pipe)
{
    static char block[65536];
    (void) bed_fill(&guard_bed, &server, block, sizeof block);
    pp_op op = {0};
    pp_slice slice = {other, 1};
    pp_result now;
    (void) pp_pipe_write(&server.pipe, &slice, 1, &op, &now);
}

GUARDED(closes_a_pipe_with_a_read_armed)
{
    guard_arm_read();
    pp_pipe_close(&server.pipe);
}

GUARDED(closes_a_pipe_twice)
{
    pp_pipe copy = server.pipe;
    pp_pipe_close(&server.pipe);
    pp_pipe_close(&copy);
}

GUARDED(aborts_a_pipe_that_was_dialled)
{
    pp_pipe_abort(&client.pipe);
}

GUARDED(reads_from_a_closed_pipe)
{
    bed_end copy = server;
    pp_pipe_close(&server.pipe);
    pp_result now;
    (void) bed_arm_read(&copy, room, sizeof room, &now);
}

GUARDED(touches_a_buffer_that_is_lent_to_a_read)
{
    guard_arm_read();
    room[0] = 0;
    (void) bed_write(&guard_bed, &client, "x", 1);
    (void) bed_await(&guard_bed, &server.read);
}

GUARDED(touches_data_that_is_lent_to_a_write)
{
    static char block[65536];
    (void) bed_fill(&guard_bed, &server, block, sizeof block);
    block[100] ^= 1;
    while (true) {
        (void) bed_read(&guard_bed, &client, other, sizeof other);
    }
}

GUARDED(touches_an_operation_that_is_lent)
{
    guard_arm_read();
    server.read.home = 1;
    (void) bed_write(&guard_bed, &client, "x", 1);
    (void) bed_await(&guard_bed, &server.read);
}

GUARDED(closes_an_ear_with_an_accept_armed)
{
    pp_pipe_close(&server.pipe);
    pp_result now;
    (void) pp_pipe_accept(&server.pipe, guard_bed.ear, &server.accept, &now);
    pp_ear_close(guard_bed.ear);
}

GUARDED(arms_an_accept_for_which_there_is_no_room)
{
    pp_ear_close(guard_bed.ear);
    bed_listen_for(&guard_bed, 0);
    pp_pipe_close(&server.pipe);
    pp_result now;
    (void) pp_pipe_accept(&server.pipe, guard_bed.ear, &server.accept, &now);
}

GUARDED(destroys_a_port_with_pipes_open)
{
    pp_port_destroy(guard_bed.port);
}

GUARDED(takes_a_lock_twice)
{
    pp_lock_take(&lock);
    pp_lock_take(&lock);
}

GUARDED(takes_a_second_lock)
{
    pp_lock_take(&lock);
    pp_lock_take(&second_lock);
}

GUARDED(waits_for_completions_with_a_lock)
{
    pp_completion completion;
    pp_lock_take(&lock);
    (void) pp_port_take(guard_bed.port, 0, 0, &completion, 1);
}

GUARDED(waits_at_a_gate_with_a_lock)
{
    pp_lock_take(&lock);
    (void) pp_gate_wait(&gate, 1);
}

GUARDED(waits_for_what_never_comes)
{
    (void) pp_gate_wait(&gate, UINT32_MAX);
}
