/* SPDX-License-Identifier: MIT */
/*
 * wine.h - what Wine does not tell of other processes, from the system below it. Nowhere else is anything found.
 *
 * Wine's server does a part of what is a kernel's work elsewhere, for every message on a pipe, in a process of its own.
 */
#ifndef PIPEPORT_GENERATOR_WINDOWS_WINE_H
#define PIPEPORT_GENERATOR_WINDOWS_WINE_H

#include <stdint.h>

/* The system's id of a process of the program at that path with `word` as its first argument; 0 where none is found. */
uint32_t wine_find(const char *path, const char *word);

/* Processor time of that process, threads that have ended included, and of Wine's server, in steps of 10 ms; 0 where
 * it cannot be known. */
uint64_t wine_cpu_ns(uint32_t id);

#endif
