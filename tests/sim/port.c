/* SPDX-License-Identifier: MIT */
/* port.c - see port.h. */
#include "tests/sim/port.h"

#include "tests/sim/schedule.h"
#include "tests/sim/trace.h"
#include "tests/sim/world.h"

#include <stdlib.h>
#include <string.h>

pp_fault pp_port_create(pp_port **out, pp_memory *memory, const pp_port_options *options)
{
    SIM_MUST(options->drainers >= 1 && options->drainers <= SIM_DRAINERS_MAX);
    if (options->say) {
        options->say(options->say_user, "simulated");
    }
    pp_port *port = pp_memory_take_zeroed(memory, sizeof *port);
    if (!port) {
        return (pp_fault){sim_met(SIM_AT_PORT, PIPEPORT_NO_MEMORY), 0};
    }
    if (sim_refuses(sim.rules.refused_begins)) {
        pp_memory_give(memory, port, sizeof *port);
        return (pp_fault){sim_met(SIM_AT_PORT, PIPEPORT_SYSTEM), 1450};
    }
    port->memory = memory;
    port->drainers = port->used = options->drainers;
    port->shared = sim.rules.shared;
    *out = port;
    return (pp_fault){sim_met(SIM_AT_PORT, PIPEPORT_OK), 0};
}

void pp_port_destroy(pp_port *port)
{
    if (port->taking != 0 || port->open_pipes != 0) {
        sim_fail("a port is destroyed with %u inside a take and %u pipes open", port->taking, port->open_pipes);
    }
    if (port->armed != port->done) {
        sim_fail("a port is destroyed with operations pending");
    }
    for (uint32_t i = 0; i < SIM_DRAINERS_MAX; i++) {
        free(port->own[i].queue);
    }
    pp_memory_give(port->memory, port, sizeof *port);
}

pp_memory *pp_port_memory(const pp_port *port)
{
    return port->memory;
}

bool pp_port_is_shared(const pp_port *port)
{
    return port->shared;
}

bool pp_port_can_await(const pp_port *port)
{
    (void) port;
    return sim.rules.can_await;
}

const char *pp_port_driver(const pp_port *port)
{
    (void) port;
    return "simulated";
}

static sim_drainer *port_queue_of(pp_port *port, uint32_t drainer)
{
    return &port->own[port->shared ? 0 : drainer];
}

void sim_port_queue(sim_record *record)
{
    pp_port *port = record->port;
    sim_drainer *to = port_queue_of(port, record->home);
    if (to->count == to->room) {
        to->room = to->room ? to->room * 2 : 32;
        to->queue = realloc(to->queue, to->room * sizeof to->queue[0]);
        SIM_MUST(to->queue != NULL);
    }
    to->queue[to->count++] = record;
    sim_wake_all(to);
}

bool sim_port_has_queued(const sim_record *record)
{
    const sim_drainer *from = port_queue_of(record->port, record->home);
    for (uint32_t i = 0; i < from->count; i++) {
        if (from->queue[i] == record) {
            return true;
        }
    }
    return false;
}

static uint32_t port_take_some(pp_port *port, uint32_t drainer, pp_completion *completions, uint32_t max)
{
    sim_drainer *from = port_queue_of(port, drainer);
    uint32_t want = from->count < max ? from->count : max;
    if (want > 1 && sim_happens(sim.rules.partial_takes)) {
        want = 1 + sim_below(want);
    }
    for (uint32_t i = 0; i < want; i++) {
        bool in_order = port->shared && sim.rules.told_late; /* As on Windows, both. */
        uint32_t at = in_order ? 0 : sim_below(from->count);
        sim_record *record = from->queue[at];
        from->count--;
        if (in_order) {
            memmove(from->queue, from->queue + 1, from->count * sizeof record);
        } else {
            from->queue[at] = from->queue[from->count];
        }
        completions[i] = sim_kernel_hand_out(record);
        port->done++;
    }
    return want;
}

static uint32_t port_take(pp_port *port, uint32_t drainer, uint64_t until_ns, pp_completion *completions, uint32_t max)
{
    sim_drainer *own = &port->own[drainer];
    for (bool in_time = true;;) {
        bool woken = own->woken;
        own->woken = false;
        uint32_t count = port_take_some(port, drainer, completions, max);
        if (count > 0 || woken || !in_time || sim_now_ns() >= until_ns || sim_happens(sim.rules.early_takes)) {
            return count;
        }
        port->waiting++;
        in_time = sim_block(port_queue_of(port, drainer), until_ns);
        port->waiting--;
    }
}

uint32_t pp_port_take(pp_port *port, uint32_t drainer, uint32_t wait_ms, pp_completion *completions, uint32_t max)
{
    SIM_MUST(max >= 1 && max <= PP_BATCH_MAX);
    SIM_MUST(drainer < (port->shared ? SIM_DRAINERS_MAX : port->drainers));
    sim_drainer *own = &port->own[drainer];
    if (sim_locks_held[sim_self()] != 0) {
        sim_fail("a lock is held while a drainer takes");
    }
    if (own->taking) {
        sim_fail("two threads take as drainer %u", drainer);
    }
    own->taking = true;
    own->taker = sim_self();
    port->taking++;
    port->used = drainer < port->used ? port->used : drainer + 1;
    sim_call_step();
    uint64_t until_ns = wait_ms == UINT32_MAX ? SIM_NEVER : sim_now_ns() + wait_ms * UINT64_C(1000000);
    uint32_t count = port_take(port, drainer, until_ns, completions, max);
    port->taking--;
    own->taking = false;
    return count;
}

void pp_port_post(pp_port *port, pp_op *op)
{
    sim_call_step();
    SIM_MUST(port->shared || op->home < port->drainers);
    port->armed++;
    sim_record *record = sim_kernel_arm(op, SIM_POST, port);
    sim_kernel_finish(record, (pp_result){{PIPEPORT_OK, 0}, 0, 0});
    sim_overtake();
}

void pp_port_wake(pp_port *port)
{
    sim_call_step();
    for (uint32_t i = 0; i < port->used; i++) {
        port->own[i].woken = true;
        sim_wake_all(port_queue_of(port, i));
    }
}

void pp_port_count(const pp_port *port, uint64_t *armed, uint64_t *done)
{
    *armed = port->armed;
    *done = port->done;
}

bool sim_port_rests(const pp_port *port)
{
    for (uint32_t i = 0; i < port->used; i++) {
        if (port->own[i].count != 0) {
            return false;
        }
    }
    return port->taking == port->waiting;
}
