/* SPDX-License-Identifier: MIT */
/* connection_admit.c - whether who came to a server may stay; see connection.h. */
#include "engine/conn/connection.h"

/* Who is turned away: by a bound, or by the user. */
static pipeport_status admit_peer(const pp_conn *conn, const pipeport_peer *peer)
{
    const pp_party *party = conn->party;
    if (party->peers) {
        pipeport_status status = pp_peers_enter(party->peers, conn->seat.index, peer);
        if (status != PIPEPORT_OK) {
            return status;
        }
    }
    bool stays = !party->events.accept || party->events.accept(party->events.user, peer);
    return stays ? PIPEPORT_OK : PIPEPORT_FULL;
}

pipeport_status pp_conn_admit(pp_conn *conn)
{
    pp_party *party = conn->party;
    if (!party->members || (!party->peers && !party->events.accept)) {
        return PIPEPORT_OK; /* The system is not asked for what nobody wants to know. */
    }
    pipeport_peer peer;
    pipeport_status status = pp_pipe_peer(&conn->pipe, true, &peer).status;
    if (status == PIPEPORT_OK) {
        status = admit_peer(conn, &peer);
    }
    if (status == PIPEPORT_FULL) {
        pp_tally_add(&party->tally.accepts_refused, 1);
    } else if (status != PIPEPORT_OK) { /* He went, or there is no memory to count him. */
        pp_tally_add(&party->tally.accepts_failed, 1);
    }
    return status;
}
