/* SPDX-License-Identifier: MIT */
/*
 * fan.c - what a user sends to several at once: to all of a server, to a group, to a list; and who is in the groups.
 */
#include "engine/api/server.h"
#include "tests/sim/flow.h"
#include "tests/sim/trace.h"
#include "tests/sim/user.h"
#include "tests/sim/world.h"

#include <stdlib.h>
#include <string.h>

static bool fan_is_open(const sim_party *party, const sim_conn *conn)
{
    return conn->party == party && !conn->is_closed && !conn->drain_asked && !conn->abort_asked &&
           conn->link->sides[0].open && conn->link->sides[1].open && !conn->link->sides[conn->side].hurt &&
           !conn->link->sides[1 - conn->side].hushed && /* It may have been heard, and then it drains. */
           !sim_flow_of(conn->link, 1 - conn->side)->refused;
}

static bool fan_is_certain(const sim_audience *audience, const sim_conn *conn)
{
    return fan_is_open(audience->party, conn) && (!audience->group || conn->groups[audience->group - 1].in);
}

/* How many of an audience's connections are reached for certain, and of how many that is not known. */
static uint32_t fan_count(const sim_audience *audience, uint32_t *uncertain)
{
    uint32_t count = 0;
    *uncertain = 0;
    for (uint32_t i = 0; i < sim_conns_count; i++) {
        const sim_conn *conn = &sim_conns[i];
        bool is_out = audience->group && !conn->groups[audience->group - 1].maybe;
        bool is_certain = fan_is_certain(audience, conn);
        count += is_certain;
        *uncertain += conn->party == audience->party && !conn->is_closed && !is_certain && !is_out;
    }
    return count;
}

typedef struct fan_reach { /* Of one broadcast. */
    bool is_tagged;
    uint32_t before, uncertain, conns, moves, reached;
    uint64_t passed_over;
} fan_reach;

static uint64_t fan_passed_over(const sim_party *party)
{
    const pp_tally *tally = &party->server->party.tally;
    return tally->broadcasts_refused + tally->broadcasts_dropped;
}

/* Only closes, deaths, faults and moves take somebody away from the set that a broadcast must reach. Where nobody else
 * could have been reached, all of the set were. */
static void fan_check_reached(const sim_audience *audience, const fan_reach *reach)
{
    const sim_party *party = audience->party;
    const pipeport_options *options = &party->options;
    uint32_t uncertain = 0;
    bool has_bounds = options->idle_ms || options->first_message_ms || options->write_stall_ms != UINT32_MAX;
    bool ends_by_itself = has_bounds || options->when_full == PIPEPORT_DISCONNECT || sim.allocations_refused;
    bool has_moved = audience->group && (party->moving || party->moves != reach->moves);
    if (ends_by_itself || has_moved || party->stopping || party->engine->going || reach->conns != sim_conns_count ||
        fan_count(audience, &uncertain) != reach->before) {
        return;
    }
    if (reach->reached + reach->passed_over < reach->before) {
        sim_fail("a broadcast reached %u of %u connections that were open, and %llu were full", reach->reached,
                 reach->before, (unsigned long long) reach->passed_over);
    }
    for (uint32_t i = 0; i < sim_conns_count && reach->uncertain == 0 && reach->reached == reach->before &&
                         reach->passed_over == 0 && reach->is_tagged;
         i++) {
        sim_conns[i].broadcasts += fan_is_certain(audience, &sim_conns[i]);
    }
}

/* ---- The calls ---- */

static pipeport_status fan_send(const sim_audience *audience, const uint8_t *data, uint32_t length, uint32_t *reached)
{
    const sim_party *party = audience->party;
    if (audience->list_count) {
        pipeport_conn names[SIM_LIST_MAX + 2];
        uint32_t count = 0;
        names[count++].id = sim_random(); /* Nobody's. */
        for (uint32_t i = 0; i < audience->list_count; i++) {
            names[count++] = audience->list[i]->name;
        }
        const sim_conn *other = &sim_conns[sim_below(sim_conns_count)];
        names[count++] = other->name;
        /* What is of others is reached by nothing; what is ours is in the list once. An id of another engine may be
         * that of ours, perhaps before we hear of it. */
        bool is_ours = other->party->engine != party->engine;
        for (uint32_t i = 0; i < sim_conns_count; i++) {
            is_ours = is_ours || (sim_conns[i].party == party && sim_conns[i].name.id == names[count - 1].id);
        }
        pipeport_conns conns = {names, count - is_ours};
        return pipeport_multicast(party->server, &conns, data, length, reached);
    }
    return audience->group ? pipeport_group_broadcast(party->groups[audience->group - 1], data, length, reached)
                           : pipeport_broadcast(party->server, data, length, reached);
}

static pipeport_status fan_send_built(const sim_audience *audience, const uint8_t *data, uint32_t length,
                                      uint32_t *reached)
{
    const sim_party *party = audience->party;
    pipeport_message *message = NULL;
    void *room = NULL;
    pipeport_status status = pipeport_message_create(&message, party->engine->engine, &party->dialect->framing, length,
                                                     &room);
    if (status == PIPEPORT_OK) {
        memcpy(room, data, length);
        status = audience->group
                     ? pipeport_group_broadcast_message(party->groups[audience->group - 1], message, reached)
                     : pipeport_broadcast_message(party->server, message, reached);
        pipeport_message_release(message);
    }
    return status;
}

static bool fan_is_usable(const sim_party *party)
{
    return party->is_server && party->started && !party->stopping && !party->finished;
}

static void fan_out(const sim_audience *audience)
{
    sim_party *party = audience->party;
    uint32_t length = sim_user_length(party->dialect);
    uint8_t *data = malloc(length + 1);
    SIM_MUST(data != NULL);
    party->busy++;
    bool is_built = !audience->list_count && sim_below(3) == 0;
    bool was_moving = party->moving != 0;
    fan_reach reach = {.conns = sim_conns_count, .moves = party->moves};
    reach.before = fan_count(audience, &reach.uncertain);
    uint64_t passed_over = fan_passed_over(party);
    uint32_t serial = sim_judge_offer(party->dialect, NULL, audience, data, length);
    reach.is_tagged = sim_offers[serial].is_tagged;
    pipeport_status status = (is_built ? fan_send_built : fan_send)(audience, data, length, &reach.reached);
    reach.passed_over = fan_passed_over(party) - passed_over;
    memset(data, 0xEE, length);
    free(data);
    party->busy--;
    (void) sim_met(SIM_AT_BROADCAST, status);
    sim_judge_answer(serial, status);
    bool was_built = !is_built || (status != PIPEPORT_TOO_LARGE && status != PIPEPORT_INVALID);
    if (was_built || sim_offers[serial].expected == PIPEPORT_OK) {
        sim_judge_admission(serial, status, sim_dialect_is_mute(party->dialect, true));
    }
    if (status == PIPEPORT_OK && audience->list_count) {
        SIM_MUST(reach.reached <= audience->list_count);
    } else if (status == PIPEPORT_OK && !(audience->group && was_moving)) {
        fan_check_reached(audience, &reach);
    }
    SIM_MUST(status != PIPEPORT_NO_MEMORY || sim.allocations_refused > 0);
}

void sim_user_broadcast(sim_party *party)
{
    if (fan_is_usable(party)) {
        fan_out(&(sim_audience){.party = party});
    }
}

/* ---- Groups ---- */

static bool fan_open_group(sim_party *party, uint32_t number)
{
    static const char *const names[SIM_GROUPS] = {"a", "b", "c"};
    pipeport_group *group = NULL;
    pipeport_status status = sim_met(SIM_AT_GROUP, pipeport_group_open(&group, party->server, names[number]));
    if (status == PIPEPORT_OK) {
        SIM_MUST(party->groups[number] == NULL || party->groups[number] == group);
        party->groups[number] = group;
        return true;
    }
    SIM_MUST((status == PIPEPORT_NO_MEMORY && sim.allocations_refused > 0) ||
             (status == PIPEPORT_STOPPED && party->engine->going));
    return party->groups[number] != NULL;
}

static void fan_move(sim_party *party, sim_conn *conn, uint32_t number)
{
    sim_member *member = &conn->groups[number];
    bool joins = sim_below(3) != 0, was_closed = conn->close_done;
    party->moves++;
    party->moving++;
    member->moving++;
    member->in = false;
    member->maybe = member->maybe || joins;
    uint32_t moves = ++member->moves;
    pipeport_status status = joins ? pipeport_group_join(party->groups[number], conn->name)
                                   : pipeport_group_leave(party->groups[number], conn->name);
    member->moving--;
    party->moving--;
    sim_trace("moves: link, joins, status", conn->link->number, joins, status);
    if (sim_met(SIM_AT_GROUP, status) == PIPEPORT_OK && member->moving == 0 && member->moves == moves) {
        member->in = joins;
        member->maybe = joins;
        member->out_since = joins ? 0 : sim_offers_count;
    }
    SIM_MUST(!(joins && was_closed && status == PIPEPORT_OK));
    SIM_MUST(status != PIPEPORT_NO_MEMORY || (joins && sim.allocations_refused > 0));
    SIM_MUST(status != PIPEPORT_INVALID);
}

/* A connection of another party is refused, unless it has gone. */
static void fan_move_stranger(const sim_party *party, uint32_t number)
{
    const sim_conn *conn = &sim_conns[sim_below(sim_conns_count)];
    if (conn->party != party && conn->party->engine == party->engine) {
        pipeport_status status = sim_met(SIM_AT_GROUP, pipeport_group_join(party->groups[number], conn->name));
        SIM_MUST(status == PIPEPORT_INVALID || status == PIPEPORT_GONE);
    }
}

static void fan_out_to_list(sim_party *party)
{
    sim_audience audience = {.party = party};
    uint32_t first = sim_below(sim_conns_count);
    for (uint32_t i = 0; i < sim_conns_count && audience.list_count < SIM_LIST_MAX; i++) {
        const sim_conn *conn = &sim_conns[(first + i) % sim_conns_count];
        if (conn->party == party && sim_below(4)) {
            audience.list[audience.list_count++] = conn;
        }
    }
    if (audience.list_count) {
        fan_out(&audience);
    }
}

void sim_user_gather(sim_conn *conn)
{
    sim_party *party = conn->party;
    uint32_t number = sim_below(SIM_GROUPS), act = sim_below(16);
    if (!fan_is_usable(party)) {
        return;
    }
    party->busy++;
    if (act < 3) {
        fan_out_to_list(party);
    } else if (party->groups[number] ? sim_below(30) == 0 && !fan_open_group(party, number)
                                     : !fan_open_group(party, number)) {
        act = 0;
    } else if (act < 10) {
        fan_move(party, conn, number);
    } else if (act < 11) {
        fan_move_stranger(party, number);
    } else {
        fan_out(&(sim_audience){.party = party, .group = number + 1});
    }
    party->busy--;
}
