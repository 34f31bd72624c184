/* SPDX-License-Identifier: MIT */
/*
 * self.h - `--self`: a server of this same program in a process of its own, so that its processor time and memory can
 * be told from the load's.
 */
#ifndef PIPEPORT_GENERATOR_SELF_H
#define PIPEPORT_GENERATOR_SELF_H

#include "bench/generator/machine.h"
#include "bench/generator/plan.h"

/* The server that a plan wants. NULL: one line has said why. Owner: the caller; give it to machine_child_end. */
struct machine_child *self_start(const struct plan *plan);

/* `pipeport-bench serve-self`, after its own word: serves until stdin ends. Returns the exit code. */
int self_main(int count, char **arguments);

#endif
