/* SPDX-License-Identifier: MIT */
#include "engine/port/linux/gnu.h"

#include "engine/port/linux/ear.h"

#include "engine/base/assert.h"
#include "engine/port/linux/address.h"
#include "engine/port/linux/claim.h"
#include "engine/port/linux/fault.h"
#include "engine/port/linux/epoll/watch.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { EAR_BACKLOG = SOMAXCONN };

static const pp_fault ear_ok = {PIPEPORT_OK, 0};

typedef struct ear_view { /* What a drainer's events point at. */
    pp_source source;     /* First: an event's source is the view. */
    pp_ear *ear;
} ear_view;

struct pp_ear {
    pp_port *port;
    pp_memory *memory;
    pp_claim claim;
    int fd;
    uint32_t buffer_bytes;
    pp_op *waiting_first; /* These six under port->accepting. */
    pp_op *waiting_last;
    uint32_t waiting_count;
    bool backlog_empty;
    pp_ear *next; /* In port->ears. */
    pp_ear *previous;
    _Atomic uint32_t views_left; /* Not yet freed by their drainers; the ear goes with the last (acq_rel). */
    ear_view views[];            /* One a drainer. */
};

static size_t ear_bytes(const pp_ear *ear)
{
    return sizeof *ear + ear->port->drainers_count * sizeof ear->views[0];
}

/* A client, or -1 and the fault. */
static int ear_next_client(pp_ear *ear, pp_fault *fault)
{
    int fd;
    do {
        fd = accept4(ear->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    } while (fd < 0 && errno == EINTR);
    ear->backlog_empty = fd < 0 && errno == EAGAIN;
    *fault = fd < 0 ? pp_fault_from(errno) : ear_ok;
    return fd;
}

/* The receiving buffer of a Unix socket is the sender's sending buffer: SO_RCVBUF would mean nothing. */
static pp_fault ear_open_pipe(const pp_ear *ear, pp_pipe *pipe, uint32_t home, int fd)
{
    int bytes = ear->buffer_bytes < INT_MAX ? (int) ear->buffer_bytes : INT_MAX;
    (void) setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes); /* A wish. */
    pp_fault fault = pp_watch_open(pipe, fd, &ear->port->drainers[home], home);
    if (fault.status != PIPEPORT_OK) {
        close(fd);
    }
    return fault;
}

static void ear_append(pp_ear *ear, pp_op *op)
{
    pp_room_of(op)->next = NULL;
    if (ear->waiting_first == NULL) {
        ear->waiting_first = op;
    } else {
        pp_room_of(ear->waiting_last)->next = op;
    }
    ear->waiting_last = op;
    ear->waiting_count++;
}

/* Takes out the one after `before` (NULL: the first). */
static pp_op *ear_remove(pp_ear *ear, pp_op *before)
{
    pp_op *op = before == NULL ? ear->waiting_first : pp_room_of(before)->next;
    pp_op *next = pp_room_of(op)->next;
    if (before == NULL) {
        ear->waiting_first = next;
    } else {
        pp_room_of(before)->next = next;
    }
    if (ear->waiting_last == op) {
        ear->waiting_last = before;
    }
    ear->waiting_count--;
    return op;
}

pp_armed pp_ear_accept(pp_ear *ear, pp_pipe *pipe, pp_op *op, pp_result *now)
{
    pp_port *port = ear->port;
    pp_fault fault = {PIPEPORT_BUSY, 0};
    int fd = -1;
    PP_ASSERT(pipe->port == port && op->home < port->drainers_count);
    pp_lock_take(&port->accepting);
    if (!ear->backlog_empty) {
        fd = ear_next_client(ear, &fault);
    }
    if (fault.status == PIPEPORT_BUSY) {
        pp_room_of(op)->as.pipe = pipe;
        pp_drainer_count(&port->drainers[op->home], 1);
        ear_append(ear, op);
    }
    pp_lock_give(&port->accepting);
    if (fault.status == PIPEPORT_BUSY) {
        return PP_LATER; /* It may be done already: nothing more of ear, pipe and op. */
    }
    if (fd >= 0) {
        fault = ear_open_pipe(ear, pipe, op->home, fd);
    }
    *now = (pp_result){fault, 0};
    return PP_NOW;
}

void pp_ear_cancel(pp_port *port, pp_op *op)
{
    bool found = false;
    pp_lock_take(&port->accepting);
    for (pp_ear *ear = port->ears; ear != NULL && !found; ear = ear->next) {
        pp_op *before = NULL, *waiting = ear->waiting_first;
        while (waiting != NULL && waiting != op) {
            before = waiting;
            waiting = pp_room_of(waiting)->next;
        }
        found = waiting != NULL;
        if (found) {
            ear_remove(ear, before);
        }
    }
    pp_lock_give(&port->accepting);
    if (found) {
        pp_drainer_post(&port->drainers[op->home], op, (pp_result){{PIPEPORT_STOPPED, 0}, 0});
    }
}

/* One client for the oldest waiting accept. False: there is no client, or no room for one. */
static bool ear_serve_one(pp_ear *ear, pp_drainer *self)
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
    pp_drainer *home = &port->drainers[op->home];
    if (fd >= 0) {
        fault = ear_open_pipe(ear, pp_room_of(op)->as.pipe, op->home, fd);
    }
    if (home == self) {
        pp_drainer_finish(home, op, (pp_result){fault, 0});
    } else {
        pp_drainer_post(home, op, (pp_result){fault, 0});
    }
    return !refused;
}

/* Bounded by what waits when it begins: who arms later asks for itself, unless the backlog was empty. A refusal (no
 * more descriptors) ends one accept, and is no edge: the others wait until somebody arms, which asks, or connects. */
static void ear_ready(pp_source *source, uint32_t events, pp_drainer *drainer)
{
    pp_ear *ear = ((ear_view *) source)->ear;
    (void) events;
    pp_lock_take(&ear->port->accepting);
    ear->backlog_empty = false;
    uint32_t left = ear->waiting_count;
    pp_lock_give(&ear->port->accepting);
    while (left > 0 && ear_serve_one(ear, drainer)) {
        left--;
    }
}

static void ear_free_view(pp_source *source)
{
    pp_ear *ear = ((ear_view *) source)->ear;
    if (atomic_fetch_sub_explicit(&ear->views_left, 1, memory_order_acq_rel) == 1) {
        pp_memory_give(ear->memory, ear, ear_bytes(ear));
    }
}

static const pp_source_kind ear_kind = {ear_ready, ear_free_view};

/* Binds with mode 0600: who may not write to a socket cannot connect to it (unix(7)). */
static pp_fault ear_listen(pp_ear *ear)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, ear->claim.address, strlen(ear->claim.address) + 1);
    ear->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (ear->fd < 0) {
        return pp_fault_from(errno);
    }
    if (fchmod(ear->fd, S_IRUSR | S_IWUSR) == 0 &&
        bind(ear->fd, (const struct sockaddr *) &address, sizeof address) == 0 && listen(ear->fd, EAR_BACKLOG) == 0) {
        return ear_ok;
    }
    pp_fault fault = pp_fault_from(errno);
    close(ear->fd);
    return fault;
}

/* Into every drainer's set, and into the port's list. On a fault it is in neither. */
static pp_fault ear_join(pp_ear *ear)
{
    pp_port *port = ear->port;
    for (uint32_t i = 0; i < port->drainers_count; i++) {
        ear->views[i] = (ear_view){{&ear_kind, NULL}, ear};
        pp_fault fault = pp_drainer_watch(&port->drainers[i], ear->fd, EPOLLIN | EPOLLET | EPOLLEXCLUSIVE,
                                          &ear->views[i].source);
        if (fault.status != PIPEPORT_OK) {
            while (i > 0) {
                pp_drainer_unwatch(&port->drainers[--i], ear->fd);
            }
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

pp_fault pp_ear_open(pp_ear **out, pp_port *port, pp_memory *memory, const char *name, uint32_t buffer_bytes)
{
    char address[PP_ADDRESS_BYTES_MAX];
    pp_fault fault = {pp_pipe_address(name, address), 0};
    if (fault.status == PIPEPORT_OK) {
        fault = pp_address_secure(name, true);
    }
    if (fault.status != PIPEPORT_OK) {
        return ear_fault(fault);
    }
    size_t bytes = sizeof(pp_ear) + port->drainers_count * sizeof(ear_view);
    pp_ear *ear = pp_memory_take_zeroed(memory, bytes);
    if (ear == NULL) {
        return (pp_fault){PIPEPORT_NO_MEMORY, 0};
    }
    ear->port = port;
    ear->memory = memory;
    ear->buffer_bytes = buffer_bytes;
    atomic_init(&ear->views_left, port->drainers_count);
    fault = pp_claim_take(&ear->claim, address);
    if (fault.status != PIPEPORT_OK) {
        goto free_ear;
    }
    fault = ear_listen(ear);
    if (fault.status != PIPEPORT_OK) {
        goto give_claim;
    }
    fault = ear_join(ear);
    if (fault.status != PIPEPORT_OK) {
        goto close_socket;
    }
    *out = ear;
    return fault;

close_socket:
    close(ear->fd);
give_claim:
    pp_claim_give(&ear->claim);
free_ear:
    pp_memory_give(memory, ear, bytes);
    return ear_fault(fault);
}

void pp_ear_close(pp_ear *ear)
{
    pp_port *port = ear->port;
    uint32_t views = port->drainers_count;
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
    for (uint32_t i = 0; i < views; i++) {
        pp_drainer_unwatch(&port->drainers[i], ear->fd);
    }
    pp_claim_give(&ear->claim);
    close(ear->fd);
    for (uint32_t i = 0; i < views; i++) {
        pp_drainer_bury(&port->drainers[i], &ear->views[i].source);
    }
}
