/* SPDX-License-Identifier: MIT */
/*
 * run.h - one seed from its first draw to its last account: engines, servers, clients, raw peers, and those who use
 * them.
 */
#ifndef TESTS_SIM_RUN_H
#define TESTS_SIM_RUN_H

#include <stdint.h>

/* Ends the program where something breaks. */
void sim_run(uint64_t seed);

#endif
