/* SPDX-License-Identifier: MIT */
/*
 * port.h (Linux) - the port is its drainers and the ears that listen on it.
 */
#ifndef PP_PORT_LINUX_PORT_H
#define PP_PORT_LINUX_PORT_H

#include "engine/port/linux/epoll/drainer.h"
#include "engine/port/os.h"

struct pp_port {
    pp_memory *memory;
    pp_lock accepting; /* Held for: `ears`, and every ear's list of waiting accepts. */
    pp_ear *ears;      /* Newest first; so that a cancel finds an accept by its pipe's port alone. */
    uint32_t drainers_count;
    pp_drainer drainers[];
};

#endif
