/* SPDX-License-Identifier: MIT */
/*
 * test_accept.c - who may stay: the accept event, and the bounds on connections of one process and of one user.
 */
#include "engine/api/engine.h"
#include "engine/api/server.h"
#include "tests/support/life.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

TestSuite(accept, .timeout = 100);

static pipeport_stats accept_stats(void)
{
    pipeport_stats stats = {.size = sizeof stats};
    cr_assert_eq(pipeport_server_stats(life.server, &stats), PIPEPORT_OK);
    return stats;
}

static fake_pipe *accept_client_of(uint32_t process_id, const char *user)
{
    fake.peer = (pipeport_peer){.process_id = process_id, .session_id = 1};
    (void) snprintf(fake.peer.user, sizeof fake.peer.user, "%s", user);
    return life_client();
}

static bool accept_even(const pipeport_peer *peer)
{
    cr_assert_eq(fake.accepts_armed, 8, "the window was filled before");
    cr_assert_eq(fake_newest()->reads + fake_newest()->awaits, 0, "nothing was read before");
    cr_assert_eq(life.count + accept_stats().accepts_refused + 1, life.accepts, "before `opened`");
    cr_assert_str_eq(peer->user, "S-1");
    return peer->process_id % 2 == 0;
}

LIFE_TEST(accept, lets_stay_whom_the_event_lets_stay)
{
    life.on_accept = accept_even;
    life_serve();
    for (uint32_t i = 0; i < 10; ++i) {
        fake_pipe *pipe = accept_client_of(100 + i, "S-1");
        cr_assert_eq(pipe->is_open, i % 2 == 0);
        cr_assert_eq(pipe->is_aborted, i % 2 == 1, "who is turned away may not keep an instance");
        cr_assert(i % 2 == 0 || pipe->reads + pipe->awaits == 0);
        cr_assert_eq(fake.accepts_armed, 8);
    }
    cr_assert_eq(life.accepts, 10);
    cr_assert_eq(fake.peers_asked, 10);
    cr_assert_eq(life.count, 5);
    cr_assert_eq(accept_stats().accepts_refused, 5);
    cr_assert_eq(accept_stats().accepts_failed, 0);
    cr_assert_eq(accept_stats().connections_opened, 5);
    cr_assert_eq(accept_stats().connections_closed, 0);
}

LIFE_TEST(accept, asks_the_system_nothing_where_nobody_wants_to_know)
{
    life_serve();
    life_client();
    cr_assert_eq(fake.peers_asked, 0);
}

static bool accept_nobody(const pipeport_peer *peer)
{
    (void) peer;
    return false;
}

LIFE_TEST(accept, gives_back_the_place_of_whom_it_turns_away)
{
    life.on_accept = accept_nobody;
    life_options.connections_max = 1;
    life_serve();
    for (int i = 0; i < 5; ++i) {
        cr_assert_not_null(life_client());
    }
    cr_assert_eq(fake_pipes_open(), 0);
    cr_assert_eq(accept_stats().accepts_refused, 5);
}

static bool accept_anybody(const pipeport_peer *peer)
{
    (void) peer;
    return true;
}

LIFE_TEST(accept, counts_as_failed_whose_peer_cannot_be_told)
{
    life.on_accept = accept_anybody;
    life_serve();
    fake.peer_fault = (pp_fault){PIPEPORT_GONE, 5};
    cr_assert_not_null(life_client());
    cr_assert_eq(life.accepts, 0);
    cr_assert_eq(life.count, 0);
    cr_assert_eq(accept_stats().accepts_failed, 1);
    cr_assert_eq(fake_pipes_open(), 0);
    fake.peer_fault = (pp_fault){PIPEPORT_OK, 0};
    life_client();
    cr_assert_eq(life.count, 1);
}

static bool accept_stop(const pipeport_peer *peer)
{
    (void) peer;
    pipeport_server_stop(life.server, 1000);
    life.server = NULL;
    return true;
}

LIFE_TEST(accept, may_stop_the_server)
{
    life.on_accept = accept_stop;
    life_serve();
    life_client();
    cr_assert_eq(life.count, 0, "it is stopped before it was opened");
    cr_assert_eq(fake.ears_open, 0);
}

LIFE_TEST(accept, is_no_event_of_a_client)
{
    life.on_accept = accept_nobody;
    cr_assert_eq(life_dial(), PIPEPORT_OK);
    life_settle();
    cr_assert_eq(life.count, 1);
    cr_assert_eq(life.accepts, 0);
}

LIFE_TEST(accept, holds_a_process_to_its_bound_and_forgets_who_leaves)
{
    life_options.connections_per_process_max = 2;
    life_serve();
    fake_pipe *first = accept_client_of(7, "a");
    cr_assert(accept_client_of(7, "b")->is_open);
    cr_assert_not(accept_client_of(7, "c")->is_open);
    cr_assert(accept_client_of(8, "a")->is_open);
    cr_assert(accept_client_of(0, "a")->is_open);
    cr_assert(accept_client_of(0, "a")->is_open);
    cr_assert_not(accept_client_of(0, "a")->is_open, "those of whom nothing is known are as one");
    cr_assert_eq(accept_stats().accepts_refused, 2);
    fake_peer_goes(first);
    life_settle();
    cr_assert(accept_client_of(7, "d")->is_open);
    cr_assert_not(accept_client_of(7, "d")->is_open);
    cr_assert_eq(pipeport_close(life.engine, life_newest()->name, PIPEPORT_ABORT), PIPEPORT_OK);
    life_settle();
    cr_assert(accept_client_of(7, "d")->is_open);
    cr_assert_eq(pp_peers_check(life.server->party.peers), 5);
}

LIFE_TEST(accept, holds_a_user_to_his_bound_whatever_his_processes)
{
    life_options.connections_per_user_max = 1;
    life_options.connections_per_process_max = 2;
    life_serve();
    fake_pipe *first = accept_client_of(1, "a");
    cr_assert_not(accept_client_of(2, "a")->is_open);
    cr_assert(accept_client_of(2, "b")->is_open);
    cr_assert(accept_client_of(2, "c")->is_open, "who was turned away is not counted as of the process");
    cr_assert_not(accept_client_of(2, "d")->is_open);
    fake_peer_goes(first);
    life_settle();
    cr_assert(accept_client_of(1, "a")->is_open);
    cr_assert_eq(pp_peers_check(life.server->party.peers), 3);
}

LIFE_TEST(accept, counts_nobody_whom_the_event_turned_away)
{
    life.on_accept = accept_nobody;
    life_options.connections_per_process_max = 1;
    life_serve();
    for (unsigned i = 0; i < 3; ++i) {
        cr_assert_not_null(accept_client_of(7, "a"));
        cr_assert_eq(life.accepts, i + 1, "a bound that nobody has reached");
        cr_assert_eq(pp_peers_check(life.server->party.peers), 0);
    }
}

LIFE_TEST(accept, forgets_whom_there_was_no_memory_for)
{
    life_options.connections_per_process_max = 1;
    life_serve();
    unsigned failed = 0;
    for (uint64_t fail = 0; life.count == 0; ++fail) {
        life.engine->hub.memory.fail_after = fail;
        cr_assert_not_null(accept_client_of(7, "a"));
        life.engine->hub.memory.fail_after = UINT64_MAX;
        failed += life.count == 0;
        cr_assert_eq(accept_stats().accepts_failed, failed);
        cr_assert_eq(accept_stats().accepts_refused, 0);
        cr_assert_eq(pp_peers_check(life.server->party.peers), life.count);
        life_pass(1000);
    }
    cr_assert_geq(failed, 3);
}
