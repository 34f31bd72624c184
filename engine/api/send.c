/* SPDX-License-Identifier: MIT */
/* send.c - unicast, and what else is done to one connection by its id; see pipeport.h. */
#include "engine/api/engine.h"
#include "engine/base/hints.h"
#include "engine/conn/reply.h"
#include "engine/flow/wire.h"

#include <string.h>

/* ---- Unicast ---- */

/* Sends links[0] of `message`, whose creator's count becomes the link's. */
static pipeport_status send_first_link(pp_conn *conn, pp_message *message, pp_worker *worker)
{
    uint32_t bytes = message->frame_bytes;
    bool corked = false;
    pipeport_status status = pp_conn_send(conn, &message->links[0], PP_REACH_ONE, worker, &corked);
    if (corked) { /* The caller gives his pin back. */
        pp_seat_pin(&conn->seat);
    }
    if (status == PIPEPORT_OK) {
        pp_party_pushed(conn->party);
        pp_conn_accepted(conn->party, 1, bytes);
    } else {
        pp_message_release(message, 1);
    }
    return status;
}

static pipeport_status send_copy(pp_conn *conn, const void *data, size_t length, pp_worker *worker)
{
    pp_party *party = conn->party;
    pipeport_status status = pp_party_admit(party, data, length);
    if (status != PIPEPORT_OK) {
        return status;
    }
    pp_message *message = pp_message_create(&party->hub->memory, &party->framing, (uint32_t) length, 1);
    if (!message) {
        return PIPEPORT_NO_MEMORY;
    }
    if (length) {
        memcpy(pp_message_payload(message), data, length);
    }
    return send_first_link(conn, message, worker);
}

static pipeport_status send_shared(pp_conn *conn, pp_message *message, pp_worker *worker)
{
    pipeport_status status = pp_party_admit_message(conn->party, message);
    if (status != PIPEPORT_OK) {
        return status;
    }
    pp_message *fan = pp_message_fan(message, 1);
    return fan ? send_first_link(conn, fan, worker) : PIPEPORT_NO_MEMORY;
}

/* `worker`: this thread's, or NULL. */
static PP_APART pipeport_status send_from_outside(pipeport_engine *engine, pipeport_conn name, const void *data,
                                                  size_t length, pp_worker *worker)
{
    pp_conn *conn = pp_conn_pin(&engine->hub, name.id);
    if (!conn) {
        if (worker) { /* As in pp_conn_send. */
            pp_conn_rest_fan(worker);
        }
        return PIPEPORT_GONE;
    }
    pipeport_status status = send_copy(conn, data, length, worker);
    pp_conn_unpin(conn, worker);
    return status;
}

pipeport_status pipeport_send(pipeport_engine *engine, pipeport_conn name, const void *data, size_t length)
{
    if (!engine || (!data && length)) {
        return PIPEPORT_INVALID;
    }
    pp_worker *worker = pp_pool_here(&engine->hub.pool);
    if (worker && pp_reply_conn(&worker->running, name.id)) {
        return pp_reply_send(worker, data, length);
    }
    return send_from_outside(engine, name, data, length, worker);
}

pipeport_status pipeport_send_message(pipeport_engine *engine, pipeport_conn name, pipeport_message *message)
{
    if (!engine || !message || message->memory != &engine->hub.memory) {
        return PIPEPORT_INVALID;
    }
    pp_conn *conn = pp_conn_pin(&engine->hub, name.id);
    if (!conn) {
        return PIPEPORT_GONE;
    }
    pp_worker *worker = pp_pool_here(&engine->hub.pool);
    pipeport_status status = send_shared(conn, message, worker);
    pp_conn_unpin(conn, worker);
    return status;
}

/* ---- Messages built in place ----------------------------------------------------------------------------------------
 */

pipeport_status pipeport_message_create(pipeport_message **out, pipeport_engine *engine,
                                        const pipeport_framing *framing, size_t length, void **data)
{
    pp_framing rule = pp_framing_default;
    if (!out || !engine || !data || (framing && pp_wire_framing(&rule, framing))) {
        return PIPEPORT_INVALID;
    }
    uint32_t bytes = length <= PP_FRAMING_PAYLOAD_BYTES_MAX ? (uint32_t) length : UINT32_MAX;
    if (!pp_framing_fits(&rule, bytes)) {
        return pp_framing_is_too_long(&rule, bytes) ? PIPEPORT_TOO_LARGE : PIPEPORT_INVALID;
    }
    pp_message *message = pp_message_build(&engine->hub.memory, &rule, bytes);
    if (!message) {
        return PIPEPORT_NO_MEMORY;
    }
    *out = message;
    *data = pp_message_payload(message);
    return PIPEPORT_OK;
}

void pipeport_message_release(pipeport_message *message)
{
    if (message) {
        pp_message_release(message, 1);
    }
}

/* ---- One connection ---- */

pipeport_status pipeport_close(pipeport_engine *engine, pipeport_conn name, pipeport_closing how)
{
    if (!engine || (how != PIPEPORT_DRAIN && how != PIPEPORT_ABORT)) {
        return PIPEPORT_INVALID;
    }
    pp_conn *conn = pp_conn_pin(&engine->hub, name.id);
    if (!conn) {
        return PIPEPORT_GONE;
    }
    pp_worker *worker = pp_pool_here(&engine->hub.pool);
    pp_conn_wish wish = how == PIPEPORT_DRAIN ? PP_WISH_DRAIN : PP_WISH_ABORT;
    pipeport_status status = pp_conn_close(conn, wish, worker);
    pp_conn_unpin(conn, worker);
    return status;
}

pipeport_status pipeport_pause(pipeport_engine *engine, pipeport_conn name)
{
    pp_conn *conn = engine ? pp_conn_pin(&engine->hub, name.id) : NULL;
    if (!conn) {
        return PIPEPORT_GONE;
    }
    pp_conn_pause(conn);
    pp_conn_unpin(conn, pp_pool_here(&engine->hub.pool));
    return PIPEPORT_OK;
}

pipeport_status pipeport_resume(pipeport_engine *engine, pipeport_conn name)
{
    pp_conn *conn = engine ? pp_conn_pin(&engine->hub, name.id) : NULL;
    if (!conn) {
        return PIPEPORT_GONE;
    }
    pp_conn_resume(conn);
    pp_conn_unpin(conn, pp_pool_here(&engine->hub.pool));
    return PIPEPORT_OK;
}
