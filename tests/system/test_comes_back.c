/* SPDX-License-Identifier: MIT */
/*
 * test_comes_back.c - clients that connect again, to servers that come late, go, and are killed.
 */
#include "tests/support/expect.h"
#include "tests/support/peer.h"
#include "tests/support/system.h"

#include <criterion/criterion.h>

TestSuite(comes_back, .timeout = 110);

static struct {
    test_rig rig;
    test_peer server, client;
    char name[RIG_NAME_BYTES];
} stage; /* Each test is a process of its own. */

static const pipeport_options again = {.size = sizeof again, .reconnect_ms = 5, .reconnect_max_ms = 50};

static void comes_open(void)
{
    rig_name(stage.name);
    rig_open(&stage.rig, 2);
}

static void comes_close(void)
{
    peer_stop(&stage.client, 0);
    EXPECT(stage.client.opened == stage.client.closed);
    rig_close(&stage.rig);
}

Test(comes_back, to_a_server_that_comes_late)
{
    comes_open();
    peer_dial(&stage.client, &stage.rig, stage.name, &again);
    AWAIT(stage.client.failed == 1);
    EXPECT(stage.client.failed_why == PIPEPORT_NO_SERVER);
    AWAIT(peer_stats(&stage.client).dials > 10);
    EXPECT(stage.client.failed == 1 && stage.client.opened == 0);
    peer_serve(&stage.server, &stage.rig, stage.name, NULL);
    AWAIT(stage.client.opened >= 1); /* Perhaps cut off meanwhile, as below, and there again. */
    peer_stop(&stage.server, 0);
    comes_close();
}

Test(comes_back, to_a_process_that_was_killed_and_started_again)
{
    comes_open();
    peer_dial(&stage.client, &stage.rig, stage.name, &again);
    for (int i = 0; i < 5; ++i) {
        system_child child;
        uint64_t before = stage.client.conn, heard = stage.client.messages, ended;
        cr_assert(system_spawn_victim(&child, "echo", stage.name));
        do { /* On Windows a server that begins may cut off once who comes too early (docs/WINDOWS.md). */
            ended = stage.client.closed;
            AWAIT(stage.client.opened > ended);
            EXPECT(stage.client.conn != before);
            (void) peer_send(&stage.client, "hello", 5);
            AWAIT(stage.client.messages > heard || stage.client.closed > ended);
        } while (stage.client.messages == heard);
        EXPECT(pipeport_client_conn(stage.client.client).id == stage.client.conn);
        ended = stage.client.closed;
        system_kill(&child);
        AWAIT(stage.client.closed == ended + 1);
        EXPECT(stage.client.end.why == PIPEPORT_GONE);
    }
    comes_close();
}

Test(comes_back, to_a_server_that_hangs_up_again_and_again)
{
    test_peer clients[10] = {0};
    comes_open();
    for (int i = 0; i < 10; ++i) {
        peer_dial(&clients[i], &stage.rig, stage.name, &again);
    }
    for (int i = 0; i < 30; ++i) {
        test_peer server = {0};
        peer_serve(&server, &stage.rig, stage.name, NULL);
        AWAIT(server.opened >= 10);
        peer_stop(&server, i % 2 ? 0 : 100);
    }
    for (int i = 0; i < 10; ++i) {
        EXPECT(clients[i].opened >= 10);
        peer_stop(&clients[i], 0);
        EXPECT(clients[i].opened == clients[i].closed && clients[i].failed <= clients[i].opened + 1);
    }
    rig_close(&stage.rig);
}

static void comes_stop_in_opened(test_peer *peer, pipeport_conn conn)
{
    (void) conn;
    pipeport_client_stop(peer->client, 0);
}

static void comes_stop_in_closed(test_peer *peer, pipeport_conn conn, const pipeport_end *end)
{
    (void) conn;
    (void) end;
    pipeport_client_stop(peer->client, 0);
}

Test(comes_back, not_after_a_stop_wherever_that_finds_it)
{
    comes_open();
    for (int i = 0; i < 60; ++i) {
        test_peer server = {0}, client = {0};
        client.does.opened = i % 6 == 4 ? comes_stop_in_opened : NULL;
        client.does.closed = i % 6 == 5 ? comes_stop_in_closed : NULL;
        if (i % 2) {
            peer_serve(&server, &stage.rig, stage.name, NULL);
        }
        peer_dial(&client, &stage.rig, stage.name, &again);
        if (i % 6 == 4) { /* Whom nobody serves yet. */
            peer_serve(&server, &stage.rig, stage.name, NULL);
        }
        if (i % 6 == 3 || i % 6 == 5) {
            AWAIT(client.opened == 1);
            peer_stop(&server, 0); /* It finds the client resting, or just dialling. */
        }
        if (i % 6 < 4) {
            pipeport_client_stop(client.client, 0);
        } else {
            AWAIT(client.closed == 1);
        }
        if (server.server) {
            peer_stop(&server, 0);
        }
        rig_settle(&stage.rig);
        EXPECT(client.opened == client.closed);
    }
    rig_close(&stage.rig);
}

Test(comes_back, not_after_its_engine)
{
    for (int i = 0; i < 30; ++i) {
        test_peer clients[8] = {0}, server = {0};
        comes_open();
        if (i % 2) {
            peer_serve(&server, &stage.rig, stage.name, NULL);
        }
        for (int j = 0; j < 8; ++j) {
            peer_dial(&clients[j], &stage.rig, stage.name, &again);
        }
        AWAIT(clients[i % 8].opened + clients[i % 8].failed > 0);
        rig_crash(&stage.rig);
        for (int j = 0; j < 8; ++j) {
            EXPECT(clients[j].opened == clients[j].closed);
        }
        expect_fine();
    }
}
