/* SPDX-License-Identifier: MIT */
/* membership.c - named groups, and who is in them; see pipeport.h. What is sent to a group: broadcast.c. */
#include "engine/api/server.h"
#include "engine/conn/connection.h"

pipeport_status pipeport_group_open(pipeport_group **out, pipeport_server *server, const char *name)
{
    if (!out || !server || !name) {
        return PIPEPORT_INVALID;
    }
    return atomic_load(&server->party.stopping) ? PIPEPORT_STOPPED : pp_groups_open(&server->groups, name, out);
}

/* The connection, pinned, if it is one that the group may have. Fails: INVALID, GONE. */
static pipeport_status membership_pin(const pipeport_group *group, pipeport_conn name, pp_conn **out)
{
    if (!group) {
        return PIPEPORT_INVALID;
    }
    const pp_party *party = &pp_server_of(group)->party;
    pp_conn *conn = pp_conn_pin(party->hub, name.id);
    if (!conn) {
        return PIPEPORT_GONE;
    }
    if (conn->party != party) {
        pp_conn_unpin(conn, pp_pool_here(&party->hub->pool));
        return PIPEPORT_INVALID;
    }
    *out = conn;
    return PIPEPORT_OK;
}

pipeport_status pipeport_group_join(pipeport_group *group, pipeport_conn name)
{
    pp_conn *conn = NULL;
    pipeport_status status = membership_pin(group, name, &conn);
    if (status != PIPEPORT_OK) {
        return status;
    }
    bool is_closing = atomic_load(&conn->wish) != PP_WISH_NONE;
    status = is_closing ? PIPEPORT_GONE : pp_groups_join(group, &conn->seat, name.id);
    pp_conn_unpin(conn, pp_pool_here(&conn->party->hub->pool));
    return status;
}

pipeport_status pipeport_group_leave(pipeport_group *group, pipeport_conn name)
{
    pp_conn *conn = NULL;
    pipeport_status status = membership_pin(group, name, &conn);
    if (status != PIPEPORT_OK) {
        return status;
    }
    pp_groups_leave(group, &conn->seat);
    pp_conn_unpin(conn, pp_pool_here(&conn->party->hub->pool));
    return PIPEPORT_OK;
}
