/* SPDX-License-Identifier: MIT */
/*
 * test_instances.c - a server with as many connections as the system lets it have instances: who waits comes in as soon
 * as one leaves, and the server never asks for one too many.
 */
#include "tests/support/expect.h"
#include "tests/support/peer.h"
#include "tests/support/system.h"
#include "tests/support/threads.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(instances, .timeout = 110);

enum { INSTANCES = 2, COMERS = 6, ROUNDS = 30 };

static test_rig rig;
static test_peer server;
static _Atomic uint32_t instances_open, instances_peak;

static void instances_count(test_peer *peer, pipeport_conn conn)
{
    (void) peer;
    (void) conn;
    uint32_t open = atomic_fetch_add(&instances_open, 1) + 1;
    uint32_t peak = atomic_load(&instances_peak);
    while (open > peak && !atomic_compare_exchange_weak(&instances_peak, &peak, open)) {
    }
}

static void instances_uncount(test_peer *peer, pipeport_conn conn, const pipeport_end *end)
{
    (void) peer;
    (void) conn;
    EXPECT(end->why == PIPEPORT_GONE);
    atomic_fetch_sub(&instances_open, 1);
}

static void instances_come_and_go(void *argument)
{
    (void) argument;
    for (int i = 0; i < ROUNDS; ++i) {
        raw_client client;
        char back[8];
        EXPECT(raw_connect(&client, pipeport_server_address(server.server)));
        EXPECT(raw_write(&client, "\4\0\0\0echo", 8));
        EXPECT(raw_read_all(&client, back, 8) && memcmp(back, "\4\0\0\0echo", 8) == 0);
        raw_close(&client);
    }
}

Test(instances, go_from_one_client_to_the_next)
{
    pipeport_options options = {.size = sizeof options, .instances_max = INSTANCES};
    char name[RIG_NAME_BYTES];
    test_thread comers[COMERS];
    raw_client held[INSTANCES];
    rig_name(name);
    rig_open(&rig, 2);
    server.does = (peer_does){.opened = instances_count, .message = peer_echo, .closed = instances_uncount};
    peer_serve(&server, &rig, name, &options);
    for (int i = 0; i < INSTANCES; ++i) {
        cr_assert(raw_connect(&held[i], pipeport_server_address(server.server)));
    }
    AWAIT(instances_open == INSTANCES);
    for (int i = 0; i < COMERS; ++i) {
        test_thread_start(&comers[i], instances_come_and_go, NULL);
    }
    for (int i = 0; i < INSTANCES; ++i) { /* Who waits comes in. */
        raw_close(&held[i]);
    }
    for (int i = 0; i < COMERS; ++i) {
        test_thread_join(&comers[i]);
    }
    AWAIT(server.closed == COMERS * ROUNDS + INSTANCES);
    EXPECT(instances_peak == INSTANCES);
    EXPECT(peer_stats(&server).accepts_failed == 0);
    peer_stop(&server, 0);
    rig_close(&rig);
}
