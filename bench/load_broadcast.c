/* SPDX-License-Identifier: MIT */
/*
 * load_broadcast - the last connection sends `depth` messages at a time, joined, and waits until every connection has
 * received all of them. The last, because a server that hears of it has accepted all others before. Counted are
 * deliveries; the time kept is that of a whole round, once for each. Those that never read come first and are waited
 * for by nobody. Where the protocol has one way only, somebody besides asks, and nothing is counted until a message has
 * come to all: such a server may greet a connection before it counts it in.
 */
#include "bench/load.h"

#include "bench/clock.h"

enum { FILL_ROUND_BYTES = 16 * 1024 };

/* A round that fills has as many messages as the queue of a receiver that reads has room for. */
uint32_t load_broadcast_sent_max(const struct load *load)
{
    uint32_t count = FILL_ROUND_BYTES / load->size;

    return load->fill_kib != 0 && count > load->depth ? count : load->depth;
}

static void broadcast_round(struct load *load, uint32_t count)
{
    uint64_t due = (uint64_t) load->connections * count;

    load->all += due;
    side_send_to_all(load, count);
    while (due != 0) {
        uint32_t came = side_take(load);

        if (came > due) {
            load_fail("more came than was sent");
        }
        due -= came;
    }
    if (!side_is_even(load)) {
        load_fail("a connection missed a message, and another had it twice");
    }
}

/* So that what the system and a queue hold for those that never read is full before anything is counted. */
static void broadcast_fill(struct load *load)
{
    for (uint64_t bytes = 0; bytes < (uint64_t) load->fill_kib * 1024;
         bytes += (uint64_t) load->size * load->sent_max) {
        broadcast_round(load, load->sent_max);
    }
}

void load_broadcast(struct load *load)
{
    uint64_t from_ns;

    side_connect_deaf(load);
    side_connect(load);
    side_gather(load);
    broadcast_fill(load);
    load_begin(load);
    while (!load_over(load, from_ns = clock_now_ns())) {
        broadcast_round(load, load->depth);
        if (load->counting) {
            load->counted += (uint64_t) load->connections * load->depth;
            histogram_add(&load->trips, clock_now_ns() - from_ns);
        }
    }
    load_settle(load);
}
