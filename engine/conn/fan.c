/* SPDX-License-Identifier: MIT */
/* fan.c - see fan.h. */
#include "engine/conn/fan.h"

#include "engine/base/assert.h"
#include "engine/base/hints.h"

enum { FAN_LINE_BYTES = 64 }; /* Of a cache, mostly. */

_Static_assert(offsetof(pp_conn, turn) <= 3 * FAN_LINE_BYTES - 16, "what a message needs lies close together");

void pp_fan_soon(const pp_seat *seat)
{
    const char *at = (const char *) seat;
    PP_SOON(at);
    PP_SOON(at + FAN_LINE_BYTES);
    PP_SOON(at + 2 * FAN_LINE_BYTES);
}

static pp_conn *fan_conn(pp_op *op)
{
    return (pp_conn *) ((char *) op - offsetof(pp_conn, writer.op));
}

/* `op` and what it says are near already, or it is NULL. */
static void fan_ahead(pp_op *op)
{
    if (op) {
        PP_SOON(atomic_load_explicit(&fan_conn(op)->pipe.state, memory_order_relaxed));
        if (op->room.next) {
            pp_fan_soon(&fan_conn(op->room.next)->seat);
        }
    }
}

static void fan_done(pp_op *chore, pp_result result, void *drainer)
{
    pp_worker *worker = drainer;
    pp_op *op = worker->fan.first;
    (void) chore;
    (void) result;
    worker->fan.first = worker->fan.last = NULL;
    for (uint32_t written = 1; op; ++written) {
        pp_conn *conn = fan_conn(op);
        pp_writer_means means = pp_conn_writer_means(conn);
        op = op->room.next;
        fan_ahead(op);
        pp_writer_out(&conn->writer, &means, worker->alone, worker);
        if (written % PP_WORKER_CLOCK_WRITES == 0) {
            worker->writes_ms = 0;
        }
    }
}

static void fan_add(pp_fan *fan, pp_op *op, pp_worker *worker)
{
    op->room.next = NULL;
    if (fan->last) {
        fan->last->room.next = op;
    } else {
        fan->first = op;
        fan->op.done = fan_done;
        pp_worker_defer(worker, &fan->op);
    }
    fan->last = op;
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
    return true;
}
