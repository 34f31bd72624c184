/* SPDX-License-Identifier: MIT */
/*
 * test_way.c - pipes of one direction: nobody reads or writes against it, and their end is heard all the same.
 */
#include "engine/api/engine.h"
#include "tests/support/life.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(way, .timeout = 100);

static void way_serve(uint32_t direction)
{
    life_options.direction = direction;
    life_serve();
}

LIFE_TEST(way, is_unsupported_against_it)
{
    way_serve(PIPEPORT_TO_SERVER);
    fake_pipe *pipe = life_client();
    pipeport_message *message = NULL;
    void *data = NULL;
    uint32_t reached = 7;
    cr_assert_eq(life_send(life_newest(), "x", 1), PIPEPORT_UNSUPPORTED);
    cr_assert_eq(pipeport_broadcast(life.server, "x", 1, &reached), PIPEPORT_UNSUPPORTED);
    cr_assert_eq(pipeport_message_create(&message, life.engine, NULL, 1, &data), PIPEPORT_OK);
    memset(data, 0, 1);
    cr_assert_eq(pipeport_send_message(life.engine, life_newest()->name, message), PIPEPORT_UNSUPPORTED);
    cr_assert_eq(pipeport_broadcast_message(life.server, message, &reached), PIPEPORT_UNSUPPORTED);
    pipeport_message_release(message);
    cr_assert_eq(reached, 7);
    cr_assert_eq(pipe->writes, 0);
    fake_peer_sends_message(pipe, "four", 4);
    life_settle();
    cr_assert_eq(life_newest()->messages, 1);
}

static pipeport_status way_answer;

static void way_reply(life_conn *conn, const void *data, size_t length)
{
    way_answer = life_send(conn, data, length);
}

LIFE_TEST(way, is_unsupported_against_it_inside_an_event_too)
{
    life.on_message = way_reply;
    way_answer = PIPEPORT_OK;
    way_serve(PIPEPORT_TO_SERVER);
    fake_peer_sends_message(life_client(), "four", 4);
    life_settle();
    cr_assert_eq(way_answer, PIPEPORT_UNSUPPORTED);
}

LIFE_TEST(way, is_written_and_never_read_by_a_server_that_pushes)
{
    way_serve(PIPEPORT_TO_CLIENT);
    fake_pipe *pipe = life_client();
    cr_assert_eq(life_send(life_newest(), "push", 4), PIPEPORT_OK);
    life_settle();
    cr_assert_eq(pipe->written.length, 8);
    cr_assert_eq(pipe->reads, 0);
    cr_assert_eq(pipe->awaits, fake.can_await ? 1 : 0);
    cr_assert_eq(pipeport_pause(life.engine, life_newest()->name), PIPEPORT_OK);
    cr_assert_eq(pipeport_resume(life.engine, life_newest()->name), PIPEPORT_OK);
    life_settle();
    fake_peer_goes(pipe);
    life_settle();
    if (!fake.can_await) {
        cr_assert_eq(life_newest()->closed, 0, "nobody can tell");
        cr_assert_eq(life_send(life_newest(), "push", 4), PIPEPORT_OK);
        life_settle();
    }
    life_expect_end(life_newest(), PIPEPORT_GONE);
    cr_assert_eq(pipe->reads, 0);
}

LIFE_TEST(way, drains_what_was_pushed_at_a_close)
{
    way_serve(PIPEPORT_TO_CLIENT);
    fake_pipe *pipe = life_client();
    pipe->write_room = 0;
    cr_assert_eq(life_send(life_newest(), "push", 4), PIPEPORT_OK);
    life_settle();
    cr_assert_eq(pipeport_close(life.engine, life_newest()->name, PIPEPORT_DRAIN), PIPEPORT_OK);
    life_settle();
    cr_assert_eq(life_newest()->closed, 0);
    fake_peer_reads(pipe, 100);
    life_settle();
    life_expect_end(life_newest(), PIPEPORT_OK);
    cr_assert_eq(life_newest()->end.bytes_sent, 8);
}

LIFE_TEST(way, drains_at_once_where_nothing_can_be_sent)
{
    way_serve(PIPEPORT_TO_SERVER);
    life_client();
    cr_assert_eq(pipeport_close(life.engine, life_newest()->name, PIPEPORT_DRAIN), PIPEPORT_OK);
    life_settle();
    life_expect_end(life_newest(), PIPEPORT_OK);
}

LIFE_TEST(way, is_the_other_one_for_a_client)
{
    life_options.direction = PIPEPORT_TO_SERVER;
    cr_assert_eq(life_dial(), PIPEPORT_OK);
    life_settle();
    cr_assert_eq(life_send(life_newest(), "up", 2), PIPEPORT_OK);
    life_settle();
    cr_assert_eq(fake_newest()->written.length, 6);
    cr_assert_eq(fake_newest()->reads, 0);
    life_stop_client();
    life_options.direction = PIPEPORT_TO_CLIENT;
    cr_assert_eq(life_dial(), PIPEPORT_OK);
    life_settle();
    cr_assert_eq(life_send(life_newest(), "up", 2), PIPEPORT_UNSUPPORTED);
    fake_peer_sends_message(fake_newest(), "down", 4);
    life_settle();
    cr_assert_eq(life_newest()->messages, 1);
}
