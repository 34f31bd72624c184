/* SPDX-License-Identifier: MIT */
/* listener.c - see listener.h. */
#include "engine/conn/listener.h"

#include "engine/base/assert.h"

enum {
    LISTENER_BUDGET = 64, /* Accepts finished at once in one go, before others have their turn. */
    LISTENER_REST_MIN_MS = 10,
    LISTENER_REST_MAX_MS = 1000
};

static void listener_wake_due(pp_deadline *deadline, void *drainer)
{
    pp_listener *listener = (pp_listener *) ((char *) deadline - offsetof(pp_listener, wake.deadline));
    pp_party *party = listener->party;
    pp_lock_take(&listener->lock);
    listener->resting = false;
    pp_lock_give(&listener->lock);
    pp_listener_fill(listener, drainer);
    pp_party_release(party);
}

static void listener_clear_wake(pp_listener *listener)
{
    if (pp_deadlines_clear(&listener->party->hub->deadlines, &listener->wake.deadline)) {
        pp_party_release(listener->party);
    }
}

/* Begins a rest, unless there is one: answers how long, 0 for not at all. rest_ms 0: as long as failures in a row ask
 * for. Failures that come together are one reason to rest. */
static uint32_t listener_begin_rest(pp_listener *listener, uint32_t rest_ms)
{
    pp_lock_take(&listener->lock);
    if (listener->resting || listener->stopping) {
        rest_ms = 0;
    } else {
        if (rest_ms == 0) {
            rest_ms = listener->rest_ms < LISTENER_REST_MIN_MS ? LISTENER_REST_MIN_MS : listener->rest_ms * 2;
            rest_ms = rest_ms < LISTENER_REST_MAX_MS ? rest_ms : LISTENER_REST_MAX_MS;
            listener->rest_ms = rest_ms;
        }
        listener->resting = true;
        pp_party_retain(listener->party);
    }
    pp_lock_give(&listener->lock);
    return rest_ms;
}

/* Nothing is armed for rest_ms, which listener_begin_rest answered. The caller has a count of the party. */
static void listener_rest(pp_listener *listener, uint32_t rest_ms)
{
    if (rest_ms) {
        (void) pp_pool_set_deadline(&listener->party->hub->pool, &listener->wake.deadline, pp_os_now_ms() + rest_ms);
        /* A stop between the two found no deadline to clear. */
        if (atomic_load(&listener->party->stopping)) {
            listener_clear_wake(listener);
        }
    }
}

/* A place that was taken is free again. If somebody was served there, the ear hears of it before anything is armed for
 * it. A stopping listener serves nobody: who comes shall hear that it is busy, and not wait for its end. True: there is
 * a slot that can be armed for it. */
static bool listener_untake(pp_listener *listener, bool was_served)
{
    pp_lock_take(&listener->lock);
    PP_VERIFY(listener->taken > 0);
    listener->taken -= 1;
    if (was_served && !listener->stopping) {
        pp_ear_make_room(listener->ear, 1);
    }
    bool is_idle = listener->idle != NULL;
    pp_lock_give(&listener->lock);
    return is_idle;
}

/* An accept failed: count it, and rest if it was ours or the system's fault rather than the client's. */
static void listener_failed(pp_listener *listener, pp_fault fault)
{
    if (fault.status == PIPEPORT_STOPPED) {
        return;
    }
    pp_tally_add(&listener->party->tally.accepts_failed, 1);
    if (fault.status == PIPEPORT_GONE) {
        return;
    }
    uint32_t rest_ms = listener_begin_rest(listener, 0);
    if (rest_ms) {
        pp_hub_log(listener->party->hub, "accept failed: %s (system code %d); trying again in %u ms",
                   pipeport_status_text(fault.status), fault.system_code, rest_ms);
    }
    listener_rest(listener, rest_ms);
}

/* The slot's operation is over: the pipe is the caller's, the slot idle. Under the lock. */
static pp_pipe listener_free_slot(pp_listener_slot *slot, pipeport_status status)
{
    pp_listener *listener = slot->listener;
    pp_pipe pipe = slot->pipe;
    PP_ASSERT(slot->armed);
    slot->armed = false;
    slot->next_idle = listener->idle;
    listener->idle = slot;
    if (status == PIPEPORT_OK) {
        listener->rest_ms = 0;
    }
    return pipe;
}

/* Seats who came. */
static void listener_seat(pp_listener *listener, pp_pipe *pipe, pp_worker *worker)
{
    pipeport_status status = pp_conn_start(listener->party, pipe, worker);
    if (status != PIPEPORT_OK) {
        pp_pipe_abort(pipe);
        (void) listener_untake(listener, true);
        listener_failed(listener, (pp_fault){status, 0});
    }
}

/* Arms one slot. False: nothing more may be armed. True: something was; look again. An accept that finishes at once
 * takes one from *budget. */
static bool listener_arm(pp_listener *listener, uint32_t *budget, pp_worker *worker)
{
    pp_party *party = listener->party;
    pp_lock_take(&listener->lock);
    pp_listener_slot *slot = listener->idle;
    if (!slot || listener->stopping || listener->resting || listener->taken >= party->options.connections_max) {
        pp_lock_give(&listener->lock);
        return false;
    }
    listener->idle = slot->next_idle;
    listener->taken += 1;
    slot->armed = true;
    pp_party_retain(party);
    pp_pipe_init(&slot->pipe, party->hub->port);
    pp_result now = {{PIPEPORT_OK, 0}, 0, 0};
    if (pp_pipe_accept(&slot->pipe, listener->ear, &slot->op, &now) == PP_LATER) {
        bool is_idle = listener->idle != NULL;
        pp_lock_give(&listener->lock);
        return is_idle;
    }
    pp_pipe pipe = listener_free_slot(slot, now.fault.status);
    pp_lock_give(&listener->lock);
    *budget -= 1;
    if (now.fault.status == PIPEPORT_OK) {
        listener_seat(listener, &pipe, worker);
    } else {
        (void) listener_untake(listener, false);
        listener_failed(listener, now.fault);
    }
    pp_party_release(party);
    return true;
}

static void listener_done(pp_op *op, pp_result result, void *drainer)
{
    pp_listener_slot *slot = (pp_listener_slot *) ((char *) op - offsetof(pp_listener_slot, op));
    pp_listener *listener = slot->listener;
    pp_party *party = listener->party;
    pp_lock_take(&listener->lock);
    pp_pipe pipe = listener_free_slot(slot, result.fault.status);
    pp_lock_give(&listener->lock);
    if (result.fault.status == PIPEPORT_OK) {
        pp_listener_fill(listener, drainer);
        listener_seat(listener, &pipe, drainer);
    } else {
        (void) listener_untake(listener, false);
        listener_failed(listener, result.fault);
        pp_listener_fill(listener, drainer);
    }
    pp_party_release(party);
}

pp_fault pp_listener_open(pp_listener *listener, pp_party *party, const char *name)
{
    pp_memory *memory = &party->hub->memory;
    uint32_t count = party->options.accepts_pending;
    *listener = (pp_listener){.party = party};
    pp_alarm_init(&listener->wake, listener_wake_due);
    listener->slots = pp_memory_take_zeroed(memory, count * sizeof *listener->slots);
    if (!listener->slots) {
        return (pp_fault){PIPEPORT_NO_MEMORY, 0};
    }
    pp_fault fault = pp_ear_open(&listener->ear, party->hub->port, memory, name, &party->plan);
    if (fault.status != PIPEPORT_OK) {
        pp_memory_give(memory, listener->slots, count * sizeof *listener->slots);
        return fault;
    }
    pp_ear_make_room(listener->ear, party->options.connections_max);
    pp_lock_init(&listener->lock);
    for (uint32_t i = 0; i < count; ++i) {
        pp_listener_slot *slot = &listener->slots[i];
        slot->listener = listener;
        slot->op.done = listener_done;
        slot->op.home = (uint16_t) (i % party->hub->pool.homes);
        slot->next_idle = listener->idle;
        listener->idle = slot;
    }
    return fault;
}

void pp_listener_fill(pp_listener *listener, pp_worker *worker)
{
    uint32_t budget = LISTENER_BUDGET;
    while (budget && listener_arm(listener, &budget, worker)) {
    }
    if (budget == 0) { /* A storm of clients that are there at once: others have their turn. */
        listener_rest(listener, listener_begin_rest(listener, 1));
    }
}

void pp_listener_left(pp_listener *listener, pp_worker *worker)
{
    if (listener_untake(listener, true)) { /* Else who brings one home fills. */
        pp_listener_fill(listener, worker);
    }
}

void pp_listener_stop(pp_listener *listener)
{
    pp_lock_take(&listener->lock);
    listener->stopping = true;
    for (uint32_t i = 0; i < listener->party->options.accepts_pending; ++i) {
        pp_listener_slot *slot = &listener->slots[i];
        if (slot->armed) {
            pp_pipe_cancel(&slot->pipe, &slot->op);
        }
    }
    pp_lock_give(&listener->lock);
    listener_clear_wake(listener);
}

void pp_listener_close(pp_listener *listener)
{
    pp_memory *memory = &listener->party->hub->memory;
    pp_ear_close(listener->ear);
    pp_lock_fini(&listener->lock);
    pp_memory_give(memory, listener->slots, listener->party->options.accepts_pending * sizeof *listener->slots);
}

void pp_listener_check(pp_listener *listener)
{
    const pipeport_options *options = &listener->party->options;
    uint32_t armed = 0;
    uint32_t idle = 0;
    pp_lock_take(&listener->lock);
    for (uint32_t i = 0; i < options->accepts_pending; ++i) {
        armed += listener->slots[i].armed;
    }
    for (const pp_listener_slot *slot = listener->idle; slot; slot = slot->next_idle) {
        PP_VERIFY(!slot->armed);
        PP_VERIFY(idle < options->accepts_pending); /* No circle. */
        idle += 1;
    }
    PP_VERIFY(armed + idle == options->accepts_pending);
    PP_VERIFY(listener->taken >= armed);
    PP_VERIFY(listener->taken <= options->connections_max);
    PP_VERIFY(listener->rest_ms <= LISTENER_REST_MAX_MS);
    /* Nothing is left unarmed without a reason. */
    PP_VERIFY(idle == 0 || listener->taken == options->connections_max || listener->resting || listener->stopping);
    pp_lock_give(&listener->lock);
}
