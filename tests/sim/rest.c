/* SPDX-License-Identifier: MIT */
/*
 * rest.c - what must hold while everybody waits: no thread can run, the system has nothing to do, nothing is late.
 *
 * Then nobody is inside a call of the engine but to wait in it, so every struct's own check holds, and whatever work is
 * left must have somebody who was told of it: bytes in a queue have a write that is pending, a connection that listens
 * has a read that is pending, a close has come to its end. What has not is a lost wake-up. (That bounds are kept holds
 * always; that accounts balance, at the end of their owners: memory.c, judge.c.)
 */
#include "engine/api/client.h"
#include "engine/api/server.h"
#include "engine/conn/connection.h"
#include "tests/sim/flow.h"
#include "tests/sim/judge.h"
#include "tests/sim/pipe.h"
#include "tests/sim/port.h"
#include "tests/sim/trace.h"
#include "tests/sim/user.h"
#include "tests/sim/world.h"

static const uint64_t rest_wait_ns_max = UINT64_C(600) * 1000000000;

/* Times that are due are seen to by who waits for completions, at the latest a second late (worker.c), and somewhat
 * later where the peer's part is still in doubt (connection_clock.c). The clock's jumps are nobody's delay: one before
 * the bound may have been over when the engine noted since when, one behind it may come between any two looks. */
static const uint64_t rest_watch_ns = UINT64_C(1100) * 1000000;

static bool rest_is_overdue(uint64_t since_ns, uint64_t bound_ms)
{
    uint64_t held_ns = sim_nap_ns_max + sim.rules.stall_ns;
    uint64_t late_ns = since_ns + bound_ms * 1000000 + rest_watch_ns + held_ns;
    return sim_now_ns() > late_ns && sim_now_ns() - late_ns > sim_jumped_ns(since_ns);
}

static void rest_check_times(const sim_conn *conn, const pp_conn *inner)
{
    const pipeport_options *options = &conn->party->options;
    const sim_side *at = &conn->link->sides[conn->side];
    uint32_t stall_ms = inner->left ? pp_conn_stall_ms(options) : options->write_stall_ms;
    if (at->write && stall_ms != UINT32_MAX && rest_is_overdue(at->write->armed_ns, stall_ms)) {
        sim_fail("a time-out is overdue: write_stall_ms (link %u)", conn->link->number);
    }
    if (inner->state != PP_CONN_OPEN || conn->was_paused) {
        return;
    }
    uint64_t heard_ns = at->heard_ns < conn->listens_ns ? conn->listens_ns : at->heard_ns;
    if (options->idle_ms && rest_is_overdue(heard_ns, options->idle_ms)) {
        sim_fail("a time-out is overdue: idle_ms (link %u)", conn->link->number);
    }
    if (options->first_message_ms && conn->spoke == 0 && rest_is_overdue(conn->listens_ns, options->first_message_ms)) {
        sim_fail("a time-out is overdue: first_message_ms (link %u)", conn->link->number);
    }
}

static void rest_check_writing(const sim_conn *conn, const pp_conn *inner)
{
    const sim_side *at = &conn->link->sides[conn->side];
    const pp_sendq *sendq = &inner->writer.sendq;
    bool busy = sendq->head != 0 && !inner->pump_home;
    pp_sendq_check(sendq, inner->party->options.send_queue_bytes_max);
    if (busy && !at->write) {
        sim_fail("a lost wake-up: the send queue is held, and no write is under way (link %u)", conn->link->number);
    }
    if (!busy && sendq->bytes != 0) {
        sim_fail("a lost wake-up: %u bytes wait in the send queue and nobody holds it (link %u)", sendq->bytes,
                 conn->link->number);
    }
    if (conn->starved && inner->state == PP_CONN_OPEN && inner->wish == PP_WISH_NONE && !inner->pump_home &&
        sendq->bytes == 0) { /* Half empty does not do: a long message may have been refused then. */
        sim_fail("a lost wake-up: a sender heard FULL, there is room, and `drained` never came (link %u)",
                 conn->link->number);
    }
}

/* A frame's own block: a block of headers, the longest message, and what it is longer; or the spare, which is kept
 * where there was no memory to move what waits, and is longer than the ordinary sizes. */
static uint32_t rest_block_bytes_max(void)
{
    uint32_t own = PP_FRAMING_HEADER_BLOCK_BYTES_MAX + sim_message_bytes_max + PP_INBOX_AFTER_BYTES;
    return own > PP_SPARE_BYTES ? own : PP_SPARE_BYTES;
}

static void rest_check_conn(const sim_conn *conn, const pp_conn *inner)
{
    const sim_side *at = &conn->link->sides[conn->side];
    uint32_t link = conn->link->number;
    bool is_deaf = sim_dialect_is_deaf(conn->party->dialect, conn->party->is_server);
    if (inner->turn.word != 0) {
        sim_fail("a lost wake-up: a connection's turn has duties and no runner (link %u)", link);
    }
    if (inner->reader.armed != (at->read != NULL)) {
        sim_fail("a connection's read is armed for one of the two only (link %u)", link);
    }
    pp_conn_check(inner);
    pp_inbox_check(&inner->reader.inbox);
    if (inner->reader.inbox.block_bytes > rest_block_bytes_max()) {
        sim_fail("%u bytes are held to read one message into (link %u)", inner->reader.inbox.block_bytes, link);
    }
    if (conn->party->hears_sent && inner->state <= PP_CONN_DRAINING && !inner->pump_home && !at->write &&
        conn->sent != conn->link->channels[conn->side].written) {
        sim_fail("a lost wake-up: bytes were sent and `sent` has not told of them (link %u)", link);
    }
    rest_check_writing(conn, inner);
    rest_check_times(conn, inner);
    switch (inner->state) {
    case PP_CONN_OPENING:
        sim_fail("a lost wake-up: a connection was never opened (link %u)", link);
    case PP_CONN_OPEN:
        if (inner->wish != PP_WISH_NONE) {
            sim_fail("a lost wake-up: a close was asked for and not begun (link %u)", link);
        }
        if (!inner->paused && !inner->reader.armed && (!is_deaf || sim.rules.can_await)) {
            sim_fail("a lost wake-up: a connection is open, not paused, and does not read (link %u)", link);
        }
        break;
    case PP_CONN_DRAINING:
        if ((!inner->reader.armed && !is_deaf && inner->reader.ended != PIPEPORT_GONE) || !at->write) {
            sim_fail("a lost wake-up: a connection drains, and nothing is under way (link %u)", link);
        }
        break;
    case PP_CONN_CLOSING:
        if (!at->read && !at->write) {
            sim_fail("a lost wake-up: a connection closes, and nothing is under way (link %u)", link);
        }
        break;
    case PP_CONN_CLOSED:
        sim_fail("a connection is closed, and `closed` was not told (link %u)", link);
    }
}

/* Whose turn it is has asked where there is a connection, or was told of it; and who has asked has one that can still
 * answer. */
static void rest_check_call(const sim_party *party)
{
    const pp_call *call = party->client->calls.first;
    uint64_t only = party->client->party.only;
    if (!call) {
        return;
    }
    if (call->state == PP_CALL_ASKED && call->conn != only) {
        sim_fail("a lost wake-up: a call waits for the reply of a connection that has gone");
    }
    const pp_hub *hub = &party->engine->engine->hub;
    const pp_conn *conn = only ? pp_table_at(&hub->roster.seats, only & 0xFFFFFF) : NULL;
    if (call->state == PP_CALL_WAITS && !call->news && conn && conn->state == PP_CONN_OPEN &&
        conn->wish == PP_WISH_NONE && !conn->pump_home) {
        sim_fail("a lost wake-up: a call waits for a connection, and there is one");
    }
}

/* Who connects again is connected, or has a time set at which he dials. */
static void rest_check_client(const sim_party *party)
{
    rest_check_call(party);
    const pp_deadline *again = &party->client->dialer.again.deadline;
    if (party->options.reconnect_ms && party->opened == party->closed && pp_deadline_due_ms(again) == 0) {
        sim_fail("a lost wake-up: a client has no connection and will not dial again");
    }
    if (party->client->dialer.resting && party->client->dialer.last != PIPEPORT_OK && party->failed == 0) {
        sim_fail("a client could not connect again, and `failed` has not told of it");
    }
}

static bool rest_is_calm(const sim_engine *engine)
{
    const pp_hub *hub = &engine->engine->hub;
    return sim_port_rests(hub->port) && hub->port->waiting > 0 && sim_kernel_next_ns() == SIM_NEVER &&
           sim_events_asleep == 0 && sim_stalled == 0;
}

static void rest_check_engine(sim_engine *engine)
{
    pp_hub *hub = &engine->engine->hub;
    uint32_t live = 0;
    for (uint32_t i = 0; i < sim_conns_count; i++) {
        const sim_conn *conn = &sim_conns[i];
        if (conn->party->engine == engine && !conn->is_closed) {
            live++;
            uint32_t seat = conn->name.id & 0xFFFFFF;
            const pp_conn *inner = pp_table_at(&hub->roster.seats, seat);
            if (pp_seat_id(&inner->seat) != conn->name.id) {
                sim_fail("a reference was dropped: a connection has lost its seat before `closed` (link %u)",
                         conn->link->number);
            }
            rest_check_conn(conn, inner);
        }
    }
    pp_memory_check(&hub->memory);
    pp_deadlines_check(&hub->deadlines);
    uint32_t taken = pp_roster_check(&hub->roster);
    if (taken != live) {
        sim_fail("%u seats are taken by %u live connections: a reference was not given back", taken, live);
    }
    for (uint32_t i = 0; i < sim_parties_count; i++) {
        sim_party *party = &sim_parties[i];
        bool lives = party->engine == engine && party->started && !party->stopping && !party->finished &&
                     !engine->going;
        if (lives && !party->is_server) {
            rest_check_client(party);
        } else if (lives) {
            (void) pp_group_check(&party->server->members);
            (void) pp_groups_check(&party->server->groups);
            pp_listener_check(&party->server->listener);
        }
    }
}

void sim_rest_check(void)
{
    for (int i = 0; i < SIM_ENGINES_MAX; i++) {
        if (sim_engines[i].engine && !sim_engines[i].gone && rest_is_calm(&sim_engines[i])) {
            rest_check_engine(&sim_engines[i]);
        }
    }
    for (uint32_t i = 0; i < SIM_THREADS_MAX; i++) {
        if (sim_waits_since_ns[i] && sim_now_ns() > sim_waits_since_ns[i] + rest_wait_ns_max) {
            sim_fail("a lost wake-up: thread %u has waited for ten minutes in a call that ends by itself", i);
        }
    }
}
