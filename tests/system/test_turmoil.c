/* SPDX-License-Identifier: MIT */
/*
 * test_turmoil.c - all that a server can be asked for, by everybody at once: visitors that end their sending, or leave
 * without a word, calls that give up, groups that are joined while their members close, lists of connections that are
 * long gone; some visitors are turned away, some are closed, some are paused. No event comes under another of the same
 * connection or after its `closed`, and all accounts balance.
 */
#include "engine/port/os.h"
#include "tests/support/expect.h"
#include "tests/support/random.h"
#include "tests/support/rig.h"
#include "tests/support/system.h"
#include "tests/support/threads.h"

#include <criterion/criterion.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

TestSuite(turmoil, .timeout = 280);

enum {
    VISITORS = 3,
    CALLERS = 3,
    SPEAKERS = 2,
    GROUPS = 4,
    NAMES = 256, /* Of connections, most of them gone. */
    PLACES = 12,
    QUEUE = 100000,
    LENGTH = 60000,
#ifdef _WIN32
    VISITS = 40 /* Wine's server is one thread. */
#else
    VISITS = 500
#endif
};

typedef struct turmoil_conn { /* A connection's state: from `opened` to `closed`. */
    uint64_t id, sent;
    _Atomic bool inside;
} turmoil_conn;

static struct {
    test_rig rig;
    pipeport_server *server;
    pipeport_client *client;
    pipeport_group *groups[GROUPS];
    _Atomic uint64_t names[NAMES];
    _Atomic uint64_t opened, closed, answered, turned_away;
    _Atomic uint32_t visiting;
} stage; /* Each test is a process of its own. */

static uint32_t turmoil_below(uint32_t end)
{
    static _Thread_local uint64_t random; /* No seed would bring the threads' order back. */
    random = random ? random : pp_os_jitter();
    return test_random_below(&random, end);
}

static pipeport_conn turmoil_name(void)
{
    return (pipeport_conn){atomic_load(&stage.names[turmoil_below(NAMES)])};
}

static pipeport_group *turmoil_group(void)
{
    return stage.groups[turmoil_below(GROUPS)];
}

/* ---- Events ---- */

static turmoil_conn *turmoil_enter(void *state, pipeport_conn name)
{
    turmoil_conn *conn = state;
    EXPECT(conn->id == name.id);
    EXPECT(!atomic_exchange(&conn->inside, true));
    return conn;
}

static bool turmoil_accept(void *user, const pipeport_peer *peer)
{
    (void) user;
    bool stays = turmoil_below(6) != 0;
    EXPECT(peer->process_id == system_pid());
    atomic_fetch_add(&stage.turned_away, !stays);
    return stays;
}

static void *turmoil_opened(void *user, pipeport_conn name)
{
    (void) user;
    turmoil_conn *conn = calloc(1, sizeof *conn);
    EXPECT(conn != NULL);
    conn->id = name.id;
    atomic_fetch_add(&stage.opened, 1);
    atomic_store(&stage.names[turmoil_below(NAMES)], name.id);
    for (uint32_t i = 0; i < 2; ++i) {
        pipeport_status status = pipeport_group_join(turmoil_group(), name);
        EXPECT(status == PIPEPORT_OK || status == PIPEPORT_GONE);
    }
    return conn;
}

static void turmoil_message(void *user, void *state, pipeport_conn name, const void *data, size_t length)
{
    (void) user;
    turmoil_conn *conn = turmoil_enter(state, name);
    pipeport_engine *engine = stage.rig.engine;
    switch (turmoil_below(20)) {
    case 0:
        (void) pipeport_close(engine, name, turmoil_below(2) ? PIPEPORT_DRAIN : PIPEPORT_ABORT);
        break;
    case 1:
        EXPECT(pipeport_pause(engine, name) == PIPEPORT_OK);
        break;
    case 2:
        (void) pipeport_group_join(turmoil_group(), name);
        break;
    case 3:
        (void) pipeport_group_leave(turmoil_group(), name);
        break;
    case 4:
        (void) pipeport_group_broadcast(turmoil_group(), data, length, NULL);
        break;
    case 5:
        (void) pipeport_broadcast(stage.server, data, length, NULL);
        break;
    default:
        (void) pipeport_send(engine, name, data, length);
        break;
    }
    atomic_store(&conn->inside, false);
}

static void turmoil_drained(void *user, void *state, pipeport_conn name)
{
    (void) user;
    turmoil_conn *conn = turmoil_enter(state, name);
    (void) pipeport_send(stage.rig.engine, name, "drained", 7);
    atomic_store(&conn->inside, false);
}

static void turmoil_sent(void *user, void *state, pipeport_conn name, uint64_t bytes)
{
    (void) user;
    turmoil_conn *conn = turmoil_enter(state, name);
    EXPECT(bytes > 0);
    conn->sent += bytes;
    atomic_store(&conn->inside, false);
}

static void turmoil_closed(void *user, void *state, pipeport_conn name, const pipeport_end *end)
{
    (void) user;
    turmoil_conn *conn = turmoil_enter(state, name);
    EXPECT(conn->sent == end->bytes_sent);
    EXPECT(end->why != PIPEPORT_OK || end->bytes_discarded == 0);
    EXPECT(pipeport_group_join(stage.groups[0], name) == PIPEPORT_GONE);
    EXPECT(pipeport_send(stage.rig.engine, name, "late", 4) == PIPEPORT_GONE);
    conn->id = 0; /* Who comes later finds it wrong, or a sanitizer finds him. */
    free(conn);
    atomic_fetch_add(&stage.closed, 1);
}

/* ---- Who comes ---- */

static void turmoil_visit(raw_client *client, uint8_t *frame)
{
    for (uint32_t count = turmoil_below(30); count > 0; --count) {
        uint32_t length = turmoil_below(turmoil_below(10) ? 50 : LENGTH);
        uint8_t header[4] = {length & 0xFF, length >> 8 & 0xFF};
        memcpy(frame, header, sizeof header);
        if (!raw_write(client, frame, 4 + length)) {
            return;
        }
    }
    if (turmoil_below(2) && raw_end(client) && turmoil_below(2)) { /* It may read what it is still sent, or some. */
        while (raw_read(client, frame, LENGTH) > 0 && turmoil_below(30)) {
        }
    }
}

static void turmoil_visitor(void *argument)
{
    (void) argument;
    uint8_t *frame = calloc(1, 4 + LENGTH);
    EXPECT(frame != NULL);
    for (uint32_t i = 0; i < VISITS; ++i) {
        raw_client client;
        EXPECT(raw_connect(&client, pipeport_server_address(stage.server)));
        turmoil_visit(&client, frame);
        raw_close(&client);
    }
    free(frame);
    atomic_fetch_sub(&stage.visiting, 1);
}

static void turmoil_caller(void *argument)
{
    (void) argument;
    char room[1000];
    while (stage.visiting || stage.answered == 0) { /* On a busy machine none may come in time while many visit. */
        pipeport_reply reply = {.data = room, .room = sizeof room};
        pipeport_status status = pipeport_client_call(stage.client, room, turmoil_below(sizeof room), &reply,
                                                      1 + turmoil_below(20));
        EXPECT(status != PIPEPORT_INVALID && status != PIPEPORT_STOPPED);
        atomic_fetch_add(&stage.answered, status == PIPEPORT_OK);
    }
}

/* ---- Who speaks, and who clears the way: a paused connection whose peer has left would keep its place ---- */

static void turmoil_speak_to_list(void)
{
    pipeport_conn list[64];
    uint32_t count = turmoil_below(64);
    for (uint32_t i = 0; i < count; ++i) {
        list[i] = turmoil_name();
    }
    EXPECT(pipeport_multicast(stage.server, &(pipeport_conns){list, count}, "list", 4, NULL) == PIPEPORT_OK);
}

static void turmoil_speak_built(void)
{
    pipeport_message *message = NULL;
    void *room = NULL;
    EXPECT(pipeport_message_create(&message, stage.rig.engine, NULL, 5, &room) == PIPEPORT_OK);
    memcpy(room, "built", 5);
    EXPECT(pipeport_group_broadcast_message(turmoil_group(), message, NULL) == PIPEPORT_OK);
    EXPECT(pipeport_broadcast_message(stage.server, message, NULL) == PIPEPORT_OK);
    (void) pipeport_send_message(stage.rig.engine, turmoil_name(), message);
    pipeport_message_release(message);
}

static void turmoil_clear_way(uint32_t one_of)
{
    pipeport_conn all[PLACES];
    size_t count = 0;
    pipeport_peer peer;
    EXPECT(pipeport_server_connections(stage.server, all, PLACES, &count) == PIPEPORT_OK);
    EXPECT(count <= PLACES);
    for (size_t i = 0; i < count; ++i) {
        pipeport_status status = pipeport_peer_of(stage.rig.engine, all[i], &peer);
        EXPECT(status != PIPEPORT_OK || peer.process_id == system_pid());
        if (turmoil_below(one_of) == 0) {
            (void) pipeport_close(stage.rig.engine, all[i], PIPEPORT_ABORT);
        }
    }
}

static void turmoil_speaker(void *argument)
{
    pp_gate never;
    (void) argument;
    pp_gate_init(&never, 1);
    while (stage.visiting || stage.answered == 0) { /* As long as somebody calls. */
        pipeport_conn name = turmoil_name();
        turmoil_speak_to_list();
        turmoil_speak_built();
        turmoil_clear_way(60);
        (void) pipeport_group_join(turmoil_group(), name);
        (void) pipeport_group_leave(turmoil_group(), turmoil_name());
        (void) pipeport_resume(stage.rig.engine, name);
        (void) pp_gate_wait(&never, 1);
    }
}

/* ---- All of it ---- */

static void turmoil_open(pipeport_when_full when_full)
{
    static const char *const names[GROUPS] = {"a", "b", "c", "d"};
    char name[RIG_NAME_BYTES];
    pipeport_options options = {.size = sizeof options,
                                .send_queue_bytes_max = QUEUE,
                                .message_bytes_max = LENGTH,
                                .connections_max = PLACES,
                                .connections_per_process_max = PLACES - 2,
                                .when_full = when_full,
                                .idle_ms = 500,
                                .reconnect_ms = 1,
                                .reconnect_max_ms = 10};
    pipeport_events events = {.size = sizeof events,
                              .opened = turmoil_opened,
                              .message = turmoil_message,
                              .drained = turmoil_drained,
                              .closed = turmoil_closed,
                              .accept = turmoil_accept,
                              .sent = turmoil_sent};
    rig_name(name);
    rig_open(&stage.rig, 3);
    cr_assert_eq(pipeport_server_start(&stage.server, stage.rig.engine, name, &options, &events), PIPEPORT_OK);
    for (uint32_t i = 0; i < GROUPS; ++i) {
        cr_assert_eq(pipeport_group_open(&stage.groups[i], stage.server, names[i]), PIPEPORT_OK);
    }
    cr_assert_eq(pipeport_client_start(&stage.client, stage.rig.engine, name, &options, NULL), PIPEPORT_OK);
}

static void turmoil_run(void)
{
    test_thread visitors[VISITORS], callers[CALLERS], speakers[SPEAKERS];
    atomic_store(&stage.visiting, VISITORS);
    for (uint32_t i = 0; i < VISITORS; ++i) {
        test_thread_start(&visitors[i], turmoil_visitor, NULL);
    }
    for (uint32_t i = 0; i < CALLERS; ++i) {
        test_thread_start(&callers[i], turmoil_caller, NULL);
    }
    for (uint32_t i = 0; i < SPEAKERS; ++i) {
        test_thread_start(&speakers[i], turmoil_speaker, NULL);
    }
    for (uint32_t i = 0; i < VISITORS; ++i) {
        test_thread_join(&visitors[i]);
    }
    for (uint32_t i = 0; i < CALLERS; ++i) {
        test_thread_join(&callers[i]);
    }
    for (uint32_t i = 0; i < SPEAKERS; ++i) {
        test_thread_join(&speakers[i]);
    }
}

/* Some that have left may still be on their way in. */
static bool turmoil_is_over(void)
{
    pipeport_stats stats = {.size = sizeof stats};
    turmoil_clear_way(1);
    EXPECT(pipeport_server_stats(stage.server, &stats) == PIPEPORT_OK);
    return stats.connections_open == 0 && stats.connections_opened == stage.closed &&
           stats.bytes_accepted == stats.bytes_sent + stats.bytes_discarded &&
           stats.accepts_refused >= stage.turned_away;
}

static bool turmoil_groups_are_empty(void)
{
    uint32_t members = 0;
    for (uint32_t i = 0; i < GROUPS; ++i) {
        uint32_t reached = 99;
        EXPECT(pipeport_group_broadcast(stage.groups[i], "x", 1, &reached) == PIPEPORT_OK);
        members += reached;
    }
    return members == 0;
}

static void turmoil_try(pipeport_when_full when_full)
{
    turmoil_open(when_full);
    turmoil_run();
    pipeport_client_stop(stage.client, 10);
    AWAIT(turmoil_is_over());
    AWAIT(turmoil_groups_are_empty());
    EXPECT(stage.opened > 0 && stage.answered > 0 && stage.turned_away > 0);
    pipeport_server_stop(stage.server, 0);
    EXPECT(stage.opened == stage.closed);
    rig_close(&stage.rig);
}

Test(turmoil, is_survived_where_full_queues_refuse)
{
    turmoil_try(PIPEPORT_REFUSE);
}

Test(turmoil, is_survived_where_full_queues_drop)
{
    turmoil_try(PIPEPORT_DROP_NEWEST);
}

Test(turmoil, is_survived_where_full_queues_disconnect)
{
    turmoil_try(PIPEPORT_DISCONNECT);
}
