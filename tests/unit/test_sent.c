/* SPDX-License-Identifier: MIT */
/*
 * test_sent.c - the sent event: what it tells adds up to what was sent, before `closed`. That it does at every end is
 * life.c's to see.
 */
#include "engine/api/engine.h"
#include "tests/support/life.h"

#include <criterion/criterion.h>

TestSuite(sent, .timeout = 100);

static void sent_serve(void)
{
    life.hears_sent = true;
    life_serve();
}

LIFE_TEST(sent, is_told_when_writes_complete)
{
    sent_serve();
    fake_pipe *pipe = life_client();
    pipe->write_room = 0;
    cr_assert_eq(life_send(life_newest(), "twelve bytes", 12), PIPEPORT_OK);
    life_settle();
    cr_assert_eq(life_newest()->sents, 0, "nothing was taken yet");
    fake_peer_reads(pipe, 10);
    life_settle();
    cr_assert_eq(life_newest()->sents, 1);
    cr_assert_eq(life_newest()->sent_bytes, 10);
    fake_peer_reads(pipe, 10);
    life_settle();
    cr_assert_eq(life_newest()->sents, 2);
    cr_assert_eq(life_newest()->sent_bytes, 16);
    life_settle();
    cr_assert_eq(life_newest()->sents, 2);
}

LIFE_TEST(sent, begins_anew_with_each_connection_of_a_seat)
{
    sent_serve();
    for (int i = 0; i < 5; ++i) {
        fake_pipe *pipe = life_client();
        cr_assert_eq(life_send(life_newest(), "abc", 3), PIPEPORT_OK);
        life_settle();
        cr_assert_eq(life_newest()->sent_bytes, 7);
        fake_peer_goes(pipe);
        life_settle();
        cr_assert_eq(life_newest()->closed, 1);
    }
}

LIFE_TEST(sent, is_complete_before_a_connection_closes_that_is_drained)
{
    sent_serve();
    life_client();
    cr_assert_eq(life_send(life_newest(), "abc", 3), PIPEPORT_OK);
    cr_assert_eq(pipeport_close(life.engine, life_newest()->name, PIPEPORT_DRAIN), PIPEPORT_OK);
    life_settle();
    life_expect_end(life_newest(), PIPEPORT_OK);
    cr_assert_eq(life_newest()->sent_bytes, 7);
}

static void sent_and_drained(void)
{
    cr_assert_eq(life_send(life_newest(), "abc", 3), PIPEPORT_OK);
    cr_assert_eq(pipeport_close(life.engine, life_newest()->name, PIPEPORT_DRAIN), PIPEPORT_OK);
}

/* Nothing is armed then: it ends in the turn that hears of its last write. */
LIFE_TEST(sent, is_complete_before_a_paused_connection_closes)
{
    sent_serve();
    fake_pipe *pipe = life_client();
    cr_assert_eq(pipeport_pause(life.engine, life_newest()->name), PIPEPORT_OK);
    fake_peer_sends_message(pipe, "x", 1);
    life_settle();
    life_on_worker(sent_and_drained);
    cr_assert_eq(life_newest()->closed, 1);
    cr_assert_eq(life_newest()->sent_bytes, 7);
}

static void sent_at_once(life_conn *conn)
{
    cr_assert_eq(life_send(conn, "abc", 3), PIPEPORT_OK);
    cr_assert_eq(pipeport_close(life.engine, conn->name, PIPEPORT_ABORT), PIPEPORT_OK);
}

LIFE_TEST(sent, tells_of_nothing_that_was_discarded)
{
    life.on_opened = sent_at_once;
    sent_serve();
    life_client();
    life_expect_end(life_newest(), PIPEPORT_STOPPED);
    cr_assert_eq(life_newest()->sent_bytes + life_newest()->end.bytes_discarded, 7);
}

LIFE_TEST(sent, is_told_to_a_client_too)
{
    life.hears_sent = true;
    cr_assert_eq(life_dial(), PIPEPORT_OK);
    life_settle();
    cr_assert_eq(life_send(life_newest(), "abc", 3), PIPEPORT_OK);
    life_settle();
    cr_assert_eq(life_newest()->sent_bytes, 7);
}

LIFE_TEST(sent, is_refused_a_connection_for_whose_figure_there_is_no_memory)
{
    pipeport_stats stats = {.size = sizeof stats};
    sent_serve();
    unsigned failed = 0;
    for (uint64_t fail = 0; life.count == 0; ++fail) {
        life.engine->hub.memory.fail_after = fail;
        cr_assert_not_null(life_client());
        life.engine->hub.memory.fail_after = UINT64_MAX;
        failed += life.count == 0;
        cr_assert_eq(pipeport_server_stats(life.server, &stats), PIPEPORT_OK);
        cr_assert_eq(stats.accepts_failed, failed);
        life_pass(1000);
    }
    cr_assert_geq(failed, 3);
}

LIFE_TEST(sent, does_not_make_a_client_silent_for_whose_figure_there_is_no_memory)
{
    life.hears_sent = true;
    pipeport_status status = PIPEPORT_NO_MEMORY;
    for (uint64_t fail = 0; status == PIPEPORT_NO_MEMORY; ++fail) {
        life.engine->hub.memory.fail_after = fail;
        status = life_dial();
        life_settle();
        life.engine->hub.memory.fail_after = UINT64_MAX;
        cr_assert_eq(fake_pipes_open(), status == PIPEPORT_OK);
    }
    cr_assert_eq(status, PIPEPORT_OK);
    cr_assert_eq(life.count, 1, "a start that answers OK is followed by `opened`, or by `failed`");
}

enum { SENT_SEATS = 3 * PP_TABLE_CHUNK };

/* What a client costs that is seated behind so many others. */
static uint64_t sent_client_bytes(void)
{
    uint64_t before = life.engine->hub.memory.bytes;
    cr_assert_eq(life_dial(), PIPEPORT_OK);
    life_settle();
    uint64_t bytes = life.engine->hub.memory.bytes - before;
    life_stop_client();
    return bytes;
}

LIFE_TEST(sent, costs_a_client_the_same_however_many_connections_there_are)
{
    pp_seat *held[SENT_SEATS];
    pp_roster *roster = &life.engine->hub.roster;
    for (unsigned i = 0; i < SENT_SEATS; ++i) {
        held[i] = pp_roster_take(roster);
    }
    (void) sent_client_bytes(); /* It pays for the seats' own growth. */
    uint64_t bytes = sent_client_bytes();
    life.hears_sent = true;
    cr_assert_leq(sent_client_bytes(), bytes + sizeof(pp_table_branch) + PP_TABLE_CHUNK * sizeof(uint64_t));
    for (unsigned i = 0; i < SENT_SEATS; ++i) {
        cr_assert(pp_seat_unpin(held[i]));
        pp_roster_give(roster, held[i]);
    }
}
