/* SPDX-License-Identifier: MIT */
/*
 * entrant.h - one server of a contest, from its start to its end, and what the load found there.
 *
 *      OUT (not asked for) | ABSENT (`why`)
 *      READY -> (RUNNING <-> READY) ; from either -> FAILED (`why`), which stays
 */
#ifndef PIPEPORT_GENERATOR_ENTRANT_H
#define PIPEPORT_GENERATOR_ENTRANT_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/generator/arena.h"
#include "bench/generator/process.h"
#include "bench/generator/rival.h"
#include "bench/generator/visit.h"

#define ENTRANT_WHY_BYTES 640

enum entrant_state { ENTRANT_OUT, ENTRANT_ABSENT, ENTRANT_READY, ENTRANT_RUNNING, ENTRANT_FAILED };

struct entrant {
    const struct rival *rival;
    enum entrant_state state;
    char why[ENTRANT_WHY_BYTES]; /* ABSENT and FAILED: half a sentence, and what the program said. */
    char listening[256];         /* What it said when it began. */
    struct process *process;     /* RUNNING. Owner: the entrant. */
    char name[256];              /* Of its pipe. */
    struct visit *visits;        /* Of each round it was there for, without gaps. Owner: whoever made the entrant. */
    uint32_t visits_count;
};

/* Starts it, and waits until clients may come. False: it has FAILED, or a Ctrl-C came and it is READY as before. */
bool entrant_start(struct entrant *entrant, const struct rival_task *task, struct arena *arena);

/* One visit of the load to a server that runs, put behind the others. False as above, but that it is RUNNING still. */
bool entrant_visit(struct entrant *entrant, const struct rival_task *task, const struct arena *arena);

/* RIVAL_IDLE: a server of its own for this one visit, as one that has had connections keeps memory for the next. */
bool entrant_hold(struct entrant *entrant, const struct rival_task *task, struct arena *arena);

/* Ends it where it runs: pipeport in order, the others, which have nothing to save, at once. */
void entrant_end(struct entrant *entrant);

#endif
