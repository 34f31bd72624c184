/* SPDX-License-Identifier: MIT */
/*
 * test_calls.c - the list of calls: whose a message is, and what a caller is told, in the orders in which callers and
 * workers can meet.
 */
#include "engine/api/calls.h"
#include "tests/support/aborts.h"
#include "tests/support/fake_os.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(calls, .timeout = 100);

static pp_calls calls;
static pp_call first, second;
static char room[8];
static pipeport_reply reply = {.data = room, .room = sizeof room};

static void calls_begin(void)
{
    pp_calls_init(&calls);
    pp_calls_enter(&calls, &first, &reply);
    pp_calls_enter(&calls, &second, &reply);
}

static bool calls_have_news(pp_call *call)
{
    return pp_gate_wait(&call->gate, 0);
}

static void calls_end(void)
{
    pp_calls_leave(&calls, &second);
    pp_calls_fini(&calls);
    cr_assert_eq(fake_os_locks, 0);
}

Test(calls, give_a_message_to_who_asked_on_its_connection_once)
{
    calls_begin();
    cr_assert_not(pp_calls_take(&calls, 7, "before", 6));
    cr_assert(pp_calls_ask(&calls, &first, 7));
    cr_assert_not(pp_calls_take(&calls, 8, "other", 5));
    cr_assert_not(calls_have_news(&first));
    cr_assert(pp_calls_take(&calls, 7, "reply", 5));
    cr_assert(calls_have_news(&first));
    cr_assert_not(calls_have_news(&second));
    cr_assert_eq(pp_calls_look(&calls, &first).state, PP_CALL_ENDED);
    cr_assert_eq(first.status, PIPEPORT_OK);
    cr_assert_eq(reply.length, 5);
    cr_assert_arr_eq(room, "reply", 5);
    cr_assert_not(pp_calls_take(&calls, 7, "after", 5), "the next message is nobody's");
    pp_calls_leave(&calls, &first);
    cr_assert(calls_have_news(&second), "it has its turn");
    calls_end();
}

Test(calls, keep_a_late_reply_from_everybody)
{
    calls_begin();
    cr_assert(pp_calls_ask(&calls, &first, 7));
    cr_assert_eq(pp_calls_give_up(&calls, &first), PP_CALL_ASKED);
    cr_assert_eq(first.status, PIPEPORT_TIMED_OUT);
    memset(room, 0, sizeof room);
    cr_assert(pp_calls_take(&calls, 7, "late", 4));
    pp_calls_leave(&calls, &first);
    cr_assert(pp_calls_take(&calls, 7, "later", 5));
    cr_assert_eq(room[0], 0);
    cr_assert(pp_calls_ask(&calls, &second, 9));
    cr_assert(pp_calls_take(&calls, 7, "latest", 6) == false, "but by then its connection has gone");
    cr_assert(pp_calls_take(&calls, 9, "reply", 5));
    calls_end();
}

Test(calls, tell_apart_whose_connection_was_lost)
{
    calls_begin();
    cr_assert(pp_calls_ask(&calls, &first, 7));
    pp_calls_lost(&calls, 6);
    cr_assert_eq(pp_calls_look(&calls, &first).state, PP_CALL_ASKED);
    pp_calls_lost(&calls, 7);
    cr_assert_eq(pp_calls_look(&calls, &first).state, PP_CALL_ENDED);
    cr_assert_eq(first.status, PIPEPORT_GONE);
    cr_assert_eq(pp_calls_look(&calls, &second).state, PP_CALL_WAITS);
    pp_calls_leave(&calls, &first);
    calls_end();
}

Test(calls, wait_again_where_nothing_was_sent)
{
    calls_begin();
    cr_assert(pp_calls_ask(&calls, &first, 7));
    pp_calls_lost(&calls, 7);
    pp_calls_unask(&calls, &first);
    cr_assert_eq(pp_calls_look(&calls, &first).state, PP_CALL_WAITS);
    cr_assert_not(calls_have_news(&first));
    cr_assert_not(pp_calls_take(&calls, 7, "unasked", 7), "nothing was asked there");
    pp_calls_connected(&calls);
    cr_assert(calls_have_news(&first));
    cr_assert_not(calls_have_news(&second));
    cr_assert_eq(pp_calls_give_up(&calls, &first), PP_CALL_WAITS);
    pp_calls_leave(&calls, &first);
    calls_end();
}

Test(calls, have_no_reply_where_something_came_but_nothing_was_sent)
{
    calls_begin();
    cr_assert(pp_calls_ask(&calls, &first, 7));
    cr_assert(pp_calls_take(&calls, 7, "farewell", 8));
    cr_assert_eq(reply.length, 8);
    pp_calls_unask(&calls, &first);
    cr_assert_eq(pp_calls_look(&calls, &first).state, PP_CALL_WAITS);
    cr_assert_eq(reply.length, 0);
    cr_assert(pp_calls_ask(&calls, &first, 9));
    cr_assert(pp_calls_take(&calls, 9, "far too long", 12));
    cr_assert_eq(first.status, PIPEPORT_TOO_LARGE);
    pp_calls_unask(&calls, &first);
    cr_assert_eq(reply.length, 0);
    pp_calls_end(&calls, PIPEPORT_STOPPED);
    cr_assert_eq(pp_calls_look(&calls, &first).over, PIPEPORT_STOPPED);
    cr_assert_eq(reply.length, 0);
    pp_calls_leave(&calls, &first);
    calls_end();
}

Test(calls, are_all_told_of_the_end)
{
    calls_begin();
    cr_assert(pp_calls_ask(&calls, &first, 7));
    pp_calls_end(&calls, PIPEPORT_STOPPED);
    cr_assert(calls_have_news(&first) && calls_have_news(&second));
    cr_assert_eq(first.status, PIPEPORT_STOPPED);
    pp_calls_view view = pp_calls_look(&calls, &second);
    cr_assert_eq(view.state, PP_CALL_WAITS);
    cr_assert_eq(view.over, PIPEPORT_STOPPED);
    cr_assert_not(view.is_first);
    pp_calls_leave(&calls, &first);
    cr_assert_not(pp_calls_ask(&calls, &second, 8));
    calls_end();
}

Test(calls, abort_where_one_is_left_in_the_list, TEST_ABORTS)
{
    calls_begin();
    pp_calls_fini(&calls);
}
