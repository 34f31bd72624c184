/* SPDX-License-Identifier: MIT */
#include "tests/support/made.h"

#include <stdlib.h>
#include <string.h>

static void made_run(struct result_run *run, double rate)
{
    static const struct result_second seconds[] = {
        {0, UINT64_C(1000000000), 1000, 64000, 0, 10000, 1000000, 10000000, 10},
        {UINT64_C(1000000000), UINT64_C(1500000000), 400, 25600, 0, 12000, 900000, 5000000, 10},
    };

    run->measured_ns = UINT64_C(10000000000);
    run->messages = (uint64_t) (rate * 10.0 + 0.5);
    run->bytes = run->messages * 64;
    run->service = histogram_create();
    run->corrected = run->service;
    run->connecting = histogram_create();
    run->seconds = malloc(sizeof(seconds));
    if (run->service == NULL || run->connecting == NULL || run->seconds == NULL) {
        abort();
    }
    histogram_add_many(run->service, 10000, 900);
    histogram_add_many(run->service, 100000, 90);
    histogram_add_many(run->service, 1000000, 9);
    histogram_add_many(run->service, 10000000, 1);
    histogram_add_many(run->connecting, 50000, 1);
    histogram_add_many(run->connecting, 80000, 1);
    memcpy(run->seconds, seconds, sizeof(seconds));
    run->seconds_count = 2;
    run->client_cpu_ns = run->messages * 1000;
    run->server_cpu_ns = run->messages * 2000;
    run->connected = 10;
}

void made_result(struct result *result, const double *rates, uint32_t count)
{
    memset(result, 0, sizeof(*result));
    result->plan.mode = PLAN_PING_PONG;
    result->plan.name = "demo";
    result->plan.connections = 10;
    result->plan.threads = 1;
    result->plan.depth = 1;
    result->plan.duration_ms = 10000;
    result->plan.warmup_ms = 1000;
    result->plan.seed = 1;
    result->plan.repeat = count;
    result->plan.silence_ms = 10000;
    result->plan.framing_text = "len:0,4,le,0";
    result->plan.sizes[0] = (struct plan_size){64, 64, 1};
    result->plan.sizes_count = 1;
    result->command = "pipeport-bench run demo";
    result->machine = "a machine, 2 processors";
    result->began = "2026-01-31T12:00:00Z";
    result->version = "0.1.0";
    result->build = "gcc 12.2.0, Release";
    result->driver = "epoll";
    result->runs = calloc(MADE_RUNS_MAX, sizeof(*result->runs));
    if (result->runs == NULL || count > MADE_RUNS_MAX) {
        abort();
    }
    result->runs_count = count;
    for (uint32_t i = 0; i < count; i++) {
        made_run(&result->runs[i], rates[i]);
    }
}

void made_latency(struct result_run *run, uint64_t ns, uint64_t count)
{
    memset(run->corrected, 0, sizeof(*run->corrected));
    histogram_add_many(run->corrected, ns, count);
}

void made_open(struct result *result)
{
    result->plan.rate_per_s = 1000.0;
    for (uint32_t i = 0; i < result->runs_count; i++) {
        struct result_run *run = &result->runs[i];

        run->corrected = histogram_create();
        if (run->corrected == NULL) {
            abort();
        }
        memcpy(run->corrected, run->service, sizeof(*run->corrected));
        histogram_add_many(run->corrected, 20000000, 2000);
        run->planned = run->messages;
        run->late_p50_ns = 1500;
        run->late_p99_ns = 30000;
    }
}
