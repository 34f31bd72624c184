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

/* Of a connection that is pinned and the server's own. */
typedef pipeport_status membership_verb(pipeport_group *group, const pp_conn *conn);

static pipeport_status membership_join(pipeport_group *group, const pp_conn *conn)
{
    bool is_closing = atomic_load(&conn->wish) != PP_WISH_NONE;
    return is_closing ? PIPEPORT_GONE : pp_groups_join(group, &conn->seat, pp_seat_id(&conn->seat));
}

static pipeport_status membership_leave(pipeport_group *group, const pp_conn *conn)
{
    pp_groups_leave(group, &conn->seat);
    return PIPEPORT_OK;
}

static pipeport_status membership_change(pipeport_group *group, pipeport_conn name, membership_verb *verb)
{
    if (!group) {
        return PIPEPORT_INVALID;
    }
    const pp_party *party = &pp_server_of(group)->party;
    pp_hub *hub = party->hub;
    pp_conn *conn = pp_conn_pin(hub, name.id);
    if (!conn) {
        return PIPEPORT_GONE;
    }
    pipeport_status status = conn->party == party ? verb(group, conn) : PIPEPORT_INVALID;
    pp_conn_unpin(conn, pp_pool_here(&hub->pool));
    return status;
}

pipeport_status pipeport_group_join(pipeport_group *group, pipeport_conn name)
{
    return membership_change(group, name, membership_join);
}

pipeport_status pipeport_group_leave(pipeport_group *group, pipeport_conn name)
{
    return membership_change(group, name, membership_leave);
}
