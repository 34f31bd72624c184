/* SPDX-License-Identifier: MIT */
/*
 * test_peer.c - the connections of a server told one by one, and who is at the other end of each.
 */
#include "engine/api/engine.h"
#include "tests/support/life.h"

#include <criterion/criterion.h>

TestSuite(peer, .timeout = 100);

LIFE_TEST(peer, is_told_of_an_open_connection_and_of_no_other)
{
    pipeport_peer peer = {.process_id = 7};
    life_serve();
    fake.peer.process_id = 1234;
    fake_pipe *pipe = life_client();
    pipeport_conn name = life_newest()->name;
    cr_assert_eq(pipeport_peer_of(NULL, name, &peer), PIPEPORT_INVALID);
    cr_assert_eq(pipeport_peer_of(life.engine, name, NULL), PIPEPORT_INVALID);
    cr_assert_eq(pipeport_peer_of(life.engine, (pipeport_conn){0}, &peer), PIPEPORT_GONE);
    cr_assert_eq(peer.process_id, 7, "set without success");
    cr_assert_eq(pipeport_peer_of(life.engine, name, &peer), PIPEPORT_OK);
    cr_assert_eq(peer.process_id, 1234);
    cr_assert_str_eq(peer.user, "1000");
    fake.peer_fault = (pp_fault){PIPEPORT_SYSTEM, 5};
    cr_assert_eq(pipeport_peer_of(life.engine, name, &peer), PIPEPORT_SYSTEM);
    fake.peer_fault = (pp_fault){PIPEPORT_OK, 0};
    fake_peer_goes(pipe);
    life_settle();
    cr_assert_eq(pipeport_peer_of(life.engine, name, &peer), PIPEPORT_GONE);
}

LIFE_TEST(peer, is_found_by_the_list_of_connections)
{
    pipeport_conn conns[4] = {{1}, {1}, {1}, {1}};
    size_t count = 99;
    life_serve();
    cr_assert_eq(pipeport_server_connections(NULL, conns, 4, &count), PIPEPORT_INVALID);
    cr_assert_eq(pipeport_server_connections(life.server, NULL, 4, &count), PIPEPORT_INVALID);
    cr_assert_eq(pipeport_server_connections(life.server, conns, 4, NULL), PIPEPORT_INVALID);
    cr_assert_eq(pipeport_server_connections(life.server, conns, 4, &count), PIPEPORT_OK);
    cr_assert_eq(count, 0);
    fake_pipe *first = life_client();
    for (int i = 0; i < 5; ++i) {
        life_client();
    }
    cr_assert_eq(pipeport_server_connections(life.server, NULL, 0, &count), PIPEPORT_OK);
    cr_assert_eq(count, 6);
    cr_assert_eq(pipeport_server_connections(life.server, conns, 2, &count), PIPEPORT_OK);
    cr_assert_eq(count, 6);
    cr_assert_eq(conns[0].id, life.conns[0].name.id);
    cr_assert_eq(conns[1].id, life.conns[1].name.id);
    cr_assert_eq(conns[2].id, 1, "there was no room");
    fake_peer_goes(first);
    life_settle();
    cr_assert_eq(pipeport_server_connections(life.server, conns, 1, &count), PIPEPORT_OK);
    cr_assert_eq(count, 5);
    cr_assert_eq(conns[0].id, life.conns[1].name.id);
}
