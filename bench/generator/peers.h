/* SPDX-License-Identifier: MIT */
/*
 * peers.h - `pipeport-bench peers`.
 */
#ifndef PIPEPORT_GENERATOR_PEERS_H
#define PIPEPORT_GENERATOR_PEERS_H

/* After its own word. Returns the exit code. */
int peers_main(int count, char **arguments);

#endif
