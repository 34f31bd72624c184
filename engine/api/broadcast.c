/* SPDX-License-Identifier: MIT */
/* broadcast.c - one message to all connections of a server; see pipeport.h. */
#include "engine/api/engine.h"
#include "engine/api/server.h"
#include "engine/conn/connection.h"

#include <string.h>

/* Gives one link to each open member; `message` has a link for each slot, and one count, the caller's. */
static uint32_t broadcast_links(pipeport_server *server, pp_message *message, uint32_t slots)
{
    pp_party *party = &server->party;
    pp_worker *worker = pp_pool_here(&party->hub->pool);
    uint32_t reached = 0;
    uint32_t unused = slots;
    pp_message_retain(message, slots); /* All at once; what no queue took is given back at the end. */
    for (uint32_t slot = 0; slot < slots; ++slot) {
        uint64_t id = pp_group_at(&server->members, slot);
        pp_conn *conn = id ? pp_conn_pin(party->hub, id) : NULL;
        if (!conn) {
            continue;
        }
        pipeport_status status = pp_conn_send(conn, &message->links[slot], worker);
        if (status == PIPEPORT_OK) {
            reached += 1;
            unused -= 1;
        } else if (status == PIPEPORT_FULL) {
            pp_tally_add(&party->tally.broadcasts_refused, 1);
        }
        pp_conn_unpin(conn, worker);
    }
    pp_message_release(message, unused + 1);
    return reached;
}

/* `message` is NULL when there was no memory for it. */
static pipeport_status broadcast_message(pipeport_server *server, pp_message *message, uint32_t slots,
                                         uint32_t *reached)
{
    if (!message) {
        return PIPEPORT_NO_MEMORY;
    }
    uint32_t count = broadcast_links(server, message, slots);
    if (reached) {
        *reached = count;
    }
    return PIPEPORT_OK;
}

pipeport_status pipeport_broadcast(pipeport_server *server, const void *data, size_t length, uint32_t *reached)
{
    if (!server || (!data && length)) {
        return PIPEPORT_INVALID;
    }
    if (length > server->party.options.message_bytes_max) {
        return PIPEPORT_TOO_LARGE;
    }
    if (atomic_load(&server->party.stopping)) {
        return PIPEPORT_STOPPED;
    }
    uint32_t slots = pp_group_slots(&server->members);
    pp_message *message = pp_message_create(&server->engine->hub.memory, (uint32_t) length, slots);
    if (message && length) {
        memcpy(pp_message_payload(message), data, length);
    }
    return broadcast_message(server, message, slots, reached);
}

pipeport_status pipeport_broadcast_message(pipeport_server *server, pipeport_message *message, uint32_t *reached)
{
    if (!server || !message || message->memory != &server->engine->hub.memory) {
        return PIPEPORT_INVALID;
    }
    if (pp_message_payload_bytes(message) > server->party.options.message_bytes_max) {
        return PIPEPORT_TOO_LARGE;
    }
    if (atomic_load(&server->party.stopping)) {
        return PIPEPORT_STOPPED;
    }
    uint32_t slots = pp_group_slots(&server->members);
    return broadcast_message(server, pp_message_fan(message, slots), slots, reached);
}
