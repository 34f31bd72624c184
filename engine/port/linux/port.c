/* SPDX-License-Identifier: MIT */
#include "engine/port/linux/gnu.h"

#include "engine/port/linux/port.h"

#include "engine/base/assert.h"
#include "engine/port/linux/epoll/epoll.h"
#include "engine/port/linux/socket.h"
#include "engine/port/linux/uring/uring.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PORT_VARIABLE "PIPEPORT_LINUX_DRIVER"

enum { PORT_DRAINERS_MAX = 64, PORT_LINE_BYTES = 200 };

static size_t port_bytes(uint32_t drainers)
{
    return sizeof(pp_port) + drainers * sizeof(pp_mailbox *);
}

static void port_destroy_drainers(pp_port *port)
{
    while (port->drainers_count > 0) {
        port->driver->destroy(port->drainers[--port->drainers_count], port->memory);
    }
}

/* *refused as driver.h says. */
static pp_fault port_create_drainers(pp_port *port, const pp_port_options *options, const char **refused)
{
    pp_fault fault = {PIPEPORT_OK, 0};
    *refused = NULL;
    while (port->drainers_count < options->drainers) {
        fault = port->driver->create(&port->drainers[port->drainers_count], port->memory, options->lent, refused);
        if (fault.status != PIPEPORT_OK) {
            port_destroy_drainers(port);
            break;
        }
        port->drainers_count++;
    }
    return fault;
}

static void port_say(const pp_port_options *options, const char *line)
{
    if (options->say != NULL) {
        options->say(options->say_user, line);
    }
}

/* NULL: there is none of the name that was asked for. */
static const pp_driver *port_choose(const pp_port_options *options)
{
    const char *asked = getenv(PORT_VARIABLE);
    if (asked == NULL || strcmp(asked, "auto") == 0 || strcmp(asked, "epoll") == 0) {
        return &pp_epoll_driver;
    }
    if (strcmp(asked, "uring") == 0) {
        return &pp_uring_driver;
    }
    char line[PORT_LINE_BYTES];
    snprintf(line, sizeof line, PORT_VARIABLE " is \"%.60s\" in the environment; it may be epoll, uring or auto",
             asked);
    port_say(options, line);
    return NULL;
}

static pp_fault port_drive(pp_port *port, const pp_port_options *options)
{
    const char *refused;
    port->driver = port_choose(options);
    if (port->driver == NULL) {
        return (pp_fault){PIPEPORT_INVALID, 0};
    }
    pp_fault fault = port_create_drainers(port, options, &refused);
    if (refused != NULL) {
        char line[PORT_LINE_BYTES], text[PORT_LINE_BYTES / 2];
        const char *why = strerror_r((int) fault.system_code, text, sizeof text);
        snprintf(line, sizeof line, "the kernel refuses io_uring %s (%s): epoll drains instead", refused, why);
        port_say(options, line);
        port->driver = &pp_epoll_driver;
        fault = port_create_drainers(port, options, &refused);
    }
    return fault;
}

pp_fault pp_port_create(pp_port **out, pp_memory *memory, const pp_port_options *options)
{
    uint32_t drainers = options->drainers;
    PP_ASSERT(drainers >= 1 && drainers <= PORT_DRAINERS_MAX);
    pp_port *port = pp_memory_take_zeroed(memory, port_bytes(drainers));
    if (port == NULL) {
        return (pp_fault){PIPEPORT_NO_MEMORY, 0};
    }
    port->memory = memory;
    pp_fault fault = port_drive(port, options);
    if (fault.status != PIPEPORT_OK) {
        pp_memory_give(memory, port, port_bytes(drainers));
        return fault;
    }
    pp_lock_init(&port->accepting);
    *out = port;
    return fault;
}

void pp_port_destroy(pp_port *port)
{
    size_t bytes = port_bytes(port->drainers_count);
    PP_ASSERT(port->ears == NULL);
    port_destroy_drainers(port);
    pp_lock_fini(&port->accepting);
    pp_memory_give(port->memory, port, bytes);
}

pp_fault pp_port_adopt(pp_pipe *pipe, int fd, uint32_t home, uint8_t is)
{
    pp_port *port = pipe->port;
    pipe->handle = fd;
    pipe->home = (uint16_t) home;
    pipe->slices_max = (is & PP_SOCKET_WHOLE) != 0 ? 0 : PP_SLICES_MAX;
    pp_fault fault = port->driver->open(pipe, fd, port->drainers[home], is);
    if (fault.status != PIPEPORT_OK) {
        pipe->handle = PP_PIPE_CLOSED;
        close(fd);
    }
    return fault;
}

pp_memory *pp_port_memory(const pp_port *port)
{
    return port->memory;
}

bool pp_port_is_shared(const pp_port *port)
{
    (void) port;
    return false;
}

bool pp_port_can_await(const pp_port *port)
{
    (void) port;
    return true;
}

const char *pp_port_driver(const pp_port *port)
{
    return port->driver->name;
}

uint32_t pp_port_take(pp_port *port, uint32_t drainer, uint32_t wait_ms, pp_completion *completions, uint32_t max)
{
    PP_ASSERT(drainer < port->drainers_count);
    PP_ASSERT(max >= 1 && max <= PP_BATCH_MAX);
    return port->driver->take(port->drainers[drainer], wait_ms, completions, max);
}

void pp_port_post(pp_port *port, pp_op *op)
{
    PP_ASSERT(op->home < port->drainers_count);
    pp_mailbox *home = port->drainers[op->home];
    pp_mailbox_count(home, 1);
    pp_mailbox_post(home, op, (pp_result){{PIPEPORT_OK, 0}, 0, 0});
}

void pp_port_wake(pp_port *port)
{
    for (uint32_t i = 0; i < port->drainers_count; i++) {
        pp_mailbox_wake(port->drainers[i]);
    }
}

void pp_port_count(const pp_port *port, uint64_t *armed, uint64_t *done)
{
    uint64_t out = 0, in = 0;
    for (uint32_t i = 0; i < port->drainers_count; i++) {
        in += atomic_load_explicit(&port->drainers[i]->done, memory_order_relaxed);
        out += atomic_load_explicit(&port->drainers[i]->armed, memory_order_relaxed);
    }
    *armed = out;
    *done = in;
}
