/* SPDX-License-Identifier: MIT */
/*
 * test_pipes.c - pipes that are no plain duplex streams: whole messages of the pipe's own, and pipes that go one way.
 */
#include "tests/support/expect.h"
#include "tests/support/pattern.h"
#include "tests/support/system.h"
#include "tests/support/talker.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

TestSuite(pipes, .timeout = 100);

enum { PIPES_BYTES_MAX = 300000, PIPES_ROUNDS = 50, PIPES_CLIENTS = 20 };

static const uint32_t pipes_sizes[] = {1,     2,     255,   256,   257,   511,    512,    513, 2048, 4096,
                                       32767, 32768, 32769, 65536, 70000, 131072, 300000, 7,   100,  1};

enum { PIPES_SIZES = sizeof pipes_sizes / sizeof pipes_sizes[0] };

static pipeport_options pipes_messages(void)
{
    return (pipeport_options){
        .size = sizeof(pipeport_options), .framing = pipeport_framing_message(), .message_bytes_max = PIPES_BYTES_MAX};
}

static void pipes_echo(uint32_t clients, uint32_t window, uint64_t messages)
{
    test_rig rig;
    test_peer server = {.does = {.message = peer_echo}};
    char name[RIG_NAME_BYTES];
    pipeport_options options = pipes_messages();
    talker_plan plan = {pipes_sizes, PIPES_SIZES, window, messages, &options};
    test_talker *talkers = calloc(clients, sizeof *talkers);
    cr_assert(talkers);
    rig_name(name);
    rig_open(&rig, 4);
    peer_serve(&server, &rig, name, &options);
    talker_start(talkers, clients, &rig, name, &plan);
    talker_await(talkers, clients);
    talker_stop(talkers, clients);
    AWAIT(server.closed == clients);
    EXPECT(server.messages == clients * messages);
    peer_stop(&server, 0);
    rig_close(&rig);
    free(talkers);
}

Test(pipes, messages_of_every_length_come_back)
{
    pipes_echo(1, 1, 3 * PIPES_SIZES);
}

Test(pipes, messages_of_many_clients_come_back_in_order)
{
    pipes_echo(PIPES_CLIENTS, 3, 3 * PIPES_SIZES);
}

static _Atomic uint64_t pipes_empty;

static void pipes_count(test_peer *peer, pipeport_conn conn, const void *data, size_t length)
{
    (void) conn;
    EXPECT(pattern_is(data, length, atomic_load(&peer->messages)));
    atomic_fetch_add(&pipes_empty, length == 0);
}

Test(pipes, messages_of_no_bytes_are_heard_and_are_no_end)
{
    test_rig rig;
    test_peer server = {.does = {.message = pipes_count}};
    char name[RIG_NAME_BYTES], data[100];
    pipeport_options options = pipes_messages();
    raw_client client;
    rig_name(name);
    rig_open(&rig, 2);
    peer_serve(&server, &rig, name, &options);
    cr_assert(raw_connect_whole(&client, pipeport_server_address(server.server)));
    for (uint32_t i = 0; i < PIPES_ROUNDS; i++) {
        uint32_t length = i % 3 == 0 ? i : 0;
        pattern_fill(data, length, i);
        cr_assert(raw_write_whole(&client, data, length));
    }
    AWAIT(server.messages == PIPES_ROUNDS);
    EXPECT(server.closed == 0);
    EXPECT(pipes_empty == PIPES_ROUNDS - (PIPES_ROUNDS - 1) / 3);
    cr_assert(raw_write_whole(&client, "", 0));
    raw_close(&client);
    AWAIT(server.closed == 1);
    EXPECT(server.messages == PIPES_ROUNDS + 1);
    EXPECT(server.ended[PIPEPORT_GONE] == 1);
    peer_stop(&server, 0);
    rig_close(&rig);
}

Test(pipes, a_message_beyond_the_bound_ends_who_sent_it_alone)
{
    test_rig rig;
    test_peer server = {.does = {.message = peer_echo}}, good = {0}, bad = {0};
    char name[RIG_NAME_BYTES];
    static char data[5000];
    pipeport_options options = pipes_messages(), larger = pipes_messages();
    options.message_bytes_max = 1000;
    rig_name(name);
    rig_open(&rig, 2);
    peer_serve(&server, &rig, name, &options);
    peer_dial(&good, &rig, name, &options);
    peer_dial(&bad, &rig, name, &larger);
    AWAIT(good.opened == 1 && bad.opened == 1);
    EXPECT(peer_send(&good, data, 1000) == PIPEPORT_OK);
    EXPECT(peer_send(&bad, data, 1001) == PIPEPORT_OK);
    AWAIT(bad.closed == 1 && good.messages == 1);
    EXPECT(server.ended[PIPEPORT_BAD_PEER] == 1);
    EXPECT(peer_send(&good, data, 1) == PIPEPORT_OK);
    AWAIT(good.messages == 2);
    peer_stop(&good, 0);
    peer_stop(&bad, 0);
    peer_stop(&server, 0);
    rig_close(&rig);
}

static void pipes_meet_other_type(test_rig *rig, const pipeport_options *served, const pipeport_options *dialled,
                                  pipeport_status expected)
{
    test_peer server = {0}, client = {0}, other = {0};
    pipeport_options again = *dialled;
    char name[RIG_NAME_BYTES];
    again.reconnect_ms = 1;
    rig_name(name);
    peer_serve(&server, rig, name, served);
    pipeport_events none = {.size = sizeof none};
    pipeport_client *dialler = NULL;
    EXPECT(pipeport_client_start(&dialler, rig->engine, name, dialled, &none) == expected);
    EXPECT((dialler == NULL) == (expected != PIPEPORT_OK));
    pipeport_client_stop(dialler, 0);
    EXPECT(peer_try_dial(&other, rig, name, &again) == expected); /* Said at once, though it would connect again. */
    EXPECT(other.client == NULL || expected == PIPEPORT_OK);
    if (other.client) {
        peer_stop(&other, 0);
    }
    peer_dial(&client, rig, name, served);
    AWAIT(client.opened == 1);
    peer_stop(&client, 0);
    peer_stop(&server, 0);
}

Test(pipes, a_client_is_told_of_a_server_of_the_other_type)
{
    test_rig rig;
    pipeport_options bytes = {.size = sizeof bytes}, messages = pipes_messages();
    rig_open(&rig, 2);
    bool reads_messages_as_bytes = strcmp(pipeport_engine_driver(rig.engine), "IOCP") == 0;
    pipes_meet_other_type(&rig, &bytes, &messages, PIPEPORT_WRONG_TYPE);
    pipes_meet_other_type(&rig, &messages, &bytes, reads_messages_as_bytes ? PIPEPORT_OK : PIPEPORT_WRONG_TYPE);
    EXPECT(strstr(pipeport_status_text(PIPEPORT_WRONG_TYPE), "one end is of bytes, the other of messages") != NULL);
    rig_close(&rig);
}

/* ---- One way ---- */

static void pipes_push(test_peer *peer, pipeport_conn conn)
{
    char data[PIPES_ROUNDS];
    for (uint32_t i = 1; i < PIPES_ROUNDS; ++i) {
        pattern_fill(data, i, i - 1);
        EXPECT(pipeport_send(peer->rig->engine, conn, data, i) == PIPEPORT_OK);
    }
}

static void pipes_hear(test_peer *peer, pipeport_conn conn, const void *data, size_t length)
{
    uint64_t number = atomic_load(&peer->messages);
    (void) conn;
    EXPECT(length == number + 1);
    EXPECT(pattern_is(data, length, number));
}

/* Who writes pushes as soon as it is opened; who reads hears all, and one of them goes: the other hears of that. */
static void pipes_one_way(pipeport_options options, bool to_server, bool writer_goes)
{
    test_rig rig;
    test_peer server = {0}, client = {0};
    test_peer *writer = to_server ? &client : &server, *reader = to_server ? &server : &client;
    char name[RIG_NAME_BYTES];
    options.size = sizeof options;
    options.direction = to_server ? PIPEPORT_TO_SERVER : PIPEPORT_TO_CLIENT;
    writer->does.opened = pipes_push;
    reader->does.message = pipes_hear;
    rig_name(name);
    rig_open(&rig, 2);
    peer_serve(&server, &rig, name, &options);
    peer_dial(&client, &rig, name, &options);
    AWAIT(reader->messages == PIPES_ROUNDS - 1);
    EXPECT(reader->closed == 0 && writer->closed == 0);
    EXPECT(pipeport_close(rig.engine, peer_conn(writer_goes ? writer : reader), PIPEPORT_ABORT) == PIPEPORT_OK);
    if (!writer_goes && strcmp(pipeport_engine_driver(rig.engine), "IOCP") == 0) {
        AWAIT(reader->closed == 1); /* Windows tells who only writes of the end when he writes, and not before. */
        EXPECT(writer->closed == 0);
        EXPECT(peer_send(writer, "x", 1) == PIPEPORT_OK);
    }
    AWAIT(reader->closed == 1 && writer->closed == 1);
    EXPECT((writer_goes ? reader : writer)->ended[PIPEPORT_GONE] == 1);
    EXPECT((writer_goes ? writer : reader)->ended[PIPEPORT_STOPPED] == 1);
    peer_stop(&client, 0);
    peer_stop(&server, 0);
    rig_close(&rig);
}

Test(pipes, a_pipe_to_the_server_carries_all_and_tells_both_of_the_end)
{
    pipes_one_way((pipeport_options){0}, true, true);
    pipes_one_way((pipeport_options){0}, true, false);
}

Test(pipes, a_pipe_to_the_client_carries_all_and_tells_both_of_the_end)
{
    pipes_one_way((pipeport_options){0}, false, true);
    pipes_one_way((pipeport_options){0}, false, false);
}

Test(pipes, one_way_pipes_of_messages_do_so_too)
{
    for (int i = 0; i < 4; i++) {
        pipes_one_way(pipes_messages(), i % 2 == 0, i < 2);
    }
}
