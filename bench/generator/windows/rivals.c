/* SPDX-License-Identifier: MIT */
#include "bench/generator/rival.h"

#include <windows.h>

enum { RIVALS_THREADS_MAX = 2 }; /* Of those on a completion port. */

static const struct rival rivals_pipeport = {
    .word = "pipeport",
    .title = "pipeport",
    .program = "pipeport_echo",
    .about = "pipeport, a worker for each processor, two at most",
    .family = RIVAL_PIPEPORT,
};

static const struct rival rivals_blocking = {
    .word = "blocking",
    .title = "thread per client",
    .program = "peer_blocking",
    .about = "a thread for each client, blocking",
    .family = RIVAL_PEER,
    .ends_threads = true,
    .only_echoes = true,
};

static const struct rival rivals_overlapped = {
    .word = "overlapped",
    .title = "overlapped",
    .program = "peer_overlapped",
    .about = "overlapped operations and an array of events",
    .family = RIVAL_PEER,
    .connections_max = 63,
    .only_echoes = true,
};

static const struct rival rivals_routines = {
    .word = "routines",
    .title = "completion routines",
    .program = "peer_routines",
    .about = "completion routines (APC)",
    .family = RIVAL_PEER,
    .only_echoes = true,
};

static const struct rival rivals_bare_iocp = {
    .word = "bare-iocp",
    .title = "bare IOCP",
    .program = "bare_iocp",
    .about = "a completion port's loop, as many threads, no library",
    .family = RIVAL_BARE,
};

const struct rival *const rivals[] = {&rivals_pipeport, &rivals_blocking,    &rivals_overlapped, &rivals_routines,
                                      &rival_libuv,     &rival_libuv_joined, &rivals_bare_iocp};
const size_t rivals_count = sizeof rivals / sizeof rivals[0];

const uint32_t rival_depth_max = 1024, rival_bytes_max = 65536;

/* One for each processor that this process, and so what it starts, may use. */
static uint32_t rivals_threads(void)
{
    DWORD_PTR ours = 0, all = 0;
    uint32_t count = 0;

    GetProcessAffinityMask(GetCurrentProcess(), &ours, &all);
    while (ours != 0 && count < RIVALS_THREADS_MAX) {
        ours &= ours - 1;
        count++;
    }
    return count != 0 ? count : 1;
}

void rivals_add_to_server(const struct rival *rival, const struct rival_task *task, struct words *words)
{
    bool broadcast = task->mode == RIVAL_BROADCAST;

    switch (rival->family) {
    case RIVAL_PIPEPORT:
        words_add_number(words, "--threads", rivals_threads());
        words_add_number(words, "--mode", broadcast);
        break;
    case RIVAL_PEER:
        words_add_number(words, "--mode", broadcast);
        break;
    case RIVAL_BARE:
        words_add_number(words, "--threads", rivals_threads());
        words_add_number(words, "--broadcast", broadcast);
        break;
    }
}

void rivals_add_to_load(const struct rival *rival, const struct rival_task *task, uint32_t server_process,
                        struct words *words)
{
    (void) rival, (void) task, (void) server_process, (void) words;
}
