/* SPDX-License-Identifier: MIT */
/*
 * test_bounds.c - what is too long, out of its bounds or not there at all is refused, and nothing is changed.
 */
#include "tests/support/expect.h"
#include "tests/support/peer.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(bounds, .timeout = 100);

enum { MIB = 1 << 20, GIB = 1 << 30 };

static test_rig rig; /* Each test is a process of its own. */
static char name[RIG_NAME_BYTES];

static const pipeport_events no_events = {.size = sizeof no_events};

/* ---- Options ---- */

static void bounds_refuse(pipeport_options options, int line)
{
    pipeport_server *server = NULL;
    pipeport_client *client = NULL;
    cr_expect_eq(pipeport_server_start(&server, rig.engine, name, &options, &no_events), PIPEPORT_INVALID, "line %d",
                 line);
    cr_expect_eq(pipeport_client_start(&client, rig.engine, name, &options, &no_events), PIPEPORT_INVALID, "line %d",
                 line);
    cr_expect_null(server);
    cr_expect_null(client);
}

static void bounds_take(pipeport_options options, int line)
{
    pipeport_server *server = NULL;
    options.size = sizeof options;
    cr_expect_eq(pipeport_server_start(&server, rig.engine, name, &options, &no_events), PIPEPORT_OK, "line %d", line);
    pipeport_server_stop(server, 0);
}

#define REFUSE(...) bounds_refuse((pipeport_options){.size = sizeof(pipeport_options), __VA_ARGS__}, __LINE__)
#define TAKE(...) bounds_take((pipeport_options){__VA_ARGS__}, __LINE__)

Test(bounds, every_option_out_of_its_bounds_is_invalid)
{
    rig_name(name);
    rig_open(&rig, 1);
    REFUSE(.connections_max = 1000001);
    REFUSE(.connections_max = UINT32_MAX);
    REFUSE(.accepts_pending = 256);
    REFUSE(.accepts_pending = UINT32_MAX);
    REFUSE(.message_bytes_max = GIB + 1u, .send_queue_bytes_max = UINT32_MAX);
    REFUSE(.message_bytes_max = UINT32_MAX);
    REFUSE(.send_queue_bytes_max = 1);
    REFUSE(.send_queue_bytes_max = MIB + 3);
    REFUSE(.message_bytes_max = 100, .send_queue_bytes_max = 103);
    REFUSE(.pipe_buffer_bytes = 511);
    REFUSE(.pipe_buffer_bytes = 1);
    REFUSE(.pipe_buffer_bytes = (16 << 20) + 1);
    REFUSE(.pipe_buffer_bytes = UINT32_MAX);
    bounds_refuse((pipeport_options){.size = 0}, __LINE__);
    bounds_refuse((pipeport_options){.size = sizeof(pipeport_options) - 1}, __LINE__);
    bounds_refuse((pipeport_options){.size = sizeof(pipeport_options) + 1}, __LINE__);
    rig_close(&rig);
}

Test(bounds, every_option_at_its_bounds_is_taken)
{
    rig_name(name);
    rig_open(&rig, 1);
    TAKE(.connections_max = 1);
    TAKE(.connections_max = 1000000);
    TAKE(.accepts_pending = 1);
    TAKE(.accepts_pending = 255);
    TAKE(.message_bytes_max = 1);
    TAKE(.message_bytes_max = GIB);
    TAKE(.message_bytes_max = 100, .send_queue_bytes_max = 104);
    TAKE(.send_queue_bytes_max = MIB + 4);
    TAKE(.send_queue_bytes_max = UINT32_MAX);
    TAKE(.first_message_ms = 1, .idle_ms = 1, .write_stall_ms = 1, .connect_ms = 1);
    TAKE(.first_message_ms = UINT32_MAX, .idle_ms = UINT32_MAX, .write_stall_ms = UINT32_MAX, .connect_ms = UINT32_MAX);
    TAKE(.pipe_buffer_bytes = 512);
    TAKE(.pipe_buffer_bytes = 16 << 20);
    rig_close(&rig);
}

Test(bounds, engine_options_out_of_their_bounds_are_invalid)
{
    static const pipeport_engine_options wrong[] = {
        {.size = 0},
        {.size = sizeof(pipeport_engine_options) - 1},
        {.size = sizeof(pipeport_engine_options) + 8},
        {.size = sizeof(pipeport_engine_options), .workers = 65},
        {.size = sizeof(pipeport_engine_options), .workers = UINT32_MAX - 1},
    };
    pipeport_engine *engine = NULL;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; ++i) {
        cr_expect_eq(pipeport_engine_create(&engine, &wrong[i]), PIPEPORT_INVALID, "options %zu", i);
    }
    cr_expect_eq(pipeport_engine_create(NULL, NULL), PIPEPORT_INVALID);
    cr_expect_null(engine);
    rig_open(&rig, 64);
    rig_close(&rig);
    cr_assert_eq(pipeport_engine_create(&engine, NULL), PIPEPORT_OK);
    cr_assert_eq(pipeport_engine_destroy(engine), PIPEPORT_OK);
}

/* ---- Nothing where something is needed ---- */

Test(bounds, null_where_something_is_needed_is_invalid)
{
    pipeport_events wrong = {.size = 1};
    pipeport_server *server = NULL;
    pipeport_client *client = NULL;
    pipeport_engine *engine;
    rig_name(name);
    rig_open(&rig, 1);
    engine = rig.engine;
    EXPECT(pipeport_server_start(NULL, engine, name, NULL, &no_events) == PIPEPORT_INVALID);
    EXPECT(pipeport_server_start(&server, NULL, name, NULL, &no_events) == PIPEPORT_INVALID);
    EXPECT(pipeport_server_start(&server, engine, NULL, NULL, &no_events) == PIPEPORT_INVALID);
    EXPECT(pipeport_server_start(&server, engine, name, NULL, NULL) == PIPEPORT_INVALID);
    EXPECT(pipeport_server_start(&server, engine, name, NULL, &wrong) == PIPEPORT_INVALID);
    EXPECT(pipeport_client_start(NULL, engine, name, NULL, &no_events) == PIPEPORT_INVALID);
    EXPECT(pipeport_client_start(&client, NULL, name, NULL, &no_events) == PIPEPORT_INVALID);
    EXPECT(pipeport_client_start(&client, engine, NULL, NULL, &no_events) == PIPEPORT_INVALID);
    EXPECT(pipeport_client_start(&client, engine, name, NULL, &wrong) == PIPEPORT_INVALID);
    EXPECT(pipeport_engine_run(NULL, 0) == PIPEPORT_INVALID);
    EXPECT(pipeport_engine_stats(NULL, NULL) == PIPEPORT_INVALID);
    EXPECT(pipeport_engine_stats(engine, NULL) == PIPEPORT_INVALID);
    EXPECT(pipeport_engine_stats(engine, &(pipeport_engine_figures){.size = 4}) == PIPEPORT_INVALID);
    EXPECT(pipeport_server_stats(NULL, &(pipeport_stats){.size = sizeof(pipeport_stats)}) == PIPEPORT_INVALID);
    EXPECT(pipeport_client_stats(NULL, &(pipeport_stats){.size = sizeof(pipeport_stats)}) == PIPEPORT_INVALID);
    EXPECT(pipeport_engine_destroy(NULL) == PIPEPORT_OK);
    pipeport_server_stop(NULL, 0);
    pipeport_client_stop(NULL, 0);
    pipeport_message_release(NULL);
    EXPECT(server == NULL && client == NULL);
    rig_close(&rig);
}

Test(bounds, a_send_without_engine_data_or_message_is_invalid)
{
    test_peer server = {0}, client = {0};
    pipeport_message *message = NULL;
    void *data;
    rig_name(name);
    rig_open(&rig, 1);
    peer_serve(&server, &rig, name, NULL);
    peer_dial(&client, &rig, name, NULL);
    AWAIT(client.opened == 1);
    pipeport_conn conn = peer_conn(&client);
    EXPECT(pipeport_send(NULL, conn, "x", 1) == PIPEPORT_INVALID);
    EXPECT(pipeport_send(rig.engine, conn, NULL, 1) == PIPEPORT_INVALID);
    EXPECT(pipeport_broadcast(NULL, "x", 1, NULL) == PIPEPORT_INVALID);
    EXPECT(pipeport_broadcast(server.server, NULL, 1, NULL) == PIPEPORT_INVALID);
    EXPECT(pipeport_send_message(rig.engine, conn, NULL) == PIPEPORT_INVALID);
    EXPECT(pipeport_broadcast_message(server.server, NULL, NULL) == PIPEPORT_INVALID);
    EXPECT(pipeport_message_create(NULL, rig.engine, NULL, 1, &data) == PIPEPORT_INVALID);
    EXPECT(pipeport_message_create(&message, NULL, NULL, 1, &data) == PIPEPORT_INVALID);
    EXPECT(pipeport_message_create(&message, rig.engine, NULL, 1, NULL) == PIPEPORT_INVALID);
    EXPECT(pipeport_close(NULL, conn, PIPEPORT_ABORT) == PIPEPORT_INVALID);
    EXPECT(pipeport_close(rig.engine, conn, (pipeport_closing) 7) == PIPEPORT_INVALID);
    EXPECT(pipeport_send(rig.engine, conn, NULL, 0) == PIPEPORT_OK);
    AWAIT(server.messages == 1);
    peer_stop(&client, 0);
    peer_stop(&server, 0);
    rig_close(&rig);
}

Test(bounds, a_message_of_another_engine_is_invalid)
{
    test_rig other;
    test_peer server = {0}, client = {0};
    pipeport_message *message = NULL;
    void *data = NULL;
    rig_name(name);
    rig_open(&rig, 1);
    rig_open(&other, 1);
    peer_serve(&server, &rig, name, NULL);
    peer_dial(&client, &rig, name, NULL);
    AWAIT(client.opened == 1);
    EXPECT(pipeport_message_create(&message, other.engine, NULL, 3, &data) == PIPEPORT_OK);
    memcpy(data, "abc", 3);
    EXPECT(pipeport_send_message(rig.engine, peer_conn(&client), message) == PIPEPORT_INVALID);
    EXPECT(pipeport_broadcast_message(server.server, message, NULL) == PIPEPORT_INVALID);
    pipeport_message_release(message);
    peer_stop(&client, 0);
    peer_stop(&server, 0);
    rig_close(&other);
    rig_close(&rig);
}

/* ---- Too long ---- */

Test(bounds, a_message_above_the_bound_is_too_large_and_one_at_the_bound_arrives)
{
    static const char data[1001];
    pipeport_options options = {.size = sizeof options, .message_bytes_max = 1000};
    test_peer server = {0}, client = {0};
    uint32_t reached = 77;
    rig_name(name);
    rig_open(&rig, 2);
    peer_serve(&server, &rig, name, &options);
    peer_dial(&client, &rig, name, &options);
    AWAIT(client.opened == 1 && server.opened == 1);
    for (size_t length = 1000; length <= 1001; ++length) {
        pipeport_status expected = length == 1000 ? PIPEPORT_OK : PIPEPORT_TOO_LARGE;
        pipeport_message *message = NULL;
        void *room = NULL;
        EXPECT(pipeport_message_create(&message, rig.engine, NULL, length, &room) == PIPEPORT_OK);
        memset(room, 1, length);
        EXPECT(peer_send(&client, data, length) == expected);
        EXPECT(pipeport_send_message(rig.engine, peer_conn(&client), message) == expected);
        EXPECT(pipeport_broadcast(server.server, data, length, &reached) == expected);
        EXPECT(pipeport_broadcast_message(server.server, message, &reached) == expected);
        EXPECT(reached == 1);
        pipeport_message_release(message);
    }
    AWAIT(server.messages == 2 && client.messages == 2);
    EXPECT(server.bytes == 2000 && client.bytes == 2000);
    peer_stop(&client, 0);
    peer_stop(&server, 0);
    rig_close(&rig);
}

Test(bounds, a_message_above_1_gib_is_too_large_to_be_built)
{
    pipeport_message *message = NULL;
    void *data = NULL;
    rig_open(&rig, 1);
    EXPECT(pipeport_message_create(&message, rig.engine, NULL, (size_t) GIB + 1, &data) == PIPEPORT_TOO_LARGE);
    EXPECT(pipeport_message_create(&message, rig.engine, NULL, SIZE_MAX, &data) == PIPEPORT_TOO_LARGE);
    EXPECT(message == NULL && data == NULL);
    rig_close(&rig);
}

Test(bounds, a_message_longer_than_the_receiver_allows_ends_the_connection)
{
    static const char data[2000];
    pipeport_options options = {.size = sizeof options, .message_bytes_max = 1000};
    test_peer server = {0}, client = {0};
    rig_name(name);
    rig_open(&rig, 2);
    peer_serve(&server, &rig, name, &options);
    peer_dial(&client, &rig, name, NULL);
    AWAIT(client.opened == 1);
    EXPECT(peer_send(&client, data, 1000) == PIPEPORT_OK);
    EXPECT(peer_send(&client, data, 1001) == PIPEPORT_OK);
    AWAIT(client.closed == 1 && server.closed == 1);
    EXPECT(server.messages == 1);
    EXPECT(server.ended[PIPEPORT_BAD_PEER] == 1);
    EXPECT(client.end.why == PIPEPORT_GONE);
    peer_stop(&client, 0);
    peer_stop(&server, 0);
    rig_close(&rig);
}
