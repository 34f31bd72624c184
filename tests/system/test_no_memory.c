/* SPDX-License-Identifier: MIT */
/*
 * test_no_memory.c - when there is no memory a call says so or a connection ends, nothing leaks, nothing hangs, and
 * what has memory goes on.
 */
#include "engine/api/engine.h"
#include "tests/support/expect.h"
#include "tests/support/pattern.h"
#include "tests/support/peer.h"
#include "tests/support/system.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(no_memory, .timeout = 110);

enum { SWEEP = 40, MIB = 1 << 20 };

static struct {
    test_rig rig;
    test_peer server, client;
    char name[RIG_NAME_BYTES];
} stage; /* Each test is a process of its own. */

/* From now on `more` allocations succeed, and none after them; UINT64_MAX: all. */
static void memory_allow(uint64_t more)
{
    atomic_store(&stage.rig.engine->hub.memory.fail_after, more);
}

static uint64_t memory_blocks(void)
{
    pipeport_engine_figures figures = rig_figures(&stage.rig);
    return figures.allocations - figures.frees;
}

/* ---- A bound ------------------------------------------------------------------------------------------- */

Test(no_memory, at_the_engines_bound_sends_answer_no_memory_and_connections_live_on)
{
    static char data[100 * 1000];
    raw_client client;
    uint32_t sent = 0;
    pipeport_status status = PIPEPORT_OK;
    rig_name(stage.name);
    rig_open_with(&stage.rig, (pipeport_engine_options){.workers = 2, .memory_bytes_max = 3 * MIB});
    peer_serve(&stage.server, &stage.rig, stage.name, NULL);
    cr_assert(raw_connect(&client, pipeport_server_address(stage.server.server)));
    AWAIT(stage.server.opened == 1);
    while (status == PIPEPORT_OK && sent < 1000) {
        pattern_fill(data, sizeof data, sent);
        status = peer_send(&stage.server, data, sizeof data);
        sent += status == PIPEPORT_OK;
    }
    EXPECT(status == PIPEPORT_NO_MEMORY);
    EXPECT(sent > 10 && sent < 40);
    EXPECT(pipeport_broadcast(stage.server.server, data, sizeof data, NULL) == PIPEPORT_NO_MEMORY);
    EXPECT(rig_figures(&stage.rig).memory_bytes <= 3 * MIB);
    EXPECT(rig_figures(&stage.rig).memory_bytes_peak <= 3 * MIB);
    for (uint32_t i = 0; i < sent; ++i) {
        static char frame[4 + sizeof data];
        cr_assert(raw_read_all(&client, frame, sizeof frame));
        EXPECT(pattern_is(frame + 4, sizeof data, i));
    }
    AWAIT(peer_send(&stage.server, "again", 5) == PIPEPORT_OK);
    raw_close(&client);
    AWAIT(stage.server.closed == 1);
    peer_stop(&stage.server, 0);
    rig_close(&stage.rig);
}

Test(no_memory, an_engine_is_created_with_enough_and_refused_with_less)
{
    uint64_t bytes_max = 1000;
    pipeport_status status = PIPEPORT_NO_MEMORY;
    for (; status != PIPEPORT_OK && bytes_max < 64 * MIB; bytes_max += bytes_max / 20) {
        pipeport_engine_options options = {.size = sizeof options, .workers = 2, .memory_bytes_max = bytes_max};
        pipeport_engine *engine = NULL;
        status = pipeport_engine_create(&engine, &options);
        cr_expect(status == PIPEPORT_OK || (status == PIPEPORT_NO_MEMORY && !engine));
        cr_expect_eq(pipeport_engine_destroy(engine), PIPEPORT_OK);
    }
    cr_assert_eq(status, PIPEPORT_OK);
    cr_log_info("an engine of two workers needs %llu bytes", (unsigned long long) bytes_max);
}

/* ---- Each allocation fails once ------------------------------------------------------------------------ */

Test(no_memory, a_server_that_cannot_start_leaves_nothing_behind)
{
    pipeport_events events = {.size = sizeof events};
    pipeport_status status = PIPEPORT_NO_MEMORY;
    rig_name(stage.name);
    rig_open(&stage.rig, 2);
    for (uint64_t allowed = 0; allowed < SWEEP; ++allowed) {
        pipeport_server *server = NULL;
        memory_allow(allowed);
        status = pipeport_server_start(&server, stage.rig.engine, stage.name, NULL, &events);
        memory_allow(UINT64_MAX);
        EXPECT(status == PIPEPORT_OK || (status == PIPEPORT_NO_MEMORY && server == NULL));
        EXPECT((status == PIPEPORT_OK) == (server != NULL));
        pipeport_server_stop(server, 0);
        AWAIT(memory_blocks() == stage.rig.blocks);
    }
    EXPECT(status == PIPEPORT_OK);
    rig_close(&stage.rig);
}

static void memory_greet(test_peer *peer, pipeport_conn conn)
{
    pipeport_status status = pipeport_send(peer->rig->engine, conn, "hello", 5);
    EXPECT(status == PIPEPORT_OK || status == PIPEPORT_NO_MEMORY || status == PIPEPORT_GONE);
}

static void memory_answer(test_peer *peer, pipeport_conn conn, const void *data, size_t length)
{
    pipeport_status status = pipeport_send(peer->rig->engine, conn, data, length);
    EXPECT(status == PIPEPORT_OK || status == PIPEPORT_NO_MEMORY || status == PIPEPORT_GONE);
}

/* A client that has all it needs is served, whatever happened before. */
static void memory_expect_service(void)
{
    test_peer good = {0};
    memory_allow(UINT64_MAX);
    peer_dial(&good, &stage.rig, stage.name, NULL);
    AWAIT(good.opened == 1);
    EXPECT(peer_send(&good, "hello", 5) == PIPEPORT_OK);
    AWAIT(good.messages >= 1);
    peer_stop(&good, 0);
}

/* Connects, sends a long and a short message, broadcasts, with `allowed` allocations for all of it. */
static void memory_try_all(uint64_t allowed)
{
    static const char data[20000];
    test_peer client = {.does = {.opened = memory_greet}};
    memory_allow(allowed);
    if (peer_try_dial(&client, &stage.rig, stage.name, NULL) == PIPEPORT_OK) {
        AWAIT(client.opened + client.failed == 1);
        pipeport_status status = peer_send(&client, data, sizeof data);
        EXPECT(status == PIPEPORT_OK || status == PIPEPORT_NO_MEMORY || status == PIPEPORT_GONE);
        status = pipeport_broadcast(stage.server.server, data, sizeof data, NULL);
        EXPECT(status == PIPEPORT_OK || status == PIPEPORT_NO_MEMORY);
        memory_expect_service();
        peer_stop(&client, 0);
        EXPECT(client.opened == client.closed);
    }
    memory_expect_service();
}

Test(no_memory, whatever_allocation_fails_the_others_are_served_and_nothing_leaks)
{
    rig_name(stage.name);
    rig_open(&stage.rig, 2);
    stage.server.does = (peer_does){.message = memory_answer};
    for (uint64_t allowed = 0; allowed < SWEEP; ++allowed) {
        peer_serve(&stage.server, &stage.rig, stage.name, NULL);
        memory_try_all(allowed);
        peer_stop(&stage.server, 0);
        EXPECT(stage.server.opened == stage.server.closed);
        rig_settle(&stage.rig);
    }
    rig_close(&stage.rig);
}

/* On connections that are there already: what is sent is either refused or arrives whole. */
Test(no_memory, on_an_open_connection_a_message_is_refused_or_it_ends_or_the_message_arrives)
{
    static const char data[40000];
    rig_name(stage.name);
    rig_open(&stage.rig, 2);
    stage.server.does = (peer_does){.message = memory_answer};
    peer_serve(&stage.server, &stage.rig, stage.name, NULL);
    for (uint64_t allowed = 0; allowed < SWEEP; ++allowed) {
        test_peer client = {0};
        uint64_t taken = 0;
        peer_dial(&client, &stage.rig, stage.name, NULL);
        AWAIT(client.opened == 1);
        memory_allow(allowed);
        for (int i = 0; i < 5; ++i) {
            pipeport_status status = peer_send(&client, data, i % 2 ? 10 : sizeof data);
            EXPECT(status == PIPEPORT_OK || status == PIPEPORT_NO_MEMORY || status == PIPEPORT_GONE);
            taken += status == PIPEPORT_OK;
        }
        (void) pipeport_broadcast(stage.server.server, data, sizeof data, NULL);
        memory_expect_service();
        EXPECT(client.messages <= taken + 2);
        peer_stop(&client, 0);
    }
    peer_stop(&stage.server, 0);
    rig_close(&stage.rig);
}
