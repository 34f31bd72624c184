/* SPDX-License-Identifier: MIT */
/*
 * load_broadcast - the last connection sends `depth` messages at a time, joined, and waits until every connection has
 * received all of them. The last, because a server that hears of it has accepted all others before. Counted are
 * deliveries; the time kept is that of a whole round, once for each. Those that never read come first and are waited
 * for by nobody. Where the protocol has one way only, somebody besides asks, and nothing is counted until a message has
 * come to all: such a server may greet a connection before it counts it in.
 */
#include "bench/linux/gnu.h"

#include "bench/linux/load.h"

#include "bench/clock.h"
#include "bench/linux/machine.h"
#include "bench/linux/socket.h"

#include <stdio.h>
#include <sys/epoll.h>

enum { FILL_BYTES = 512 * 1024, GATHER_TRIES = 10, GATHER_MS = 3000 };

static struct peer asker; /* Where the protocol has one way only. */

static struct peer *broadcast_sender(struct load *load)
{
    return load->plan.speech.ask != NULL ? &asker : &load->peers[load->connections - 1];
}

static void broadcast_round(struct load *load)
{
    struct epoll_event events[LOAD_BATCH];
    struct peer *sender = broadcast_sender(load);
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

/* How many have the asker's one message. Waits until it is all, or nothing came for a while: to those it did not come,
 * and one that has it late after all will be met by the check of the order. */
static uint32_t broadcast_gather_once(struct load *load)
{
    struct epoll_event events[LOAD_BATCH];
    uint32_t came = 0;
    int count;

    if (!peer_send(&asker, &load->plan, 1) || asker.unsent_bytes != 0) {
        machine_die("send");
    }
    while (came < load->connections && (count = epoll_wait(load->epoll, events, LOAD_BATCH, GATHER_MS)) > 0) {
        for (int i = 0; i < count; i++) {
            came += load_receive(load, events[i].data.ptr);
        }
    }
    for (uint32_t i = 0; i < load->connections; i++) {
        load->peers[i].taken = asker.sent;
    }
    return came;
}

static void broadcast_gather(struct load *load)
{
    char path[108];
    int tries = 0;

    snprintf(path, sizeof path, "%s.ask", load->path);
    asker.fd = speech_connect(path, load->plan.speech.ask);
    if (asker.fd < 0 || !speech_greeted(asker.fd, load->plan.speech.ask)) {
        machine_die("no connection for who asks");
    }
    while (broadcast_gather_once(load) < load->connections) {
        if (++tries == GATHER_TRIES) {
            load_fail("what was sent did not come to all");
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
    if (load->plan.speech.ask != NULL) {
        broadcast_gather(load);
    }
    broadcast_fill_deaf(load);
    load_begin(load);
    while (!load_over(load, from_ns = clock_now_ns())) {
        broadcast_round(load);
        for (uint32_t i = 0; i < load->connections; i++) {
            if (load->peers[i].taken != broadcast_sender(load)->sent) {
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
