/* SPDX-License-Identifier: MIT */
/*
 * test_connection_flow.c - what slows a connection down: its bounds in bytes and in milliseconds, pausing, memory.
 *
 * The clock is the fake one, so every bound is met to the millisecond.
 */
#include "engine/api/engine.h"
#include "tests/support/life.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(connection_flow, .timeout = 100);

static fake_pipe *pipe;

static life_conn *flow_open(void)
{
    life_serve();
    pipe = life_client();
    cr_assert_not_null(pipe);
    return life_newest();
}

/* ---- Bytes ---- */

LIFE_TEST(connection_flow, tells_drained_once_after_full)
{
    char block[96];
    memset(block, 'b', sizeof block);
    life_options.message_bytes_max = 100;
    life_options.send_queue_bytes_max = 1000;
    life_conn *conn = flow_open();
    pipe->write_room = 0;
    for (int i = 0; i < 10; ++i) {
        cr_assert_eq(life_send(conn, block, 96), PIPEPORT_OK);
    }
    cr_assert_eq(life_send(conn, block, 1), PIPEPORT_FULL);
    cr_assert_eq(life_send(conn, block, 1), PIPEPORT_FULL);
    for (int i = 0; i < 10; ++i) {
        fake_peer_reads(pipe, 100);
        life_settle();
        cr_assert_eq(conn->drained, i >= 4, "after %d: %u", i, conn->drained);
    }
    pipeport_stats stats = {.size = sizeof stats};
    cr_assert_eq(pipeport_server_stats(life.server, &stats), PIPEPORT_OK);
    cr_assert_eq(stats.sends_refused, 2);
    cr_assert_eq(stats.messages_sent, 10);
    cr_assert_eq(stats.bytes_accepted, 1000);
    cr_assert_eq(stats.bytes_sent, 1000);
}

static void flow_fill(life_conn *conn)
{
    char block[96] = {0};
    while (conn->drained < 1000 && life_send(conn, block, sizeof block) == PIPEPORT_OK) {
    }
}

static void flow_fill_for(life_conn *conn, const void *data, size_t length)
{
    (void) data, (void) length;
    flow_fill(conn);
}

LIFE_TEST(connection_flow, lets_others_in_between_though_each_drained_fills_the_queue_again)
{
    life_options.message_bytes_max = 100;
    life_options.send_queue_bytes_max = 1000;
    life.on_message = flow_fill_for;
    life.on_drained = flow_fill;
    life_conn *conn = flow_open();
    fake_peer_sends_message(pipe, "go", 2);
    unsigned rounds = 0;
    for (; conn->drained < 1000 && rounds < 10000; ++rounds) {
        unsigned before = conn->drained;
        cr_assert_eq(pipeport_engine_run(life.engine, 0), PIPEPORT_OK);
        cr_assert_lt(conn->drained - before, 3, "%u in one round", conn->drained - before);
    }
    cr_assert_eq(conn->drained, 1000, "%u after %u rounds", conn->drained, rounds);
}

LIFE_TEST(connection_flow, refuses_a_message_above_the_bound)
{
    char block[101] = {0};
    life_options.message_bytes_max = 100;
    life_conn *conn = flow_open();
    cr_assert_eq(life_send(conn, block, 101), PIPEPORT_TOO_LARGE);
    cr_assert_eq(life_send(conn, block, 100), PIPEPORT_OK);
    cr_assert_eq(pipe->written.length, 104);
}

static void flow_pause(life_conn *conn, const void *data, size_t length)
{
    (void) data;
    (void) length;
    cr_assert_eq(pipeport_pause(life.engine, conn->name), PIPEPORT_OK);
}

LIFE_TEST(connection_flow, hears_nothing_while_paused_and_all_after)
{
    life.on_message = flow_pause;
    life_conn *conn = flow_open();
    for (unsigned i = 0; i < 4; ++i) {
        fake_peer_sends_message(pipe, "x", 1);
    }
    for (unsigned i = 1; i <= 4; ++i) {
        life_settle();
        cr_assert_eq(conn->messages, i, "paused, and %u messages", conn->messages);
        unsigned reads = pipe->reads;
        life_pass(1000);
        cr_assert_eq(pipe->reads, reads, "read while paused");
        cr_assert_eq(pipeport_resume(life.engine, conn->name), PIPEPORT_OK);
    }
    life_settle();
    cr_assert_eq(conn->messages, 4);
}

LIFE_TEST(connection_flow, hears_of_the_peers_end_when_it_is_resumed)
{
    life_conn *conn = flow_open();
    cr_assert_eq(pipeport_pause(life.engine, conn->name), PIPEPORT_OK);
    fake_peer_sends_message(pipe, "x", 1);
    fake_peer_goes(pipe);
    life_settle();
    cr_assert_eq(conn->messages + conn->closed, 0);
    cr_assert_eq(pipeport_resume(life.engine, conn->name), PIPEPORT_OK);
    life_settle();
    cr_assert_eq(conn->messages, 1);
    life_expect_end(conn, PIPEPORT_GONE);
}

LIFE_TEST(connection_flow, ends_as_it_was_told_to_although_it_is_resumed)
{
    life_conn *conn = flow_open();
    cr_assert_eq(pipeport_pause(life.engine, conn->name), PIPEPORT_OK);
    cr_assert_eq(pipeport_close(life.engine, conn->name, PIPEPORT_ABORT), PIPEPORT_OK);
    cr_assert_eq(pipeport_resume(life.engine, conn->name), PIPEPORT_OK);
    life_settle();
    life_expect_end(conn, PIPEPORT_STOPPED);
    cr_assert_eq(conn->end.system_code, 0);
}

LIFE_TEST(connection_flow, can_be_stopped_while_paused)
{
    life_conn *conn = flow_open();
    cr_assert_eq(pipeport_pause(life.engine, conn->name), PIPEPORT_OK);
    pipeport_server_stop(life.server, 100);
    life.server = NULL;
    life_expect_end(conn, PIPEPORT_OK);
}

/* ---- Time ---- */

/* The last ms of a bound. Who seems overdue is judged 10 ms later where drainers share a port. */
static void flow_pass_bound(void)
{
    life_pass(life_has_homes ? 1 : 11);
}

LIFE_TEST(connection_flow, ends_with_timed_out_without_a_first_message)
{
    life_options.first_message_ms = 500;
    life_conn *conn = flow_open();
    fake_peer_sends(pipe, "\5\0\0\0hel", 7); /* Bytes, but no message. */
    life_pass(499);
    cr_assert_eq(conn->closed, 0);
    flow_pass_bound();
    life_expect_end(conn, PIPEPORT_TIMED_OUT);
}

static void flow_be_slow(life_conn *conn)
{
    (void) conn;
    fake_os_pass(5000);
}

LIFE_TEST(connection_flow, does_not_blame_the_peer_for_the_time_that_opened_takes)
{
    life_options.first_message_ms = 500;
    life_options.idle_ms = 500;
    life.on_opened = flow_be_slow;
    life_serve();
    pipe = fake_client_comes();
    fake_peer_sends_message(pipe, "I am here", 9);
    life_settle();
    cr_assert_eq(life_newest()->closed, 0);
    cr_assert_eq(life_newest()->messages, 1);
}

LIFE_TEST(connection_flow, lives_on_after_a_first_message_in_time)
{
    life_options.first_message_ms = 500;
    life_conn *conn = flow_open();
    life_pass(499);
    fake_peer_sends_message(pipe, "", 0);
    life_pass(10000);
    cr_assert_eq(conn->closed, 0);
    cr_assert_eq(conn->messages, 1);
}

LIFE_TEST(connection_flow, ends_with_timed_out_when_the_peer_is_idle)
{
    life_options.idle_ms = 300;
    life_conn *conn = flow_open();
    for (int i = 0; i < 5; ++i) {
        life_pass(299);
        fake_peer_sends(pipe, "", 1); /* One byte is enough. */
        life_settle();
    }
    life_pass(299);
    cr_assert_eq(conn->closed, 0);
    flow_pass_bound();
    life_expect_end(conn, PIPEPORT_TIMED_OUT);
}

LIFE_TEST(connection_flow, does_not_count_the_time_in_which_it_is_paused)
{
    life_options.idle_ms = 300;
    life_options.first_message_ms = 300;
    life_conn *conn = flow_open();
    life_pass(200);
    cr_assert_eq(pipeport_pause(life.engine, conn->name), PIPEPORT_OK);
    life_pass(5000);
    cr_assert_eq(pipeport_resume(life.engine, conn->name), PIPEPORT_OK);
    life_pass(299);
    cr_assert_eq(conn->closed, 0);
    flow_pass_bound();
    life_expect_end(conn, PIPEPORT_TIMED_OUT);
}

LIFE_TEST(connection_flow, ends_with_slow_peer_when_no_byte_is_taken)
{
    life_options.write_stall_ms = 1000;
    life_conn *conn = flow_open();
    pipe->write_room = 2;
    cr_assert_eq(life_send(conn, "abc", 3), PIPEPORT_OK);
    life_pass(999);
    fake_peer_reads(pipe, 1);
    life_settle();
    life_pass(999);
    cr_assert_eq(conn->closed, 0);
    flow_pass_bound();
    life_expect_end(conn, PIPEPORT_SLOW_PEER);
    cr_assert_eq(conn->end.bytes_sent, 3);
    cr_assert_eq(conn->end.bytes_discarded, 4);
    life_expect_balance();
}

LIFE_TEST(connection_flow, waits_for_ever_where_there_is_no_bound_on_a_stall)
{
    life_options.write_stall_ms = UINT32_MAX;
    life_conn *conn = flow_open();
    pipe->write_room = 0;
    cr_assert_eq(life_send(conn, "abc", 3), PIPEPORT_OK);
    life_pass(3600 * 1000);
    cr_assert_eq(conn->closed, 0);
}

LIFE_TEST(connection_flow, ends_a_drain_that_nobody_reads_at_the_bound_on_a_stall)
{
    life_options.write_stall_ms = 1000;
    life_conn *conn = flow_open();
    pipe->write_room = 0;
    cr_assert_eq(life_send(conn, "abc", 3), PIPEPORT_OK);
    life_pass(400);
    cr_assert_eq(pipeport_close(life.engine, conn->name, PIPEPORT_DRAIN), PIPEPORT_OK);
    life_pass(599);
    cr_assert_eq(conn->closed, 0);
    flow_pass_bound();
    life_expect_end(conn, PIPEPORT_SLOW_PEER);
}

LIFE_TEST(connection_flow, ends_a_stop_at_its_time_to_drain)
{
    life_conn *conn = flow_open();
    pipe->write_room = 0;
    cr_assert_eq(life_send(conn, "abc", 3), PIPEPORT_OK);
    uint64_t begin_ms = fake_os_ms;
    pipeport_server_stop(life.server, 250);
    life.server = NULL;
    life_expect_end(conn, PIPEPORT_TIMED_OUT);
    cr_assert_lt(fake_os_ms - begin_ms, 250 + 20);
    cr_assert_geq(fake_os_ms - begin_ms, 250);
}

LIFE_TEST(connection_flow, lets_a_stop_shorten_a_drain)
{
    life_conn *conn = flow_open();
    pipe->write_room = 0;
    cr_assert_eq(life_send(conn, "abc", 3), PIPEPORT_OK);
    cr_assert_eq(pipeport_close(life.engine, conn->name, PIPEPORT_DRAIN), PIPEPORT_OK);
    life_settle();
    pipeport_server_stop(life.server, 250);
    life.server = NULL;
    life_expect_end(conn, PIPEPORT_TIMED_OUT);
}

/* ---- Memory ---- */

LIFE_TEST(connection_flow, ends_with_no_memory_when_there_is_none_to_read_into)
{
    life_conn *conn = flow_open();
    uint8_t header[] = {0, 0, 8, 0};
    life.engine->hub.memory.fail_after = 0;
    fake_peer_sends(pipe, header, sizeof header); /* A frame that needs a block of its own. */
    life_settle();
    life.engine->hub.memory.fail_after = UINT64_MAX;
    life_expect_end(conn, PIPEPORT_NO_MEMORY);
}

static void flow_echo(life_conn *conn, const void *data, size_t length)
{
    (void) life_send(conn, data, length);
    (void) pipeport_broadcast(life.server, data, length, NULL);
}

/* A whole small life, in which every allocation may fail. */
static void flow_live(uint64_t fail_after)
{
    char large[5000] = {0};
    life.engine->hub.memory.fail_after = fail_after;
    life.on_message = flow_echo;
    if (life_try_serve() == PIPEPORT_OK) {
        for (int i = 0; i < 3; ++i) {
            fake_pipe *peer = life_client();
            if (peer && peer->is_open) {
                fake_peer_sends_message(peer, "abc", 3);
                fake_peer_sends_message(peer, large, sizeof large);
                fake_peer_sends_message(peer, "abc", 3);
                life_settle();
            }
        }
        if (life_dial() == PIPEPORT_OK) {
            life_settle();
            fake_peer_sends_message(fake_newest(), "abc", 3);
            life_settle();
        }
        life_pass(100);
        for (unsigned i = 0; i < life.count; ++i) {
            void *data;
            pipeport_message *message;
            if (pipeport_message_create(&message, life.engine, NULL, 10, &data) == PIPEPORT_OK) {
                memset(data, 1, 10);
                (void) pipeport_send_message(life.engine, life.conns[i].name, message);
                (void) pipeport_broadcast_message(life.server, message, NULL);
                pipeport_message_release(message);
            }
        }
        life_pass(2000);
    }
    life.engine->hub.memory.fail_after = UINT64_MAX;
}

LIFE_TEST(connection_flow, survives_the_failure_of_every_allocation)
{
    flow_live(UINT64_MAX);
    uint64_t allocations = life.engine->hub.memory.taken;
    cr_assert_gt(allocations, 20);
    for (uint64_t i = 0; i <= allocations; ++i) {
        life_end();
        life_begin();
        flow_live(i);
    }
}
