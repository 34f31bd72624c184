/* SPDX-License-Identifier: MIT */
/*
 * lane.h - one thread of the load, with a port of its own and a share of the peers.
 *
 * Lanes share nothing while they run, so the load takes no lock.
 */
#ifndef PIPEPORT_BENCH_LANE_H
#define PIPEPORT_BENCH_LANE_H

#include "bench/windows/peer.h"
#include "bench/windows/win.h"

#include <stdbool.h>
#include <stdint.h>

enum { LANE_SILENCE_MS = 20000 }; /* No packet for so long: the server hangs. */

struct lane {
    HANDLE port;
    HANDLE thread;
    const struct peer_plan *plan;
    struct peer *peers;
    uint32_t peers_max;
    uint32_t peers_added;
    uint32_t peers_running;
    struct peer_counts counts; /* The thread's until it is joined. */
    const char *wrong;         /* NULL while all is well. */
    DWORD code;
};

/* The plan's owner may set its times until lane_start. False: GetLastError. */
bool lane_init(struct lane *lane, const struct peer_plan *plan, uint32_t peers_max);

/* Takes a connected pipe. False: GetLastError. */
bool lane_add(struct lane *lane, HANDLE pipe);

bool lane_start(struct lane *lane);

/* Waits until all peers have finished, or something is wrong. */
void lane_join(struct lane *lane);

#endif
