/* SPDX-License-Identifier: MIT */
/*
 * look.c - what a user asks of an engine without changing anything: figures, and who is there.
 */
#include "tests/sim/pipe.h"
#include "tests/sim/trace.h"
#include "tests/sim/user.h"
#include "tests/sim/world.h"

#include <string.h>

void sim_user_look_at_figures(sim_engine *engine)
{
    if (!engine->engine || engine->going) {
        return;
    }
    pipeport_engine_figures figures = {.size = sizeof figures - sim_below(2)};
    pipeport_status status = pipeport_engine_stats(engine->engine, &figures);
    if (sim_met(SIM_AT_STATS, status) != PIPEPORT_OK) {
        SIM_MUST(figures.size != sizeof figures);
        return;
    }
    SIM_MUST(figures.operations_done <= figures.operations_armed);
    SIM_MUST(engine->memory_bytes_max == 0 || figures.memory_bytes <= engine->memory_bytes_max);
}

void sim_user_look_at_peer(sim_conn *conn)
{
    pipeport_peer peer;
    if (!conn) {
        return;
    }
    bool misuse = sim_below(30) == 0;
    pipeport_status status = pipeport_peer_of(conn->party->engine->engine, conn->name, misuse ? NULL : &peer);
    SIM_MUST((sim_met(SIM_AT_PEER_OF, status) == PIPEPORT_INVALID) == misuse);
    if (status == PIPEPORT_OK) {
        bool knows = conn->party->is_server;
        SIM_MUST(peer.process_id == (knows ? conn->link->process : SIM_PROCESS));
        SIM_MUST(strcmp(peer.user, knows ? conn->link->user : SIM_USER) == 0);
    }
}

/* Who is named is of this server, and each once. */
void sim_user_look_at_connections(sim_party *party)
{
    pipeport_conn names[16];
    size_t count = 0, room = sim_below(17);
    if (!party->is_server || !party->started || party->stopping || party->finished) {
        return;
    }
    party->busy++;
    pipeport_status status = pipeport_server_connections(party->server, sim_below(30) ? names : NULL, room, &count);
    party->busy--;
    SIM_MUST(sim_met(SIM_AT_CONNECTIONS, status) == PIPEPORT_OK || room > 0);
    for (size_t i = 0; status == PIPEPORT_OK && i < count && i < room; i++) {
        for (uint32_t k = 0; k < sim_conns_count; k++) {
            SIM_MUST(sim_conns[k].name.id != names[i].id || sim_conns[k].party->engine != party->engine ||
                     sim_conns[k].party == party);
        }
        for (size_t k = 0; k < i; k++) {
            SIM_MUST(names[k].id != names[i].id);
        }
    }
}

void sim_user_look_at_stats(sim_party *party)
{
    pipeport_stats stats = {.size = sizeof stats - sim_below(2)};
    if (!party->started || party->stopping || party->finished) {
        return;
    }
    party->busy++;
    pipeport_status status = party->is_server ? pipeport_server_stats(party->server, &stats)
                                              : pipeport_client_stats(party->client, &stats);
    party->busy--;
    SIM_MUST((sim_met(SIM_AT_STATS, status) == PIPEPORT_OK) == (stats.size == sizeof stats));
    SIM_MUST(status != PIPEPORT_OK || stats.bytes_sent + stats.bytes_discarded <= stats.bytes_accepted + UINT32_MAX);
}
