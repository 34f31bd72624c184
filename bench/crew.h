/* SPDX-License-Identifier: MIT */
/*
 * crew.h - threads that are not the engine's, and a gate at which one of them waits.
 */
#ifndef PIPEPORT_BENCH_CREW_H
#define PIPEPORT_BENCH_CREW_H

#include <stdbool.h>

struct crew_thread;
struct crew_gate;

/* NULL: there is none to be had. Join it once. */
struct crew_thread *crew_start(void (*work)(void *user), void *user);
void crew_join(struct crew_thread *thread);

/* A gate lets one waiter through for each time it was opened. Never destroyed: it lives as long as the process.
 * Thread: any. */
struct crew_gate *crew_gate_create(void);
void crew_gate_open(struct crew_gate *gate);
void crew_gate_wait(struct crew_gate *gate);

#endif
