/* SPDX-License-Identifier: MIT */
/*
 * os.h - the rest of the system: clocks, threads, locks, gates. No I/O.
 */
#ifndef PP_PORT_OS_H
#define PP_PORT_OS_H

#include "engine/base/status.h"

#include <stdbool.h>
#include <stdint.h>

/* Monotonic, from an arbitrary start. */
uint64_t pp_os_now_ms(void);
uint64_t pp_os_now_ns(void);

uint32_t pp_os_processors(void); /* At least 1: those this process may use. */

/* Differs between live threads, and is never 0. A register read, no system call. */
uintptr_t pp_os_thread_self(void);

/* Some bits nobody can guess from outside this process's timing; for jitter, not for secrets. */
uint64_t pp_os_jitter(void);

typedef struct pp_thread {
    void (*body)(void *argument);
    void *argument;
    uintptr_t handle;
} pp_thread;

/* The struct stays where it is until joined. Fails: SYSTEM. */
pp_fault pp_os_thread_start(pp_thread *thread, void (*body)(void *argument), void *argument);
void pp_os_thread_join(pp_thread *thread);

/* A lock for rare things: never held while an event runs, a system call blocks, or another lock is taken. */
typedef struct pp_lock {
    uintptr_t word[8]; /* SRWLOCK or pthread_mutex_t. */
} pp_lock;

void pp_lock_init(pp_lock *lock);
void pp_lock_fini(pp_lock *lock);
void pp_lock_take(pp_lock *lock);
void pp_lock_give(pp_lock *lock);

/* A gate is a count somebody waits upon to reach 0 (WaitOnAddress, futex). */
typedef struct pp_gate {
    _Atomic uint32_t count;
} pp_gate;

void pp_gate_init(pp_gate *gate, uint32_t count);
void pp_gate_add(pp_gate *gate);   /* Only while the count is above 0, or before anybody waits. */
bool pp_gate_leave(pp_gate *gate); /* True for the one that made it 0. The gate may be freed once a waiter is through:
                                      nothing of *gate is touched after the count reached 0 but by its address. */
bool pp_gate_wait(pp_gate *gate, uint32_t wait_ms); /* True: it is 0. UINT32_MAX: no bound. */

#endif
