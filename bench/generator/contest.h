/* SPDX-License-Identifier: MIT */
/*
 * contest.h - pipeport's server and its peers in one run: all are started once and stay, and the load visits them in
 * turn, A B C A B C ..., so that what changes on the machine meanwhile meets all. Each round gives one ratio to each
 * peer. In idle mode each visit has a fresh server of its own.
 *
 * One that does not start, dies, or answers wrongly is told at once and has no further part; the others go on.
 */
#ifndef PIPEPORT_GENERATOR_CONTEST_H
#define PIPEPORT_GENERATOR_CONTEST_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/generator/arena.h"
#include "bench/generator/entrant.h"
#include "bench/generator/rival.h"
#include "bench/generator/standing.h"

#define CONTEST_ROUNDS_MIN 5
#define CONTEST_ROUNDS_MAX STANDING_FIGURES_MAX

struct contest_plan {
    struct rival_task task;
    uint32_t rounds;
    bool wanted[RIVALS_MAX]; /* In the order of `rivals`. */
    const char *bin;         /* NULL: where this program is. */
    const char *json;        /* NULL: none. */
    bool list;               /* Only who is there. */
};

struct contest {
    struct contest_plan plan;
    struct arena arena;
    struct entrant entrants[RIVALS_MAX]; /* In the order of `rivals`; the first is pipeport. */
    uint32_t entrants_count;
    uint32_t rounds_done; /* Whole ones. */
    bool interrupted;     /* Ended by a Ctrl-C: what is there was measured until then. */
    const char *command, *machine, *began;
};

/* Finds out who is there. False: one line has said why. Undone by contest_clear. */
bool contest_open(struct contest *contest);
void contest_clear(struct contest *contest);

/* False: it could not begin; one line has said why. */
bool contest_run(struct contest *contest);

/* Of an entrant's visits, in the order of the rounds; each gives how many there are. `figures` has room for
 * CONTEST_ROUNDS_MAX. Of processor times those that are known. */
uint32_t contest_figures(const struct contest *contest, const struct entrant *entrant, double *figures);
uint32_t contest_cpu(const struct entrant *entrant, double *figures);

/* pipeport's figure by that entrant's, of each round that both have. */
struct standing contest_ratios(const struct contest *contest, const struct entrant *entrant);

/* Was anybody compared, and was nothing wrong with anybody? */
bool contest_is_fine(const struct contest *contest);

#endif
