/* SPDX-License-Identifier: MIT */
/*
 * calls.h - the calls of one client that wait for their turn, for a connection, or for a reply.
 *
 * A call lies on its caller's stack, from enter to leave in a list under a lock. The first of the list has its turn:
 *
 *      WAITS ---ask---> ASKED ---take---> COPIES ---> ENDED
 *        ^                |  \-- lost, end, give_up --> ENDED
 *        +----unask-------+
 *
 * The reply is copied by the worker in whose turn it came, into the caller's room, without the lock. Who has marked the
 * call COPIES alone may end it; the caller, whose time may be over, waits for that, and it is no longer than a copy: so
 * the room, the call and what they lie on are there as long as the worker touches them. He touches the call under the
 * lock only, and the caller leaves through the lock: nobody is still inside when it returns.
 *
 * `asked` is the connection that owes a reply, or owed it to a call that gave up: its next message is nobody else's. An
 * event looks at it without the lock. It is stored before the message that asks is queued, so who hears the answer sees
 * it. Ids are never used again, so it may stay.
 */
#ifndef PP_API_CALLS_H
#define PP_API_CALLS_H

#include "engine/conn/party.h"

typedef enum pp_call_state { PP_CALL_WAITS, PP_CALL_ASKED, PP_CALL_COPIES, PP_CALL_ENDED } pp_call_state;

typedef struct pp_call { /* All but the gate: under the lock. */
    struct pp_call *next;
    pp_gate gate; /* 1, and 0 once there is news. */
    bool news;
    pp_call_state state;
    uint64_t conn; /* From ASKED on. */
    pipeport_reply *reply;
    pipeport_status status; /* Of an ENDED one. */
} pp_call;

typedef struct pp_calls {
    pp_lock lock;
    pp_call *first;
    pipeport_status over; /* Not OK: there will be no connection any more, and why. */
    _Atomic uint64_t asked;
} pp_calls;

typedef struct pp_calls_view {
    pp_call_state state;
    pipeport_status over;
    bool is_first;
} pp_calls_view;

void pp_calls_init(pp_calls *calls);
void pp_calls_fini(pp_calls *calls);

/* ---- The caller ---- */

void pp_calls_enter(pp_calls *calls, pp_call *call, pipeport_reply *reply);
void pp_calls_leave(pp_calls *calls, pp_call *call);

/* How it stands now; what comes after it opens the gate. */
pp_calls_view pp_calls_look(pp_calls *calls, pp_call *call);

/* The first is about to ask on this connection. False: it is over. */
bool pp_calls_ask(pp_calls *calls, pp_call *call, uint64_t conn);

/* What it asked was not sent, for the connection had gone: it waits again, and nothing has come for it. */
void pp_calls_unask(pp_calls *calls, pp_call *call);

/* Its time is over. Answers the state that it was in; one that was ASKED is ENDED, TIMED_OUT. */
pp_call_state pp_calls_give_up(pp_calls *calls, pp_call *call);

/* ---- Workers ---- */

/* There is a connection. */
void pp_calls_connected(pp_calls *calls);

/* A message of this connection. True: it was a reply, in time or late. */
bool pp_calls_take(pp_calls *calls, uint64_t conn, const void *data, size_t length);

/* This connection has closed. */
void pp_calls_lost(pp_calls *calls, uint64_t conn);

/* There will be none any more. */
void pp_calls_end(pp_calls *calls, pipeport_status why);

#endif
