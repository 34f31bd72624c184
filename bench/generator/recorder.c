/* SPDX-License-Identifier: MIT */
#include "bench/generator/recorder.h"

void recorder_merge(struct histogram *to, const struct histogram *from)
{
    uint64_t count = 0, longest_ns = histogram_longest_ns(from);

    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        uint64_t number = atomic_load_explicit(&from->buckets[i], memory_order_relaxed);

        if (number != 0) {
            recorder_count(&to->buckets[i], number);
            count += number;
        }
    }
    recorder_count(&to->count, count);
    if (longest_ns > histogram_longest_ns(to)) {
        atomic_store_explicit(&to->longest_ns, longest_ns, memory_order_relaxed);
    }
}
