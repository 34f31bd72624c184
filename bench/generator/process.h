/* SPDX-License-Identifier: MIT */
/*
 * process.h - another program, or this one once more, which lives no longer than this process: whichever way it ends,
 * the system ends those that it started. One .c per system, and process.c for what is the same on all.
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
#define PROCESS_LISTENING "listening on " /* What a server says when it serves. */

struct process;

struct process_how {
    int processor;     /* Where it may run; it is not bound where the system does not let us. */
    bool errors_apart; /* Its stderr is ours; else that comes here, as its stdout does. */
};

/* The first word is the program's path; no word holds quotation marks. Its stdin is a pipe that stays empty. NULL where
 * it cannot be started. Owner: the caller; give it to process_end. */
struct process *process_start(const struct words *words, struct process_how how);

/* Takes what it says, and waits for more as long as it says nothing: at most `wait_ms`. False: it has ended, and all
 * that it said was taken. */
bool process_runs(struct process *process, uint32_t wait_ms);

struct said *process_said(struct process *process);

/* What has come of waiting for a line. */
enum process_heard { PROCESS_HEARD, PROCESS_HEARD_END, PROCESS_HEARD_NOTHING, PROCESS_HEARD_INTERRUPT };

/* Waits at most `wait_ms` until it says a whole line that begins so, such as what it has to say before it is of use.
 * That goes into `line`, cut to the room. */
enum process_heard process_hear(struct process *process, const char *begin, uint32_t wait_ms, char *line, size_t room);

/* "exit code 3", "signal 11 (Segmentation fault)"; once process_runs was false. */
void process_describe_end(const struct process *process, char *text, size_t room);
bool process_ended_well(const struct process *process); /* With 0. */

/* Ends its stdin, for who waits for that ends in order, and waits `wait_ms`. Has it ended? */
bool process_ends(struct process *process, uint32_t wait_ms);

/* The same; then asks it to end, where the system knows how, and waits; then ends it. NULL is fine. */
void process_end(struct process *process, uint32_t wait_ms);

uint32_t process_id(const struct process *process);

/* Processor time that it has spent so far, threads that have ended included; 0 where it cannot be known. Under Wine
 * that of Wine's server is in it, whoever asked that for something. Once it has said something. */
uint64_t process_cpu_ns(struct process *process);

/* Resident now; 0 where it cannot be known. */
uint64_t process_memory_bytes(const struct process *process);

#endif
