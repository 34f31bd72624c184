/* SPDX-License-Identifier: MIT */
/*
 * own.h - what the load has on Windows besides what it has everywhere: its peers, and the port that they are on.
 */
#ifndef PIPEPORT_BENCH_WINDOWS_OWN_H
#define PIPEPORT_BENCH_WINDOWS_OWN_H

#include "bench/load.h"
#include "bench/windows/dial.h"
#include "bench/windows/peer.h"
#include "bench/windows/win.h"

#include <stdint.h>

enum { OWN_BATCH = 16, OWN_SILENCE_MS = 20000 }; /* No packet for so long: the server hangs. */

struct side {
    char address[DIAL_ADDRESS_BYTES];
    struct peer_plan plan;
    uint32_t threads;   /* That echo, each with a port of its own. */
    double connect_ms;  /* For all connections. */
    HANDLE port;        /* Of the peers below. */
    struct peer *peers; /* All but those that echo. */
    uint32_t early;     /* Messages that came where nobody waited for them yet. */
};

/* Ends the program where there is none. */
HANDLE own_port(void);

/* The next packets of a port, OWN_BATCH at most; 0: none came in that time, which after OWN_SILENCE_MS is a fault. */
ULONG own_wait(HANDLE port, OVERLAPPED_ENTRY *entries, DWORD wait_ms);

#endif
