/* SPDX-License-Identifier: MIT */
/*
 * port.h (simulated) - a completion port: queues of what is ready to be taken, in no order.
 *
 * Shared: one queue for all drainers. Otherwise each number has its own. A take chooses among what is there at random.
 */
#ifndef TESTS_SIM_PORT_H
#define TESTS_SIM_PORT_H

#include "tests/sim/kernel.h"

enum { SIM_DRAINERS_MAX = 64, SIM_QUEUE_MAX = 16384 };

typedef struct sim_drainer {
    sim_record **queue;
    uint32_t count, room;
    bool woken;
    bool taking;    /* A thread is inside a take for this number. */
    uint32_t taker; /* Who took last. */
} sim_drainer;

struct pp_port {
    pp_memory *memory;
    uint32_t drainers; /* As asked for; where it is shared more may drain. */
    uint32_t used;     /* One more than the largest number that took. */
    bool shared;
    uint32_t taking;
    uint32_t waiting; /* Of those: blocked. */
    uint64_t armed, done;
    uint32_t open_pipes;
    sim_drainer own[SIM_DRAINERS_MAX]; /* [0].queue is the queue of a shared one. */
};

/* Everything that is ready was taken, and whoever drains it waits. */
bool sim_port_rests(const pp_port *port);

#endif
