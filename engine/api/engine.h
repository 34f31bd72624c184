/* SPDX-License-Identifier: MIT */
/*
 * engine.h - the engine as the other files of this floor see it: a hub, and the parties that live on it.
 *
 * A party is in the list until it is finished. Its owner's count is given back once, by who finds `stopped` not raised:
 * mostly the owner, but an engine that goes stops what is left, and a handler that hears of that may stop its own
 * server or client at the same time. What was stopped before and still drains is aborted then (`hurried`).
 */
#ifndef PP_API_ENGINE_H
#define PP_API_ENGINE_H

#include "engine/conn/party.h"

struct pipeport_engine {
    pp_hub hub;
    pp_lock lock;      /* Guards the list. */
    pp_party *parties; /* Those whose owner has not stopped them. */
    pp_gate alive;     /* 1 for the engine, and each party until it is finished. */
    _Atomic bool stopping;
};

/* Enters a party that has begun, and counts it as alive. Fails: STOPPED. */
pipeport_status pp_engine_enter(pipeport_engine *engine, pp_party *party);

/* A party's finish: the first that it does, and the last. */
void pp_engine_leave(pipeport_engine *engine, pp_party *party);
void pp_engine_forget(pipeport_engine *engine);

/* Stops a party: no accepting and dialing, connections drained for up to drain_ms (0: aborted), the owner's count given
 * back, after which the party may be gone. The gate is left when it is finished; NULL: nobody waits. False: it was
 * stopped before, and nothing was done. */
bool pp_engine_begin_stop(pipeport_engine *engine, pp_party *party, uint32_t drain_ms, pp_gate *finished);

/* The same, and waits until it is finished, unless called by a worker. */
void pp_engine_stop_party(pipeport_engine *engine, pp_party *party, uint32_t drain_ms);

#endif
