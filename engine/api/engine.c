/* SPDX-License-Identifier: MIT */
/* engine.c - see engine.h and pipeport.h. */
#include "engine/api/engine.h"

#include "engine/api/options.h"
#include "engine/conn/connection.h"

#include <stdio.h>

/* The engine's own block comes from a memory that lives in it: taken by a copy on the stack and moved in. */
static pipeport_engine *engine_take(uint64_t memory_bytes_max)
{
    pp_memory memory;
    pp_memory_init(&memory, memory_bytes_max);
    pipeport_engine *engine = pp_memory_take_zeroed(&memory, sizeof *engine);
    if (engine) {
        pp_memory_init(&engine->hub.memory, memory_bytes_max);
        atomic_store(&engine->hub.memory.bytes, sizeof *engine);
        atomic_store(&engine->hub.memory.bytes_peak, sizeof *engine);
        atomic_store(&engine->hub.memory.taken, 1);
    }
    return engine;
}

static void engine_give(pipeport_engine *engine)
{
    const pp_memory *own = &engine->hub.memory;
    uint64_t left = atomic_load(&own->taken) - atomic_load(&own->given) - 1;
    if (left) {
        pp_hub_log(&engine->hub, "%llu blocks (%llu bytes) were never given back: messages not released?",
                   (unsigned long long) left, (unsigned long long) (atomic_load(&own->bytes) - sizeof *engine));
    }
    pp_memory memory;
    pp_memory_init(&memory, 0);
    atomic_store(&memory.bytes, sizeof *engine);
    pp_memory_give(&memory, engine, sizeof *engine);
}

pipeport_status pipeport_engine_create(pipeport_engine **out, const pipeport_engine_options *given)
{
    pipeport_engine_options options;
    pp_complaint why;
    pipeport_status status = pp_options_resolve_engine(&options, given, pp_os_processors(), &why);
    if (status != PIPEPORT_OK && given->size == sizeof *given && given->log) {
        char line[sizeof why.text + 8];
        (void) snprintf(line, sizeof line, "engine: %s", why.text);
        given->log(given->log_user, line);
    }
    if (!out || status != PIPEPORT_OK) {
        return PIPEPORT_INVALID;
    }
    pipeport_engine *engine = engine_take(options.memory_bytes_max);
    if (!engine) {
        return PIPEPORT_NO_MEMORY;
    }
    engine->hub.log = options.log;
    engine->hub.log_user = options.log_user;
    pp_lock_init(&engine->lock);
    pp_gate_init(&engine->alive, 1);
    uint32_t workers = options.workers == PIPEPORT_HOST_THREADS ? 0 : options.workers;
    pp_fault fault = pp_hub_init(&engine->hub, workers, sizeof(pp_conn), pp_conn_deadline_due);
    if (fault.status != PIPEPORT_OK) {
        pp_hub_log(&engine->hub, "engine: %s (system code %d)", pipeport_status_text(fault.status), fault.system_code);
        pp_lock_fini(&engine->lock);
        engine_give(engine);
        return fault.status;
    }
    *out = engine;
    return PIPEPORT_OK;
}

const char *pipeport_engine_driver(const pipeport_engine *engine)
{
    return engine ? pp_port_driver(engine->hub.port) : "";
}

pipeport_status pipeport_engine_run(pipeport_engine *engine, uint32_t for_ms)
{
    return engine ? pp_pool_lend(&engine->hub.pool, for_ms) : PIPEPORT_INVALID;
}

/* A party that is still there and was not hurried yet, retained, or NULL. */
static pp_party *engine_next(pipeport_engine *engine)
{
    pp_lock_take(&engine->lock);
    pp_party *party = engine->parties;
    while (party && (party->hurried || !pp_party_retain_living(party))) {
        party = party->next;
    }
    if (party) {
        party->hurried = true;
    }
    pp_lock_give(&engine->lock);
    return party;
}

/* Aborts what a stop that came before us would still drain. Who is just stopping it may not have raised `stopping` yet,
 * and then a connection could join behind our walk. */
static void engine_hurry(pp_party *party)
{
    atomic_store(&party->stopping, true);
    atomic_thread_fence(memory_order_seq_cst);
    pp_conn_close_all(party, PP_WISH_ABORT, UINT64_MAX, NULL);
}

pipeport_status pipeport_engine_destroy(pipeport_engine *engine)
{
    if (!engine) {
        return PIPEPORT_OK;
    }
    if (pp_pool_here(&engine->hub.pool)) {
        return PIPEPORT_INVALID;
    }
    pp_lock_take(&engine->lock);
    atomic_store(&engine->stopping, true);
    pp_lock_give(&engine->lock);
    for (pp_party *party; (party = engine_next(engine)) != NULL;) {
        (void) pp_engine_begin_stop(engine, party, 0, NULL);
        engine_hurry(party);
        pp_party_release(party);
    }
    if (!pp_gate_leave(&engine->alive)) {
        pp_pool_wait(&engine->hub.pool, &engine->alive);
    }
    pp_hub_fini(&engine->hub);
    pp_lock_fini(&engine->lock);
    engine_give(engine);
    return PIPEPORT_OK;
}

pipeport_status pp_engine_enter(pipeport_engine *engine, pp_party *party)
{
    pipeport_status status = PIPEPORT_STOPPED;
    pp_lock_take(&engine->lock);
    if (!atomic_load(&engine->stopping)) {
        pp_gate_add(&engine->alive);
        party->next = engine->parties;
        party->previous = NULL;
        if (party->next) {
            party->next->previous = party;
        }
        engine->parties = party;
        status = PIPEPORT_OK;
    }
    pp_lock_give(&engine->lock);
    return status;
}

void pp_engine_leave(pipeport_engine *engine, pp_party *party)
{
    pp_lock_take(&engine->lock);
    if (party->previous) {
        party->previous->next = party->next;
    } else {
        engine->parties = party->next;
    }
    if (party->next) {
        party->next->previous = party->previous;
    }
    pp_lock_give(&engine->lock);
}

void pp_engine_forget(pipeport_engine *engine)
{
    (void) pp_gate_leave(&engine->alive);
}

bool pp_engine_begin_stop(pipeport_engine *engine, pp_party *party, uint32_t drain_ms, pp_gate *finished)
{
    pp_lock_take(&engine->lock);
    bool mine = !party->stopped;
    party->stopped = true;
    pp_lock_give(&engine->lock);
    if (!mine) {
        return false;
    }
    party->waiter = finished;
    atomic_store(&party->stopping, true);
    party->halt(party);
    atomic_thread_fence(memory_order_seq_cst); /* Raised, then walk: who joins meanwhile sees it (group.h). */
    pp_conn_close_all(party, drain_ms ? PP_WISH_DRAIN : PP_WISH_ABORT,
                      drain_ms ? pp_os_now_ms() + drain_ms : UINT64_MAX, pp_pool_here(&engine->hub.pool));
    pp_party_release(party);
    return true;
}

void pp_engine_stop_party(pipeport_engine *engine, pp_party *party, uint32_t drain_ms)
{
    pp_gate finished;
    pp_gate_init(&finished, 1);
    if (pp_pool_here(&engine->hub.pool)) {
        (void) pp_engine_begin_stop(engine, party, drain_ms, NULL);
    } else if (pp_engine_begin_stop(engine, party, drain_ms, &finished)) {
        pp_pool_wait(&engine->hub.pool, &finished);
    }
}

pipeport_status pipeport_engine_stats(const pipeport_engine *engine, pipeport_engine_figures *figures)
{
    if (!engine || !figures || figures->size != sizeof *figures) {
        return PIPEPORT_INVALID;
    }
    const pp_memory *memory = &engine->hub.memory;
    pp_port_count(engine->hub.port, &figures->operations_armed, &figures->operations_done);
    figures->allocations = atomic_load_explicit(&memory->taken, memory_order_relaxed);
    figures->frees = atomic_load_explicit(&memory->given, memory_order_relaxed);
    figures->memory_bytes = atomic_load_explicit(&memory->bytes, memory_order_relaxed);
    figures->memory_bytes_peak = atomic_load_explicit(&memory->bytes_peak, memory_order_relaxed);
    return PIPEPORT_OK;
}
