/* SPDX-License-Identifier: MIT */
/*
 * bare.h - how the bare loops begin: their command line, where they run, and when clients may come.
 */
#ifndef PIPEPORT_BENCH_LINUX_BARE_H
#define PIPEPORT_BENCH_LINUX_BARE_H

#include "bench/arguments.h"

#include <stdbool.h>
#include <stdint.h>

struct bare {
    const char *path;
    uint32_t connections; /* At a time, at most; so many files may be open. */
    bool broadcast;       /* Each message goes to all connections; otherwise back to whom it came from. */
};

/* Reads the command line, and binds this thread to the processor that it names. `own`: an option that this loop alone
 * has, or NULL. Ends the program where something of it cannot be. */
struct bare bare_begin(int argc, char **argv, const struct argument *own);

/* Tells whoever started the program that clients may come. */
void bare_ready(const struct bare *bare);

#endif
