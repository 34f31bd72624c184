/* SPDX-License-Identifier: MIT */
/*
 * kernel.h - the simulated system's work: operations that are pending, and what becomes of them.
 *
 * A record is one pending operation. It is armed, then able (something can be done: bytes are there, the peer has gone,
 * a cancel was heard), then done by the kernel in any order, perhaps late, and at last in its port's queue, from which
 * a take hands it out. Here the laws are held against the engine: an op armed twice, two reads or two writes on one
 * pipe, an op or a buffer touched while lent.
 */
#ifndef TESTS_SIM_KERNEL_H
#define TESTS_SIM_KERNEL_H

#include "engine/port/pipe.h"
#include "tests/sim/link.h"

typedef enum sim_kind { SIM_READ, SIM_WRITE, SIM_AWAIT, SIM_ACCEPT, SIM_POST } sim_kind;

typedef struct sim_record {
    pp_op *op;
    pp_op_done *done; /* As the op said when it was armed, to see that it stays so. */
    uint32_t home;
    sim_kind kind;
    pp_port *port;
    sim_link *link; /* Of an accept: once somebody came. */
    uint32_t side;
    pp_ear *ear;   /* An accept's. */
    pp_pipe *pipe; /* An accept's. */
    uint8_t *buffer;
    uint32_t bytes; /* Of the buffer, or of all slices. */
    pp_slice slices[PP_SLICES_MAX];
    uint32_t count;
    uint64_t sum; /* Of what a write lends. */
    pp_fault doom;
    bool cancelled;
    bool early; /* An await that comes for no reason. */
    bool finished;
    pp_result result;
    uint64_t armed_ns;
    uint64_t due_ns;           /* While it is late. */
    struct sim_record **where; /* The list that it is in, or NULL. */
    uint32_t at;
} sim_record;

void sim_kernel_begin(void);

/* Arms an op. The caller fills in what its kind needs, and then lends it to the kernel. */
sim_record *sim_kernel_arm(pp_op *op, sim_kind kind, pp_port *port);
void sim_kernel_lend(sim_record *record);

/* It can be done now. */
bool sim_kernel_is_able(const sim_record *record);

/* Perhaps it can be done now. */
void sim_kernel_look(sim_record *record);

/* Its result stands; it comes out of a take, perhaps late. */
void sim_kernel_finish(sim_record *record, pp_result result);

/* A take hands it out: checks it, frees it. */
pp_completion sim_kernel_hand_out(sim_record *record);

/* The record that this op is armed with on this side, or NULL. The op is not read. */
sim_record *sim_kernel_find(sim_link *link, uint32_t side, const pp_op *op);

/* Does one thing, if there is one. */
bool sim_kernel_run(void);
void sim_kernel_deliver(void);
uint64_t sim_kernel_next_ns(void);

/* Operations that are pending, all of them. */
uint32_t sim_kernel_pending(void);

/* Somebody frees this memory: aborts if an op or buffer lies there. */
void sim_kernel_forbid(const void *block, size_t bytes);

uint64_t sim_sum(uint64_t sum, const uint8_t *data, uint32_t bytes);

/* port.c: a completion that is ready to be taken. */
void sim_port_queue(sim_record *record);
bool sim_port_has_queued(const sim_record *record);

/* ear.c: nobody may come for this accept any more; and what becomes of it when it is handed out. */
void sim_ear_withdraw(sim_record *record);
void sim_ear_settle(sim_record *record);

#endif
