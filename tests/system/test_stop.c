/* SPDX-License-Identifier: MIT */
/*
 * test_stop.c - stopping servers, clients and engines: within its time, whatever is under way, from wherever it is
 * asked.
 */
#include "engine/port/os.h"
#include "tests/support/books.h"
#include "tests/support/expect.h"
#include "tests/support/peer.h"
#include "tests/support/system.h"

#include <criterion/criterion.h>
#include <stdlib.h>

TestSuite(stop, .timeout = 110);

/* What a busy machine may add to a time that was asked for. */
enum { NOISE_MS = 8000 };

static struct {
    test_rig rig;
    test_peer server, client;
    char name[RIG_NAME_BYTES];
} stage; /* Each test is a process of its own. */

static void stop_open(uint32_t workers)
{
    rig_name(stage.name);
    rig_open(&stage.rig, workers);
}

/* ---- 255 that never read ---- */

enum { MANY = 255, QUEUED = 3, QUEUED_BYTES = 300 * 1000 };

static void stop_queue(test_peer *peer, pipeport_conn conn)
{
    static const char data[QUEUED_BYTES];
    for (int i = 0; i < QUEUED; ++i) {
        pipeport_status status = pipeport_send(peer->rig->engine, conn, data, sizeof data);
        EXPECT(status == PIPEPORT_OK || status == PIPEPORT_GONE); /* A stop may have come before. */
    }
}

static void stop_with_many(uint32_t drain_ms, pipeport_status why)
{
    raw_client *clients = calloc(MANY, sizeof *clients);
    cr_assert(clients);
    stop_open(4);
    stage.server.does.opened = stop_queue;
    peer_serve(&stage.server, &stage.rig, stage.name, NULL);
    for (int i = 0; i < MANY; ++i) {
        cr_assert(raw_connect(&clients[i], pipeport_server_address(stage.server.server)));
    }
    AWAIT(stage.server.opened == MANY);
    uint64_t begin_ms = pp_os_now_ms();
    peer_stop(&stage.server, drain_ms);
    uint64_t took_ms = pp_os_now_ms() - begin_ms;
    cr_log_info("a stop with %u ms took %llu ms", drain_ms, (unsigned long long) took_ms);
    EXPECT(took_ms + 50 >= drain_ms); /* The others' clock is not this one. */
    EXPECT(took_ms < drain_ms + NOISE_MS);
    EXPECT(stage.server.closed == MANY);
    EXPECT(stage.server.ended[why] == MANY);
    for (int i = 0; i < MANY; ++i) {
        raw_close(&clients[i]);
    }
    rig_close(&stage.rig);
    test_books all = books_of_all();
    cr_assert_eq(all.bytes_accepted, (uint64_t) MANY * QUEUED * (QUEUED_BYTES + 4));
    cr_assert_gt(all.bytes_discarded, 0);
    free(clients);
}

Test(stop, with_255_pending_reads_and_writes_a_drain_returns_within_its_time)
{
    stop_with_many(700, PIPEPORT_TIMED_OUT);
}

Test(stop, with_255_pending_reads_and_writes_an_abort_returns_at_once)
{
    stop_with_many(0, PIPEPORT_STOPPED);
}

/* ---- A slow reader hears all ---- */

typedef struct stop_reader {
    raw_client client;
    uint64_t bytes;
    bool sound;
} stop_reader;

static void stop_read_slowly(void *argument)
{
    stop_reader *reader = argument;
    char data[4096];
    size_t got;
    reader->sound = true;
    while ((got = raw_read(&reader->client, data, sizeof data)) > 0) {
        for (size_t i = 0; i < got; ++i) {
            uint64_t at = (reader->bytes + i) % (QUEUED_BYTES + 4);
            reader->sound = reader->sound && (at < 4 || data[i] == 0);
        }
        reader->bytes += got;
    }
    raw_close(&reader->client);
}

Test(stop, a_drain_gives_slow_readers_every_byte)
{
    enum { READERS = 10 };
    stop_reader readers[READERS] = {0};
    pp_thread threads[READERS];
    stop_open(4);
    stage.server.does.opened = stop_queue;
    peer_serve(&stage.server, &stage.rig, stage.name, NULL);
    for (int i = 0; i < READERS; ++i) {
        cr_assert(raw_connect(&readers[i].client, pipeport_server_address(stage.server.server)));
    }
    AWAIT(stage.server.opened == READERS);
    for (int i = 0; i < READERS; ++i) {
        cr_assert_eq(pp_os_thread_start(&threads[i], stop_read_slowly, &readers[i]).status, PIPEPORT_OK);
    }
    peer_stop(&stage.server, 30000);
    EXPECT(stage.server.ended[PIPEPORT_OK] == READERS);
    for (int i = 0; i < READERS; ++i) {
        pp_os_thread_join(&threads[i]);
        EXPECT(readers[i].sound);
        EXPECT(readers[i].bytes == QUEUED * (QUEUED_BYTES + 4));
    }
    rig_close(&stage.rig);
}

/* ---- Inside events ---- */

static _Atomic uint64_t stop_inside; /* The connection whose event stops the server. Others may close meanwhile. */

static void stop_closed_outside(test_peer *peer, pipeport_conn conn, const pipeport_end *end)
{
    (void) peer;
    (void) end;
    EXPECT(conn.id != atomic_load(&stop_inside)); /* `closed` follows; it cannot be inside. */
}

static void stop_server_inside(test_peer *peer, pipeport_conn conn, const void *data, size_t length)
{
    pipeport_server *server = peer->server;
    EXPECT(pipeport_send(peer->rig->engine, conn, data, length) == PIPEPORT_OK);
    if (length == 4 && server) {
        peer->server = NULL;
        atomic_store(&stop_inside, conn.id);
        pipeport_server_stop(server, EXPECT_PATIENCE_MS);
        EXPECT(pipeport_send(peer->rig->engine, conn, "late", 4) == PIPEPORT_GONE);
        atomic_store(&stop_inside, 0);
    }
}

Test(stop, a_server_can_be_stopped_inside_an_event_and_drains)
{
    for (int i = 0; i < 20; ++i) {
        test_peer others[5];
        stop_open(4);
        stage.server = (test_peer){.does = {.message = stop_server_inside, .closed = stop_closed_outside}};
        stage.client = (test_peer){0};
        peer_serve(&stage.server, &stage.rig, stage.name, NULL);
        for (int j = 0; j < 5; ++j) {
            others[j] = (test_peer){0};
            peer_dial(&others[j], &stage.rig, stage.name, NULL);
            AWAIT(others[j].opened == 1);
            EXPECT(peer_send(&others[j], "hello", 5) == PIPEPORT_OK);
        }
        AWAIT(stage.server.messages == 5);
        peer_dial(&stage.client, &stage.rig, stage.name, NULL);
        AWAIT(stage.client.opened == 1);
        EXPECT(peer_send(&stage.client, "stop", 4) == PIPEPORT_OK);
        AWAIT(stage.client.closed == 1);
        EXPECT(stage.client.messages == 1);
        for (int j = 0; j < 5; ++j) {
            AWAIT(others[j].closed == 1);
            EXPECT(others[j].messages == 1);
            peer_stop(&others[j], 0);
        }
        peer_stop(&stage.client, 0);
        AWAIT(books_unfinished() == 0);
        EXPECT(stage.server.closed == 6);
        rig_close(&stage.rig);
    }
}

static void stop_client_in_opened(test_peer *peer, pipeport_conn conn)
{
    EXPECT(pipeport_send(peer->rig->engine, conn, "hi", 2) == PIPEPORT_OK);
    pipeport_client_stop(peer->client, 1000);
}

static void stop_client_in_message(test_peer *peer, pipeport_conn conn, const void *data, size_t length)
{
    (void) conn;
    (void) data;
    (void) length;
    pipeport_client_stop(peer->client, 0);
}

static void stop_client_in_closed(test_peer *peer, pipeport_conn conn, const pipeport_end *end)
{
    (void) conn;
    (void) end;
    pipeport_client_stop(peer->client, 0);
}

/* A stop that was asked for at the same time may have come first. */
static void stop_greet(test_peer *peer, pipeport_conn conn)
{
    pipeport_status status = pipeport_send(peer->rig->engine, conn, "welcome", 7);
    EXPECT(status == PIPEPORT_OK || status == PIPEPORT_GONE);
}

static void stop_hang_up(test_peer *peer, pipeport_conn conn)
{
    EXPECT(pipeport_close(peer->rig->engine, conn, PIPEPORT_DRAIN) == PIPEPORT_OK);
}

Test(stop, a_client_can_be_stopped_inside_each_of_its_events)
{
    static const peer_does wants[3] = {
        {.opened = stop_client_in_opened}, {.message = stop_client_in_message}, {.closed = stop_client_in_closed}};
    stop_open(2);
    for (int i = 0; i < 60; ++i) {
        test_peer client = {.does = wants[i % 3]};
        stage.server = (test_peer){.does = {.opened = i % 3 == 2 ? stop_hang_up : stop_greet}};
        peer_serve(&stage.server, &stage.rig, stage.name, NULL);
        peer_dial(&client, &stage.rig, stage.name, NULL);
        AWAIT(client.closed == 1);
        peer_stop(&stage.server, 0);
        AWAIT(books_unfinished() == 0);
        EXPECT(client.opened == 1 && stage.server.opened == stage.server.closed);
    }
    rig_close(&stage.rig);
}

/* ---- While something is under way ---- */

Test(stop, a_client_can_be_stopped_while_it_connects)
{
    pipeport_options options = {.size = sizeof options, .connections_max = 1, .connect_ms = 60000};
    test_peer in = {0};
    stop_open(2);
    peer_serve(&stage.server, &stage.rig, stage.name, &options);
    peer_dial(&in, &stage.rig, stage.name, NULL);
    AWAIT(stage.server.opened == 1);
    for (int i = 0; i < 100; ++i) {
        test_peer waiting[4] = {0};
        for (int j = 0; j < 4; ++j) {
            peer_dial(&waiting[j], &stage.rig, stage.name, &options);
        }
        for (int j = 0; j < 4; ++j) {
            peer_stop(&waiting[j], j % 2 ? 0 : 10);
            EXPECT(waiting[j].failed == 0 && waiting[j].opened == waiting[j].closed);
        }
    }
    peer_stop(&in, 0);
    peer_stop(&stage.server, 0);
    rig_close(&stage.rig);
}

typedef struct stop_dialer {
    _Atomic bool *over;
    _Atomic uint64_t dialled;
} stop_dialer;

static void stop_dial_on(void *argument)
{
    stop_dialer *dialer = argument;
    while (!atomic_load(dialer->over)) {
        test_peer client = {.does = {.opened = stop_greet}};
        if (peer_try_dial(&client, &stage.rig, stage.name, NULL) == PIPEPORT_OK) {
            peer_stop(&client, 0);
            atomic_fetch_add(&dialer->dialled, 1);
            EXPECT(client.opened == client.closed);
        }
    }
}

Test(stop, a_server_can_be_stopped_and_started_while_clients_come)
{
    enum { DIALERS = 3, ROUNDS = 60 };
    _Atomic bool over = false;
    stop_dialer dialers[DIALERS];
    pp_thread threads[DIALERS];
    stop_open(4);
    for (int i = 0; i < DIALERS; ++i) {
        dialers[i] = (stop_dialer){.over = &over};
        cr_assert_eq(pp_os_thread_start(&threads[i], stop_dial_on, &dialers[i]).status, PIPEPORT_OK);
    }
    for (int i = 0; i < ROUNDS; ++i) {
        test_peer server = {.does = {.opened = stop_greet}};
        peer_serve(&server, &stage.rig, stage.name, NULL);
        AWAIT(server.opened >= (uint64_t) (i % 5));
        for (int j = 0; i == ROUNDS - 1 && j < DIALERS; ++j) {
            AWAIT(dialers[j].dialled > 0);
        }
        peer_stop(&server, i % 2 ? 0 : 100);
        EXPECT(server.opened == server.closed);
    }
    atomic_store(&over, true);
    for (int i = 0; i < DIALERS; ++i) {
        pp_os_thread_join(&threads[i]);
    }
    rig_close(&stage.rig);
}

static void stop_server_thread(void *argument)
{
    peer_stop(argument, 100);
}

Test(stop, a_server_and_its_clients_can_be_stopped_at_the_same_time)
{
    for (int i = 0; i < 30; ++i) {
        test_peer clients[8];
        pp_thread thread;
        stop_open(4);
        stage.server = (test_peer){.does = {.opened = stop_greet}};
        peer_serve(&stage.server, &stage.rig, stage.name, NULL);
        for (int j = 0; j < 8; ++j) {
            clients[j] = (test_peer){.does = {.opened = stop_greet}};
            peer_dial(&clients[j], &stage.rig, stage.name, NULL);
        }
        cr_assert_eq(pp_os_thread_start(&thread, stop_server_thread, &stage.server).status, PIPEPORT_OK);
        for (int j = 0; j < 8; ++j) {
            peer_stop(&clients[j], i % 2 ? 0 : 100);
        }
        pp_os_thread_join(&thread);
        rig_close(&stage.rig);
    }
}

Test(stop, an_engine_can_be_destroyed_with_all_that_lives_on_it)
{
    enum { CLIENTS = 20 };
    for (int i = 0; i < 20; ++i) {
        test_peer clients[CLIENTS] = {0};
        stop_open(1 + (uint32_t) i % 4);
        stage.server = (test_peer){.does = {.opened = stop_queue}};
        peer_serve(&stage.server, &stage.rig, stage.name, NULL);
        for (int j = 0; j < CLIENTS; ++j) {
            clients[j].does.opened = stop_greet;
            peer_dial(&clients[j], &stage.rig, stage.name, NULL);
        }
        AWAIT(stage.server.opened >= (uint64_t) i);
        rig_crash(&stage.rig);
        EXPECT(stage.server.opened == stage.server.closed);
        for (int j = 0; j < CLIENTS; ++j) {
            EXPECT(clients[j].opened == clients[j].closed);
        }
        expect_fine();
    }
}

static void stop_destroy_inside(test_peer *peer, pipeport_conn conn)
{
    EXPECT(pipeport_engine_destroy(peer->rig->engine) == PIPEPORT_INVALID);
    stop_greet(peer, conn);
}

Test(stop, an_engine_cannot_be_destroyed_inside_its_own_event)
{
    stop_open(2);
    stage.server.does.opened = stop_destroy_inside;
    peer_serve(&stage.server, &stage.rig, stage.name, NULL);
    peer_dial(&stage.client, &stage.rig, stage.name, NULL);
    AWAIT(stage.client.messages == 1);
    peer_stop(&stage.client, 0);
    peer_stop(&stage.server, 0);
    rig_close(&stage.rig);
}
