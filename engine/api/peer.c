/* SPDX-License-Identifier: MIT */
/* peer.c - who is there: the connections of a server, and who is at the other end; see pipeport.h. */
#include "engine/api/engine.h"
#include "engine/api/server.h"

pipeport_status pipeport_peer_of(pipeport_engine *engine, pipeport_conn name, pipeport_peer *out)
{
    if (!engine || !out) {
        return PIPEPORT_INVALID;
    }
    pp_conn *conn = pp_conn_pin(&engine->hub, name.id);
    if (!conn) {
        return PIPEPORT_GONE;
    }
    pipeport_peer peer; /* The pin keeps the pipe open. */
    pp_fault fault = pp_pipe_peer(&conn->pipe, conn->party->members != NULL, &peer);
    pp_conn_unpin(conn, pp_pool_here(&engine->hub.pool));
    if (fault.status == PIPEPORT_OK) {
        *out = peer;
    }
    return fault.status;
}

pipeport_status pipeport_server_connections(pipeport_server *server, pipeport_conn *conns, size_t room, size_t *count)
{
    if (!server || !count || (!conns && room)) {
        return PIPEPORT_INVALID;
    }
    pp_worker *worker = pp_pool_here(&server->engine->hub.pool);
    uint32_t slots = pp_group_slots(&server->members);
    size_t found = 0;
    for (uint32_t slot = 0; slot < slots; ++slot) {
        uint64_t id = pp_group_at(&server->members, slot);
        pp_conn *conn = id ? pp_conn_pin(&server->engine->hub, id) : NULL;
        if (!conn) { /* Free, or closing. */
            continue;
        }
        pp_conn_unpin(conn, worker);
        if (found < room) {
            conns[found] = (pipeport_conn){id};
        }
        found += 1;
    }
    *count = found;
    return PIPEPORT_OK;
}
