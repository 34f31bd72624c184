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

/* Memory of a process that is resident now, on Windows its private memory; 0 where it cannot be known. */
uint64_t machine_memory_bytes(uint32_t process);

uint32_t machine_process(void); /* This one's id. */

/* The path of this program; false where it has none that fits. */
bool machine_program(char *path, size_t room);

uint32_t machine_processors(void);

/* "AMD EPYC, 2 processors, Linux 6.1" */
void machine_describe(char *text, size_t text_bytes);

enum machine_place { MACHINE_NOTHING, MACHINE_FILE, MACHINE_STREAM };

/* What is at a path: a stream is a pipe or a device, a file all else. It is not opened: to open a pipe may wait for
 * whoever is at its other end, and to close it again tells him that this was all. */
enum machine_place machine_place(const char *path);

/* May this process write to the stream at a path? It is not opened. True where that cannot be known. False: errno says
 * why. */
bool machine_may_write(const char *path);

/* Rests for about so long, and often longer: as the system's timer has it. */
void machine_pause_us(uint32_t us);
void machine_yield(void);

/* What is printed to stdout from here on is not changed on its way (Windows: no carriage returns are put in). */
void machine_print_as_is(void);

/* Do both stdout and stderr go to somebody's eyes? */
bool machine_has_terminal(void);

/* How wide the terminal is to which stderr goes; 0 where that is not known. */
uint32_t machine_terminal_columns(void);

#endif
