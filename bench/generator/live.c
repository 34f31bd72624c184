/* SPDX-License-Identifier: MIT */
#include "bench/generator/live.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/generator/fan.h"
#include "bench/generator/line.h"
#include "bench/generator/machine.h"
#include "bench/generator/series.h"
#include "tools/pipeport/clock.h"
#include "tools/pipeport/say.h"

#define LIVE_EVERY_NS (UINT64_C(250) * 1000000)

struct live {
    const struct load *load;
    bool silent;
    uint64_t shown_ns;
    uint64_t all; /* Completed when it was last shown. */
    struct series series;
};

struct live *live_create(const struct load *load)
{
    struct live *live = calloc(1, sizeof *live);

    if (live != NULL) {
        live->load = load;
        live->silent = !machine_has_terminal();
    }
    return live;
}

/* Is it time? */
static bool live_is_due(struct live *live, uint64_t now_ns)
{
    if (live->silent || now_ns - live->shown_ns < LIVE_EVERY_NS) {
        return false;
    }
    return true;
}

static void live_show(struct live *live, const char *text, uint64_t now_ns)
{
    line_show(text);
    live->shown_ns = now_ns;
}

void live_connecting(struct live *live, uint32_t settled)
{
    uint64_t now_ns = clock_now_ns();
    char text[160];

    if (live_is_due(live, now_ns)) {
        snprintf(text, sizeof text, "connecting: %" PRIu32 " of %" PRIu32, settled, live->load->plan->connections);
        live_show(live, text, now_ns);
    }
}

static uint64_t live_in_flight(const struct load *load)
{
    uint64_t in_flight = 0;

    if (load->fan != NULL) {
        return atomic_load(&load->fan->asked) - atomic_load(&load->fan->completed);
    }
    for (uint32_t i = 0; i < load->plan->connections; i++) {
        const struct lane *lane = &load->lanes[i];

        if (atomic_load_explicit(&lane->id, memory_order_relaxed) != 0) {
            in_flight += atomic_load_explicit(&lane->sent, memory_order_relaxed) -
                         atomic_load_explicit(&lane->done, memory_order_relaxed);
        }
    }
    return in_flight;
}

/* "42 %, 5.8 s left"; or what an open loop does behind its end. */
static void live_progress(const struct live *live, uint64_t now_ns, char *text, size_t text_bytes)
{
    const struct load *load = live->load;
    uint64_t begin_ns = atomic_load(&load->begin_ns), end_ns = atomic_load(&load->end_ns);
    double share, left_s;

    if (now_ns < begin_ns) {
        snprintf(text, text_bytes, "warm-up, %.1f s left", (double) (begin_ns - now_ns) / 1e9);
        return;
    }
    if (now_ns >= end_ns) {
        snprintf(text, text_bytes, "over, what is late is sent");
        return;
    }
    if (end_ns != LOAD_NEVER) {
        share = (double) (now_ns - begin_ns) / (double) (end_ns - begin_ns);
        left_s = (double) (end_ns - now_ns) / 1e9;
    } else {
        share = (double) live->series.now.messages / (double) load->plan->count;
        left_s = share > 0.0 ? (double) (now_ns - begin_ns) / 1e9 * (1.0 - share) / share : 0.0;
    }
    snprintf(text, text_bytes, "%.0f %%, %.1f s left", share > 1.0 ? 100.0 : share * 100.0,
             left_s < 0.0 ? 0.0 : left_s);
}

/* In the warm-up nothing is measured. */
static const char *live_share(struct say_room *room, const struct histogram *times, double share)
{
    return histogram_count(times) == 0 ? "-" : say_duration(room, histogram_share_ns(times, share));
}

void live_running(struct live *live, uint64_t now_ns)
{
    struct say_room p50, p99;
    char text[256], progress[64], connected[32], rest[128];
    uint64_t all;
    int length;

    if (!live_is_due(live, now_ns)) {
        return;
    }
    series_cut(&live->series, live->load);
    all = load_all(live->load);
    live_progress(live, now_ns, progress, sizeof progress);
    length = snprintf(text, sizeof text, "%.0f/s  p50 %s  p99 %s  %" PRIu64 " in flight",
                      say_rate(all - live->all, now_ns - live->shown_ns),
                      live_share(&p50, &live->series.between.times, 0.5),
                      live_share(&p99, &live->series.between.times, 0.99), live_in_flight(live->load));
    length += snprintf(connected, sizeof connected, "  %" PRIu32 " connected", atomic_load(&live->load->connected));
    length += snprintf(rest, sizeof rest, "  %" PRIu64 " errors  %s", live->series.now.errors, progress);
    if (length > (int) line_columns()) {
        connected[0] = '\0'; /* Where there is no room for all, how long it takes is wanted more. */
    }
    length = (int) strlen(text);
    snprintf(text + length, sizeof text - (size_t) length, "%s%s", connected, rest);
    live->all = all;
    live_show(live, text, now_ns);
}

void live_end(struct live *live)
{
    line_clear();
    free(live);
}
