/* SPDX-License-Identifier: MIT */
/*
 * os.c - clocks, threads, locks and gates of Linux.
 */
#include "engine/port/linux/gnu.h"

#include "engine/port/os.h"

#include "engine/base/assert.h"
#include "engine/port/linux/fault.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { OS_NS_PER_MS = 1000000, OS_MS_PER_S = 1000 };

uint64_t pp_os_now_ns(void)
{
    struct timespec now;
    PP_VERIFY(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    return (uint64_t) now.tv_sec * OS_MS_PER_S * OS_NS_PER_MS + (uint64_t) now.tv_nsec;
}

uint64_t pp_os_now_ms(void)
{
    return pp_os_now_ns() / OS_NS_PER_MS;
}

uint32_t pp_os_processors(void)
{
    cpu_set_t usable;
    CPU_ZERO(&usable);
    if (sched_getaffinity(0, sizeof usable, &usable) == 0) {
        int count = CPU_COUNT(&usable);
        return count > 0 ? (uint32_t) count : 1;
    }
    long online = sysconf(_SC_NPROCESSORS_ONLN); /* More processors than a cpu_set_t holds. */
    return online > 0 ? (uint32_t) online : 1;
}

uintptr_t pp_os_thread_self(void)
{
    return (uintptr_t) pthread_self();
}

uint64_t pp_os_jitter(void)
{
    uint64_t bits = 0;
    if (getrandom(&bits, sizeof bits, GRND_NONBLOCK) != (ssize_t) sizeof bits) { /* Early in the system's life. */
        bits = pp_os_now_ns() * 0x9E3779B97F4A7C15u ^ (uint64_t) getpid();
    }
    return bits;
}

static void *os_thread_main(void *argument)
{
    pp_thread *thread = argument;
    thread->body(thread->argument);
    return NULL;
}

/* The host's signals are the host's: its handlers shall not run on a thread that it does not know. */
pp_fault pp_os_thread_start(pp_thread *thread, void (*body)(void *argument), void *argument)
{
    sigset_t every, before;
    pthread_t handle;
    thread->body = body;
    thread->argument = argument;
    sigfillset(&every);
    PP_VERIFY(pthread_sigmask(SIG_SETMASK, &every, &before) == 0);
    int code = pthread_create(&handle, NULL, os_thread_main, thread);
    PP_VERIFY(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
    if (code != 0) {
        return (pp_fault){PIPEPORT_SYSTEM, code};
    }
    thread->handle = (uintptr_t) handle;
    return (pp_fault){PIPEPORT_OK, 0};
}

void pp_os_thread_join(pp_thread *thread)
{
    PP_VERIFY(pthread_join((pthread_t) thread->handle, NULL) == 0);
    thread->handle = 0;
}

_Static_assert(sizeof(pthread_mutex_t) <= sizeof(pp_lock), "pp_lock has room for a pthread_mutex_t");
_Static_assert(_Alignof(pthread_mutex_t) <= _Alignof(pp_lock), "pp_lock is aligned for a pthread_mutex_t");

static pthread_mutex_t *os_mutex(pp_lock *lock)
{
    return (pthread_mutex_t *) (void *) lock->word;
}

void pp_lock_init(pp_lock *lock)
{
    PP_VERIFY(pthread_mutex_init(os_mutex(lock), NULL) == 0);
}

void pp_lock_fini(pp_lock *lock)
{
    PP_VERIFY(pthread_mutex_destroy(os_mutex(lock)) == 0);
}

void pp_lock_take(pp_lock *lock)
{
    PP_VERIFY(pthread_mutex_lock(os_mutex(lock)) == 0);
}

void pp_lock_give(pp_lock *lock)
{
    PP_VERIFY(pthread_mutex_unlock(os_mutex(lock)) == 0);
}

void pp_gate_init(pp_gate *gate, uint32_t count)
{
    atomic_init(&gate->count, count);
}

void pp_gate_add(pp_gate *gate)
{
    atomic_fetch_add_explicit(&gate->count, 1, memory_order_relaxed);
}

/* The wake goes by address: should the gate be gone already, the kernel finds nobody asleep there, or no memory. */
bool pp_gate_leave(pp_gate *gate)
{
    void *address = gate;
    if (atomic_fetch_sub_explicit(&gate->count, 1, memory_order_acq_rel) != 1) {
        return false;
    }
    syscall(SYS_futex, address, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
    return true;
}

bool pp_gate_wait(pp_gate *gate, uint32_t wait_ms)
{
    uint64_t deadline = wait_ms == UINT32_MAX ? UINT64_MAX : pp_os_now_ns() + (uint64_t) wait_ms * OS_NS_PER_MS;
    for (;;) {
        uint32_t count = atomic_load_explicit(&gate->count, memory_order_acquire);
        if (count == 0) {
            return true;
        }
        struct timespec left;
        if (deadline != UINT64_MAX) {
            uint64_t now = pp_os_now_ns();
            if (now >= deadline) {
                return false;
            }
            left.tv_sec = (time_t) ((deadline - now) / OS_NS_PER_MS / OS_MS_PER_S);
            left.tv_nsec = (long) ((deadline - now) % ((uint64_t) OS_NS_PER_MS * OS_MS_PER_S));
        }
        syscall(SYS_futex, gate, FUTEX_WAIT_PRIVATE, count, deadline == UINT64_MAX ? NULL : &left, NULL, 0);
    }
}
