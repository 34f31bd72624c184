/* SPDX-License-Identifier: MIT */
/*
 * load_broadcast - the last connection sends `depth` messages at a time, joined, and waits until every connection has
 * received all of them. The last, because a server that hears of it has accepted all others before. Counted are
 * deliveries; the time kept is that of a whole round, once for each. Those that never read come first and are waited
 * for by nobody.
 */
#include "bench/linux/gnu.h"

#include "bench/linux/load.h"

#include "bench/clock.h"
#include "bench/linux/machine.h"
#include "bench/linux/socket.h"

#include <sys/epoll.h>

enum { FILL_BYTES = 512 * 1024 };

static void broadcast_round(struct load *load)
{
    struct epoll_event events[LOAD_BATCH];
    struct peer *sender = &load->peers[load->connections - 1];
    uint64_t due = (uint64_t) load->connections * load->depth;

    if (!peer_send(sender, &load->plan, load->depth)) {
        machine_die("send");
    }
    while (due != 0) {
        int count;

        if (sender->unsent_bytes != 0 && !peer_send_rest(sender, &load->plan)) {
            machine_die("send");
        }
        count = load_wait(load, events);
        for (int i = 0; i < count; i++) {
            uint32_t came = load_receive(load, events[i].data.ptr);

            if (came > due) {
                load_fail("more came than was sent");
            }
            due -= came;
        }
    }
}

/* They stay until the program ends. */
static void broadcast_bring_deaf(const struct load *load)
{
    for (uint32_t i = 0; i < load->deaf; i++) {
        if (socket_connect(load->path) < 0) {
            machine_die("no connection");
        }
    }
}

/* Until what the system and a queue of 64 KiB hold for them is surely full. */
static void broadcast_fill_deaf(struct load *load)
{
    for (uint32_t bytes = 0; load->deaf != 0 && bytes < FILL_BYTES; bytes += load->size * load->depth) {
        broadcast_round(load);
        load->all += (uint64_t) load->connections * load->depth;
    }
}

void load_broadcast(struct load *load)
{
    uint64_t deliveries = (uint64_t) load->connections * load->depth;
    uint64_t from_ns;

    broadcast_bring_deaf(load);
    load_connect(load);
    broadcast_fill_deaf(load);
    load_begin(load);
    while (!load_over(load, from_ns = clock_now_ns())) {
        broadcast_round(load);
        for (uint32_t i = 0; i < load->connections; i++) {
            if (load->peers[i].taken != load->peers[load->connections - 1].sent) {
                load_fail("a connection missed a message, and another had it twice");
            }
        }
        load->all += deliveries;
        if (load->counting) {
            load->counted += deliveries;
            histogram_add(&load->trips, clock_now_ns() - from_ns);
        }
    }
    load_settle(load);
}
