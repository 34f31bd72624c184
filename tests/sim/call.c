/* SPDX-License-Identifier: MIT */
/*
 * call.c - calls of random clients. The reply does not come to an event, so the judge sees it where the engine takes it
 * from one: each message of a connection still comes once and in order, to one of both.
 */
#include "engine/api/client.h"
#include "tests/sim/flow.h"
#include "tests/sim/kernel.h"
#include "tests/sim/trace.h"
#include "tests/sim/user.h"
#include "tests/sim/world.h"

#include <stdlib.h>
#include <string.h>

void __real_pp_calls_enter(pp_calls *calls, pp_call *call, pipeport_reply *reply);
void __wrap_pp_calls_enter(pp_calls *calls, pp_call *call, pipeport_reply *reply);
bool __real_pp_calls_take(pp_calls *calls, uint64_t id, const void *data, size_t length);
bool __wrap_pp_calls_take(pp_calls *calls, uint64_t id, const void *data, size_t length);

static sim_party *call_entering[SIM_THREADS_MAX]; /* Until then a stop may not begin. */

static void call_entered(void)
{
    sim_party *party = call_entering[sim_self()];
    call_entering[sim_self()] = NULL;
    if (party) {
        party->busy--;
    }
}

void __wrap_pp_calls_enter(pp_calls *calls, pp_call *call, pipeport_reply *reply)
{
    __real_pp_calls_enter(calls, call, reply);
    call_entered();
}

bool __wrap_pp_calls_take(pp_calls *calls, uint64_t id, const void *data, size_t length)
{
    bool taken = __real_pp_calls_take(calls, id, data, length);
    for (uint32_t i = 0; taken && i < sim_conns_count; i++) {
        sim_conn *conn = &sim_conns[i];
        bool lives = conn->party->client && !conn->party->finished; /* Its place may be another's by now. */
        if (conn->name.id == id && lives && &conn->party->client->calls == calls) {
            (void) sim_judge_enter(conn->party, conn, conn->name, "a reply");
            sim_judge_message(conn, data, length);
            sim_judge_leave(conn);
            return true;
        }
    }
    SIM_MUST(!taken);
    return false;
}

/* Was nothing of it sent, for certain? */
static bool call_is_refused(pipeport_status status, uint32_t serial)
{
    switch (status) {
    case PIPEPORT_INVALID:
    case PIPEPORT_NO_MEMORY:
    case PIPEPORT_NO_SERVER:
    case PIPEPORT_BUSY:
    case PIPEPORT_DENIED:
    case PIPEPORT_FULL:
    case PIPEPORT_SYSTEM:
    case PIPEPORT_WRONG_TYPE:
    case PIPEPORT_UNSUPPORTED:
        return true;
    case PIPEPORT_TOO_LARGE:
        return sim_offers[serial].expected == PIPEPORT_TOO_LARGE;
    default:
        return false;
    }
}

/* What came is a message that somebody offered, whole; or any bytes, where a stream has no messages. */
static void call_check_reply(const sim_dialect *dialect, const uint8_t *data, size_t length)
{
    uint32_t at;
    if (dialect->rule.kind == PP_FRAMING_NONE || !sim_dialect_is_tagged(dialect, (uint32_t) length, &at)) {
        return;
    }
    uint32_t serial = sim_dialect_read_tag(dialect, data + at);
    if (serial == 0 || serial >= sim_offers_count || sim_offers[serial].length != length ||
        sim_offers[serial].sum != sim_sum(0, data, (uint32_t) length)) {
        sim_fail("a reply of %zu bytes is no message that was offered", length);
    }
}

void sim_user_call(sim_party *party)
{
    if (party->is_server || !party->started || party->stopping || party->finished || party->engine->going) {
        return;
    }
    uint32_t length = sim_below(20) ? sim_below(500) : sim_below(sim_message_bytes_max + 10);
    bool is_one_way = party->options.direction != PIPEPORT_DUPLEX;
    length = party->dialect->rule.kind == PP_FRAMING_NONE || sim_below(8) ? sim_dialect_fit(party->dialect, length)
                                                                          : length;
    uint32_t timeout_ms = 1 + sim_below(sim_below(3) ? 30 : 3000);
    uint8_t *data = malloc(length + 1);
    pipeport_reply reply = {.room = sim_below(4) ? sim_message_bytes_max : sim_below(100)};
    reply.data = malloc(reply.room + 1);
    SIM_MUST(data != NULL && reply.data != NULL);
    /* A thread of its own for the judge: in the call this one may run events, and those send before it is its turn. */
    sim_offer offer = {.dialect = party->dialect, .thread = SIM_THREADS_MAX + sim_self(), .length = length};
    uint32_t serial = sim_flow_offer(&offer, data);
    uint64_t begin_ns = sim_now_ns();
    party->busy++;
    party->calls++;
    party->sending++;
    call_entering[sim_self()] = party;
    sim_waits_since_ns[sim_self()] = begin_ns;
    pipeport_status status = pipeport_client_call(party->client, data, length, &reply, timeout_ms);
    sim_waits_since_ns[sim_self()] = 0;
    call_entered();
    sim_trace("call: party, bytes, status", (uint64_t) (party - sim_parties), length, status);
    (void) sim_met(SIM_AT_CALL, status);
    sim_judge_answer(serial, call_is_refused(status, serial) ? status : PIPEPORT_OK);
    if (status != PIPEPORT_TOO_LARGE || sim_offers[serial].expected != PIPEPORT_OK) { /* Else it is the reply. */
        sim_judge_admission(serial, status, is_one_way);
    }
    party->full += status == PIPEPORT_FULL;
    party->sending--;
    SIM_MUST(status != PIPEPORT_STOPPED || party->stopping);
    SIM_MUST(status != PIPEPORT_TIMED_OUT || sim_now_ns() + 1000000 >= begin_ns + timeout_ms * UINT64_C(1000000));
    if (status == PIPEPORT_OK) {
        SIM_MUST(reply.length <= reply.room);
        call_check_reply(party->dialect, reply.data, reply.length);
    }
    free(data);
    free(reply.data);
}
