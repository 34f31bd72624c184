/* SPDX-License-Identifier: MIT */
/* scene.c - see scene.h. First what the events tell, then what the user does, then the whole. */
#include "tests/fuzz/scene.h"

#include "engine/api/engine.h"
#include "engine/api/server.h"
#include "engine/base/assert.h"
#include "tests/fuzz/naive.h"
#include "tests/support/fake_os.h"
#include "tests/support/pattern.h"

#include <stdlib.h>
#include <string.h>

scene_record scene;

enum { SCENE_HEADER_BYTES = 4 };

static void scene_fill(uint8_t *payload, uint32_t serial, uint32_t length)
{
    for (uint32_t i = 0; i < length; ++i) {
        payload[i] = (uint8_t) (i < 4 ? serial >> 8 * i : serial * 5 + i);
    }
}

/* ---- What the engine tells ---- */

static scene_conn *scene_enter(void *state, pipeport_conn name)
{
    scene_conn *conn = state;
    PP_VERIFY(conn >= scene.conns && conn < scene.conns + scene.count);
    PP_VERIFY(conn->name.id == name.id);
    PP_VERIFY(!conn->inside && !conn->closed);
    PP_VERIFY(fake_os_locks == 0);
    conn->inside = true;
    return conn;
}

static void scene_leave(scene_conn *conn)
{
    if (scene.on_event != NULL) {
        scene.on_event(conn);
    }
    conn->inside = false;
}

static void *scene_opened(void *user, pipeport_conn name)
{
    (void) user;
    PP_VERIFY(fake_os_locks == 0);
    PP_VERIFY(scene.count < SCENE_CONNS_MAX);
    for (unsigned i = 0; i < scene.count; ++i) {
        PP_VERIFY(scene.conns[i].name.id != name.id);
    }
    scene_conn *conn = &scene.conns[scene.count++];
    pp_conn *pinned = pp_conn_pin(&scene.engine->hub, name.id);
    PP_VERIFY(pinned != NULL);
    *conn = (scene_conn){.name = name, .pipe = &fake.pipes[pinned->pipe.handle], .inside = true};
    pp_conn_unpin(pinned, pp_pool_here(&scene.engine->hub.pool));
    scene.open += 1;
    scene_leave(conn);
    return conn;
}

/* What the peer's bytes have to say next. */
static naive_verdict scene_due(const scene_conn *conn, naive_frame *frame)
{
    return naive_look(conn->pipe->arrived.data, conn->pipe->arrived_at, conn->at, scene.options.message_bytes_max,
                      frame);
}

static void scene_message(void *user, void *state, pipeport_conn name, const void *data, size_t length)
{
    (void) user;
    scene_conn *conn = scene_enter(state, name);
    naive_frame frame;
    PP_VERIFY(scene_due(conn, &frame) == NAIVE_MESSAGE);
    PP_VERIFY(data != NULL && length == frame.payload_bytes);
    PP_VERIFY(length == 0 || memcmp(data, conn->pipe->arrived.data + frame.payload_at, length) == 0);
    PP_VERIFY(!conn->paused && !conn->drained_asked && !conn->aborted);
    conn->at += frame.frame_bytes;
    scene_leave(conn);
}

static void scene_drained(void *user, void *state, pipeport_conn name)
{
    (void) user;
    scene_conn *conn = scene_enter(state, name);
    conn->drains += 1;
    PP_VERIFY(conn->drains <= conn->fulls);
    scene_leave(conn);
}

static bool scene_is_sent(const scene_conn *conn, unsigned at, const uint8_t *payload, uint64_t length)
{
    static uint8_t expected[SCENE_MESSAGE_BYTES_MAX];
    if (conn->sent[at].length != length) {
        return false;
    }
    scene_fill(expected, conn->sent[at].serial, conn->sent[at].length);
    return length == 0 || memcmp(expected, payload, length) == 0;
}

/* All that is written must be what was sent, in order, with nothing left out that had to come. A broadcast may have
 * passed by, so there can be more than one way to read it: `can_be[i]` says whether the messages so far can have been
 * sent[0] to sent[i - 1]. `all`: nothing may be left at the end. */
static void scene_judge_written(const scene_conn *conn, bool all)
{
    bool can_be[SCENE_SENDS_MAX + 1] = {true}, next[SCENE_SENDS_MAX + 1];
    const test_bytes *written = &conn->pipe->written;
    naive_frame frame;
    for (size_t at = 0; naive_look(written->data, written->length, at, UINT32_MAX, &frame) == NAIVE_MESSAGE;
         at += frame.frame_bytes) {
        bool possible = false;
        memset(next, 0, sizeof next);
        for (unsigned i = 0; i < conn->sent_count; ++i) {
            can_be[i + 1] |= can_be[i] && !conn->sent[i].must;
            if (can_be[i] && scene_is_sent(conn, i, written->data + frame.payload_at, frame.payload_bytes)) {
                possible = next[i + 1] = true;
            }
        }
        PP_VERIFY(possible);
        memcpy(can_be, next, sizeof can_be);
    }
    if (all) {
        for (unsigned i = 0; i < conn->sent_count; ++i) {
            can_be[i + 1] |= can_be[i] && !conn->sent[i].must;
        }
        PP_VERIFY(can_be[conn->sent_count]);
        PP_VERIFY(frame.payload_at - 4 == written->length); /* And no part of one behind them. */
    }
}

static void scene_judge_end(const scene_conn *conn, pipeport_status why)
{
    naive_frame frame;
    naive_verdict due = scene_due(conn, &frame);
    bool listened = !conn->drained_asked && !conn->aborted && !scene.stopping;
    switch (why) {
    case PIPEPORT_OK:
        PP_VERIFY(conn->drained_asked || scene.stopping);
        break;
    case PIPEPORT_STOPPED:
        PP_VERIFY(conn->aborted || scene.stopping);
        break;
    case PIPEPORT_GONE:
        PP_VERIFY(conn->pipe->read_end.status == PIPEPORT_GONE || conn->pipe->write_end.status == PIPEPORT_GONE);
        PP_VERIFY(!listened || (due == NAIVE_MORE && conn->pipe->arrived_at == conn->pipe->arrived.length));
        break;
    case PIPEPORT_BAD_PEER:
        PP_VERIFY(due == NAIVE_REFUSED);
        break;
    case PIPEPORT_TIMED_OUT:
        PP_VERIFY(scene.options.first_message_ms != 0 || scene.options.idle_ms != 0 || scene.stopping);
        break;
    case PIPEPORT_SLOW_PEER:
        PP_VERIFY(scene.options.write_stall_ms != UINT32_MAX);
        break;
    case PIPEPORT_NO_MEMORY:
        PP_VERIFY(scene.starved);
        break;
    case PIPEPORT_SYSTEM:
        PP_VERIFY(scene.broken);
        break;
    case PIPEPORT_INVALID:
    case PIPEPORT_NAME_TAKEN:
    case PIPEPORT_NO_SERVER:
    case PIPEPORT_BUSY:
    case PIPEPORT_DENIED:
    case PIPEPORT_TOO_LARGE:
    case PIPEPORT_FULL:
    case PIPEPORT_UNSUPPORTED:
    case PIPEPORT_WRONG_TYPE:
        PP_VERIFY(false);
    }
}

static void scene_closed(void *user, void *state, pipeport_conn name, const pipeport_end *end)
{
    (void) user;
    scene_conn *conn = scene_enter(state, name);
    PP_VERIFY(end->bytes_received == conn->pipe->arrived_at);
    PP_VERIFY(end->bytes_sent == conn->pipe->written.length);
    PP_VERIFY(end->why != PIPEPORT_OK || end->bytes_discarded == 0);
    scene_judge_written(conn, end->why == PIPEPORT_OK);
    scene_judge_end(conn, end->why);
    uint64_t least = 0, most = 0;
    for (unsigned i = 0; i < conn->sent_count; ++i) {
        most += conn->sent[i].length + SCENE_HEADER_BYTES;
        least += conn->sent[i].must ? conn->sent[i].length + SCENE_HEADER_BYTES : 0;
    }
    PP_VERIFY(least <= end->bytes_sent + end->bytes_discarded && end->bytes_sent + end->bytes_discarded <= most);
    scene.settled += end->bytes_sent + end->bytes_discarded;
    scene.open -= 1;
    scene_leave(conn);
    conn->closed = true;
}

static void scene_failed(void *user, pipeport_status why, long system_code)
{
    (void) system_code;
    unsigned *fails = user;
    PP_VERIFY(fake_os_locks == 0);
    PP_VERIFY(why != PIPEPORT_OK && *fails == 0);
    *fails += 1;
}

/* ---- What the user does ---- */

static void scene_note(scene_conn *conn, uint32_t serial, uint32_t length, bool must)
{
    PP_VERIFY(conn->sent_count < SCENE_SENDS_MAX);
    conn->sent[conn->sent_count++] = (scene_sent){serial, length, must};
}

/* Before the call: what it pushes may be written, and the connection closed, inside. */
static bool scene_can_note(const scene_conn *conn)
{
    return conn->sent_count < SCENE_SENDS_MAX;
}

static void scene_answered(scene_conn *conn, pipeport_status status, uint32_t length)
{
    bool gone = conn->closed || conn->drained_asked || conn->aborted;
    PP_VERIFY(!gone || status == PIPEPORT_GONE || status == PIPEPORT_TOO_LARGE || status == PIPEPORT_NO_MEMORY);
    PP_VERIFY((status == PIPEPORT_TOO_LARGE) <= (length > scene.options.message_bytes_max));
    PP_VERIFY(status != PIPEPORT_NO_MEMORY || scene.starved);
    if (status == PIPEPORT_OK) {
        PP_VERIFY(length <= scene.options.message_bytes_max);
        conn->sent[conn->sent_count - 1].must = true;
        scene.accepted += length + SCENE_HEADER_BYTES;
        return;
    }
    conn->fulls += status == PIPEPORT_FULL;
    conn->sent_count -= 1;
}

void scene_send(scene_conn *conn, uint32_t length)
{
    static uint8_t payload[SCENE_MESSAGE_BYTES_MAX];
    if (scene_can_note(conn)) {
        scene_fill(payload, ++scene.serial, length);
        scene_note(conn, scene.serial, length, false);
        scene_answered(conn, pipeport_send(scene.engine, conn->name, payload, length), length);
    }
}

void scene_hold(uint32_t length)
{
    void *data = NULL;
    if (scene.held == NULL && pipeport_message_create(&scene.held, scene.engine, NULL, length, &data) == PIPEPORT_OK) {
        scene.held_serial = ++scene.serial;
        scene.held_length = length;
        scene_fill(data, scene.held_serial, length);
    }
}

void scene_release(void)
{
    pipeport_message_release(scene.held);
    scene.held = NULL;
}

void scene_send_held(scene_conn *conn)
{
    if (scene.held != NULL && scene_can_note(conn)) {
        scene_note(conn, scene.held_serial, scene.held_length, false);
        scene_answered(conn, pipeport_send_message(scene.engine, conn->name, scene.held), scene.held_length);
    }
}

/* Notes the message for everybody who may get it. False: somebody's book is full. */
static bool scene_note_all(uint32_t serial, uint32_t length)
{
    for (unsigned i = 0; i < scene.count; ++i) {
        if (!scene.conns[i].closed && !scene_can_note(&scene.conns[i])) {
            return false;
        }
    }
    for (unsigned i = 0; i < scene.count; ++i) {
        if (!scene.conns[i].closed) {
            scene.conns[i].fulls += 1; /* It may have met a full queue. */
            scene_note(&scene.conns[i], serial, length, false);
        }
    }
    return true;
}

static void scene_broadcast_answered(pipeport_status status, uint32_t reached, uint32_t length)
{
    PP_VERIFY(status == PIPEPORT_OK || status == PIPEPORT_TOO_LARGE || status == PIPEPORT_NO_MEMORY);
    PP_VERIFY((status == PIPEPORT_TOO_LARGE) == (length > scene.options.message_bytes_max));
    PP_VERIFY(status != PIPEPORT_NO_MEMORY || scene.starved);
    PP_VERIFY(reached <= scene.open);
    scene.accepted += (uint64_t) reached * (length + SCENE_HEADER_BYTES);
}

void scene_broadcast(uint32_t length)
{
    static uint8_t payload[SCENE_MESSAGE_BYTES_MAX];
    if (scene.server != NULL && scene_note_all(++scene.serial, length)) {
        uint32_t reached = 0;
        scene_fill(payload, scene.serial, length);
        pipeport_status status = pipeport_broadcast(scene.server, payload, length, &reached);
        scene_broadcast_answered(status, reached, length);
    }
}

void scene_broadcast_held(void)
{
    if (scene.server != NULL && scene.held != NULL && scene_note_all(scene.held_serial, scene.held_length)) {
        uint32_t reached = 0;
        pipeport_status status = pipeport_broadcast_message(scene.server, scene.held, &reached);
        scene_broadcast_answered(status, reached, scene.held_length);
    }
}

void scene_close(scene_conn *conn, pipeport_closing how)
{
    bool is_first = how == PIPEPORT_DRAIN ? !conn->drained_asked && !conn->aborted : !conn->aborted;
    pipeport_status status = pipeport_close(scene.engine, conn->name, how);
    PP_VERIFY(status == PIPEPORT_OK || status == PIPEPORT_GONE);
    PP_VERIFY(status == PIPEPORT_GONE || (is_first && !conn->closed));
    if (status == PIPEPORT_OK) {
        conn->drained_asked |= how == PIPEPORT_DRAIN;
        conn->aborted |= how == PIPEPORT_ABORT;
    }
}

void scene_pause(scene_conn *conn, bool paused)
{
    pipeport_status status = paused ? pipeport_pause(scene.engine, conn->name)
                                    : pipeport_resume(scene.engine, conn->name);
    PP_VERIFY(status == (conn->closed ? PIPEPORT_GONE : status));
    if (status == PIPEPORT_OK) {
        conn->paused = paused;
    }
}

static const pipeport_events scene_events = {.size = sizeof(pipeport_events),
                                             .opened = scene_opened,
                                             .message = scene_message,
                                             .drained = scene_drained,
                                             .closed = scene_closed,
                                             .failed = scene_failed};

void scene_stop(unsigned which, uint32_t drain_ms)
{
    pipeport_server *server = scene.server;
    scene.stopping = true;
    if (which == SCENE_CLIENTS_MAX) {
        scene.server = NULL;
        pipeport_server_stop(server, drain_ms);
        return;
    }
    pipeport_client *client = scene.clients[which];
    scene.clients[which] = NULL;
    pipeport_client_stop(client, drain_ms);
}

void scene_dial(unsigned which)
{
    if (scene.clients[which] == NULL && scene.fails[which] == 0) {
        pipeport_events events = scene_events;
        events.user = &scene.fails[which];
        (void) pipeport_client_start(&scene.clients[which], scene.engine, "scene", &scene.options, &events);
    }
}

/* ---- The whole ---- */

/* The system's time passes; what it was asked to cancel and did not hear comes back at last. */
static void scene_waits(uint32_t ms)
{
    fake_os_pass(ms);
    for (unsigned i = 0; i < fake.pipes_count; ++i) {
        fake_pipe *pipe = &fake.pipes[i];
        if (pipe->is_open && pipe->cancels != 0) {
            fake_peer_goes(pipe);
        }
    }
}

static void scene_log(void *user, const char *line)
{
    (void) user;
    PP_VERIFY(fake_os_locks == 0);
    PP_VERIFY(strstr(line, "never given back") == NULL);
}

void scene_begin(const pipeport_options *options)
{
    memset(&scene, 0, sizeof scene);
    fake_reset();
    fake.waits = scene_waits;
    fake_os_ms = 1000;
    scene.options = *options;
    pipeport_engine_options engine_options = {
        .size = sizeof engine_options, .workers = PIPEPORT_HOST_THREADS, .log = scene_log};
    PP_VERIFY(pipeport_engine_create(&scene.engine, &engine_options) == PIPEPORT_OK);
    PP_VERIFY(pipeport_server_start(&scene.server, scene.engine, "scene", options, &scene_events) == PIPEPORT_OK);
}

/* Nothing is under way and nobody holds it back: then all that came was told, and all that was sent is written. */
static void scene_judge_quiet(const scene_conn *conn)
{
    if (conn->closed || scene.starved || scene.stopping || conn->drained_asked || conn->aborted) {
        return;
    }
    const fake_pipe *pipe = conn->pipe;
    naive_frame frame;
    if (pipe->cancels != 0) { /* The engine has ended it and waits for what does not hear. */
        return;
    }
    if (!conn->paused) {
        PP_VERIFY(pipe->arrived_at == pipe->arrived.length);
        PP_VERIFY(pipe->read_end.status == PIPEPORT_OK);
        PP_VERIFY(scene_due(conn, &frame) == NAIVE_MORE);
    }
    if (pipe->write.op == NULL && pipe->write_end.status == PIPEPORT_OK) {
        scene_judge_written(conn, true);
    }
}

void scene_settle(void)
{
    do {
        PP_VERIFY(pipeport_engine_run(scene.engine, 0) == PIPEPORT_OK);
    } while (fake_port_waiting() != 0);
    pp_deadlines_check(&scene.engine->hub.deadlines);
    (void) pp_roster_check(&scene.engine->hub.roster);
    if (scene.server != NULL) {
        pp_listener_check(&scene.server->listener);
        (void) pp_group_check(&scene.server->members);
    }
    for (unsigned i = 0; i < scene.count; ++i) {
        scene_judge_quiet(&scene.conns[i]);
    }
}

void scene_end(void)
{
    scene.on_event = NULL;
    atomic_store(&scene.engine->hub.memory.fail_after, UINT64_MAX);
    scene_settle();
    scene_release();
    scene.stopping = true;
    PP_VERIFY(pipeport_engine_destroy(scene.engine) == PIPEPORT_OK);
    PP_VERIFY(fake.armed == fake.done);
    PP_VERIFY(fake_pipes_open() == 0 && fake.ears_open == 0 && fake.ports_open == 0);
    PP_VERIFY(fake_os_locks == 0);
    PP_VERIFY(scene.open == 0);
    PP_VERIFY(scene.accepted == scene.settled);
    for (unsigned i = 0; i < scene.count; ++i) {
        PP_VERIFY(scene.conns[i].closed);
    }
    fake_reset();
}
