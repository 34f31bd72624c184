/* SPDX-License-Identifier: MIT */
/*
 * fuzz_connection.c - a whole engine whose peers, system and user do what the fuzzer says; scene.h judges.
 *
 * The input: the options, then steps: what a peer sends, how that is cut, whether it reads or goes; how the system
 * answers (at once or late, in what portions, with what failures, with no memory); what the user does, also inside
 * events; how much time passes.
 */
#include "tests/fuzz/scene.h"

#include "engine/api/engine.h"
#include "tests/fuzz/choices.h"
#include "tests/support/fake_os.h"

enum scene_step {
    RUN,
    SETTLE,
    COME,
    PEER_SENDS,
    PEER_SENDS_MESSAGE,
    PEER_READS,
    PEER_GOES,
    HABITS,
    PASS,
    USER,
    STARVE,
    BREAK,
    DIAL,
    STOP,
    EAGER,
    STEPS
};
enum user_step { SEND, BROADCAST, PAUSE, RESUME, DRAIN, ABORT, HOLD, SEND_HELD, BROADCAST_HELD, RELEASE, USER_STEPS };

static fuzz_choices choices;

static uint32_t connection_length(void)
{
    uint32_t most = scene.options.message_bytes_max + 2;
    return fuzz_length(&choices, most < SCENE_MESSAGE_BYTES_MAX ? most : SCENE_MESSAGE_BYTES_MAX);
}

/* `conn` is NULL: nobody in particular. */
static void connection_user(scene_conn *conn)
{
    uint8_t choice = fuzz_byte(&choices);
    if (conn == NULL) {
        if (scene.count == 0) {
            return;
        }
        conn = &scene.conns[fuzz_byte(&choices) % scene.count];
    }
    switch ((enum user_step)(choice % USER_STEPS)) {
    case SEND:
        scene_send(conn, connection_length());
        return;
    case BROADCAST:
        scene_broadcast(connection_length());
        return;
    case PAUSE:
        scene_pause(conn, true);
        return;
    case RESUME:
        scene_pause(conn, false);
        return;
    case DRAIN:
        scene_close(conn, PIPEPORT_DRAIN);
        return;
    case ABORT:
        scene_close(conn, PIPEPORT_ABORT);
        return;
    case HOLD:
        scene_hold(connection_length());
        return;
    case SEND_HELD:
        scene_send_held(conn);
        return;
    case BROADCAST_HELD:
        scene_broadcast_held();
        return;
    case RELEASE:
        scene_release();
        return;
    case USER_STEPS:
        return;
    }
}

/* Inside an event: mostly about its own connection, now and then about another, seldom a stop. */
static void connection_inside(scene_conn *conn)
{
    uint8_t choice = fuzz_byte(&choices);
    if (choice >= 0xF8) {
        scene_stop(choice % (SCENE_CLIENTS_MAX + 1u), choice >= 0xFC ? 100 : 0);
    } else if (choice >= 0x40) {
        connection_user(choice >= 0xE0 ? NULL : conn);
    }
}

static void connection_peer_sends_message(fake_pipe *pipe)
{
    static uint8_t payload[SCENE_MESSAGE_BYTES_MAX];
    uint32_t length = connection_length();
    for (uint32_t i = 0; i < length; ++i) {
        payload[i] = (uint8_t) (i * 3 + pipe->arrived.length);
    }
    fake_peer_sends_message(pipe, payload, length);
}

static void connection_habits(fake_pipe *pipe)
{
    static const uint32_t portions[] = {UINT32_MAX, 1, 3, 4, 5, 100, 256, 65536};
    uint8_t choice = fuzz_byte(&choices);
    pipe->reads_later = choice & 1;
    pipe->writes_later = choice & 2;
    pipe->cancel_loses = choice & 4;
    pipe->read_bytes_max = portions[choice >> 3 & 7];
    pipe->write_bytes_max = portions[choice >> 5 & 7];
    uint8_t room = fuzz_byte(&choices);
    if (room != 0) {
        pipe->write_room = room == 0xFF ? UINT64_MAX : room - 1u;
    }
}

/* What happens to a pipe that is open, from outside. */
static void connection_pipe(enum scene_step step, fake_pipe *pipe)
{
    const uint8_t *raw = NULL;
    size_t length = 0;
    bool is_there = pipe->read_end.status == PIPEPORT_OK; /* Who has gone says nothing any more. */
    switch (step) {
    case PEER_SENDS:
        length = fuzz_raw(&choices, fuzz_byte(&choices) % 32u + 1u, &raw);
        if (is_there) {
            fake_peer_sends(pipe, raw, length);
        }
        return;
    case PEER_SENDS_MESSAGE:
        if (is_there) {
            connection_peer_sends_message(pipe);
        }
        return;
    case PEER_READS:
        fake_peer_reads(pipe, fuzz_length(&choices, 1 << 20));
        return;
    case PEER_GOES:
        fake_peer_goes(pipe);
        return;
    case HABITS:
        connection_habits(pipe);
        return;
    case BREAK:
        if (!is_there) {
            return;
        }
        scene.broken = true;
        if (fuzz_byte(&choices) & 1) {
            fake_fail_read(pipe, PIPEPORT_SYSTEM, 5);
        } else {
            fake_fail_write(pipe, PIPEPORT_SYSTEM, 5);
        }
        return;
    default:
        return;
    }
}

static void connection_step(void)
{
    uint8_t choice = fuzz_byte(&choices);
    enum scene_step step = choice % STEPS;
    uint8_t more = choice / STEPS; /* 0 to 17 */
    fake_pipe *pipe = fake.pipes_count != 0 ? &fake.pipes[more % fake.pipes_count] : NULL;
    switch (step) {
    case RUN:
        (void) pipeport_engine_run(scene.engine, 0);
        return;
    case SETTLE:
        scene_settle();
        return;
    case COME:
        if (fake.pipes_count < SCENE_CONNS_MAX - SCENE_CLIENTS_MAX * 2) {
            (void) fake_client_comes();
        }
        return;
    case PASS:
        (void) pipeport_engine_run(scene.engine, 1u << more % 16);
        return;
    case USER:
        connection_user(NULL);
        return;
    case STARVE:
        scene.starved = true;
        atomic_store(&scene.engine->hub.memory.fail_after, more > 8 ? UINT64_MAX : more);
        return;
    case DIAL:
        if (fake.pipes_count < SCENE_CONNS_MAX - SCENE_CLIENTS_MAX) {
            fake_say(&fake.dials, more > 12 ? PIPEPORT_BUSY : PIPEPORT_OK, fake.dials.count < 32);
            scene_dial(more % SCENE_CLIENTS_MAX);
        }
        return;
    case STOP:
        if (more > 8) { /* Most of the time there is more to be had from going on. */
            scene_stop(more % (SCENE_CLIENTS_MAX + 1u), more & 1 ? 1000 : 0);
        }
        return;
    case EAGER:
        scene.on_event = more > 6 ? connection_inside : NULL;
        return;
    default:
        if (pipe != NULL && pipe->is_open) {
            connection_pipe(step, pipe);
        }
        return;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    static const uint32_t messages[] = {300, 0, 1, 5, 70000, 256};
    static const uint32_t times[] = {0, 0, 0, 1, 50, 1000, UINT32_MAX};
    choices = (fuzz_choices){data, length};
    pipeport_options options = {.size = sizeof options};
    options.message_bytes_max = messages[fuzz_byte(&choices) % 6];
    if (options.message_bytes_max != 0) {
        options.send_queue_bytes_max = options.message_bytes_max + 4 + fuzz_byte(&choices) * 8u;
    } else {
        options.message_bytes_max = 1 << 20;
        options.send_queue_bytes_max = 4 << 20;
    }
    uint8_t bounds = fuzz_byte(&choices);
    options.accepts_pending = 1u + bounds % 3;
    options.connections_max = 1u + bounds / 16;
    options.first_message_ms = times[fuzz_byte(&choices) % 6];
    options.idle_ms = times[fuzz_byte(&choices) % 6];
    options.write_stall_ms = times[fuzz_byte(&choices) % 7];
    options.connect_ms = 20;
    scene_begin(&options);
    fake.not_shared = bounds & 8;
    fake.can_await = bounds & 4;
    while (choices.left != 0) {
        connection_step();
    }
    scene_end();
    return 0;
}
