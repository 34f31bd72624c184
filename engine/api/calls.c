/* SPDX-License-Identifier: MIT */
/* calls.c - see calls.h. */
#include "engine/api/calls.h"

#include "engine/base/assert.h"

#include <string.h>

void pp_calls_init(pp_calls *calls)
{
    pp_lock_init(&calls->lock);
    calls->first = NULL;
    calls->over = PIPEPORT_OK;
    atomic_init(&calls->asked, 0);
}

void pp_calls_fini(pp_calls *calls)
{
    PP_VERIFY(!calls->first);
    pp_lock_fini(&calls->lock);
}

/* Under the lock: so the caller cannot be gone, for it leaves through it. */
static void calls_tell(pp_call *call)
{
    if (!call->news) {
        call->news = true;
        (void) pp_gate_leave(&call->gate);
    }
}

static void calls_finish(pp_call *call, pipeport_status status)
{
    call->state = PP_CALL_ENDED;
    call->status = status;
    calls_tell(call);
}

/* ---- The caller ---- */

void pp_calls_enter(pp_calls *calls, pp_call *call, pipeport_reply *reply)
{
    *call = (pp_call){.state = PP_CALL_WAITS, .reply = reply};
    pp_gate_init(&call->gate, 1);
    pp_lock_take(&calls->lock);
    pp_call **last = &calls->first;
    while (*last) {
        last = &(*last)->next;
    }
    *last = call;
    pp_lock_give(&calls->lock);
}

void pp_calls_leave(pp_calls *calls, pp_call *call)
{
    pp_lock_take(&calls->lock);
    PP_VERIFY(call->state != PP_CALL_COPIES);
    pp_call **at = &calls->first;
    while (*at != call) {
        at = &(*at)->next;
    }
    *at = call->next;
    if (calls->first) {
        calls_tell(calls->first); /* It may have its turn. */
    }
    pp_lock_give(&calls->lock);
}

/* Under the lock, by the caller: the gate opens with what comes from now on. */
static void calls_hear(pp_call *call)
{
    if (call->news) {
        call->news = false;
        pp_gate_init(&call->gate, 1);
    }
}

pp_calls_view pp_calls_look(pp_calls *calls, pp_call *call)
{
    pp_lock_take(&calls->lock);
    calls_hear(call);
    pp_calls_view view = {.state = call->state, .over = calls->over, .is_first = calls->first == call};
    pp_lock_give(&calls->lock);
    return view;
}

bool pp_calls_ask(pp_calls *calls, pp_call *call, uint64_t conn)
{
    pp_lock_take(&calls->lock);
    bool may = calls->over == PIPEPORT_OK;
    if (may) {
        call->state = PP_CALL_ASKED;
        call->conn = conn;
        atomic_store(&calls->asked, conn);
    }
    pp_lock_give(&calls->lock);
    return may;
}

void pp_calls_unask(pp_calls *calls, pp_call *call)
{
    pp_lock_take(&calls->lock);
    while (call->state == PP_CALL_COPIES) { /* Something that came unasked, from who has gone. */
        calls_hear(call);
        pp_lock_give(&calls->lock);
        (void) pp_gate_wait(&call->gate, UINT32_MAX);
        pp_lock_take(&calls->lock);
    }
    call->state = PP_CALL_WAITS;
    call->reply->length = 0;        /* What came, if anything did, was no reply: nothing was asked. It is lost. */
    atomic_store(&calls->asked, 0); /* What else comes from there is told. */
    pp_lock_give(&calls->lock);
}

pp_call_state pp_calls_give_up(pp_calls *calls, pp_call *call)
{
    pp_lock_take(&calls->lock);
    pp_call_state was = call->state;
    if (was == PP_CALL_ASKED) {
        calls_finish(call, PIPEPORT_TIMED_OUT);
    }
    pp_lock_give(&calls->lock);
    return was;
}

/* ---- Workers ---- */

void pp_calls_connected(pp_calls *calls)
{
    pp_lock_take(&calls->lock);
    if (calls->first) {
        calls_tell(calls->first);
    }
    pp_lock_give(&calls->lock);
}

/* Under the lock. */
static pp_call *calls_asking(const pp_calls *calls, uint64_t conn)
{
    pp_call *call = calls->first;
    return call && call->state == PP_CALL_ASKED && call->conn == conn ? call : NULL;
}

bool pp_calls_take(pp_calls *calls, uint64_t conn, const void *data, size_t length)
{
    if (atomic_load(&calls->asked) != conn) {
        return false;
    }
    pp_lock_take(&calls->lock);
    pp_call *call = calls_asking(calls, conn);
    if (call) {
        call->state = PP_CALL_COPIES;
        atomic_store(&calls->asked, 0);
    }
    pp_lock_give(&calls->lock);
    if (!call) {
        return true; /* Late. */
    }
    pipeport_reply *reply = call->reply;
    bool fits = length <= reply->room;
    if (fits && length) {
        memcpy(reply->data, data, length);
    }
    reply->length = length;
    pp_lock_take(&calls->lock);
    calls_finish(call, fits ? PIPEPORT_OK : PIPEPORT_TOO_LARGE);
    pp_lock_give(&calls->lock);
    return true;
}

void pp_calls_lost(pp_calls *calls, uint64_t conn)
{
    pp_lock_take(&calls->lock);
    pp_call *call = calls_asking(calls, conn);
    if (call) {
        calls_finish(call, PIPEPORT_GONE);
    }
    pp_lock_give(&calls->lock);
}

void pp_calls_end(pp_calls *calls, pipeport_status why)
{
    pp_lock_take(&calls->lock);
    calls->over = why;
    for (pp_call *call = calls->first; call; call = call->next) {
        if (call->state == PP_CALL_ASKED) {
            calls_finish(call, why);
        } else {
            calls_tell(call);
        }
    }
    pp_lock_give(&calls->lock);
}
