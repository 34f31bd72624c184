/* SPDX-License-Identifier: MIT */
#include "bench/generator/result.h"

#include <stdlib.h>
#include <string.h>

#include "tools/pipeport/say.h"

double result_rate(const struct result_run *run)
{
    return say_rate(run->messages, run->measured_ns);
}

uint64_t result_errors(const struct result_run *run)
{
    uint64_t errors = 0;

    for (size_t i = 0; i < RESULT_ERRORS; i++) {
        errors += run->errors[i];
    }
    return errors;
}

/* How many runs come before this one by rate; equal ones in the order they were made. */
static uint32_t result_rank(const struct result *result, uint32_t which)
{
    double rate = result_rate(&result->runs[which]);
    uint32_t rank = 0;

    for (uint32_t i = 0; i < result->runs_count; i++) {
        double other = result_rate(&result->runs[i]);

        rank += other < rate || (i < which && !(other > rate));
    }
    return rank;
}

const struct result_run *result_median(const struct result *result)
{
    for (uint32_t i = 0; i < result->runs_count; i++) {
        if (result_rank(result, i) == (result->runs_count - 1) / 2) {
            return &result->runs[i];
        }
    }
    return NULL;
}

double result_spread(const struct result *result)
{
    double lowest = 0.0, highest = 0.0;

    for (uint32_t i = 0; i < result->runs_count; i++) {
        double rate = result_rate(&result->runs[i]);

        lowest = i == 0 || rate < lowest ? rate : lowest;
        highest = rate > highest ? rate : highest;
    }
    if (result->runs_count < 2 || !(highest > 0.0)) {
        return 1.0;
    }
    return lowest > 0.0 ? highest / lowest : RESULT_SPREAD_ENDLESS;
}

void result_clear(struct result *result)
{
    for (uint32_t i = 0; i < result->runs_count; i++) {
        struct result_run *run = &result->runs[i];

        if (run->corrected != run->service) {
            histogram_destroy(run->corrected);
        }
        histogram_destroy(run->service);
        histogram_destroy(run->last);
        histogram_destroy(run->connecting);
        free(run->seconds);
    }
    free(result->runs);
    free(result->texts);
    memset(result, 0, sizeof(*result));
}
