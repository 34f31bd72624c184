/* SPDX-License-Identifier: MIT */
/*
 * run.h - `pipeport-bench run`.
 */
#ifndef PIPEPORT_GENERATOR_RUN_H
#define PIPEPORT_GENERATOR_RUN_H

/* After its own word. Returns the exit code. */
int run_main(int count, char **arguments);

#endif
