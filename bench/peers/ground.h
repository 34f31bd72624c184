/* SPDX-License-Identifier: MIT */
/*
 * ground.h - what a peer that runs on both systems needs of each.
 */
#ifndef PIPEPORT_BENCH_PEERS_GROUND_H
#define PIPEPORT_BENCH_PEERS_GROUND_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The address of that name, for as long as the program runs: a socket's path, or \\.\pipe\NAME. */
const char *ground_address(const char *name);

/* So many connections shall be possible, and a client that goes shall end nobody but itself. Ends the program where the
 * system allows fewer. */
void ground_prepare(uint32_t connections);

#ifdef __cplusplus
}
#endif

#endif
