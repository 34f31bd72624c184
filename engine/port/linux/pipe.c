/* SPDX-License-Identifier: MIT */
/*
 * pipe.c - the calls of engine/port/pipe.h on one pipe. An open pipe is the driver's; before that, an accept of an ear.
 */
#include "engine/port/linux/gnu.h"

#include "engine/base/assert.h"
#include "engine/port/linux/address.h"
#include "engine/port/linux/ear.h"
#include "engine/port/linux/fault.h"
#include "engine/port/linux/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

static void *pipe_state(pp_pipe *pipe)
{
    return atomic_load_explicit(&pipe->state, memory_order_acquire);
}

void pp_pipe_init(pp_pipe *pipe, pp_port *port)
{
    pipe->handle = PP_PIPE_CLOSED;
    pipe->port = port;
    pipe->home = 0;
    pipe->slices_max = PP_SLICES_MAX;
    atomic_init(&pipe->state, NULL);
}

pp_armed pp_pipe_accept(pp_pipe *pipe, pp_ear *ear, pp_op *op, pp_result *now)
{
    PP_ASSERT(pipe->handle == PP_PIPE_CLOSED);
    return pp_ear_accept(ear, pipe, op, now);
}

static pp_fault pipe_connect(int fd, const char *address)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    memcpy(to.sun_path, address, strlen(address) + 1);
    int failed;
    do { /* It does not block, so an interrupted one has not begun. */
        failed = connect(fd, (const struct sockaddr *) &to, sizeof to);
    } while (failed != 0 && errno == EINTR);
    return failed == 0 ? (pp_fault){PIPEPORT_OK, 0} : pp_fault_from(errno);
}

/* OK: it is the server that is demanded. */
static pp_fault pipe_verify(int fd, const pp_plan *plan)
{
    pipeport_peer server;
    if (plan->server_process == 0 && plan->server_user == NULL) {
        return (pp_fault){PIPEPORT_OK, 0};
    }
    pp_fault fault = pp_socket_peer(fd, &server);
    if (fault.status == PIPEPORT_OK && ((plan->server_process != 0 && plan->server_process != server.process_id) ||
                                        (plan->server_user != NULL && strcmp(plan->server_user, server.user) != 0))) {
        fault.status = PIPEPORT_DENIED;
    }
    return fault;
}

static pp_fault pipe_dial(pp_pipe *pipe, const char *address, const pp_plan *plan, uint32_t home)
{
    int fd = pp_socket_create(plan);
    if (fd < 0) {
        return pp_fault_from(errno);
    }
    pp_socket_make_room(fd, plan, false);
    pp_fault fault = pipe_connect(fd, address);
    if (fault.status == PIPEPORT_OK) {
        fault = pipe_verify(fd, plan);
    }
    if (fault.status != PIPEPORT_OK) {
        close(fd);
        return fault;
    }
    if ((pipe->port->driver->socket_flags & SOCK_NONBLOCK) == 0) { /* Only connect was not to block. */
        PP_VERIFY(fcntl(fd, F_SETFL, O_RDWR) == 0);
    }
    return pp_port_adopt(pipe, fd, home, pp_socket_suit(fd, plan, false));
}

pp_fault pp_pipe_dial(pp_pipe *pipe, const char *name, const pp_plan *plan, uint32_t home)
{
    char address[PP_ADDRESS_BYTES_MAX];
    PP_ASSERT(pipe->handle == PP_PIPE_CLOSED && home < pipe->port->drainers_count);
    pp_fault fault = {pp_pipe_address(name, address), 0};
    if (fault.status == PIPEPORT_OK) {
        fault = pp_address_secure(name, false);
    }
    return fault.status == PIPEPORT_OK ? pipe_dial(pipe, address, plan, home) : fault;
}

pp_fault pp_pipe_peer(const pp_pipe *pipe, bool accepted, pipeport_peer *out)
{
    (void) accepted;
    PP_ASSERT(pipe->handle != PP_PIPE_CLOSED);
    return pp_socket_peer(pipe->handle, out);
}

pp_armed pp_pipe_read(pp_pipe *pipe, void *buffer, uint32_t bytes, pp_op *op, pp_result *now)
{
    struct iovec piece = {buffer, bytes};
    PP_ASSERT(bytes >= 1 && (op == NULL || op->home == pipe->home));
    return pipe->port->driver->read(pipe_state(pipe), &piece, op, now);
}

void pp_pipe_skip(pp_pipe *pipe)
{
    PP_ASSERT(pipe->slices_max == 0);
    pp_socket_skip(pipe->handle);
}

pp_armed pp_pipe_await(pp_pipe *pipe, pp_op *op, pp_result *now)
{
    PP_ASSERT(op->home == pipe->home);
    return pipe->port->driver->await(pipe_state(pipe), op, now);
}

pp_armed pp_pipe_write(pp_pipe *pipe, const pp_slice *slices, uint32_t count, pp_op *op, pp_result *now)
{
    struct iovec pieces[PP_SLICES_MAX];
    PP_ASSERT(count >= 1 && count <= (pipe->slices_max != 0 ? pipe->slices_max : 1) &&
              (op == NULL || op->home == pipe->home));
    for (uint32_t i = 0; i < count; i++) {
        union { /* writev's pieces are not const, because readv's are the same. */
            const void *given;
            void *lent;
        } data = {.given = slices[i].data};
        PP_ASSERT(slices[i].bytes >= 1);
        pieces[i] = (struct iovec){data.lent, slices[i].bytes};
    }
    return pipe->port->driver->write(pipe_state(pipe), pieces, count, op, now);
}

void pp_pipe_cancel(pp_pipe *pipe, pp_op *op)
{
    void *state = pipe_state(pipe);
    if (state != NULL) {
        pipe->port->driver->cancel(state, op);
    } else {
        pp_ear_cancel(pipe->port, op);
    }
}

bool pp_pipe_is_answered(pp_pipe *pipe, const pp_op *op)
{
    return pipe->port->driver->is_answered(pipe_state(pipe), op);
}

void pp_pipe_close(pp_pipe *pipe)
{
    void *state = pipe_state(pipe);
    PP_ASSERT(pipe->handle != PP_PIPE_CLOSED);
    pipe->handle = PP_PIPE_CLOSED;
    atomic_store_explicit(&pipe->state, NULL, memory_order_relaxed);
    pipe->port->driver->close(state);
}

/* A socket that is closed leaves nothing behind but what the peer can read. */
void pp_pipe_abort(pp_pipe *pipe)
{
    pp_pipe_close(pipe);
}
