/* SPDX-License-Identifier: MIT */
/*
 * test_host_threads.c - an engine without threads of its own lives on those that are lent to it.
 */
#include "engine/port/os.h"
#include "tests/support/expect.h"
#include "tests/support/talker.h"

#include <criterion/criterion.h>
#include <stdlib.h>

TestSuite(host_threads, .timeout = 100);

enum { TALKERS = 10 };

static const uint32_t host_sizes[] = {0, 10, 1000, 70000, 3};
static const talker_plan host_plan = {host_sizes, 5, 2, 100};

typedef struct host_stage {
    test_rig rig;
    test_peer server;
    char name[RIG_NAME_BYTES];
    test_talker talkers[TALKERS];
} host_stage;

static host_stage stage; /* Each test is a process of its own. */

/* A server and a client of it; nobody lends a thread yet. */
static void host_meet(test_peer *client)
{
    rig_name(stage.name);
    rig_open(&stage.rig, PIPEPORT_HOST_THREADS);
    peer_serve(&stage.server, &stage.rig, stage.name, NULL);
    peer_dial(client, &stage.rig, stage.name, NULL);
}

static void host_open(void)
{
    rig_name(stage.name);
    rig_open(&stage.rig, PIPEPORT_HOST_THREADS);
    stage.server.does.message = peer_echo;
    peer_serve(&stage.server, &stage.rig, stage.name, NULL);
    talker_start(stage.talkers, TALKERS, &stage.rig, stage.name, &host_plan);
}

static bool host_is_done(void)
{
    bool done = true;
    for (int i = 0; i < TALKERS; ++i) {
        done = done && atomic_load(&stage.talkers[i].done);
    }
    return done;
}

static void host_close(void)
{
    talker_stop(stage.talkers, TALKERS);
    peer_stop(&stage.server, 0);
    EXPECT(stage.server.messages == TALKERS * host_plan.messages);
    rig_close(&stage.rig);
}

static void host_serves_by_runs_of(uint32_t for_ms)
{
    uint64_t until_ms = expect_until(EXPECT_PATIENCE_MS);
    host_open();
    while (!host_is_done() && pp_os_now_ms() < until_ms) {
        EXPECT(pipeport_engine_run(stage.rig.engine, for_ms) == PIPEPORT_OK);
    }
    EXPECT(host_is_done());
    host_close();
}

Test(host_threads, one_thread_serves_all_by_runs_of_50_ms)
{
    host_serves_by_runs_of(50);
}

Test(host_threads, one_thread_serves_all_by_runs_that_do_not_wait)
{
    host_serves_by_runs_of(0);
}

Test(host_threads, a_run_with_nothing_to_do_takes_its_time_and_no_longer)
{
    rig_open(&stage.rig, PIPEPORT_HOST_THREADS);
    uint64_t begin_ms = pp_os_now_ms();
    EXPECT(pipeport_engine_run(stage.rig.engine, 0) == PIPEPORT_OK);
    EXPECT(pipeport_engine_run(stage.rig.engine, 50) == PIPEPORT_OK);
    uint64_t took_ms = pp_os_now_ms() - begin_ms;
    EXPECT(took_ms >= 49);
    EXPECT(took_ms < EXPECT_PATIENCE_MS);
    rig_close(&stage.rig);
}

/* ---- Several threads ------------------------------------------------------------------------------------------------
 */

static _Atomic uint32_t host_stopped;

static void host_lend(void *argument)
{
    (void) argument;
    pipeport_status status = pipeport_engine_run(stage.rig.engine, UINT32_MAX);
    EXPECT(status == PIPEPORT_STOPPED);
    atomic_fetch_add(&host_stopped, 1);
}

Test(host_threads, four_threads_serve_until_the_engine_is_destroyed)
{
    pp_thread threads[4];
    host_open();
    for (int i = 0; i < 4; ++i) {
        cr_assert_eq(pp_os_thread_start(&threads[i], host_lend, NULL).status, PIPEPORT_OK);
    }
    talker_await(stage.talkers, TALKERS);
    host_close();
    for (int i = 0; i < 4; ++i) {
        pp_os_thread_join(&threads[i]);
    }
    cr_assert_eq(host_stopped, 4);
}

static void host_come_and_go(void *argument)
{
    const _Atomic bool *over = argument;
    while (!atomic_load(over)) {
        EXPECT(pipeport_engine_run(stage.rig.engine, 1) == PIPEPORT_OK);
    }
}

Test(host_threads, threads_may_come_and_go)
{
    pp_thread threads[6];
    _Atomic bool over = false;
    host_open();
    for (int i = 0; i < 6; ++i) {
        cr_assert_eq(pp_os_thread_start(&threads[i], host_come_and_go, &over).status, PIPEPORT_OK);
    }
    talker_await(stage.talkers, TALKERS);
    atomic_store(&over, true);
    for (int i = 0; i < 6; ++i) {
        pp_os_thread_join(&threads[i]);
    }
    host_close();
}

Test(host_threads, a_thread_may_be_lent_to_an_engine_that_has_its_own)
{
    host_stage *own = &stage;
    rig_name(own->name);
    rig_open(&own->rig, 2);
    own->server.does.message = peer_echo;
    peer_serve(&own->server, &own->rig, own->name, NULL);
    talker_start(own->talkers, TALKERS, &own->rig, own->name, &host_plan);
    while (!host_is_done()) {
        EXPECT(pipeport_engine_run(own->rig.engine, 5) == PIPEPORT_OK);
    }
    host_close();
}

/* ---- Stopping ---- */

enum { HOST_DRAINED = 200 };

static void host_queue_many(test_peer *peer, pipeport_conn conn)
{
    char data[5000] = {0};
    for (int i = 0; i < HOST_DRAINED; ++i) {
        EXPECT(pipeport_send(peer->rig->engine, conn, data, sizeof data) == PIPEPORT_OK);
    }
}

static void host_ends_well(test_peer *peer, pipeport_conn conn, const pipeport_end *end)
{
    (void) peer;
    (void) conn;
    EXPECT(end->why == PIPEPORT_OK);
    EXPECT(end->bytes_discarded == 0);
}

Test(host_threads, a_stop_on_the_host_thread_drains)
{
    test_peer client = {0};
    stage.server.does = (peer_does){.opened = host_queue_many, .closed = host_ends_well};
    host_meet(&client);
    while (stage.server.opened == 0) {
        EXPECT(pipeport_engine_run(stage.rig.engine, 1) == PIPEPORT_OK);
    }
    peer_stop(&stage.server, 20000);
    EXPECT(stage.server.closed == 1);
    while (client.closed == 0) {
        EXPECT(pipeport_engine_run(stage.rig.engine, 1) == PIPEPORT_OK);
    }
    EXPECT(client.messages == HOST_DRAINED);
    EXPECT(client.end.why == PIPEPORT_GONE);
    peer_stop(&client, 0);
    rig_close(&stage.rig);
}

Test(host_threads, an_engine_nobody_ever_ran_can_be_destroyed)
{
    test_peer client = {0};
    host_meet(&client);
    rig_crash(&stage.rig);
    cr_assert_eq(stage.server.opened, stage.server.closed);
    cr_assert_eq(client.opened, client.closed);
}

/* A message comes from a client, and the server does that. */
static void host_handle_one(void (*message)(test_peer *, pipeport_conn, const void *, size_t))
{
    test_peer client = {0};
    stage.server.does.message = message;
    host_meet(&client);
    while (stage.server.messages == 0) {
        EXPECT(pipeport_engine_run(stage.rig.engine, 1) == PIPEPORT_OK);
        if (client.opened && client.bytes++ == 0) {
            EXPECT(peer_send(&client, "x", 1) == PIPEPORT_OK);
        }
    }
    peer_stop(&client, 0);
    peer_stop(&stage.server, 0);
    rig_close(&stage.rig);
}

static void host_run_inside(test_peer *peer, pipeport_conn conn, const void *data, size_t length)
{
    (void) conn;
    (void) data;
    (void) length;
    EXPECT(pipeport_engine_run(peer->rig->engine, 0) == PIPEPORT_INVALID);
    EXPECT(pipeport_engine_destroy(peer->rig->engine) == PIPEPORT_INVALID);
}

Test(host_threads, an_event_may_neither_run_nor_destroy_its_engine)
{
    host_handle_one(host_run_inside);
}

static void host_run_elsewhere(test_peer *peer, pipeport_conn conn, const void *data, size_t length)
{
    (void) peer;
    (void) conn;
    (void) data;
    (void) length;
    pipeport_engine_options options = {.size = sizeof options, .workers = PIPEPORT_HOST_THREADS};
    pipeport_engine *other = NULL;
    EXPECT(pipeport_engine_create(&other, &options) == PIPEPORT_OK);
    EXPECT(pipeport_engine_run(other, 1) == PIPEPORT_OK);
    EXPECT(pipeport_engine_destroy(other) == PIPEPORT_OK);
}

Test(host_threads, an_event_may_run_another_engine)
{
    host_handle_one(host_run_elsewhere);
}
