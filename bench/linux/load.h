/* SPDX-License-Identifier: MIT */
/*
 * load.h - what every mode of the load has: its peers, when to count, and what came of it.
 */
#ifndef PIPEPORT_BENCH_LINUX_LOAD_H
#define PIPEPORT_BENCH_LINUX_LOAD_H

#include "bench/histogram.h"
#include "bench/linux/peer.h"

#include <stdbool.h>
#include <stdint.h>

enum { LOAD_RECEIVE_BYTES = 512 * 1024, LOAD_BATCH = 512, LOAD_MODE_BROADCAST = 1 };

struct load {
    const char *path;
    const char *mode;
    uint32_t connections, size, depth, milliseconds, warm_up_ms, messages, server_pid;
    uint32_t deaf; /* Broadcast: connections more, which never read. */
    bool spin;     /* Asks again instead of sleeping while nothing is there. */
    struct peer_plan plan;
    struct peer *peers;
    unsigned char *room; /* LOAD_RECEIVE_BYTES: every receive goes there. */
    int epoll;           /* All peers, by edges; data.ptr is the peer. */

    bool counting;
    uint64_t begin_ns, begin_cpu_ns, begin_server_ns; /* Set where counting begins. */
    uint64_t end_ns;
    uint64_t counted, all,
        fruitless; /* Messages (trips, deliveries, visits) counted, and all; waits that found none. */
    double seconds, own_share, server_us; /* Set where counting ends. */
    struct histogram trips;
};

/* Connects the peers, as many as there shall be. Ends the program where one cannot be had. */
void load_connect(struct load *load);

/* Each ends the program where a reply is wrong. load_over tells when a mode shall end, and begins and ends the
 * counting; `now_ns` is the clock's. load_settle after the end. */
bool load_over(struct load *load, uint64_t now_ns);
void load_begin(struct load *load);
void load_settle(struct load *load);
_Noreturn void load_fail(const char *what);

/* Whoever of `connections` peers has something: as epoll_wait. */
struct epoll_event;
int load_wait(struct load *load, struct epoll_event *events);

/* What came for this peer. UINT32_MAX is not answered: it ends the program. */
uint32_t load_receive(struct load *load, struct peer *peer);

/* The modes. */
void load_echo(struct load *load);
void load_broadcast(struct load *load);
void load_churn(struct load *load);
void load_hold(struct load *load);

#endif
