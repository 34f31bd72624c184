/* SPDX-License-Identifier: MIT */
/* fan.c - see fan.h. */
#include "engine/conn/fan.h"

#include "engine/base/assert.h"

static void fan_done(pp_op *chore, pp_result result, void *drainer)
{
    pp_worker *worker = drainer;
    (void) chore;
    (void) result;
    worker->fan.deferred = false;
    pp_conn_write_fan(worker);
}

static void fan_add(pp_fan *fan, pp_op *op, pp_worker *worker)
{
    op->room.next = NULL;
    if (fan->last) {
        fan->last->room.next = op;
    } else {
        fan->first = op;
    }
    fan->last = op;
    if (!fan->deferred) {
        fan->deferred = true;
        fan->op.done = fan_done;
        pp_worker_defer(worker, &fan->op);
    }
}

bool pp_fan_hold(pp_conn *conn, pp_link *link, pp_worker *worker)
{
    PP_ASSERT(conn->pipe.home == worker->home);
    if (!pp_writer_take(&conn->writer, link)) {
        return false;
    }
    fan_add(&worker->fan, &conn->writer.op, worker);
    return true;
}

bool pp_fan_take(pp_conn *conn, pp_link *link, pp_worker *worker)
{
    pp_sendq *sendq = &conn->writer.sendq;
    uint32_t bytes = link->message->frame_bytes;
    if (conn->pipe.home != worker->home || atomic_load(&conn->wish) != PP_WISH_NONE || !pp_sendq_is_idle(sendq) ||
        !pp_sendq_reserve_or_not(sendq, bytes, conn->party->options.send_queue_bytes_max)) {
        return false;
    }
    if (!pp_fan_hold(conn, link, worker)) {
        pp_conn_refund(conn, bytes, worker);
        return false;
    }
    worker->fan.broadcasts = true;
    return true;
}
