/* SPDX-License-Identifier: MIT */
/*
 * test_stale.c - an id whose connection has closed names nobody, ever again, however often its seat is used.
 */
#include "tests/support/expect.h"
#include "tests/support/random.h"
#include "tests/support/talker.h"

#include <criterion/criterion.h>

TestSuite(stale, .timeout = 100);

static test_rig rig; /* Each test is a process of its own. */

static void stale_is_gone(pipeport_conn conn)
{
    pipeport_message *message = NULL;
    void *data = NULL;
    EXPECT(pipeport_send(rig.engine, conn, "x", 1) == PIPEPORT_GONE);
    EXPECT(pipeport_message_create(&message, rig.engine, NULL, 1, &data) == PIPEPORT_OK);
    *(char *) data = 'x';
    EXPECT(pipeport_send_message(rig.engine, conn, message) == PIPEPORT_GONE);
    pipeport_message_release(message);
    EXPECT(pipeport_pause(rig.engine, conn) == PIPEPORT_GONE);
    EXPECT(pipeport_resume(rig.engine, conn) == PIPEPORT_GONE);
    EXPECT(pipeport_close(rig.engine, conn, PIPEPORT_DRAIN) == PIPEPORT_GONE);
    EXPECT(pipeport_close(rig.engine, conn, PIPEPORT_ABORT) == PIPEPORT_GONE);
}

Test(stale, an_id_is_gone_after_its_connection_and_after_a_thousand_others_on_its_seat)
{
    test_peer server = {.does = {.message = peer_echo}};
    pipeport_conn first_client = {0}, first_server = {0};
    char name[RIG_NAME_BYTES];
    rig_name(name);
    rig_open(&rig, 2);
    peer_serve(&server, &rig, name, NULL);
    for (uint64_t i = 0; i < 1000; ++i) {
        test_peer client = {0};
        peer_dial(&client, &rig, name, NULL);
        AWAIT(client.opened == 1 && server.opened == i + 1);
        if (i == 0) {
            first_client = peer_conn(&client);
            first_server = peer_conn(&server);
        } else {
            EXPECT(client.conn != first_client.id && client.conn != first_server.id);
            EXPECT(server.conn != first_client.id && server.conn != first_server.id);
            stale_is_gone(first_client);
            stale_is_gone(first_server);
        }
        EXPECT(peer_send(&client, "mine", 4) == PIPEPORT_OK); /* The present owner of the seat was not meant. */
        AWAIT(client.messages == 1);
        peer_stop(&client, 0);
        AWAIT(server.closed == i + 1);
    }
    EXPECT(server.messages == 1000);
    stale_is_gone(first_client);
    stale_is_gone(first_server);
    peer_stop(&server, 0);
    rig_close(&rig);
}

Test(stale, ids_that_never_were_name_nobody)
{
    test_peer server = {.does = {.message = peer_echo}}, client = {0};
    char name[RIG_NAME_BYTES];
    uint64_t seed = test_seed();
    rig_name(name);
    rig_open(&rig, 2);
    stale_is_gone((pipeport_conn){0});
    stale_is_gone((pipeport_conn){1});
    stale_is_gone((pipeport_conn){UINT64_C(1) << 24});
    peer_serve(&server, &rig, name, NULL);
    peer_dial(&client, &rig, name, NULL);
    AWAIT(client.opened == 1 && server.opened == 1);
    for (uint64_t bit = 0; bit < 64; ++bit) {
        uint64_t id = client.conn ^ UINT64_C(1) << bit;
        if (id != server.conn) {
            stale_is_gone((pipeport_conn){id});
        }
    }
    stale_is_gone((pipeport_conn){0});
    stale_is_gone((pipeport_conn){UINT64_MAX});
    for (int i = 0; i < 1000; ++i) {
        stale_is_gone((pipeport_conn){test_random(&seed) | UINT64_C(1) << 63});
    }
    EXPECT(peer_send(&client, "alive", 5) == PIPEPORT_OK);
    AWAIT(client.messages == 1);
    peer_stop(&client, 0);
    peer_stop(&server, 0);
    rig_close(&rig);
}
