/* SPDX-License-Identifier: MIT */
/*
 * test_engine.c - what lives on an engine when it goes, and who stops it meanwhile.
 */
#include "engine/api/engine.h"
#include "tests/support/life.h"

#include <criterion/criterion.h>

TestSuite(engine, .timeout = 100);

/* life_end destroys the engine; these leave everything on it. */

LIFE_TEST(engine, stops_what_still_lives_when_it_goes)
{
    life_serve();
    life_client();
    cr_assert_eq(life_dial(), PIPEPORT_OK);
    life_settle();
    cr_assert_eq(life.count, 2);
    life.server = NULL;
    life.client = NULL;
}

static void engine_stop_all(life_conn *conn)
{
    (void) conn;
    pipeport_server *server = life.server;
    pipeport_client *client = life.client;
    life.server = NULL;
    life.client = NULL;
    pipeport_server_stop(server, 1000);
    pipeport_client_stop(client, 1000);
}

LIFE_TEST(engine, bears_an_event_that_stops_its_client_while_it_goes)
{
    cr_assert_eq(life_dial(), PIPEPORT_OK);
    life_settle();
    life.on_closed = engine_stop_all;
    cr_assert_eq(pipeport_engine_destroy(life.engine), PIPEPORT_OK);
    cr_assert_null(life.client);
    life_expect_end(life_newest(), PIPEPORT_STOPPED);
    life_begin();
}

LIFE_TEST(engine, bears_an_event_that_stops_its_server_while_it_goes)
{
    life_serve();
    life_client();
    life_client();
    life.on_closed = engine_stop_all;
    cr_assert_eq(pipeport_engine_destroy(life.engine), PIPEPORT_OK);
    cr_assert_eq(life.conns[0].closed + life.conns[1].closed, 2);
    life_begin();
}

static void engine_stop_patiently(void)
{
    pipeport_server_stop(life.server, UINT32_MAX);
    life.server = NULL;
}

LIFE_TEST(engine, does_not_wait_for_a_drain_that_an_event_began)
{
    life_options.write_stall_ms = UINT32_MAX;
    life_serve();
    fake_pipe *pipe = life_client();
    pipe->write_room = 0;
    cr_assert_eq(life_send(life_newest(), "unread", 6), PIPEPORT_OK);
    life_on_worker(engine_stop_patiently);
    life_pass(1000);
    cr_assert_eq(life_newest()->closed, 0);
    uint64_t begin_ms = fake_os_ms;
    cr_assert_eq(pipeport_engine_destroy(life.engine), PIPEPORT_OK);
    cr_assert_lt(fake_os_ms - begin_ms, 100);
    life_expect_end(life_newest(), PIPEPORT_STOPPED);
    life_begin();
}

static void engine_destroy_inside(void)
{
    cr_assert_eq(pipeport_engine_destroy(life.engine), PIPEPORT_INVALID);
    cr_assert_eq(pipeport_engine_run(life.engine, 0), PIPEPORT_INVALID);
}

LIFE_TEST(engine, cannot_be_destroyed_or_run_inside_an_event)
{
    life_on_worker(engine_destroy_inside);
    life_serve();
    cr_assert_not_null(life_client());
}

static pipeport_status engine_late_start;

static void engine_start_late(life_conn *conn)
{
    (void) conn;
    pipeport_events events = {.size = sizeof events};
    pipeport_client *client = NULL;
    engine_late_start = pipeport_client_start(&client, life.engine, "late", NULL, &events);
    if (engine_late_start == PIPEPORT_STOPPED) {
        pipeport_server *server = NULL;
        engine_late_start = pipeport_server_start(&server, life.engine, "late", NULL, &events);
        cr_assert_null(server);
        cr_assert_eq(fake.ears_open, 1, "of the one that goes");
    }
}

LIFE_TEST(engine, takes_nobody_in_while_it_goes)
{
    life_serve();
    life_client();
    life.on_closed = engine_start_late;
    life.server = NULL;
    cr_assert_eq(pipeport_engine_destroy(life.engine), PIPEPORT_OK);
    cr_assert_eq(engine_late_start, PIPEPORT_STOPPED);
    life_begin();
}

Test(engine, is_not_made_when_the_system_says_no)
{
    pipeport_engine *engine = NULL;
    pipeport_engine_options options = {.size = sizeof options, .workers = PIPEPORT_HOST_THREADS};
    fake_reset();
    fake.port_fault = (pp_fault){PIPEPORT_SYSTEM, 24};
    cr_assert_eq(pipeport_engine_create(&engine, &options), PIPEPORT_SYSTEM);
    fake.port_fault.status = PIPEPORT_OK;
    options.workers = 4;
    fake_os_threads_max = 2;
    cr_assert_eq(pipeport_engine_create(&engine, &options), PIPEPORT_SYSTEM);
    cr_assert_eq(fake_os_threads, 0);
    cr_assert_null(engine);
    cr_assert_eq(fake.ports_open, 0);
}

Test(engine, is_not_made_in_less_memory_than_it_needs)
{
    cr_assert_not(life_try_begin(100));
    cr_assert_eq(fake.ports_open, 0);
    cr_assert(life_try_begin(1 << 20));
    life_end();
}

LIFE_TEST(engine, names_what_drains_it)
{
    cr_assert_str_eq(pipeport_engine_driver(life.engine), "fake");
    cr_assert_str_eq(pipeport_engine_driver(NULL), "");
}

LIFE_TEST(engine, refuses_what_makes_no_sense)
{
    pipeport_events events = {.size = sizeof events};
    pipeport_events small = {.size = sizeof events - 1};
    pipeport_server *server;
    pipeport_client *client;
    cr_assert_eq(pipeport_engine_create(NULL, NULL), PIPEPORT_INVALID);
    cr_assert_eq(pipeport_server_start(NULL, life.engine, "x", NULL, &events), PIPEPORT_INVALID);
    cr_assert_eq(pipeport_server_start(&server, NULL, "x", NULL, &events), PIPEPORT_INVALID);
    cr_assert_eq(pipeport_server_start(&server, life.engine, NULL, NULL, &events), PIPEPORT_INVALID);
    cr_assert_eq(pipeport_server_start(&server, life.engine, "", NULL, &events), PIPEPORT_INVALID);
    cr_assert_eq(pipeport_server_start(&server, life.engine, "x", NULL, NULL), PIPEPORT_INVALID);
    cr_assert_eq(pipeport_client_start(&client, life.engine, "x", NULL, &small), PIPEPORT_INVALID);
    cr_assert_eq(pipeport_send(NULL, (pipeport_conn){1}, "", 0), PIPEPORT_INVALID);
    cr_assert_eq(pipeport_send(life.engine, (pipeport_conn){1}, NULL, 1), PIPEPORT_INVALID);
    cr_assert_eq(pipeport_send(life.engine, (pipeport_conn){0}, NULL, 0), PIPEPORT_GONE);
    cr_assert_eq(pipeport_close(life.engine, (pipeport_conn){1}, (pipeport_closing) 2), PIPEPORT_INVALID);
    cr_assert_eq(pipeport_broadcast(NULL, "", 0, NULL), PIPEPORT_INVALID);
    cr_assert_eq(pipeport_engine_run(NULL, 0), PIPEPORT_INVALID);
    cr_assert_eq(pipeport_engine_destroy(NULL), PIPEPORT_OK);
    pipeport_server_stop(NULL, 0);
    pipeport_client_stop(NULL, 0);
    pipeport_message_release(NULL);
}
