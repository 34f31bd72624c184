/* SPDX-License-Identifier: MIT */
/*
 * options.h - the command line that all peers share: NAME [--threads N] [--connections N] [--mode M] [--join J].
 */
#ifndef PIPEPORT_BENCH_PEERS_OPTIONS_H
#define PIPEPORT_BENCH_PEERS_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct options {
    const char *name;
    uint32_t threads;     /* At least 1. */
    uint32_t connections; /* At a time, at most. */
    bool broadcast;       /* Each message goes to all connections; otherwise back to whom it came from. */
    bool join;            /* Replies leave together where the library would send each by itself. */
};

/* What a peer can do besides one thread that echoes. */
struct options_can {
    uint32_t threads_max, connections_max;
    bool broadcast, join;
};

/* Reads the command line. What this peer cannot do is refused: it says so and ends the program. */
struct options options_read(int argc, char **argv, const struct options_can *can);

/* Tells whoever started the program that clients may come. */
void options_ready(const struct options *options);

#ifdef __cplusplus
}
#endif

#endif
