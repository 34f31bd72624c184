/* SPDX-License-Identifier: MIT */
/*
 * machine.h - what the generator asks of the system beside the library. One .c per system; threads are of bench/crew.h.
 */
#ifndef PIPEPORT_GENERATOR_MACHINE_H
#define PIPEPORT_GENERATOR_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Processor time that a process (0: this one) has spent so far, user and system; 0 where it cannot be known. */
uint64_t machine_cpu_ns(uint32_t process);

/* Memory of a process that is resident now; 0 where it cannot be known. */
uint64_t machine_memory_bytes(uint32_t process);

uint32_t machine_process(void); /* This one's id. */
uint32_t machine_processors(void);

/* "AMD EPYC, 2 processors, Linux 6.1" */
void machine_describe(char *text, size_t text_bytes);

/* Rests for about so long, and often longer: as the system's timer has it. */
void machine_pause_us(uint32_t us);
void machine_yield(void);

/* Do both stdout and stderr go to somebody's eyes? */
bool machine_has_terminal(void);

/* A process of this same program, whose stdin ends when it shall, and whose stdout comes here. NULL where it cannot be
 * started. `arguments` are without the program's name, and end with NULL; they hold no quotation marks. */
struct machine_child;
struct machine_child *machine_child_start(const char *const *arguments);
uint32_t machine_child_process(const struct machine_child *child);

/* Waits until it has said something on its stdout. False: it did not within `wait_ms`, or has ended. */
bool machine_child_speaks(struct machine_child *child, uint32_t wait_ms);

/* Ends its stdin and waits; who does not end within `wait_ms` is ended. True: it ended by itself, with 0. NULL is
 * fine. */
bool machine_child_end(struct machine_child *child, uint32_t wait_ms);

#endif
