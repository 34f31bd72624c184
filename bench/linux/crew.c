/* SPDX-License-Identifier: MIT */
#include "bench/linux/gnu.h"

#include "bench/crew.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>

struct crew_thread {
    pthread_t thread;
    void (*work)(void *user);
    void *user;
};

struct crew_gate {
    sem_t semaphore;
};

static void *crew_run(void *argument)
{
    const struct crew_thread *thread = argument;

    thread->work(thread->user);
    return NULL;
}

struct crew_thread *crew_start(void (*work)(void *user), void *user)
{
    struct crew_thread *thread = malloc(sizeof *thread);

    if (thread != NULL) {
        thread->work = work;
        thread->user = user;
        if (pthread_create(&thread->thread, NULL, crew_run, thread) != 0) {
            free(thread);
            thread = NULL;
        }
    }
    return thread;
}

void crew_join(struct crew_thread *thread)
{
    pthread_join(thread->thread, NULL);
    free(thread);
}

struct crew_gate *crew_gate_create(void)
{
    struct crew_gate *gate = malloc(sizeof *gate);

    if (gate != NULL && sem_init(&gate->semaphore, 0, 0) != 0) {
        free(gate);
        gate = NULL;
    }
    return gate;
}

void crew_gate_open(struct crew_gate *gate)
{
    sem_post(&gate->semaphore);
}

void crew_gate_wait(struct crew_gate *gate)
{
    while (sem_wait(&gate->semaphore) != 0) { /* A signal interrupts it. */
    }
}
