/* SPDX-License-Identifier: MIT */
/*
 * test_client.c - how a client starts or does not, what it tells of itself, and that it leaves nothing behind. How it
 * goes on trying is test_dialer.c's.
 */
#include "engine/api/engine.h"
#include "tests/support/life.h"

#include <criterion/criterion.h>

TestSuite(client, .timeout = 100);

static const pipeport_events client_events = {.size = sizeof(pipeport_events)};

/* What a start answers where the system says `status`. */
static pipeport_status client_start_where(pipeport_status status)
{
    pipeport_client *client = NULL;
    uint64_t held = life.engine->hub.memory.bytes;
    fake_say(&fake.dials, status, 1);
    pipeport_status answer = pipeport_client_start(&client, life.engine, "life", NULL, &client_events);
    cr_assert_null(client, "set without success");
    cr_assert_eq(life.engine->hub.memory.bytes, held, "something stayed");
    return answer;
}

LIFE_TEST(client, answers_what_the_system_answers)
{
    cr_assert_eq(client_start_where(PIPEPORT_NO_SERVER), PIPEPORT_NO_SERVER);
    cr_assert_eq(client_start_where(PIPEPORT_DENIED), PIPEPORT_DENIED);
    cr_assert_eq(client_start_where(PIPEPORT_UNSUPPORTED), PIPEPORT_UNSUPPORTED);
    cr_assert_eq(client_start_where(PIPEPORT_SYSTEM), PIPEPORT_SYSTEM);
    cr_assert_eq(life_dial(), PIPEPORT_OK);
    life_settle();
    cr_assert_eq(life.count, 1);
}

LIFE_TEST(client, refuses_what_makes_no_sense)
{
    pipeport_client *client = NULL;
    pipeport_engine *engine = life.engine;
    pipeport_options options = {.size = sizeof options - 1};
    pipeport_events events = {.size = sizeof events + 1};
    cr_assert_eq(pipeport_client_start(NULL, engine, "life", NULL, &client_events), PIPEPORT_INVALID);
    cr_assert_eq(pipeport_client_start(&client, NULL, "life", NULL, &client_events), PIPEPORT_INVALID);
    cr_assert_eq(pipeport_client_start(&client, engine, NULL, NULL, &client_events), PIPEPORT_INVALID);
    cr_assert_eq(pipeport_client_start(&client, engine, "", NULL, &client_events), PIPEPORT_INVALID);
    cr_assert_eq(pipeport_client_start(&client, engine, "life", &options, &client_events), PIPEPORT_INVALID);
    cr_assert_eq(pipeport_client_start(&client, engine, "life", NULL, &events), PIPEPORT_INVALID);
    cr_assert_null(client);
    cr_assert_eq(fake.dials_called, 0);
}

LIFE_TEST(client, answers_no_memory_and_can_be_started_when_there_is_some)
{
    uint64_t held = life.engine->hub.memory.bytes;
    atomic_store(&life.engine->hub.memory.fail_after, 0);
    cr_assert_eq(life_dial(), PIPEPORT_NO_MEMORY);
    atomic_store(&life.engine->hub.memory.fail_after, 1); /* Itself, but no seat for its connection. */
    cr_assert_eq(life_dial(), PIPEPORT_NO_MEMORY);
    cr_assert_eq(fake_pipes_open(), 0);
    atomic_store(&life.engine->hub.memory.fail_after, UINT64_MAX);
    cr_assert_eq(life.engine->hub.memory.bytes, held);
    cr_assert_eq(life_dial(), PIPEPORT_OK);
}

LIFE_TEST(client, is_nobody_where_it_is_null)
{
    pipeport_stats stats = {.size = sizeof stats};
    pipeport_client_stop(NULL, 0);
    cr_assert_eq(pipeport_client_stats(NULL, &stats), PIPEPORT_INVALID);
}

LIFE_TEST(client, tells_its_figures)
{
    pipeport_stats stats = {.size = sizeof stats - 1};
    cr_assert_eq(life_dial(), PIPEPORT_OK);
    life_settle();
    cr_assert_eq(pipeport_client_stats(life.client, &stats), PIPEPORT_INVALID);
    cr_assert_eq(pipeport_client_stats(life.client, NULL), PIPEPORT_INVALID);
    stats.size = sizeof stats;
    cr_assert_eq(life_send(life_newest(), "seven!!", 7), PIPEPORT_OK);
    fake_peer_goes(fake_newest());
    life_settle();
    life_expect_end(life_newest(), PIPEPORT_GONE);
    cr_assert_eq(pipeport_client_stats(life.client, &stats), PIPEPORT_OK);
    cr_assert_eq(stats.connections_open, 0);
    cr_assert_eq(stats.connections_opened, 1);
    cr_assert_eq(stats.connections_closed, 1);
    cr_assert_eq(stats.messages_sent, 1);
    cr_assert_eq(stats.bytes_accepted, 11);
    cr_assert_eq(stats.bytes_sent + stats.bytes_discarded, 11);
}
