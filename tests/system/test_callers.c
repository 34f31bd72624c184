/* SPDX-License-Identifier: MIT */
/*
 * test_callers.c - asking and waiting for the reply over real pipes: in a row, by many threads, out of time, and while
 * the server, the client or the engine goes.
 */
#include "engine/api/client.h"
#include "tests/support/expect.h"
#include "tests/support/peer.h"
#include "tests/support/system.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

TestSuite(callers, .timeout = 110);

enum { PATIENT_MS = 60000 };

static struct {
    test_rig rig;
    test_peer server;
    char name[RIG_NAME_BYTES];
    _Atomic uint32_t asked;
} stage; /* Each test is a process of its own. */

static void calls_answer(test_peer *peer, pipeport_conn conn, const void *data, size_t length)
{
    pipeport_status status = pipeport_send(peer->rig->engine, conn, data, length);
    EXPECT(status == PIPEPORT_OK || status == PIPEPORT_GONE); /* A call may have given up, and aborted. */
}

/* Answers but those that begin with an S. */
static void calls_answer_some(test_peer *peer, pipeport_conn conn, const void *data, size_t length)
{
    if (*(const char *) data != 'S') {
        calls_answer(peer, conn, data, length);
    }
    atomic_fetch_add(&stage.asked, 1);
}

static void calls_open(uint32_t workers, void (*message)(test_peer *, pipeport_conn, const void *, size_t))
{
    rig_name(stage.name);
    rig_open(&stage.rig, workers);
    stage.server = (test_peer){.does = {.message = message}};
    if (message) {
        peer_serve(&stage.server, &stage.rig, stage.name, NULL);
    }
}

static pipeport_client *calls_client(uint32_t reconnect_ms)
{
    pipeport_options options = {.size = sizeof options, .reconnect_ms = reconnect_ms, .reconnect_max_ms = 50};
    pipeport_client *client = NULL;
    cr_assert_eq(pipeport_client_start(&client, stage.rig.engine, stage.name, &options, NULL), PIPEPORT_OK);
    return client;
}

static pipeport_status calls_ask(pipeport_client *client, const char *text, uint32_t timeout_ms)
{
    char room[64] = "";
    pipeport_reply reply = {.data = room, .room = sizeof room};
    pipeport_status status = pipeport_client_call(client, text, strlen(text), &reply, timeout_ms);
    EXPECT(status != PIPEPORT_OK || (reply.length == strlen(text) && memcmp(room, text, reply.length) == 0));
    return status;
}

static void calls_close(pipeport_client *client)
{
    pipeport_client_stop(client, 0);
    peer_stop(&stage.server, 0);
    rig_close(&stage.rig);
}

/* `count` in a row of many lengths; each reply is what was asked. */
static void calls_in_a_row(pipeport_client *client, uint32_t count, uint32_t seed)
{
    static const uint32_t lengths[] = {0, 1, 2, 17, 255, 256, 1000, 4095, 4096, 4097, 20000, 65536, 70001};
    uint8_t *data = malloc(70001), *room = malloc(70001);
    EXPECT(data && room);
    for (uint32_t i = 0; i < count; ++i) {
        uint32_t length = lengths[(i * 7 + seed) % (sizeof lengths / sizeof lengths[0])];
        for (uint32_t at = 0; at < length; ++at) {
            data[at] = (uint8_t) (at * 31 + i * 7 + seed);
        }
        pipeport_reply reply = {.data = room, .room = 70001};
        memset(room, 0xEE, length);
        EXPECT(pipeport_client_call(client, data, length, &reply, PATIENT_MS) == PIPEPORT_OK);
        EXPECT(reply.length == length && memcmp(data, room, length) == 0);
    }
    free(data);
    free(room);
}

Test(callers, a_thousand_in_a_row_of_many_lengths_get_their_replies)
{
    calls_open(2, calls_answer);
    pipeport_client *client = calls_client(0);
    calls_in_a_row(client, 1000, 0);
    pipeport_stats stats = {.size = sizeof stats};
    EXPECT(pipeport_client_stats(client, &stats) == PIPEPORT_OK);
    EXPECT(stats.messages_sent == 1000);
    calls_close(client);
}

Test(callers, the_caller_lends_its_thread_to_an_engine_of_host_threads)
{
    calls_open(PIPEPORT_HOST_THREADS, calls_answer);
    pipeport_client *client = calls_client(0);
    calls_in_a_row(client, 200, 3);
    calls_close(client);
}

typedef struct calls_caller {
    pp_thread thread;
    pipeport_client *client;
    uint32_t number;
    pipeport_status status;
    uint64_t answered, timed_out;
} calls_caller;

static void calls_start(calls_caller *callers, uint32_t count, pipeport_client *client, void (*body)(void *))
{
    for (uint32_t i = 0; i < count; ++i) {
        callers[i] = (calls_caller){.client = client, .number = i};
        cr_assert_eq(pp_os_thread_start(&callers[i].thread, body, &callers[i]).status, PIPEPORT_OK);
    }
}

static void calls_join(calls_caller *callers, uint32_t count)
{
    for (uint32_t i = 0; i < count; ++i) {
        pp_os_thread_join(&callers[i].thread);
    }
}

static void calls_body_row(void *argument)
{
    calls_caller *caller = argument;
    calls_in_a_row(caller->client, 100, caller->number);
}

Test(callers, many_threads_take_turns)
{
    calls_caller callers[8];
    calls_open(3, calls_answer);
    pipeport_client *client = calls_client(0);
    calls_start(callers, 8, client, calls_body_row);
    calls_join(callers, 8);
    calls_close(client);
}

/* ---- Time ---- */

Test(callers, one_that_timed_out_is_followed_by_one_that_works)
{
    calls_open(2, calls_answer_some);
    pipeport_client *client = calls_client(1);
    for (int i = 0; i < 20; ++i) {
        uint64_t conn = pipeport_client_conn(client).id;
        uint64_t begin_ms = pp_os_now_ms();
        EXPECT(calls_ask(client, "Silence", 30) == PIPEPORT_TIMED_OUT);
        EXPECT(pp_os_now_ms() - begin_ms >= 30);
        EXPECT(calls_ask(client, "hello", PATIENT_MS) == PIPEPORT_OK);
        EXPECT(i == 0 || pipeport_client_conn(client).id != conn);
    }
    calls_close(client);
}

Test(callers, one_that_timed_out_is_the_last_where_nothing_reconnects)
{
    calls_open(2, calls_answer_some);
    pipeport_client *client = calls_client(0);
    EXPECT(calls_ask(client, "hello", PATIENT_MS) == PIPEPORT_OK);
    EXPECT(calls_ask(client, "Silence", 30) == PIPEPORT_TIMED_OUT);
    EXPECT(calls_ask(client, "hello", PATIENT_MS) == PIPEPORT_GONE);
    EXPECT(calls_ask(client, "hello", PATIENT_MS) == PIPEPORT_GONE);
    calls_close(client);
}

/* Answers when about as much time has passed as the callers give: before, after, and while they go. */
static void calls_answer_about_late(test_peer *peer, pipeport_conn conn, const void *data, size_t length)
{
    uint64_t until_ns = pp_os_now_ns() + pp_os_jitter() % 2400000;
    while (pp_os_now_ns() < until_ns) {
    }
    calls_answer(peer, conn, data, length);
}

enum { RACE_BYTES = 60000, RACE_CALLS = 150 };

/* Each reply is of the length and the bytes that were asked for: a late one never is another call's. */
static void calls_body_race(void *argument)
{
    calls_caller *caller = argument;
    uint8_t *data = malloc(RACE_BYTES);
    EXPECT(data != NULL);
    for (uint32_t i = 0; i < RACE_CALLS; ++i) {
        uint32_t length = RACE_BYTES - 1000 * caller->number - i;
        uint8_t *room = malloc(RACE_BYTES); /* Anew each time: who copies late is found by a sanitizer. */
        pipeport_reply reply = {.data = room, .room = RACE_BYTES};
        EXPECT(room != NULL);
        memset(data, (int) (caller->number * 50 + i), length);
        pipeport_status status = pipeport_client_call(caller->client, data, length, &reply, 2 + i % 3);
        caller->answered += status == PIPEPORT_OK;
        caller->timed_out += status == PIPEPORT_TIMED_OUT;
        EXPECT(status == PIPEPORT_OK || status == PIPEPORT_TIMED_OUT);
        EXPECT(status != PIPEPORT_OK || (reply.length == length && memcmp(room, data, length) == 0));
        free(room);
    }
    free(data);
}

Test(callers, time_outs_and_replies_race)
{
    calls_caller callers[3];
    uint64_t answered = 0, timed_out = 0;
    calls_open(4, calls_answer_about_late);
    pipeport_client *client = calls_client(1);
    calls_start(callers, 3, client, calls_body_race);
    calls_join(callers, 3);
    for (int i = 0; i < 3; ++i) {
        answered += callers[i].answered;
        timed_out += callers[i].timed_out;
    }
    EXPECT(timed_out > 0);
    cr_log_info("%llu answered, %llu timed out", (unsigned long long) answered, (unsigned long long) timed_out);
    EXPECT(calls_ask(client, "at last", PATIENT_MS) == PIPEPORT_OK);
    calls_close(client);
}

/* ---- Ends ---- */

static void calls_body_wait(void *argument)
{
    calls_caller *caller = argument;
    caller->status = calls_ask(caller->client, "Silence", PATIENT_MS);
}

static uint32_t calls_waiting(pipeport_client *client)
{
    uint32_t count = 0;
    pp_lock_take(&client->calls.lock);
    for (const pp_call *call = client->calls.first; call; call = call->next) {
        ++count;
    }
    pp_lock_give(&client->calls.lock);
    return count;
}

Test(callers, a_stop_ends_all_of_them)
{
    for (int i = 0; i < 30; ++i) {
        calls_caller callers[4];
        calls_open(2, calls_answer_some);
        atomic_store(&stage.asked, 0);
        pipeport_client *client = calls_client(i % 2 ? 10 : 0);
        calls_start(callers, 4, client, calls_body_wait);
        AWAIT(calls_waiting(client) == 4); /* None may begin after the stop. */
        AWAIT(stage.asked == 1);
        if (i % 3 == 2) {
            peer_stop(&stage.server, 0);
        }
        pipeport_client_stop(client, i % 3 ? 0 : 1000);
        calls_join(callers, 4);
        for (int j = 0; j < 4; ++j) {
            EXPECT(callers[j].status == PIPEPORT_STOPPED || (i % 3 == 2 && callers[j].status == PIPEPORT_GONE));
        }
        peer_stop(&stage.server, 0);
        rig_close(&stage.rig);
    }
}

Test(callers, an_end_of_the_engine_ends_all_of_them)
{
    for (int i = 0; i < 20; ++i) {
        calls_caller callers[4];
        calls_open(i % 2 ? PIPEPORT_HOST_THREADS : 2, calls_answer_some);
        pipeport_client *client = calls_client(i % 4 < 2 ? 10 : 0);
        calls_start(callers, 4, client, calls_body_wait);
        AWAIT(calls_waiting(client) == 4);
        rig_crash(&stage.rig);
        calls_join(callers, 4);
        for (int j = 0; j < 4; ++j) {
            EXPECT(callers[j].status == PIPEPORT_STOPPED);
        }
        expect_fine();
    }
}

static pipeport_stats calls_stats(pipeport_client *client)
{
    pipeport_stats stats = {.size = sizeof stats};
    EXPECT(pipeport_client_stats(client, &stats) == PIPEPORT_OK);
    return stats;
}

/* The server that begins answers, as all but what begins with an S. */
static void calls_meet(pipeport_client *client)
{
    pipeport_status status = calls_ask(client, "hello", PATIENT_MS);
#ifdef _WIN32
    if (status == PIPEPORT_GONE) { /* It may cut off once who comes too early (docs/WINDOWS.md). */
        status = calls_ask(client, "hello", PATIENT_MS);
    }
#endif
    EXPECT(status == PIPEPORT_OK);
}

Test(callers, a_server_that_dies_ends_the_call_and_the_next_finds_its_successor)
{
    system_child child;
    calls_caller caller;
    calls_open(2, NULL);
    cr_assert(system_spawn_victim(&child, "echo", stage.name));
    pipeport_client *client = calls_client(10); /* It may be there before its server. */
    calls_meet(client);
    uint64_t sent = calls_stats(client).bytes_sent;
    calls_start(&caller, 1, client, calls_body_wait);
    AWAIT(calls_stats(client).bytes_sent >= sent + 4 + 7);
    system_kill(&child);
    calls_join(&caller, 1);
    EXPECT(caller.status == PIPEPORT_GONE);
    uint64_t dials = calls_stats(client).dials;
    AWAIT(calls_stats(client).dials > dials + 1); /* One of them has failed. */
    EXPECT(calls_ask(client, "hello", 300) == PIPEPORT_NO_SERVER);
    cr_assert(system_spawn_victim(&child, "echo", stage.name));
    calls_meet(client);
    system_kill(&child);
    pipeport_client_stop(client, 0);
    rig_close(&stage.rig);
}

static void calls_ask_inside(test_peer *peer, pipeport_conn conn)
{
    (void) conn;
    EXPECT(calls_ask(peer->client, "hello", PATIENT_MS) == PIPEPORT_INVALID);
}

Test(callers, an_event_of_the_same_engine_cannot_wait_for_itself)
{
    test_peer peer = {.does = {.opened = calls_ask_inside}};
    calls_open(2, calls_answer);
    peer_dial(&peer, &stage.rig, stage.name, NULL);
    AWAIT(peer.opened == 1);
    EXPECT(calls_ask(peer.client, "hello", PATIENT_MS) == PIPEPORT_OK);
    EXPECT(peer.messages == 0);
    peer_stop(&peer, 0);
    peer_stop(&stage.server, 0);
    rig_close(&stage.rig);
}
