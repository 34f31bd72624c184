/* SPDX-License-Identifier: MIT */
#include "bench/peers/options.h"

#include "bench/arguments.h"

#include <stdio.h>
#include <string.h>

/* The mode may be given as a word; the other options are numbers, as arguments_read takes them. */
static void options_spell_mode(int argc, char **argv)
{
    static char echo[] = "0", broadcast[] = "1";

    for (int i = 1; i + 1 < argc; i++) {
        if (strcmp(argv[i], "--mode") == 0 && strcmp(argv[i + 1], "echo") == 0) {
            argv[i + 1] = echo;
        } else if (strcmp(argv[i], "--mode") == 0 && strcmp(argv[i + 1], "broadcast") == 0) {
            argv[i + 1] = broadcast;
        }
    }
}

struct options options_read(int argc, char **argv, const struct options_can *can)
{
    struct options options = {.threads = 1, .connections = 1000};
    uint32_t mode = 0, join = 0;
    const struct argument known[] = {
        {"--threads", &options.threads, 1, can->threads_max, "threads that serve"},
        {"--connections", &options.connections, 1, can->connections_max, "connections at a time, at most"},
        {"--mode", &mode, 0, can->broadcast, "echo or 0; broadcast or 1: each message goes to all connections"},
        {"--join", &join, 0, can->join, "1: replies that are ready together leave together"},
        {NULL, NULL, 0, 0, NULL},
    };

    if (options.connections > can->connections_max) {
        options.connections = can->connections_max;
    }
    options_spell_mode(argc, argv);
    options.name = arguments_read(argc, argv, known);
    options.broadcast = mode != 0;
    options.join = join != 0;
    return options;
}

void options_ready(const struct options *options)
{
    printf("listening on %s\n", options->name);
    fflush(stdout);
}
