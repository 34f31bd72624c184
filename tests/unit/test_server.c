/* SPDX-License-Identifier: MIT */
/*
 * test_server.c - how a server starts or does not, what it tells of itself, and that it leaves nothing behind.
 */
#include "engine/api/engine.h"
#include "tests/support/life.h"

#include <criterion/criterion.h>

TestSuite(server, .timeout = 100);

static const pipeport_events server_events = {.size = sizeof(pipeport_events)};

static pipeport_server *const server_untouched = (pipeport_server *) &life;

/* What a start answers where the system says `status`. */
static pipeport_status server_start_where(pipeport_status status)
{
    pipeport_server *server = server_untouched;
    unsigned lines = life.lines;
    fake.ear_fault = (pp_fault){status, 77};
    pipeport_status answer = pipeport_server_start(&server, life.engine, "life", NULL, &server_events);
    cr_assert_eq(server, server_untouched, "set without success");
    cr_assert_eq(life.lines, lines + 1, "the log did not hear of it");
    fake.ear_fault = (pp_fault){PIPEPORT_OK, 0};
    return answer;
}

LIFE_TEST(server, answers_what_the_system_answers)
{
    cr_assert_eq(server_start_where(PIPEPORT_NAME_TAKEN), PIPEPORT_NAME_TAKEN);
    cr_assert_eq(server_start_where(PIPEPORT_DENIED), PIPEPORT_DENIED);
    cr_assert_eq(server_start_where(PIPEPORT_UNSUPPORTED), PIPEPORT_UNSUPPORTED);
    cr_assert_eq(server_start_where(PIPEPORT_SYSTEM), PIPEPORT_SYSTEM);
    life_serve(); /* And nothing stayed in its way. */
}

LIFE_TEST(server, refuses_what_makes_no_sense)
{
    pipeport_server *server = server_untouched;
    pipeport_engine *engine = life.engine;
    pipeport_options options = {.size = sizeof options - 1};
    pipeport_events events = {.size = sizeof events + 1};
    cr_assert_eq(pipeport_server_start(NULL, engine, "life", NULL, &server_events), PIPEPORT_INVALID);
    cr_assert_eq(pipeport_server_start(&server, NULL, "life", NULL, &server_events), PIPEPORT_INVALID);
    cr_assert_eq(pipeport_server_start(&server, engine, NULL, NULL, &server_events), PIPEPORT_INVALID);
    cr_assert_eq(pipeport_server_start(&server, engine, "", NULL, &server_events), PIPEPORT_INVALID);
    cr_assert_eq(pipeport_server_start(&server, engine, "life", &options, &server_events), PIPEPORT_INVALID);
    cr_assert_eq(pipeport_server_start(&server, engine, "life", NULL, &events), PIPEPORT_INVALID);
    cr_assert_eq(pipeport_server_start(&server, engine, "life", NULL, NULL), PIPEPORT_INVALID);
    cr_assert_eq(server, server_untouched);
    cr_assert_eq(fake.ears_open, 0);
}

LIFE_TEST(server, leaves_nothing_behind_whichever_block_it_does_not_get)
{
    uint64_t held = life.engine->hub.memory.bytes;
    pipeport_status status = PIPEPORT_NO_MEMORY;
    unsigned refused = 0;
    for (uint64_t takes = 0; status != PIPEPORT_OK; ++takes) {
        atomic_store(&life.engine->hub.memory.fail_after, takes);
        status = life_try_serve();
        atomic_store(&life.engine->hub.memory.fail_after, UINT64_MAX);
        if (status != PIPEPORT_OK) {
            cr_assert_eq(status, PIPEPORT_NO_MEMORY);
            cr_assert_eq(life.engine->hub.memory.bytes, held, "after %u takes something stayed", (unsigned) takes);
            cr_assert_eq(fake.ears_open, 0);
            refused += 1;
        }
    }
    cr_assert_gt(refused, 1);
}

LIFE_TEST(server, is_nobody_where_it_is_null)
{
    pipeport_stats stats = {.size = sizeof stats};
    pipeport_server_stop(NULL, 0);
    cr_assert_str_eq(pipeport_server_address(NULL), "");
    cr_assert_eq(pipeport_server_stats(NULL, &stats), PIPEPORT_INVALID);
}

LIFE_TEST(server, tells_its_address_and_its_figures)
{
    pipeport_stats stats = {.size = sizeof stats - 1};
    life_serve();
    cr_assert_str_eq(pipeport_server_address(life.server), "fake:life");
    cr_assert_eq(pipeport_server_stats(life.server, &stats), PIPEPORT_INVALID);
    cr_assert_eq(pipeport_server_stats(life.server, NULL), PIPEPORT_INVALID);
    stats.size = sizeof stats;
    fake_pipe *pipe = life_client();
    fake_peer_sends_message(pipe, "four", 4);
    cr_assert_eq(life_send(life_newest(), "seven!!", 7), PIPEPORT_OK);
    life_settle();
    cr_assert_eq(pipeport_server_stats(life.server, &stats), PIPEPORT_OK);
    cr_assert_eq(stats.connections_open, 1);
    cr_assert_eq(stats.connections_opened, 1);
    cr_assert_eq(stats.connections_closed, 0);
    cr_assert_eq(stats.messages_received, 1);
    cr_assert_eq(stats.bytes_received, 8);
    cr_assert_eq(stats.messages_sent, 1);
    cr_assert_eq(stats.bytes_accepted, 11);
    cr_assert_eq(stats.bytes_sent, 11);
    cr_assert_eq(stats.sends_refused, 0);
}
