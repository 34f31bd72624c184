/* SPDX-License-Identifier: MIT */
/*
 * limit.c - bounds on the connections of one process and of one user, seen at the engine's own door (peers.h): nobody
 * is let in above a bound, and nobody is turned away where there was room.
 *
 * Whoever is inside for certain, from the answer to the beginning of the leave, may not be too many. Who is turned away
 * must have met as many as the bound, counted as largely as can be: from before the question, and until the leave is
 * over; and all who asked meanwhile.
 */
#include "tests/sim/limit.h"

#include "engine/api/server.h"
#include "engine/conn/peers.h"
#include "tests/sim/judge.h"
#include "tests/sim/pipe.h"
#include "tests/sim/trace.h"

#include <string.h>

pipeport_status __real_pp_peers_enter(pp_peers *peers, uint32_t seat, const pipeport_peer *peer);
pipeport_status __wrap_pp_peers_enter(pp_peers *peers, uint32_t seat, const pipeport_peer *peer);
void __real_pp_peers_leave(pp_peers *peers, uint32_t seat);
void __wrap_pp_peers_leave(pp_peers *peers, uint32_t seat);

typedef enum limit_state { LIMIT_FREE, LIMIT_ASKS, LIMIT_IN, LIMIT_LEAVES } limit_state;

typedef struct limit_guest {
    limit_state state;
    const pp_peers *peers;
    uint32_t seat, process;
    bool is_other; /* User. */
} limit_guest;

static limit_guest guests[SIM_CONNS_MAX];
static uint32_t guests_count; /* Places from here on were never taken. */
static uint32_t asked;        /* Ever. */

void sim_limits_begin(void)
{
    memset(guests, 0, sizeof guests[0] * guests_count);
    guests_count = asked = 0;
}

typedef struct limit_count {
    uint32_t process, user;
} limit_count;

/* How many like `one` are there, from this state to the last that counts; itself left aside. */
static limit_count limit_like(const limit_guest *one, limit_state least, limit_state most)
{
    limit_count count = {0, 0};
    for (uint32_t i = 0; i < guests_count; i++) {
        const limit_guest *other = &guests[i];
        bool counts = other != one && other->peers == one->peers && other->state >= least && other->state <= most;
        count.process += counts && other->process == one->process;
        count.user += counts && other->is_other == one->is_other;
    }
    return count;
}

static limit_guest *limit_new_guest(void)
{
    uint32_t i = 0;
    while (i < guests_count && guests[i].state != LIMIT_FREE) {
        i++;
    }
    SIM_MUST(i < SIM_CONNS_MAX);
    guests_count = i < guests_count ? guests_count : i + 1;
    return &guests[i];
}

static sim_party *limit_party(const pp_peers *peers)
{
    for (uint32_t i = 0; i < sim_parties_count; i++) {
        const sim_party *party = &sim_parties[i];
        if (party->is_server && !party->finished && party->server && party->server->party.peers == peers) {
            return &sim_parties[i];
        }
    }
    sim_fail("somebody is counted for a server that is not there");
}

pipeport_status __wrap_pp_peers_enter(pp_peers *peers, uint32_t seat, const pipeport_peer *peer)
{
    limit_guest *guest = limit_new_guest();
    *guest = (limit_guest){LIMIT_ASKS, peers, seat, peer->process_id, strcmp(peer->user, SIM_USER) != 0};
    limit_count before = limit_like(guest, LIMIT_ASKS, LIMIT_LEAVES);
    uint32_t asked_before = ++asked;
    pipeport_status status = __real_pp_peers_enter(peers, seat, peer);
    uint32_t more = asked - asked_before;
    if (status == PIPEPORT_OK) {
        limit_count now = limit_like(guest, LIMIT_IN, LIMIT_IN);
        guest->state = LIMIT_IN;
        if ((peers->per_process_max && now.process >= peers->per_process_max) ||
            (peers->per_user_max && now.user >= peers->per_user_max)) {
            sim_fail("a client is let in above a bound: %u others are of its process, %u of its user", now.process,
                     now.user);
        }
        return status;
    }
    bool was_full = (peers->per_process_max && before.process + more >= peers->per_process_max) ||
                    (peers->per_user_max && before.user + more >= peers->per_user_max);
    if (status == PIPEPORT_FULL && !was_full) {
        sim_fail("a client is turned away by a bound, and only %u others were of its process, %u of its user",
                 before.process, before.user);
    }
    guest->state = LIMIT_FREE;
    limit_party(peers)->turned_away += status == PIPEPORT_FULL;
    sim_trace("a bound: process, status", peer->process_id, status, 0);
    return status;
}

void __wrap_pp_peers_leave(pp_peers *peers, uint32_t seat)
{
    limit_guest *guest = NULL;
    for (uint32_t i = 0; i < guests_count && !guest; i++) {
        bool is_it = guests[i].state == LIMIT_IN && guests[i].peers == peers && guests[i].seat == seat;
        guest = is_it ? &guests[i] : NULL;
    }
    if (guest) {
        guest->state = LIMIT_LEAVES;
    }
    __real_pp_peers_leave(peers, seat);
    if (guest) {
        guest->state = LIMIT_FREE;
    }
}
