/* SPDX-License-Identifier: MIT */
/* user.c - see user.h. */
#include "tests/sim/user.h"

#include "engine/api/server.h"
#include "tests/sim/flow.h"
#include "tests/sim/trace.h"
#include "tests/sim/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { USER_HEAD_MAX = 80 }; /* Of a frame. */

sim_habits sim_users;
uint32_t sim_users_busy;
uint64_t sim_waits_since_ns[SIM_THREADS_MAX];

static uint32_t user_clients; /* Started. */

void sim_users_begin(void)
{
    sim_users_busy = user_clients = 0;
    memset(sim_waits_since_ns, 0, sizeof sim_waits_since_ns);
}

/* ---- Sending ---- */

uint32_t sim_user_length(const sim_dialect *dialect)
{
    uint32_t most = sim_message_bytes_max;
    uint32_t kind = sim_below(100);
    uint32_t length = kind < 60   ? sim_below(200)
                      : kind < 88 ? sim_below(3000)
                      : kind < 95 ? sim_below(20000)
                      : kind < 97 ? sim_below(most + 1)
                      : kind < 99 ? most - sim_below(most < 8 ? most : 8)
                                  : most + 1 + sim_below(10);
    length = kind < 99 && length > most ? sim_below(most + 1) : length;
    if (kind == 99) {
        return length;
    }
    if (dialect->rule.kind == PP_FRAMING_NONE) {
        return sim_below(64) ? sim_dialect_fit(dialect, length) : 0;
    }
    return sim_below(32) ? sim_dialect_fit(dialect, length) : length;
}

static bool user_is_mute(const sim_conn *conn)
{
    return sim_dialect_is_mute(conn->party->dialect, conn->party->is_server);
}

static void user_note_send(sim_conn *conn, uint32_t length, pipeport_status status)
{
    conn->party->sending--;
    (void) sim_met(SIM_AT_SEND, status);
    switch (status) {
    case PIPEPORT_OK:
        conn->accepted += sim_dialect_frame_bytes(conn->party->dialect, length);
        return;
    case PIPEPORT_TOO_LARGE:
    case PIPEPORT_INVALID:
    case PIPEPORT_UNSUPPORTED:
        return;
    case PIPEPORT_NO_MEMORY:
        SIM_MUST(sim.allocations_refused > 0);
        return;
    case PIPEPORT_FULL:
        SIM_MUST(conn->party->options.when_full != PIPEPORT_DISCONNECT);
        conn->party->full++;
        return;
    case PIPEPORT_GONE:
        return;
    default:
        sim_fail("a send answered %d", status);
    }
}

/* Nothing where a world has said almost all that there is room to judge: it comes to its end. */
static void user_send_length(sim_conn *conn, uint32_t length)
{
    if (sim_offers_count > SIM_OFFERS_MAX - SIM_OFFERS_MAX / 10) {
        return;
    }
    uint8_t *data = malloc(length + 1);
    SIM_MUST(data != NULL);
    bool was_closed = conn->close_done;
    uint32_t drained = conn->drained;
    uint32_t serial = sim_judge_offer(conn->party->dialect, conn, NULL, data, length);
    conn->party->sending++;
    pipeport_status status = pipeport_send(conn->party->engine->engine, conn->name, data, length);
    memset(data, 0xEE, length);
    free(data);
    sim_judge_answer(serial, status);
    user_note_send(conn, length, status);
    sim_judge_admission(serial, status, user_is_mute(conn));
    if (was_closed && (status == PIPEPORT_OK || status == PIPEPORT_FULL)) {
        sim_fail("a send after a close answered %d (link %u)", status, conn->link->number);
    }
    if (status == PIPEPORT_FULL && drained == conn->drained) {
        conn->starved = true;
    }
}

/* Built in place; to one or, never the same one twice, to some. */
static void user_send_built(sim_conn *conn)
{
    sim_engine *engine = conn->party->engine;
    pipeport_message *message = NULL;
    void *data = NULL;
    const sim_dialect *dialect = conn->party->dialect;
    uint32_t length = sim_user_length(dialect);
    pipeport_status created = sim_dialect_creates(dialect, length);
    const pipeport_framing *framing = dialect->framing.kind == PIPEPORT_FRAMING_DEFAULT ? NULL : &dialect->framing;
    pipeport_status status = pipeport_message_create(&message, engine->engine, framing, length, &data);
    if (sim_met(SIM_AT_MESSAGE_CREATE, status) != PIPEPORT_OK) {
        SIM_MUST(status == PIPEPORT_NO_MEMORY ? sim.allocations_refused > 0 : status == created);
        return;
    }
    SIM_MUST(created == PIPEPORT_OK);
    uint32_t serial = sim_judge_offer(dialect, NULL, NULL, data, length);
    for (uint32_t i = (uint32_t) (conn - sim_conns), left = 1 + sim_below(3); i < sim_conns_count && left > 0; i++) {
        sim_conn *to = &sim_conns[i];
        if (to->party->engine == engine) {
            left--;
            to->party->sending++;
            status = pipeport_send_message(engine->engine, to->name, message);
            user_note_send(to, length, status);
            if (sim_dialect_is_like(dialect, to->party->dialect)) {
                sim_judge_admission(serial, status, user_is_mute(to));
            } else {
                SIM_MUST(status == PIPEPORT_INVALID || status == PIPEPORT_GONE);
            }
        }
    }
    pipeport_message_release(message);
}

/* ---- One connection ---- */

static void user_close(sim_conn *conn, pipeport_closing how, bool inside)
{
    if (how == PIPEPORT_DRAIN) {
        conn->drain_asked = true;
    } else {
        conn->abort_asked = true;
    }
    pipeport_status status = pipeport_close(conn->party->engine->engine, conn->name, how);
    sim_trace("close: link, how, status", conn->link->number, how, status);
    (void) sim_met(SIM_AT_CLOSE, status);
    if (status == PIPEPORT_OK) {
        conn->close_done = true;
        conn->closed_inside = conn->closed_inside || inside;
    }
}

static void user_pause(sim_conn *conn, bool inside)
{
    uint32_t resumes = conn->resumes;
    bool alone = conn->resuming == 0; /* Else who knows which of the two came last. */
    pipeport_status status = pipeport_pause(conn->party->engine->engine, conn->name);
    sim_trace("pause: link, side, status", conn->link->number, conn->side, status);
    if (sim_met(SIM_AT_PAUSE, status) != PIPEPORT_OK) {
        return;
    }
    conn->was_paused = true;
    if (alone && resumes == conn->resumes && !conn->paused) {
        conn->paused = true;
        conn->pause_grace = inside ? 0 : 1;
    }
}

static void user_resume(sim_conn *conn)
{
    conn->resumes++;
    conn->resuming++;
    conn->paused = false;
    pipeport_status status = pipeport_resume(conn->party->engine->engine, conn->name);
    conn->resuming--;
    sim_trace("resume: link, side, status", conn->link->number, conn->side, status);
    (void) sim_met(SIM_AT_PAUSE, status);
}

/* ---- Parties ---- */

void sim_user_stop(sim_party *party, bool inside)
{
    if (!party->started || party->stopping || party->finished || (inside && party->busy)) {
        return;
    }
    party->drain_ms = sim_below(2) ? 0 : 1 + sim_below(3000);
    party->drains = party->drain_ms != 0;
    party->stopping = true;
    party->stopping_ns = sim_now_ns();
    while (party->busy) {
        sim_sleep_ns(1000000);
    }
    sim_trace("stop: party, drain_ms, inside", (uint64_t) (party - sim_parties), party->drain_ms, inside);
    sim_waits_since_ns[sim_self()] = inside ? 0 : sim_now_ns();
    if (party->is_server) {
        pipeport_server_stop(party->server, party->drain_ms);
    } else {
        pipeport_client_stop(party->client, party->drain_ms);
    }
    sim_waits_since_ns[sim_self()] = 0;
    if (!inside && !party->finished) {
        sim_fail("a stop returned before everything was closed");
    }
}

static uint32_t user_sometimes(uint32_t else_what, uint32_t below)
{
    return sim_below(4) ? else_what : 1 + sim_below(below);
}

static sim_party *user_new_party(sim_engine *engine, bool is_server, uint32_t number)
{
    if (sim_parties_count == SIM_PARTIES_MAX || !engine->engine) {
        return NULL;
    }
    sim_party *party = &sim_parties[sim_parties_count++];
    *party = (sim_party){.engine = engine, .is_server = is_server};
    snprintf(party->name, sizeof party->name, "server-%u", number);
    const sim_dialect *dialect = sim_dialect_of(party->name);
    if (!is_server && sim_below(10) == 0) { /* It will not be let in. */
        dialect = sim_dialect_other(dialect);
    }
    party->dialect = dialect;
    bool is_deaf = sim_dialect_is_deaf(dialect, is_server);
    uint32_t queue = sim_message_bytes_max + (dialect->framing.kind ? USER_HEAD_MAX : 4);
    party->options = (pipeport_options){.size = sizeof party->options,
                                        .framing = dialect->framing,
                                        .direction = dialect->direction,
                                        .connections_max = user_sometimes(255, 6),
                                        .accepts_pending = 1 + sim_below(8),
                                        .message_bytes_max = sim_message_bytes_max,
                                        .send_queue_bytes_max = queue + sim_below(2) * sim_below(4 * queue),
                                        .first_message_ms = is_deaf ? 0 : user_sometimes(0, 500),
                                        .idle_ms = is_deaf ? 0 : user_sometimes(0, 1000),
                                        .write_stall_ms = user_sometimes(UINT32_MAX, 2000),
                                        .connect_ms = 1 + sim_below(500),
                                        .when_full = sim_below(3) ? PIPEPORT_REFUSE : sim_below(3),
                                        .pipe_buffer_bytes = 512 + sim_below(100000)};
    party->hears_sent = sim_below(2);
    if (is_server) {
        party->asks = sim_below(2);
        party->options.connections_per_process_max = user_sometimes(0, 6);
        party->options.connections_per_user_max = user_sometimes(0, 8);
    }
    if (!is_server && sim_below(2)) {
        party->options.reconnect_ms = 1 + sim_below(400);
        party->options.reconnect_max_ms = party->options.reconnect_ms + sim_below(2000);
    }
    char why[PIPEPORT_TEXT_BYTES];
    if (pipeport_options_check(&party->options, is_server ? PIPEPORT_SERVER : PIPEPORT_CLIENT, why, sizeof why)) {
        sim_fail("options within their bounds are refused: %s", why);
    }
    return party;
}

bool sim_user_serve(sim_engine *engine, uint32_t number)
{
    sim_party *party = user_new_party(engine, true, number);
    if (!party) {
        return false;
    }
    pipeport_events events = sim_events_of(party);
    pipeport_status status = pipeport_server_start(&party->server, engine->engine, party->name, &party->options,
                                                   &events);
    sim_trace("server_start: party, status", (uint64_t) (party - sim_parties), status, 0);
    party->started = status == PIPEPORT_OK;
    return sim_met(SIM_AT_SERVER_START, status) == PIPEPORT_OK;
}

bool sim_user_dial(sim_engine *engine, uint32_t number)
{
    sim_party *party = user_clients < sim_users.clients_max ? user_new_party(engine, false, number) : NULL;
    if (!party) {
        return false;
    }
    user_clients++;
    pipeport_events events = sim_events_of(party);
    pipeport_status status = pipeport_client_start(&party->client, engine->engine, party->name, &party->options,
                                                   &events);
    sim_trace("client_start: party, status", (uint64_t) (party - sim_parties), status, 0);
    if (status != PIPEPORT_OK && party->opened) {
        sim_fail("a client's start failed with %d, and yet it was opened", status);
    }
    party->started = status == PIPEPORT_OK;
    return sim_met(SIM_AT_CLIENT_START, status) == PIPEPORT_OK;
}

/* What keeps a connection's turn busy. */
static void user_poke(sim_conn *conn)
{
    for (uint32_t i = sim_below(30); i > 0; i--) {
        user_pause(conn, false);
        user_resume(conn);
    }
}

/* ---- Acts ---- */

/* Mostly one that is open, so that stale ones are met and not much else is missed. */
static sim_conn *user_some_conn(void)
{
    if (sim_conns_count == 0) {
        return NULL;
    }
    sim_conn *conn = &sim_conns[sim_below(sim_conns_count)];
    for (int tries = 0; tries < 20 && conn->is_closed && sim_below(16); tries++) {
        conn = &sim_conns[sim_below(sim_conns_count)];
    }
    return conn;
}

/* Some in one event, not all to the server that it is of. */
static void user_broadcast_some(const sim_conn *conn)
{
    for (uint32_t i = 1 + sim_below(4); i > 0; i--) {
        sim_user_broadcast(sim_below(4) ? conn->party : &sim_parties[sim_below(sim_parties_count)]);
    }
}

static void user_act_on(sim_conn *conn, bool inside)
{
    uint32_t act = sim_below(65536);
    if (act < sim_users.closes) {
        user_close(conn, sim_below(2) ? PIPEPORT_DRAIN : PIPEPORT_ABORT, inside);
    } else if ((act -= sim_users.closes) < sim_users.pauses) {
        if (conn->paused || sim_below(3) == 0) {
            user_resume(conn);
        } else {
            user_pause(conn, inside);
        }
    } else if ((act -= sim_users.pauses) < sim_users.broadcasts) {
        user_broadcast_some(conn);
    } else if ((act -= sim_users.broadcasts) < sim_users.groups) {
        sim_user_gather(conn);
    } else if ((act -= sim_users.groups) < sim_users.stops) {
        sim_user_stop(conn->party, inside);
    } else if (sim_below(12) == 0) {
        user_send_built(conn);
    } else {
        for (uint32_t i = 1 + sim_below(sim_users.burst_max); i > 0; i--) {
            user_send_length(conn, sim_user_length(conn->party->dialect));
        }
    }
}

void sim_user_answer(sim_conn *conn, size_t length)
{
    user_send_length(conn, sim_dialect_fit(conn->party->dialect, (uint32_t) length));
}

void sim_user_act_late(sim_conn *conn)
{
    if (sim_below(2)) {
        sim_user_broadcast(conn->party);
        sim_user_gather(conn);
    } else if (sim_below(2)) {
        (void) sim_user_dial(conn->party->engine, sim_below(sim_users.servers));
    } else {
        (void) sim_user_serve(conn->party->engine, sim_below(sim_users.servers + 2));
    }
}

void sim_user_act_at_the_door(sim_party *party)
{
    uint32_t kind = sim_below(16);
    if (kind == 0) {
        sim_user_stop(party, true);
    } else if (kind < 8) {
        sim_user_broadcast(party);
    } else {
        sim_user_look_at_connections(party);
    }
}

void sim_user_act_inside(sim_conn *conn)
{
    uint32_t kind = sim_below(32);
    if (kind == 0) {
        SIM_MUST(sim_met(SIM_AT_RUN, pipeport_engine_run(conn->party->engine->engine, 1)) == PIPEPORT_INVALID);
    } else if (kind == 1) {
        pipeport_status status = pipeport_engine_destroy(conn->party->engine->engine);
        SIM_MUST(sim_met(SIM_AT_DESTROY, status) == PIPEPORT_INVALID);
    } else if (kind == 2) { /* STOPPED, should the engine be going. */
        (void) sim_user_dial(conn->party->engine, sim_below(sim_users.servers));
    } else if (kind == 3) {
        (void) sim_user_serve(conn->party->engine, sim_below(sim_users.servers + 2));
    } else {
        user_act_on(conn, true);
    }
}

/* A client, and mostly one that has no connection just now, if there is any: else calls would hardly meet refusals. */
static void user_ask(void)
{
    bool idle = sim_below(3) != 0;
    sim_party *party = NULL;
    for (int tries = 0; tries < 12 && sim_parties_count > 0; tries++) {
        sim_party *other = &sim_parties[sim_below(sim_parties_count)];
        bool is_client = !other->is_server && other->started && !other->stopping && !other->finished;
        bool waits = is_client && other->options.reconnect_ms && other->opened == other->closed;
        party = is_client ? other : party;
        if (is_client && (!idle || waits)) {
            break;
        }
    }
    if (party) {
        sim_user_call(party);
    }
}

static void user_act(void)
{
    sim_memory_scarce[sim_self()] = sim_refuses(sim.rules.scarce);
    sim_engine *engine = &sim_engines[sim_below(SIM_ENGINES_MAX)];
    sim_conn *conn = user_some_conn();
    uint32_t act = sim_below(100);
    if (act < 12) {
        (void) sim_user_dial(engine, sim_below(sim_users.servers + (sim_below(20) == 0)));
    } else if (act < 14) {
        (void) sim_user_serve(engine, sim_below(sim_users.servers));
    } else if (act < 18 && sim_parties_count > 0) {
        sim_user_look_at_stats(&sim_parties[sim_below(sim_parties_count)]);
        sim_user_look_at_connections(&sim_parties[sim_below(sim_parties_count)]);
        sim_user_look_at_peer(conn);
    } else if (act < 22 && sim_parties_count > 0) {
        sim_user_broadcast(&sim_parties[sim_below(sim_parties_count)]);
    } else if (act < 24 && conn) {
        sim_user_gather(conn);
    } else if (act == 24) {
        sim_user_misuse(engine);
        sim_user_look_at_figures(engine);
    } else if (act == 25 && conn) {
        user_poke(conn);
    } else if (act < 30) {
        user_ask();
    } else if (conn) {
        user_act_on(conn, false);
    }
}

static void user_body(void *argument)
{
    (void) argument;
    for (uint32_t i = 0; i < sim_users.rounds; i++) {
        user_act();
        sim_memory_scarce[sim_self()] = false;
        sim_sleep_ns(sim_below(sim_users.nap_ns_max));
    }
    sim_users_busy--;
}

void sim_user_spawn(void)
{
    sim_users_busy++;
    (void) sim_thread_start(user_body, NULL);
}
