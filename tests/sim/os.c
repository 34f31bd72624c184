/* SPDX-License-Identifier: MIT */
/*
 * os.c - clocks, threads, locks and gates of the simulated system. What os.h forbids ends the program: a lock taken
 * twice or by the wrong hand, two locks at once, waiting with a lock.
 */
#include "engine/port/os.h"

#include "tests/sim/schedule.h"
#include "tests/sim/trace.h"
#include "tests/sim/world.h"

#include <stdatomic.h>
#include <string.h>

enum { OS_LOCK_FREE = 0x10c4f4ee };

uint64_t pp_os_now_ms(void)
{
    return pp_os_now_ns() / 1000000;
}

uint64_t pp_os_now_ns(void)
{
    sim_call_step();
    return sim_ask_ns();
}

uint32_t pp_os_processors(void)
{
    return 2;
}

uintptr_t pp_os_thread_self(void)
{
    return sim_self() + 1;
}

uint64_t pp_os_jitter(void)
{
    return sim_random();
}

pp_fault pp_os_thread_start(pp_thread *thread, void (*body)(void *argument), void *argument)
{
    sim_call_step();
    if (sim_refuses(sim.rules.refused_begins)) {
        return (pp_fault){sim_met(SIM_AT_THREAD, PIPEPORT_SYSTEM), 8};
    }
    *thread = (pp_thread){.body = body, .argument = argument};
    thread->handle = sim_thread_start(body, argument);
    return (pp_fault){sim_met(SIM_AT_THREAD, PIPEPORT_OK), 0};
}

static void os_may_wait(const char *what)
{
    if (sim_locks_held[sim_self()] != 0) {
        sim_fail("a lock is held while its thread %s", what);
    }
}

void pp_os_thread_join(pp_thread *thread)
{
    os_may_wait("joins another");
    sim_call_step();
    sim_thread_join((uint32_t) thread->handle);
    thread->handle = 0;
}

/* word[0]: OS_LOCK_FREE, or a thread's number + 1 where it is taken. word[1]: it is a lock. */
void pp_lock_init(pp_lock *lock)
{
    memset(lock, 0, sizeof *lock);
    lock->word[1] = OS_LOCK_FREE;
}

void pp_lock_fini(pp_lock *lock)
{
    SIM_MUST(lock->word[1] == OS_LOCK_FREE && lock->word[0] == 0);
    memset(lock, 0, sizeof *lock);
}

void pp_lock_take(pp_lock *lock)
{
    SIM_MUST(lock->word[1] == OS_LOCK_FREE);
    if (sim_schedule_looks) {
        SIM_MUST(lock->word[0] == 0);
        lock->word[0] = sim_self() + 1;
        return;
    }
    if (sim_locks_held[sim_self()] != 0) {
        sim_fail("a second lock is taken by a thread that holds one");
    }
    sim_call_step();
    while (lock->word[0] != 0) {
        (void) sim_block(lock, SIM_NEVER);
    }
    lock->word[0] = sim_self() + 1;
    sim_locks_held[sim_self()]++;
}

void pp_lock_give(pp_lock *lock)
{
    SIM_MUST(lock->word[1] == OS_LOCK_FREE && lock->word[0] == sim_self() + 1);
    lock->word[0] = 0;
    if (sim_schedule_looks) {
        return;
    }
    sim_locks_held[sim_self()]--;
    sim_wake_all(lock);
    sim_call_step();
}

void pp_gate_init(pp_gate *gate, uint32_t count)
{
    atomic_init(&gate->count, count);
}

void pp_gate_add(pp_gate *gate)
{
    sim_call_step();
    atomic_fetch_add(&gate->count, 1);
}

bool pp_gate_leave(pp_gate *gate)
{
    sim_call_step();
    uint32_t before = atomic_fetch_sub(&gate->count, 1);
    SIM_MUST(before > 0);
    if (before > 1) {
        return false;
    }
    sim_call_step(); /* Whoever looks now may be through and have freed it: only its address is used. */
    sim_wake_all(gate);
    return true;
}

bool pp_gate_wait(pp_gate *gate, uint32_t wait_ms)
{
    if (wait_ms != 0) {
        os_may_wait("waits at a gate");
    }
    sim_call_step();
    uint64_t until_ns = wait_ms == UINT32_MAX ? SIM_NEVER : sim_now_ns() + wait_ms * UINT64_C(1000000);
    while (atomic_load(&gate->count) != 0) {
        if (sim_now_ns() >= until_ns) {
            return false;
        }
        (void) sim_block(gate, until_ns);
    }
    return true;
}
