/* SPDX-License-Identifier: MIT */
/*
 * driver.h - what a port is drained with: one table of functions for each way the kernel offers, chosen once a port.
 *
 * A driver's drainer begins with a mailbox, and by it everybody else knows it. An open pipe's `state` is the driver's;
 * so is what stands behind a view.
 */
#ifndef PP_PORT_LINUX_DRIVER_H
#define PP_PORT_LINUX_DRIVER_H

#include "engine/port/linux/mailbox.h"

struct iovec;

typedef struct pp_view pp_view;

/* A listening socket as one drainer sees it; lies in its ear. */
struct pp_view {
    void (*ready)(pp_view *view, pp_mailbox *taker); /* Somebody may have come. Inside a take. */
    void (*gone)(pp_view *view);                     /* After unwatch, once: no `ready` will come any more. */
    pp_memory *memory;
    void *own; /* The driver's, from watch to gone. */
};

typedef struct pp_driver {
    const char *name;
    int socket_flags; /* What a pipe's socket must have besides SOCK_CLOEXEC: SOCK_NONBLOCK or 0. */

    /* A drainer. Fails: NO_MEMORY, SYSTEM; or *refused becomes what of the kernel is not to be had here (the code is
     * the fault's) and another driver may do. */
    pp_fault (*create)(pp_mailbox **out, pp_memory *memory, bool lent, const char **refused);
    void (*destroy)(pp_mailbox *drainer, pp_memory *memory); /* Nobody takes; no pipe and no view is open. */
    uint32_t (*take)(pp_mailbox *drainer, uint32_t wait_ms, pp_completion *completions, uint32_t max);

    /* Views. watch fails: NO_MEMORY, SYSTEM. Any thread. */
    pp_fault (*watch)(pp_mailbox *drainer, int fd, pp_view *view);
    void (*unwatch)(pp_mailbox *drainer, int fd, pp_view *view);

    /* Makes `pipe` an open one on the socket `fd`, which is the driver's if it answers OK; `is` are bits of socket.h.
     * Fails: NO_MEMORY, SYSTEM. */
    pp_fault (*open)(pp_pipe *pipe, int fd, pp_mailbox *home, uint8_t is);

    /* As the pp_pipe_ calls of these names. `state` is an open pipe's. */
    pp_armed (*await)(void *state, pp_op *op, pp_result *now);
    pp_armed (*read)(void *state, struct iovec *piece, pp_op *op, pp_result *now);
    pp_armed (*write)(void *state, struct iovec *pieces, uint32_t count, pp_op *op, pp_result *now);
    void (*cancel)(void *state, pp_op *op);
    bool (*is_answered)(void *state, const pp_op *op);
    void (*close)(void *state);
} pp_driver;

#endif
