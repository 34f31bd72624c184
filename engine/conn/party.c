/* SPDX-License-Identifier: MIT */
/* party.c - see party.h. */
#include "engine/conn/party.h"

#include "engine/base/assert.h"
#include "engine/flow/wire.h"

void pp_party_init(pp_party *party, pp_hub *hub, const pipeport_options *options, const pipeport_events *events)
{
    party->hub = hub;
    party->options = *options;
    const char *fault = pp_wire_framing(&party->framing, &options->framing);
    PP_VERIFY(fault == NULL); /* They are resolved. */
    party->events = *events;
    if (events->sent) {
        pp_told_init(&party->told, &hub->memory);
    }
    if (party->members && !pp_port_is_shared(hub->port)) {
        party->shards = pp_memory_take_zeroed(&hub->memory, hub->pool.homes * sizeof party->shards[0]);
        party->shards_count = party->shards ? hub->pool.homes : 0;
    }
    atomic_init(&party->count, 1);
    atomic_init(&party->drain_by_ms, UINT64_MAX);
}

void pp_party_fini(pp_party *party)
{
    if (party->events.sent) {
        pp_told_fini(&party->told);
    }
    pp_memory_give(&party->hub->memory, party->shards, party->shards_count * sizeof party->shards[0]);
}

/* Nobody adds any more. */
static void party_gather(pp_party *party)
{
    for (uint32_t i = 0; i < party->shards_count; ++i) {
        pp_shard *shard = &party->shards[i];
        pp_tally_add(&party->tally.messages_sent, atomic_exchange(&shard->messages_sent, 0));
        pp_tally_add(&party->tally.messages_received, atomic_exchange(&shard->messages_received, 0));
        pp_tally_add(&party->tally.bytes_accepted, atomic_exchange(&shard->bytes_accepted, 0));
        pp_tally_add(&party->tally.bytes_sent, atomic_exchange(&shard->bytes_sent, 0));
        pp_tally_add(&party->tally.bytes_received, atomic_exchange(&shard->bytes_received, 0));
    }
}

void pp_party_set_plan(pp_party *party, const pp_plan *plan, bool serves)
{
    party->plan = *plan;
    party->mute = plan->way == (serves ? PP_WAY_TO_SERVER : PP_WAY_TO_CLIENT);
    party->deaf = plan->way == (serves ? PP_WAY_TO_CLIENT : PP_WAY_TO_SERVER);
}

void pp_party_retain(pp_party *party)
{
    uint32_t before = atomic_fetch_add_explicit(&party->count, 1, memory_order_relaxed);
    PP_VERIFY(before > 0 && before < UINT32_MAX);
}

bool pp_party_retain_living(pp_party *party)
{
    uint32_t before = atomic_load_explicit(&party->count, memory_order_relaxed);
    while (before > 0) {
        if (atomic_compare_exchange_weak_explicit(&party->count, &before, before + 1, memory_order_relaxed,
                                                  memory_order_relaxed)) {
            return true;
        }
    }
    return false;
}

void pp_party_release(pp_party *party)
{
    uint32_t before = atomic_fetch_sub_explicit(&party->count, 1, memory_order_acq_rel);
    PP_VERIFY(before > 0);
    if (before == 1) {
        pp_gate *waiter = party->waiter;
        party_gather(party);
        party->finish(party);
        if (waiter) {
            (void) pp_gate_leave(waiter);
        }
    }
}

pipeport_status pp_party_admit_message(const pp_party *party, const pp_message *message)
{
    if (!pp_framing_equals(&party->framing, message->framing)) {
        return PIPEPORT_INVALID;
    }
    return pp_party_admit(party, pp_message_payload(message), message->payload_bytes);
}

void pp_tally_add(_Atomic uint64_t *figure, uint64_t amount)
{
    atomic_fetch_add_explicit(figure, amount, memory_order_relaxed);
}

void pp_party_count(pp_party *party, pp_worker *worker)
{
    pp_running *running = &worker->running;
    pp_shard *shard = pp_party_shard(party, worker);
    if (shard) {
        pp_shard_add(&shard->messages_received, running->messages_received);
        pp_shard_add(&shard->messages_sent, running->messages_sent);
        pp_shard_add(&shard->bytes_accepted, running->bytes_accepted);
    } else {
        pp_tally_add(&party->tally.messages_received, running->messages_received);
        pp_tally_add(&party->tally.messages_sent, running->messages_sent);
        pp_tally_add(&party->tally.bytes_accepted, running->bytes_accepted);
    }
    running->messages_received = running->messages_sent = 0;
    running->bytes_accepted = 0;
}
