/* SPDX-License-Identifier: MIT */
/*
 * test_broadcast.c - one message to all: it reaches whoever is there, in order, and lies in memory once.
 */
#include "engine/flow/message.h"
#include "engine/port/os.h"
#include "tests/support/expect.h"
#include "tests/support/pattern.h"
#include "tests/support/peer.h"
#include "tests/support/system.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

TestSuite(broadcast, .timeout = 110);

enum { CLIENTS = 100 };

static struct {
    test_rig rig;
    test_peer server;
    char name[RIG_NAME_BYTES];
    test_peer clients[CLIENTS];
} stage; /* Each test is a process of its own. */

static void broadcast_open(pipeport_options options)
{
    options.size = sizeof options;
    rig_name(stage.name);
    rig_open(&stage.rig, 4);
    peer_serve(&stage.server, &stage.rig, stage.name, &options);
}

static void broadcast_dial(uint32_t count, peer_does does)
{
    for (uint32_t i = 0; i < count; ++i) {
        stage.clients[i].does = does;
        peer_dial(&stage.clients[i], &stage.rig, stage.name, NULL);
    }
    AWAIT(stage.server.opened == count);
    for (uint32_t i = 0; i < count; ++i) {
        AWAIT(stage.clients[i].opened == 1); /* Its own end may be opened after the server's. */
    }
}

static void broadcast_close(uint32_t count)
{
    for (uint32_t i = 0; i < count; ++i) {
        peer_stop(&stage.clients[i], 0);
    }
    peer_stop(&stage.server, 0);
    rig_close(&stage.rig);
}

/* ---- Whom it reaches, in which order ------------------------------------------------------------------- */

static const uint32_t broadcast_sizes[] = {8, 100, 0, 5000, 70000, 1, 32768, 17};

static uint32_t broadcast_size(uint64_t number)
{
    return broadcast_sizes[number % (sizeof broadcast_sizes / sizeof broadcast_sizes[0])];
}

static void broadcast_check(test_peer *peer, pipeport_conn conn, const void *data, size_t length)
{
    uint64_t number = peer->messages;
    (void) conn;
    EXPECT(length == broadcast_size(number));
    EXPECT(pattern_is(data, length, number));
}

Test(broadcast, it_reaches_every_connection_in_order_and_says_how_many)
{
    enum { MESSAGES = 40 };
    static char data[70000];
    broadcast_open((pipeport_options){0});
    broadcast_dial(CLIENTS, (peer_does){.message = broadcast_check});
    for (uint64_t i = 0; i < MESSAGES; ++i) {
        uint32_t reached = 0;
        pattern_fill(data, broadcast_size(i), i);
        EXPECT(pipeport_broadcast(stage.server.server, data, broadcast_size(i), &reached) == PIPEPORT_OK);
        EXPECT(reached == CLIENTS);
    }
    for (int i = 0; i < CLIENTS; ++i) {
        AWAIT(stage.clients[i].messages == MESSAGES);
    }
    EXPECT(peer_stats(&stage.server).messages_sent == MESSAGES * CLIENTS);
    EXPECT(peer_stats(&stage.server).broadcasts_refused == 0);
    broadcast_close(CLIENTS);
}

Test(broadcast, without_connections_it_reaches_nobody)
{
    uint32_t reached = 7;
    broadcast_open((pipeport_options){0});
    EXPECT(pipeport_broadcast(stage.server.server, "x", 1, &reached) == PIPEPORT_OK);
    EXPECT(reached == 0);
    EXPECT(pipeport_broadcast(stage.server.server, NULL, 0, NULL) == PIPEPORT_OK);
    broadcast_dial(1, (peer_does){0});
    peer_stop(&stage.clients[0], 0);
    AWAIT(stage.server.closed == 1);
    EXPECT(pipeport_broadcast(stage.server.server, "x", 1, &reached) == PIPEPORT_OK);
    EXPECT(reached == 0);
    peer_stop(&stage.server, 0);
    rig_close(&stage.rig);
}

static _Atomic uint64_t broadcast_ids[CLIENTS];

static void broadcast_note(test_peer *peer, pipeport_conn conn)
{
    atomic_store(&broadcast_ids[peer->opened], conn.id); /* One worker: nobody else opens. */
}

Test(broadcast, it_keeps_its_place_between_what_the_same_thread_sends_to_one)
{
    enum { FEW = 20, ROUNDS = 100 };
    static char data[70000];
    rig_name(stage.name);
    rig_open(&stage.rig, 1);
    stage.server.does.opened = broadcast_note;
    peer_serve(&stage.server, &stage.rig, stage.name, NULL);
    broadcast_dial(FEW, (peer_does){.message = broadcast_check});
    for (uint64_t number = 0; number < 3 * ROUNDS; ++number) {
        uint32_t size = broadcast_size(number);
        pattern_fill(data, size, number);
        if (number % 3 == 0) {
            EXPECT(pipeport_broadcast(stage.server.server, data, size, NULL) == PIPEPORT_OK);
        }
        for (int i = 0; number % 3 != 0 && i < FEW; ++i) {
            pipeport_conn conn = {atomic_load(&broadcast_ids[i])};
            EXPECT(pipeport_send(stage.rig.engine, conn, data, size) == PIPEPORT_OK);
        }
        if (number % 30 == 29) { /* So that no queue is ever full. */
            for (int i = 0; i < FEW; ++i) {
                AWAIT(stage.clients[i].messages == number + 1);
            }
        }
    }
    broadcast_close(FEW);
}

/* ---- From many threads --------------------------------------------------------------------------------- */

enum { THREADS = 8, EACH = 200 };

typedef struct broadcast_said {
    uint32_t thread, number;
    uint64_t check;
} broadcast_said;

static _Atomic uint32_t broadcast_heard[CLIENTS][THREADS];

static void broadcast_say(void *argument)
{
    uint32_t thread = *(uint32_t *) argument;
    for (uint32_t number = 0; number < EACH; ++number) {
        broadcast_said said = {thread, number, pattern_word(thread, number)};
        uint32_t reached = 0;
        if (number % 2) {
            EXPECT(pipeport_broadcast(stage.server.server, &said, sizeof said, &reached) == PIPEPORT_OK);
        } else {
            pipeport_message *message = NULL;
            void *data = NULL;
            EXPECT(pipeport_message_create(&message, stage.rig.engine, NULL, sizeof said, &data) == PIPEPORT_OK);
            memcpy(data, &said, sizeof said);
            EXPECT(pipeport_broadcast_message(stage.server.server, message, &reached) == PIPEPORT_OK);
            pipeport_message_release(message);
        }
        EXPECT(reached == CLIENTS);
    }
}

static void broadcast_hear(test_peer *peer, pipeport_conn conn, const void *data, size_t length)
{
    broadcast_said said = {THREADS, 0, 0};
    (void) conn;
    memcpy(&said, data, length < sizeof said ? length : sizeof said);
    EXPECT(length == sizeof said && said.thread < THREADS && said.check == pattern_word(said.thread, said.number));
    if (said.thread < THREADS) {
        EXPECT(atomic_fetch_add(&broadcast_heard[peer - stage.clients][said.thread], 1) == said.number);
    }
}

Test(broadcast, eight_threads_at_once_are_each_heard_by_all_in_order)
{
    pp_thread threads[THREADS];
    uint32_t numbers[THREADS];
    broadcast_open((pipeport_options){0});
    broadcast_dial(CLIENTS, (peer_does){.message = broadcast_hear});
    for (uint32_t i = 0; i < THREADS; ++i) {
        numbers[i] = i;
        cr_assert_eq(pp_os_thread_start(&threads[i], broadcast_say, &numbers[i]).status, PIPEPORT_OK);
    }
    for (int i = 0; i < THREADS; ++i) {
        pp_os_thread_join(&threads[i]);
    }
    for (int i = 0; i < CLIENTS; ++i) {
        AWAIT(stage.clients[i].messages == THREADS * EACH);
    }
    broadcast_close(CLIENTS);
}

/* ---- What it costs ------------------------------------------------------------------------------------- */

enum { RAW = 100, FILL = 300 * 1000, MIB = 1 << 20 };

static uint64_t broadcast_pending(void)
{
    pipeport_engine_figures figures = rig_figures(&stage.rig);
    return figures.operations_armed - figures.operations_done;
}

/* RAW clients that never read, as many as there may be, each with a read and a write pending: nothing moves. */
static void broadcast_stall(raw_client clients[RAW])
{
    static const char fill[FILL];
    for (uint64_t i = 0; i < RAW; ++i) {
        cr_assert(raw_connect(&clients[i], pipeport_server_address(stage.server.server)));
        AWAIT(stage.server.opened == i + 1);
        EXPECT(pipeport_send(stage.rig.engine, peer_conn(&stage.server), fill, sizeof fill) == PIPEPORT_OK);
    }
    AWAIT(broadcast_pending() == 2 * RAW);
}

/* All that is queued lies in memory and moves no more. */
static uint64_t broadcast_memory(void)
{
    return rig_figures(&stage.rig).memory_bytes;
}

/* `before`: what lay in memory behind broadcast_stall. */
static void broadcast_let_go(raw_client clients[RAW], uint64_t before)
{
    for (int i = 0; i < RAW; ++i) {
        raw_close(&clients[i]);
    }
    AWAIT(stage.server.closed == RAW);
    AWAIT(broadcast_memory() < before);
    peer_stop(&stage.server, 0);
    rig_close(&stage.rig);
}

Test(broadcast, to_a_hundred_that_do_not_read_it_lies_in_memory_once)
{
    static char data[MIB];
    raw_client clients[RAW];
    uint32_t reached = 0;
    broadcast_open((pipeport_options){.connections_max = RAW});
    broadcast_stall(clients);
    uint64_t before = broadcast_memory();
    pipeport_engine_figures figures = rig_figures(&stage.rig);
    EXPECT(pipeport_broadcast(stage.server.server, data, sizeof data, &reached) == PIPEPORT_OK);
    uint64_t after = broadcast_memory();
    EXPECT(reached == RAW);
    EXPECT(after >= before + MIB);
    EXPECT(after <= before + MIB + 300 * sizeof(pp_link) + 1024); /* 300: slots come by the chunk. */
    EXPECT(rig_figures(&stage.rig).allocations == figures.allocations + 1);
    broadcast_let_go(clients, before);
}

Test(broadcast, a_message_built_once_is_shared_by_all_that_it_is_sent_to)
{
    enum { TIMES = 3 };
    raw_client clients[RAW];
    pipeport_message *message = NULL;
    void *data = NULL;
    broadcast_open((pipeport_options){.connections_max = RAW, .send_queue_bytes_max = 8 * MIB});
    broadcast_stall(clients);
    uint64_t before = broadcast_memory();
    EXPECT(pipeport_message_create(&message, stage.rig.engine, NULL, MIB, &data) == PIPEPORT_OK);
    pattern_fill(data, MIB, 7);
    for (int i = 0; i < TIMES; ++i) {
        uint32_t reached = 0;
        EXPECT(pipeport_send_message(stage.rig.engine, peer_conn(&stage.server), message) == PIPEPORT_OK);
        EXPECT(pipeport_broadcast_message(stage.server.server, message, &reached) == PIPEPORT_OK);
        EXPECT(reached == RAW);
    }
    pipeport_message_release(message);
    EXPECT(broadcast_memory() <= before + MIB + TIMES * (300 * sizeof(pp_link) + 1024));
    broadcast_let_go(clients, before);
}

static void broadcast_check_shared(test_peer *peer, pipeport_conn conn, const void *data, size_t length)
{
    (void) peer;
    (void) conn;
    EXPECT(length == 5000 && pattern_is(data, length, 7));
}

Test(broadcast, a_message_may_be_sent_many_times_and_released_before_it_is_written)
{
    enum { TIMES = 20 };
    pipeport_message *message = NULL;
    void *data = NULL;
    broadcast_open((pipeport_options){0});
    broadcast_dial(CLIENTS, (peer_does){.message = broadcast_check_shared});
    EXPECT(pipeport_message_create(&message, stage.rig.engine, NULL, 5000, &data) == PIPEPORT_OK);
    EXPECT((uintptr_t) data % 16 == 0);
    pattern_fill(data, 5000, 7);
    for (int i = 0; i < TIMES; ++i) {
        EXPECT(pipeport_broadcast_message(stage.server.server, message, NULL) == PIPEPORT_OK);
        EXPECT(pipeport_send_message(stage.rig.engine, peer_conn(&stage.server), message) == PIPEPORT_OK);
        EXPECT(pipeport_send_message(stage.rig.engine, peer_conn(&stage.clients[i]), message) == PIPEPORT_OK);
    }
    pipeport_message_release(message);
    uint64_t heard = 0;
    for (uint64_t until_ms = expect_until(EXPECT_PATIENCE_MS); heard < TIMES * (CLIENTS + 1);) {
        heard = 0;
        for (int i = 0; i < CLIENTS; ++i) {
            heard += stage.clients[i].messages;
        }
        until_ms = expect_nap(until_ms, "all have heard all", __FILE__, __LINE__);
    }
    EXPECT(heard == TIMES * (CLIENTS + 1));
    AWAIT(stage.server.messages == TIMES);
    broadcast_close(CLIENTS);
}

/* ---- A full queue -------------------------------------------------------------------------------------- */

Test(broadcast, a_full_queue_is_passed_over_and_counted)
{
    enum { FEW = 10, TIMES = 40, LENGTH = 50 * 1000 };
    static const char data[LENGTH];
    raw_client stuck;
    uint32_t refused = 0;
    broadcast_open((pipeport_options){.message_bytes_max = LENGTH, .send_queue_bytes_max = 10 * LENGTH});
    broadcast_dial(FEW, (peer_does){0});
    cr_assert(raw_connect(&stuck, pipeport_server_address(stage.server.server)));
    AWAIT(stage.server.opened == FEW + 1);
    for (uint64_t i = 1; i <= TIMES; ++i) {
        uint32_t reached = 0;
        EXPECT(pipeport_broadcast(stage.server.server, data, LENGTH, &reached) == PIPEPORT_OK);
        EXPECT(reached == FEW || reached == FEW + 1);
        refused += reached == FEW;
        for (int j = 0; j < FEW; ++j) {
            AWAIT(stage.clients[j].messages == i);
        }
    }
    EXPECT(refused > 0);
    EXPECT(peer_stats(&stage.server).broadcasts_refused == refused);
    EXPECT(peer_stats(&stage.server).sends_refused == 0);
    raw_close(&stuck);
    AWAIT(stage.server.closed == 1);
    broadcast_close(FEW);
}

/* ---- While it stops ------------------------------------------------------------------------------------ */

static void broadcast_when_stopping(test_peer *peer, pipeport_conn conn, const void *data, size_t length)
{
    pipeport_server *server = peer->server;
    (void) conn;
    (void) data;
    (void) length;
    peer->server = NULL;
    EXPECT(pipeport_broadcast(server, "bye", 3, NULL) == PIPEPORT_OK);
    pipeport_server_stop(server, EXPECT_PATIENCE_MS);
}

Test(broadcast, what_was_broadcast_before_a_stop_is_drained)
{
    broadcast_open((pipeport_options){0});
    stage.server.does.message = broadcast_when_stopping;
    broadcast_dial(10, (peer_does){0});
    EXPECT(peer_send(&stage.clients[0], "stop", 4) == PIPEPORT_OK);
    for (int i = 0; i < 10; ++i) {
        AWAIT(stage.clients[i].closed == 1);
        EXPECT(stage.clients[i].messages == 1);
    }
    broadcast_close(10);
}
