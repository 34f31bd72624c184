/* SPDX-License-Identifier: MIT */
/* connection_writing.c - what a connection's writer tells it, and how a worker's fan is written; see connection.h. */
#include "engine/conn/connection.h"

#include "engine/base/hints.h"

enum { WRITING_LINE_BYTES = 64 }; /* Of a cache, mostly. */

_Static_assert(offsetof(pp_conn, turn) <= 3 * WRITING_LINE_BYTES - 16, "what a message needs lies close together");

static pp_conn *writing_conn(pp_writer *writer)
{
    return (pp_conn *) ((char *) writer - offsetof(pp_conn, writer));
}

static pp_conn *writing_conn_of_op(pp_op *op)
{
    return (pp_conn *) ((char *) op - offsetof(pp_conn, writer.op));
}

static void writing_pin(pp_writer *writer)
{
    pp_seat_pin(&writing_conn(writer)->seat);
}

static void writing_unpin(pp_writer *writer, pp_worker *worker)
{
    pp_conn_unpin(writing_conn(writer), worker);
}

static void writing_wrote(pp_writer *writer, uint32_t bytes, pp_worker *worker)
{
    pp_conn *conn = writing_conn(writer);
    uint64_t before = atomic_load_explicit(&conn->bytes_sent, memory_order_relaxed); /* Nobody else adds. */
    atomic_store_explicit(&conn->bytes_sent, before + bytes, memory_order_relaxed);
    pp_party_wrote(conn->party, bytes, worker);
    if (worker) {
        worker->moved_bytes += bytes;
    }
    if (conn->party->events.sent) { /* By the port, for the reason of writing_drained. */
        pp_conn_summon(conn, PP_DUTY_SENT, NULL);
    }
}

static void writing_stalled(pp_writer *writer, uint64_t since_ms, pp_worker *worker)
{
    pp_conn *conn = writing_conn(writer);
    uint32_t stall_ms = pp_conn_stall_ms(&conn->party->options); /* At least: whether it left is the turn's to know. */
    if (stall_ms == UINT32_MAX) {
        return;
    }
    /* The deadline looks at the latest stall_ms from the first pending write on: mostly it is set already. Between
     * `pending_since` stored and its time loaded here, and the other way round where the deadline looks, stands a
     * fence: one of both sees the other. */
    atomic_thread_fence(memory_order_seq_cst);
    bool pending = atomic_load_explicit(&writer->pending_since, memory_order_relaxed) != 0;
    uint64_t set_ms = pp_deadline_due_ms(&conn->deadline);
    if (pending && (set_ms == 0 || set_ms > since_ms + stall_ms)) {
        pp_conn_summon(conn, PP_DUTY_CLOCK, worker);
    }
}

/* By the port, also on a worker: a handler that fills the queue at each `drained` would make its pump and its turn call
 * each other for as long as the peer reads, and the worker's round would not end. Inside the turn, where a large answer
 * is written, it is the turn's next run that tells, and that one writes nothing (running.h: may_write). */
static void writing_drained(pp_writer *writer, pp_worker *worker)
{
    (void) worker;
    pp_conn_summon(writing_conn(writer), PP_DUTY_DRAINED, NULL);
}

static void writing_sealed(pp_writer *writer, pp_worker *worker)
{
    pp_conn *conn = writing_conn(writer);
    pp_tally_add(&conn->party->tally.bytes_discarded, writer->discarded);
    pp_conn_summon(conn, PP_DUTY_SEALED, worker);
}

static bool writing_hands_over(pp_writer *writer)
{
    const pp_conn *conn = writing_conn(writer);
    return pp_pool_minds_pump(&conn->party->hub->pool, conn->pipe.home);
}

static const pp_writer_up writing_up = {writing_pin,     writing_unpin,  writing_wrote,     writing_stalled,
                                        writing_drained, writing_sealed, writing_hands_over};

pp_writer_means pp_conn_writer_means(pp_conn *conn)
{
    return (pp_writer_means){&writing_up, &conn->pipe, conn->party->options.send_queue_bytes_max};
}

void pp_conn_write_done(pp_op *op, pp_result result, void *drainer)
{
    pp_conn *conn = writing_conn_of_op(op);
    pp_writer_means means = pp_conn_writer_means(conn);
    pp_writer_done(&conn->writer, &means, result, drainer);
}

/* ---- The fan ---- */

void pp_conn_soon(const pp_seat *seat)
{
    const char *at = (const char *) seat;
    PP_SOON(at);
    PP_SOON(at + WRITING_LINE_BYTES);
    PP_SOON(at + 2 * WRITING_LINE_BYTES);
}

/* `op` and what it says are near already, or it is NULL. */
static void writing_ahead(pp_op *op)
{
    if (op) {
        PP_SOON(atomic_load_explicit(&writing_conn_of_op(op)->pipe.state, memory_order_relaxed));
        if (op->room.next) {
            pp_conn_soon(&writing_conn_of_op(op->room.next)->seat);
        }
    }
}

void pp_conn_write_fan(pp_worker *worker)
{
    pp_op *op = worker->fan.first;
    worker->fan.first = worker->fan.last = NULL;
    worker->fan.broadcasts = false;
    for (uint32_t written = 1; op; ++written) {
        pp_conn *conn = writing_conn_of_op(op);
        pp_writer_means means = pp_conn_writer_means(conn);
        op = op->room.next;
        writing_ahead(op);
        pp_writer_out(&conn->writer, &means, worker->alone, worker);
        if (written % PP_WORKER_CLOCK_WRITES == 0) {
            worker->writes_ms = 0;
        }
    }
}
