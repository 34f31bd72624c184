/* SPDX-License-Identifier: MIT */
#include "bench/generator/tally.h"

#include "bench/generator/fan.h"
#include "tools/pipeport/say.h"

static uint64_t tally_missing(const struct load *load)
{
    uint64_t missing = 0;

    for (uint32_t i = 0; i < load->plan->connections; i++) {
        const struct lane *lane = &load->lanes[i];

        if (lane->slow || lane->lost || atomic_load(&lane->killed)) {
            continue;
        }
        for (uint64_t k = atomic_load(&lane->done); k != atomic_load(&lane->sent); k++) {
            missing += lane->ring[k & lane->mask].length != LOAD_VOID;
        }
        if (load->fan != NULL) {
            missing += atomic_load(&load->fan->asked) - lane->broadcast_next;
        }
    }
    return missing;
}

bool tally_sum(const struct load *load, struct result_run *run)
{
    run->service = histogram_create();
    run->corrected = histogram_create();
    run->connecting = histogram_create();
    run->last = load->fan != NULL ? histogram_create() : NULL;
    if (run->service == NULL || run->corrected == NULL || run->connecting == NULL ||
        (load->fan != NULL && run->last == NULL)) {
        say_error("run", "there is not enough memory for the result");
        return false;
    }
    for (uint32_t i = 0; i < LOAD_RECORDERS_MAX; i++) {
        const struct recorder *recorder = atomic_load(&load->recorders[i]);

        if (recorder == NULL) {
            continue;
        }
        run->messages += recorder->messages;
        run->bytes += recorder->bytes;
        run->planned += recorder->planned;
        run->killed += recorder->killed;
        for (uint32_t k = 0; k < RESULT_ERRORS; k++) {
            run->errors[k] += recorder->errors[k];
        }
        recorder_merge(run->service, &recorder->service);
        recorder_merge(run->corrected, load->open_loop ? &recorder->corrected : &recorder->service);
        recorder_merge(run->connecting, &recorder->connecting);
        if (run->last != NULL) {
            recorder_merge(run->last, &recorder->last);
        }
    }
    run->errors[RESULT_MISSING] += tally_missing(load);
    return true;
}

uint64_t tally_last_ns(const struct load *load)
{
    uint64_t last_ns = 0;

    for (uint32_t i = 0; i < LOAD_RECORDERS_MAX; i++) {
        const struct recorder *recorder = atomic_load(&load->recorders[i]);
        uint64_t ns = recorder == NULL ? 0 : atomic_load_explicit(&recorder->last_ns, memory_order_relaxed);

        last_ns = ns > last_ns ? ns : last_ns;
    }
    return last_ns;
}
