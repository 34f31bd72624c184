/* SPDX-License-Identifier: MIT */
/* tally.c - see tally.h. */
#include "engine/api/tally.h"

static uint64_t tally_read(const _Atomic uint64_t *figure)
{
    return atomic_load_explicit(figure, memory_order_relaxed);
}

pipeport_status pp_tally_report(const pp_party *party, pipeport_stats *stats)
{
    if (!stats || stats->size != sizeof *stats) {
        return PIPEPORT_INVALID;
    }
    const pp_tally *tally = &party->tally;
    /* Before opened, and acquired, so that open is never negative: see pp_tally. */
    stats->connections_closed = atomic_load_explicit(&tally->closed, memory_order_acquire);
    stats->connections_opened = tally_read(&tally->opened);
    stats->connections_open = stats->connections_opened - stats->connections_closed;
    stats->accepts_failed = tally_read(&tally->accepts_failed);
    stats->dials = tally_read(&tally->dials);
    stats->accepts_refused = tally_read(&tally->accepts_refused);
    stats->messages_sent = tally_read(&tally->messages_sent);
    stats->messages_received = tally_read(&tally->messages_received);
    stats->bytes_accepted = tally_read(&tally->bytes_accepted);
    stats->bytes_sent = tally_read(&tally->bytes_sent);
    stats->bytes_discarded = tally_read(&tally->bytes_discarded);
    stats->bytes_received = tally_read(&tally->bytes_received);
    stats->sends_refused = tally_read(&tally->sends_refused);
    stats->broadcasts_refused = tally_read(&tally->broadcasts_refused);
    stats->broadcasts_dropped = tally_read(&tally->broadcasts_dropped);
    stats->slow_peers = tally_read(&tally->slow_peers);
    for (uint32_t i = 0; i < party->shards_count; ++i) {
        const pp_shard *shard = &party->shards[i];
        stats->messages_sent += tally_read(&shard->messages_sent);
        stats->messages_received += tally_read(&shard->messages_received);
        stats->bytes_accepted += tally_read(&shard->bytes_accepted);
        stats->bytes_sent += tally_read(&shard->bytes_sent);
        stats->bytes_received += tally_read(&shard->bytes_received);
    }
    return PIPEPORT_OK;
}
