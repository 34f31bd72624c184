/* SPDX-License-Identifier: MIT */
/*
 * test_send.c - one message to one, to all, built in place; and the figures that tell of it.
 */
#include "engine/api/engine.h"
#include "tests/support/life.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(send, .timeout = 100);

enum { CLIENTS = 20 };

static fake_pipe *pipes[CLIENTS];

static void send_open(void)
{
    life_serve();
    for (int i = 0; i < CLIENTS; ++i) {
        pipes[i] = life_client();
        cr_assert_not_null(pipes[i]);
    }
    cr_assert_eq(life.count, CLIENTS);
}

static pipeport_stats send_stats(void)
{
    pipeport_stats stats = {.size = sizeof stats};
    cr_assert_eq(pipeport_server_stats(life.server, &stats), PIPEPORT_OK);
    return stats;
}

LIFE_TEST(send, reaches_all_with_one_block)
{
    send_open();
    uint64_t taken = life.engine->hub.memory.taken;
    uint32_t reached = 0;
    cr_assert_eq(pipeport_broadcast(life.server, "hello all", 9, &reached), PIPEPORT_OK);
    cr_assert_eq(reached, CLIENTS);
    cr_assert_eq(life.engine->hub.memory.taken, taken + 1, "allocated per receiver");
    for (int i = 0; i < CLIENTS; ++i) {
        cr_assert_eq(pipes[i]->written.length, 13);
        cr_assert_eq(memcmp(pipes[i]->written.data + 4, "hello all", 9), 0);
    }
    cr_assert_eq(send_stats().messages_sent, CLIENTS);
    cr_assert_eq(send_stats().bytes_sent, 13 * CLIENTS);
}

LIFE_TEST(send, leaves_out_who_has_gone_and_who_is_full)
{
    life_options.message_bytes_max = 100;
    life_options.send_queue_bytes_max = 104;
    char block[100] = {0};
    send_open();
    fake_peer_goes(pipes[3]);
    life_settle();
    pipes[5]->write_room = 0;
    cr_assert_eq(life_send(&life.conns[5], block, 100), PIPEPORT_OK);
    cr_assert_eq(pipeport_close(life.engine, life.conns[7].name, PIPEPORT_DRAIN), PIPEPORT_OK);
    uint32_t reached = 0;
    cr_assert_eq(pipeport_broadcast(life.server, "x", 1, &reached), PIPEPORT_OK);
    cr_assert_eq(reached, CLIENTS - 3);
    cr_assert_eq(send_stats().broadcasts_refused, 1);
    cr_assert_eq(send_stats().sends_refused, 0);
    cr_assert_eq(pipeport_broadcast(life.server, block, 101, &reached), PIPEPORT_TOO_LARGE);
}

/* As if the test's thread, which lends itself, were a worker of the engine's, and many had been sent just now. */
static void send_as_one_of_many(bool are_many)
{
    life.engine->hub.pool.owned = are_many;
    life.engine->hub.pool.outside_max = 0;
    fake.not_shared = are_many;
}

LIFE_TEST(send, leaves_what_many_send_to_the_worker_which_writes_it_together)
{
    send_open();
    for (int i = 0; i < 3; ++i) {
        send_as_one_of_many(true);
        for (int k = 0; k < 4; ++k) {
            cr_assert_eq(life_send(&life.conns[i], "hello", 5), PIPEPORT_OK);
        }
        send_as_one_of_many(false);
        cr_assert_eq(pipes[i]->writes, 0, "written by who sends");
        cr_assert_eq(fake_port_waiting(), 1, "left to the worker more than once");
        cr_assert(i != 1 || pipeport_close(life.engine, life.conns[i].name, PIPEPORT_DRAIN) == PIPEPORT_OK);
        life_settle();
        cr_assert_eq(pipes[i]->writes, 1, "%u writes", pipes[i]->writes);
        cr_assert_eq(pipes[i]->written.length, 4 * 9);
    }
    send_as_one_of_many(true);
    cr_assert_eq(life_send(&life.conns[2], "hello", 5), PIPEPORT_OK);
    send_as_one_of_many(false);
    cr_assert_eq(pipeport_close(life.engine, life.conns[2].name, PIPEPORT_ABORT), PIPEPORT_OK);
    life_settle();
    life_expect_end(&life.conns[2], PIPEPORT_STOPPED);
    cr_assert_eq(pipes[2]->written.length + send_stats().bytes_discarded, 5 * 9);
}

LIFE_TEST(send, reaches_nobody_where_nobody_is)
{
    uint32_t reached = 7;
    life_serve();
    cr_assert_eq(pipeport_broadcast(life.server, "x", 1, &reached), PIPEPORT_OK);
    cr_assert_eq(reached, 0);
}

LIFE_TEST(send, takes_a_message_built_in_place_as_often_as_one_likes)
{
    send_open();
    void *data = NULL;
    uint32_t reached = 0;
    pipeport_message *message = NULL;
    cr_assert_eq(pipeport_message_create(&message, life.engine, NULL, 5, &data), PIPEPORT_OK);
    memcpy(data, "built", 5);
    pipes[0]->write_room = 0; /* One that still has it after its release. */
    cr_assert_eq(pipeport_send_message(life.engine, life.conns[0].name, message), PIPEPORT_OK);
    cr_assert_eq(pipeport_send_message(life.engine, life.conns[0].name, message), PIPEPORT_OK);
    cr_assert_eq(pipeport_broadcast_message(life.server, message, &reached), PIPEPORT_OK);
    cr_assert_eq(reached, CLIENTS);
    pipeport_message_release(message);
    fake_peer_reads(pipes[0], 100);
    life_settle();
    cr_assert_eq(pipes[0]->written.length, 27);
    cr_assert_eq(memcmp(pipes[0]->written.data, "\5\0\0\0built\5\0\0\0built\5\0\0\0built", 27), 0);
    cr_assert_eq(pipes[1]->written.length, 9);
}

LIFE_TEST(send, refuses_a_built_message_that_is_too_large_or_anothers)
{
    life_options.message_bytes_max = 4;
    send_open();
    void *data;
    pipeport_message *message;
    cr_assert_eq(pipeport_message_create(&message, life.engine, NULL, (size_t) (1 << 30) + 1, &data),
                 PIPEPORT_TOO_LARGE);
    pipeport_framing framing = pipeport_framing_length(1, 0);
    framing.adjust = 3; /* As where the length counts 3 bytes less than follow. */
    static const pipeport_status answers[] = {[2] = PIPEPORT_INVALID, [3] = PIPEPORT_OK, [4] = PIPEPORT_TOO_LARGE};
    for (size_t i = 2; i <= 4; ++i) {
        message = NULL;
        cr_assert_eq(pipeport_message_create(&message, life.engine, &framing, i < 4 ? i : 259, &data), answers[i]);
        pipeport_message_release(message);
    }
    framing = pipeport_framing_none();
    cr_assert_eq(pipeport_message_create(&message, life.engine, &framing, 0, &data), PIPEPORT_INVALID);
    cr_assert_eq(pipeport_message_create(&message, life.engine, NULL, 5, &data), PIPEPORT_OK);
    cr_assert_eq(pipeport_send_message(life.engine, life.conns[0].name, message), PIPEPORT_TOO_LARGE);
    cr_assert_eq(pipeport_broadcast_message(life.server, message, NULL), PIPEPORT_TOO_LARGE);
    pipeport_engine *other;
    pipeport_engine_options options = {.size = sizeof options, .workers = PIPEPORT_HOST_THREADS};
    cr_assert_eq(pipeport_engine_create(&other, &options), PIPEPORT_OK);
    cr_assert_eq(pipeport_send_message(other, life.conns[0].name, message), PIPEPORT_INVALID);
    pipeport_message_release(message);
    life.server = NULL; /* Its engine goes first: the fake port is one for both. */
    pipeport_engine *mine = life.engine;
    cr_assert_eq(pipeport_engine_destroy(mine), PIPEPORT_OK);
    cr_assert_eq(pipeport_engine_destroy(other), PIPEPORT_OK);
    life_begin();
}

static void send_from_worker(void)
{
    uint32_t reached;
    for (int i = 0; i < 3; ++i) {
        cr_assert_eq(pipeport_broadcast(life.server, "abc", 3, &reached), PIPEPORT_OK);
        cr_assert_eq(life_send(&life.conns[i], "d", 1), PIPEPORT_OK);
    }
}

LIFE_TEST(send, keeps_the_order_of_one_thread_broadcasts_included)
{
    send_open();
    life_on_worker(send_from_worker);
    cr_assert_eq(pipes[1]->writes, 1, "corked");
    cr_assert_eq(pipes[1]->written.length, 26);
    cr_assert_eq(memcmp(pipes[1]->written.data, "\3\0\0\0abc\3\0\0\0abc\1\0\0\0d\3\0\0\0abc", 26), 0);
}

LIFE_TEST(send, balances_its_figures_when_all_is_closed)
{
    send_open();
    for (int i = 0; i < CLIENTS; ++i) {
        pipes[i]->write_room = (uint64_t) i;
        fake_peer_sends_message(pipes[i], "in", 2);
    }
    cr_assert_eq(pipeport_broadcast(life.server, "abcdef", 6, NULL), PIPEPORT_OK);
    life_settle();
    for (int i = 0; i < CLIENTS; ++i) {
        cr_assert_eq(pipeport_close(life.engine, life.conns[i].name, PIPEPORT_ABORT), PIPEPORT_OK);
    }
    life_settle();
    life_expect_balance();
    pipeport_stats stats = send_stats();
    cr_assert_eq(stats.connections_opened, CLIENTS);
    cr_assert_eq(stats.connections_closed, CLIENTS);
    cr_assert_eq(stats.messages_received, CLIENTS);
    cr_assert_eq(stats.bytes_received, 6 * CLIENTS);
    cr_assert_eq(stats.bytes_accepted, 10 * CLIENTS);
    cr_assert_eq(stats.bytes_sent, 45 + 10 * 10);
    stats.size -= 1;
    cr_assert_eq(pipeport_server_stats(life.server, &stats), PIPEPORT_INVALID);
    cr_assert_eq(pipeport_server_stats(NULL, &stats), PIPEPORT_INVALID);
}

static pipeport_server *send_server;
static pipeport_message *send_held;
static unsigned send_stopped;

static void send_late(life_conn *conn)
{
    (void) conn;
    uint32_t reached = 77;
    cr_assert_eq(pipeport_broadcast(send_server, "late", 4, &reached), PIPEPORT_STOPPED);
    cr_assert_eq(pipeport_broadcast_message(send_server, send_held, &reached), PIPEPORT_STOPPED);
    cr_assert_eq(reached, 77);
    pipeport_message_release(send_held);
    send_stopped += 1;
}

LIFE_TEST(send, broadcasts_nothing_while_the_engine_goes)
{
    void *data = NULL;
    life_serve();
    life_client();
    cr_assert_eq(pipeport_message_create(&send_held, life.engine, NULL, 4, &data), PIPEPORT_OK);
    memcpy(data, "held", 4);
    send_server = life.server;
    send_stopped = 0;
    life.server = NULL;
    life.on_closed = send_late;
    cr_assert_eq(pipeport_engine_destroy(life.engine), PIPEPORT_OK);
    cr_assert_eq(send_stopped, 1);
    life_begin();
}
