/* SPDX-License-Identifier: MIT */
/* connection_check.c - the laws of a connection between two calls on it; see connection.h. */
#include "engine/conn/connection.h"

#include "engine/base/assert.h"

/* Whose turn has come to rest has not forgotten to go on: something under way will bring the next. */
static void check_rest(const pp_conn *conn)
{
    bool listens = conn->reader.armed || (conn->party->deaf && !conn->reader.awaits);
    bool held = atomic_load(&conn->paused) || atomic_load(&conn->wish) != PP_WISH_NONE;
    switch ((pp_conn_state) conn->state) {
    case PP_CONN_OPENING:
        PP_VERIFY(false); /* Its first turn opens it, or ends it. */
        break;
    case PP_CONN_OPEN:
        PP_VERIFY(listens || held);
        break;
    case PP_CONN_DRAINING:
        PP_VERIFY(listens || conn->reader.ended == PIPEPORT_GONE); /* Else its pump is under way. */
        PP_VERIFY(listens || !conn->pump_home);
        break;
    case PP_CONN_CLOSING:
        PP_VERIFY(conn->reader.armed || !conn->pump_home);
        break;
    case PP_CONN_CLOSED:
        break;
    }
}

void pp_conn_check(const pp_conn *conn)
{
    pp_writer_means means = {NULL, NULL, conn->party->options.send_queue_bytes_max};
    pp_writer_check(&conn->writer, &means);
    pp_inbox_check(&conn->reader.inbox);
    if (atomic_load(&conn->turn.word) == 0) {
        check_rest(conn);
    }
    PP_VERIFY(!conn->pump_home || pp_sendq_is_sealed(&conn->writer.sendq));
    PP_VERIFY(conn->heard || !conn->spoke); /* No message before `opened`. */
    if (conn->state == PP_CONN_OPEN || conn->state == PP_CONN_DRAINING) {
        PP_VERIFY(conn->heard);
        PP_VERIFY(conn->grouped == (conn->party->members != NULL));
    }
    if (conn->state == PP_CONN_DRAINING) {
        PP_VERIFY(conn->reader.dropping);
        PP_VERIFY(atomic_load(&conn->wish) != PP_WISH_NONE);
    }
    PP_VERIFY(!conn->left || conn->reader.ended == PIPEPORT_GONE);
    if (conn->grouped && conn->state < PP_CONN_CLOSED) {
        PP_VERIFY(pp_group_at(conn->party->members, conn->slot) == pp_seat_id(&conn->seat));
    }
    if (conn->state == PP_CONN_CLOSED) {
        PP_VERIFY(!conn->reader.armed && conn->pump_home);
        PP_VERIFY(pp_deadline_due_ms(&conn->deadline) == 0);
    }
}
