/* SPDX-License-Identifier: MIT */
/*
 * recorder.h - what one thread of the generator has seen. Each thread writes its own and no other, so that counting a
 * message costs no locked instruction; the main thread reads them while they grow, and sums them.
 *
 * Every field is written by one thread (relaxed load and store) and read by any (relaxed): each is right by itself, the
 * set is not one instant's until the writers are gone.
 */
#ifndef PIPEPORT_GENERATOR_RECORDER_H
#define PIPEPORT_GENERATOR_RECORDER_H

#include <stdatomic.h>
#include <stdint.h>

#include "bench/generator/result.h"

struct recorder {
    _Atomic uint64_t messages, bytes; /* Completed in the measured time. */
    _Atomic uint64_t all;             /* Completed ever: while it grows there is life. */
    _Atomic uint64_t planned;         /* Open loop, in the measured time. */
    _Atomic uint64_t errors[RESULT_ERRORS];
    _Atomic uint64_t killed;
    _Atomic uint64_t last_ns; /* When the last of `messages` was completed. */
    unsigned char *scratch;   /* Where a message is made; the longest fits. Only where messages differ. */
    struct histogram service, corrected, last, connecting;
};

static inline void recorder_count(_Atomic uint64_t *sum, uint64_t number)
{
    atomic_store_explicit(sum, atomic_load_explicit(sum, memory_order_relaxed) + number, memory_order_relaxed);
}

/* As histogram_add, for a histogram that this thread alone adds to. */
static inline void recorder_time(struct histogram *histogram, uint64_t ns)
{
    recorder_count(&histogram->buckets[histogram_bucket(ns)], 1);
    recorder_count(&histogram->count, 1);
    if (ns > atomic_load_explicit(&histogram->longest_ns, memory_order_relaxed)) {
        atomic_store_explicit(&histogram->longest_ns, ns, memory_order_relaxed);
    }
}

/* Adds all of `from` to `to`, which this thread alone adds to. */
void recorder_merge(struct histogram *to, const struct histogram *from);

#endif
