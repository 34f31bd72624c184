/* SPDX-License-Identifier: MIT */
/*
 * test_echo.c - what goes in comes out: every size, both ways, in order, whoever begins, however many there are.
 */
#include "tests/support/expect.h"
#include "tests/support/pattern.h"
#include "tests/support/talker.h"

#include <criterion/criterion.h>
#include <stdlib.h>

TestSuite(echo, .timeout = 100);

/* Around every bound there is: nothing, a header, a small frame that is joined, a read's block, a pipe's buffer, the
 * longest message. */
static const uint32_t echo_sizes[] = {0,     1,      2,      3,      4,       5,       15,    16,     17,
                                      60,    100,    1000,   2044,   2045,    4092,    4093,  4096,   32764,
                                      32765, 65531,  65532,  0,      65536,   65537,   70000, 99999,  1,
                                      0,     131072, 262140, 262144, 1048575, 1048576, 7,     300000, 0};

enum { ECHO_SIZES = sizeof echo_sizes / sizeof echo_sizes[0] };

static void echo_with_options(uint32_t clients, const talker_plan *plan, pipeport_options options)
{
    test_rig rig;
    test_peer server = {.does = {.message = peer_echo}};
    char name[RIG_NAME_BYTES];
    test_talker *talkers = calloc(clients, sizeof *talkers);
    cr_assert(talkers);
    rig_name(name);
    rig_open(&rig, 4);
    talker_plan with = *plan;
    options.size = sizeof options;
    with.options = &options;
    peer_serve(&server, &rig, name, &options);
    talker_start(talkers, clients, &rig, name, &with);
    talker_await(talkers, clients);
    talker_stop(talkers, clients);
    AWAIT(server.closed == clients);
    EXPECT(server.messages == clients * plan->messages);
    EXPECT(peer_stats(&server).messages_sent == clients * plan->messages);
    peer_stop(&server, 0);
    rig_close(&rig);
    free(talkers);
}

static void echo_with(uint32_t clients, const talker_plan *plan)
{
    echo_with_options(clients, plan, (pipeport_options){0});
}

Test(echo, one_client_gets_back_every_size_from_nothing_to_1_mib)
{
    echo_with(1, &(talker_plan){echo_sizes, ECHO_SIZES, 1, 3 * ECHO_SIZES});
}

Test(echo, one_client_with_three_messages_in_flight_gets_them_back_in_order)
{
    echo_with(1, &(talker_plan){echo_sizes, ECHO_SIZES, 3, 4 * ECHO_SIZES});
}

Test(echo, fifty_clients_get_back_every_size_in_order)
{
    echo_with(50, &(talker_plan){echo_sizes, ECHO_SIZES, 3, ECHO_SIZES});
}

Test(echo, many_small_messages_in_flight_come_back_in_order)
{
    echo_with(20, &(talker_plan){talker_small.sizes, talker_small.sizes_count, 64, 600});
}

Test(echo, through_the_smallest_and_the_largest_pipe_every_size_comes_back)
{
    static const uint32_t bytes[] = {512, 16 << 20};
    for (int i = 0; i < 2; ++i) {
        echo_with_options(3, &(talker_plan){echo_sizes, ECHO_SIZES, 2, ECHO_SIZES},
                          (pipeport_options){.pipe_buffer_bytes = bytes[i]});
    }
}

Test(echo, a_message_of_33_mib_comes_back_where_the_bound_allows_it)
{
    static const uint32_t sizes[] = {33 << 20, 0, 5};
    echo_with_options(1, &(talker_plan){sizes, 3, 1, 6}, (pipeport_options){.message_bytes_max = 33 << 20});
}

/* ---- A server that speaks first ------------------------------------------------------------------------ */

enum { FIRST_MESSAGES = 40 };

static void first_speak(test_peer *peer, pipeport_conn conn)
{
    char data[1000];
    for (uint32_t i = 0; i < FIRST_MESSAGES; ++i) {
        pattern_fill(data, i * 25, i);
        EXPECT(pipeport_send(peer->rig->engine, conn, data, i * 25) == PIPEPORT_OK);
    }
}

static void first_hear(test_peer *peer, pipeport_conn conn, const void *data, size_t length)
{
    uint64_t number = atomic_load(&peer->messages);
    (void) conn;
    EXPECT(length == number * 25);
    EXPECT(pattern_is(data, length, number));
}

Test(echo, a_server_may_speak_first)
{
    test_rig rig;
    test_peer server = {.does = {.opened = first_speak}};
    test_peer clients[10];
    char name[RIG_NAME_BYTES];
    rig_name(name);
    rig_open(&rig, 4);
    peer_serve(&server, &rig, name, NULL);
    for (int i = 0; i < 10; ++i) {
        clients[i] = (test_peer){.does = {.message = first_hear}};
        peer_dial(&clients[i], &rig, name, NULL);
    }
    for (int i = 0; i < 10; ++i) {
        AWAIT(clients[i].messages == FIRST_MESSAGES);
        peer_stop(&clients[i], 0);
    }
    peer_stop(&server, 0);
    EXPECT(server.closed == 10);
    rig_close(&rig);
}

Test(echo, both_sides_may_speak_first_at_once)
{
    test_rig rig;
    test_peer server = {.does = {.opened = first_speak, .message = first_hear}};
    test_peer client = {.does = {.opened = first_speak, .message = first_hear}};
    char name[RIG_NAME_BYTES];
    rig_name(name);
    rig_open(&rig, 2);
    peer_serve(&server, &rig, name, NULL);
    peer_dial(&client, &rig, name, NULL);
    AWAIT(client.messages == FIRST_MESSAGES);
    AWAIT(server.messages == FIRST_MESSAGES);
    peer_stop(&client, 0);
    peer_stop(&server, 0);
    rig_close(&rig);
}

/* ---- Many of each ---- */

Test(echo, several_servers_and_clients_share_one_engine)
{
    enum { SERVERS = 5, TALKERS = 6 };
    test_rig rig;
    test_peer servers[SERVERS];
    char names[SERVERS][RIG_NAME_BYTES];
    test_talker *talkers = calloc(SERVERS * TALKERS, sizeof *talkers);
    talker_plan plan = {echo_sizes, 30, 2, 60};
    cr_assert(talkers);
    rig_open(&rig, 4);
    for (int i = 0; i < SERVERS; ++i) {
        servers[i] = (test_peer){.does = {.message = peer_echo}};
        rig_name(names[i]);
        peer_serve(&servers[i], &rig, names[i], NULL);
        talker_start(talkers + i * TALKERS, TALKERS, &rig, names[i], &plan);
    }
    talker_await(talkers, SERVERS * TALKERS);
    talker_stop(talkers, SERVERS * TALKERS);
    for (int i = 0; i < SERVERS; ++i) {
        AWAIT(servers[i].closed == TALKERS);
        EXPECT(servers[i].messages == TALKERS * plan.messages);
        peer_stop(&servers[i], 0);
    }
    rig_close(&rig);
    free(talkers);
}

Test(echo, two_engines_in_one_process_know_nothing_of_each_other)
{
    test_rig here, there;
    test_peer servers[2] = {{.does = {.message = peer_echo}}, {.does = {.message = peer_echo}}};
    char names[2][RIG_NAME_BYTES];
    test_talker *talkers = calloc(10, sizeof *talkers);
    talker_plan plan = {echo_sizes, 28, 2, 100};
    cr_assert(talkers);
    rig_name(names[0]);
    rig_name(names[1]);
    rig_open(&here, 2);
    rig_open(&there, 3);
    peer_serve(&servers[0], &here, names[0], NULL);
    peer_serve(&servers[1], &there, names[1], NULL);
    talker_start(talkers, 5, &there, names[0], &plan);
    talker_start(talkers + 5, 5, &here, names[1], &plan);
    talker_await(talkers, 10);
    talker_stop(talkers, 10);
    peer_stop(&servers[0], 0);
    peer_stop(&servers[1], 0);
    EXPECT(servers[0].messages == 500 && servers[1].messages == 500);
    rig_close(&here);
    rig_close(&there);
    free(talkers);
}

/* ---- Started inside events ---------------------------------------------------------------------------------- */

static test_peer echo_inner_server, echo_inner_client;

static void echo_inner_opened(test_peer *peer, pipeport_conn conn)
{
    EXPECT(pipeport_send(peer->rig->engine, conn, "inner", 5) == PIPEPORT_OK);
}

/* The message is a name: serves it, and connects to it, here in the event. */
static void echo_start_inside(test_peer *peer, pipeport_conn conn, const void *data, size_t length)
{
    (void) length;
    echo_inner_server.does.message = peer_echo;
    echo_inner_client.does.opened = echo_inner_opened;
    EXPECT(peer_try_serve(&echo_inner_server, peer->rig, data, NULL) == PIPEPORT_OK);
    EXPECT(peer_try_dial(&echo_inner_client, peer->rig, data, NULL) == PIPEPORT_OK);
    EXPECT(pipeport_send(peer->rig->engine, conn, "done", 4) == PIPEPORT_OK);
}

Test(echo, servers_and_clients_can_be_started_inside_an_event_of_the_only_worker)
{
    test_rig rig;
    test_peer server = {.does = {.message = echo_start_inside}}, client = {0};
    char outer[RIG_NAME_BYTES], inner[RIG_NAME_BYTES] = {0}; /* All of it is sent. */
    rig_name(outer);
    rig_name(inner);
    rig_open(&rig, 1);
    peer_serve(&server, &rig, outer, NULL);
    peer_dial(&client, &rig, outer, NULL);
    AWAIT(client.opened == 1);
    EXPECT(peer_send(&client, inner, sizeof inner) == PIPEPORT_OK);
    AWAIT(client.messages == 1 && echo_inner_client.messages == 1);
    peer_stop(&echo_inner_client, 0);
    peer_stop(&echo_inner_server, 0);
    peer_stop(&client, 0);
    peer_stop(&server, 0);
    rig_close(&rig);
}
