/* SPDX-License-Identifier: MIT */
/*
 * peer.h - one connection of the load: keeps a number of messages in flight and checks every reply.
 *
 * A message carries its number at both ends; replies must come whole, in order, and of the right length. All messages
 * that may be sent at a moment leave in one write, and one write is in flight at most, so that the load costs as little
 * as it can. A round trip is timed from just before the write of its message to when its reply has been read.
 * One thread drives a peer, the one that drains its port.
 */
#ifndef PIPEPORT_BENCH_PEER_H
#define PIPEPORT_BENCH_PEER_H

#include "bench/histogram.h"
#include "bench/windows/win.h"

#include <stdbool.h>
#include <stdint.h>

struct peer_plan {          /* The same for all; fixed before the first peer starts. */
    uint32_t size;          /* Of a message, its header not counted; at least PEER_SIZE_MIN. */
    uint32_t depth;         /* Messages in flight. */
    uint64_t messages;      /* Of each peer; UINT64_MAX: until end_ns. */
    uint64_t count_from_ns; /* Replies before that are not counted: the load warms up. */
    uint64_t end_ns;        /* Nothing new is sent from then on, and replies are not counted. */
};

enum { PEER_SIZE_MIN = 16 };

struct peer_counts {   /* Of one thread, summed at the end. */
    uint64_t messages; /* Counted: replied between count_from_ns and end_ns. */
    uint64_t all;      /* Replied, ever. */
    uint64_t last_ns;  /* When the last counted reply came; 0: none yet. */
    struct histogram trips;
};

struct peer {
    OVERLAPPED read, write; /* The system's while armed. */
    HANDLE pipe;
    HANDLE port;
    const struct peer_plan *plan;
    struct peer_counts *counts;
    uint64_t sent;      /* Messages given to a write, ever. */
    uint64_t replied;   /* Replies checked, ever; at most `depth` below `sent`. */
    uint64_t *sent_ns;  /* When message n was given to a write, at n % depth. */
    unsigned char *out; /* Room for `depth` frames; the system's while write_armed. */
    unsigned char *in;  /* The same; only what is in flight can come. */
    uint32_t in_filled;
    bool write_armed;
    bool noted;        /* The lane has seen it finished. */
    const char *wrong; /* NULL while all is well; what happened, for people. */
    DWORD code;        /* The system's, where it has to do with it. */
};

/* On a port, before dial_bind. False: no memory. There is no end to a peer but the end of the process: a read may be
 * armed still when everything has been counted. */
bool peer_init(struct peer *peer, HANDLE pipe, HANDLE port, const struct peer_plan *plan, struct peer_counts *counts);

void peer_start(struct peer *peer);

/* A packet of this peer came: what it brought is done, and all that may follow. */
void peer_go_on(struct peer *peer, const OVERLAPPED_ENTRY *entry);

/* Nothing is in flight and nothing more will be sent, or something is wrong. */
bool peer_finished(const struct peer *peer);

#endif
