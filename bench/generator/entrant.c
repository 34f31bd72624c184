/* SPDX-License-Identifier: MIT */
#include "bench/generator/entrant.h"

#include <inttypes.h>
#include <stdio.h>

#include "bench/generator/machine.h"
#include "tools/pipeport/interrupt.h"

#define ENTRANT_LOOK_MS 100u
#define ENTRANT_START_MS 60000u /* Under Wine the first of them takes long. */
#define ENTRANT_MORE_MS 60000u  /* The load ends by itself where nothing comes for ten seconds. */
#define ENTRANT_DYING_MS 500u   /* A load notices that its server dies before we do. */
#define ENTRANT_ORDERLY_MS 5000u
#define ENTRANT_TRIES 3
#define ENTRANT_FEW 16u
#define ENTRANT_HOLDING "holding "

#define SETTLE_STEP_US 10000u
#define SETTLE_QUIET_NS UINT64_C(500000) /* Spent in a step by a server that only looks at its timers. */
#define SETTLE_STEPS 3                   /* So many in a row: not every system's clock shows less than two of them. */
#define SETTLE_STEPS_MAX 200
#define SETTLE_BLIND_US 30000u /* Where its processor time is not known. */

static void entrant_fail(struct entrant *entrant)
{
    process_end(entrant->process, 0);
    entrant->process = NULL;
    entrant->state = ENTRANT_FAILED;
}

/* Has it ended by itself? Then `why` says so. */
static bool entrant_has_died(struct entrant *entrant, const char *when, uint32_t wait_ms)
{
    char end[96], last[256];

    for (uint32_t waited_ms = 0; process_runs(entrant->process, ENTRANT_LOOK_MS); waited_ms += ENTRANT_LOOK_MS) {
        if (waited_ms >= wait_ms) {
            return false;
        }
    }
    process_describe_end(entrant->process, end, sizeof end);
    said_last(process_said(entrant->process), last, sizeof last);
    snprintf(entrant->why, sizeof entrant->why, "%s, with %s; it said: %s", when, end, last);
    return true;
}

static bool entrant_launch(struct entrant *entrant, const struct rival_task *task, struct arena *arena)
{
    char path[ARENA_PATH_BYTES + 64];
    struct words words = {.count = 0};

    (void) arena_program(arena, entrant->rival->program, path, sizeof path);
    arena_name(arena, entrant->name, sizeof entrant->name);
    words_add(&words, path);
    rival_add_server(entrant->rival, task, entrant->name, &words);
    entrant->process = process_start(&words, (struct process_how){.processor = arena->server_processor});
    if (entrant->process == NULL) {
        snprintf(entrant->why, sizeof entrant->why, "did not start: the system refuses another process");
        entrant->state = ENTRANT_FAILED;
        return false;
    }
    entrant->state = ENTRANT_RUNNING;
    return true;
}

bool entrant_start(struct entrant *entrant, const struct rival_task *task, struct arena *arena)
{
    char *line = entrant->listening;

    if (!entrant_launch(entrant, task, arena)) {
        return false;
    }
    switch (process_hear(entrant->process, PROCESS_LISTENING, ENTRANT_START_MS, line, sizeof entrant->listening)) {
    case PROCESS_HEARD:
        said_clear(process_said(entrant->process)); /* What it says from now on is another matter. */
        return true;
    case PROCESS_HEARD_END:
        (void) entrant_has_died(entrant, "did not start", 0);
        entrant_fail(entrant);
        return false;
    case PROCESS_HEARD_NOTHING:
        snprintf(entrant->why, sizeof entrant->why, "did not start: it did not say that it listens for %u s",
                 ENTRANT_START_MS / 1000);
        entrant_fail(entrant);
        return false;
    case PROCESS_HEARD_INTERRUPT:
        break;
    }
    entrant_end(entrant);
    return false;
}

void entrant_end(struct entrant *entrant)
{
    if (entrant->state == ENTRANT_RUNNING) {
        process_end(entrant->process, entrant->rival == rivals[0] ? ENTRANT_ORDERLY_MS : 0);
        entrant->process = NULL;
        entrant->state = ENTRANT_READY;
    }
}

/* Until the server has done with the connections of its visit, which would cost the next server's time. */
static void entrant_settle(struct entrant *entrant)
{
    uint64_t before_ns = process_cpu_ns(entrant->process);
    int quiet = 0;

    if (before_ns == 0) {
        machine_pause_us(SETTLE_BLIND_US);
        return;
    }
    for (int step = 0; step < SETTLE_STEPS_MAX && quiet < SETTLE_STEPS && !interrupt_came(); step++) {
        uint64_t now_ns;

        machine_pause_us(SETTLE_STEP_US);
        now_ns = process_cpu_ns(entrant->process);
        quiet = now_ns - before_ns < SETTLE_QUIET_NS ? quiet + 1 : 0;
        before_ns = now_ns;
    }
}

static struct process *entrant_send_load(const struct entrant *entrant, const struct rival_task *task,
                                         const struct arena *arena)
{
    char path[ARENA_PATH_BYTES + 64];
    struct words words = {.count = 0};

    (void) arena_program(arena, rival_load(entrant->rival), path, sizeof path);
    words_add(&words, path);
    rival_add_load(entrant->rival, task, entrant->name, process_id(entrant->process), &words);
    return process_start(&words, (struct process_how){.processor = arena->load_processor});
}

/* The visit failed: who is to blame? `load` is ended, and may be NULL: it was not started. */
static void entrant_blame(struct entrant *entrant, struct process *load, const char *what)
{
    char last[256] = "nothing", when[64];

    if (load != NULL) {
        said_last(process_said(load), last, sizeof last);
        process_end(load, 0);
    }
    snprintf(when, sizeof when, "ended by itself in round %" PRIu32, entrant->visits_count + 1);
    if (!entrant_has_died(entrant, when, ENTRANT_DYING_MS)) {
        snprintf(entrant->why, sizeof entrant->why, "%s in round %" PRIu32 "; the load said: %s", what,
                 entrant->visits_count + 1, last);
    }
    entrant_fail(entrant);
}

/* Until the load has ended. False: it was ended, because of a Ctrl-C or of its time. */
static bool entrant_wait_for(const struct entrant *entrant, struct process *load, uint32_t wait_ms)
{
    for (uint32_t waited_ms = 0; process_runs(load, ENTRANT_LOOK_MS); waited_ms += ENTRANT_LOOK_MS) {
        (void) process_runs(entrant->process, 0); /* What it says must not hold it up. */
        if (interrupt_came() || waited_ms >= wait_ms) {
            return false;
        }
    }
    return true;
}

/* The time of a server where a thread ends with each connection, and where the load does not know it. */
static double entrant_cpu_us(const struct entrant *entrant, const struct visit *visit, uint64_t before_ns)
{
    uint64_t now_ns = process_cpu_ns(entrant->process);

    if (!entrant->rival->ends_threads && visit->cpu_us > 0) {
        return visit->cpu_us;
    }
    return now_ns > before_ns && visit->all > 0 ? (double) (now_ns - before_ns) / 1e3 / (double) visit->all : 0;
}

bool entrant_visit(struct entrant *entrant, const struct rival_task *task, const struct arena *arena)
{
    struct visit *visit = &entrant->visits[entrant->visits_count];

    for (int tries = 0; tries < ENTRANT_TRIES; tries++) { /* Other programs may hold it up until its time is over. */
        uint64_t before_ns = process_cpu_ns(entrant->process);
        struct process *load = entrant_send_load(entrant, task, arena);
        char last[1024];

        if (load == NULL || !entrant_wait_for(entrant, load, task->warmup_ms + task->duration_ms + ENTRANT_MORE_MS)) {
            if (load != NULL && interrupt_came()) {
                process_end(load, 0);
            } else {
                entrant_blame(entrant, load, load == NULL ? "no load could be started" : "the load did not end");
            }
            return false;
        }
        said_last(process_said(load), last, sizeof last);
        if (!process_ended_well(load) || !visit_read(last, visit)) {
            entrant_blame(entrant, load, "the load failed");
            return false;
        }
        process_end(load, 0);
        entrant_settle(entrant);
        visit->cpu_us = entrant_cpu_us(entrant, visit, before_ns);
        if (visit->messages > 0) {
            entrant->visits_count++;
            return true;
        }
    }
    snprintf(entrant->why, sizeof entrant->why, "answered nothing within %" PRIu32 " ms, %d times, in round %" PRIu32,
             task->duration_ms, ENTRANT_TRIES, entrant->visits_count + 1);
    entrant_fail(entrant);
    return false;
}

/* A load that holds so many connections until its input ends. NULL: it has FAILED, or a Ctrl-C came and it is READY. */
static struct process *entrant_hold_some(struct entrant *entrant, const struct rival_task *task, uint32_t connections,
                                         const struct arena *arena)
{
    struct rival_task some = *task;
    struct process *load;
    char line[256];

    some.connections = connections;
    load = entrant_send_load(entrant, &some, arena);
    if (load == NULL) {
        entrant_blame(entrant, NULL, "no load could be started");
        return NULL;
    }
    switch (process_hear(load, ENTRANT_HOLDING, ENTRANT_START_MS, line, sizeof line)) {
    case PROCESS_HEARD:
        entrant_settle(entrant);
        return load;
    case PROCESS_HEARD_END:
        entrant_blame(entrant, load, "the load failed");
        return NULL;
    case PROCESS_HEARD_NOTHING:
        entrant_blame(entrant, load, "the load did not hold its connections");
        return NULL;
    case PROCESS_HEARD_INTERRUPT:
        break;
    }
    process_end(load, 0);
    entrant_end(entrant);
    return NULL;
}

/* How many are held before the others come: what a server takes at its first connections is not each one's. */
static uint32_t entrant_few(const struct entrant *entrant, const struct rival_task *task)
{
    uint32_t left = rival_room(entrant->rival, task) - task->connections;

    return left < ENTRANT_FEW ? left : ENTRANT_FEW;
}

bool entrant_hold(struct entrant *entrant, const struct rival_task *task, struct arena *arena)
{
    struct visit *visit = &entrant->visits[entrant->visits_count];
    struct process *first = NULL, *load;
    uint32_t few = entrant_few(entrant, task);
    uint64_t before_bytes, now_bytes;

    if (!entrant_start(entrant, task, arena) ||
        (few != 0 && (first = entrant_hold_some(entrant, task, few, arena)) == NULL)) {
        return false;
    }
    before_bytes = process_memory_bytes(entrant->process);
    load = entrant_hold_some(entrant, task, task->connections, arena);
    if (load == NULL) {
        process_end(first, 0);
        return false;
    }
    now_bytes = process_memory_bytes(entrant->process);
    *visit = (struct visit){.messages = task->connections, .all = task->connections};
    visit->memory_bytes = now_bytes > before_bytes ? (double) (now_bytes - before_bytes) / task->connections : 0;
    entrant->visits_count++;
    process_end(load, ENTRANT_ORDERLY_MS);
    process_end(first, ENTRANT_ORDERLY_MS);
    entrant_end(entrant);
    return true;
}
