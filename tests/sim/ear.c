/* SPDX-License-Identifier: MIT */
/*
 * ear.c - names, ears, accepting and dialling of the simulated system.
 *
 * Where the rules say so, somebody who comes while no accept is armed hears BUSY (as on Windows); else he is connected
 * and waits in a backlog (as on Linux) as long as there is room for all who wait; or though there is none, alone. A
 * name is taken until its ear is closed and no link holds it.
 */
#include "tests/sim/pipe.h"
#include "tests/sim/port.h"
#include "tests/sim/schedule.h"
#include "tests/sim/trace.h"
#include "tests/sim/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EAR_BACKLOG = 128, EAR_ACCEPTS = 256, EAR_NAMES = 64 };

struct pp_ear {
    pp_memory *memory;
    pp_port *port;
    char name[PP_ADDRESS_BYTES_MAX];
    pp_plan plan;
    sim_record *accepts[EAR_ACCEPTS]; /* Armed, nobody came yet. */
    uint32_t count;
    sim_link *backlog[EAR_BACKLOG];
    uint32_t waiting;
    uint32_t room; /* For those of the backlog, for accepts that are armed, and for more. */
};

static pp_ear *ears[EAR_NAMES];
static uint32_t ears_count;
static struct {
    char name[PP_ADDRESS_BYTES_MAX];
} names[EAR_NAMES * 4];
static uint32_t names_count;

void sim_ears_begin(void)
{
    ears_count = names_count = 0;
}

uint32_t sim_ears_open(void)
{
    return ears_count;
}

/* The length of the UTF-8 sequence at `text`, 0 if it is none or a control byte. */
static size_t ear_rune_bytes(const unsigned char *text)
{
    static const unsigned char firsts[] = {0xE0, 0xED, 0xF0, 0xF4}, lows[] = {0xA0, 0x80, 0x90, 0x80},
                               highs[] = {0xBF, 0x9F, 0xBF, 0x8F};
    if (text[0] < 0x80) {
        return text[0] >= 0x20 && text[0] != 0x7F;
    }
    size_t bytes = text[0] < 0xC2 ? 0 : text[0] < 0xE0 ? 2 : text[0] < 0xF0 ? 3 : text[0] < 0xF5 ? 4 : 0;
    unsigned char low = 0x80, high = 0xBF;
    for (int i = 0; i < 4; i++) {
        low = text[0] == firsts[i] ? lows[i] : low;
        high = text[0] == firsts[i] ? highs[i] : high;
    }
    for (size_t i = 1; i < bytes; i++, low = 0x80, high = 0xBF) {
        if (text[i] < low || text[i] > high) {
            return 0;
        }
    }
    return bytes;
}

pipeport_status pp_pipe_address(const char *name, char address[PP_ADDRESS_BYTES_MAX])
{
    size_t length = 0;
    if (!strcmp(name, ".") || !strcmp(name, "..")) {
        return PIPEPORT_INVALID;
    }
    while (name[length] != '\0') {
        size_t bytes = ear_rune_bytes((const unsigned char *) name + length);
        if (bytes == 0 || name[length] == '/' || name[length] == '\\' || length + bytes > PP_NAME_BYTES_MAX) {
            return PIPEPORT_INVALID;
        }
        length += bytes;
    }
    if (length == 0) {
        return PIPEPORT_INVALID;
    }
    memcpy(address, "sim:", 4);
    memcpy(address + 4, name, length + 1);
    return PIPEPORT_OK;
}

static pp_ear *ear_of(const char *address)
{
    for (uint32_t i = 0; i < ears_count; i++) {
        if (!strcmp(ears[i]->name, address)) {
            return ears[i];
        }
    }
    return NULL;
}

static bool ear_is_held(uint32_t name)
{
    for (uint32_t i = 0; i < sim_link_count(); i++) {
        const sim_link *link = sim_link_of(i);
        if (link->named == name && sim_link_holds(link)) {
            return true;
        }
    }
    return false;
}

static uint32_t ear_name(const char *address)
{
    uint32_t i = 0;
    while (i < names_count && (strcmp(names[i].name, address) != 0)) {
        i++;
    }
    if (i == names_count) {
        for (i = 0; i < names_count && ear_is_held(i); i++) { /* One that nobody uses any more. */
        }
        SIM_MUST(i < sizeof names / sizeof names[0]);
        names_count = i < names_count ? names_count : i + 1;
        strcpy(names[i].name, address);
    }
    return i;
}

static pipeport_status ear_refusal(const char *name, char address[PP_ADDRESS_BYTES_MAX])
{
    static const pipeport_status refusals[] = {PIPEPORT_DENIED, PIPEPORT_SYSTEM, PIPEPORT_NO_MEMORY};
    if (pp_pipe_address(name, address) != PIPEPORT_OK) {
        return PIPEPORT_INVALID;
    }
    if (sim_refuses(sim.rules.refused_begins)) {
        return refusals[sim_below(3)];
    }
    return ear_of(address) || ear_is_held(ear_name(address)) ? PIPEPORT_NAME_TAKEN : PIPEPORT_OK;
}

pp_fault pp_ear_open(pp_ear **out, pp_port *port, pp_memory *memory, const char *name, const pp_plan *plan)
{
    char address[PP_ADDRESS_BYTES_MAX];
    sim_call_step();
    pipeport_status status = ear_refusal(name, address);
    pp_ear *ear = status == PIPEPORT_OK ? pp_memory_take_zeroed(memory, sizeof *ear) : NULL;
    if (!ear) {
        return (pp_fault){sim_met(SIM_AT_EAR, status == PIPEPORT_OK ? PIPEPORT_NO_MEMORY : status), 5};
    }
    SIM_MUST(ears_count < EAR_NAMES);
    ear->memory = memory;
    ear->port = port;
    ear->plan = *plan;
    strcpy(ear->name, address);
    ears[ears_count++] = ear;
    *out = ear;
    return (pp_fault){sim_met(SIM_AT_EAR, PIPEPORT_OK), 0};
}

void pp_ear_make_room(pp_ear *ear, uint32_t more)
{
    sim_call_step();
    SIM_MUST(more <= UINT32_MAX - ear->room);
    ear->room += more;
}

void pp_ear_close(pp_ear *ear)
{
    sim_call_step();
    if (ear->count != 0) {
        sim_fail("an ear is closed while %u accepts are armed on it", ear->count);
    }
    for (uint32_t i = 0; i < ear->waiting; i++) {
        sim_link_abort(ear->backlog[i]);
    }
    uint32_t at = 0;
    while (ears[at] != ear) {
        SIM_MUST(++at < ears_count);
    }
    ears[at] = ears[--ears_count];
    pp_memory_give(ear->memory, ear, sizeof *ear);
}

sim_record *sim_ear_find(const pp_pipe *pipe, const pp_op *op)
{
    for (uint32_t i = 0; i < ears_count; i++) {
        for (uint32_t k = 0; k < ears[i]->count; k++) {
            if (ears[i]->accepts[k]->pipe == pipe && ears[i]->accepts[k]->op == op) {
                return ears[i]->accepts[k];
            }
        }
    }
    return NULL;
}

void sim_ear_withdraw(sim_record *record)
{
    pp_ear *ear = record->ear;
    uint32_t at = 0;
    while (ear->accepts[at] != record) {
        SIM_MUST(++at < ear->count);
    }
    ear->accepts[at] = ear->accepts[--ear->count];
}

/* The oldest of the backlog, for an accept. */
static sim_link *ear_oldest(pp_ear *ear)
{
    sim_link *link = ear->backlog[0];
    memmove(ear->backlog, ear->backlog + 1, --ear->waiting * sizeof ear->backlog[0]);
    ear->room--;
    return link;
}

/* Somebody came for an accept, or it failed: what its owner hears. */
static pp_result ear_outcome(pp_ear *ear, pp_pipe *pipe, sim_link *link, uint32_t home)
{
    if (!sim_link_peer_is_open(link, 1) && sim_link_readable(link, 1) == 0 && sim_below(2)) {
        sim_link_abort(link);
        ear->room++;
        return (pp_result){{PIPEPORT_GONE, 232}, 0, 0};
    }
    sim_pipe_open(pipe, link, 1, home);
    return (pp_result){{PIPEPORT_OK, 0}, 0, 0};
}

void sim_ear_settle(sim_record *record)
{
    if (record->link) {
        record->result = ear_outcome(record->ear, record->pipe, record->link, record->home);
    }
}

pp_armed pp_pipe_accept(pp_pipe *pipe, pp_ear *ear, pp_op *op, pp_result *now)
{
    static const pipeport_status refusals[] = {PIPEPORT_GONE, PIPEPORT_SYSTEM, PIPEPORT_NO_MEMORY};
    sim_call_step();
    SIM_MUST(pipe->handle == PP_PIPE_CLOSED && ear->count < EAR_ACCEPTS);
    if (ear->count >= ear->room) {
        sim_fail("an accept is armed for which there is no room: %u are", ear->count);
    }
    if (sim_refuses(sim.rules.refused_accepts)) {
        *now = (pp_result){{sim_met(SIM_AT_ACCEPT, refusals[sim_below(3)]), 231}, 0, 0};
        return PP_NOW;
    }
    if (ear->waiting > 0 && !sim_happens(sim.rules.reads_later)) {
        *now = ear_outcome(ear, pipe, ear_oldest(ear), op->home);
        (void) sim_met(SIM_AT_ACCEPT, now->fault.status);
        return PP_NOW;
    }
    ear->port->armed++;
    sim_record *record = sim_kernel_arm(op, SIM_ACCEPT, ear->port);
    record->ear = ear;
    record->pipe = pipe;
    ear->accepts[ear->count++] = record;
    sim_trace("an accept pends: armed", ear->count, 0, 0);
    if (ear->waiting > 0) {
        record->link = ear_oldest(ear);
        sim_ear_withdraw(record);
        sim_kernel_finish(record, (pp_result){{PIPEPORT_OK, 0}, 0, 0});
    } else if (sim_refuses(sim.rules.refused_accepts)) {
        record->doom = (pp_fault){refusals[sim_below(3)], 232};
        sim_kernel_look(record);
    }
    sim_overtake();
    return PP_LATER;
}

static sim_link *ear_connect(pp_ear *ear, uint32_t bytes)
{
    bytes = bytes < ear->plan.out_bytes ? ear->plan.out_bytes : bytes;
    uint32_t name = ear_name(ear->name);
    sim_link *link = sim_link_open(bytes < sim.rules.pipe_bytes ? bytes : sim.rules.pipe_bytes, &ear->plan);
    link->named = name;
    (void) snprintf(link->name, sizeof link->name, "%.31s", ear->name);
    link->process = sim.rules.processes ? 1 + sim_below(sim.rules.processes) : SIM_PROCESS;
    link->user = sim.rules.processes && sim_below(3) == 0 ? SIM_OTHER_USER : SIM_USER;
    if (ear->count > 0) {
        sim_record *record = ear->accepts[sim_below(ear->count)];
        record->link = link;
        record->doom = (pp_fault){PIPEPORT_OK, 0};
        ear->room--;
        sim_ear_withdraw(record);
        sim_kernel_finish(record, (pp_result){{PIPEPORT_OK, 0}, 0, 0});
    } else {
        ear->backlog[ear->waiting++] = link;
    }
    return link;
}

/* Nobody accepts at the moment: may he wait? Where the last place has just been taken, one may slip through. */
static bool ear_may_wait(const pp_ear *ear)
{
    if (sim.rules.is_busy || ear->waiting == EAR_BACKLOG) {
        return false;
    }
    return ear->waiting < ear->room || (ear->room == 0 && ear->waiting == 0 && sim_happens(sim.rules.slips));
}

sim_link *sim_ear_dial(const char *name, uint32_t bytes, pipeport_status *status)
{
    char address[PP_ADDRESS_BYTES_MAX];
    *status = pp_pipe_address(name, address);
    if (*status != PIPEPORT_OK) {
        return NULL;
    }
    pp_ear *ear = ear_of(address);
    if (!ear) {
        *status = sim.rules.is_busy && ear_is_held(ear_name(address)) && sim_below(2) ? PIPEPORT_BUSY
                                                                                      : PIPEPORT_NO_SERVER;
        return NULL;
    }
    if (ear->count == 0 && !ear_may_wait(ear)) {
        *status = PIPEPORT_BUSY;
        return NULL;
    }
    return ear_connect(ear, bytes);
}

/* Whether this server is the one that is demanded. */
static bool ear_is_demanded(const pp_plan *plan)
{
    return (plan->server_process == 0 || plan->server_process == SIM_PROCESS) &&
           (plan->server_user == NULL || strcmp(plan->server_user, SIM_USER) == 0);
}

pp_fault pp_pipe_dial(pp_pipe *pipe, const char *name, const pp_plan *plan, uint32_t home)
{
    static const pipeport_status refusals[] = {PIPEPORT_DENIED, PIPEPORT_SYSTEM, PIPEPORT_NO_MEMORY, PIPEPORT_BUSY,
                                               PIPEPORT_WRONG_TYPE};
    sim_call_step();
    SIM_MUST(pipe->handle == PP_PIPE_CLOSED);
    pipeport_status status;
    if (sim_refuses(sim.rules.refused_dials)) {
        return (pp_fault){sim_met(SIM_AT_DIAL, refusals[sim_below(5)]), 5};
    }
    sim_link *link = sim_ear_dial(name, plan->in_bytes, &status);
    sim_trace("dial: status, link", status, link ? link->number : 0, 0);
    if (!link) {
        return (pp_fault){sim_met(SIM_AT_DIAL, status), 2};
    }
    bool is_same_way = sim_link_is_barred(link, 0) == (plan->way == PP_WAY_TO_CLIENT) &&
                       sim_link_is_barred(link, 1) == (plan->way == PP_WAY_TO_SERVER);
    if (!ear_is_demanded(plan) || !is_same_way || plan->whole != link->whole) {
        status = ear_is_demanded(plan) && is_same_way ? PIPEPORT_WRONG_TYPE : PIPEPORT_DENIED;
        sim_link_close(link, 0);
        return (pp_fault){sim_met(SIM_AT_DIAL, status), 5};
    }
    sim_pipe_open(pipe, link, 0, home);
    return (pp_fault){sim_met(SIM_AT_DIAL, PIPEPORT_OK), 0};
}
