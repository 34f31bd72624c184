/* SPDX-License-Identifier: MIT */
/*
 * broadcast.c - one message to all connections of a server, to a group of them, or to a list; see pipeport.h.
 *
 * All are a walk over a set, one link of the same message for each of its places.
 *
 * Broadcasts to all that one turn makes one after another grow together, as its answers do (reply.h): the frame goes
 * behind the last one in the same message, so that a receiver has one link and all receivers have the same bytes, and
 * nobody is walked. This needs three things.
 *   - The message reached every member, every pump was taken by it or lies in this worker's chores since an earlier
 *     one, and nobody has joined since. A member cannot leave before its pump is home, so each of them is still there.
 *   - Room for it was reserved in each queue when the message was made; what is left is given back when the turn ends.
 *   - Nothing was queued behind it, and nobody of them closed: what happened before a broadcast comes before it. While
 *     a party has a message that grows (`fans`), everybody who queues something for it, or closes, counts one in
 *     `pushes` after that. `fans` is raised before the first link is pushed, so that who finds such a link in a queue,
 *     or closes a connection that took one, finds it raised; and who makes a broadcast after he has heard of that (in
 *     whatever way) finds it counted.
 * Who is in a named group may leave it at any time, and a list is the caller's: what goes to those is a message of its
 * own, and counts.
 */
#include "engine/api/engine.h"
#include "engine/api/server.h"
#include "engine/conn/fan.h"
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
    return running->fan && running->fan_party == &server->party &&
           running->fan_joins == pp_group_joins(&server->members);
}

/* What a walk has found. */
typedef struct broadcast_walk {
    uint32_t joins;   /* Before it. */
    uint32_t members; /* There was somebody at so many places, */
    uint32_t reached; /* so many have got a link, */
    uint32_t taken;   /* and the pumps of so many it has taken, and corked. */
} broadcast_walk;

enum { BROADCAST_AHEAD = 4 }; /* So many receivers are brought near before their turn comes; a power of two. */

/* A place of the set, its seat on the way from memory. */
typedef struct broadcast_place {
    uint64_t id;
    pp_seat *seat; /* NULL: nobody's. */
} broadcast_place;

static broadcast_place broadcast_look(const broadcast_set *set, uint32_t place)
{
    broadcast_place found = {.id = place < set->places ? broadcast_id(set, place) : 0};
    if (found.id) {
        found.seat = pp_roster_look(&set->server->party.hub->roster, found.id);
    }
    if (found.seat) {
        pp_conn_soon(found.seat);
    }
    return found;
}

/* Who sits there still as the id says, and stays: pinned, or because the worker is alone (fan.h). NULL: nobody, or one
 * of another party, whom a list may name. */
static pp_conn *broadcast_meet(const broadcast_set *set, broadcast_place place, bool lean, pp_worker *worker)
{
    pp_seat *seat = place.seat;
    if (!seat || !(lean ? pp_seat_is_open_as(seat, place.id) : pp_seat_pin_as(seat, place.id))) {
        return NULL;
    }
    pp_conn *conn = (pp_conn *) seat;
    if (conn->party == &set->server->party) {
        return conn;
    }
    if (!lean) {
        pp_conn_unpin(conn, worker);
    }
    return NULL;
}

/* Gives the link to a connection that broadcast_meet has met. *corked: and its pump is taken. */
static pipeport_status broadcast_give(pp_conn *conn, pp_link *link, pp_worker *worker, bool *corked)
{
    if (worker && pp_fan_take(conn, link, worker)) {
        *corked = true;
        return PIPEPORT_OK;
    }
    if (worker && worker->alone) {
        pp_seat_pin(&conn->seat);
    }
    pipeport_status status = pp_conn_send(conn, link, PP_REACH_MANY, worker, corked);
    if (!*corked) {
        pp_conn_unpin(conn, worker);
    }
    return status;
}

static broadcast_walk broadcast_walk_over(const broadcast_set *set, pp_message *message, pp_worker *worker)
{
    broadcast_walk walk = {.joins = pp_group_joins(&set->server->members)};
    broadcast_place ahead[BROADCAST_AHEAD];
    bool may_grow = pp_message_room(message) != 0;
    bool lean = worker && worker->alone;
    for (uint32_t place = 0; place < BROADCAST_AHEAD; ++place) {
        ahead[place] = broadcast_look(set, place);
    }
    for (uint32_t place = 0; place < set->places; ++place) {
        broadcast_place met = ahead[place % BROADCAST_AHEAD];
        ahead[place % BROADCAST_AHEAD] = broadcast_look(set, place + BROADCAST_AHEAD);
        walk.members += met.id != 0;
        pp_conn *conn = broadcast_meet(set, met, lean, worker);
        if (!conn) {
            message->links[place].message = may_grow ? NULL : message; /* Nobody's: see pp_conn_reserve_ahead. */
            continue;
        }
        bool corked = false;
        pipeport_status status = broadcast_give(conn, &message->links[place], worker, &corked);
        walk.taken += corked;
        walk.reached += status == PIPEPORT_OK;
    }
    return walk;
}

/* Nothing grows into the turn's last broadcast any more. */
static void broadcast_leave(pp_running *running)
{
    if (running->fan) {
        pp_reply_leave_room(running, running->fan);
        running->fan = NULL;
    }
}

/* The turn's last broadcast to all is this one now. Its links keep it until the turn has ended. */
static void broadcast_note(const broadcast_set *set, const broadcast_walk *walk, pp_message *message, pp_worker *worker)
{
    pipeport_server *server = set->server;
    pp_running *running = &worker->running;
    bool was_corked = broadcast_is_corked(server, running);
    bool all = pp_group_slots(&server->members) == set->places; /* Else one is missed that `joins` counts already. */
    bool corked = walk->taken == walk->members || (walk->reached == walk->members && was_corked);
    broadcast_leave(running);
    running->fan = all && corked && walk->reached ? message : NULL;
    running->fan_party = &server->party;
    running->fan_joins = walk->joins;
    running->fan_reached = walk->reached;
    if (!running->fan || !running->fan_grows ||
        !pp_conn_reserve_ahead(&server->party, message, pp_message_room(message), worker)) {
        pp_conn_rest_fan(worker);
    }
}

/* Gives one link to each open one of the set; `message` has a link for each place, and one count, the caller's. */
static uint32_t broadcast_links(const broadcast_set *set, pp_message *message, pp_worker *worker)
{
    pp_party *party = &set->server->party;
    uint32_t places = set->places, bytes = message->frame_bytes;
    bool is_noted = worker && worker->running.conn && broadcast_is_to_all(set);
    if (is_noted) {
        pp_conn_rest_fan(worker);
        if (worker->running.fan_party != party) { /* Else it might be taken for this one's, from here on. */
            broadcast_leave(&worker->running);
        }
        if (pp_message_room(message)) { /* Before the first link: who queues something behind one of them sees it. */
            worker->running.fan_grows = true;
            worker->running.fan_party = party;
            atomic_fetch_add(&party->fans, 1);
            worker->running.fan_pushes = atomic_load(&party->pushes) + 1; /* Ours is the one. */
        }
    }
    pp_message_retain(message, places); /* All at once; what no queue took is given back at the end. */
    broadcast_walk walk = broadcast_walk_over(set, message, worker);
    pp_party_pushed(party);
    pp_conn_accepted(party, walk.reached, (uint64_t) walk.reached * bytes);
    if (is_noted) {
        broadcast_note(set, &walk, message, worker);
    }
    pp_message_release(message, places - walk.reached + 1);
    return walk.reached;
}

static void broadcast_pays(pp_party *party)
{
    if (!atomic_load_explicit(&party->fans_pay, memory_order_relaxed)) {
        atomic_store_explicit(&party->fans_pay, true, memory_order_relaxed);
    }
}

/* True: whom the turn's last broadcast reached has got this one too, in the same message. */
static bool broadcast_grow(pipeport_server *server, pp_worker *worker, const void *data, uint32_t length)
{
    pp_party *party = &server->party;
    pp_running *running = &worker->running;
    uint32_t bytes = pp_wire_frame_bytes(&party->framing, length);
    if (!running->fan_grows || running->fan_ahead_bytes < bytes || !broadcast_is_corked(server, running) ||
        running->fan_pushes != atomic_load(&party->pushes)) {
        return false;
    }
    running->fan_ahead_bytes -= bytes;
    pp_message_append(running->fan, data, length);
    broadcast_pays(party);
    pp_conn_accepted(party, running->fan_reached, (uint64_t) running->fan_reached * bytes);
    return true;
}

/* How much room the message of a broadcast has for those that may come after it: from a turn's second one to all on,
 * and in its first one if the last that had room was grown into. Else there is none: where a pump is elsewhere nothing
 * can grow, and blocks that are mostly empty would wait for who reads slowly. So it is at most one that was hoped for
 * in vain, until a turn broadcasts twice again to pumps that are all its own. */
static uint32_t broadcast_more_bytes(const broadcast_set *set, pp_worker *worker)
{
    pp_party *party = &set->server->party;
    if (!worker || !broadcast_is_to_all(set)) {
        return 0;
    }
    uint32_t more = pp_reply_more_bytes(&worker->running, party);
    if (more && !broadcast_is_corked(set->server, &worker->running)) {
        if (!atomic_load_explicit(&party->fans_pay, memory_order_relaxed)) {
            return 0;
        }
        atomic_store_explicit(&party->fans_pay, false, memory_order_relaxed); /* Until it has. */
    }
    return more;
}

static pp_message *broadcast_create(const broadcast_set *set, const void *data, uint32_t length, pp_worker *worker)
{
    pp_party *party = &set->server->party;
    pp_memory *memory = &party->hub->memory;
    uint32_t bytes = pp_wire_frame_bytes(&party->framing, length);
    uint32_t more = broadcast_more_bytes(set, worker);
    pp_message *message = pp_message_create_room(memory, &party->framing, (uint64_t) bytes + more, set->places);
    if (!message && more) {
        message = pp_message_create_room(memory, &party->framing, bytes, set->places);
    }
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
