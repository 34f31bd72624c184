/* SPDX-License-Identifier: MIT */
/* call.c - asking and waiting for the reply; see pipeport.h, and calls.h for who touches what. */
#include "engine/api/client.h"
#include "engine/flow/wire.h"

#include <string.h>

typedef struct call_request { /* What one call has in hand. */
    pp_call call;
    pp_message *message;
    bool sent; /* The message's count is its link's. */
    uint64_t until_ms;
} call_request;

/* Sends on this connection. Fails: GONE (nothing was sent), FULL. */
static pipeport_status call_ask(pipeport_client *client, call_request *request, uint64_t id)
{
    pp_party *party = &client->party;
    pp_conn *conn = pp_conn_pin(party->hub, id);
    if (!conn) {
        return PIPEPORT_GONE;
    }
    uint32_t bytes = request->message->frame_bytes;
    pipeport_status status = PIPEPORT_GONE;
    if (atomic_load(&conn->wish) == PP_WISH_NONE) {
        status = pp_conn_reserve(conn, bytes, PP_REACH_ONE, NULL);
    }
    if (status == PIPEPORT_OK) {
        pp_writer_means means = pp_conn_writer_means(conn);
        bool corked = false;
        /* Asked for after it is certain that there is room: else what came unasked meanwhile would be lost. */
        if (!pp_calls_ask(&client->calls, &request->call, id)) {
            pp_conn_refund(conn, bytes, NULL);
            status = PIPEPORT_GONE; /* The next look says why it is over. */
        } else if (pp_writer_push(&conn->writer, &means, &request->message->links[0], NULL, &corked) == PIPEPORT_OK) {
            request->sent = true;
            pp_conn_accepted(party, 1, bytes);
        } else {
            pp_calls_unask(&client->calls, &request->call);
            status = PIPEPORT_GONE;
        }
    }
    pp_conn_unpin(conn, NULL);
    return status;
}

/* Its reply may come late, and nobody could tell it from the next call's. */
static void call_abort(pipeport_client *client, uint64_t id)
{
    pp_conn *conn = pp_conn_pin(client->party.hub, id);
    if (conn) {
        (void) pp_conn_close(conn, PP_WISH_ABORT, NULL);
        pp_conn_unpin(conn, NULL);
    }
}

/* What is to be done before something comes. OK: wait for it. */
static pipeport_status call_try(pipeport_client *client, call_request *request, const pp_calls_view *view)
{
    if (view->over != PIPEPORT_OK) {
        return view->over;
    }
    uint64_t id = atomic_load(&client->party.only);
    if (!view->is_first || id == 0) {
        return PIPEPORT_OK;
    }
    pipeport_status status = call_ask(client, request, id);
    return status == PIPEPORT_GONE ? PIPEPORT_OK : status; /* It is closing: its successor is waited for. */
}

/* Out of time while it waited for its turn or for a connection: in the second case why there is none. */
static pipeport_status call_unsent(const pipeport_client *client)
{
    pipeport_status last = (pipeport_status) atomic_load(&client->dialer.last);
    return atomic_load(&client->party.only) == 0 && last != PIPEPORT_OK ? last : PIPEPORT_TIMED_OUT;
}

static pipeport_status call_run(pipeport_client *client, call_request *request)
{
    pp_call *call = &request->call;
    for (;;) {
        pp_calls_view view = pp_calls_look(&client->calls, call);
        if (view.state == PP_CALL_ENDED) {
            return call->status;
        }
        pipeport_status status = view.state == PP_CALL_WAITS ? call_try(client, request, &view) : PIPEPORT_OK;
        if (status != PIPEPORT_OK) {
            return status;
        }
        if (pp_pool_wait_until(&client->engine->hub.pool, &call->gate, request->until_ms)) {
            continue;
        }
        switch (pp_calls_give_up(&client->calls, call)) {
        case PP_CALL_WAITS:
            return call_unsent(client);
        case PP_CALL_ASKED:
            call_abort(client, call->conn);
            return PIPEPORT_TIMED_OUT;
        case PP_CALL_COPIES:
            (void) pp_gate_wait(&call->gate, UINT32_MAX); /* A copy's time. */
            break;
        case PP_CALL_ENDED:
            break;
        }
    }
}

pipeport_status pipeport_client_call(pipeport_client *client, const void *data, size_t length, pipeport_reply *reply,
                                     uint32_t timeout_ms)
{
    if (!client || (!data && length) || !reply || (!reply->data && reply->room) || timeout_ms == 0 ||
        pp_pool_here(&client->engine->hub.pool)) {
        return PIPEPORT_INVALID;
    }
    reply->length = 0;
    pp_party *party = &client->party;
    if (party->plan.way != PP_WAY_BOTH) {
        return PIPEPORT_UNSUPPORTED;
    }
    call_request request = {.until_ms = timeout_ms == UINT32_MAX ? UINT64_MAX : pp_os_now_ms() + timeout_ms};
    pipeport_status status = pp_party_admit(party, data, length);
    if (status != PIPEPORT_OK) {
        return status;
    }
    request.message = pp_message_create(&party->hub->memory, &party->framing, (uint32_t) length, 1);
    if (!request.message) {
        return PIPEPORT_NO_MEMORY;
    }
    if (length) {
        memcpy(pp_message_payload(request.message), data, length);
    }
    pp_party_retain(party); /* Whoever stops the client meanwhile waits for us, or leaves it to us. */
    pp_calls_enter(&client->calls, &request.call, reply);
    status = call_run(client, &request);
    pp_calls_leave(&client->calls, &request.call);
    if (!request.sent) {
        pp_message_release(request.message, 1);
    }
    pp_party_release(party);
    return status;
}
