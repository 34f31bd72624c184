/* SPDX-License-Identifier: MIT */
/* connection_clock.c - when a connection has waited too long, and for what; see connection.h. */
#include "engine/conn/connection.h"

static uint64_t clock_sooner(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

uint64_t pp_conn_due_ms(const pp_conn *conn, pipeport_status *why)
{
    const pipeport_options *options = &conn->party->options;
    uint64_t due = UINT64_MAX;
    uint64_t since = atomic_load_explicit(&conn->writer.pending_since_ms, memory_order_relaxed);
    if (since && options->write_stall_ms != UINT32_MAX) {
        due = since + options->write_stall_ms;
        *why = PIPEPORT_SLOW_PEER;
    }
    uint64_t others = UINT64_MAX;
    if (conn->state == PP_CONN_DRAINING) {
        others = atomic_load(&conn->drain_by_ms);
    } else if (conn->state == PP_CONN_OPEN && !atomic_load(&conn->paused)) {
        if (options->first_message_ms && !conn->spoke) {
            others = conn->opened_ms + options->first_message_ms;
        }
        if (options->idle_ms) {
            others = clock_sooner(others, conn->heard_ms + options->idle_ms);
        }
    }
    if (others < due) {
        due = others;
        *why = PIPEPORT_TIMED_OUT;
    }
    return due;
}
