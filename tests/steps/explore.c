/* SPDX-License-Identifier: MIT */
/*
 * explore.c - see explore.h. A run replays the choices on the path, and makes the first that is open at each new node;
 * then the last node that has another choice left becomes the path's end.
 */
#include "tests/steps/explore.h"

#include "tests/sim/fiber.h"
#include "tests/sim/shadow/touch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TOUCHES_MAX = 10000 }; /* Of one run, at places that are not shared. */
enum { DEPTH_MAX = 300, MOVES_MAX = 2 * STEPS_FIBERS_MAX, PLACES_MAX = 256, TOUCH_BYTES_MAX = 16 };

typedef struct steps_move {
    const volatile void *where; /* NULL: whatever there is. */
    uint8_t fiber;
    bool fails; /* A weak compare-exchange fails for no reason. */
    bool wrote;
} steps_move;

typedef struct steps_node {
    uint8_t ready;    /* Fibers that can go on, as bits. */
    uint8_t may_fail; /* Those whose weak compare-exchange succeeds here and might fail. */
    bool failed;      /* One has failed on the way here. */
    uint8_t tried_count, asleep_count;
    steps_move tried[MOVES_MAX];  /* The last one is on the path. */
    steps_move asleep[MOVES_MAX]; /* Leads only to orders that were gone before. */
} steps_node;

typedef struct steps_place {
    const volatile void *where;
    const char *name;
    uint8_t readers, writers; /* Fibers, as bits. */
    bool shared;
} steps_place;

typedef struct steps_walker {
    sim_fiber *fiber;
    sim_touch next; /* What it does once it goes on. */
    bool (*ready)(void *argument);
    void *argument;
} steps_walker;

static const steps_scenario *scenario;
static steps_walker walkers[STEPS_FIBERS_MAX];
static uint8_t walkers_count;
static uint8_t current; /* Which one runs. */

static steps_node nodes[DEPTH_MAX];
static uint32_t path;  /* Nodes whose choice is made. */
static uint32_t depth; /* Steps of this run. */
static uint32_t touches;
static const volatile void *touched; /* What the fiber that runs does now. */
static bool off;   /* This run has left the path: all that it could do is asleep. It only comes to its end. */
static bool fails; /* The step that runs is one that fails weakly. */
static bool asked; /* The step that runs had a weak compare-exchange. */

static steps_place places[PLACES_MAX];
static bool learnt; /* A shared place was found: the search so far knew too little. */

static struct {
    uint64_t orders, cut;
    uint32_t depth_max;
} figures;
static steps_move trace[DEPTH_MAX];

static steps_place *place_of(const volatile void *where)
{
    uintptr_t at = ((uintptr_t) where >> 2) * 0x9E3779B1u;
    for (uint32_t i = 0; i < PLACES_MAX; ++i) {
        steps_place *place = &places[(at + i) % PLACES_MAX];
        if (place->where == where || !place->where) {
            place->where = where;
            return place;
        }
    }
    steps_fail("too many places", __FILE__, __LINE__);
}

void steps_name(const volatile void *where, const char *name)
{
    place_of(where)->name = name;
}

_Noreturn void steps_fail(const char *what, const char *file, int line)
{
    fprintf(stderr, "steps: %s:%d: this must hold and does not: %s\n", file, line, what);
    if (scenario) {
        fprintf(stderr, "steps: %s, order %" PRIu64 ":\n", scenario->name ? scenario->name : "no name",
                figures.orders + figures.cut + 1);
    }
    for (uint32_t i = 0; i < depth; ++i) {
        const steps_move *move = &trace[i];
        const char *name = move->where ? place_of(move->where)->name : "(waits)";
        fprintf(stderr, "    %c %s%s", 'a' + move->fiber, move->wrote ? "changes " : "", name ? name : "");
        if (!name) {
            fprintf(stderr, "%p", (void *) (uintptr_t) move->where);
        }
        fprintf(stderr, "%s\n", move->fails ? ", fails for no reason" : "");
    }
    fflush(stderr);
    abort();
}

/* True: whose turn it is before this operation makes a difference. */
static bool note_touch(const volatile void *where, bool writes)
{
    steps_place *place = place_of(where);
    uint8_t self = (uint8_t) (1u << current);
    uint8_t *by = writes ? &place->writers : &place->readers;
    *by |= self;
    uint8_t all = place->writers | place->readers;
    if (!place->shared && place->writers && (all & (all - 1)) != 0) {
        place->shared = true;
        learnt = true;
    }
    return place->shared || scenario->whole;
}

void sim_step(void)
{
    if (!sim_fiber_self()) {
        return;
    }
    const volatile void *where = sim_touched.where;
    if (!where || note_touch(where, sim_touched.writes)) {
        walkers[current].next = sim_touched;
        sim_fiber_yield();
    } else if (++touches == TOUCHES_MAX) {
        steps_fail("it ends", __FILE__, __LINE__);
    }
    touched = where;
    if (steps_heap_is_given(where)) {
        steps_fail("nobody touches what was given back", __FILE__, __LINE__);
    }
}

bool sim_step_fails_weakly(void)
{
    if (!sim_fiber_self()) {
        return false;
    }
    steps_place *place = place_of(touched);
    if (!place->shared) { /* Whether it fails is a choice, whoever else comes there. */
        place->shared = true;
        learnt = true;
    }
    asked = true;
    return fails;
}

void steps_take(void *where, size_t bytes, bool (*ready)(void *argument), void *argument)
{
    if (!sim_fiber_self()) {
        return;
    }
    steps_walker *self = &walkers[current];
    self->ready = ready;
    self->argument = argument;
    self->next = (sim_touch){where, bytes, true};
    sim_fiber_yield();
    self->ready = NULL;
}

void steps_wait(bool (*ready)(void *argument), void *argument)
{
    steps_take(NULL, 0, ready, argument);
}

static void run_body(void *body)
{
    (*(void (*const *)(void)) body)();
}

/* Lets one fiber take its next step and come to the one after it. */
static void run_step(steps_move *move)
{
    unsigned char before[TOUCH_BYTES_MAX];
    steps_walker *walker = &walkers[move->fiber];
    sim_touch touch = walker->next;
    if (touch.bytes > TOUCH_BYTES_MAX) {
        steps_fail("a touch is too wide", __FILE__, __LINE__);
    }
    if (touch.where) {
        memcpy(before, (const void *) (uintptr_t) touch.where, touch.bytes);
    }
    move->where = touch.where;
    trace[depth] = *move;
    depth += 1;
    current = move->fiber;
    fails = move->fails;
    asked = false;
    sim_fiber_resume(walker->fiber);
    move->wrote = !touch.where || memcmp(before, (const void *) (uintptr_t) touch.where, touch.bytes) != 0;
    trace[depth - 1].wrote = move->wrote;
    if (scenario->always) {
        scenario->always();
    }
}

/* Fibers that can go on, as bits. */
static uint8_t run_ready(void)
{
    unsigned ready = 0;
    bool all_ended = true;
    for (unsigned i = 0; i < walkers_count; ++i) {
        const steps_walker *walker = &walkers[i];
        if (!sim_fiber_has_ended(walker->fiber)) {
            all_ended = false;
            ready |= !walker->ready || walker->ready(walker->argument) ? 1u << i : 0;
        }
    }
    if (!ready && !all_ended) {
        steps_fail("somebody can go on", __FILE__, __LINE__);
    }
    if (depth == DEPTH_MAX) {
        steps_fail("it ends", __FILE__, __LINE__);
    }
    return (uint8_t) ready;
}

static bool move_is_in(const steps_move *moves, uint8_t count, uint8_t fiber, bool as_failure)
{
    for (uint8_t i = 0; i < count; ++i) {
        if (moves[i].fiber == fiber && moves[i].fails == as_failure) {
            return true;
        }
    }
    return false;
}

/* Whichever of both goes first, each does the same and both leave the same. */
static bool moves_commute(const steps_move *a, const steps_move *b)
{
    if (scenario->whole || a->fiber == b->fiber || !a->where || !b->where) {
        return false;
    }
    return a->where != b->where || (!a->wrote && !b->wrote);
}

/* Adds the next choice. False: there is none. */
static bool node_choose(steps_node *node)
{
    for (uint8_t fiber = 0; fiber < walkers_count; ++fiber) {
        for (int as_failure = 0; as_failure < 2; ++as_failure) {
            if (((as_failure ? node->may_fail : node->ready) >> fiber & 1) == 0 ||
                move_is_in(node->tried, node->tried_count, fiber, as_failure) ||
                move_is_in(node->asleep, node->asleep_count, fiber, as_failure)) {
                continue;
            }
            node->tried[node->tried_count++] = (steps_move){.fiber = fiber, .fails = as_failure};
            return true;
        }
    }
    return false;
}

static void node_make(steps_node *node, const steps_node *before, uint8_t ready)
{
    *node = (steps_node){.ready = ready};
    if (!before) {
        return;
    }
    const steps_move *gone = &before->tried[before->tried_count - 1];
    node->failed = before->failed || gone->fails;
    for (uint8_t i = 0; i < before->asleep_count; ++i) {
        if (moves_commute(&before->asleep[i], gone)) {
            node->asleep[node->asleep_count++] = before->asleep[i];
        }
    }
    for (uint8_t i = 0; i + 1 < before->tried_count; ++i) {
        if (moves_commute(&before->tried[i], gone)) {
            node->asleep[node->asleep_count++] = before->tried[i];
        }
    }
}

static void run_choice(uint8_t ready)
{
    steps_node *node = &nodes[depth];
    if (depth == path) {
        node_make(node, depth ? &nodes[depth - 1] : NULL, ready);
        if (!node_choose(node)) {
            off = true;
            return;
        }
        path += 1;
    } else if (node->ready != ready) {
        steps_fail("a run is the same each time", __FILE__, __LINE__);
    }
    steps_move *move = &node->tried[node->tried_count - 1];
    run_step(move);
    if (asked && move->wrote && !node->failed) {
        node->may_fail |= (uint8_t) (1u << move->fiber);
    }
}

/* What stands on the path, and what comes of itself behind it. */
static void run(void)
{
    depth = 0;
    touches = 0;
    off = false;
    scenario->begin();
    for (current = 0; current < walkers_count; ++current) { /* To each fiber's first step. */
        void *body = (void *) (uintptr_t) &scenario->fibers[current];
        walkers[current] = (steps_walker){.fiber = sim_fiber_create(run_body, body)};
        sim_fiber_resume(walkers[current].fiber);
    }
    for (uint8_t ready = run_ready(); ready; ready = run_ready()) {
        if (!off) {
            run_choice(ready);
        } else {
            uint8_t first = 0;
            while ((ready >> first & 1) == 0) {
                first += 1;
            }
            run_step(&(steps_move){.fiber = first});
        }
    }
    scenario->end();
    for (uint8_t i = 0; i < walkers_count; ++i) {
        sim_fiber_destroy(walkers[i].fiber);
    }
    figures.orders += !off;
    figures.cut += off;
    figures.depth_max = depth > figures.depth_max ? depth : figures.depth_max;
}

/* False: every order is gone. */
static bool path_next(void)
{
    while (path > 0 && !node_choose(&nodes[path - 1])) {
        path -= 1;
    }
    return path > 0;
}

uint64_t steps_order(void)
{
    return off ? UINT64_MAX : figures.orders;
}

uint64_t steps_explore(const steps_scenario *which)
{
    scenario = which;
    walkers_count = 0;
    while (walkers_count < STEPS_FIBERS_MAX && scenario->fibers[walkers_count]) {
        walkers_count += 1;
    }
    clock_t start = clock();
    memset(places, 0, sizeof places);
    do {
        path = 0;
        learnt = false;
        memset(&figures, 0, sizeof figures);
        do {
            run();
        } while (!learnt && path_next());
    } while (learnt);
    if (scenario->name) {
        printf("steps: %s: %" PRIu64 " orders, up to %" PRIu32 " steps long, %" PRIu64 " more cut short, %.2f s\n",
               scenario->name, figures.orders, figures.depth_max, figures.cut,
               (double) (clock() - start) / CLOCKS_PER_SEC);
        fflush(stdout);
    }
    return figures.orders;
}
