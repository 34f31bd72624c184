/* SPDX-License-Identifier: MIT */
/*
 * own.h - what the load has on Linux besides what it has everywhere: its peers, and whom to ask what came.
 */
#ifndef PIPEPORT_BENCH_LINUX_OWN_H
#define PIPEPORT_BENCH_LINUX_OWN_H

#include "bench/linux/peer.h"
#include "bench/load.h"

#include <stdbool.h>
#include <stdint.h>

enum { OWN_RECEIVE_BYTES = 512 * 1024, OWN_BATCH = 512 };

struct side {
    struct peer_plan plan;
    struct peer *peers;
    unsigned char *room; /* OWN_RECEIVE_BYTES: every receive goes there. */
    int epoll;           /* All peers, by edges; data.ptr is the peer. */
    struct peer asker;   /* Broadcast, where the protocol has one way only. */

    uint64_t fruitless; /* Waits that found nothing. */
};

/* Whoever of the peers has something: as epoll_wait. */
struct epoll_event;
int own_wait(struct load *load, struct epoll_event *events);

/* Ends the program where a send of a peer's was not `sent`. */
void own_must_send(bool sent);

/* What came for this peer: whole messages. */
uint32_t own_receive(struct load *load, struct peer *peer);

#endif
