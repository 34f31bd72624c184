/* SPDX-License-Identifier: MIT */
/*
 * self.h - `--self`: a server of this same program in a process of its own, so that its processor time and memory can
 * be told from the load's.
 */
#ifndef PIPEPORT_GENERATOR_SELF_H
#define PIPEPORT_GENERATOR_SELF_H

#include <stdbool.h>

#include "bench/generator/plan.h"
#include "bench/generator/process.h"

/* The server that a plan wants. NULL: one line has said why. Owner: the caller; give it to self_end. */
struct process *self_start(const struct plan *plan);

/* Waits until it serves. False: it does not, and unless a Ctrl-C came one line has said so. */
bool self_serves(struct process *server);

/* Ends it. False: it had to be ended, or was not content. NULL is fine. */
bool self_end(struct process *server);

/* `pipeport-bench serve-self`, after its own word: serves until stdin ends. Returns the exit code. */
int self_main(int count, char **arguments);

#endif
