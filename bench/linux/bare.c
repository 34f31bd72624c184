/* SPDX-License-Identifier: MIT */
#include "bench/linux/bare.h"

#include "bench/linux/machine.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

static void *bare_sleep(void *nothing)
{
    for (;;) {
        pause();
    }
    return nothing;
}

/* They do nothing, but the process has more than one thread: so for each call the kernel counts who uses the file. */
static void bare_start_sleepers(uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        pthread_t thread;

        if (pthread_create(&thread, NULL, bare_sleep, NULL) != 0) {
            machine_die("pthread_create");
        }
    }
}

struct bare bare_begin(int argc, char **argv, const struct argument *own)
{
    static const struct argument none = {NULL, NULL, 0, 0, NULL};
    struct bare bare = {.connections = 10000};
    uint32_t cpu = MACHINE_ANY_CPU, broadcast = 0, sleepers = 0;
    const struct argument known[] = {
        {"--connections", &bare.connections, 1, 1000000, "connections at a time, at most"},
        {"--broadcast", &broadcast, 0, 1, "1: each message goes to all connections"},
        {"--cpu", &cpu, 0, MACHINE_ANY_CPU, "the processor to run on; the last: any"},
        {"--sleepers", &sleepers, 0, 64, "threads beside it that do nothing"},
        own == NULL ? none : *own,
        none,
    };

    bare.path = arguments_read(argc, argv, known);
    bare.broadcast = broadcast != 0;
    machine_pin(cpu);
    machine_allow_files(bare.connections);
    bare_start_sleepers(sleepers);
    return bare;
}

void bare_ready(const struct bare *bare)
{
    printf("listening on %s\n", bare->path);
    fflush(stdout);
}
