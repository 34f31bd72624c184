/* SPDX-License-Identifier: MIT */
/*
 * pipe.h (simulated) - what pipes and ears know of each other.
 */
#ifndef TESTS_SIM_PIPE_H
#define TESTS_SIM_PIPE_H

#include "tests/sim/kernel.h"

/* Who is at every server's end, and mostly at the other. */
enum { SIM_PROCESS = 1 };
#define SIM_USER "1000"
#define SIM_OTHER_USER "1001"

sim_link *sim_pipe_link(const pp_pipe *pipe, uint32_t *side);
void sim_pipe_open(pp_pipe *pipe, sim_link *link, uint32_t side, uint32_t home);

/* Whose client this thread asked for last. */
sim_link *sim_pipe_asked(void);

void sim_ears_begin(void);
uint32_t sim_ears_open(void);
sim_record *sim_ear_find(const pp_pipe *pipe, const pp_op *op); /* An armed accept, or NULL. */

/* As a client without the library: its side of a link, which is as the ear's plan says, or NULL. */
sim_link *sim_ear_dial(const char *name, uint32_t bytes, pipeport_status *status);

#endif
