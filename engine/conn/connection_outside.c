/* SPDX-License-Identifier: MIT */
/* connection_outside.c - what others do to connections without knowing their duties; see connection.h. */
#include "engine/conn/connection.h"

/* The queue has no room for a message. */
static pipeport_status outside_full(pp_conn *conn, pp_conn_reach reach, pp_worker *worker)
{
    pp_tally *tally = &conn->party->tally;
    uint32_t when_full = conn->party->options.when_full;
    if (when_full == PIPEPORT_DISCONNECT) {
        (void) pp_conn_close(conn, PP_WISH_SLOW, worker);
        return PIPEPORT_GONE;
    }
    if (reach == PP_REACH_ONE) {
        pp_tally_add(&tally->sends_refused, 1);
    } else {
        pp_tally_add(when_full == PIPEPORT_REFUSE ? &tally->broadcasts_refused : &tally->broadcasts_dropped, 1);
    }
    return PIPEPORT_FULL;
}

/* What a turn has foreseen shall not stand in the way of what it does. */
static void outside_forgo(const pp_conn *conn, pp_worker *worker)
{
    pp_running *running = &worker->running;
    pp_conn_rest_fan(worker);
    if (running->conn == conn && running->ahead_bytes) {
        pp_conn_refund(running->conn, running->ahead_bytes, worker);
        running->ahead_bytes = 0;
    }
}

pipeport_status pp_conn_reserve(pp_conn *conn, uint32_t bytes, pp_conn_reach reach, pp_worker *worker)
{
    const pipeport_options *options = &conn->party->options;
    pp_sendq *sendq = &conn->writer.sendq;
    if (pp_sendq_reserve_or_not(sendq, bytes, options->send_queue_bytes_max)) {
        return PIPEPORT_OK;
    }
    if (worker) {
        outside_forgo(conn, worker);
    }
    bool is_told = reach == PP_REACH_ONE || options->when_full == PIPEPORT_REFUSE;
    bool fits = (is_told ? pp_sendq_reserve : pp_sendq_reserve_or_not)(sendq, bytes, options->send_queue_bytes_max);
    return fits ? PIPEPORT_OK : outside_full(conn, reach, worker);
}

pipeport_status pp_conn_send(pp_conn *conn, pp_link *link, pp_conn_reach reach, pp_worker *worker, bool *corked)
{
    if (atomic_load(&conn->wish) != PP_WISH_NONE) {
        if (worker) { /* Who hears this hears nothing of a broadcast to it afterwards. */
            pp_conn_rest_fan(worker);
        }
        return PIPEPORT_GONE;
    }
    pipeport_status status = pp_conn_reserve(conn, link->message->frame_bytes, reach, worker);
    if (status != PIPEPORT_OK) {
        return status;
    }
    pp_writer_means means = pp_conn_writer_means(conn);
    return pp_writer_push(&conn->writer, &means, link, worker, corked);
}

void pp_conn_refund(pp_conn *conn, uint32_t bytes, pp_worker *worker)
{
    pp_writer_means means = pp_conn_writer_means(conn);
    if (pp_sendq_credit(&conn->writer.sendq, bytes, means.queue_bytes_max)) {
        means.up->drained(&conn->writer, worker);
    }
}

/* Who has the fan's link at this slot, or NULL. Its pump is corked, so it has not left. */
static pp_conn *outside_of_fan(const pp_party *party, const pp_message *fan, uint32_t slot)
{
    return fan->links[slot].message ? (pp_conn *) pp_roster_at(&party->hub->roster, pp_group_at(party->members, slot))
                                    : NULL;
}

static void outside_refund(const pp_party *party, const pp_message *fan, uint32_t slots, pp_worker *worker)
{
    for (uint32_t slot = 0; slot < slots; ++slot) {
        pp_conn *conn = outside_of_fan(party, fan, slot);
        if (conn) {
            pp_conn_refund(conn, worker->running.fan_ahead_bytes, worker);
        }
    }
}

bool pp_conn_reserve_ahead(pp_party *party, const pp_message *fan, uint32_t bytes, pp_worker *worker)
{
    worker->running.fan_ahead_bytes = bytes;
    for (uint32_t slot = 0; slot < fan->links_count; ++slot) {
        pp_conn *conn = outside_of_fan(party, fan, slot);
        if (conn && !pp_sendq_reserve_or_not(&conn->writer.sendq, bytes, party->options.send_queue_bytes_max)) {
            outside_refund(party, fan, slot, worker);
            worker->running.fan_ahead_bytes = 0;
            return false;
        }
    }
    return true;
}

void pp_conn_rest_fan(pp_worker *worker)
{
    pp_running *running = &worker->running;
    if (running->fan_grows) {
        atomic_fetch_sub(&running->fan_party->fans, 1);
        running->fan_grows = false;
        if (running->fan_ahead_bytes) {
            outside_refund(running->fan_party, running->fan, running->fan->links_count, worker);
            running->fan_ahead_bytes = 0;
        }
    }
}

void pp_conn_accepted(pp_party *party, uint64_t messages, uint64_t bytes)
{
    pp_tally_add(&party->tally.messages_sent, messages);
    pp_tally_add(&party->tally.bytes_accepted, bytes);
}

void pp_conn_pause(pp_conn *conn)
{
    atomic_store(&conn->paused, true);
}

void pp_conn_close_all(pp_party *party, pp_conn_wish wish, uint64_t by_ms, pp_worker *worker)
{
    uint64_t by_before = atomic_load(&party->drain_by_ms);
    while (by_ms < by_before && !atomic_compare_exchange_weak(&party->drain_by_ms, &by_before, by_ms)) {
    }
    uint32_t slots = party->members ? pp_group_slots(party->members) : 1;
    for (uint32_t slot = 0; slot < slots; ++slot) {
        uint64_t id = party->members ? pp_group_at(party->members, slot) : atomic_load(&party->only);
        pp_conn *conn = id ? pp_conn_pin(party->hub, id) : NULL;
        if (conn) {
            if (pp_conn_close(conn, wish, worker) != PIPEPORT_OK && by_ms < by_before) {
                pp_conn_hurry(conn, worker);
            }
            pp_conn_unpin(conn, worker);
        }
    }
}
