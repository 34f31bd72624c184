/* SPDX-License-Identifier: MIT */
/*
 * pipe.c - pp_pipe_* on links: what may end now and what later is the seed's choice; the rest is the kernel's.
 *
 * A handle is a link's number and a side. A link's number is never used again in one world, so a pipe that is used
 * after its close is found.
 */
#include "engine/port/pipe.h"

#include "tests/sim/pipe.h"
#include "tests/sim/port.h"
#include "tests/sim/schedule.h"
#include "tests/sim/trace.h"
#include "tests/sim/world.h"

#include <stdio.h>
#include <stdlib.h>

static uint32_t pipe_asked[SIM_THREADS_MAX];

const char *pp_plan_lacks(const pp_plan *plan)
{
    (void) plan;
    return NULL;
}

uint32_t pp_plan_message_bytes_max(const pp_plan *plan)
{
    (void) plan;
    return 1u << 30;
}

sim_link *sim_pipe_link(const pp_pipe *pipe, uint32_t *side)
{
    if (pipe->handle == PP_PIPE_CLOSED) {
        sim_fail("a pipe is used after its close");
    }
    *side = (uint32_t) (pipe->handle & 1);
    sim_link *link = sim_link_of((uint32_t) (pipe->handle >> 1));
    if (!link->sides[*side].open) {
        sim_fail("a pipe is used after its close (link %u)", link->number);
    }
    return link;
}

void sim_pipe_open(pp_pipe *pipe, sim_link *link, uint32_t side, uint32_t home)
{
    pipe->handle = (int32_t) (link->number * 2 + side);
    pipe->home = (uint16_t) home;
    pipe->slices_max = link->whole ? 0 : (uint16_t) sim.rules.slices_max;
    link->sides[side].engine = true;
    pipe->port->open_pipes++;
}

void pp_pipe_init(pp_pipe *pipe, pp_port *port)
{
    *pipe = (pp_pipe){.handle = PP_PIPE_CLOSED, .port = port, .slices_max = (uint16_t) sim.rules.slices_max};
}

/* Others may come between, where the rules have it so. */
static void pipe_step(sim_side *at)
{
    at->inside++;
    if (sim.rules.arming_yields) {
        sim_call_step();
    }
    at->inside--;
}

pp_fault pp_pipe_peer(const pp_pipe *pipe, bool accepted, pipeport_peer *out)
{
    uint32_t side;
    sim_link *link = sim_pipe_link(pipe, &side);
    SIM_MUST(accepted == (side == 1));
    pipe_step(&link->sides[side]);
    pipe_asked[sim_self()] = link->number;
    if (sim_refuses(sim.rules.refused_peers)) {
        return (pp_fault){sim_met(SIM_AT_PEER, PIPEPORT_SYSTEM), 31};
    }
    if (!sim_link_peer_is_open(link, side) && sim_happens(sim.rules.forgets)) {
        return (pp_fault){sim_met(SIM_AT_PEER, PIPEPORT_GONE), 232};
    }
    *out = (pipeport_peer){.process_id = accepted ? link->process : SIM_PROCESS, .session_id = 1};
    (void) snprintf(out->user, sizeof out->user, "%s", accepted ? link->user : SIM_USER);
    return (pp_fault){sim_met(SIM_AT_PEER, PIPEPORT_OK), 0};
}

sim_link *sim_pipe_asked(void)
{
    return sim_link_of(pipe_asked[sim_self()]);
}

/* Armed: its completion may come before its thread goes on. */
static pp_armed pipe_pends(sim_side *at)
{
    at->inside++;
    sim_overtake();
    at->inside--;
    pipe_step(at);
    return PP_LATER;
}

static bool pipe_is_doomed(sim_side *at, pp_result *now)
{
    if (!sim_refuses(sim.rules.refused_io)) {
        return false;
    }
    at->hurt = true;
    *now = (pp_result){{PIPEPORT_SYSTEM, 121}, 0, 0};
    return true;
}

static sim_record *pipe_arm(pp_pipe *pipe, pp_op *op, sim_kind kind)
{
    uint32_t side;
    sim_link *link = sim_pipe_link(pipe, &side);
    pipe->port->armed++;
    sim_record *record = sim_kernel_arm(op, kind, pipe->port);
    record->link = link;
    record->side = side;
    if (sim_refuses(sim.rules.refused_io)) {
        record->doom = (pp_fault){PIPEPORT_SYSTEM, 59};
    }
    return record;
}

static pp_armed pipe_end_now(sim_place place, pp_result result, pp_result *now)
{
    *now = result;
    (void) sim_met(place, result.fault.status);
    sim_trace("now: place, status, bytes", place, result.fault.status, result.bytes);
    return PP_NOW;
}

/* What is there, or the end. A whole message may find too little room. */
static pp_result pipe_read_now(sim_link *link, uint32_t side, uint8_t *buffer, uint32_t bytes)
{
    pp_result result = {{PIPEPORT_OK, 0}, 0, 0};
    uint32_t there = sim_link_readable(link, side);
    if (there == 0) {
        result.fault = (pp_fault){PIPEPORT_GONE, 109};
    } else if (link->whole) {
        result.bytes = sim_link_hear(link, side, buffer, bytes, &result.more);
        sim_link_heard(link, side, result.bytes);
    } else { /* Short now and then. */
        there = there > 1 && sim_happens(sim.rules.short_reads) ? 1 + sim_below(there) : there;
        result.bytes = sim_link_read(link, side, buffer, there < bytes ? there : bytes);
        sim_link_heard(link, side, result.bytes);
    }
    return result;
}

pp_armed pp_pipe_read(pp_pipe *pipe, void *buffer, uint32_t bytes, pp_op *op, pp_result *now)
{
    uint32_t side;
    sim_link *link = sim_pipe_link(pipe, &side);
    sim_side *at = &link->sides[side];
    SIM_MUST(bytes > 0 && (op ? pipe->port->shared || op->home == pipe->home : sim.rules.can_await));
    if (at->read) {
        sim_fail("two reads are armed on one pipe (link %u)", link->number);
    }
    if (sim_link_is_barred(link, 1 - side)) {
        sim_fail("a pipe is read against its way (link %u)", link->number);
    }
    pipe_step(at);
    SIM_MUST(!at->read);
    pp_result result = {{PIPEPORT_OK, 0}, 0, 0};
    if (pipe_is_doomed(at, &result)) {
        return pipe_end_now(SIM_AT_READ, result, now);
    }
    uint32_t there = sim_link_readable(link, side);
    if ((there > 0 || !sim_link_peer_sends(link, side)) &&
        !sim_happens(op ? sim.rules.reads_later : sim.rules.empty_reads)) {
        return pipe_end_now(SIM_AT_READ, pipe_read_now(link, side, buffer, bytes), now);
    }
    if (!op) {
        result.more = link->whole;
        return pipe_end_now(SIM_AT_READ, result, now);
    }
    sim_record *record = pipe_arm(pipe, op, SIM_READ);
    record->buffer = buffer;
    record->bytes = bytes;
    at->read = record;
    sim_trace("a read pends: link, side, bytes", link->number, side, bytes);
    sim_kernel_lend(record);
    return pipe_pends(at);
}

void pp_pipe_skip(pp_pipe *pipe)
{
    uint32_t side, more;
    sim_link *link = sim_pipe_link(pipe, &side);
    sim_channel *from = &link->channels[1 - side];
    SIM_MUST(sim.rules.can_await && link->whole && !link->sides[side].read && from->lengths_count > 0);
    uint32_t left = from->lengths[from->lengths_at];
    uint8_t *dropped = malloc(left);
    SIM_MUST(dropped && left > 1);
    sim_link_heard(link, side, sim_link_hear(link, side, dropped, left, &more));
    SIM_MUST(more == 0);
    from->skipped += left;
    free(dropped);
}

pp_armed pp_pipe_await(pp_pipe *pipe, pp_op *op, pp_result *now)
{
    uint32_t side;
    sim_link *link = sim_pipe_link(pipe, &side);
    sim_side *at = &link->sides[side];
    SIM_MUST(sim.rules.can_await && (pipe->port->shared || op->home == pipe->home));
    if (at->read) {
        sim_fail("two reads are armed on one pipe (link %u)", link->number);
    }
    pipe_step(at);
    bool is_there = sim_link_readable(link, side) > 0 || !sim_link_peer_sends(link, side);
    bool may_lie = !sim_link_is_barred(link, 1 - side);
    if ((is_there && !sim_happens(sim.rules.reads_later)) || (may_lie && sim_happens(sim.rules.early_awaits))) {
        return pipe_end_now(SIM_AT_READ, (pp_result){sim_link_word(link, side), 0, 0}, now);
    }
    at->read = pipe_arm(pipe, op, SIM_AWAIT);
    sim_trace("an await pends: link, side", link->number, side, 0);
    sim_kernel_lend(at->read);
    return pipe_pends(at);
}

/* What a write takes at once. */
static uint32_t pipe_write_now(sim_link *link, uint32_t side, const pp_slice *slices, uint32_t count)
{
    uint32_t left = sim_link_writable(link, side);
    uint32_t total = 0;
    if (link->whole) {
        SIM_MUST(sim_link_say(link, side, slices[0].data, slices[0].bytes));
        return slices[0].bytes;
    }
    left = left > 1 && sim_happens(sim.rules.short_writes) ? 1 + sim_below(left) : left;
    for (uint32_t i = 0; i < count && left > 0; i++) {
        uint32_t taken = sim_link_write(link, side, slices[i].data, left < slices[i].bytes ? left : slices[i].bytes);
        total += taken;
        left -= taken;
    }
    return total;
}

static pp_armed pipe_write_later(pp_pipe *pipe, const pp_slice *slices, uint32_t count, pp_op *op)
{
    sim_record *record = pipe_arm(pipe, op, SIM_WRITE);
    for (uint32_t i = 0; i < count; i++) {
        record->slices[i] = slices[i];
        record->bytes += slices[i].bytes;
    }
    record->count = count;
    sim_side *at = &record->link->sides[record->side];
    at->write = record;
    sim_trace("a write pends: link, side, bytes", record->link->number, record->side, record->bytes);
    sim_kernel_lend(record);
    return pipe_pends(at);
}

pp_armed pp_pipe_write(pp_pipe *pipe, const pp_slice *slices, uint32_t count, pp_op *op, pp_result *now)
{
    uint32_t side;
    sim_link *link = sim_pipe_link(pipe, &side);
    sim_side *at = &link->sides[side];
    SIM_MUST(count >= 1 && count <= (link->whole ? 1 : pipe->slices_max) &&
             (op ? pipe->port->shared || op->home == pipe->home : sim.rules.can_await));
    for (uint32_t i = 0; i < count; i++) {
        SIM_MUST(slices[i].bytes > 0);
    }
    if (at->write) {
        sim_fail("two writes are armed on one pipe (link %u)", link->number);
    }
    if (sim_link_is_barred(link, side)) {
        sim_fail("a pipe is written against its way (link %u)", link->number);
    }
    at->write_since_ns = sim_asked_ns();
    pipe_step(at);
    SIM_MUST(!at->write);
    pp_result result = {{PIPEPORT_OK, 0}, 0, 0};
    if (pipe_is_doomed(at, &result)) {
        return pipe_end_now(SIM_AT_WRITE, result, now);
    }
    bool peer_is_open = sim_link_peer_is_open(link, side);
    if ((peer_is_open && !sim_link_takes(link, side, slices[0].bytes)) || sim_happens(sim.rules.writes_later)) {
        return op ? pipe_write_later(pipe, slices, count, op) : pipe_end_now(SIM_AT_WRITE, result, now);
    }
    if (peer_is_open) {
        result.bytes = pipe_write_now(link, side, slices, count);
    } else {
        result.fault = (pp_fault){PIPEPORT_GONE, 232};
    }
    return pipe_end_now(SIM_AT_WRITE, result, now);
}

void pp_pipe_cancel(pp_pipe *pipe, pp_op *op)
{
    sim_call_step();
    sim_record *record = NULL;
    if (pipe->handle == PP_PIPE_CLOSED) {
        record = sim_ear_find(pipe, op);
    } else {
        uint32_t side;
        sim_link *link = sim_pipe_link(pipe, &side);
        record = sim_kernel_find(link, side, op);
    }
    sim_trace("cancel: is pending", record != NULL, record ? record->kind : 0, 0);
    if (record && !record->finished) {
        record->cancelled = true;
        sim_kernel_look(record);
    }
}

bool pp_pipe_is_answered(pp_pipe *pipe, const pp_op *op)
{
    uint32_t side;
    sim_link *link = sim_pipe_link(pipe, &side);
    pipe_step(&link->sides[side]);
    const sim_record *record = sim_kernel_find(link, side, op);
    bool blind = !pipe->port->shared && pipe->port->own[pipe->home].taker != sim_self();
    bool queued = pipe->port->shared && sim.rules.told_late && record && sim_port_has_queued(record);
    bool is_answered = blind || !record || (!queued && (record->finished || sim_kernel_is_able(record)));
    sim_trace("asked: link, side, is answered", link->number, side, is_answered);
    return is_answered;
}

static void pipe_end(pp_pipe *pipe, bool aborts)
{
    uint32_t side;
    sim_link *link = sim_pipe_link(pipe, &side);
    sim_side *at = &link->sides[side];
    if (aborts && side == 0) {
        sim_fail("a pipe is aborted that was dialled (link %u)", link->number);
    }
    if (at->read || at->write) {
        sim_fail("a pipe is closed while a %s is armed on it (link %u)", at->read ? "read" : "write", link->number);
    }
    if (at->inside != 0) {
        sim_fail("a pipe is closed while somebody is inside a call on it (link %u)", link->number);
    }
    if (aborts) {
        sim_link_abort(link);
    } else {
        sim_link_close(link, side);
    }
    pipe->port->open_pipes--;
    pipe->handle = PP_PIPE_CLOSED;
    sim_call_step();
}

void pp_pipe_close(pp_pipe *pipe)
{
    pipe_end(pipe, false);
}

void pp_pipe_abort(pp_pipe *pipe)
{
    pipe_end(pipe, true);
}
