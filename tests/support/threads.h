/* SPDX-License-Identifier: MIT */
/*
 * threads.h - threads for tests of what lies below engine/port, and so may not lean on it.
 */
#ifndef TESTS_SUPPORT_THREADS_H
#define TESTS_SUPPORT_THREADS_H

#include <stdlib.h>

#ifdef _WIN32
#include <windows.h>
typedef HANDLE test_thread_handle;
#else
#include <pthread.h>
#include <sched.h>
typedef pthread_t test_thread_handle;
#endif

/* Stays where it is from start to join. */
typedef struct test_thread {
    void (*body)(void *argument);
    void *argument;
    test_thread_handle handle;
} test_thread;

#ifdef _WIN32
static inline DWORD WINAPI test_thread_main(void *argument)
{
    test_thread *thread = argument;
    thread->body(thread->argument);
    return 0;
}

static inline void test_thread_start(test_thread *thread, void (*body)(void *argument), void *argument)
{
    thread->body = body;
    thread->argument = argument;
    thread->handle = CreateThread(NULL, 0, test_thread_main, thread, 0, NULL);
    if (thread->handle == NULL) {
        abort();
    }
}

static inline void test_thread_join(test_thread *thread)
{
    WaitForSingleObject(thread->handle, INFINITE);
    CloseHandle(thread->handle);
}

static inline void test_thread_yield(void)
{
    SwitchToThread();
}
#else
static inline void *test_thread_main(void *argument)
{
    test_thread *thread = argument;
    thread->body(thread->argument);
    return NULL;
}

static inline void test_thread_start(test_thread *thread, void (*body)(void *argument), void *argument)
{
    thread->body = body;
    thread->argument = argument;
    if (pthread_create(&thread->handle, NULL, test_thread_main, thread) != 0) {
        abort();
    }
}

static inline void test_thread_join(test_thread *thread)
{
    pthread_join(thread->handle, NULL);
}

static inline void test_thread_yield(void)
{
    sched_yield();
}
#endif

#endif
