/* SPDX-License-Identifier: MIT */
/*
 * broadcast.c - one message to all connections of a server, to a group of them, or to a list; see pipeport.h.
 *
 * All are a walk over a set, one link of the same message for each of its places.
 *
 * Broadcasts to all that one turn makes one after another grow together, as its answers do (reply.h): the frame goes
 * behind the last one in the same message, so that a receiver has one link and all receivers have the same bytes. This
 * needs that the message reached every member and nobody has joined since; that its link is the newest in each queue;
 * and that every pump was taken by it, and so lies in this worker's chores until the turn has ended. A member cannot
 * leave before its pump is home, so each of them is still there. Who is in a named group may leave it at any time, and
 * a list is the caller's: what goes to those is a message of its own, and leaves the growing one where it is. It then
 * is not the newest in their queues, so nothing grows behind their back.
 */
#include "engine/api/engine.h"
#include "engine/api/server.h"
#include "engine/conn/reply.h"
#include "engine/flow/wire.h"

typedef struct broadcast_set { /* Whom a message is for. */
    pipeport_server *server;
    const pp_group *members; /* NULL: `list`. */
    const pipeport_conn *list;
    uint32_t places; /* Looked at once, so that the message has as many links. */
} broadcast_set;

static broadcast_set broadcast_to_group(pipeport_server *server, const pp_group *members)
{
    return (broadcast_set){.server = server, .members = members, .places = pp_group_slots(members)};
}

static uint64_t broadcast_id(const broadcast_set *set, uint32_t place)
{
    return set->members ? pp_group_at(set->members, place) : set->list[place].id;
}

static bool broadcast_is_to_all(const broadcast_set *set)
{
    return set->members == &set->server->members;
}

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

/* The connection at this place, pinned; NULL: none. A list may name those of others. */
static pp_conn *broadcast_pin(const broadcast_set *set, uint64_t id, pp_worker *worker)
{
    const pp_party *party = &set->server->party;
    pp_conn *conn = id ? pp_conn_pin(party->hub, id) : NULL;
    if (conn && conn->party != party) {
        pp_conn_unpin(conn, worker);
        return NULL;
    }
    return conn;
}

/* Gives one link to each open one of the set; `message` has a link for each place, and one count, the caller's. */
static uint32_t broadcast_links(const broadcast_set *set, pp_message *message, pp_worker *worker)
{
    pipeport_server *server = set->server;
    uint32_t places = set->places, bytes = message->frame_bytes, joins = pp_group_joins(&server->members);
    uint32_t members = 0, reached = 0, taken = 0;
    pp_message_retain(message, places); /* All at once; what no queue took is given back at the end. */
    for (uint32_t place = 0; place < places; ++place) {
        uint64_t id = broadcast_id(set, place);
        pp_conn *conn = broadcast_pin(set, id, worker);
        members += id != 0;
        if (!conn) {
            continue;
        }
        bool corked = false;
        pipeport_status status = pp_conn_send(conn, &message->links[place], PP_REACH_MANY, worker, &corked);
        taken += corked;
        reached += status == PIPEPORT_OK;
        pp_conn_unpin(conn, worker);
    }
    pp_conn_accepted(&server->party, reached, (uint64_t) reached * bytes);
    if (worker && worker->running.conn && broadcast_is_to_all(set)) {
        bool all = pp_group_slots(&server->members) == places; /* Else one is missed that `joins` counts already. */
        bool corked = taken == members || (reached == members && broadcast_is_corked(server, &worker->running));
        broadcast_note(server, &worker->running, joins, all && corked && reached ? message : NULL, reached);
    }
    pp_message_release(message, places - reached + 1);
    return reached;
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

/* The message of a broadcast; from a turn's second one to all on with room for those that may come after it. Not
 * before: where a pump is elsewhere nothing can grow, and blocks that are mostly empty would wait for who reads slowly.
 */
static pp_message *broadcast_create(const broadcast_set *set, const void *data, uint32_t length, pp_worker *worker)
{
    pp_party *party = &set->server->party;
    uint32_t more = 0;
    if (worker && broadcast_is_to_all(set) && broadcast_is_corked(set->server, &worker->running)) {
        more = pp_reply_more_bytes(&worker->running);
    }
    pp_message *message = pp_reply_message(party, pp_wire_frame_bytes(&party->framing, length), more, set->places);
    if (message) {
        pp_message_append(message, data, length);
    }
    return message;
}

static pipeport_status broadcast_data(const broadcast_set *set, const void *data, size_t length, uint32_t *reached)
{
    const pp_party *party = &set->server->party;
    if (!data && length) {
        return PIPEPORT_INVALID;
    }
    pipeport_status status = pp_party_admit(party, data, length);
    if (status != PIPEPORT_OK) {
        return status;
    }
    if (atomic_load(&party->stopping)) {
        return PIPEPORT_STOPPED;
    }
    pp_worker *worker = pp_pool_here(&party->hub->pool);
    uint32_t count = 0;
    if (worker && broadcast_is_to_all(set) && broadcast_grow(set->server, worker, data, (uint32_t) length)) {
        count = worker->running.fan_reached;
    } else {
        pp_message *message = broadcast_create(set, data, (uint32_t) length, worker);
        if (!message) {
            return PIPEPORT_NO_MEMORY;
        }
        count = broadcast_links(set, message, worker);
    }
    if (reached) {
        *reached = count;
    }
    return PIPEPORT_OK;
}

static pipeport_status broadcast_built(const broadcast_set *set, pp_message *message, uint32_t *reached)
{
    const pp_party *party = &set->server->party;
    if (!message || message->memory != &party->hub->memory) {
        return PIPEPORT_INVALID;
    }
    pipeport_status status = pp_party_admit_message(party, message);
    if (status != PIPEPORT_OK) {
        return status;
    }
    if (atomic_load(&party->stopping)) {
        return PIPEPORT_STOPPED;
    }
    pp_message *fan = pp_message_fan(message, set->places);
    if (!fan) {
        return PIPEPORT_NO_MEMORY;
    }
    uint32_t count = broadcast_links(set, fan, pp_pool_here(&party->hub->pool));
    if (reached) {
        *reached = count;
    }
    return PIPEPORT_OK;
}

/* ---- The calls ---- */

pipeport_status pipeport_broadcast(pipeport_server *server, const void *data, size_t length, uint32_t *reached)
{
    if (!server) {
        return PIPEPORT_INVALID;
    }
    broadcast_set all = broadcast_to_group(server, &server->members);
    return broadcast_data(&all, data, length, reached);
}

pipeport_status pipeport_broadcast_message(pipeport_server *server, pipeport_message *message, uint32_t *reached)
{
    if (!server) {
        return PIPEPORT_INVALID;
    }
    broadcast_set all = broadcast_to_group(server, &server->members);
    return broadcast_built(&all, message, reached);
}

pipeport_status pipeport_group_broadcast(pipeport_group *group, const void *data, size_t length, uint32_t *reached)
{
    if (!group) {
        return PIPEPORT_INVALID;
    }
    broadcast_set some = broadcast_to_group(pp_server_of(group), &group->members);
    return broadcast_data(&some, data, length, reached);
}

pipeport_status pipeport_group_broadcast_message(pipeport_group *group, pipeport_message *message, uint32_t *reached)
{
    if (!group) {
        return PIPEPORT_INVALID;
    }
    broadcast_set some = broadcast_to_group(pp_server_of(group), &group->members);
    return broadcast_built(&some, message, reached);
}

pipeport_status pipeport_multicast(pipeport_server *server, const pipeport_conns *conns, const void *data,
                                   size_t length, uint32_t *reached)
{
    if (!server || !conns || conns->count > PIPEPORT_MULTICAST_MAX || (!conns->list && conns->count)) {
        return PIPEPORT_INVALID;
    }
    broadcast_set some = {.server = server, .list = conns->list, .places = (uint32_t) conns->count};
    return broadcast_data(&some, data, length, reached);
}
