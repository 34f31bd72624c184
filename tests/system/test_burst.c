/* SPDX-License-Identifier: MIT */
/*
 * test_burst.c - a connection that was busy and fell silent costs what it did before.
 *
 * Where the port can await, at once: it has no block to receive into. Where it cannot, after some quiet reads, for the
 * block follows the traffic. The clients have an engine of their own: the server's memory is the server's alone.
 */
#include "engine/api/engine.h"
#include "engine/flow/inbox.h"
#include "tests/support/expect.h"
#include "tests/support/peer.h"

#include <criterion/criterion.h>

TestSuite(burst, .timeout = 110);

/* QUIET: as many lean reads as bring the largest block down to the smallest, and some more. */
enum { CONNS = 8, BURST = 200, LONG = 300000, QUIET = 4 * PP_INBOX_LEAN_READS };

static struct {
    test_rig servers, clients;
    test_peer server, client[CONNS];
    uint64_t sent;
} burst;

static void burst_send(test_peer *client, uint32_t bytes)
{
    static char payload[LONG];
    EXPECT(peer_send(client, payload, bytes) == PIPEPORT_OK);
    burst.sent += 1;
}

/* Of the server's engine, without what its worker keeps for all connections. */
static uint64_t burst_bytes(void)
{
    const pp_worker *worker = &burst.servers.engine->hub.pool.workers[0];
    bool has_spare = atomic_load(&worker->spare.block) != NULL;
    return rig_memory_bytes(&burst.servers) - (has_spare ? PP_SPARE_BYTES : 0);
}

/* Every message was heard, and every connection waits for the next. */
static bool burst_is_at_rest(void)
{
    pipeport_engine_figures figures = rig_figures(&burst.servers);
    return burst.server.opened == CONNS && burst.server.messages == burst.sent &&
           figures.operations_armed - figures.operations_done == CONNS;
}

static void burst_quieten(void)
{
    for (int i = 0; i < QUIET; ++i) {
        for (int j = 0; j < CONNS; ++j) {
            burst_send(&burst.client[j], 1);
        }
        AWAIT(burst_is_at_rest());
    }
}

static void burst_begin(void)
{
    pipeport_options options = {.size = sizeof options, .connections_max = CONNS};
    char name[RIG_NAME_BYTES];
    rig_name(name);
    rig_open(&burst.servers, 1);
    rig_open(&burst.clients, 1);
    peer_serve(&burst.server, &burst.servers, name, &options);
    for (int i = 0; i < CONNS; ++i) {
        peer_dial(&burst.client[i], &burst.clients, name, NULL);
        AWAIT(burst.client[i].opened == 1);
    }
    AWAIT(burst_is_at_rest());
}

static void burst_end(void)
{
    for (int i = 0; i < CONNS; ++i) {
        peer_stop(&burst.client[i], 1000);
    }
    AWAIT(burst.server.closed == CONNS);
    peer_stop(&burst.server, 0);
    rig_close(&burst.clients);
    rig_close(&burst.servers);
}

Test(burst, leaves_a_connection_as_small_as_before)
{
    burst_begin();
    uint64_t idle = burst_bytes();
    for (int j = 0; j < CONNS; ++j) {
        for (uint32_t i = 0; i < BURST; ++i) {
            burst_send(&burst.client[j], 1 + i * 13);
        }
        burst_send(&burst.client[j], LONG);
    }
    AWAIT(burst_is_at_rest());
    if (pp_port_can_await(burst.servers.engine->hub.port)) {
        AWAIT(burst_bytes() == idle);
    } else {
        AWAIT(burst_bytes() <= idle + CONNS * (uint64_t) PP_INBOX_BUSY_BYTES);
    }
    burst_quieten();
    AWAIT(burst_bytes() == idle);
    burst_end();
}
