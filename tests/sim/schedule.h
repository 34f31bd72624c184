/* SPDX-License-Identifier: MIT */
/*
 * schedule.h - who runs next, and what time it is.
 *
 * Threads are fibers (fiber.h), and the program's own thread is thread 0: where it blocks or lets others run, the
 * others run inside its call until it is chosen again. The choice is random among those that can run; now and then one
 * is held up for long. The clock moves a little at each choice, and to the next waking when nobody can run: so a day of
 * waiting takes no time. It may jump forward.
 *
 * A thread that blocks waits upon an address (never read), and until a time.
 */
#ifndef TESTS_SIM_SCHEDULE_H
#define TESTS_SIM_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

enum { SIM_THREADS_MAX = 1024 };
#define SIM_NEVER UINT64_MAX

/* No thread but the caller, who is number 0. */
void sim_schedule_begin(void);

/* Called when nobody can run and nothing can happen before the clock moves; NULL: nobody looks. */
extern void (*sim_schedule_rests)(void);

uint64_t sim_now_ns(void);
uint64_t sim_jumped_ns(uint64_t since_ns); /* How much of the time since then was jumps; SIM_NEVER: of too many. */
uint64_t sim_ask_ns(void);                 /* The same, and remembered as what this thread knows. */
uint64_t sim_asked_ns(void);               /* When this thread last asked. */
uint32_t sim_self(void);

/* A new thread's number; it runs sometime. Numbers of threads that have ended and were joined are used again. */
uint32_t sim_thread_start(void (*body)(void *argument), void *argument);

/* Waits until it has ended; then its number is free. */
void sim_thread_join(uint32_t number);

/* A step of the engine, or a call of the seam: perhaps others run first. */
void sim_call_step(void);

/* Others may run now. */
void sim_yield(void);

/* True: woken. False: the time has come. */
bool sim_block(const void *on, uint64_t until_ns);
void sim_wake_all(const void *on);
void sim_sleep_ns(uint64_t ns);

/* While somebody only looks, no step is taken and nobody else runs. */
extern bool sim_schedule_looks;

/* Holds this thread up for a while; and threads that are held up in the middle of something. */
void sim_overtake(void); /* By the rules: this one has just armed something. */
extern uint32_t sim_stalled;

/* Locks that a thread holds; their taker and giver count. */
extern uint32_t sim_locks_held[SIM_THREADS_MAX];

#endif
