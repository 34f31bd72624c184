/* SPDX-License-Identifier: MIT */
/*
 * test_connection_clock.c - a peer that did its part in time is not blamed for a handler that holds its worker up: what
 * waits in the system, and what another worker has taken and not handled, counts for it.
 */
#include "engine/api/engine.h"
#include "engine/conn/connection.h"
#include "tests/support/life.h"

#include <criterion/criterion.h>

TestSuite(connection_clock, .timeout = 100);

static life_conn *clock_busy; /* Whose messages take so long, */
static fake_pipe *pipe;       /* and its peer. */
static fake_pipe *clock_other;

/* Both; answers the other one. */
static life_conn *clock_open(void (*on_message)(life_conn *conn, const void *data, size_t length))
{
    life.on_message = on_message;
    life_serve();
    pipe = life_client();
    cr_assert_not_null(pipe);
    clock_busy = life_newest();
    clock_other = life_client();
    cr_assert_not_null(clock_other);
    return life_newest();
}

static void clock_hold_up(life_conn *conn, const void *data, size_t length)
{
    (void) data;
    (void) length;
    if (conn == clock_busy) {
        fake_peer_sends_message(clock_other, "in time", 7);
        fake_peer_reads(clock_other, 100);
        fake_os_pass(5000);
    }
}

/* One connection hears a message, and another's peer does its part while that is handled: not a word is held against
 * it. Answers the other one, which must still be there. */
static life_conn *clock_hold_up_another(void)
{
    life_conn *other = clock_open(clock_hold_up);
    clock_other->write_room = 0;
    cr_assert_eq(life_send(other, "abc", 3), PIPEPORT_OK);
    fake_peer_sends_message(pipe, "for long", 8);
    cr_assert_eq(pipeport_engine_run(life.engine, 0), PIPEPORT_OK);
    life_settle();
    cr_assert_eq(clock_busy->messages, 1);
    cr_assert_eq(clock_busy->closed, 0, "its peer could have no answer yet");
    cr_assert_eq(other->closed, 0, "closed with: %s", pipeport_status_text(other->end.why));
    cr_assert_eq(other->messages, 1);
    cr_assert_eq(clock_other->written.length, 7);
    return other;
}

LIFE_TEST(connection_clock, does_not_call_idle_whose_bytes_wait_for_a_worker)
{
    life_options.idle_ms = 300;
    life_conn *other = clock_hold_up_another();
    life_pass(299);
    cr_assert_eq(other->closed, 0);
    life_pass(20);
    life_expect_end(other, PIPEPORT_TIMED_OUT);
}

LIFE_TEST(connection_clock, does_not_miss_a_first_message_that_waits_for_a_worker)
{
    life_options.first_message_ms = 300;
    life_conn *other = clock_hold_up_another();
    life_pass(5000);
    cr_assert_eq(other->closed, 0);
}

LIFE_TEST(connection_clock, does_not_call_slow_who_has_read_while_the_write_waits_for_a_worker)
{
    life_options.write_stall_ms = 300;
    life_conn *other = clock_hold_up_another();
    life_pass(5000);
    cr_assert_eq(other->closed, 0);
}

LIFE_TEST(connection_clock, gives_a_drain_no_more_than_its_time)
{
    life_options.write_stall_ms = 300;
    life_conn *other = clock_open(clock_hold_up);
    clock_other->write_room = 0;
    cr_assert_eq(life_send(other, "abc", 3), PIPEPORT_OK);
    pp_conn *conn = pp_conn_pin(&life.engine->hub, other->name.id);
    atomic_store(&conn->party->drain_by_ms, fake_os_ms + 400); /* As a stop would, but for this one alone. */
    cr_assert_eq(pp_conn_close(conn, PP_WISH_DRAIN, NULL), PIPEPORT_OK);
    pp_conn_unpin(conn, NULL);
    fake_peer_sends_message(pipe, "for long", 8);
    life_settle();
    life_expect_end(other, PIPEPORT_TIMED_OUT);
}

LIFE_TEST(connection_clock, looks_at_a_stalled_write_before_a_bound_that_is_longer)
{
    life_options.idle_ms = 10000;
    life_options.write_stall_ms = 300;
    life_conn *other = clock_open(NULL);
    clock_other->write_room = 0;
    life_pass(100);
    cr_assert_eq(life_send(other, "abc", 3), PIPEPORT_OK);
    life_pass(299);
    cr_assert_eq(other->closed, 0);
    life_pass(20);
    life_expect_end(other, PIPEPORT_SLOW_PEER);
}

static void clock_run_elsewhere(void)
{
    for (int i = 0; i < 100; ++i) {
        fake_os_pass(50);
        cr_assert_eq(pipeport_engine_run(life.engine, 0), PIPEPORT_OK);
    }
}

static void clock_hold_a_batch(life_conn *conn, const void *data, size_t length)
{
    (void) data;
    (void) length;
    if (conn == clock_busy) {
        cr_assert_eq(fake_port_waiting(), 0);
        life_as_thread(2, clock_run_elsewhere);
    }
}

/* Both messages are of one batch, and while the first is handled another worker looks at the clock. */
LIFE_TEST(connection_clock, does_not_call_idle_whose_bytes_are_in_another_workers_hand)
{
    life_options.idle_ms = 300;
    life_conn *other = clock_open(clock_hold_a_batch);
    fake_peer_sends_message(pipe, "for long", 8);
    fake_peer_sends_message(clock_other, "in time", 7);
    life_settle();
    cr_assert_eq(clock_busy->closed, 0);
    cr_assert_eq(other->closed, 0, "closed with: %s", pipeport_status_text(other->end.why));
    cr_assert_eq(other->messages, 1);
    life_pass(320);
    life_expect_end(other, PIPEPORT_TIMED_OUT);
}

static void clock_drain_port(void)
{
    do {
        cr_assert_eq(pipeport_engine_run(life.engine, 0), PIPEPORT_OK);
    } while (fake_port_waiting());
}

/* He is overdue, and his turn has passed through the port. Another look is no verdict yet, for another worker may have
 * just taken what lay before it, and the system not have written it down. */
LIFE_TEST(connection_clock, waits_a_little_where_the_port_has_been_passed)
{
    life_options.idle_ms = 300;
    life_options.write_stall_ms = 5;
    life_conn *silent = clock_open(NULL);
    clock_other->write_room = 0;
    fake_os_pass(300);
    clock_drain_port();
    cr_assert_eq(silent->closed, life_has_homes);
    if (!life_has_homes) {
        cr_assert_eq(life_send(silent, "abc", 3), PIPEPORT_OK); /* It pends: its clock is looked at. */
        clock_drain_port();
        cr_assert_eq(silent->closed, 0, "closed with: %s", pipeport_status_text(silent->end.why));
        life_pass(10);
    }
    life_expect_end(silent, PIPEPORT_TIMED_OUT);
}

enum { CLOCK_ROUNDS = 20 }; /* So many the peer's bytes may be in pieces. */

static void clock_drip(life_conn *conn, const void *data, size_t length)
{
    (void) data;
    (void) length;
    if (conn == clock_busy) {
        fake_peer_sends(clock_other, "", 1);
        fake_os_pass(50);
    }
}

/* The worker is busy all the time, and whenever it looks a byte more of the other one's first message has come. */
static life_conn *clock_open_dripping(void)
{
    life_options.first_message_ms = 300;
    life_conn *other = clock_open(clock_drip);
    fake_peer_sends(clock_other, "\0\0\17", 3); /* Almost a million bytes. */
    life_settle();
    return other;
}

static void clock_be_busy(life_conn *until_closed, int rounds)
{
    for (int i = 0; i < rounds && until_closed->closed == 0; ++i) {
        fake_peer_sends_message(pipe, "and on", 6);
        cr_assert_eq(pipeport_engine_run(life.engine, 0), PIPEPORT_OK);
    }
}

LIFE_TEST(connection_clock, ends_whose_first_message_never_ends_while_a_worker_is_busy)
{
    life_conn *other = clock_open_dripping();
    clock_be_busy(other, 500);
    life_expect_end(other, PIPEPORT_TIMED_OUT);
    cr_assert_geq(other->end.bytes_received, CLOCK_ROUNDS, "what had come before the first look is read");
    cr_assert_leq(other->end.bytes_received, 100);
}

LIFE_TEST(connection_clock, bears_with_a_first_message_in_many_pieces_while_a_worker_is_busy)
{
    life_conn *other = clock_open_dripping();
    clock_be_busy(other, CLOCK_ROUNDS);
    cr_assert_eq(other->closed, 0);
    life_pass(100);
    life_expect_end(other, PIPEPORT_TIMED_OUT); /* Nothing waits any more. */
}

LIFE_TEST(connection_clock, begins_anew_after_a_pause)
{
    life_conn *other = clock_open_dripping();
    clock_be_busy(other, CLOCK_ROUNDS);
    cr_assert_eq(pipeport_pause(life.engine, other->name), PIPEPORT_OK);
    cr_assert_eq(pipeport_resume(life.engine, other->name), PIPEPORT_OK);
    clock_be_busy(other, CLOCK_ROUNDS);
    cr_assert_eq(other->closed, 0);
}
