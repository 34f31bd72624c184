/* SPDX-License-Identifier: MIT */
/* judge.c - see judge.h. */
#include "tests/sim/judge.h"

#include "engine/api/engine.h"
#include "engine/conn/connection.h"
#include "tests/sim/flow.h"
#include "tests/sim/pipe.h"
#include "tests/sim/trace.h"
#include "tests/sim/world.h"

#include <string.h>

sim_engine sim_engines[SIM_ENGINES_MAX];
sim_party sim_parties[SIM_PARTIES_MAX];
uint32_t sim_parties_count;
sim_conn sim_conns[SIM_CONNS_MAX];
uint32_t sim_conns_count;
uint32_t sim_message_bytes_max;
uint32_t sim_events_asleep;
uint64_t sim_nap_ns_max;

void sim_judge_begin(void)
{
    memset(sim_engines, 0, sizeof sim_engines);
    memset(sim_parties, 0, sizeof sim_parties[0] * sim_parties_count);
    sim_parties_count = 0;
    sim_conns_count = 0;
    sim_events_asleep = 0;
    sim_flows_begin();
}

/* ---- Messages ---- */

uint32_t sim_judge_offer(const sim_dialect *dialect, const sim_conn *conn, const sim_audience *audience, uint8_t *data,
                         uint32_t length)
{
    sim_offer offer = {.dialect = dialect,
                       .link = conn ? conn->link : NULL,
                       .is_broadcast = audience != NULL,
                       .audience = audience ? *audience : (sim_audience){.party = NULL},
                       .side = conn ? conn->side : 0,
                       .thread = sim_self(),
                       .length = length};
    uint32_t serial = sim_flow_offer(&offer, data);
    sim_trace("offers: message, bytes, link", serial, length, conn ? conn->link->number : UINT32_MAX);
    return serial;
}

void sim_judge_answer(uint32_t serial, pipeport_status status)
{
    sim_offer *offer = &sim_offers[serial];
    offer->state = status == PIPEPORT_OK ? SIM_ACCEPTED : SIM_REFUSED;
    sim_trace("answered: message, status", serial, status, 0);
    if (status != PIPEPORT_OK && offer->written) {
        sim_fail("message %u was written though its send answered %d", serial, status);
    }
}

void sim_judge_admission(uint32_t serial, pipeport_status status, bool mute)
{
    pipeport_status expected = mute ? PIPEPORT_UNSUPPORTED : sim_offers[serial].expected;
    bool is_about_it = status == PIPEPORT_OK || status == PIPEPORT_INVALID || status == PIPEPORT_TOO_LARGE ||
                       status == PIPEPORT_UNSUPPORTED;
    if (is_about_it && status != expected) {
        sim_fail("message %u was answered with %d, and by its framing and direction it must be %d", serial, status,
                 expected);
    }
}

/* ---- Events ---- */

void sim_judge_accept(sim_party *party, const pipeport_peer *peer, bool stays)
{
    sim_link *link = sim_pipe_asked();
    sim_verdict *verdict = sim_flow_verdict(link);
    party->started = true;
    if (!party->is_server || strstr(link->name, party->name) == NULL || *verdict != SIM_UNASKED) {
        sim_fail("`accept` comes where it may not, or for the second time (link %u)", link->number);
    }
    if (link->channels[0].read != 0 || link->sides[1].read) {
        sim_fail("a client is read before `accept` has let it in (link %u)", link->number);
    }
    if (peer->process_id != link->process || strcmp(peer->user, link->user) != 0) {
        sim_fail("`accept` names another peer than the one that is there (link %u)", link->number);
    }
    if (sim_locks_held[sim_self()] != 0 || party->finished) {
        sim_fail("a lock is held while an event runs, or its party has finished (accept)");
    }
    *verdict = stays ? SIM_TAKEN : SIM_TURNED_AWAY;
    party->turned_away += !stays;
    sim_trace("accept: link, stays", link->number, stays, 0);
}

/* Where the connection's pipe leads: the one thing that the judge asks the engine's inside. */
static sim_link *judge_link_of(sim_party *party, pipeport_conn name, uint32_t *side)
{
    pp_hub *hub = &party->engine->engine->hub;
    pp_conn *conn = pp_conn_pin(hub, name.id);
    if (!conn) {
        sim_fail("`opened` names a connection that cannot be found");
    }
    sim_link *link = sim_pipe_link(&conn->pipe, side);
    pp_conn_unpin(conn, NULL);
    return link;
}

sim_conn *sim_judge_opened(sim_party *party, pipeport_conn name)
{
    uint32_t side;
    sim_link *link = judge_link_of(party, name, &side); /* First: others run meanwhile. */
    SIM_MUST(sim_conns_count < SIM_CONNS_MAX && name.id != 0);
    sim_conn *conn = &sim_conns[sim_conns_count++];
    *conn = (sim_conn){.name = name, .party = party, .link = link, .side = side, .opened_ns = sim_now_ns()};
    conn->inside = true;
    for (uint32_t i = 0; i + 1 < sim_conns_count; i++) {
        if (sim_conns[i].name.id == name.id && sim_conns[i].party->engine == party->engine) {
            sim_fail("an id is used again");
        }
    }
    party->opened++;
    if (party->dialect != sim_dialect_of(link->name)) {
        sim_fail("`opened` comes for a pipe of another direction or type");
    }
    if (party->is_server && *sim_flow_verdict(link) != (party->asks ? SIM_TAKEN : SIM_UNASKED)) {
        sim_fail("`opened` comes for a client that `accept` has not let in (link %u)", link->number);
    }
    if (party->finished || (party->failed && !party->options.reconnect_ms)) {
        sim_fail("`opened` comes after %s", party->failed ? "`failed`" : "the party's end");
    }
    party->failed = 0;
    if (!party->is_server && party->opened > (party->options.reconnect_ms ? party->closed + 1 : 1)) {
        sim_fail("a client is connected twice");
    }
    if (sim_locks_held[sim_self()] != 0) {
        sim_fail("a lock is held while an event runs (opened)");
    }
    sim_trace("opened: link, side", conn->link->number, conn->side, 0);
    return conn;
}

sim_conn *sim_judge_enter(sim_party *party, void *state, pipeport_conn name, const char *what)
{
    sim_conn *conn = state;
    if (!conn) {
        sim_fail("an event overlaps `opened` of the same connection, or comes before it (%s)", what);
    }
    SIM_MUST(conn >= sim_conns && conn < sim_conns + sim_conns_count);
    SIM_MUST(conn->party == party && conn->name.id == name.id);
    if (conn->inside) {
        sim_fail("an event overlaps another of the same connection (%s, link %u)", what, conn->link->number);
    }
    if (conn->is_closed) {
        sim_fail("an event comes after `closed` (%s, link %u)", what, conn->link->number);
    }
    if (sim_locks_held[sim_self()] != 0) {
        sim_fail("a lock is held while an event runs (%s)", what);
    }
    conn->inside = true;
    return conn;
}

void sim_judge_leave(sim_conn *conn)
{
    SIM_MUST(conn->inside);
    conn->inside = false;
    conn->listens_ns = conn->listens_ns ? conn->listens_ns : sim_now_ns();
}

void sim_judge_message(sim_conn *conn, const void *data, size_t length)
{
    if (data == NULL) {
        sim_fail("a message without data");
    }
    if (conn->paused && conn->pause_grace-- == 0) {
        sim_fail("a message is delivered while the connection is paused (link %u)", conn->link->number);
    }
    if (conn->closed_inside) {
        sim_fail("a message is delivered after a close inside an event (link %u)", conn->link->number);
    }
    conn->spoke++;
    conn->party->spoke++;
    sim_flow_deliver(sim_flow_of(conn->link, 1 - conn->side), conn->link, data, length);
}

void sim_judge_sent(sim_conn *conn, uint64_t bytes)
{
    conn->sent += bytes;
    if (bytes == 0 || conn->sent > conn->link->channels[conn->side].written) {
        sim_fail("`sent` tells of %llu bytes, %llu in all, and %llu were written (link %u)", (unsigned long long) bytes,
                 (unsigned long long) conn->sent, (unsigned long long) conn->link->channels[conn->side].written,
                 conn->link->number);
    }
}

/* To the ms that the engine's clock counts: however long its threads are held up, what has come by then is in time. */
static bool judge_has_lasted(uint64_t ns, uint32_t bound_ms)
{
    return ns + 1000000 >= bound_ms * UINT64_C(1000000);
}

/* Not before one of the bounds that are measured in ms has passed: perhaps a while ago, for then it only began to
 * close. */
static bool judge_is_late(const sim_conn *conn)
{
    const pipeport_options *options = &conn->party->options;
    const sim_side *at = &conn->link->sides[conn->side];
    bool first = options->first_message_ms != 0 && conn->spoke == 0;
    return (first && judge_has_lasted(sim_now_ns() - conn->opened_ns, options->first_message_ms)) ||
           (options->idle_ms != 0 && judge_has_lasted(sim_side_silence_ns(at), options->idle_ms)) ||
           (conn->party->stopping && conn->party->drains &&
            judge_has_lasted(sim_now_ns() - conn->party->stopping_ns, conn->party->drain_ms));
}

/* Of one who has said all what it takes is all that can be heard: where writes have no bound its silence has. */
static uint32_t judge_stall_ms(const sim_conn *conn)
{
    const pipeport_options *options = &conn->party->options;
    bool is_mute = conn->link->sides[1 - conn->side].hushed && options->idle_ms;
    return options->write_stall_ms == UINT32_MAX && is_mute ? options->idle_ms : options->write_stall_ms;
}

/* `why` must have a reason. */
static bool judge_is_reason(const sim_conn *conn, pipeport_status why)
{
    const sim_side *at = &conn->link->sides[conn->side];
    const sim_flow *in = sim_flow_of(conn->link, 1 - conn->side);
    bool drains = conn->drain_asked || (conn->party->stopping && conn->party->drains);
    switch (why) {
    case PIPEPORT_OK:
        return drains && conn->end.bytes_discarded == 0;
    case PIPEPORT_STOPPED:
        return conn->abort_asked || conn->party->stopping || conn->party->engine->going || conn->party->calls;
    case PIPEPORT_GONE: /* Who has only said all still reads, and gets what was accepted for him. */
        return !conn->link->sides[1 - conn->side].open ||
               (conn->link->sides[1 - conn->side].hushed && conn->end.bytes_discarded == 0);
    case PIPEPORT_TIMED_OUT:
        return judge_is_late(conn);
    case PIPEPORT_SLOW_PEER:
        return conn->party->options.when_full == PIPEPORT_DISCONNECT ||
               judge_has_lasted(at->write_longest_ns, judge_stall_ms(conn));
    case PIPEPORT_BAD_PEER:
        return in->refused && sim_flow_is_delivered(in);
    case PIPEPORT_NO_MEMORY:
        return sim.allocations_refused != 0;
    case PIPEPORT_SYSTEM:
        return at->hurt;
    case PIPEPORT_INVALID:
    case PIPEPORT_NAME_TAKEN:
    case PIPEPORT_NO_SERVER:
    case PIPEPORT_BUSY:
    case PIPEPORT_DENIED:
    case PIPEPORT_TOO_LARGE:
    case PIPEPORT_FULL:
    case PIPEPORT_UNSUPPORTED:
    case PIPEPORT_WRONG_TYPE:
        break;
    }
    return false;
}

/* It has left all groups before `closed`. */
static void judge_left_groups(const sim_conn *conn)
{
    for (uint32_t i = 0; i < SIM_GROUPS; i++) {
        const pipeport_group *group = conn->groups[i].moves ? conn->party->groups[i] : NULL;
        for (uint32_t slot = 0; group && slot < pp_group_slots(&group->members); slot++) {
            if (pp_group_at(&group->members, slot) == conn->name.id) {
                sim_fail("a connection that is closed is in a group (link %u)", conn->link->number);
            }
        }
    }
}

void sim_judge_closed(sim_conn *conn, const pipeport_end *end)
{
    const sim_link *link = conn->link;
    const sim_flow *in = sim_flow_of(conn->link, 1 - conn->side);
    conn->end = *end;
    conn->is_closed = true;
    conn->party->closed++;
    conn->party->received += end->bytes_received;
    conn->party->slow += end->why == PIPEPORT_SLOW_PEER;
    conn->link->sides[conn->side].drained = end->why == PIPEPORT_OK ||
                                            (end->why == PIPEPORT_GONE && sim_link_peer_is_open(link, conn->side));
    (void) sim_met(SIM_AT_CLOSED, end->why);
    sim_trace("closed: link, side, why", link->number, conn->side, end->why);
    if (!judge_is_reason(conn, end->why)) {
        sim_fail("a connection closed with status %d, for which there is no reason (link %u)", end->why, link->number);
    }
    if (end->bytes_sent != link->channels[conn->side].written) {
        sim_fail("bytes_sent is wrong: %llu told, %llu written (link %u)", (unsigned long long) end->bytes_sent,
                 (unsigned long long) link->channels[conn->side].written, link->number);
    }
    if (end->bytes_received != link->channels[1 - conn->side].read - link->channels[1 - conn->side].skipped) {
        sim_fail("bytes_received is wrong (link %u)", link->number);
    }
    if (conn->party->hears_sent && conn->sent != end->bytes_sent) {
        sim_fail("`sent` told of %llu bytes before `closed`, which tells of %llu (link %u)",
                 (unsigned long long) conn->sent, (unsigned long long) end->bytes_sent, link->number);
    }
    judge_left_groups(conn);
    bool asked = conn->drain_asked || conn->abort_asked || conn->party->stopping || conn->party->engine->going;
    bool is_lost = link->channels[1 - conn->side].is_lost; /* The server gave it up. */
    if (end->why == PIPEPORT_GONE && !asked && !is_lost && (!sim_flow_is_delivered(in) || in->refused)) {
        sim_fail("the peer wrote %u messages before its end, and %u were delivered (link %u)", in->count, in->delivered,
                 link->number);
    }
}

void sim_judge_failed(sim_party *party, pipeport_status why)
{
    bool again = party->options.reconnect_ms != 0;
    party->started = true;
    if (party->is_server || (again ? party->opened != party->closed : party->opened != 0) || party->failed++ ||
        party->finished) {
        sim_fail("`failed` comes though it may not");
    }
    if (sim_locks_held[sim_self()] != 0) {
        sim_fail("a lock is held while an event runs (failed)");
    }
    sim_trace("failed: why", sim_met(SIM_AT_FAILED, why), 0, 0);
}

/* ---- The end ---- */

static void judge_end_conn(const sim_conn *conn)
{
    if (!conn->is_closed || conn->inside) {
        sim_fail("a connection was opened and never closed (link %u)", conn->link->number);
    }
    if (conn->link->sides[conn->side].drained && sim_flow_of(conn->link, conn->side)->broadcasts < conn->broadcasts) {
        sim_fail("%u broadcasts reached a connection that drained, and %u were written (link %u)", conn->broadcasts,
                 sim_flow_of(conn->link, conn->side)->broadcasts, conn->link->number);
    }
    bool given_up = conn->end.why != PIPEPORT_OK && conn->end.why != PIPEPORT_GONE;
    if (conn->side == 1 && sim.rules.shared && conn->link->is_cut != given_up) {
        sim_fail("a connection closed with status %d, and its client was %s (link %u)", conn->end.why,
                 given_up ? "left an instance" : "taken off", conn->link->number);
    }
    if (conn->accepted > conn->end.bytes_sent + conn->end.bytes_discarded) {
        sim_fail("bytes were accepted that were neither sent nor discarded (link %u)", conn->link->number);
    }
}

static void judge_end_offers(void)
{
    for (uint32_t i = 1; i < sim_offers_count; i++) {
        sim_offer *offer = &sim_offers[i];
        offer->written = offer->written || !offer->is_tagged;
    }
    for (uint32_t i = 1; i < sim_offers_count; i++) {
        const sim_offer *offer = &sim_offers[i];
        if (offer->link && offer->state == SIM_ACCEPTED && !offer->written && offer->link->sides[offer->side].drained) {
            sim_fail("message %u was accepted and its connection drained, but it was never written (link %u)", i,
                     offer->link->number);
        }
    }
}

void sim_judge_end(void)
{
    for (uint32_t i = 0; i < sim_conns_count; i++) {
        judge_end_conn(&sim_conns[i]);
    }
    judge_end_offers();
    for (uint32_t i = 0; i < sim_link_count(); i++) {
        sim_link *link = sim_link_of(i);
        if (*sim_flow_verdict(link) == SIM_TURNED_AWAY && link->channels[0].read != 0) {
            sim_fail("a client that was turned away is read (link %u)", i);
        }
    }
    for (uint32_t i = 0; i < sim_parties_count; i++) {
        const sim_party *party = &sim_parties[i];
        if (party->started && !party->finished) {
            sim_fail("a party has never finished");
        }
        if (party->opened != party->closed) {
            sim_fail("a party heard of %u `opened` and %u `closed`", party->opened, party->closed);
        }
    }
    if (sim_links_open_sides() != 0 || sim_ears_open() != 0 || sim_kernel_pending() != 0) {
        sim_fail("left behind: %u ends, %u ears, %u operations", sim_links_open_sides(), sim_ears_open(),
                 sim_kernel_pending());
    }
}
