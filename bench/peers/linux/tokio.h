/* SPDX-License-Identifier: MIT */
/*
 * tokio.h - what peer_tokio has in Rust (tokio.rs), as C sees it.
 */
#ifndef PIPEPORT_BENCH_PEERS_LINUX_TOKIO_H
#define PIPEPORT_BENCH_PEERS_LINUX_TOKIO_H

#include <stdbool.h>
#include <stdint.h>

/* Serves on the socket `name` and calls ready(with) once clients may come. It returns only where it cannot go on, and
 * has said why then. */
void tokio_serve(const char *name, uint32_t threads, bool broadcast, void (*ready)(const void *with), const void *with);

#endif
