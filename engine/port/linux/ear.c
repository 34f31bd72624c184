/* SPDX-License-Identifier: MIT */
#include "engine/port/linux/gnu.h"

#include "engine/port/linux/ear.h"

#include "engine/base/assert.h"
#include "engine/port/linux/access.h"
#include "engine/port/linux/address.h"
#include "engine/port/linux/backlog.h"
#include "engine/port/linux/claim.h"
#include "engine/port/linux/socket.h"

#include <sys/socket.h>

static const pp_fault ear_ok = {PIPEPORT_OK, 0};

typedef struct ear_view {
    pp_view view; /* First. */
    pp_ear *ear;
} ear_view;

struct pp_ear {
    pp_port *port;
    pp_memory *memory;
    pp_claim claim;
    pp_plan plan;
    bool has_room;            /* The kernel gives its pipes what the plan asks for. */
    pp_backlog backlog;       /* These seven under port->accepting. */
    pp_letter *waiting_first; /* The letters of armed accepts. */
    pp_letter *waiting_last;
    uint32_t waiting_count; /* At most backlog.room. */
    bool backlog_empty;
    pp_ear *next; /* In port->ears. */
    pp_ear *previous;
    _Atomic uint32_t holds; /* The opener's until close, and each watched view's until it is gone; the ear goes with the
                               last (acq_rel). */
    uint32_t views_count;
    ear_view views[]; /* One a drainer. */
};

static size_t ear_bytes(const pp_ear *ear)
{
    return sizeof *ear + ear->views_count * sizeof ear->views[0];
}

/* A client, or -1 and the fault. */
static int ear_next_client(pp_ear *ear, pp_fault *fault)
{
    int fd = pp_backlog_take(&ear->backlog, SOCK_CLOEXEC | ear->port->driver->socket_flags, fault);
    ear->backlog_empty = fd < 0 && fault->status == PIPEPORT_BUSY;
    return fd;
}

static pp_fault ear_open_pipe(pp_ear *ear, pp_pipe *pipe, uint32_t home, int fd)
{
    if (!ear->has_room) {
        pp_socket_make_room(fd, &ear->plan, true);
    }
    pp_fault fault = pp_port_adopt(pipe, fd, home, pp_socket_suit(fd, &ear->plan, true));
    if (fault.status != PIPEPORT_OK) {
        pp_ear_make_room(ear, 1);
    }
    return fault;
}

/* An accept that finds the plug still in the backlog, for want of descriptors, has to ask: no edge will tell. */
void pp_ear_make_room(pp_ear *ear, uint32_t more)
{
    pp_lock_take(&ear->port->accepting);
    pp_backlog_make_room(&ear->backlog, more);
    if (ear->backlog.plugged) {
        ear->backlog_empty = false;
    }
    pp_lock_give(&ear->port->accepting);
}

static void ear_append(pp_ear *ear, pp_op *op)
{
    pp_letter *letter = &pp_room_of(op)->letter;
    letter->next = NULL;
    if (ear->waiting_first == NULL) {
        ear->waiting_first = letter;
    } else {
        ear->waiting_last->next = letter;
    }
    ear->waiting_last = letter;
    ear->waiting_count++;
}

/* Takes out the one after `before` (NULL: the first). */
static pp_op *ear_remove(pp_ear *ear, pp_letter *before)
{
    pp_letter *letter = before == NULL ? ear->waiting_first : before->next;
    if (before == NULL) {
        ear->waiting_first = letter->next;
    } else {
        before->next = letter->next;
    }
    if (ear->waiting_last == letter) {
        ear->waiting_last = before;
    }
    ear->waiting_count--;
    return pp_op_of(letter);
}

pp_armed pp_ear_accept(pp_ear *ear, pp_pipe *pipe, pp_op *op, pp_result *now)
{
    pp_port *port = ear->port;
    pp_fault fault = {PIPEPORT_BUSY, 0};
    int fd = -1;
    PP_ASSERT(pipe->port == port && op->home < port->drainers_count);
    pp_lock_take(&port->accepting);
    PP_ASSERT(ear->waiting_count < ear->backlog.room);
    if (!ear->backlog_empty) {
        fd = ear_next_client(ear, &fault);
    }
    if (fault.status == PIPEPORT_BUSY) {
        pp_room_of(op)->as.pipe = pipe;
        pp_mailbox_count(port->drainers[op->home], 1);
        ear_append(ear, op);
    }
    pp_lock_give(&port->accepting);
    if (fault.status == PIPEPORT_BUSY) {
        return PP_LATER; /* It may be done already: nothing more of ear, pipe and op. */
    }
    if (fd >= 0) {
        fault = ear_open_pipe(ear, pipe, op->home, fd);
    }
    *now = (pp_result){fault, 0, 0};
    return PP_NOW;
}

void pp_ear_cancel(pp_port *port, pp_op *op)
{
    bool found = false;
    pp_lock_take(&port->accepting);
    for (pp_ear *ear = port->ears; ear != NULL && !found; ear = ear->next) {
        pp_letter *before = NULL, *waiting = ear->waiting_first;
        while (waiting != NULL && waiting != &pp_room_of(op)->letter) {
            before = waiting;
            waiting = waiting->next;
        }
        found = waiting != NULL;
        if (found) {
            ear_remove(ear, before);
        }
    }
    pp_lock_give(&port->accepting);
    if (found) {
        pp_mailbox_post(port->drainers[op->home], op, (pp_result){{PIPEPORT_STOPPED, 0}, 0, 0});
    }
}

/* One client for the oldest waiting accept. False: there is no client, or no room for one. */
static bool ear_serve_one(pp_ear *ear, pp_mailbox *self)
{
    pp_port *port = ear->port;
    pp_fault fault = {PIPEPORT_BUSY, 0};
    pp_op *op = NULL;
    int fd = -1;
    pp_lock_take(&port->accepting);
    if (ear->waiting_first != NULL) {
        fd = ear_next_client(ear, &fault);
    } else {
        ear->backlog_empty = false;
    }
    if (fault.status != PIPEPORT_BUSY) {
        op = ear_remove(ear, NULL);
    }
    pp_lock_give(&port->accepting);
    if (op == NULL) {
        return false;
    }
    bool refused = fd < 0 && fault.status != PIPEPORT_GONE;
    pp_mailbox *home = port->drainers[op->home];
    if (fd >= 0) {
        fault = ear_open_pipe(ear, pp_room_of(op)->as.pipe, op->home, fd);
    }
    if (home == self) {
        pp_mailbox_finish(home, op, (pp_result){fault, 0, 0});
    } else {
        pp_mailbox_post(home, op, (pp_result){fault, 0, 0});
    }
    return !refused;
}

/* Bounded by what waits when it begins: who arms later asks for itself, unless the backlog was empty. A refusal (no
 * more descriptors) ends one accept, and is no edge: the others wait until somebody arms, which asks, or connects. */
static void ear_ready(pp_view *view, pp_mailbox *taker)
{
    pp_ear *ear = ((ear_view *) view)->ear;
    pp_lock_take(&ear->port->accepting);
    ear->backlog_empty = false;
    uint32_t left = ear->waiting_count;
    pp_lock_give(&ear->port->accepting);
    while (left > 0 && ear_serve_one(ear, taker)) {
        left--;
    }
}

static void ear_let_go(pp_ear *ear)
{
    if (atomic_fetch_sub_explicit(&ear->holds, 1, memory_order_acq_rel) == 1) {
        pp_memory_give(ear->memory, ear, ear_bytes(ear));
    }
}

static void ear_gone(pp_view *view)
{
    ear_let_go(((ear_view *) view)->ear);
}

/* Out of the first `count` drainers' sight. */
static void ear_unwatch(pp_ear *ear, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        ear->port->driver->unwatch(ear->port->drainers[i], ear->backlog.fd, &ear->views[i].view);
    }
}

/* Into every drainer's sight, and into the port's list. On a fault it is in neither. */
static pp_fault ear_join(pp_ear *ear)
{
    pp_port *port = ear->port;
    for (uint32_t i = 0; i < port->drainers_count; i++) {
        ear->views[i] = (ear_view){{ear_ready, ear_gone, ear->memory, NULL}, ear};
        atomic_fetch_add_explicit(&ear->holds, 1, memory_order_relaxed);
        pp_fault fault = port->driver->watch(port->drainers[i], ear->backlog.fd, &ear->views[i].view);
        if (fault.status != PIPEPORT_OK) {
            atomic_fetch_sub_explicit(&ear->holds, 1, memory_order_relaxed);
            ear_unwatch(ear, i);
            return fault;
        }
    }
    pp_lock_take(&port->accepting);
    ear->next = port->ears;
    if (ear->next != NULL) {
        ear->next->previous = ear;
    }
    port->ears = ear;
    pp_lock_give(&port->accepting);
    return ear_ok;
}

/* NO_SERVER is for who dials: to who listens, a missing folder of an absolute path is the system's. */
static pp_fault ear_fault(pp_fault fault)
{
    if (fault.status == PIPEPORT_NO_SERVER) {
        fault.status = PIPEPORT_SYSTEM;
    }
    return fault;
}

pp_fault pp_ear_open(pp_ear **out, pp_port *port, pp_memory *memory, const char *name, const pp_plan *plan)
{
    char address[PP_ADDRESS_BYTES_MAX];
    pp_fault fault = {pp_pipe_address(name, address), 0};
    if (fault.status == PIPEPORT_OK) {
        fault = pp_access_check(name, plan);
    }
    if (fault.status == PIPEPORT_OK) {
        fault = pp_address_secure(name, true);
    }
    if (fault.status != PIPEPORT_OK) {
        return ear_fault(fault);
    }
    pp_ear *ear = pp_memory_take_zeroed(memory, sizeof(pp_ear) + port->drainers_count * sizeof(ear_view));
    if (ear == NULL) {
        return (pp_fault){PIPEPORT_NO_MEMORY, 0};
    }
    ear->port = port;
    ear->views_count = port->drainers_count;
    ear->memory = memory;
    ear->plan = *plan;
    atomic_init(&ear->holds, 1);
    fault = pp_claim_take(&ear->claim, address);
    if (fault.status != PIPEPORT_OK) {
        goto free_ear;
    }
    fault = pp_backlog_open(&ear->backlog, ear->claim.address, plan);
    if (fault.status != PIPEPORT_OK) {
        goto give_claim;
    }
    ear->has_room = pp_socket_has_room(ear->backlog.fd, plan, true);
    pp_claim_mark(&ear->claim);
    fault = ear_join(ear);
    if (fault.status != PIPEPORT_OK) {
        goto close_backlog;
    }
    *out = ear;
    return fault;

close_backlog:
    pp_backlog_close(&ear->backlog);
give_claim:
    pp_claim_give(&ear->claim);
free_ear:
    ear_let_go(ear);
    return ear_fault(fault);
}

void pp_ear_close(pp_ear *ear)
{
    pp_port *port = ear->port;
    pp_lock_take(&port->accepting);
    PP_VERIFY(ear->waiting_first == NULL);
    if (ear->previous == NULL) {
        port->ears = ear->next;
    } else {
        ear->previous->next = ear->next;
    }
    if (ear->next != NULL) {
        ear->next->previous = ear->previous;
    }
    pp_lock_give(&port->accepting);
    ear_unwatch(ear, port->drainers_count);
    pp_claim_give(&ear->claim);
    pp_backlog_close(&ear->backlog);
    ear_let_go(ear);
}
