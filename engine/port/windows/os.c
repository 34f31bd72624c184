/* SPDX-License-Identifier: MIT */
#include "engine/port/os.h"

#include "engine/port/windows/fault.h"
#include "engine/port/windows/win.h"

#include <process.h>
#include <stdatomic.h>

enum { OS_NS_PER_MS = 1000000, OS_NS_PER_S = 1000000000 };

_Static_assert(sizeof(SRWLOCK) <= sizeof(((pp_lock *) 0)->word), "a pp_lock holds the system's");
_Static_assert(sizeof(_Atomic uint32_t) == sizeof(uint32_t), "a gate's count is what WaitOnAddress compares");

static uint64_t os_ticks(void)
{
    LARGE_INTEGER ticks;
    QueryPerformanceCounter(&ticks); /* Neither of these two fails since Windows XP. */
    return (uint64_t) ticks.QuadPart;
}

uint64_t pp_os_now_ns(void)
{
    LARGE_INTEGER frequency;
    QueryPerformanceFrequency(&frequency);
    uint64_t ticks = os_ticks(), per_s = (uint64_t) frequency.QuadPart;
    /* In two parts, for ticks times 10^9 passes 64 bits within the hour. */
    return ticks / per_s * OS_NS_PER_S + ticks % per_s * OS_NS_PER_S / per_s;
}

uint64_t pp_os_now_ms(void)
{
    return pp_os_now_ns() / OS_NS_PER_MS;
}

uint32_t pp_os_processors(void)
{
    DWORD_PTR ours = 0, system = 0;
    if (!GetProcessAffinityMask(GetCurrentProcess(), &ours, &system) || ours == 0) {
        /* A process whose threads span processor groups has no mask. */
        DWORD all = GetActiveProcessorCount(ALL_PROCESSOR_GROUPS);
        return all > 0 ? all : 1;
    }
    uint32_t count = 0;
    for (; ours != 0; ours &= ours - 1) {
        count++;
    }
    return count;
}

uintptr_t pp_os_thread_self(void)
{
    return GetCurrentThreadId();
}

uint64_t pp_os_jitter(void)
{
    uint64_t bits = os_ticks() ^ (uint64_t) GetCurrentThreadId() << 32 ^ (uint64_t) GetCurrentProcessId() << 48;
    /* splitmix64's last steps: each bit of the clock reaches each bit of the answer. */
    bits = (bits ^ bits >> 30) * 0xBF58476D1CE4E5B9U;
    bits = (bits ^ bits >> 27) * 0x94D049BB133111EBU;
    return bits ^ bits >> 31;
}

static unsigned __stdcall os_thread_main(void *argument)
{
    pp_thread *thread = argument;
    thread->body(thread->argument);
    return 0;
}

pp_fault pp_os_thread_start(pp_thread *thread, void (*body)(void *argument), void *argument)
{
    thread->body = body;
    thread->argument = argument;
    thread->handle = _beginthreadex(NULL, 0, os_thread_main, thread, 0,
                                    NULL); /* Not CreateThread: the C library's own. */
    return thread->handle != 0 ? (pp_fault){PIPEPORT_OK, 0} : (pp_fault){PIPEPORT_SYSTEM, (long) _doserrno};
}

void pp_os_thread_join(pp_thread *thread)
{
    WaitForSingleObject((HANDLE) thread->handle, INFINITE);
    CloseHandle((HANDLE) thread->handle);
    thread->handle = 0;
}

static SRWLOCK *lock_of(pp_lock *lock)
{
    return (SRWLOCK *) (void *) lock->word;
}

void pp_lock_init(pp_lock *lock)
{
    InitializeSRWLock(lock_of(lock));
}

void pp_lock_fini(pp_lock *lock)
{
    (void) lock;
}

void pp_lock_take(pp_lock *lock)
{
    AcquireSRWLockExclusive(lock_of(lock));
}

void pp_lock_give(pp_lock *lock)
{
    ReleaseSRWLockExclusive(lock_of(lock));
}

void pp_gate_init(pp_gate *gate, uint32_t count)
{
    atomic_init(&gate->count, count);
}

void pp_gate_add(pp_gate *gate)
{
    atomic_fetch_add_explicit(&gate->count, 1, memory_order_relaxed);
}

bool pp_gate_leave(pp_gate *gate)
{
    if (atomic_fetch_sub_explicit(&gate->count, 1, memory_order_acq_rel) != 1) {
        return false;
    }
    WakeByAddressAll(&gate->count); /* The gate may be gone by now: the address is looked up, never read. */
    return true;
}

bool pp_gate_wait(pp_gate *gate, uint32_t wait_ms)
{
    uint64_t end_ms = wait_ms == UINT32_MAX ? UINT64_MAX : pp_os_now_ms() + wait_ms;
    for (;;) {
        uint32_t count = atomic_load_explicit(&gate->count, memory_order_acquire);
        if (count == 0) {
            return true;
        }
        uint64_t now_ms = pp_os_now_ms();
        if (now_ms >= end_ms) {
            return false;
        }
        DWORD left_ms = end_ms == UINT64_MAX ? INFINITE : (DWORD) (end_ms - now_ms);
        (void) WaitOnAddress(&gate->count, &count, sizeof count, left_ms); /* May also return for nothing. */
    }
}
