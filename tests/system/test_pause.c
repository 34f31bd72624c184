/* SPDX-License-Identifier: MIT */
/*
 * test_pause.c - a paused connection hears nothing and loses nothing, and its peer is slowed down.
 */
#include "engine/port/os.h"
#include "tests/support/expect.h"
#include "tests/support/pattern.h"
#include "tests/support/random.h"
#include "tests/support/system.h"
#include "tests/support/talker.h"

#include <criterion/criterion.h>
#include <stdlib.h>

TestSuite(pause, .timeout = 110);

static struct {
    test_rig rig;
    test_peer server, client;
    char name[RIG_NAME_BYTES];
    uint64_t pause_each;
    _Atomic bool paused;
} stage; /* Each test is a process of its own. */

static void pause_open(pipeport_options options)
{
    options.size = sizeof options;
    rig_name(stage.name);
    rig_open(&stage.rig, 4);
    peer_serve(&stage.server, &stage.rig, stage.name, &options);
    options.first_message_ms = options.idle_ms = 0; /* The server is silent too, and shall be the one to end it. */
    peer_dial(&stage.client, &stage.rig, stage.name, &options);
    AWAIT(stage.client.opened == 1 && stage.server.opened == 1);
}

static void pause_close(void)
{
    peer_stop(&stage.client, 0);
    peer_stop(&stage.server, 0);
    rig_close(&stage.rig);
}

static void pause_send_numbered(uint32_t first, uint32_t count)
{
    char data[100];
    for (uint32_t i = first; i < first + count; ++i) {
        pattern_fill(data, sizeof data, i);
        EXPECT(peer_send(&stage.client, data, sizeof data) == PIPEPORT_OK);
    }
}

/* The n-th message must be number n; pauses after each `pause_each`. */
static void pause_message(test_peer *peer, pipeport_conn conn, const void *data, size_t length)
{
    uint64_t number = peer->messages;
    EXPECT(!atomic_load(&stage.paused));
    EXPECT(length == 100 && pattern_is(data, length, number));
    if ((number + 1) % stage.pause_each == 0) {
        atomic_store(&stage.paused, true);
        EXPECT(pipeport_pause(peer->rig->engine, conn) == PIPEPORT_OK);
    }
}

/* Time enough for a message to come that must not: others exchange many meanwhile, on the same workers. */
static void pause_let_others_talk(void)
{
    test_peer server = {.does = {.message = peer_echo}};
    test_talker *talkers = calloc(4, sizeof *talkers);
    talker_plan plan = talker_small;
    char name[RIG_NAME_BYTES];
    cr_assert(talkers);
    plan.messages = 50;
    rig_name(name);
    peer_serve(&server, &stage.rig, name, NULL);
    talker_start(talkers, 4, &stage.rig, name, &plan);
    talker_await(talkers, 4);
    talker_stop(talkers, 4);
    peer_stop(&server, 0);
    free(talkers);
}

Test(pause, no_message_comes_after_a_pause_in_an_event_and_none_is_lost_after_resume)
{
    stage.server.does.message = pause_message;
    stage.pause_each = 10;
    pause_open((pipeport_options){0});
    pause_send_numbered(0, 1000);
    for (uint64_t i = 1; i <= 100; ++i) {
        AWAIT(stage.server.messages == 10 * i);
        if (i % 20 == 1) {
            pause_let_others_talk();
        }
        EXPECT(stage.server.messages == 10 * i);
        atomic_store(&stage.paused, false);
        EXPECT(pipeport_resume(stage.rig.engine, peer_conn(&stage.server)) == PIPEPORT_OK);
    }
    AWAIT(peer_stats(&stage.server).messages_received == 1000); /* Counted behind the event. */
    pause_close();
}

Test(pause, pausing_and_resuming_once_or_often_is_the_same)
{
    stage.server.does.message = pause_message;
    stage.pause_each = UINT64_MAX;
    pause_open((pipeport_options){0});
    pipeport_conn conn = peer_conn(&stage.server);
    EXPECT(pipeport_resume(stage.rig.engine, conn) == PIPEPORT_OK);
    for (int i = 0; i < 3; ++i) {
        EXPECT(pipeport_pause(stage.rig.engine, conn) == PIPEPORT_OK);
    }
    EXPECT(pipeport_resume(stage.rig.engine, conn) == PIPEPORT_OK);
    EXPECT(pipeport_resume(stage.rig.engine, conn) == PIPEPORT_OK);
    pause_send_numbered(0, 10);
    AWAIT(stage.server.messages == 10);
    pause_close();
}

/* ---- The peer is slowed ---- */

static void pause_check_numbered(test_peer *peer, pipeport_conn conn, const void *data, size_t length)
{
    (void) conn;
    EXPECT(length == 1000 && pattern_is(data, length, peer->messages));
}

Test(pause, the_peer_of_a_paused_connection_is_slowed_until_its_queue_is_full)
{
    enum { QUEUE = 600 * 1000 }; /* More than twice what the system itself holds, when it comes to take it. */
    char data[1000];
    uint32_t sent = 0;
    pipeport_status status = PIPEPORT_OK;
    stage.server.does.message = pause_check_numbered;
    pause_open((pipeport_options){.message_bytes_max = 1000, .send_queue_bytes_max = QUEUE});
    EXPECT(pipeport_pause(stage.rig.engine, peer_conn(&stage.server)) == PIPEPORT_OK);
    while (status == PIPEPORT_OK && sent < 100000) {
        pattern_fill(data, sizeof data, sent);
        status = peer_send(&stage.client, data, sizeof data);
        sent += status == PIPEPORT_OK;
    }
    EXPECT(status == PIPEPORT_FULL);
    pause_let_others_talk();
    EXPECT(stage.server.messages < sent && stage.client.drained == 0);
    EXPECT(pipeport_resume(stage.rig.engine, peer_conn(&stage.server)) == PIPEPORT_OK);
    AWAIT(stage.server.messages == sent);
    AWAIT(stage.client.drained == 1);
    pause_close();
}

/* ---- Time does not run ---- */

Test(pause, bounds_on_silence_do_not_run_while_paused)
{
    raw_client paused, silent;
    pause_open((pipeport_options){.first_message_ms = 300, .idle_ms = 300});
    const char *address = pipeport_server_address(stage.server.server);
    AWAIT(stage.server.ended[PIPEPORT_TIMED_OUT] == 1); /* The stage's own client, who is silent. */
    cr_assert(raw_connect(&paused, address));
    AWAIT(stage.server.opened == 2);
    pipeport_conn conn = peer_conn(&stage.server);
    if (pipeport_pause(stage.rig.engine, conn) == PIPEPORT_OK) { /* Unless this machine slept for 300 ms. */
        cr_assert(raw_connect(&silent, address));
        AWAIT(stage.server.ended[PIPEPORT_TIMED_OUT] >= 2);
        EXPECT(stage.server.closed == 2); /* Who came later and was not paused: only he. */
        raw_close(&silent);
        EXPECT(pipeport_resume(stage.rig.engine, conn) == PIPEPORT_OK);
        AWAIT(stage.server.ended[PIPEPORT_TIMED_OUT] == 3);
    }
    raw_close(&paused);
    pause_close();
}

/* ---- Ends ---- */

Test(pause, a_paused_connection_can_be_closed_by_its_own_side)
{
    for (int i = 0; i < 2; ++i) {
        stage.server = stage.client = (test_peer){0};
        pause_open((pipeport_options){0});
        pipeport_conn conn = peer_conn(&stage.server);
        EXPECT(pipeport_pause(stage.rig.engine, conn) == PIPEPORT_OK);
        pause_send_numbered(0, 100);
        EXPECT(pipeport_send(stage.rig.engine, conn, "farewell", 8) == PIPEPORT_OK);
        EXPECT(pipeport_close(stage.rig.engine, conn, i ? PIPEPORT_ABORT : PIPEPORT_DRAIN) == PIPEPORT_OK);
        AWAIT(stage.server.closed == 1 && stage.client.closed == 1);
        EXPECT(stage.server.ended[i ? PIPEPORT_STOPPED : PIPEPORT_OK] == 1);
        EXPECT(i || stage.client.messages == 1);
        pause_close();
    }
}

Test(pause, what_the_peer_sent_before_it_left_is_heard_after_resume)
{
    stage.server.does.message = pause_message;
    stage.pause_each = UINT64_MAX;
    pause_open((pipeport_options){0});
    EXPECT(pipeport_pause(stage.rig.engine, peer_conn(&stage.server)) == PIPEPORT_OK);
    pause_send_numbered(0, 100);
    peer_stop(&stage.client, 10000);
    EXPECT(pipeport_resume(stage.rig.engine, peer_conn(&stage.server)) == PIPEPORT_OK);
    AWAIT(stage.server.closed == 1);
    EXPECT(stage.server.messages == 100);
    EXPECT(stage.server.ended[PIPEPORT_GONE] == 1);
    peer_stop(&stage.server, 0);
    rig_close(&stage.rig);
}

Test(pause, a_paused_connection_whose_peer_has_left_refuses_sends_and_ends_once_it_is_resumed)
{
    raw_client client;
    pause_open((pipeport_options){0});
    cr_assert(raw_connect(&client, pipeport_server_address(stage.server.server)));
    AWAIT(stage.server.opened == 2);
    pipeport_conn conn = peer_conn(&stage.server);
    EXPECT(pipeport_pause(stage.rig.engine, conn) == PIPEPORT_OK);
    EXPECT(raw_write(&client, "\4\0\0\0last", 8));
    raw_close(&client);
    AWAIT(pipeport_send(stage.rig.engine, conn, "anybody?", 8) == PIPEPORT_GONE);
    EXPECT(stage.server.messages == 0 && stage.server.closed == 0);
    EXPECT(pipeport_resume(stage.rig.engine, conn) == PIPEPORT_OK);
    AWAIT(stage.server.closed == 1);
    EXPECT(stage.server.messages == 1); /* What it said before it left. */
    EXPECT(stage.server.ended[PIPEPORT_GONE] == 1);
    pause_close();
}

/* ---- A storm ---- */

enum { STORM_TALKERS = 8, STORM_THREADS = 4 };

static _Atomic uint64_t storm_conns[STORM_TALKERS];
static _Atomic bool storm_over;

static void storm_opened(test_peer *peer, pipeport_conn conn)
{
    (void) peer;
    for (int i = 0; i < STORM_TALKERS; ++i) {
        uint64_t nobody = 0;
        if (atomic_compare_exchange_strong(&storm_conns[i], &nobody, conn.id)) {
            return;
        }
    }
}

static void storm_meddle(void *argument)
{
    uint64_t random = test_seed() + (uintptr_t) argument;
    while (!atomic_load(&storm_over)) {
        pipeport_conn conn = {atomic_load(&storm_conns[test_random_below(&random, STORM_TALKERS)])};
        EXPECT(pipeport_pause(stage.rig.engine, conn) == PIPEPORT_OK);
        EXPECT(pipeport_resume(stage.rig.engine, conn) == PIPEPORT_OK);
    }
}

Test(pause, a_storm_of_pauses_and_resumes_from_four_threads_loses_nothing)
{
    test_talker *talkers = calloc(STORM_TALKERS, sizeof *talkers);
    pp_thread threads[STORM_THREADS];
    talker_plan plan = talker_small;
    cr_assert(talkers);
    plan.messages = 200;
    rig_name(stage.name);
    rig_open(&stage.rig, 4);
    stage.server.does = (peer_does){.opened = storm_opened, .message = peer_echo};
    peer_serve(&stage.server, &stage.rig, stage.name, NULL);
    talker_start(talkers, STORM_TALKERS, &stage.rig, stage.name, &plan);
    AWAIT(stage.server.opened == STORM_TALKERS);
    for (int i = 0; i < STORM_THREADS; ++i) {
        cr_assert_eq(pp_os_thread_start(&threads[i], storm_meddle, &threads[i]).status, PIPEPORT_OK);
    }
    talker_await(talkers, STORM_TALKERS);
    atomic_store(&storm_over, true);
    for (int i = 0; i < STORM_THREADS; ++i) {
        pp_os_thread_join(&threads[i]);
    }
    talker_stop(talkers, STORM_TALKERS);
    peer_stop(&stage.server, 0);
    rig_close(&stage.rig);
    free(talkers);
}
