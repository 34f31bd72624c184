/* SPDX-License-Identifier: MIT */
/*
 * process.h - another program, which lives no longer than this one: whichever way this process ends, the system ends
 * those that it started. One .c per system.
 *
 * A Ctrl-C goes to this process alone, which ends the others in its turn. Thread: main, for all of these.
 */
#ifndef PIPEPORT_GENERATOR_PROCESS_H
#define PIPEPORT_GENERATOR_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/generator/said.h"
#include "bench/generator/words.h"

#define PROCESS_ANY_PROCESSOR (-1)

struct process;

/* The first word is the program's path; no word holds quotation marks. Its stdin is a pipe that stays empty, stdout and
 * stderr come here. `processor`: where it may run; it is not bound where the system does not let us. NULL where it
 * cannot be started. Owner: the caller; give it to process_end. */
struct process *process_start(const struct words *words, int processor);

/* Takes what it says, and waits for more as long as it says nothing: at most `wait_ms`. False: it has ended, and all
 * that it said was taken. */
bool process_runs(struct process *process, uint32_t wait_ms);

struct said *process_said(struct process *process);

/* "exit code 3", "signal 11 (Segmentation fault)"; once process_runs was false. */
void process_describe_end(const struct process *process, char *text, size_t room);
bool process_ended_well(const struct process *process); /* With 0. */

/* Its stdin ends: who waits for that ends in order. */
void process_end_input(struct process *process);

/* Ends its stdin and waits `wait_ms`; asks it to end, and waits; ends it. NULL is fine. */
void process_end(struct process *process, uint32_t wait_ms);

uint32_t process_id(const struct process *process);

/* Processor time that it has spent so far, threads that have ended included; 0 where it cannot be known. Under Wine
 * that of Wine's server is in it, whoever asked that for something. Once it has said something. */
uint64_t process_cpu_ns(struct process *process);

/* Resident now; 0 where it cannot be known. */
uint64_t process_memory_bytes(const struct process *process);

#endif
