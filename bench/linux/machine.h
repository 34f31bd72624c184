/* SPDX-License-Identifier: MIT */
/*
 * machine.h - where a benchmark runs, and what running cost.
 */
#ifndef PIPEPORT_BENCH_LINUX_MACHINE_H
#define PIPEPORT_BENCH_LINUX_MACHINE_H

#include <stdint.h>

enum { MACHINE_ANY_CPU = 1024 };

/* Binds this thread, and those it starts, to one processor; MACHINE_ANY_CPU: leaves it as it is. Ends the program
 * where that is refused. */
void machine_pin(uint32_t cpu);

/* Raises the bound on open files as far as it goes; ends the program if `wanted` are more than that. */
void machine_allow_files(uint32_t wanted);

/* Processor time of this process, and of all living threads of a process (its schedstat, proc(5)); 0: not to be had. */
uint64_t machine_own_cpu_ns(void);
uint64_t machine_process_cpu_ns(uint32_t pid);

/* Says what failed, with errno's sentence, and ends the program with 1. */
_Noreturn void machine_die(const char *what);

#endif
