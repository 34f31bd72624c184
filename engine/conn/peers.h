/* SPDX-License-Identifier: MIT */
/*
 * peers.h - how many connections of a server are of one process, and how many of one user; there where either has a
 * bound.
 *
 * Who enters is counted under his process and his user, and it is noted with the number of his seat under which; a
 * count that falls to 0 is freed. Who leaves does so before his seat is given back, so that a seat is one connection's.
 * Any thread, under a lock of its own; nothing is called from inside it.
 */
#ifndef PP_CONN_PEERS_H
#define PP_CONN_PEERS_H

#include "engine/conn/table.h"
#include "engine/port/os.h"

enum { PP_PEERS_BUCKETS = 256 };

typedef struct pp_peers {
    uint32_t per_process_max, per_user_max; /* 0: no bound, and then they are not counted. */
    pp_lock lock;                           /* Guards what follows. */
    struct peers_count *buckets[PP_PEERS_BUCKETS];
    pp_table seats; /* Under which counts each seat's connection stands; by the seat's index. */
} pp_peers;

void pp_peers_init(pp_peers *peers, pp_memory *memory, uint32_t per_process_max, uint32_t per_user_max);
void pp_peers_fini(pp_peers *peers);

/* Counts the connection of this seat, which is not counted. Fails: FULL (a bound is reached), NO_MEMORY. */
pipeport_status pp_peers_enter(pp_peers *peers, uint32_t seat, const pipeport_peer *peer);

/* It is counted no more, if it was. */
void pp_peers_leave(pp_peers *peers, uint32_t seat);

/* Tests: asserts what must hold while nobody is inside a call on it. The number of connections that are counted. */
uint32_t pp_peers_check(pp_peers *peers);

#endif
