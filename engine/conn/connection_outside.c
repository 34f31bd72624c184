/* SPDX-License-Identifier: MIT */
/* connection_outside.c - what others do to connections without knowing their duties; see connection.h. */
#include "engine/conn/connection.h"

pipeport_status pp_conn_send(pp_conn *conn, pp_link *link, pp_worker *worker)
{
    if (atomic_load(&conn->wish) != PP_WISH_NONE) {
        return PIPEPORT_GONE;
    }
    uint32_t bytes = link->message->frame_bytes;
    if (!pp_sendq_reserve(&conn->writer.sendq, bytes)) {
        return PIPEPORT_FULL;
    }
    pipeport_status status = pp_writer_push(&conn->writer, link, worker);
    if (status == PIPEPORT_OK) {
        pp_tally_add(&conn->party->tally.messages_sent, 1);
        pp_tally_add(&conn->party->tally.bytes_accepted, bytes);
    }
    return status;
}

void pp_conn_close_all(pp_party *party, pp_conn_wish wish, uint64_t by_ms, pp_worker *worker)
{
    uint32_t slots = party->members ? pp_group_slots(party->members) : 1;
    for (uint32_t slot = 0; slot < slots; ++slot) {
        uint64_t id = party->members ? pp_group_at(party->members, slot) : atomic_load(&party->only);
        pp_conn *conn = id ? pp_conn_pin(party->hub, id) : NULL;
        if (conn) {
            (void) pp_conn_close(conn, wish, by_ms, worker);
            pp_conn_unpin(conn, worker);
        }
    }
}
