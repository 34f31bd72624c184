/* SPDX-License-Identifier: MIT */
/*
 * test_connection_said_all.c - a peer that ends its sending and still reads gets what was accepted for it; one that is
 * gone, or reads no more, holds nothing up.
 */
#include "tests/support/life.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(connection_said_all, .timeout = 100);

static fake_pipe *pipe;

static life_conn *said_all_open(void)
{
    life_serve();
    pipe = life_client();
    cr_assert_not_null(pipe);
    return life_newest();
}

/* A write is pending, a message waits behind it, and the peer has said all. */
static life_conn *said_all_with_a_queue(void)
{
    life_conn *conn = said_all_open();
    pipe->write_room = 3;
    cr_assert_eq(life_send(conn, "abc", 3), PIPEPORT_OK);
    cr_assert_eq(life_send(conn, "def", 3), PIPEPORT_OK);
    fake_peer_has_said_all(pipe);
    life_settle();
    cr_assert_eq(conn->closed, 0);
    return conn;
}

static void said_all_expect(const life_conn *conn, pipeport_status why, uint64_t sent, uint64_t discarded)
{
    life_expect_end(conn, why);
    cr_assert_eq(conn->end.bytes_sent, sent, "%u bytes sent", (unsigned) conn->end.bytes_sent);
    cr_assert_eq(conn->end.bytes_discarded, discarded, "%u bytes discarded", (unsigned) conn->end.bytes_discarded);
    life_expect_balance();
}

LIFE_TEST(connection_said_all, gets_what_was_accepted_before)
{
    life_conn *conn = said_all_with_a_queue();
    fake_peer_reads(pipe, 5);
    life_settle();
    cr_assert_eq(conn->closed, 0);
    fake_peer_reads(pipe, 100);
    life_settle();
    said_all_expect(conn, PIPEPORT_GONE, 14, 0);
    cr_assert_eq(conn->end.system_code, 109);
    cr_assert_eq(memcmp(pipe->written.data, "\3\0\0\0abc\3\0\0\0def", 14), 0);
}

static void said_all_echo(life_conn *conn, const void *data, size_t length)
{
    cr_assert_eq(life_send(conn, data, length), PIPEPORT_OK);
}

LIFE_TEST(connection_said_all, gets_the_replies_to_its_last_messages)
{
    life.on_message = said_all_echo;
    life_conn *conn = said_all_open();
    pipe->reads_later = pipe->writes_later = true;
    fake_peer_sends_message(pipe, "one", 3);
    fake_peer_sends_message(pipe, "two", 3);
    fake_peer_has_said_all(pipe);
    life_settle();
    cr_assert_eq(conn->messages, 2);
    said_all_expect(conn, PIPEPORT_GONE, 14, 0);
}

LIFE_TEST(connection_said_all, closes_at_once_where_nothing_waits)
{
    life_conn *conn = said_all_open();
    cr_assert_eq(life_send(conn, "abc", 3), PIPEPORT_OK);
    fake_peer_has_said_all(pipe);
    cr_assert_eq(pipeport_engine_run(life.engine, 0), PIPEPORT_OK); /* One round, and no time. */
    said_all_expect(conn, PIPEPORT_GONE, 7, 0);
}

LIFE_TEST(connection_said_all, is_sent_nothing_new)
{
    life_conn *conn = said_all_with_a_queue();
    cr_assert_eq(life_send(conn, "x", 1), PIPEPORT_GONE);
    cr_assert_eq(pipeport_close(life.engine, conn->name, PIPEPORT_DRAIN), PIPEPORT_GONE);
    fake_peer_reads(pipe, 100);
    life_settle();
    said_all_expect(conn, PIPEPORT_GONE, 14, 0);
}

LIFE_TEST(connection_said_all, ends_as_soon_as_a_write_finds_the_peer_gone)
{
    life_conn *conn = said_all_with_a_queue();
    fake_peer_goes(pipe);
    life_settle();
    said_all_expect(conn, PIPEPORT_GONE, 3, 11);
}

/* Not after its end: after the last write of which it took something, for who reads is there. */
static void said_all_lasts_300_ms_after_a_read(void)
{
    life_conn *conn = said_all_with_a_queue();
    life_pass(200);
    fake_peer_reads(pipe, 1);
    life_pass(250);
    cr_assert_eq(conn->closed, 0);
    life_pass(100);
    said_all_expect(conn, PIPEPORT_SLOW_PEER, 4, 10);
}

LIFE_TEST(connection_said_all, is_bounded_by_write_stall_ms)
{
    life_options.write_stall_ms = 300;
    said_all_lasts_300_ms_after_a_read();
}

LIFE_TEST(connection_said_all, is_bounded_by_idle_ms_where_write_stall_ms_is_no_bound)
{
    life_options.write_stall_ms = UINT32_MAX;
    life_options.idle_ms = 300;
    said_all_lasts_300_ms_after_a_read();
}

LIFE_TEST(connection_said_all, is_not_bounded_by_idle_ms_in_a_drain_of_ours)
{
    life_options.write_stall_ms = UINT32_MAX;
    life_options.idle_ms = 300;
    life_conn *conn = said_all_open();
    pipe->write_room = 3;
    cr_assert_eq(life_send(conn, "abc", 3), PIPEPORT_OK);
    cr_assert_eq(pipeport_close(life.engine, conn->name, PIPEPORT_DRAIN), PIPEPORT_OK);
    life_pass(1000);
    fake_peer_has_said_all(pipe);
    life_pass(100000);
    cr_assert_eq(conn->closed, 0);
    fake_peer_reads(pipe, 100);
    life_settle();
    said_all_expect(conn, PIPEPORT_OK, 7, 0);
}

LIFE_TEST(connection_said_all, is_overtaken_by_an_abort)
{
    life_conn *conn = said_all_with_a_queue();
    cr_assert_eq(pipeport_close(life.engine, conn->name, PIPEPORT_ABORT), PIPEPORT_OK);
    life_settle();
    said_all_expect(conn, PIPEPORT_STOPPED, 3, 11);
}

static pipeport_server *said_all_server;

static void said_all_stop(void)
{
    pipeport_server_stop(said_all_server, 500);
}

LIFE_TEST(connection_said_all, is_bounded_by_a_stop)
{
    life_options.write_stall_ms = UINT32_MAX;
    life_conn *conn = said_all_with_a_queue();
    said_all_server = life.server;
    life.server = NULL;
    life_on_worker(said_all_stop);
    life_pass(400);
    cr_assert_eq(conn->closed, 0);
    life_pass(200);
    life_expect_end(conn, PIPEPORT_TIMED_OUT);
    cr_assert_eq(conn->end.bytes_sent + conn->end.bytes_discarded, 14);
}

LIFE_TEST(connection_said_all, does_not_change_the_reason_of_a_drain_that_was_asked_for_before)
{
    life_conn *conn = said_all_open();
    pipe->write_room = 3;
    cr_assert_eq(life_send(conn, "abc", 3), PIPEPORT_OK);
    cr_assert_eq(pipeport_close(life.engine, conn->name, PIPEPORT_DRAIN), PIPEPORT_OK);
    life_settle();
    fake_peer_has_said_all(pipe);
    life_settle();
    cr_assert_eq(conn->closed, 0);
    fake_peer_reads(pipe, 100);
    life_settle();
    said_all_expect(conn, PIPEPORT_OK, 7, 0);
}

LIFE_TEST(connection_said_all, is_heard_after_the_resume_by_who_paused)
{
    life_conn *conn = said_all_open();
    pipe->write_room = 3;
    cr_assert_eq(life_send(conn, "abc", 3), PIPEPORT_OK);
    cr_assert_eq(pipeport_pause(life.engine, conn->name), PIPEPORT_OK);
    fake_peer_sends_message(pipe, "last", 4);
    fake_peer_has_said_all(pipe);
    fake_peer_reads(pipe, 100);
    life_settle();
    cr_assert_eq(conn->closed, 0);
    cr_assert_eq(pipeport_resume(life.engine, conn->name), PIPEPORT_OK);
    life_settle();
    cr_assert_eq(conn->messages, 1);
    said_all_expect(conn, PIPEPORT_GONE, 7, 0);
}

LIFE_TEST(connection_said_all, discards_where_reading_ends_with_an_error)
{
    life_conn *conn = said_all_open();
    pipe->write_room = 3;
    cr_assert_eq(life_send(conn, "abc", 3), PIPEPORT_OK);
    fake_fail_read(pipe, PIPEPORT_SYSTEM, 1450);
    life_settle();
    said_all_expect(conn, PIPEPORT_SYSTEM, 3, 4);
}

LIFE_TEST(connection_said_all, reports_the_error_of_a_write_that_fails_otherwise)
{
    life_conn *conn = said_all_with_a_queue();
    fake_fail_write(pipe, PIPEPORT_SYSTEM, 1450);
    life_settle();
    said_all_expect(conn, PIPEPORT_SYSTEM, 3, 11);
    cr_assert_eq(conn->end.system_code, 1450);
}

/* ---- At any moment ---- */

enum { SAID_BEFORE_IT_IS_SEATED, SAID_IN_OPENED, SAID_IN_READ, SAID_IN_MESSAGE, SAID_IN_WRITE, SAID_MOMENTS };

static unsigned said_all_moment;

static void said_all_at(unsigned moment)
{
    if (moment == said_all_moment) {
        fake_peer_has_said_all(pipe);
    }
}

static void said_all_in_opened(life_conn *conn)
{
    cr_assert_eq(life_send(conn, "hello", 5), PIPEPORT_OK);
    said_all_at(SAID_IN_OPENED);
}

static void said_all_in_message(life_conn *conn, const void *data, size_t length)
{
    said_all_echo(conn, data, length);
    said_all_at(SAID_IN_MESSAGE);
}

static void said_all_in_read(fake_pipe *of)
{
    (void) of;
    said_all_at(SAID_IN_READ);
}

static void said_all_in_write(fake_pipe *of)
{
    (void) of;
    said_all_at(SAID_IN_WRITE);
}

/* It has asked by then: each bit of `how` is a way in which its pipe is slow. */
static void said_all_try(unsigned how)
{
    pipe = fake_client_comes();
    pipe->inside_read = said_all_in_read;
    pipe->inside_write = said_all_in_write;
    pipe->reads_later = how & 1;
    pipe->writes_later = how & 2;
    pipe->write_room = how & 4 ? 7 : UINT64_MAX;
    pipe->read_bytes_max = how & 8 ? 1 : UINT32_MAX;
    fake_peer_sends_message(pipe, "ask", 3);
    said_all_at(SAID_BEFORE_IT_IS_SEATED);
    life_settle();
    cr_assert_eq(life_newest()->closed, !(how & 4));
    fake_peer_reads(pipe, 100);
    life_settle();
    cr_assert_eq(life_newest()->messages, 1);
    life_expect_end(life_newest(), PIPEPORT_GONE);
    cr_assert_eq(life_newest()->end.bytes_discarded, 0);
    cr_assert_eq(pipe->written.length, 16);
    cr_assert_arr_eq(pipe->written.data, "\5\0\0\0hello\3\0\0\0ask", 16);
}

LIFE_TEST(connection_said_all, may_be_said_at_any_moment)
{
    life.on_opened = said_all_in_opened;
    life.on_message = said_all_in_message;
    life_serve();
    for (said_all_moment = 0; said_all_moment < SAID_MOMENTS; ++said_all_moment) {
        for (unsigned how = 0; how < 16; ++how) {
            said_all_try(how);
        }
    }
    life_expect_balance();
}
