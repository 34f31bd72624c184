/* SPDX-License-Identifier: MIT */
/*
 * fake_port.c - the port, and opening and closing; see fake_port.h. What passes through a pipe: fake_pipe.c.
 */
#include "tests/support/fake_inside.h"

#include "engine/base/assert.h"

#include <stdlib.h>
#include <string.h>

enum { FAKE_QUEUE_MAX = 4096 };

struct pp_port {
    pp_memory *memory;
};

struct pp_ear {
    pp_memory *memory;
    uint32_t room; /* For accepts that are armed, and for more. */
    pp_plan plan;
};

fake_system fake;

const pp_fault fake_ok = {PIPEPORT_OK, 0};

/* ---- What is finished, and what is armed: under a lock, for foreign threads post and cancel ---- */

static atomic_flag fake_lock = ATOMIC_FLAG_INIT;
static pp_completion fake_queue[FAKE_QUEUE_MAX];
static unsigned fake_queue_from, fake_queue_count;
static struct fake_accept {
    pp_pipe *pipe;
    pp_op *op;
    pp_ear *ear;
} fake_waiting[FAKE_PIPES_MAX]; /* Oldest first; fake.accepts_armed of them. */

void fake_lock_take(void)
{
    while (atomic_flag_test_and_set_explicit(&fake_lock, memory_order_acquire)) {
    }
}

void fake_lock_give(void)
{
    atomic_flag_clear_explicit(&fake_lock, memory_order_release);
}

/* Under the lock. */
void fake_finish(pp_op *op, pp_result result)
{
    PP_VERIFY(fake_queue_count < FAKE_QUEUE_MAX);
    fake_queue[(fake_queue_from + fake_queue_count++) % FAKE_QUEUE_MAX] = (pp_completion){op, result};
}

bool fake_has_queued(const pp_op *op)
{
    for (unsigned i = 0; i < fake_queue_count; ++i) {
        if (fake_queue[(fake_queue_from + i) % FAKE_QUEUE_MAX].op == op) {
            return true;
        }
    }
    return false;
}

unsigned fake_port_waiting(void)
{
    fake_lock_take();
    unsigned count = fake_queue_count;
    fake_lock_give();
    return count;
}

void fake_reset(void)
{
    for (unsigned i = 0; i < fake.pipes_count; ++i) {
        free(fake.pipes[i].written.data);
        free(fake.pipes[i].arrived.data);
        free(fake.pipes[i].said.data);
        free(fake.pipes[i].heard.data);
    }
    memset(&fake, 0, sizeof fake);
    fake.slices_max = PP_SLICES_MAX;
    fake.can_await = true;
    fake.message_bytes_max = 1u << 30;
    fake.peer = (pipeport_peer){.process_id = 4711, .session_id = 1, .user = "1000"};
    fake_queue_from = fake_queue_count = 0;
}

void fake_say(fake_script *script, pipeport_status status, unsigned times)
{
    for (unsigned i = 0; i < times; ++i) {
        PP_VERIFY(script->count < FAKE_SCRIPT_MAX);
        script->faults[script->count++] = (pp_fault){status, status == PIPEPORT_OK ? 0 : 77};
    }
}

/* ---- The port ---- */

pp_fault pp_port_create(pp_port **out, pp_memory *memory, const pp_port_options *options)
{
    PP_VERIFY(options->drainers >= 1 && options->drainers <= 64);
    if (fake.port_fault.status != PIPEPORT_OK) {
        return fake.port_fault;
    }
    pp_port *port = pp_memory_take(memory, sizeof *port);
    if (!port) {
        return (pp_fault){PIPEPORT_NO_MEMORY, 0};
    }
    port->memory = memory;
    fake.ports_open += 1;
    *out = port;
    return fake_ok;
}

void pp_port_destroy(pp_port *port)
{
    PP_VERIFY(fake_queue_count == 0);
    PP_VERIFY(fake_pipes_open() == 0);
    fake.ports_open -= 1;
    pp_memory_give(port->memory, port, sizeof *port);
}

pp_memory *pp_port_memory(const pp_port *port)
{
    return port->memory;
}

bool pp_port_is_shared(const pp_port *port)
{
    (void) port;
    return !fake.not_shared;
}

bool pp_port_can_await(const pp_port *port)
{
    (void) port;
    return fake.can_await;
}

const char *pp_port_driver(const pp_port *port)
{
    (void) port;
    return "fake";
}

uint32_t pp_port_take(pp_port *port, uint32_t drainer, uint32_t wait_ms, pp_completion *completions, uint32_t max)
{
    (void) port;
    (void) drainer;
    PP_VERIFY(max >= 1 && max <= PP_BATCH_MAX);
    if (fake_port_waiting() == 0 && fake.waits) {
        fake.waits(wait_ms);
    }
    fake_lock_take();
    uint32_t count = 0;
    while (count < max && fake_queue_count) {
        completions[count++] = fake_queue[fake_queue_from];
        fake_queue_from = (fake_queue_from + 1) % FAKE_QUEUE_MAX;
        fake_queue_count -= 1;
    }
    fake_lock_give();
    atomic_fetch_add(&fake.done, count);
    return count;
}

void pp_port_post(pp_port *port, pp_op *op)
{
    (void) port;
    atomic_fetch_add(&fake.armed, 1);
    fake_lock_take();
    fake_finish(op, (pp_result){fake_ok, 0, 0});
    fake_lock_give();
}

void pp_port_wake(pp_port *port)
{
    (void) port;
    fake.wakes += 1;
    if (fake.inside_wake) {
        fake.inside_wake();
    }
}

void pp_port_count(const pp_port *port, uint64_t *armed, uint64_t *done)
{
    (void) port;
    *armed = atomic_load(&fake.armed);
    *done = atomic_load(&fake.done);
}

/* ---- Opening and closing ---- */

const char *pp_plan_lacks(const pp_plan *plan)
{
    (void) plan;
    return fake.plan_lacks;
}

uint32_t pp_plan_message_bytes_max(const pp_plan *plan)
{
    (void) plan;
    return fake.message_bytes_max;
}

pipeport_status pp_pipe_address(const char *name, char address[PP_ADDRESS_BYTES_MAX])
{
    size_t length = strlen(name);
    if (length == 0 || length > PP_NAME_BYTES_MAX) {
        return PIPEPORT_INVALID;
    }
    memcpy(address, "fake:", 5);
    memcpy(address + 5, name, length + 1);
    return PIPEPORT_OK;
}

pp_fault pp_ear_open(pp_ear **out, pp_port *port, pp_memory *memory, const char *name, const pp_plan *plan)
{
    (void) port;
    (void) name;
    PP_VERIFY(plan->in_bytes >= 512 && plan->out_bytes >= 512);
    fake.plan = *plan;
    if (fake.ear_fault.status != PIPEPORT_OK) {
        return fake.ear_fault;
    }
    pp_ear *ear = pp_memory_take(memory, sizeof *ear);
    if (!ear) {
        return (pp_fault){PIPEPORT_NO_MEMORY, 0};
    }
    *ear = (pp_ear){memory, 0, *plan};
    fake.ears_open += 1;
    *out = ear;
    return fake_ok;
}

void pp_ear_make_room(pp_ear *ear, uint32_t more)
{
    fake_lock_take();
    ear->room += more;
    fake.room_made += more;
    fake_lock_give();
}

void pp_ear_close(pp_ear *ear)
{
    PP_VERIFY(fake.accepts_armed == 0);
    fake.ears_open -= 1;
    pp_memory_give(ear->memory, ear, sizeof *ear);
}

void pp_pipe_init(pp_pipe *pipe, pp_port *port)
{
    *pipe = (pp_pipe){.handle = PP_PIPE_CLOSED, .port = port, .slices_max = (uint16_t) fake.slices_max};
}

fake_pipe *fake_of(const pp_pipe *pipe)
{
    PP_VERIFY(pipe->handle >= 0 && pipe->handle < (int32_t) fake.pipes_count);
    fake_pipe *of = &fake.pipes[pipe->handle];
    PP_VERIFY(of->is_open);
    return of;
}

static fake_pipe *fake_open(pp_pipe *pipe, const pp_plan *plan, bool is_server)
{
    PP_VERIFY(pipe->handle == PP_PIPE_CLOSED && fake.pipes_count < FAKE_PIPES_MAX);
    pipe->handle = (int32_t) fake.pipes_count;
    fake_pipe *of = &fake.pipes[fake.pipes_count++];
    *of = (fake_pipe){.is_open = true,
                      .is_accepted = is_server,
                      .whole = plan->whole,
                      .unread = plan->way == (is_server ? PP_WAY_TO_CLIENT : PP_WAY_TO_SERVER),
                      .unwritten = plan->way == (is_server ? PP_WAY_TO_SERVER : PP_WAY_TO_CLIENT),
                      .write_room = UINT64_MAX,
                      .read_bytes_max = UINT32_MAX,
                      .write_bytes_max = UINT32_MAX,
                      .peer = fake.peer};
    pipe->slices_max = of->whole ? 0 : (uint16_t) fake.slices_max;
    return of;
}

fake_pipe *fake_pipe_open(pp_pipe *pipe, pp_port *port)
{
    pp_pipe_init(pipe, port);
    return fake_open(pipe, &(pp_plan){.typed = fake.whole, .whole = fake.whole}, false);
}

fake_pipe *fake_newest(void)
{
    PP_VERIFY(fake.pipes_count > 0);
    return &fake.pipes[fake.pipes_count - 1];
}

pp_fault pp_pipe_peer(const pp_pipe *pipe, bool accepted, pipeport_peer *out)
{
    const fake_pipe *of = fake_of(pipe);
    (void) accepted;
    fake.peers_asked += 1;
    if (fake.peer_fault.status == PIPEPORT_OK) {
        *out = of->peer;
    }
    return fake.peer_fault;
}

unsigned fake_pipes_open(void)
{
    unsigned open = 0;
    for (unsigned i = 0; i < fake.pipes_count; ++i) {
        open += fake.pipes[i].is_open;
    }
    return open;
}

void pp_pipe_close(pp_pipe *pipe)
{
    fake_pipe *of = fake_of(pipe);
    PP_VERIFY(!of->read.op && !of->write.op);
    of->is_open = false;
    pipe->handle = PP_PIPE_CLOSED;
}

void pp_pipe_abort(pp_pipe *pipe)
{
    fake_pipe *of = fake_of(pipe);
    PP_VERIFY(of->is_accepted);
    of->is_aborted = true;
    pp_pipe_close(pipe);
}

/* The next answer of a script, or `otherwise` when it has come to its end. */
static pp_fault fake_answer(fake_script *script, pipeport_status otherwise)
{
    return script->at < script->count ? script->faults[script->at++] : (pp_fault){otherwise, 0};
}

pp_fault pp_pipe_dial(pp_pipe *pipe, const char *name, const pp_plan *plan, uint32_t home)
{
    PP_VERIFY(*name && plan->in_bytes >= 512);
    fake.dials_called += 1;
    fake.plan = *plan;
    pp_fault fault = fake_answer(&fake.dials, PIPEPORT_OK);
    if (fault.status == PIPEPORT_OK) {
        fake_open(pipe, plan, false);
        pipe->home = (uint16_t) home;
    }
    return fault;
}

static unsigned fake_armed_on(const pp_ear *ear)
{
    unsigned armed = 0;
    for (unsigned i = 0; i < fake.accepts_armed; ++i) {
        armed += fake_waiting[i].ear == ear;
    }
    return armed;
}

pp_armed pp_pipe_accept(pp_pipe *pipe, pp_ear *ear, pp_op *op, pp_result *now)
{
    fake.accepts_called += 1;
    PP_VERIFY(fake_armed_on(ear) < ear->room);
    if (ear->plan.instances_max && fake_pipes_open() + fake_armed_on(ear) >= ear->plan.instances_max) {
        *now = (pp_result){{PIPEPORT_BUSY, 231}, 0, 0};
        return PP_NOW;
    }
    if (fake.accepts.at < fake.accepts.count) {
        *now = (pp_result){fake_answer(&fake.accepts, PIPEPORT_OK), 0, 0};
        if (now->fault.status == PIPEPORT_OK) {
            fake_open(pipe, &ear->plan, true);
            ear->room -= 1;
        }
        return PP_NOW;
    }
    atomic_fetch_add(&fake.armed, 1);
    fake_waiting[fake.accepts_armed++] = (struct fake_accept){pipe, op, ear};
    if (fake.accepts_armed > fake.accepts_armed_peak) {
        fake.accepts_armed_peak = fake.accepts_armed;
    }
    return PP_LATER;
}

/* Takes the accept at this place out of those that wait. */
static struct fake_accept fake_unwait(unsigned at)
{
    struct fake_accept accept = fake_waiting[at];
    fake.accepts_armed -= 1;
    memmove(&fake_waiting[at], &fake_waiting[at + 1], (fake.accepts_armed - at) * sizeof fake_waiting[0]);
    return accept;
}

fake_pipe *fake_client_comes(void)
{
    if (fake.accepts_armed == 0) {
        return NULL;
    }
    struct fake_accept accept = fake_unwait(0);
    fake_pipe *of = fake_open(accept.pipe, &accept.ear->plan, true);
    accept.ear->room -= 1;
    fake_finish(accept.op, (pp_result){fake_ok, 0, 0});
    return of;
}

void fake_accept_ends(pipeport_status status)
{
    PP_VERIFY(fake.accepts_armed > 0 && status != PIPEPORT_OK);
    fake_finish(fake_unwait(0).op, (pp_result){{status, 77}, 0, 0});
}

bool fake_cancel_accept(pp_op *op)
{
    for (unsigned i = 0; i < fake.accepts_armed; ++i) {
        if (fake_waiting[i].op == op) {
            fake_finish(fake_unwait(i).op, (pp_result){{PIPEPORT_STOPPED, 995}, 0, 0});
            return true;
        }
    }
    return false;
}
