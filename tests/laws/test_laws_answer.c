/* SPDX-License-Identifier: MIT */
/*
 * test_laws_answer.c - whether an armed operation still waits for its peer can be asked before a take has brought it:
 * who has done his part is never said to be waited for. Where drainers share a port: once all has been taken that lay
 * in it before, which a mark tells that is posted behind.
 */
#include "tests/laws/bed.h"

#include <criterion/criterion.h>

enum { BLOCK = 32 * 1024, PAIRS = 3, FEW = 16 };

static test_bed answer_bed;
static bed_end server[PAIRS], client[PAIRS];
static char block[BLOCK], room[BLOCK], few[PAIRS][FEW];

static void answer_setup(void)
{
    bed_open_own(&answer_bed, 1);
    bed_listen(&answer_bed);
    for (int i = 0; i < PAIRS; i++) {
        bed_pair(&answer_bed, &server[i], &client[i]);
    }
}

/* Called by each test at its end: what breaks after the body fails no test of Criterion's. */
static void answer_settle(void)
{
    bed_hears_nothing(&answer_bed);
    for (int i = 0; i < PAIRS; i++) {
        bed_end_close(&server[i]);
        if (client[i].pipe.handle != PP_PIPE_CLOSED) {
            bed_end_close(&client[i]);
        }
    }
    bed_close(&answer_bed);
}

TestSuite(laws_answer, .init = answer_setup, .timeout = 100);

/* An await, or a read with room for more than ever comes: so all know afterwards that no more is there. */
static void answer_arm(bed_end *end, bool awaits)
{
    pp_result now;
    cr_assert_eq(awaits ? bed_arm_await(end, &now) : bed_arm_read(end, few[end - server], FEW, &now), PP_LATER);
    bed_hears_nothing(&answer_bed);
    cr_assert_not(pp_pipe_is_answered(&end->pipe, &end->read), "nothing has come");
}

static int answer_kinds(void)
{
    return pp_port_can_await(answer_bed.port) ? 2 : 1;
}

static bool answer_is_there(bed_end *end, const pp_op *op)
{
    if (pp_port_is_shared(answer_bed.port)) { /* What is taken before the mark is kept. */
        pp_op mark = {.done = NULL};
        pp_port_post(answer_bed.port, &mark);
        (void) bed_await(&answer_bed, &mark);
    }
    return pp_pipe_is_answered(&end->pipe, op);
}

/* What the system is told of one end it may bring to the other a little later. */
static bool answer_comes(bed_end *end, const pp_op *op)
{
    uint64_t until_ms = pp_os_now_ms() + BED_PATIENCE_MS;
    while (!answer_is_there(end, op)) {
        if (pp_os_now_ms() > until_ms) {
            return false;
        }
    }
    return true;
}

/* One byte to each, and a look from a thread that drains nothing: from there a write is not put off. */
static void answer_write_all(void *argument)
{
    (void) argument;
    for (int i = 0; i < PAIRS; i++) {
        pp_result now;
        LAW(bed_arm_write(&client[i], "a", 1, &now) == PP_NOW && now.bytes == 1);
        LAW(pp_port_is_shared(answer_bed.port) || answer_comes(&server[i], &server[i].read));
    }
}

static void answer_take_all(void)
{
    for (int taken = 0; taken < PAIRS;) { /* What one take leaves behind, or has in its hand, is answered too. */
        pp_completion one;
        for (int i = 0; i < PAIRS; i++) {
            cr_assert(answer_comes(&server[i], &server[i].read), "%d taken", taken);
        }
        taken += (int) pp_port_take(answer_bed.port, 0, 1000, &one, 1);
    }
}

static void answer_await_all(void)
{
    for (int i = 0; i < PAIRS; i++) {
        cr_assert(answer_comes(&server[i], &server[i].read));
    }
    for (int i = 0; i < PAIRS; i++) {
        cr_assert_eq(bed_await(&answer_bed, &server[i].read).fault.status, PIPEPORT_OK);
        cr_assert(pp_pipe_is_answered(&server[i].pipe, &server[i].read));
    }
}

Test(laws_answer, is_there_as_soon_as_the_peer_has_written)
{
    for (int awaits = 0; awaits < answer_kinds(); awaits++) {
        pp_thread writer;
        for (int i = 0; i < PAIRS; i++) {
            answer_arm(&server[i], awaits);
        }
        cr_assert_eq(pp_os_thread_start(&writer, answer_write_all, NULL).status, PIPEPORT_OK);
        pp_os_thread_join(&writer);
        (pp_port_is_shared(answer_bed.port) ? answer_await_all : answer_take_all)();
        for (int i = 0; awaits && i < PAIRS; i++) {
            cr_assert_eq(bed_read(&answer_bed, &server[i], few[i], FEW).bytes, 1);
        }
    }
    answer_settle();
}

Test(laws_answer, is_there_when_the_peer_has_gone)
{
    for (int i = 0; i < answer_kinds(); i++) {
        answer_arm(&server[i], i == 1);
        bed_end_close(&client[i]);
        cr_assert(answer_comes(&server[i], &server[i].read));
        (void) bed_await(&answer_bed, &server[i].read);
    }
    answer_settle();
}

Test(laws_answer, is_there_after_a_stop)
{
    answer_arm(&server[0], false);
    pp_pipe_cancel(&server[0].pipe, &server[0].read);
    cr_assert(answer_comes(&server[0], &server[0].read));
    cr_assert_eq(bed_await(&answer_bed, &server[0].read).fault.status, PIPEPORT_STOPPED);
    cr_assert(pp_pipe_is_answered(&server[0].pipe, &server[0].read));
    answer_settle();
}

/* Byte after byte of the peer's makes room, and a write that pends is answered when it could go on, not before. */
Test(laws_answer, of_a_write_is_there_when_the_peer_has_read)
{
    answer_arm(&server[0], false); /* The read of the same pipe has nothing to do with it. */
    uint64_t taken = bed_fill(&answer_bed, &server[0], block, BLOCK);
    cr_assert_not(pp_pipe_is_answered(&server[0].pipe, &server[0].write), "nobody has read");
    uint64_t got = 0;
    while (!answer_is_there(&server[0], &server[0].write)) {
        cr_assert_lt(got, taken + BLOCK, "all is read");
        pp_result read = bed_read(&answer_bed, &client[0], room, BLOCK);
        cr_assert(read.fault.status == PIPEPORT_OK && bed_is_stamped(room, read.bytes, got));
        got += read.bytes;
    }
    cr_assert_gt(got, 0);
    cr_assert_not(pp_pipe_is_answered(&server[0].pipe, &server[0].read));
    pp_result result = bed_await(&answer_bed, &server[0].write);
    cr_assert(result.fault.status == PIPEPORT_OK && got <= taken + result.bytes);
    pp_pipe_cancel(&server[0].pipe, &server[0].read);
    cr_assert_eq(bed_await(&answer_bed, &server[0].read).fault.status, PIPEPORT_STOPPED);
    answer_settle();
}
