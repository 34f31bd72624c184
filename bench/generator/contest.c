/* SPDX-License-Identifier: MIT */
#include "bench/generator/contest.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/generator/line.h"
#include "bench/generator/machine.h"
#include "tools/pipeport/clock.h"
#include "tools/pipeport/interrupt.h"
#include "tools/pipeport/say.h"

/* Why it has no part, before anything is started; NULL where it has one. */
static bool contest_admits(const struct contest *contest, struct entrant *entrant)
{
    const struct rival *rival = entrant->rival;
    char path[ARENA_PATH_BYTES + 64];

    if (rival->connections_max != 0 && contest->plan.task.connections > rival->connections_max) {
        snprintf(entrant->why, sizeof entrant->why, "takes %" PRIu32 " connections at most", rival->connections_max);
        return false;
    }
    if (rival->only_echoes && contest->plan.task.mode == RIVAL_BROADCAST) {
        snprintf(entrant->why, sizeof entrant->why, "only echoes");
        return false;
    }
    if (!arena_program(&contest->arena, rival->program, path, sizeof path)) {
        snprintf(entrant->why, sizeof entrant->why, "%s is not in %.400s", rival->program, contest->arena.bin);
        return false;
    }
    if (rival->load != NULL && !arena_program(&contest->arena, rival->load, path, sizeof path)) {
        snprintf(entrant->why, sizeof entrant->why, "%s, which visits it, is not in %.400s", rival->load,
                 contest->arena.bin);
        return false;
    }
    return true;
}

bool contest_open(struct contest *contest)
{
    if (!arena_open(&contest->arena, contest->plan.bin)) {
        say_error("peers", "no folder for pipes could be made: %s; TMPDIR says where, else it is /tmp",
                  strerror(errno));
        return false;
    }
    contest->entrants_count = (uint32_t) rivals_count;
    for (uint32_t i = 0; i < contest->entrants_count; i++) {
        struct entrant *entrant = &contest->entrants[i];

        entrant->rival = rivals[i];
        entrant->visits = calloc(contest->plan.rounds, sizeof *entrant->visits);
        if (entrant->visits == NULL) {
            say_error("peers", "there is not enough memory for the result");
            return false;
        }
        entrant->state = !contest->plan.wanted[i]           ? ENTRANT_OUT
                         : contest_admits(contest, entrant) ? ENTRANT_READY
                                                            : ENTRANT_ABSENT;
    }
    return true;
}

void contest_clear(struct contest *contest)
{
    for (uint32_t i = 0; i < contest->entrants_count; i++) {
        free(contest->entrants[i].visits);
    }
    arena_close(&contest->arena);
}

/* Without pipeport, the load, and somebody besides, there is nothing to be found out. */
static bool contest_can_begin(const struct contest *contest)
{
    char path[ARENA_PATH_BYTES + 64];
    uint32_t ready = 0;

    for (uint32_t i = 0; i < contest->entrants_count; i++) {
        ready += contest->entrants[i].state == ENTRANT_READY;
    }
    if (contest->entrants[0].state != ENTRANT_READY) {
        say_error("peers", "%s: %s; --bin DIR says where the programs are", rivals[0]->word, contest->entrants[0].why);
        return false;
    }
    if (!arena_program(&contest->arena, RIVAL_LOAD, path, sizeof path)) {
        say_error("peers", "%s, which visits the servers, is not in %s; --bin DIR says where the programs are",
                  RIVAL_LOAD, contest->arena.bin);
        return false;
    }
    if (ready < 2) {
        say_error("peers", "nobody is there to compare %s with; --list says why", rivals[0]->word);
        return false;
    }
    return true;
}

static void contest_tell_failure(const struct entrant *entrant)
{
    if (entrant->state == ENTRANT_FAILED) {
        line_clear();
        say_error("peers", "%s %s", entrant->rival->word, entrant->why);
    }
}

static void contest_end(struct contest *contest)
{
    for (uint32_t i = contest->entrants_count; i-- > 0;) {
        entrant_end(&contest->entrants[i]);
    }
}

/* On a terminal only. */
static void contest_show(const struct contest *contest, const struct entrant *entrant, uint64_t begin_ns)
{
    uint32_t done = 0, left = 0;
    char text[160], rest[48] = "";

    if (!machine_has_terminal()) {
        return;
    }
    for (uint32_t i = 0; i < contest->entrants_count; i++) {
        const struct entrant *each = &contest->entrants[i];

        done += each->visits_count;
        if (each->state == ENTRANT_RUNNING || each->state == ENTRANT_READY) {
            left += contest->plan.rounds - each->visits_count;
        }
    }
    if (done > 0) {
        snprintf(rest, sizeof rest, ", %.0f s left", (double) (clock_now_ns() - begin_ns) / 1e9 / done * left);
    }
    snprintf(text, sizeof text, "round %" PRIu32 " of %" PRIu32 ": %s%s", contest->rounds_done + 1,
             contest->plan.rounds, entrant->rival->title, rest);
    line_show(text);
}

/* False: a Ctrl-C came. */
static bool contest_round(struct contest *contest, uint64_t begin_ns)
{
    bool holds = contest->plan.task.mode == RIVAL_IDLE;

    for (uint32_t i = 0; i < contest->entrants_count; i++) {
        struct entrant *entrant = &contest->entrants[i];

        if (entrant->state != (holds ? ENTRANT_READY : ENTRANT_RUNNING)) {
            continue;
        }
        contest_show(contest, entrant, begin_ns);
        if (holds ? !entrant_hold(entrant, &contest->plan.task, &contest->arena)
                  : !entrant_visit(entrant, &contest->plan.task, &contest->arena)) {
            contest_tell_failure(entrant);
        }
        if (interrupt_came()) {
            return false;
        }
    }
    return true;
}

static bool contest_has_somebody(const struct contest *contest)
{
    for (uint32_t i = 0; i < contest->entrants_count; i++) {
        if (contest->entrants[i].state == ENTRANT_READY || contest->entrants[i].state == ENTRANT_RUNNING) {
            return true;
        }
    }
    return false;
}

bool contest_run(struct contest *contest)
{
    uint64_t begin_ns;

    if (!contest_can_begin(contest)) {
        return false;
    }
    for (uint32_t i = 0; contest->plan.task.mode != RIVAL_IDLE && i < contest->entrants_count; i++) {
        struct entrant *entrant = &contest->entrants[i];

        if (!interrupt_came() && entrant->state == ENTRANT_READY) {
            (void) entrant_start(entrant, &contest->plan.task, &contest->arena);
            contest_tell_failure(entrant);
        }
    }
    begin_ns = clock_now_ns();
    while (contest->rounds_done < contest->plan.rounds && !interrupt_came() && contest_has_somebody(contest)) {
        contest->rounds_done += contest_round(contest, begin_ns);
    }
    line_clear();
    contest->interrupted = contest->rounds_done < contest->plan.rounds && interrupt_came();
    contest_end(contest);
    return true;
}

uint32_t contest_figures(const struct contest *contest, const struct entrant *entrant, double *figures)
{
    for (uint32_t i = 0; i < entrant->visits_count; i++) {
        figures[i] = visit_figure(&entrant->visits[i], contest->plan.task.mode);
    }
    return entrant->visits_count;
}

uint32_t contest_cpu(const struct entrant *entrant, double *figures)
{
    uint32_t known = 0;

    for (uint32_t i = 0; i < entrant->visits_count; i++) {
        if (entrant->visits[i].cpu_us > 0) {
            figures[known++] = entrant->visits[i].cpu_us;
        }
    }
    return known;
}

struct standing contest_ratios(const struct contest *contest, const struct entrant *entrant)
{
    double ours[CONTEST_ROUNDS_MAX], its[CONTEST_ROUNDS_MAX];
    uint32_t ours_count = contest_figures(contest, &contest->entrants[0], ours);
    uint32_t its_count = contest_figures(contest, entrant, its);

    return standing_of_ratios(ours, its, ours_count < its_count ? ours_count : its_count);
}

bool contest_is_fine(const struct contest *contest)
{
    bool compared = false;

    for (uint32_t i = 0; i < contest->entrants_count; i++) {
        if (contest->entrants[i].state == ENTRANT_FAILED) {
            return false;
        }
        compared |= i > 0 && contest_ratios(contest, &contest->entrants[i]).count > 0;
    }
    return compared;
}
