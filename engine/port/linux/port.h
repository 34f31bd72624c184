/* SPDX-License-Identifier: MIT */
/*
 * port.h (Linux) - the port is its driver, its drainers and the ears that listen on it.
 */
#ifndef PP_PORT_LINUX_PORT_H
#define PP_PORT_LINUX_PORT_H

#include "engine/port/linux/driver.h"
#include "engine/port/os.h"

struct pp_port {
    pp_memory *memory;
    const pp_driver *driver;
    pp_lock accepting; /* Held for: `ears`, and every ear's list of waiting accepts. */
    pp_ear *ears;      /* Newest first; so that a cancel finds an accept by its pipe's port alone. */
    uint32_t drainers_count;
    pp_mailbox *drainers[]; /* The driver's, each by its mailbox. */
};

/* Makes `pipe`, a closed one, an open one on the socket `fd`, of which `is` says what socket.h names. On a fault the
 * pipe is closed and so is the socket. Fails: NO_MEMORY, SYSTEM. */
pp_fault pp_port_adopt(pp_pipe *pipe, int fd, uint32_t home, uint8_t is);

#endif
