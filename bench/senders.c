/* SPDX-License-Identifier: MIT */
#include "bench/senders.h"

#include "bench/crew.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ERRANDS = 4096 };

struct errand {
    size_t length;
    unsigned char data[];
};

struct sender {
    struct senders *all;
    struct crew_thread *thread;
    struct crew_gate *gate;                  /* Opened once for each errand. */
    struct errand *_Atomic errands[ERRANDS]; /* Put (release) by senders_send, taken (acquire) by the thread. */
};

struct senders {
    pipeport_engine *engine;
    uint32_t places_max, threads, turn;
    _Atomic uint32_t places_used; /* Places from here on were never taken. */
    struct sender *crew;
    char *handles;             /* One for each place: its address is what senders_join answers. */
    _Atomic uint64_t places[]; /* A connection's id; 0: free. */
};

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "pipeport_echo: %s\n", what);
    exit(1);
}

static void senders_send_to_all(struct senders *senders, const void *data, size_t length)
{
    uint32_t used = atomic_load_explicit(&senders->places_used, memory_order_acquire);

    for (uint32_t i = 0; i < used; i++) {
        pipeport_conn conn = {atomic_load_explicit(&senders->places[i], memory_order_relaxed)};

        if (conn.id != 0) {
            (void) pipeport_send(senders->engine, conn, data, length); /* FULL and GONE: the load misses it. */
        }
    }
}

static void sender_work(void *user)
{
    struct sender *sender = user;

    for (uint32_t next = 0;; next = (next + 1) % ERRANDS) {
        struct errand *errand;

        crew_gate_wait(sender->gate);
        errand = atomic_exchange_explicit(&sender->errands[next], NULL, memory_order_acquire);
        if (errand == NULL) {
            return; /* The gate was opened for nothing: the end. */
        }
        senders_send_to_all(sender->all, errand->data, errand->length);
        free(errand);
    }
}

struct senders *senders_create(pipeport_engine *engine, uint32_t connections_max, uint32_t threads)
{
    struct senders *senders = calloc(1, sizeof *senders + connections_max * sizeof senders->places[0]);

    if (senders == NULL || (senders->handles = malloc(connections_max)) == NULL ||
        (senders->crew = calloc(threads + 1, sizeof *senders->crew)) == NULL) {
        die("no memory for senders");
    }
    senders->engine = engine;
    senders->places_max = connections_max;
    senders->threads = threads;
    for (uint32_t i = 0; i < threads; i++) {
        struct sender *sender = &senders->crew[i];

        sender->all = senders;
        sender->gate = crew_gate_create();
        sender->thread = sender->gate == NULL ? NULL : crew_start(sender_work, sender);
        if (sender->thread == NULL) {
            die("no thread for a sender");
        }
    }
    return senders;
}

void *senders_join(struct senders *senders, pipeport_conn conn)
{
    for (uint32_t i = 0; i < senders->places_max; i++) {
        uint64_t free_place = 0;

        if (atomic_compare_exchange_strong(&senders->places[i], &free_place, conn.id)) {
            uint32_t used = atomic_load(&senders->places_used);

            while (used <= i && !atomic_compare_exchange_weak(&senders->places_used, &used, i + 1)) {
            }
            return &senders->handles[i];
        }
    }
    die("more connections than places");
}

void senders_leave(struct senders *senders, void *place)
{
    atomic_store(&senders->places[(char *) place - senders->handles], 0);
}

void senders_send(struct senders *senders, const void *data, size_t length)
{
    struct sender *sender = &senders->crew[senders->threads == 0 ? 0 : senders->turn % senders->threads];
    uint32_t place = senders->threads == 0 ? 0 : senders->turn / senders->threads % ERRANDS;
    struct errand *errand;

    if (senders->threads == 0) {
        senders_send_to_all(senders, data, length);
        return;
    }
    errand = malloc(sizeof *errand + length);
    if (errand == NULL || atomic_load_explicit(&sender->errands[place], memory_order_relaxed) != NULL) {
        die("more messages than the senders can hold");
    }
    errand->length = length;
    memcpy(errand->data, data, length);
    atomic_store_explicit(&sender->errands[place], errand, memory_order_release);
    crew_gate_open(sender->gate);
    senders->turn = (senders->turn + 1) % (senders->threads * ERRANDS);
}

void senders_destroy(struct senders *senders)
{
    if (senders == NULL) {
        return;
    }
    for (uint32_t i = 0; i < senders->threads; i++) {
        crew_gate_open(senders->crew[i].gate);
        crew_join(senders->crew[i].thread);
    }
    free(senders->crew);
    free(senders->handles);
    free(senders);
}
