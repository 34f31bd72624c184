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

static void instances_give_up(test_peer *peer, pipeport_conn conn)
{
    EXPECT(pipeport_close(peer->rig->engine, conn, PIPEPORT_ABORT) == PIPEPORT_OK);
}

/* Nor does the name stay with them. */
Test(instances, are_free_again_though_clients_that_were_given_up_keep_their_ends)
{
    pipeport_options options = {.size = sizeof options, .instances_max = INSTANCES};
    char name[RIG_NAME_BYTES], back[8];
    raw_client kept[2 * INSTANCES], held, comer;
    static test_peer next;
    rig_name(name);
    rig_open(&rig, 2);
    server.does.opened = instances_give_up;
    peer_serve(&server, &rig, name, &options);
    for (uint32_t i = 0; i < 2 * INSTANCES; ++i) {
        cr_assert(raw_connect(&kept[i], pipeport_server_address(server.server)));
        AWAIT(server.closed == i + 1);
    }
    EXPECT(server.ended[PIPEPORT_STOPPED] == 2 * INSTANCES);
    EXPECT(peer_stats(&server).accepts_failed == 0);
    server.does.opened = NULL;
    cr_assert(raw_connect(&held, pipeport_server_address(server.server)));
    AWAIT(server.opened == 2 * INSTANCES + 1);
    peer_stop(&server, 0);
    next.does.message = peer_echo;
    peer_serve(&next, &rig, name, &options);
    cr_assert(raw_connect(&comer, pipeport_server_address(next.server)));
    EXPECT(raw_write(&comer, "\4\0\0\0echo", 8));
    EXPECT(raw_read_all(&comer, back, 8) && memcmp(back, "\4\0\0\0echo", 8) == 0);
    raw_close(&comer);
    raw_close(&held);
    for (uint32_t i = 0; i < 2 * INSTANCES; ++i) {
        EXPECT(raw_read(&kept[i], back, sizeof back) == 0);
        raw_close(&kept[i]);
    }
    peer_stop(&next, 0);
    rig_close(&rig);
}
