/* SPDX-License-Identifier: MIT */
#include "bench/crew.h"

#include "bench/windows/win.h"

#include <stdlib.h>

struct crew_thread {
    HANDLE thread;
    void (*work)(void *user);
    void *user;
};

struct crew_gate {
    HANDLE semaphore;
};

static DWORD WINAPI crew_run(void *argument)
{
    const struct crew_thread *thread = argument;

    thread->work(thread->user);
    return 0;
}

struct crew_thread *crew_start(void (*work)(void *user), void *user)
{
    struct crew_thread *thread = malloc(sizeof *thread);

    if (thread != NULL) {
        thread->work = work;
        thread->user = user;
        thread->thread = CreateThread(NULL, 0, crew_run, thread, 0, NULL);
        if (thread->thread == NULL) {
            free(thread);
            thread = NULL;
        }
    }
    return thread;
}

void crew_join(struct crew_thread *thread)
{
    WaitForSingleObject(thread->thread, INFINITE);
    CloseHandle(thread->thread);
    free(thread);
}

struct crew_gate *crew_gate_create(void)
{
    struct crew_gate *gate = malloc(sizeof *gate);

    if (gate != NULL) {
        gate->semaphore = CreateSemaphoreA(NULL, 0, LONG_MAX, NULL);
        if (gate->semaphore == NULL) {
            free(gate);
            gate = NULL;
        }
    }
    return gate;
}

void crew_gate_open(struct crew_gate *gate)
{
    ReleaseSemaphore(gate->semaphore, 1, NULL);
}

void crew_gate_wait(struct crew_gate *gate)
{
    WaitForSingleObject(gate->semaphore, INFINITE);
}
