/* SPDX-License-Identifier: MIT */
/*
 * peer.h - clients without the library: bytes of their own making, cut where they like, and no manners.
 */
#ifndef TESTS_SIM_PEER_H
#define TESTS_SIM_PEER_H

#include "tests/sim/link.h"

void sim_peers_begin(void);

/* One more, as a thread. They end by themselves, and soon once they are called off. */
void sim_peer_spawn(void);
void sim_peers_call_off(void);
extern uint32_t sim_peers_busy;

#endif
