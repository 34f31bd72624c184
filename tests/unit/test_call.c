/* SPDX-License-Identifier: MIT */
/*
 * test_call.c - pipeport_client_call, call by call: what comes to it and what to `message`, each way to fail, and how
 * long it takes. How callers race with workers is tests/system/test_callers.c's.
 */
#include "engine/api/client.h"
#include "tests/support/life.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(call, .timeout = 100);

static char call_room[16];
static pipeport_reply call_reply;

static pipeport_status call_ask(uint32_t timeout_ms)
{
    memset(call_room, 0, sizeof call_room);
    call_reply = (pipeport_reply){.data = call_room, .room = sizeof call_room, .length = 99};
    return pipeport_client_call(life.client, "ask", 3, &call_reply, timeout_ms);
}

/* ---- A server: what it does when something is written to it, or when so much time has passed ---- */

static void call_answered(fake_pipe *pipe)
{
    fake_peer_sends_message(pipe, "reply", 5);
}

static void call_answered_twice(fake_pipe *pipe)
{
    fake_peer_sends_message(pipe, "reply", 5);
    fake_peer_sends_message(pipe, "unasked", 7);
}

static void call_answered_too_long(fake_pipe *pipe)
{
    fake_peer_sends_message(pipe, "0123456789ABCDEFG", 17);
}

static void call_answered_with_nothing(fake_pipe *pipe)
{
    fake_peer_sends_message(pipe, "", 0);
}

static uint64_t call_then_ms;
static void (*call_then)(void);

static void call_waits(uint32_t ms)
{
    if (!call_then || fake_os_ms + ms < call_then_ms) {
        fake_os_pass(ms);
        return;
    }
    void (*then)(void) = call_then;
    fake_os_pass((uint32_t) (call_then_ms - fake_os_ms));
    call_then = NULL;
    then();
}

static void call_after(uint32_t ms, void (*then)(void))
{
    call_then_ms = fake_os_ms + ms;
    call_then = then;
    fake.waits = call_waits;
}

static fake_pipe *call_open(uint32_t reconnect_ms)
{
    life_options.reconnect_ms = reconnect_ms;
    cr_assert_eq(life_dial(), PIPEPORT_OK);
    life_settle();
    return fake_newest();
}

/* ---- Replies ---- */

LIFE_TEST(call, gets_the_next_message_and_nothing_else_does)
{
    fake_pipe *pipe = call_open(0);
    pipe->inside_write = call_answered_twice;
    for (unsigned i = 1; i < 20; ++i) {
        cr_assert_eq(call_ask(1000), PIPEPORT_OK);
        cr_assert_eq(call_reply.length, 5);
        cr_assert_arr_eq(call_room, "reply", 6);
        life_settle();
        cr_assert_eq(life_newest()->messages, i, "what comes behind the reply is told");
        cr_assert_eq(life_newest()->last_length, 7);
    }
    pipeport_stats stats = {.size = sizeof stats};
    cr_assert_eq(pipeport_client_stats(life.client, &stats), PIPEPORT_OK);
    cr_assert_eq(stats.messages_sent, 19);
    cr_assert_eq(stats.bytes_accepted, 19 * 7);
    cr_assert_eq(stats.messages_received, 38);
}

LIFE_TEST(call, leaves_what_came_before_it_to_the_event)
{
    fake_pipe *pipe = call_open(0);
    fake_peer_sends_message(pipe, "early", 5);
    life_settle();
    pipe->inside_write = call_answered;
    cr_assert_eq(call_ask(1000), PIPEPORT_OK);
    cr_assert_eq(life_newest()->messages, 1);
    cr_assert_eq(call_reply.length, 5);
    cr_assert_arr_eq(call_room, "reply", 5);
}

LIFE_TEST(call, takes_an_empty_reply_without_room)
{
    fake_pipe *pipe = call_open(0);
    pipeport_reply none = {.length = 99};
    pipe->inside_write = call_answered_with_nothing;
    cr_assert_eq(pipeport_client_call(life.client, NULL, 0, &none, 1000), PIPEPORT_OK);
    cr_assert_eq(none.length, 0);
}

LIFE_TEST(call, tells_how_long_a_reply_was_that_had_no_room)
{
    fake_pipe *pipe = call_open(0);
    pipe->inside_write = call_answered_too_long;
    cr_assert_eq(call_ask(1000), PIPEPORT_TOO_LARGE);
    cr_assert_eq(call_reply.length, 17);
    cr_assert_eq(call_room[0], 0, "a part of it was copied");
    cr_assert_eq(life_newest()->messages, 0);
    pipe->inside_write = call_answered;
    cr_assert_eq(call_ask(1000), PIPEPORT_OK, "the connection has not suffered");
    cr_assert_eq(life.count, 1);
}

LIFE_TEST(call, needs_no_events)
{
    cr_assert_eq(pipeport_client_start(&life.client, life.engine, "life", NULL, NULL), PIPEPORT_OK);
    life_settle();
    fake_newest()->inside_write = call_answered_twice;
    cr_assert_eq(call_ask(1000), PIPEPORT_OK);
    life_settle();
    fake_peer_goes(fake_newest());
    life_settle();
    cr_assert_eq(call_ask(1000), PIPEPORT_GONE);
}

/* ---- Connections ---- */

static void call_answer_newest(life_conn *conn)
{
    (void) conn;
    fake_newest()->inside_write = call_answered;
}

LIFE_TEST(call, waits_for_a_connection)
{
    life.on_opened = call_answer_newest;
    fake_say(&fake.dials, PIPEPORT_BUSY, 5);
    cr_assert_eq(life_dial(), PIPEPORT_OK);
    cr_assert_eq(call_ask(1000), PIPEPORT_OK);
    cr_assert_eq(fake.dials_called, 6);
}

LIFE_TEST(call, waits_for_a_server_that_comes_late)
{
    life.on_opened = call_answer_newest;
    fake_say(&fake.dials, PIPEPORT_NO_SERVER, 5);
    life_options.reconnect_ms = 10;
    life_options.reconnect_max_ms = 10;
    cr_assert_eq(life_dial(), PIPEPORT_OK);
    cr_assert_eq(call_ask(1000), PIPEPORT_OK);
    cr_assert_eq(life.failed, 1);
}

LIFE_TEST(call, says_why_there_was_no_connection_in_time)
{
    static const pipeport_status faults[] = {PIPEPORT_BUSY, PIPEPORT_NO_SERVER};
    for (int i = 0; i < 2; ++i) {
        fake_say(&fake.dials, faults[i], 20);
        life_options.reconnect_ms = 10;
        cr_assert_eq(life_dial(), PIPEPORT_OK);
        uint64_t begin_ms = fake_os_ms;
        cr_assert_eq(call_ask(70), faults[i]);
        cr_assert_eq(fake_os_ms - begin_ms, 70);
        life_stop_client();
        fake.dials = (fake_script){.count = 0};
    }
}

LIFE_TEST(call, says_nothing_of_a_failure_before_the_last_connection)
{
    fake_say(&fake.dials, PIPEPORT_NO_SERVER, 1);
    life_options.reconnect_ms = 10;
    cr_assert_eq(life_dial(), PIPEPORT_OK);
    life_pass(20);
    cr_assert_eq(life.count, 1);
    fake_peer_goes(fake_newest());
    life_settle();
    cr_assert_eq(call_ask(5), PIPEPORT_TIMED_OUT);
}

LIFE_TEST(call, says_what_failed_said_as_soon_as_that_is_said)
{
    life_options.connect_ms = 60;
    fake_say(&fake.dials, PIPEPORT_BUSY, FAKE_SCRIPT_MAX);
    cr_assert_eq(life_dial(), PIPEPORT_OK);
    uint64_t begin_ms = fake_os_ms;
    cr_assert_eq(call_ask(5000), PIPEPORT_BUSY);
    cr_assert_lt(fake_os_ms - begin_ms, 60 + 10);
    cr_assert_eq(call_ask(5000), PIPEPORT_BUSY);
    cr_assert_eq(life.failed, 1);
}

static void call_peer_goes(void)
{
    fake_peer_goes(fake_newest());
}

LIFE_TEST(call, is_gone_with_its_connection)
{
    call_open(0);
    call_after(20, call_peer_goes);
    cr_assert_eq(call_ask(1000), PIPEPORT_GONE);
    life_expect_end(life_newest(), PIPEPORT_GONE);
    cr_assert_eq(call_ask(1000), PIPEPORT_GONE);
}

LIFE_TEST(call, is_not_asked_twice_when_its_connection_goes)
{
    life_options.reconnect_max_ms = 10;
    call_open(10);
    life.on_opened = call_answer_newest;
    call_after(20, call_peer_goes);
    cr_assert_eq(call_ask(1000), PIPEPORT_GONE);
    life_pass(100);
    cr_assert_eq(life.count, 2);
    cr_assert_eq(fake_newest()->written.length, 0);
    cr_assert_eq(call_ask(1000), PIPEPORT_OK);
}

LIFE_TEST(call, waits_for_the_successor_of_a_connection_that_is_closing)
{
    call_open(10);
    life.on_opened = call_answer_newest;
    cr_assert_eq(pipeport_close(life.engine, life_newest()->name, PIPEPORT_DRAIN), PIPEPORT_OK);
    cr_assert_eq(call_ask(1000), PIPEPORT_OK);
    cr_assert_eq(life.count, 2);
}

static void call_peer_says_its_last(void)
{
    fake_peer_sends_message(fake_newest(), "unasked", 7);
    fake_peer_goes(fake_newest());
}

/* Its writer has ended, and what the peer had sent is still read: nothing can be asked there. */
LIFE_TEST(call, waits_for_the_successor_of_a_connection_that_can_only_be_read)
{
    fake_pipe *pipe = call_open(10);
    fake_fail_write(pipe, PIPEPORT_GONE, 232);
    cr_assert_eq(life_send(life_newest(), "x", 1), PIPEPORT_OK);
    life_settle();
    cr_assert_eq(life_newest()->closed, 0);
    life.on_opened = call_answer_newest;
    call_after(20, call_peer_says_its_last);
    cr_assert_eq(call_ask(1000), PIPEPORT_OK);
    cr_assert_eq(life.count, 2);
    cr_assert_eq(fake_newest()->written.length, 4 + 3);
    cr_assert_eq(life.conns[0].messages, 1, "nobody asked, so it is told");
}

/* ---- Time ---- */

LIFE_TEST(call, aborts_its_connection_when_its_time_is_over)
{
    call_open(0);
    uint64_t begin_ms = fake_os_ms;
    cr_assert_eq(call_ask(25), PIPEPORT_TIMED_OUT);
    cr_assert_eq(fake_os_ms - begin_ms, 25);
    cr_assert_eq(call_reply.length, 0);
    life_settle();
    life_expect_end(life_newest(), PIPEPORT_STOPPED);
    cr_assert_eq(call_ask(25), PIPEPORT_GONE);
}

LIFE_TEST(call, works_on_a_new_connection_after_one_that_timed_out)
{
    fake_pipe *pipe = call_open(10);
    life.on_opened = call_answer_newest;
    cr_assert_eq(call_ask(25), PIPEPORT_TIMED_OUT);
    pipe->cancel_loses = true;
    fake_peer_sends_message(pipe, "too late", 8);
    cr_assert_eq(call_ask(1000), PIPEPORT_OK);
    cr_assert_arr_eq(call_room, "reply", 5);
    cr_assert_eq(life.count, 2);
    cr_assert_eq(life.conns[0].messages + life.conns[1].messages, 0, "a late reply is nobody's");
}

static pipeport_status call_other_answer;

static void call_as_other(void)
{
    pipeport_reply none = {.length = 0};
    call_other_answer = pipeport_client_call(life.client, "me too", 6, &none, 30);
}

static void call_other(void)
{
    life_as_thread(2, call_as_other);
}

LIFE_TEST(call, waits_for_its_turn_in_its_own_time)
{
    fake_pipe *pipe = call_open(0);
    call_after(5, call_other); /* As another thread, while the first call waits. */
    cr_assert_eq(call_ask(60), PIPEPORT_TIMED_OUT);
    cr_assert_eq(call_other_answer, PIPEPORT_TIMED_OUT);
    cr_assert_eq(pipe->written.length, 4 + 3, "it asked before its turn");
}

/* ---- What it refuses ---- */

LIFE_TEST(call, refuses_what_makes_no_sense)
{
    pipeport_reply reply = {.room = 1};
    call_open(0);
    cr_assert_eq(pipeport_client_call(life.client, "a", 1, &reply, 10), PIPEPORT_INVALID, "room that is not there");
    reply.room = 0;
    cr_assert_eq(pipeport_client_call(NULL, "a", 1, &reply, 10), PIPEPORT_INVALID);
    cr_assert_eq(pipeport_client_call(life.client, NULL, 1, &reply, 10), PIPEPORT_INVALID);
    cr_assert_eq(pipeport_client_call(life.client, "a", 1, NULL, 10), PIPEPORT_INVALID);
    cr_assert_eq(pipeport_client_call(life.client, "a", 1, &reply, 0), PIPEPORT_INVALID);
    reply.length = 99;
    cr_assert_eq(pipeport_client_call(life.client, "a", (1 << 20) + 1, &reply, 10), PIPEPORT_TOO_LARGE);
    cr_assert_eq(reply.length, 0, "it looks as if a reply were too large");
    atomic_store(&life.engine->hub.memory.fail_after, 0);
    cr_assert_eq(call_ask(10), PIPEPORT_NO_MEMORY);
    atomic_store(&life.engine->hub.memory.fail_after, UINT64_MAX);
    cr_assert_eq(fake_newest()->written.length, 0);
}

LIFE_TEST(call, needs_a_pipe_of_both_ways)
{
    for (uint32_t way = PIPEPORT_TO_SERVER; way <= PIPEPORT_TO_CLIENT; ++way) {
        life_options.direction = way;
        call_open(0);
        cr_assert_eq(call_ask(10), PIPEPORT_UNSUPPORTED);
        cr_assert_eq(fake_newest()->written.length, 0);
        life_stop_client();
    }
}

static void call_inside(void)
{
    cr_assert_eq(call_ask(10), PIPEPORT_INVALID);
}

LIFE_TEST(call, would_wait_for_itself_inside_an_event)
{
    call_open(0);
    life_on_worker(call_inside);
    cr_assert_eq(fake_newest()->written.length, 0);
}

LIFE_TEST(call, hears_full_at_once)
{
    static const char much[1000];
    life_options.message_bytes_max = 1000;
    life_options.send_queue_bytes_max = 1004;
    fake_pipe *pipe = call_open(0);
    pipe->write_room = 0;
    cr_assert_eq(life_send(life_newest(), much, sizeof much), PIPEPORT_OK);
    uint64_t begin_ms = fake_os_ms;
    cr_assert_eq(call_ask(1000), PIPEPORT_FULL);
    cr_assert_eq(fake_os_ms, begin_ms);
    fake_peer_sends_message(pipe, "unasked", 7);
    life_settle();
    cr_assert_eq(life_newest()->messages, 1, "nobody asked, so it is told");
}

/* ---- Stops ---- */

static void call_stop_done(pp_op *op, pp_result result, void *drainer)
{
    (void) op;
    (void) result;
    (void) drainer;
    pipeport_client_stop(life.client, 1000);
    life.client = NULL;
}

static void call_stop(void)
{
    static pp_op op;
    op = (pp_op){.done = call_stop_done};
    pp_port_post(life.engine->hub.port, &op);
}

LIFE_TEST(call, is_stopped_with_its_client)
{
    call_open(10);
    call_after(20, call_stop);
    uint64_t begin_ms = fake_os_ms;
    cr_assert_eq(call_ask(1000), PIPEPORT_STOPPED);
    cr_assert_eq(fake_os_ms - begin_ms, 20);
    life_settle();
}

LIFE_TEST(call, is_stopped_while_there_is_no_connection)
{
    fake_say(&fake.dials, PIPEPORT_NO_SERVER, FAKE_SCRIPT_MAX);
    life_options.reconnect_ms = 100;
    cr_assert_eq(life_dial(), PIPEPORT_OK);
    life_settle();
    call_after(20, call_stop);
    cr_assert_eq(call_ask(1000), PIPEPORT_STOPPED);
}
