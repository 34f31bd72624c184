/* SPDX-License-Identifier: MIT */
/*
 * peer.h - one connection of the load: what it sends is numbered, what comes back is checked.
 *
 * A message carries its number at both ends; what comes must be whole, in order, and of the right length. Messages that
 * are sent together leave in one write, and one write is in flight at most, so that the load costs as little as it can.
 * Whatever fails ends the program. One thread drives a peer, the one that drains its port.
 */
#ifndef PIPEPORT_BENCH_WINDOWS_PEER_H
#define PIPEPORT_BENCH_WINDOWS_PEER_H

#include "bench/windows/win.h"

#include <stdbool.h>
#include <stdint.h>

enum { PEER_SIZE_MIN = 16 };

struct peer_plan {       /* The same for all. */
    uint32_t size;       /* Of a message, its header not counted; at least PEER_SIZE_MIN. */
    uint32_t frames_max; /* Messages sent, and in flight to a peer, at a time. */
};

struct peer {
    OVERLAPPED read, write; /* The system's while armed. */
    HANDLE pipe;
    HANDLE port;
    uint64_t sent, taken; /* Messages given to a write, and whole messages that came, ever. */
    unsigned char *out;   /* Room for frames_max frames, from its first write on; the system's while write_armed. */
    unsigned char *in;    /* The same, for a read: no more can come. */
    uint32_t in_filled;
    bool write_armed;
    bool comes_late; /* Until its first message, which may have any number. */
};

/* Says what failed, and the system's code, and ends the program with 1. Thread: any. */
_Noreturn void peer_die(const char *what, DWORD code);

/* Connects, and puts the pipe on the port; packets have `key`. */
void peer_init(struct peer *peer, const struct peer_plan *plan, const char *address, HANDLE port, void *key);

/* Closes the pipe, of which nothing is armed. Its room stays for the next peer_init, and is freed by nobody: the load's
 * peers live as long as the program. */
void peer_close(struct peer *peer);

/* Makes `count` messages more and writes them, joined; no write may be armed. */
void peer_send(struct peer *peer, const struct peer_plan *plan, uint32_t count);

/* Arms a read. True: it is done already, and no packet comes. */
bool peer_read(struct peer *peer, const struct peer_plan *plan, DWORD *bytes);

/* As if a packet of the read came: it comes later. */
void peer_post(struct peer *peer, void *key, DWORD bytes);

/* A packet of this peer came. True: it is that of the read. */
bool peer_has_read(struct peer *peer, const OVERLAPPED_ENTRY *entry);

/* A read has brought these bytes. The number of messages that are whole now. */
uint32_t peer_take(struct peer *peer, const struct peer_plan *plan, DWORD bytes);

#endif
