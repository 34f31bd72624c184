/* SPDX-License-Identifier: MIT */
/* fake_os.c - see fake_os.h. */
#include "tests/support/fake_os.h"

#include "engine/base/assert.h"

#include <stdatomic.h>

uint64_t fake_os_ms = 1000;
uint64_t fake_os_bits;
unsigned fake_os_draws;
void (*fake_os_drawn)(void);
unsigned fake_os_locks;
uintptr_t fake_os_self = 1;
unsigned fake_os_threads;
unsigned fake_os_threads_max;

void fake_os_pass(uint32_t ms)
{
    fake_os_ms += ms;
}

uint64_t pp_os_now_ms(void)
{
    return fake_os_ms;
}

uint64_t pp_os_now_ns(void)
{
    return fake_os_ms * 1000000;
}

uint32_t pp_os_processors(void)
{
    return 2;
}

uintptr_t pp_os_thread_self(void)
{
    return fake_os_self;
}

uint64_t pp_os_jitter(void)
{
    fake_os_draws += 1;
    if (fake_os_drawn) {
        fake_os_drawn();
    }
    return fake_os_bits;
}

pp_fault pp_os_thread_start(pp_thread *thread, void (*body)(void *argument), void *argument)
{
    (void) thread;
    (void) body;
    (void) argument;
    if (fake_os_threads == fake_os_threads_max) {
        return (pp_fault){PIPEPORT_SYSTEM, 11};
    }
    fake_os_threads += 1;
    return (pp_fault){PIPEPORT_OK, 0};
}

void pp_os_thread_join(pp_thread *thread)
{
    (void) thread;
    PP_VERIFY(fake_os_threads > 0);
    fake_os_threads -= 1;
}

void pp_lock_init(pp_lock *lock)
{
    lock->word[0] = 0;
}

void pp_lock_fini(pp_lock *lock)
{
    PP_VERIFY(lock->word[0] == 0);
}

void pp_lock_take(pp_lock *lock)
{
    PP_VERIFY(lock->word[0] == 0);
    lock->word[0] = 1;
    fake_os_locks += 1;
}

void pp_lock_give(pp_lock *lock)
{
    PP_VERIFY(lock->word[0] == 1);
    lock->word[0] = 0;
    fake_os_locks -= 1;
}

void pp_gate_init(pp_gate *gate, uint32_t count)
{
    atomic_init(&gate->count, count);
}

void pp_gate_add(pp_gate *gate)
{
    PP_VERIFY(atomic_fetch_add(&gate->count, 1) > 0);
}

bool pp_gate_leave(pp_gate *gate)
{
    uint32_t before = atomic_fetch_sub(&gate->count, 1);
    PP_VERIFY(before > 0);
    return before == 1;
}

bool pp_gate_wait(pp_gate *gate, uint32_t wait_ms)
{
    if (atomic_load(&gate->count) == 0) {
        return true;
    }
    PP_VERIFY(wait_ms != UINT32_MAX); /* There is nobody else who could open it. */
    fake_os_pass(wait_ms);
    return false;
}
