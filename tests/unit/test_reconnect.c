/* SPDX-License-Identifier: MIT */
/*
 * test_reconnect.c - a client that connects again: when, how often, what it tells of it, and that a stop ends it
 * wherever it is.
 */
#include "engine/api/client.h"
#include "tests/support/life.h"

#include <criterion/criterion.h>

TestSuite(reconnect, .timeout = 100);

static void reconnect_dial(uint32_t first_ms, uint32_t max_ms)
{
    life_options.reconnect_ms = first_ms;
    life_options.reconnect_max_ms = max_ms;
    cr_assert_eq(life_dial(), PIPEPORT_OK);
}

static uint64_t reconnect_dials(void)
{
    pipeport_stats stats = {.size = sizeof stats};
    cr_assert_eq(pipeport_client_stats(life.client, &stats), PIPEPORT_OK);
    cr_assert_eq(stats.dials, fake.dials_called);
    return stats.dials;
}

static void reconnect_cut(void)
{
    fake_peer_goes(fake_newest());
    life_settle();
}

LIFE_TEST(reconnect, has_a_new_connection_after_each_that_ended)
{
    uint64_t ids[4];
    reconnect_dial(100, 0);
    life_settle();
    for (unsigned i = 0; i < 4; ++i) {
        cr_assert_eq(life.count, i + 1);
        ids[i] = life_newest()->name.id;
        cr_assert_eq(pipeport_client_conn(life.client).id, ids[i]);
        life_pass(1000);
        reconnect_cut();
        life_expect_end(life_newest(), PIPEPORT_GONE);
        cr_assert_eq(pipeport_client_conn(life.client).id, 0);
        cr_assert_eq(pipeport_send(life.engine, (pipeport_conn){ids[i]}, "x", 1), PIPEPORT_GONE);
        for (unsigned before = 0; before < i; ++before) {
            cr_assert_neq(ids[before], ids[i]);
        }
        cr_assert_eq(life_next_try(), 100);
    }
    cr_assert_eq(life.failed, 0);
}

LIFE_TEST(reconnect, is_off_where_it_is_not_asked_for)
{
    cr_assert_eq(life_dial(), PIPEPORT_OK);
    life_settle();
    reconnect_cut();
    life_pass(100000);
    cr_assert_eq(reconnect_dials(), 1);
    cr_assert_eq(pipeport_client_conn(life.client).id, 0);
    cr_assert_eq(pipeport_client_conn(NULL).id, 0);
}

LIFE_TEST(reconnect, comes_back_whatever_ended_the_connection)
{
    reconnect_dial(10, 0);
    life_settle();
    for (int i = 0; i < 2; ++i) {
        pipeport_closing how = i ? PIPEPORT_ABORT : PIPEPORT_DRAIN;
        cr_assert_eq(pipeport_close(life.engine, life_newest()->name, how), PIPEPORT_OK);
        life_settle();
        life_expect_end(life_newest(), i ? PIPEPORT_STOPPED : PIPEPORT_OK);
        life_pass(100);
        cr_assert_eq(life.count, i + 2u);
    }
}

LIFE_TEST(reconnect, starts_where_nobody_serves_yet_and_says_so_once)
{
    fake_say(&fake.dials, PIPEPORT_NO_SERVER, 5);
    reconnect_dial(100, 400);
    cr_assert_eq(life.failed, 0, "told inside the call");
    life_settle();
    cr_assert_eq(life.failed, 1);
    cr_assert_eq(life.failed_why, PIPEPORT_NO_SERVER);
    cr_assert_eq(life.failed_code, 77);
    cr_assert_eq(life_next_try(), 100);
    cr_assert_eq(life_next_try(), 200);
    cr_assert_eq(life_next_try(), 400);
    cr_assert_eq(life_next_try(), 400);
    cr_assert_eq(life.count, 0);
    cr_assert_eq(life_next_try(), 400);
    cr_assert_eq(life.count, 1);
    cr_assert_eq(life.failed, 1);
}

LIFE_TEST(reconnect, answers_at_once_what_will_not_get_better)
{
    static const pipeport_status faults[] = {PIPEPORT_DENIED, PIPEPORT_NO_MEMORY, PIPEPORT_UNSUPPORTED,
                                             PIPEPORT_SYSTEM};
    life_options.reconnect_ms = 10;
    for (unsigned i = 0; i < sizeof faults / sizeof faults[0]; ++i) {
        fake_say(&fake.dials, faults[i], 1);
        cr_assert_eq(life_dial(), faults[i]);
        cr_assert_null(life.client);
        life_pass(1000);
    }
    cr_assert_eq(fake.dials_called, 4);
    cr_assert_eq(life.failed, 0);
}

LIFE_TEST(reconnect, tries_again_after_any_failure_of_a_later_try)
{
    static const pipeport_status faults[] = {PIPEPORT_DENIED, PIPEPORT_NO_MEMORY, PIPEPORT_SYSTEM, PIPEPORT_NO_SERVER};
    reconnect_dial(10, 10);
    life_settle();
    for (unsigned i = 0; i < 4; ++i) {
        fake_say(&fake.dials, faults[i], 1);
    }
    reconnect_cut();
    life_pass(1000);
    cr_assert_eq(life.count, 2);
    cr_assert_eq(reconnect_dials(), 6);
    cr_assert_eq(life.failed, 1, "once before each `opened`");
    cr_assert_eq(life.failed_why, PIPEPORT_DENIED);
    fake_say(&fake.dials, PIPEPORT_NO_SERVER, 2);
    reconnect_cut();
    life_pass(1000);
    cr_assert_eq(life.count, 3);
    cr_assert_eq(life.failed, 2);
}

LIFE_TEST(reconnect, tries_again_where_there_was_no_memory_for_the_connection)
{
    reconnect_dial(10, 10);
    life_settle();
    reconnect_cut();
    pp_seat *held[PP_TABLE_CHUNK + 1]; /* All seats there are, so that one more needs memory. */
    unsigned count = 0;
    atomic_store(&life.engine->hub.memory.fail_after, 0);
    while ((held[count] = pp_roster_take(&life.engine->hub.roster)) != NULL) {
        ++count;
    }
    life_pass(100);
    cr_assert_eq(life.failed, 1);
    cr_assert_eq(life.failed_why, PIPEPORT_NO_MEMORY);
    cr_assert_eq(fake_pipes_open(), 0);
    atomic_store(&life.engine->hub.memory.fail_after, UINT64_MAX);
    while (count > 0) {
        cr_assert(pp_seat_unpin(held[--count]));
        pp_roster_give(&life.engine->hub.roster, held[count]);
    }
    life_pass(100);
    cr_assert_eq(life.count, 2);
}

LIFE_TEST(reconnect, waits_connect_ms_for_a_busy_server_before_it_rests)
{
    life_options.connect_ms = 60;
    fake_say(&fake.dials, PIPEPORT_BUSY, 14); /* Twice 0, 1, 3, 7, 15, 31, 60 ms. */
    reconnect_dial(1000, 0);
    life_pass(59);
    cr_assert_eq(life.failed, 0);
    life_pass(1);
    cr_assert_eq(life.failed, 1);
    cr_assert_eq(life.failed_why, PIPEPORT_BUSY);
    cr_assert_eq(reconnect_dials(), 7);
    cr_assert_eq(life_next_try(), 1000);
    life_pass(60);
    cr_assert_eq(reconnect_dials(), 14);
    cr_assert_eq(life_next_try(), 2000);
    cr_assert_eq(life.count, 1);
    cr_assert_eq(life.failed, 1);
}

LIFE_TEST(reconnect, draws_each_rest_between_a_half_and_the_whole)
{
    fake_say(&fake.dials, PIPEPORT_NO_SERVER, 40);
    fake_os_bits = 0;
    reconnect_dial(100, 100);
    life_settle();
    for (uint64_t bits = 1; bits < 40; ++bits) {
        fake_os_bits = bits * 3;
        cr_assert_eq(life_next_try(), 100 - (bits - 1) * 3 % 51);
    }
    fake_os_bits = 0;
}

LIFE_TEST(reconnect, rests_longer_from_one_short_connection_to_the_next)
{
    static const uint32_t rests[] = {100, 200, 400, 800, 1000, 1000};
    reconnect_dial(100, 1000);
    life_settle();
    for (unsigned i = 0; i < sizeof rests / sizeof rests[0]; ++i) {
        if (i > 0) {
            life_pass(99);
        }
        reconnect_cut();
        cr_assert_eq(life_next_try(), rests[i]);
    }
    life_pass(1000); /* As long as the next rest. */
    reconnect_cut();
    cr_assert_eq(life_next_try(), 100);
}

LIFE_TEST(reconnect, does_not_come_back_from_a_stop)
{
    reconnect_dial(10, 10);
    life_settle();
    pipeport_client_stop(life.client, 1000);
    life.client = NULL;
    life_pass(1000);
    cr_assert_eq(life.count, 1);
    cr_assert_eq(fake.dials_called, 1);
}

LIFE_TEST(reconnect, is_stopped_while_it_rests_without_waiting)
{
    uint64_t held = life.engine->hub.memory.bytes;
    fake_say(&fake.dials, PIPEPORT_NO_SERVER, FAKE_SCRIPT_MAX);
    for (unsigned i = 0; i < 3; ++i) {
        reconnect_dial(10, 20);
        life_pass(i * 17);
        uint64_t begin_ms = fake_os_ms;
        life_stop_client();
        cr_assert_eq(fake_os_ms, begin_ms);
        cr_assert_eq(life.engine->hub.memory.bytes, held);
    }
    unsigned dials = fake.dials_called;
    life_pass(1000);
    cr_assert_eq(fake.dials_called, dials);
    cr_assert_eq(life.failed, 3);
}

static void reconnect_stop_in_event(life_conn *conn)
{
    (void) conn;
    life_stop_client();
}

LIFE_TEST(reconnect, is_stopped_inside_its_events)
{
    life.on_opened = reconnect_stop_in_event;
    reconnect_dial(10, 10);
    life_pass(100);
    cr_assert_eq(life.count, 1);
    life.on_opened = NULL;
    life.on_closed = reconnect_stop_in_event;
    reconnect_dial(10, 10);
    life_settle();
    reconnect_cut();
    life_pass(100);
    cr_assert_eq(life.count, 2);
    life.on_closed = NULL;
    life.on_failed = life_stop_client;
    fake_say(&fake.dials, PIPEPORT_NO_SERVER, 1);
    reconnect_dial(10, 10);
    life_pass(100);
    cr_assert_eq(life.failed, 1);
    cr_assert_eq(fake.dials_called, 3);
}

/* A worker tells `failed`, and the event stops the client, while the start has just set the deadline. */
LIFE_TEST(reconnect, is_stopped_by_another_thread_while_its_start_is_not_through)
{
    fake_say(&fake.dials, PIPEPORT_NO_SERVER, 1);
    life.on_failed = life_stop_client;
    fake.inside_wake = life_pass_elsewhere;
    reconnect_dial(10, 10);
    life_pass(100);
    cr_assert_eq(life.failed, 1);
    cr_assert_eq(fake.dials_called, 1);
}

static void reconnect_begin_stop(void)
{
    fake_os_drawn = NULL;
    cr_assert(pp_engine_begin_stop(life.engine, &life.client->party, 0, NULL));
    life.client = NULL;
}

/* A rest has just begun, and its deadline is not set: nobody finds it to clear it. */
LIFE_TEST(reconnect, is_stopped_by_another_thread_while_a_rest_begins)
{
    reconnect_dial(10000, 0);
    life_settle();
    reconnect_cut();
    life_stop_client(); /* It has paid for a seat, and for a block to read into. */
    uint64_t held = life.engine->hub.memory.bytes;
    for (int resting = 0; resting < 2; ++resting) {
        fake_say(&fake.dials, PIPEPORT_NO_SERVER, (unsigned) resting);
        reconnect_dial(10000, 0);
        fake_os_drawn = resting ? reconnect_begin_stop : NULL; /* After `failed`, or after a connection. */
        life_settle();
        if (!resting) {
            fake_os_drawn = reconnect_begin_stop;
            reconnect_cut();
        }
        cr_assert_null(life.client);
        cr_assert_eq(life.engine->hub.memory.bytes, held, "it waits for the end of its rest");
    }
}

LIFE_TEST(reconnect, goes_with_its_engine_while_it_rests)
{
    fake_say(&fake.dials, PIPEPORT_NO_SERVER, 3);
    reconnect_dial(10, 10);
    life_pass(15);
    life.client = NULL; /* life_end destroys the engine with it. */
    cr_assert_eq(fake.dials_called, 2);
}
