/* SPDX-License-Identifier: MIT */
/*
 * connection_clock.c - when a connection has waited too long, and for what; see connection.h.
 *
 * A peer is not blamed for us. A bound that has passed by the times noted here says only that this turn has not heard
 * of the peer: what it did may wait in the system while a handler holds the worker up, or be in the hand of another
 * worker that took it. So the operation that waits for the peer is asked (pp_pipe_is_answered), and it is over only
 * where that one still waits: then everything that came before has been read, and what was noted is the peer's own
 * time. Else the clock is looked at again soon, when the completion may have come. That has an end: a completion comes,
 * and a peer from which nothing is waiting is judged, however much waits from others. A peer that always has something
 * waiting, but never a whole first message, is judged when all has been read that it had sent by the first look which
 * found it late (pp_reader_be_late): so much is its own time.
 *
 * Where drainers share a port (Windows), the system writes down what an operation came to when a take brings it, so
 * what lies in the port's queue looks as if it waited. The queue is first in, first out: so the turn of who seems
 * overdue is posted behind all that lies there, and when it comes out, what was answered by then is seen to be. By then
 * another worker may be just about to take what lay before it: so the look that decides is CLOCK_AGAIN_MS later.
 */
#include "engine/conn/connection.h"

enum { CLOCK_AGAIN_MS = 10 }; /* Until a completion that is under way is looked for again. */

static uint64_t clock_sooner(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t clock_first_due_ms(const pp_conn *conn, uint64_t now_ms)
{
    uint32_t may_ms = conn->party->options.first_message_ms;
    return may_ms != 0 && !conn->spoke ? pp_stamp_due_ms(conn->opened_at, may_ms, now_ms) : UINT64_MAX;
}

/* By the times that are noted alone. */
static uint64_t clock_noted_ms(const pp_conn *conn, uint64_t now_ms, pipeport_status *why)
{
    const pipeport_options *options = &conn->party->options;
    uint64_t due = UINT64_MAX;
    uint32_t since = atomic_load_explicit(&conn->writer.pending_since, memory_order_relaxed);
    uint32_t stall_ms = conn->left ? pp_conn_stall_ms(options) : options->write_stall_ms;
    if (since && stall_ms != UINT32_MAX) {
        due = pp_stamp_due_ms(since, stall_ms, now_ms);
        *why = PIPEPORT_SLOW_PEER;
    }
    uint64_t others = UINT64_MAX;
    if (conn->state == PP_CONN_DRAINING) {
        others = atomic_load(&conn->party->drain_by_ms);
    } else if (conn->state == PP_CONN_OPEN && !atomic_load(&conn->paused)) {
        others = clock_first_due_ms(conn, now_ms);
        if (options->idle_ms) {
            others = clock_sooner(others, pp_stamp_due_ms(conn->heard_at, options->idle_ms, now_ms));
        }
    }
    if (others < due) {
        due = others;
        *why = PIPEPORT_TIMED_OUT;
    }
    return due;
}

/* False: what looks as if it waited may have been answered. */
static bool clock_is_sure(pp_conn *conn, bool of_write)
{
    if (!pp_port_is_shared(conn->pipe.port)) {
        return true;
    }
    uint32_t since = of_write ? atomic_load_explicit(&conn->writer.pending_since, memory_order_relaxed) : 0;
    if (conn->doubt == PP_DOUBT_NONE || conn->doubts_write != of_write || conn->seat.own != since) {
        conn->doubt = PP_DOUBT_ASKS;
        conn->doubts_write = of_write;
        conn->seat.own = since;
    }
    return conn->doubt == PP_DOUBT_PASSED && pp_deadline_due_ms(&conn->deadline) == 0; /* Which was set then. */
}

/* True: the peer may have done its part already, and the word of it has not come to this turn. How long a drain may
 * take is not the peer's part. */
static bool clock_may_be_answered(pp_conn *conn, uint64_t now_ms, pipeport_status why)
{
    bool of_write = why == PIPEPORT_SLOW_PEER;
    if (!of_write && (conn->state != PP_CONN_OPEN ||
                      (clock_first_due_ms(conn, now_ms) <= now_ms && pp_reader_be_late(&conn->reader)))) {
        return false;
    }
    const pp_op *op = of_write ? &conn->writer.op : &conn->reader.op;
    if ((!of_write && !conn->reader.armed) || pp_pipe_is_answered(&conn->pipe, op)) {
        conn->doubt = PP_DOUBT_NONE;
        return true;
    }
    return !clock_is_sure(conn, of_write);
}

uint64_t pp_conn_due_ms(pp_conn *conn, uint64_t now_ms, pipeport_status *why)
{
    uint64_t due_ms = clock_noted_ms(conn, now_ms, why);
    if (due_ms > now_ms) {
        conn->doubt = PP_DOUBT_NONE;
        return due_ms;
    }
    if (clock_may_be_answered(conn, now_ms, *why)) {
        uint64_t drain_by_ms = conn->state == PP_CONN_DRAINING ? atomic_load(&conn->party->drain_by_ms) : UINT64_MAX;
        *why = PIPEPORT_TIMED_OUT;
        return drain_by_ms <= now_ms ? drain_by_ms : now_ms + CLOCK_AGAIN_MS;
    }
    /* The write that was overdue may be home by now, and what was asked about the next one. */
    pipeport_status still = PIPEPORT_OK;
    atomic_thread_fence(memory_order_seq_cst);
    due_ms = clock_noted_ms(conn, now_ms, &still);
    return due_ms > now_ms || still == *why ? due_ms : now_ms + CLOCK_AGAIN_MS;
}

void pp_conn_set_clock(pp_conn *conn, uint64_t due_ms, pp_worker *worker)
{
    pp_seat_pin(&conn->seat);
    if (pp_pool_set_deadline(&conn->party->hub->pool, &conn->deadline, due_ms)) {
        pp_conn_unpin(conn, worker);
    }
}

void pp_conn_look_at_doubt(pp_conn *conn, uint32_t duties, pp_worker *worker)
{
    if ((duties & PP_DUTY_READ) && !conn->doubts_write) {
        conn->doubt = PP_DOUBT_NONE;
    } else if (conn->doubt == PP_DOUBT_WAITS && conn->state < PP_CONN_CLOSING) {
        conn->doubt = PP_DOUBT_PASSED;
        pp_conn_set_clock(conn, pp_os_now_ms() + CLOCK_AGAIN_MS, worker);
    }
}

pp_turn_rest pp_conn_doubt_rests(pp_conn *conn, pp_turn_rest rest)
{
    if (conn->doubt != PP_DOUBT_ASKS || rest == PP_TURN_BATCH_END || conn->state >= PP_CONN_CLOSING) {
        return rest;
    }
    conn->doubt = PP_DOUBT_WAITS;
    return PP_TURN_LATER;
}
