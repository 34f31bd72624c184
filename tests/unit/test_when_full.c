/* SPDX-License-Identifier: MIT */
/*
 * test_when_full.c - options.when_full: what each policy does to a connection whose queue is full, to whoever sends,
 * and to the figures.
 */
#include "engine/api/engine.h"
#include "engine/conn/connection.h"
#include "tests/support/life.h"

#include <criterion/criterion.h>
#include <string.h>

enum { PEERS = 3, STUCK = 1, QUEUE = 40 };

TestSuite(when_full, .timeout = 100);

static fake_pipe *peers[PEERS];
static life_conn *conns[PEERS];

/* Peer STUCK takes nothing: 4 + 6 bytes pend, and 30 more have room. */
static void full_open(uint32_t when_full)
{
    life_options.message_bytes_max = 16;
    life_options.send_queue_bytes_max = QUEUE;
    life_options.when_full = when_full;
    life_serve();
    for (unsigned i = 0; i < PEERS; ++i) {
        peers[i] = life_client();
        cr_assert_not_null(peers[i]);
        conns[i] = life_newest();
    }
    peers[STUCK]->write_room = 0;
    cr_assert_eq(life_send(conns[STUCK], "012345", 6), PIPEPORT_OK);
    life_settle();
}

static uint32_t say(const char *text)
{
    uint32_t reached = 99;
    cr_assert_eq(pipeport_broadcast(life.server, text, strlen(text), &reached), PIPEPORT_OK);
    life_settle();
    return reached;
}

static pipeport_stats stats(void)
{
    pipeport_stats now = {.size = sizeof now};
    cr_assert_eq(pipeport_server_stats(life.server, &now), PIPEPORT_OK);
    return now;
}

static void expect_figures(uint64_t sends, uint64_t refused, uint64_t dropped, uint64_t slow)
{
    pipeport_stats now = stats();
    cr_assert_eq(now.sends_refused, sends);
    cr_assert_eq(now.broadcasts_refused, refused);
    cr_assert_eq(now.broadcasts_dropped, dropped);
    cr_assert_eq(now.slow_peers, slow);
}

/* Three frames of 10 fill the queue; the fourth and fifth find it full. */
static void fill_and_pass(void)
{
    for (unsigned i = 0; i < 3; ++i) {
        cr_assert_eq(say("abcdef"), PEERS);
    }
    expect_figures(0, 0, 0, 0);
    cr_assert_eq(say("fourth"), PEERS - 1);
    cr_assert_eq(say("fifth!"), PEERS - 1);
    cr_assert_eq(peers[0]->written.length, 50);
    cr_assert_eq(peers[2]->written.length, 50);
}

LIFE_TEST(when_full, refuse_passes_it_over_and_tells_drained)
{
    full_open(PIPEPORT_REFUSE);
    fill_and_pass();
    expect_figures(0, 2, 0, 0);
    fake_peer_reads(peers[STUCK], UINT64_MAX);
    life_settle();
    cr_assert_eq(peers[STUCK]->written.length, QUEUE);
    cr_assert_eq(conns[STUCK]->drained, 1);
    cr_assert_eq(say("again!"), PEERS);
}

LIFE_TEST(when_full, drop_newest_loses_it_without_a_word)
{
    full_open(PIPEPORT_DROP_NEWEST);
    fill_and_pass();
    expect_figures(0, 0, 2, 0);
    fake_peer_reads(peers[STUCK], UINT64_MAX);
    life_settle();
    cr_assert_eq(peers[STUCK]->written.length, QUEUE);
    cr_assert_eq(conns[STUCK]->drained, 0);
    cr_assert_eq(say("again!"), PEERS);
}

LIFE_TEST(when_full, drop_newest_answers_a_unicast_and_tells_it_drained)
{
    full_open(PIPEPORT_DROP_NEWEST);
    fill_and_pass();
    cr_assert_eq(life_send(conns[STUCK], "x", 1), PIPEPORT_FULL);
    expect_figures(1, 0, 2, 0);
    fake_peer_reads(peers[STUCK], UINT64_MAX);
    life_settle();
    cr_assert_eq(conns[STUCK]->drained, 1);
}

LIFE_TEST(when_full, disconnect_ends_whom_a_broadcast_finds_full)
{
    full_open(PIPEPORT_DISCONNECT);
    fill_and_pass();
    life_expect_end(conns[STUCK], PIPEPORT_SLOW_PEER);
    cr_assert_eq(conns[STUCK]->drained, 0);
    cr_assert_eq(conns[STUCK]->end.bytes_discarded, QUEUE);
    expect_figures(0, 0, 0, 1);
    cr_assert_eq(say("others"), PEERS - 1);
    cr_assert_eq(conns[0]->closed + conns[2]->closed, 0);
}

LIFE_TEST(when_full, disconnect_answers_gone_to_a_unicast)
{
    full_open(PIPEPORT_DISCONNECT);
    cr_assert_eq(life_send(conns[STUCK], "0123456789012345", 16), PIPEPORT_OK);
    cr_assert_eq(life_send(conns[STUCK], "01234567", 8), PIPEPORT_GONE);
    cr_assert_eq(life_send(conns[STUCK], "", 0), PIPEPORT_GONE); /* There is room, but no connection any more. */
    cr_assert_eq(pipeport_close(life.engine, conns[STUCK]->name, PIPEPORT_ABORT), PIPEPORT_GONE);
    life_settle();
    life_expect_end(conns[STUCK], PIPEPORT_SLOW_PEER);
    expect_figures(0, 0, 0, 1);
}

static void answer_three_times(life_conn *conn, const void *data, size_t length)
{
    (void) data;
    (void) length;
    cr_assert_eq(life_send(conn, "0123456789012345", 16), PIPEPORT_OK);
    cr_assert_eq(life_send(conn, "01234567890", 11), PIPEPORT_GONE);
    cr_assert_eq(life_send(conn, "", 0), PIPEPORT_GONE);
}

LIFE_TEST(when_full, disconnect_holds_for_an_answer_too_and_is_the_last_event_but_one)
{
    full_open(PIPEPORT_DISCONNECT);
    life.on_message = answer_three_times;
    fake_peer_sends(peers[STUCK], ((uint8_t[]){1, 0, 0, 0, 'a', 1, 0, 0, 0, 'b'}), 10);
    life_settle();
    cr_assert_eq(conns[STUCK]->messages, 1, "a message was delivered after the connection was given up");
    life_expect_end(conns[STUCK], PIPEPORT_SLOW_PEER);
    expect_figures(0, 0, 0, 1);
}

LIFE_TEST(when_full, disconnect_leaves_a_drain_alone)
{
    full_open(PIPEPORT_DISCONNECT);
    cr_assert_eq(life_send(conns[STUCK], "0123456789012345", 16), PIPEPORT_OK);
    cr_assert_eq(pipeport_close(life.engine, conns[STUCK]->name, PIPEPORT_DRAIN), PIPEPORT_OK);
    cr_assert_eq(say("0123456789"), PEERS - 1);
    pp_conn *conn = pp_conn_pin(&life.engine->hub, conns[STUCK]->name.id); /* As who looked before the drain began. */
    cr_assert_not_null(conn);
    cr_assert_eq(pp_conn_close(conn, PP_WISH_SLOW, NULL), PIPEPORT_GONE);
    pp_conn_unpin(conn, NULL);
    fake_peer_reads(peers[STUCK], UINT64_MAX);
    life_settle();
    life_expect_end(conns[STUCK], PIPEPORT_OK);
    cr_assert_eq(peers[STUCK]->written.length, 10 + 20);
    expect_figures(0, 0, 0, 0);
}

/* An event's second broadcast grows in the first one's message; where one has no room for it, it does not. */
static void broadcast_what_came(life_conn *conn, const void *data, size_t length)
{
    (void) conn;
    cr_assert_eq(pipeport_broadcast(life.server, data, length, NULL), PIPEPORT_OK);
}

LIFE_TEST(when_full, disconnect_holds_within_a_turns_broadcasts)
{
    life_options.message_bytes_max = 16;
    life_options.send_queue_bytes_max = 20;
    life_options.when_full = PIPEPORT_DISCONNECT;
    life_serve();
    for (unsigned i = 0; i < PEERS; ++i) {
        peers[i] = life_client();
        conns[i] = life_newest();
    }
    peers[STUCK]->write_room = 0;
    life.on_message = broadcast_what_came;
    uint8_t stream[6 * 5];
    for (unsigned i = 0; i < 6; ++i) { /* Four in one turn fill all queues; the others of them drain. */
        memcpy(stream + 5 * i, ((uint8_t[]){1, 0, 0, 0, (uint8_t) ('a' + i)}), 5);
    }
    for (unsigned i = 0; i < 6; ++i) {
        fake_peer_sends(peers[0], stream + 5 * i, 5);
        life_settle();
    }
    cr_assert_eq(peers[0]->written.length, sizeof stream);
    cr_assert_arr_eq(peers[2]->written.data, stream, sizeof stream);
    life_expect_end(conns[STUCK], PIPEPORT_SLOW_PEER);
    expect_figures(0, 0, 0, 1);
}

Test(when_full, holds_for_a_client_as_well)
{
    life_begin();
    life_options.message_bytes_max = 16;
    life_options.send_queue_bytes_max = QUEUE;
    life_options.when_full = PIPEPORT_DISCONNECT;
    cr_assert_eq(life_dial(), PIPEPORT_OK);
    life_settle();
    fake_pipe *pipe = fake_newest();
    pipe->write_room = 0;
    for (unsigned i = 0; i < 2; ++i) {
        cr_assert_eq(life_send(life_newest(), "0123456789012345", 16), PIPEPORT_OK);
    }
    cr_assert_eq(life_send(life_newest(), "x", 1), PIPEPORT_GONE);
    life_settle();
    life_expect_end(life_newest(), PIPEPORT_SLOW_PEER);
    life_end();
}
