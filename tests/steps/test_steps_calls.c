/* SPDX-License-Identifier: MIT */
/*
 * test_steps_calls.c - a call under every order of its steps, and of those of the worker whose turn it is on: whatever
 * ends it, nobody touches it, or the room for its reply, once its caller has left.
 */
#include "engine/api/calls.h"
#include "tests/steps/explore.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(steps, .timeout = 100);

enum { CONN = 7, GONE_BYTE = 0xDD };

static struct {
    pp_calls calls;
    pp_call call, next;
    char room[8];
    pipeport_reply reply, next_reply;
    bool has_left;          /* The caller has returned: what was its stack is somebody else's. */
    pipeport_status status; /* What it returned with, */
    pp_call_state gave_up;  /* and what its call was when its time was over. */
    bool was_reply;         /* The worker's: what came was one. */
} c;

static void begin_asked(void)
{
    memset(&c, 0, sizeof c);
    c.reply = (pipeport_reply){.data = c.room, .room = sizeof c.room};
    pp_calls_init(&c.calls);
    pp_calls_enter(&c.calls, &c.call, &c.reply);
    pp_calls_enter(&c.calls, &c.next, &c.next_reply);
    STEPS_ASSERT(pp_calls_ask(&c.calls, &c.call, CONN));
    steps_name(&c.calls.lock.word[0], "lock");
    steps_name(&c.call.gate.count, "gate");
}

static void leaves(void)
{
    pp_calls_leave(&c.calls, &c.call);
    memset(&c.call, GONE_BYTE, sizeof c.call);
    memset(c.room, GONE_BYTE, sizeof c.room);
    c.has_left = true;
}

static bool is_gone(const void *bytes, size_t length)
{
    for (size_t i = 0; i < length; ++i) {
        if (((const unsigned char *) bytes)[i] != GONE_BYTE) {
            return false;
        }
    }
    return true;
}

/* After each step. */
static void nobody_touches_it(void)
{
    STEPS_ASSERT(!c.has_left || (is_gone(&c.call, sizeof c.call) && is_gone(c.room, sizeof c.room)));
}

static void end_left(void)
{
    STEPS_ASSERT(c.has_left);
    nobody_touches_it();
    STEPS_ASSERT(c.calls.first == &c.next);
    STEPS_ASSERT(pp_gate_wait(&c.next.gate, 0)); /* It has its turn. */
    pp_calls_leave(&c.calls, &c.next);
    pp_calls_fini(&c.calls);
}

static void a_message_comes(void)
{
    c.was_reply = pp_calls_take(&c.calls, CONN, "reply", 5);
}

static void it_comes_and_the_connection_ends(void)
{
    a_message_comes();
    pp_calls_lost(&c.calls, CONN);
}

/* ---- The writer had ended: nothing was asked ---- */

static void takes_it_back(void)
{
    pp_calls_unask(&c.calls, &c.call);
    STEPS_ASSERT(pp_calls_look(&c.calls, &c.call).state == PP_CALL_WAITS);
    STEPS_ASSERT(c.reply.length == 0);
    leaves();
}

static void end_taken_back(void)
{
    STEPS_ASSERT(c.reply.length == 0);
    end_left();
}

Test(steps, calls_taken_back_while_something_comes)
{
    const steps_scenario scenario = {.name = "calls: one is taken back, a message comes, the connection ends",
                                     .begin = begin_asked,
                                     .fibers = {takes_it_back, it_comes_and_the_connection_ends},
                                     .always = nobody_touches_it,
                                     .end = end_taken_back};
    cr_assert_gt(steps_explore(&scenario), 5);
}

/* ---- Its time is over ---- */

static void gives_up(void)
{
    c.gave_up = pp_calls_give_up(&c.calls, &c.call);
    while (pp_calls_look(&c.calls, &c.call).state != PP_CALL_ENDED) {
        (void) pp_gate_wait(&c.call.gate, UINT32_MAX);
    }
    c.status = c.call.status;
    STEPS_ASSERT(c.status != PIPEPORT_OK || memcmp(c.room, "reply", 5) == 0);
    leaves();
}

static void end_given_up(void)
{
    STEPS_ASSERT(c.was_reply || c.status == PIPEPORT_STOPPED);
    STEPS_ASSERT((c.gave_up == PP_CALL_ASKED) == (c.status == PIPEPORT_TIMED_OUT));
    end_left();
}

Test(steps, calls_given_up_while_their_reply_comes)
{
    const steps_scenario scenario = {.name = "calls: one is given up, its reply comes, the connection ends",
                                     .begin = begin_asked,
                                     .fibers = {gives_up, it_comes_and_the_connection_ends},
                                     .always = nobody_touches_it,
                                     .end = end_given_up};
    cr_assert_gt(steps_explore(&scenario), 5);
}

static void the_client_stops(void)
{
    pp_calls_end(&c.calls, PIPEPORT_STOPPED);
}

Test(steps, calls_given_up_while_their_client_stops)
{
    const steps_scenario scenario = {.name = "calls: one is given up, its reply comes, its client stops",
                                     .begin = begin_asked,
                                     .fibers = {gives_up, a_message_comes, the_client_stops},
                                     .always = nobody_touches_it,
                                     .end = end_given_up};
    cr_assert_gt(steps_explore(&scenario), 20);
}
