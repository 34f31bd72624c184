/* SPDX-License-Identifier: MIT */
/*
 * client.h - a client: a party with a dialer and at most one connection at a time, and the calls that wait for it. The
 * party's events are the client's own; they see to the calls and tell the rest to the host's.
 */
#ifndef PP_API_CLIENT_H
#define PP_API_CLIENT_H

#include "engine/api/calls.h"
#include "engine/api/engine.h"
#include "engine/conn/dialer.h"

struct pipeport_client {
    pp_party party; /* First: the party's callbacks find the client by it. */
    pipeport_engine *engine;
    pipeport_events told; /* The host's. */
    pp_dialer dialer;
    pp_calls calls;
    char server_user[PIPEPORT_USER_BYTES]; /* What the options' one points at, if they have one. */
};

#endif
