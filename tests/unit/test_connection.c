/* SPDX-License-Identifier: MIT */
/*
 * test_connection.c - the life of a connection with each of its ends, on a pipe that does what the test says.
 *
 * life.h holds the order of events and the accounts in every one of these tests.
 */
#include "tests/support/life.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(connection, .timeout = 100);

static fake_pipe *pipe;

/* A server with one client, opened. */
static life_conn *connection_open(void)
{
    life_serve();
    pipe = life_client();
    cr_assert_not_null(pipe);
    cr_assert_eq(life.count, 1);
    return life_newest();
}

static void connection_expect_written(const char *bytes, size_t length)
{
    cr_assert_eq(pipe->written.length, length, "%zu bytes written", pipe->written.length);
    cr_assert_eq(memcmp(pipe->written.data, bytes, length), 0);
}

/* ---- Messages -------------------------------------------------------------------------------------------------------
 */

LIFE_TEST(connection, delivers_a_message_that_came_whole)
{
    life_conn *conn = connection_open();
    fake_peer_sends_message(pipe, "hello", 5);
    life_settle();
    cr_assert_eq(conn->messages, 1);
    cr_assert_eq(memcmp(conn->received.data, "hello", 5), 0);
}

LIFE_TEST(connection, delivers_a_message_that_came_byte_by_byte)
{
    life_conn *conn = connection_open();
    const char frame[] = {3, 0, 0, 0, 'a', 'b', 'c', 0, 0, 0, 0};
    for (size_t i = 0; i < sizeof frame; ++i) {
        fake_peer_sends(pipe, frame + i, 1);
        life_settle();
    }
    cr_assert_eq(conn->messages, 2);
    cr_assert_eq(conn->received.length, 3);
    cr_assert_eq(conn->last_length, 0);
}

LIFE_TEST(connection, gives_others_their_turn_when_there_is_always_more)
{
    life_conn *conn = connection_open();
    pipe->read_bytes_max = 1; /* A read a byte: the budget of a turn is used up many times. */
    for (int i = 0; i < 20; ++i) {
        fake_peer_sends_message(pipe, "0123456789", 10);
    }
    cr_assert_eq(pipeport_engine_run(life.engine, 0), PIPEPORT_OK);
    cr_assert_lt(conn->messages, 2, "one turn read all");
    life_settle();
    cr_assert_eq(conn->messages, 20);
}

LIFE_TEST(connection, receives_what_comes_late_as_what_comes_at_once)
{
    life_conn *conn = connection_open();
    pipe->reads_later = true;
    fake_peer_sends_message(pipe, "one", 3);
    fake_peer_sends_message(pipe, "two", 3);
    life_settle();
    cr_assert_eq(conn->messages, 2);
    cr_assert_eq(memcmp(conn->received.data, "onetwo", 6), 0);
}

static void connection_echo(life_conn *conn, const void *data, size_t length)
{
    cr_assert_eq(life_send(conn, data, length), PIPEPORT_OK);
}

LIFE_TEST(connection, writes_the_replies_of_a_batch_in_one)
{
    connection_open();
    life.on_message = connection_echo;
    for (int i = 0; i < 10; ++i) {
        fake_peer_sends_message(pipe, "x", 1);
    }
    life_settle();
    cr_assert_eq(pipe->written.length, 50);
    cr_assert_leq(pipe->writes, 2, "%u writes", pipe->writes);
}

LIFE_TEST(connection, writes_at_once_what_a_foreign_thread_sends)
{
    life_conn *conn = connection_open();
    cr_assert_eq(life_send(conn, "abc", 3), PIPEPORT_OK);
    connection_expect_written("\3\0\0\0abc", 7);
}

static void connection_send_first(life_conn *conn)
{
    cr_assert_eq(life_send(conn, "first", 5), PIPEPORT_OK);
}

LIFE_TEST(connection, takes_messages_from_opened_on)
{
    life.on_opened = connection_send_first;
    connection_open();
    connection_expect_written("\5\0\0\0first", 9);
}

/* ---- How it ends ----------------------------------------------------------------------------------------------------
 */

LIFE_TEST(connection, ends_with_gone_when_the_peer_goes)
{
    life_conn *conn = connection_open();
    fake_peer_goes(pipe);
    life_settle();
    life_expect_end(conn, PIPEPORT_GONE);
    cr_assert_eq(conn->end.system_code, 109);
    cr_assert_eq(life_send(conn, "x", 1), PIPEPORT_GONE);
    cr_assert_eq(pipeport_close(life.engine, conn->name, PIPEPORT_ABORT), PIPEPORT_GONE);
    cr_assert_eq(pipeport_pause(life.engine, conn->name), PIPEPORT_GONE);
    life_expect_balance();
}

LIFE_TEST(connection, delivers_what_came_before_the_peer_went)
{
    life_conn *conn = connection_open();
    pipe->reads_later = true;
    fake_peer_sends_message(pipe, "last words", 10);
    fake_peer_goes(pipe);
    life_settle();
    cr_assert_eq(conn->messages, 1);
    life_expect_end(conn, PIPEPORT_GONE);
    cr_assert_eq(conn->end.bytes_received, 14);
}

LIFE_TEST(connection, reads_on_when_a_write_hears_first_that_the_peer_is_gone)
{
    life_conn *conn = connection_open();
    pipe->write_end = (pp_fault){PIPEPORT_GONE, 232};
    cr_assert_eq(life_send(conn, "x", 1), PIPEPORT_OK);
    life_settle();
    cr_assert_eq(conn->closed, 0);
    cr_assert_eq(life_send(conn, "x", 1), PIPEPORT_GONE);
    fake_peer_sends_message(pipe, "bye", 3);
    fake_peer_goes(pipe);
    life_settle();
    cr_assert_eq(conn->messages, 1);
    life_expect_end(conn, PIPEPORT_GONE);
    cr_assert_eq(conn->end.bytes_discarded, 5);
    life_expect_balance();
}

LIFE_TEST(connection, ends_with_bad_peer_when_a_length_is_above_the_bound)
{
    life_options.message_bytes_max = 100;
    life_conn *conn = connection_open();
    fake_peer_sends_message(pipe, "good", 4);
    fake_peer_sends(pipe, "\x65\0\0\0", 4);
    life_settle();
    cr_assert_eq(conn->messages, 1);
    life_expect_end(conn, PIPEPORT_BAD_PEER);
}

LIFE_TEST(connection, ends_with_stopped_when_it_is_aborted)
{
    life_conn *conn = connection_open();
    pipe->write_room = 3;
    cr_assert_eq(life_send(conn, "abcdef", 6), PIPEPORT_OK);
    cr_assert_eq(pipeport_close(life.engine, conn->name, PIPEPORT_ABORT), PIPEPORT_OK);
    cr_assert_eq(life_send(conn, "x", 1), PIPEPORT_GONE);
    cr_assert_eq(pipeport_close(life.engine, conn->name, PIPEPORT_ABORT), PIPEPORT_GONE);
    life_settle();
    life_expect_end(conn, PIPEPORT_STOPPED);
    cr_assert_eq(conn->end.bytes_sent, 3);
    cr_assert_eq(conn->end.bytes_discarded, 7);
    life_expect_balance();
}

LIFE_TEST(connection, ends_with_ok_when_all_is_written_that_was_accepted)
{
    life_conn *conn = connection_open();
    pipe->write_room = 3;
    cr_assert_eq(life_send(conn, "abc", 3), PIPEPORT_OK);
    cr_assert_eq(pipeport_close(life.engine, conn->name, PIPEPORT_DRAIN), PIPEPORT_OK);
    cr_assert_eq(pipeport_close(life.engine, conn->name, PIPEPORT_DRAIN), PIPEPORT_GONE);
    life_settle();
    cr_assert_eq(conn->closed, 0);
    fake_peer_reads(pipe, 4);
    life_settle();
    life_expect_end(conn, PIPEPORT_OK);
    connection_expect_written("\3\0\0\0abc", 7);
    life_expect_balance();
}

LIFE_TEST(connection, drains_nothing_and_ends_with_ok)
{
    life_conn *conn = connection_open();
    cr_assert_eq(pipeport_close(life.engine, conn->name, PIPEPORT_DRAIN), PIPEPORT_OK);
    life_settle();
    life_expect_end(conn, PIPEPORT_OK);
}

LIFE_TEST(connection, ends_with_stopped_when_an_abort_overtakes_a_drain)
{
    life_conn *conn = connection_open();
    pipe->write_room = 0;
    cr_assert_eq(life_send(conn, "abc", 3), PIPEPORT_OK);
    cr_assert_eq(pipeport_close(life.engine, conn->name, PIPEPORT_DRAIN), PIPEPORT_OK);
    life_settle();
    cr_assert_eq(pipeport_close(life.engine, conn->name, PIPEPORT_ABORT), PIPEPORT_OK);
    life_settle();
    life_expect_end(conn, PIPEPORT_STOPPED);
    cr_assert_eq(conn->end.bytes_discarded, 7);
}

LIFE_TEST(connection, ends_with_gone_when_the_peer_goes_while_it_drains)
{
    life_conn *conn = connection_open();
    pipe->write_room = 0;
    cr_assert_eq(life_send(conn, "abc", 3), PIPEPORT_OK);
    cr_assert_eq(pipeport_close(life.engine, conn->name, PIPEPORT_DRAIN), PIPEPORT_OK);
    life_settle();
    fake_peer_goes(pipe);
    life_settle();
    life_expect_end(conn, PIPEPORT_GONE);
    life_expect_balance();
}

LIFE_TEST(connection, hears_no_message_while_it_drains)
{
    life_conn *conn = connection_open();
    pipe->write_room = 0;
    cr_assert_eq(life_send(conn, "abc", 3), PIPEPORT_OK);
    cr_assert_eq(pipeport_close(life.engine, conn->name, PIPEPORT_DRAIN), PIPEPORT_OK);
    for (int i = 0; i < 100; ++i) {
        fake_peer_sends_message(pipe, "unheard", 7);
        life_settle();
    }
    fake_peer_reads(pipe, 7);
    life_settle();
    cr_assert_eq(conn->messages, 0);
    life_expect_end(conn, PIPEPORT_OK);
    cr_assert_eq(conn->end.bytes_received, 1100);
}

LIFE_TEST(connection, ends_with_system_when_a_read_fails_without_a_name)
{
    life_conn *conn = connection_open();
    fake_fail_read(pipe, PIPEPORT_SYSTEM, 1450);
    life_settle();
    life_expect_end(conn, PIPEPORT_SYSTEM);
    cr_assert_eq(conn->end.system_code, 1450);
}

LIFE_TEST(connection, ends_with_system_when_a_write_fails_without_a_name)
{
    life_conn *conn = connection_open();
    pipe->write_room = 0;
    cr_assert_eq(life_send(conn, "abc", 3), PIPEPORT_OK);
    fake_fail_write(pipe, PIPEPORT_SYSTEM, 1450);
    life_settle();
    life_expect_end(conn, PIPEPORT_SYSTEM);
    cr_assert_eq(conn->end.bytes_discarded, 7);
}

LIFE_TEST(connection, waits_for_a_read_whose_cancel_was_not_heard)
{
    life_conn *conn = connection_open();
    pipe->cancel_loses = true;
    cr_assert_eq(pipeport_close(life.engine, conn->name, PIPEPORT_ABORT), PIPEPORT_OK);
    life_settle();
    cr_assert_eq(pipe->cancels, 1);
    cr_assert_eq(conn->closed, 0);
    fake_peer_sends_message(pipe, "too late", 8);
    life_settle();
    cr_assert_eq(conn->messages, 0);
    life_expect_end(conn, PIPEPORT_STOPPED);
    cr_assert_eq(conn->end.bytes_received, fake.can_await ? 0 : 12); /* An await has read nothing. */
}

LIFE_TEST(connection, waits_for_a_write_whose_cancel_was_not_heard)
{
    life_conn *conn = connection_open();
    pipe->write_room = 0;
    cr_assert_eq(life_send(conn, "abc", 3), PIPEPORT_OK);
    cr_assert_eq(life_send(conn, "def", 3), PIPEPORT_OK);
    pipe->cancel_loses = true;
    cr_assert_eq(pipeport_close(life.engine, conn->name, PIPEPORT_ABORT), PIPEPORT_OK);
    fake_peer_sends(pipe, "", 0);
    life_settle();
    cr_assert_eq(conn->closed, 0);
    fake_peer_reads(pipe, 100);
    fake_fail_read(pipe, PIPEPORT_STOPPED, 995);
    life_settle();
    life_expect_end(conn, PIPEPORT_STOPPED);
    cr_assert_eq(conn->end.bytes_sent, 7);
    cr_assert_eq(conn->end.bytes_discarded, 7);
    life_expect_balance();
}

/* ---- Closed from inside ---- */

static pipeport_closing connection_closing;

static void connection_close(life_conn *conn)
{
    cr_assert_eq(life_send(conn, "bye", 3), PIPEPORT_OK);
    cr_assert_eq(pipeport_close(life.engine, conn->name, connection_closing), PIPEPORT_OK);
    cr_assert_eq(life_send(conn, "x", 1), PIPEPORT_GONE);
}

static void connection_close_at(life_conn *conn, const void *data, size_t length)
{
    (void) data;
    (void) length;
    connection_close(conn);
}

LIFE_TEST(connection, hears_nothing_more_after_a_close_inside_message)
{
    for (int how = PIPEPORT_DRAIN; how <= PIPEPORT_ABORT; ++how) {
        connection_closing = (pipeport_closing) how;
        life.on_message = connection_close_at;
        life_options.connections_max = 8;
        if (how == PIPEPORT_DRAIN) {
            connection_open();
        } else {
            pipe = life_client();
        }
        life_conn *conn = life_newest();
        for (int i = 0; i < 5; ++i) {
            fake_peer_sends_message(pipe, "x", 1);
        }
        life_settle();
        cr_assert_eq(conn->messages, 1);
        life_expect_end(conn, how == PIPEPORT_DRAIN ? PIPEPORT_OK : PIPEPORT_STOPPED);
        cr_assert_eq(conn->end.bytes_sent + conn->end.bytes_discarded, 7);
    }
}

LIFE_TEST(connection, can_be_closed_inside_opened)
{
    connection_closing = PIPEPORT_DRAIN;
    life.on_opened = connection_close;
    life_serve();
    pipe = fake_client_comes();
    fake_peer_sends_message(pipe, "never heard", 11);
    life_settle();
    cr_assert_eq(life_newest()->messages, 0);
    life_expect_end(life_newest(), PIPEPORT_OK);
    connection_expect_written("\3\0\0\0bye", 7);
}

static void connection_send_after_the_end(life_conn *conn)
{
    cr_assert_eq(life_send(conn, "x", 1), PIPEPORT_GONE);
    cr_assert_eq(pipeport_close(life.engine, conn->name, PIPEPORT_ABORT), PIPEPORT_GONE);
}

LIFE_TEST(connection, is_gone_inside_closed)
{
    life.on_closed = connection_send_after_the_end;
    life_conn *conn = connection_open();
    fake_peer_goes(pipe);
    life_settle();
    life_expect_end(conn, PIPEPORT_GONE);
}
