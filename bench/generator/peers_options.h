/* SPDX-License-Identifier: MIT */
/*
 * peers_options.h - the command line of `pipeport-bench peers`, made into a plan.
 */
#ifndef PIPEPORT_GENERATOR_PEERS_OPTIONS_H
#define PIPEPORT_GENERATOR_PEERS_OPTIONS_H

#include "bench/generator/contest.h"
#include "tools/pipeport/args.h"

/* The operand of options that take a list of peers. */
#define PEERS_OPTIONS_PEERS "PEER[,PEER...]"

/* Its table, for who prints help or completes words. */
extern const struct args_command peers_options_command;

/* Fills the plan. What is wrong is one line on stderr that says what, where and what to do. */
enum args_result peers_options_read(int count, char **arguments, struct contest_plan *plan);

#endif
