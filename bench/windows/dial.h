/* SPDX-License-Identifier: MIT */
/*
 * dial.h - a pipe's address, and connecting to it with a bound on the wait.
 */
#ifndef PIPEPORT_BENCH_DIAL_H
#define PIPEPORT_BENCH_DIAL_H

#include "bench/windows/win.h"

#include <stdint.h>

enum { DIAL_ADDRESS_BYTES = 256, DIAL_PIPE_BYTES = 64 * 1024 }; /* The second: asked of the system each way. */

/* \\.\pipe\NAME */
void dial_address(char address[DIAL_ADDRESS_BYTES], const char *name);

/* Connects, overlapped; while every instance is taken it waits, wait_ms in all.
 * Fails: INVALID_HANDLE_VALUE; GetLastError says why. */
HANDLE dial_connect(const char *address, uint32_t wait_ms);

/* Puts a pipe on a port: what finishes at once brings no packet, and no event is ever set. False: GetLastError. */
BOOL dial_bind(HANDLE pipe, HANDLE port, void *key);

#endif
