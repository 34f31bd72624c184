/* SPDX-License-Identifier: MIT */
#include "bench/linux/bare.h"

#include "bench/linux/machine.h"

#include <stdio.h>

struct bare bare_begin(int argc, char **argv, const struct argument *own)
{
    static const struct argument none = {NULL, NULL, 0, 0, NULL};
    struct bare bare = {.connections = 10000};
    uint32_t cpu = MACHINE_ANY_CPU, broadcast = 0;
    const struct argument known[] = {
        {"--connections", &bare.connections, 1, 1000000, "connections at a time, at most"},
        {"--broadcast", &broadcast, 0, 1, "1: each message goes to all connections"},
        {"--cpu", &cpu, 0, MACHINE_ANY_CPU, "the processor to run on; the last: any"},
        own == NULL ? none : *own,
        none,
    };

    bare.path = arguments_read(argc, argv, known);
    bare.broadcast = broadcast != 0;
    machine_pin(cpu);
    machine_allow_files(bare.connections);
    return bare;
}

void bare_ready(const struct bare *bare)
{
    printf("listening on %s\n", bare->path);
    fflush(stdout);
}
