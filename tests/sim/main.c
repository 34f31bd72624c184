/* SPDX-License-Identifier: MIT */
/*
 * main.c - sim --seeds A:B [--trace] [--verbose] [--steps N] [--seconds S]: runs the worlds of these seeds, and fails
 * at the first that breaks.
 *
 * --fresh N takes N seeds from the clock and prints the first. --seconds S ends early after so much real time. --steps
 * N lets a world run for no more than N steps, so that the beginning of a failure can be looked at. From a thousand
 * seeds on, a status that was never met is a failure too: then the simulator has lost a part of what it is for.
 */
#include "tests/sim/run.h"
#include "tests/sim/schedule.h"
#include "tests/sim/trace.h"
#include "tests/sim/world.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The rarest status is met in some fifteen worlds of so many. */
enum { MAIN_SEEDS_FOR_ALL = 1000 };

static bool main_verbose;

static void main_crashed(int number)
{
    signal(number, SIG_DFL);
    sim_fail("it crashed (signal %d)", number);
}

static int main_usage(void)
{
    fputs("sim --seeds A:B | --fresh N  [--trace] [--verbose] [--steps N] [--seconds S]\n", stderr);
    return 2;
}

static bool main_parse(int count, char **words, uint64_t range[2], uint64_t *seconds)
{
    for (int i = 1; i < count; i++) {
        const char *word = words[i], *value = i + 1 < count ? words[i + 1] : "";
        char *end = NULL;
        if (!strcmp(word, "--trace")) {
            sim_trace_prints = true;
            continue;
        }
        if (!strcmp(word, "--verbose")) {
            main_verbose = true;
            continue;
        }
        i++;
        if (!strcmp(word, "--seeds")) {
            range[0] = strtoull(value, &end, 10);
            range[1] = end && *end == ':' ? strtoull(end + 1, &end, 10) : range[0];
        } else if (!strcmp(word, "--fresh")) {
            range[0] = (uint64_t) time(NULL) * 10000;
            range[1] = range[0] + strtoull(value, &end, 10) - 1;
        } else if (!strcmp(word, "--steps")) {
            sim.step_max = strtoull(value, &end, 10);
        } else if (!strcmp(word, "--seconds")) {
            *seconds = strtoull(value, &end, 10);
        }
        if (end == NULL || end == value || *end != '\0') {
            return false;
        }
    }
    return range[0] <= range[1];
}

/* Of the processor: others may be at work too. */
static double main_seconds(void)
{
    return (double) clock() / CLOCKS_PER_SEC;
}

int main(int count, char **words)
{
    uint64_t range[2] = {1, 0}, seconds = UINT64_MAX, steps = 0, messages = 0, done = 0;
    if (!main_parse(count, words, range, &seconds)) {
        return main_usage();
    }
    signal(SIGSEGV, main_crashed);
    signal(SIGABRT, main_crashed);
    printf("seeds %" PRIu64 ":%" PRIu64 "\n", range[0], range[1]);
    fflush(stdout);
    double begin = main_seconds();
    uint64_t began = (uint64_t) time(NULL);
    for (uint64_t seed = range[0]; seed <= range[1] && (uint64_t) time(NULL) - began < seconds; seed++, done++) {
        sim_run(seed);
        steps += sim.step;
        messages += sim.messages;
        if (main_verbose) {
            printf("seed %" PRIu64 ": %" PRIu64 " steps, %" PRIu64 " messages, trace %016" PRIx64 "\n", seed, sim.step,
                   sim.messages, sim_trace_hash());
            fflush(stdout);
        }
    }
    double took = main_seconds() - begin;
    bool complete = sim_met_print(done >= MAIN_SEEDS_FOR_ALL);
    printf("%" PRIu64 " seeds, %" PRIu64 " steps, %.0f steps/s, %" PRIu64 " messages delivered, %.1f s\n", done, steps,
           (double) steps / (took > 0 ? took : 1), messages, took);
    if (!complete) {
        puts("FAILED: a status was never met");
        return 1;
    }
    return 0;
}
