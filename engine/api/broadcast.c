/* SPDX-License-Identifier: MIT */
/*
 * broadcast.c - one message to all connections of a server; see pipeport.h.
 *
 * Broadcasts that one turn makes one after another grow together, as its answers do (reply.h): the frame goes behind
 * the last one in the same message, so that a receiver has one link and all receivers have the same bytes. This needs
 * that the message reached every member and nobody has joined since; that its link is the newest in each queue; and
 * that every pump was taken by it, and so lies in this worker's chores until the turn has ended. A member cannot leave
 * before its pump is home, so each of them is still there.
 */
#include "engine/api/engine.h"
#include "engine/api/server.h"
#include "engine/conn/reply.h"
#include "engine/flow/wire.h"

/* True: the pump of every member lies in this worker's chores, since the turn's last broadcast or an earlier one. */
static bool broadcast_is_corked(const pipeport_server *server, const pp_running *running)
{
    return running->fan && running->fan_members == &server->members &&
           running->fan_joins == pp_group_joins(&server->members);
}

/* The links of `fan` keep it until the turn has ended. */
static void broadcast_note(const pipeport_server *server, pp_running *running, uint32_t joins, pp_message *fan,
                           uint32_t reached)
{
    if (running->fan) {
        pp_reply_leave_room(running, running->fan);
    }
    running->fan = fan;
    running->fan_members = &server->members;
    running->fan_joins = joins;
    running->fan_reached = reached;
}

/* Gives one link to each open member; `message` has a link for each slot, and one count, the caller's. */
static uint32_t broadcast_links(pipeport_server *server, pp_message *message, pp_worker *worker)
{
    pp_party *party = &server->party;
    uint32_t slots = message->links_count, bytes = message->frame_bytes, joins = pp_group_joins(&server->members);
    uint32_t members = 0, reached = 0, taken = 0;
    pp_message_retain(message, slots); /* All at once; what no queue took is given back at the end. */
    for (uint32_t slot = 0; slot < slots; ++slot) {
        uint64_t id = pp_group_at(&server->members, slot);
        pp_conn *conn = id ? pp_conn_pin(party->hub, id) : NULL;
        members += id != 0;
        if (!conn) {
            continue;
        }
        bool corked = false;
        pipeport_status status = pp_conn_send(conn, &message->links[slot], PP_REACH_MANY, worker, &corked);
        taken += corked;
        reached += status == PIPEPORT_OK;
        pp_conn_unpin(conn, worker);
    }
    pp_conn_accepted(party, reached, (uint64_t) reached * bytes);
    if (worker && worker->running.conn) {
        bool all = pp_group_slots(&server->members) == slots; /* Else one is missed that `joins` counts already. */
        bool corked = taken == members || (reached == members && broadcast_is_corked(server, &worker->running));
        broadcast_note(server, &worker->running, joins, all && corked && reached ? message : NULL, reached);
    }
    pp_message_release(message, slots - reached + 1);
    return reached;
}

/* `message`, with a link for each slot, is NULL when there was no memory for it. */
static pipeport_status broadcast_message(pipeport_server *server, pp_message *message, pp_worker *worker,
                                         uint32_t *reached)
{
    if (!message) {
        return PIPEPORT_NO_MEMORY;
    }
    uint32_t count = broadcast_links(server, message, worker);
    if (reached) {
        *reached = count;
    }
    return PIPEPORT_OK;
}

static pp_conn *broadcast_member(const pipeport_server *server, uint32_t slot)
{
    uint64_t id = pp_group_at(&server->members, slot);
    return id ? (pp_conn *) pp_roster_at(&server->party.hub->roster, id) : NULL;
}

/* Reserves the bytes of one frame more with each receiver: the slot at which it failed, or links_count. */
static uint32_t broadcast_reserve(const pipeport_server *server, const pp_message *fan, uint32_t bytes)
{
    uint32_t slot = 0;
    for (; slot < fan->links_count; ++slot) {
        pp_conn *conn = broadcast_member(server, slot);
        if (conn && !pp_conn_reserve_more(conn, &fan->links[slot], bytes)) {
            break;
        }
    }
    return slot;
}

/* True: whom the turn's last broadcast reached has got this one too, in the same message. */
static bool broadcast_grow(pipeport_server *server, pp_worker *worker, const void *data, uint32_t length)
{
    pp_running *running = &worker->running;
    pp_message *fan = running->fan;
    uint32_t bytes = pp_wire_frame_bytes(&server->party.framing, length);
    if (!broadcast_is_corked(server, running) || pp_message_room(fan) < bytes) {
        return false;
    }
    uint32_t failed_at = broadcast_reserve(server, fan, bytes);
    if (failed_at < fan->links_count) {
        pp_reply_leave_room(running, fan);
        running->fan = NULL;
        for (uint32_t slot = 0; slot < failed_at; ++slot) {
            pp_conn *conn = broadcast_member(server, slot);
            if (conn) {
                pp_conn_refund(conn, bytes, worker);
            }
        }
        return false;
    }
    pp_message_append(fan, data, length);
    pp_conn_accepted(&server->party, running->fan_reached, (uint64_t) running->fan_reached * bytes);
    return true;
}

/* The message of a broadcast; from a turn's second one on with room for those that may come after it. Not before: where
 * a pump is elsewhere nothing can grow, and blocks that are mostly empty would wait for who reads slowly. */
static pp_message *broadcast_create(pipeport_server *server, const void *data, uint32_t length, pp_worker *worker)
{
    uint32_t more = 0;
    if (worker && broadcast_is_corked(server, &worker->running)) {
        more = pp_reply_more_bytes(&worker->running);
    }
    uint32_t bytes = pp_wire_frame_bytes(&server->party.framing, length);
    pp_message *message = pp_reply_message(&server->party, bytes, more, pp_group_slots(&server->members));
    if (message) {
        pp_message_append(message, data, length);
    }
    return message;
}

pipeport_status pipeport_broadcast(pipeport_server *server, const void *data, size_t length, uint32_t *reached)
{
    if (!server || (!data && length)) {
        return PIPEPORT_INVALID;
    }
    const pp_party *party = &server->party;
    pipeport_status status = pp_wire_admit(&party->framing, data, length, party->options.message_bytes_max);
    if (status != PIPEPORT_OK) {
        return status;
    }
    if (atomic_load(&server->party.stopping)) {
        return PIPEPORT_STOPPED;
    }
    pp_worker *worker = pp_pool_here(&server->engine->hub.pool);
    if (worker && broadcast_grow(server, worker, data, (uint32_t) length)) {
        if (reached) {
            *reached = worker->running.fan_reached;
        }
        return PIPEPORT_OK;
    }
    return broadcast_message(server, broadcast_create(server, data, (uint32_t) length, worker), worker, reached);
}

pipeport_status pipeport_broadcast_message(pipeport_server *server, pipeport_message *message, uint32_t *reached)
{
    if (!server || !message || message->memory != &server->engine->hub.memory) {
        return PIPEPORT_INVALID;
    }
    pipeport_status status = pp_party_admit(&server->party, message);
    if (status != PIPEPORT_OK) {
        return status;
    }
    if (atomic_load(&server->party.stopping)) {
        return PIPEPORT_STOPPED;
    }
    pp_message *fan = pp_message_fan(message, pp_group_slots(&server->members));
    return broadcast_message(server, fan, pp_pool_here(&server->engine->hub.pool), reached);
}
