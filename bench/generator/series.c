/* SPDX-License-Identifier: MIT */
#include "bench/generator/series.h"

#include <stdlib.h>
#include <string.h>

void series_add_up(const struct load *load, struct series_sum *sum)
{
    memset(sum, 0, sizeof *sum);
    for (uint32_t i = 0; i < LOAD_RECORDERS_MAX; i++) {
        const struct recorder *recorder = atomic_load_explicit(&load->recorders[i], memory_order_acquire);

        if (recorder != NULL) {
            sum->messages += atomic_load_explicit(&recorder->messages, memory_order_relaxed);
            sum->bytes += atomic_load_explicit(&recorder->bytes, memory_order_relaxed);
            recorder_merge(&sum->times, load->open_loop ? &recorder->corrected : &recorder->service);
        }
    }
    sum->errors = load_errors(load);
}

void series_cut(struct series *series, const struct load *load)
{
    uint64_t count = 0, longest_ns = 0;

    series_add_up(load, &series->now);
    series->between.messages = series->now.messages - series->before.messages;
    series->between.bytes = series->now.bytes - series->before.bytes;
    series->between.errors = series->now.errors - series->before.errors;
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        uint64_t number = atomic_load_explicit(&series->now.times.buckets[i], memory_order_relaxed) -
                          atomic_load_explicit(&series->before.times.buckets[i], memory_order_relaxed);

        atomic_store_explicit(&series->between.times.buckets[i], number, memory_order_relaxed);
        count += number;
        longest_ns = number != 0 ? histogram_bucket_end_ns(i) : longest_ns;
    }
    if (longest_ns > histogram_longest_ns(&series->now.times)) {
        longest_ns = histogram_longest_ns(&series->now.times);
    }
    atomic_store_explicit(&series->between.times.count, count, memory_order_relaxed);
    atomic_store_explicit(&series->between.times.longest_ns, longest_ns, memory_order_relaxed);
    memcpy(&series->before, &series->now, sizeof series->before);
}

bool series_keep(struct series *series, const struct load *load, struct result_run *run, uint64_t now_ns)
{
    uint64_t begin_ns = atomic_load(&load->begin_ns);
    struct result_second *seconds = realloc(run->seconds, (run->seconds_count + 1) * sizeof *seconds);
    struct result_second *second;

    if (seconds == NULL) {
        return false;
    }
    run->seconds = seconds;
    second = &seconds[run->seconds_count++];
    series_cut(series, load);
    *second = (struct result_second){.begin_ns = series->cut_ns - begin_ns,
                                     .end_ns = now_ns - begin_ns,
                                     .messages = series->between.messages,
                                     .bytes = series->between.bytes,
                                     .errors = series->between.errors,
                                     .p50_ns = histogram_share_ns(&series->between.times, 0.5),
                                     .p99_ns = histogram_share_ns(&series->between.times, 0.99),
                                     .longest_ns = histogram_longest_ns(&series->between.times),
                                     .connected = atomic_load(&load->connected)};
    series->cut_ns = now_ns;
    return true;
}
