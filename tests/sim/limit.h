/* SPDX-License-Identifier: MIT */
/*
 * limit.h - bounds on the connections of one process and of one user; see limit.c.
 */
#ifndef TESTS_SIM_LIMIT_H
#define TESTS_SIM_LIMIT_H

/* A new world: nobody is there. */
void sim_limits_begin(void);

#endif
