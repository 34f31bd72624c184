/* SPDX-License-Identifier: MIT */
/*
 * load - keeps messages in flight on many connections to an echo server and measures the round trips.
 *
 * Neutral: it knows the framing and nothing else of whom it talks to. Every reply is checked. The last line is for a
 * program to read and says `ok` only if every reply that was due came, whole and in order.
 */
#include "bench/arguments.h"
#include "bench/clock.h"
#include "bench/windows/dial.h"
#include "bench/windows/lane.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct load {
    uint32_t connections, size, depth, threads, messages, milliseconds, warm_up_ms;
    struct peer_plan plan;
    struct lane *lanes;
    uint64_t start_ns;
    double connect_ms;
};

static _Noreturn void die(const char *what, DWORD code)
{
    fprintf(stderr, "load: %s (%lu)\n", what, code);
    exit(1);
}

static void load_connect(struct load *load, const char *name)
{
    char address[DIAL_ADDRESS_BYTES];
    uint64_t from_ns = clock_now_ns();

    dial_address(address, name);
    load->plan.size = load->size; /* The peers' buffers are made by these; when to send is known later. */
    load->plan.depth = load->depth;
    load->plan.messages = load->messages == 0 ? UINT64_MAX : load->messages;
    load->lanes = calloc(load->threads, sizeof *load->lanes);
    if (load->lanes == NULL) {
        die("no memory", 0);
    }
    for (uint32_t i = 0; i < load->threads; i++) {
        if (!lane_init(&load->lanes[i], &load->plan, load->connections / load->threads + 1)) {
            die("a lane could not be made", GetLastError());
        }
    }
    for (uint32_t i = 0; i < load->connections; i++) {
        HANDLE pipe = dial_connect(address, 10000);

        if (pipe == INVALID_HANDLE_VALUE) {
            die("no connection", GetLastError());
        }
        if (!lane_add(&load->lanes[i % load->threads], pipe)) {
            die("a connection could not be used", GetLastError());
        }
    }
    load->connect_ms = (double) (clock_now_ns() - from_ns) / 1e6;
}

static void load_run(struct load *load)
{
    struct peer_plan *plan = &load->plan;

    load->start_ns = clock_now_ns();
    plan->count_from_ns = load->messages == 0 ? load->start_ns + (uint64_t) load->warm_up_ms * 1000000 : 0;
    plan->end_ns = load->messages == 0 ? plan->count_from_ns + (uint64_t) load->milliseconds * 1000000 : UINT64_MAX;
    for (uint32_t i = 0; i < load->threads; i++) {
        if (!lane_start(&load->lanes[i])) {
            die("a thread could not be made", GetLastError());
        }
    }
    for (uint32_t i = 0; i < load->threads; i++) {
        lane_join(&load->lanes[i]);
        if (load->lanes[i].wrong != NULL) {
            die(load->lanes[i].wrong, load->lanes[i].code);
        }
    }
}

static void load_report(const struct load *load)
{
    static struct peer_counts all; /* Some KiB: not for the stack. */
    double seconds = load->milliseconds / 1e3;

    for (uint32_t i = 0; i < load->threads; i++) {
        const struct peer_counts *counts = &load->lanes[i].counts;

        all.messages += counts->messages;
        all.all += counts->all;
        all.last_ns = counts->last_ns > all.last_ns ? counts->last_ns : all.last_ns;
        histogram_sum(&all.trips, &counts->trips);
    }
    if (load->messages != 0) {
        seconds = (double) (all.last_ns - load->start_ns) / 1e9;
    }
    printf("load connections=%" PRIu32 " size=%" PRIu32 " depth=%" PRIu32 " threads=%" PRIu32
           " seconds=%.3f messages=%" PRIu64 " all=%" PRIu64
           " rate=%.0f p50_us=%.1f p90_us=%.1f p99_us=%.1f p999_us=%.1f max_us=%.1f connect_ms=%.1f ok\n",
           load->connections, load->size, load->depth, load->threads, seconds, all.messages, all.all,
           (double) all.messages / seconds, (double) histogram_share_ns(&all.trips, 0.5) / 1e3,
           (double) histogram_share_ns(&all.trips, 0.9) / 1e3, (double) histogram_share_ns(&all.trips, 0.99) / 1e3,
           (double) histogram_share_ns(&all.trips, 0.999) / 1e3, (double) all.trips.longest_ns / 1e3, load->connect_ms);
}

int main(int argc, char **argv)
{
    struct load load = {.connections = 255, .size = 64, .depth = 1, .threads = 1, .milliseconds = 1000};
    uint32_t seconds = 0;
    const struct argument known[] = {
        {"--connections", &load.connections, 1, 20000, "connections"},
        {"--size", &load.size, PEER_SIZE_MIN, 65536, "bytes of a message, the header not counted"},
        {"--depth", &load.depth, 1, 1024, "messages in flight on each connection"},
        {"--threads", &load.threads, 1, 64, "threads of the load, each with a port of its own"},
        {"--messages", &load.messages, 0, UINT32_MAX, "messages on each connection; 0: for a time"},
        {"--seconds", &seconds, 0, 86400, "how long; 0: see --ms"},
        {"--ms", &load.milliseconds, 1, 86400000, "how long, in milliseconds"},
        {"--warm-up-ms", &load.warm_up_ms, 0, 60000, "before that, not counted"},
        {NULL, NULL, 0, 0, NULL},
    };
    const char *name = arguments_read(argc, argv, known);

    if (seconds != 0) {
        load.milliseconds = seconds * 1000;
    }
    load.threads = load.threads > load.connections ? load.connections : load.threads;
    load_connect(&load, name);
    load_run(&load);
    load_report(&load);
    fflush(stdout);
    return 0;
}
