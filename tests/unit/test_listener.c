/* SPDX-License-Identifier: MIT */
/*
 * test_listener.c - the window of accepts: how many are armed, at the limit too, and what each failure does to it.
 */
#include "engine/api/engine.h"
#include "tests/support/life.h"

#include <criterion/criterion.h>

TestSuite(listener, .timeout = 100);

static uint64_t listener_accepts_failed(void)
{
    pipeport_stats stats = {.size = sizeof stats};
    cr_assert_eq(pipeport_server_stats(life.server, &stats), PIPEPORT_OK);
    return stats.accepts_failed;
}

LIFE_TEST(listener, keeps_its_window_of_accepts_armed)
{
    life_options.accepts_pending = 5;
    life_serve();
    cr_assert_eq(fake.accepts_armed, 5);
    for (int i = 0; i < 20; ++i) {
        cr_assert_not_null(life_client());
        cr_assert_eq(fake.accepts_armed, 5);
    }
    cr_assert_eq(life.count, 20);
    cr_assert_eq(fake.accepts_armed_peak, 5);
}

static unsigned listener_armed_in_opened;

static void listener_look(life_conn *conn)
{
    (void) conn;
    listener_armed_in_opened = fake.accepts_armed;
}

LIFE_TEST(listener, arms_the_next_before_user_code_hears)
{
    life_options.accepts_pending = 3;
    life.on_opened = listener_look;
    life_serve();
    life_client();
    cr_assert_eq(listener_armed_in_opened, 3);
}

LIFE_TEST(listener, never_passes_its_limit_of_connections)
{
    life_options.accepts_pending = 4;
    life_options.connections_max = 10;
    life_serve();
    for (unsigned i = 0; i < 10; ++i) {
        cr_assert_not_null(life_client());
        unsigned left = 10 - life.count;
        cr_assert_eq(fake.accepts_armed, left < 4 ? left : 4);
    }
    cr_assert_null(life_client());
    fake_peer_goes(&fake.pipes[3]);
    life_settle();
    cr_assert_eq(fake.accepts_armed, 1, "the place that was left is offered");
    cr_assert_not_null(life_client());
    cr_assert_null(life_client());
}

LIFE_TEST(listener, offers_the_instance_that_was_left_where_the_system_has_no_more)
{
    life_options.instances_max = 3;
    life_serve();
    for (unsigned i = 0; i < 20; ++i) {
        while (life_client()) {
        }
        cr_assert_eq(fake_pipes_open(), 3);
        fake_peer_goes(&fake.pipes[i]);
        life_settle();
        cr_assert_eq(fake.accepts_armed, 1, "it is there at once");
    }
    cr_assert_eq(listener_accepts_failed(), 0);
    cr_assert_eq(life.lines, 0);
}

LIFE_TEST(listener, arms_a_window_wider_than_its_budget_at_once)
{
    life_options.accepts_pending = 255;
    life_options.connections_max = 1000;
    life_serve();
    cr_assert_eq(fake.accepts_armed, 255);
}

LIFE_TEST(listener, goes_on_at_once_when_a_client_came_and_went)
{
    life_serve();
    for (int i = 0; i < 100; ++i) {
        fake_accept_ends(PIPEPORT_GONE);
        life_settle();
        cr_assert_eq(fake.accepts_armed, 8);
    }
    cr_assert_eq(listener_accepts_failed(), 100);
    cr_assert_eq(life.lines, 0, "a client's doing is not worth a line");
}

LIFE_TEST(listener, gives_others_a_turn_in_a_storm_of_clients)
{
    fake_say(&fake.accepts, PIPEPORT_GONE, FAKE_SCRIPT_MAX);
    life_options.accepts_pending = 200;
    life_options.connections_max = 1000;
    life_serve();
    cr_assert_eq(fake.accepts_armed, 0);
    life_pass(1);
    cr_assert_eq(fake.accepts_armed, 200);
}

LIFE_TEST(listener, seats_clients_that_are_there_at_once)
{
    fake_say(&fake.accepts, PIPEPORT_OK, 30);
    life_serve();
    life_settle();
    cr_assert_eq(life.count, 30);
    cr_assert_eq(fake.accepts_armed, 8);
}

LIFE_TEST(listener, rests_and_wakes_when_an_instance_cannot_be_made)
{
    static const pipeport_status faults[] = {PIPEPORT_SYSTEM, PIPEPORT_NO_MEMORY, PIPEPORT_DENIED, PIPEPORT_BUSY};
    life_serve();
    for (unsigned i = 0; i < sizeof faults / sizeof faults[0]; ++i) {
        fake_accept_ends(faults[i]);
        life_settle();
        cr_assert_eq(fake.accepts_armed, 7, "it rests");
        life_pass(9);
        cr_assert_eq(fake.accepts_armed, 7);
        life_pass(1);
        cr_assert_eq(fake.accepts_armed, 8, "it woke");
        cr_assert_not_null(life_client()); /* Which ends the row of failures. */
    }
    cr_assert_eq(listener_accepts_failed(), 4);
    cr_assert_eq(life.lines, 4);
}

LIFE_TEST(listener, doubles_its_rest_up_to_a_second)
{
    life_options.accepts_pending = 1;
    fake_say(&fake.accepts, PIPEPORT_SYSTEM, 10);
    uint64_t begin_ms = fake_os_ms;
    life_serve();
    cr_assert_eq(fake.accepts_called, 1);
    while (fake.accepts_armed == 0) {
        life_pass(1);
    }
    cr_assert_eq(fake.accepts_called, 11);
    cr_assert_eq(fake_os_ms - begin_ms, 10 + 20 + 40 + 80 + 160 + 320 + 640 + 1000 + 1000 + 1000);
}

LIFE_TEST(listener, counts_failures_that_come_together_as_one_reason_to_rest)
{
    life_serve();
    for (int i = 0; i < 8; ++i) {
        fake_accept_ends(PIPEPORT_SYSTEM);
    }
    life_settle();
    cr_assert_eq(listener_accepts_failed(), 8);
    life_pass(10);
    cr_assert_eq(fake.accepts_armed, 8);
    fake_accept_ends(PIPEPORT_SYSTEM);
    life_settle();
    life_pass(20);
    cr_assert_eq(fake.accepts_armed, 8, "the second rest is twice the first, not more");
}

LIFE_TEST(listener, can_be_stopped_while_it_rests)
{
    life_serve();
    fake_accept_ends(PIPEPORT_SYSTEM);
    life_settle();
    pipeport_server_stop(life.server, 0);
    life.server = NULL;
    cr_assert_eq(fake.accepts_armed, 0);
}

LIFE_TEST(listener, ends_a_client_that_came_while_it_was_stopped)
{
    life_serve();
    cr_assert_not_null(fake_client_comes()); /* Its accept is done, but nobody has taken it yet. */
    pipeport_server_stop(life.server, 1000);
    life.server = NULL;
    cr_assert_eq(life.count, 0, "nobody was told of it");
    cr_assert_eq(fake_pipes_open(), 0);
}

static void listener_stop(life_conn *conn)
{
    (void) conn;
    pipeport_server_stop(life.server, 0);
    life.server = NULL;
}

LIFE_TEST(listener, can_be_stopped_inside_opened)
{
    life.on_opened = listener_stop;
    life_serve();
    life_client();
    cr_assert_eq(life.count, 1);
    life_expect_end(life_newest(), PIPEPORT_STOPPED);
    cr_assert_eq(fake.ears_open, 0);
}

static void listener_run_elsewhere(void)
{
    life.on_line = NULL;
    life_settle();
}

static void listener_line(void)
{
    life_as_thread(2, listener_run_elsewhere);
}

/* A worker opens the first client, whose event stops the server, while its start is still filling the window. */
LIFE_TEST(listener, outlives_its_start_when_it_is_stopped_meanwhile)
{
    fake_say(&fake.accepts, PIPEPORT_OK, 1);
    fake_say(&fake.accepts, PIPEPORT_SYSTEM, 1);
    life.on_opened = listener_stop;
    life.on_line = listener_line;
    cr_assert_eq(life_try_serve(), PIPEPORT_OK);
    cr_assert_eq(life.count, 1);
    life_settle();
    cr_assert_eq(fake.ears_open, 0);
    life.server = NULL;
}

LIFE_TEST(listener, counts_a_client_for_whom_there_is_no_memory)
{
    life_serve();
    unsigned counted = 0;
    for (uint64_t fail = 0; life.count == 0; ++fail) {
        life.engine->hub.memory.fail_after = fail;
        cr_assert_not_null(life_client());
        life.engine->hub.memory.fail_after = UINT64_MAX;
        counted += life.count == 0;
        cr_assert_eq(listener_accepts_failed(), counted);
        life_pass(1000);
    }
    cr_assert_eq(counted, 3, "the first seat takes two blocks, and the first member two");
}

LIFE_TEST(listener, offers_the_place_of_a_client_for_whom_there_is_no_memory)
{
    life_options.accepts_pending = 1;
    life_options.connections_max = 1;
    life_serve();
    unsigned before = fake.room_made;
    life.engine->hub.memory.fail_after = 0;
    const fake_pipe *pipe = life_client();
    life.engine->hub.memory.fail_after = UINT64_MAX;
    cr_assert_eq(life.count, 0);
    cr_assert(pipe && pipe->is_aborted);
    cr_assert_eq(fake.room_made, before + 1);
    life_pass(1000);
    cr_assert_not_null(life_client());
    cr_assert_eq(life.count, 1);
}

LIFE_TEST(listener, makes_room_for_as_many_as_it_may_have_and_for_nobody_when_it_stops)
{
    life_options.connections_max = 2;
    life_serve();
    cr_assert_eq(fake.room_made, 2);
    cr_assert_not_null(life_client());
    cr_assert_not_null(life_client());
    fake_peer_goes(&fake.pipes[0]);
    life_settle();
    cr_assert_eq(fake.room_made, 3);
    pipeport_server_stop(life.server, 0);
    life.server = NULL;
    cr_assert_eq(fake.ears_open, 0);
    cr_assert_eq(fake.room_made, 3, "who comes while it stops is not kept waiting for its end");
}

LIFE_TEST(listener, refuses_a_name_that_is_taken)
{
    fake.ear_fault = (pp_fault){PIPEPORT_NAME_TAKEN, 231};
    cr_assert_eq(life_try_serve(), PIPEPORT_NAME_TAKEN);
    cr_assert_null(life.server);
}
