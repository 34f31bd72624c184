/* SPDX-License-Identifier: MIT */
/*
 * test_names.c - names: whose they are, when they are free again, which are none, and what a client finds behind them.
 */
#include "tests/support/expect.h"
#include "tests/support/system.h"
#include "tests/support/talker.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(names, .timeout = 100);

static test_rig rig; /* Each test is a process of its own. */

static pipeport_status names_serve(test_rig *where, pipeport_server **server, const char *name)
{
    pipeport_events events = {.size = sizeof events};
    return pipeport_server_start(server, where->engine, name, NULL, &events);
}

static pipeport_status names_dial(pipeport_client **client, const char *name)
{
    pipeport_events events = {.size = sizeof events};
    return pipeport_client_start(client, rig.engine, name, NULL, &events);
}

/* ---- Whose they are ---- */

Test(names, a_name_already_served_is_taken_on_any_engine_and_free_again_after_the_stop)
{
    test_rig other;
    pipeport_server *first = NULL, *second = NULL;
    char name[RIG_NAME_BYTES];
    rig_name(name);
    rig_open(&rig, 2);
    rig_open(&other, 2);
    EXPECT(names_serve(&rig, &first, name) == PIPEPORT_OK);
    for (int i = 0; i < 20; ++i) {
        EXPECT(names_serve(i % 2 ? &rig : &other, &second, name) == PIPEPORT_NAME_TAKEN);
        EXPECT(second == NULL);
    }
    pipeport_server_stop(first, 0);
    EXPECT(names_serve(&other, &second, name) == PIPEPORT_OK);
    EXPECT(names_serve(&rig, &first, name) == PIPEPORT_NAME_TAKEN);
    pipeport_server_stop(second, 0);
    rig_close(&other);
    rig_close(&rig);
}

Test(names, a_name_taken_by_all_its_connections_is_still_taken)
{
    pipeport_options options = {.size = sizeof options, .connections_max = 1};
    test_peer server = {0}, client = {0};
    pipeport_server *second = NULL;
    char name[RIG_NAME_BYTES];
    rig_name(name);
    rig_open(&rig, 2);
    peer_serve(&server, &rig, name, &options);
    peer_dial(&client, &rig, name, NULL);
    AWAIT(server.opened == 1);
    EXPECT(names_serve(&rig, &second, name) == PIPEPORT_NAME_TAKEN);
    peer_stop(&client, 0);
    peer_stop(&server, 0);
    rig_close(&rig);
}

Test(names, a_name_served_by_another_process_is_taken_and_free_once_that_is_killed)
{
    system_child child;
    pipeport_server *server = NULL;
    test_peer client = {0};
    char name[RIG_NAME_BYTES];
    rig_name(name);
    rig_open(&rig, 2);
    cr_assert(system_spawn_victim(&child, "serve", name));
    AWAIT(peer_try_dial(&client, &rig, name, NULL) == PIPEPORT_OK);
    AWAIT(client.opened == 1);
    EXPECT(names_serve(&rig, &server, name) == PIPEPORT_NAME_TAKEN);
    system_kill(&child);
    AWAIT(client.closed == 1);
    EXPECT(client.end.why == PIPEPORT_GONE);
    peer_stop(&client, 0);
    AWAIT(names_serve(&rig, &server, name) == PIPEPORT_OK);
    pipeport_server_stop(server, 0);
    rig_close(&rig);
}

Test(names, listening_and_stopping_a_thousand_times_on_one_name_always_works)
{
    char name[RIG_NAME_BYTES];
    rig_name(name);
    rig_open(&rig, 2);
    for (int i = 0; i < 1000; ++i) {
        pipeport_server *server = NULL;
        cr_assert_eq(names_serve(&rig, &server, name), PIPEPORT_OK, "time %d", i);
        pipeport_server_stop(server, i % 2 ? 1000 : 0);
    }
    rig_close(&rig);
}

static void names_answer(test_peer *peer, pipeport_conn conn, const void *data, size_t length)
{
    pipeport_status status = pipeport_send(peer->rig->engine, conn, data, length);
    EXPECT(status == PIPEPORT_OK || status == PIPEPORT_GONE); /* The stop may come first. */
}

Test(names, listening_and_stopping_with_a_client_works_two_hundred_times_on_one_name)
{
    char name[RIG_NAME_BYTES];
    rig_name(name);
    rig_open(&rig, 2);
    for (int i = 0; i < 200; ++i) {
        test_peer server = {.does = {.message = names_answer}}, client = {0};
        peer_serve(&server, &rig, name, NULL);
        peer_dial(&client, &rig, name, NULL);
        if (i % 3 == 0) {
            AWAIT(client.opened == 1);
            EXPECT(peer_send(&client, "hello", 5) == PIPEPORT_OK);
        }
        peer_stop(i % 2 ? &server : &client, 0);
        peer_stop(i % 2 ? &client : &server, 0);
        EXPECT(server.opened == server.closed && client.opened == client.closed);
    }
    rig_close(&rig);
}

/* ---- What is no name ---- */

Test(names, a_malformed_name_is_invalid)
{
    static const char *const names[] = {
        "",     "a\\b",     "a/b",      "\\\\.\\pipe\\", "a\001b",       "line\n", "tab\there",
        "\x7f", "\xff\xfe", "cut \xc3", "long \xc0\xaf", "\xed\xa0\x80", "a\\",    "x/"};
    char long_name[202];
    pipeport_server *server = NULL;
    pipeport_client *client = NULL;
    rig_open(&rig, 1);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; ++i) {
        cr_expect_eq(names_serve(&rig, &server, names[i]), PIPEPORT_INVALID, "server, name %zu", i);
        cr_expect_eq(names_dial(&client, names[i]), PIPEPORT_INVALID, "client, name %zu", i);
    }
    memset(long_name, 'n', 201);
    long_name[201] = '\0';
    EXPECT(names_serve(&rig, &server, long_name) == PIPEPORT_INVALID);
    EXPECT(names_dial(&client, long_name) == PIPEPORT_INVALID);
    EXPECT(server == NULL && client == NULL);
    rig_close(&rig);
}

Test(names, names_of_one_byte_of_many_languages_and_with_blanks_inside_work)
{
    static const char *const tails[] = {
        "",    " with a blank",        "-\xc3\xbc\xc3\x9f", "-\xe6\x97\xa5\xe6\x9c\xac", "-\xf0\x9f\x90\xa7",
        ".v2", "-$%&()[]{}=,;'`~!@^+#"};
    rig_open(&rig, 2);
    for (size_t i = 0; i < sizeof tails / sizeof tails[0]; ++i) {
        test_peer server = {.does = {.message = peer_echo}}, client = {0};
        char name[RIG_NAME_BYTES + 32];
        rig_name(name);
        strcat(name, tails[i]);
        peer_serve(&server, &rig, name, NULL);
        EXPECT(strstr(pipeport_server_address(server.server), tails[i]) != NULL);
        peer_dial(&client, &rig, name, NULL);
        AWAIT(client.opened == 1);
        EXPECT(peer_send(&client, "hello", 5) == PIPEPORT_OK);
        AWAIT(client.messages == 1);
        peer_stop(&client, 0);
        peer_stop(&server, 0);
    }
    rig_close(&rig);
}

/* ---- What a client finds ---- */

Test(names, a_client_of_a_name_nobody_serves_hears_no_server)
{
    pipeport_client *client = NULL;
    pipeport_server *server = NULL;
    char name[RIG_NAME_BYTES];
    rig_name(name);
    rig_open(&rig, 2);
    EXPECT(names_dial(&client, name) == PIPEPORT_NO_SERVER);
    EXPECT(names_serve(&rig, &server, name) == PIPEPORT_OK);
    pipeport_server_stop(server, 0);
    EXPECT(names_dial(&client, name) == PIPEPORT_NO_SERVER);
    EXPECT(client == NULL);
    rig_close(&rig);
}

static void names_ask(test_peer *peer, pipeport_conn conn)
{
    EXPECT(pipeport_send(peer->rig->engine, conn, "let me in", 9) == PIPEPORT_OK);
}

Test(names, at_connections_max_the_next_client_waits_and_gets_in_when_one_leaves)
{
    enum { MAX = 3, CLIENTS = 9 };
    pipeport_options options = {.size = sizeof options, .connections_max = MAX, .connect_ms = 30000};
    test_peer server = {.does = {.message = peer_echo}};
    test_peer clients[CLIENTS];
    char name[RIG_NAME_BYTES];
    rig_name(name);
    rig_open(&rig, 4);
    peer_serve(&server, &rig, name, &options);
    for (int i = 0; i < CLIENTS; ++i) {
        clients[i] = (test_peer){.does = {.opened = names_ask}};
        peer_dial(&clients[i], &rig, name, &options);
    }
    for (int i = 0; i < CLIENTS;) { /* Whoever is in, in whatever order, leaves as soon as it is answered. */
        AWAIT(server.opened - server.closed <= MAX && peer_stats(&server).connections_open <= MAX);
        for (int j = 0; j < CLIENTS; ++j) {
            if (clients[j].client && clients[j].messages == 1) {
                EXPECT(server.opened >= (uint64_t) i + 1 && server.opened <= (uint64_t) i + MAX);
                peer_stop(&clients[j], 0);
                clients[j].client = NULL;
                ++i;
            }
        }
    }
    AWAIT(server.closed == CLIENTS);
    peer_stop(&server, 0);
    rig_close(&rig);
}

Test(names, at_connections_max_a_client_fails_with_busy_after_connect_ms)
{
    pipeport_options options = {.size = sizeof options, .connections_max = 1, .connect_ms = 200};
    test_peer server = {0}, in = {0}, out = {0};
    char name[RIG_NAME_BYTES];
    rig_name(name);
    rig_open(&rig, 2);
    peer_serve(&server, &rig, name, &options);
    peer_dial(&in, &rig, name, &options);
    AWAIT(in.opened == 1 && server.opened == 1);
    peer_dial(&out, &rig, name, &options);
    AWAIT(out.failed == 1);
    EXPECT(out.failed_why == PIPEPORT_BUSY);
    EXPECT(out.opened == 0 && out.closed == 0 && server.opened == 1);
    peer_stop(&out, 0);
    peer_stop(&in, 0);
    peer_stop(&server, 0);
    EXPECT(out.failed == 1);
    rig_close(&rig);
}
