/* SPDX-License-Identifier: MIT */
/*
 * load - asks a server for echoes, broadcasts or connections, checks every answer, and says how fast they came.
 *
 * Neutral: the system's own calls, the framing and nothing else of whom it talks to. The last line is for a program to
 * read and says `ok` only if all that was due came, whole and, where order is promised, in order.
 */
#include "bench/load.h"

#include "bench/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { OPTIONS_MAX = 24 };

_Noreturn void load_fail(const char *what)
{
    fprintf(stderr, "load: %s\n", what);
    exit(1);
}

void load_begin(struct load *load)
{
    uint64_t now_ns = clock_now_ns();

    load->begin_ns = now_ns + (uint64_t) load->warm_up_ms * 1000000;
    load->end_ns = load->begin_ns + (uint64_t) load->milliseconds * 1000000;
    if (load->messages != 0) {
        load->begin_ns = now_ns;
        load->end_ns = UINT64_MAX;
    }
}

bool load_over(struct load *load, uint64_t now_ns)
{
    if (!load->counting && now_ns >= load->begin_ns) {
        load->counting = true;
        load->end_ns = load->end_ns == UINT64_MAX ? UINT64_MAX : now_ns + (load->end_ns - load->begin_ns);
        load->begin_ns = now_ns; /* Later than planned where something else had the processor. */
        side_counting_begins(load);
    }
    return load->counting && (now_ns >= load->end_ns || (load->messages != 0 && load->counted >= load->messages));
}

void load_settle(struct load *load)
{
    uint64_t ns = clock_now_ns() - load->begin_ns;

    load->seconds = (double) ns / 1e9;
    side_counting_ends(load, ns);
}

static const struct {
    const char *name;
    void (*run)(struct load *load);
} load_modes[LOAD_MODES] = {
    {"echo", load_echo}, {"broadcast", load_broadcast}, {"churn", load_churn}, {"hold", load_hold}};

static double load_share_us(const struct load *load, double share)
{
    return (double) histogram_share_ns(&load->trips, share) / 1e3;
}

static void load_report(const struct load *load)
{
    printf("load mode=%s connections=%" PRIu32 " size=%" PRIu32 " depth=%" PRIu32 " seconds=%.3f messages=%" PRIu64
           " all=%" PRIu64 " rate=%.0f p50_us=%.1f p90_us=%.1f p99_us=%.1f p999_us=%.1f max_us=%.1f",
           load_modes[load->mode].name, load->connections, load->size, load->depth, load->seconds, load->counted,
           load->all, (double) load->counted / load->seconds, load_share_us(load, 0.5), load_share_us(load, 0.9),
           load_share_us(load, 0.99), load_share_us(load, 0.999), (double) load->trips.longest_ns / 1e3);
    side_tell(load);
    printf(" ok\n");
    fflush(stdout);
}

/* Those of both systems, and behind them those of this one. */
static void load_read(struct load *load, int argc, char **argv)
{
    uint32_t mode = LOAD_ECHO, count = 0;
    struct argument known[OPTIONS_MAX] = {
        {"--mode", &mode, 0, LOAD_MODES - 1,
         "0 echo; 1 broadcast; 2 churn: connect, echo, close; 3 hold until stdin ends"},
        {"--connections", &load->connections, 1, side_bounds.connections_max, "connections; churn: at a time"},
        {"--size", &load->size, side_bounds.size_min, side_bounds.size_max,
         "bytes of a message, the header not counted"},
        {"--depth", &load->depth, 1, side_bounds.depth_max,
         "messages in flight on each connection; broadcast: sent at a time"},
        {"--ms", &load->milliseconds, 1, 86400000, "how long, in milliseconds"},
        {"--warm-up-ms", &load->warm_up_ms, 0, 60000, "before that, not counted"},
        {"--messages", &load->messages, 0, UINT32_MAX, "how many replies in all, instead of a time; 0: see --ms"},
        {"--deaf", &load->deaf, 0, 100000, "broadcast: connections more that never read"},
        {"--fill", &load->fill_kib, 0, 1 << 20, "broadcast: KiB that are sent to all before anything is counted"},
    };

    while (known[count].option != NULL) {
        count++;
    }
    for (const struct argument *own = side_options; own->option != NULL && count < OPTIONS_MAX - 1; own++) {
        known[count++] = *own;
    }
    load->name = arguments_read(argc, argv, known);
    load->mode = (enum load_mode) mode;
    load->sent_max = load->mode == LOAD_BROADCAST ? load_broadcast_sent_max(load) : load->depth;
}

int main(int argc, char **argv)
{
    static struct load load = {.connections = 255, .size = 64, .depth = 1, .milliseconds = 1000}; /* Some KiB. */

    load_read(&load, argc, argv);
    side_prepare(&load);
    load_modes[load.mode].run(&load);
    load_report(&load);
    return 0;
}
