/* SPDX-License-Identifier: MIT */
#include "bench/generator/rival.h"

#define RIVALS_THREADS 2 /* Of those on a completion port. */

const struct rival rivals[] = {
    {"pipeport", "pipeport", "pipeport_echo", "pipeport, two workers", {0}, RIVAL_PIPEPORT, 0, 20000, false},
    {"blocking",
     "thread per client",
     "peer_blocking",
     "a thread for each client, blocking",
     {0},
     RIVAL_PEER,
     0,
     20000,
     true},
    {"overlapped",
     "overlapped",
     "peer_overlapped",
     "overlapped operations and an array of events",
     {0},
     RIVAL_PEER,
     0,
     63,
     false},
    {"routines", "completion routines", "peer_routines", "completion routines (APC)", {0}, RIVAL_PEER, 0, 20000, false},
    {"libuv", "libuv", "peer_libuv", "libuv, a uv_write for each message", {0}, RIVAL_PEER, 0, 20000, false},
    {"libuv-joined",
     "libuv joined",
     "peer_libuv",
     "libuv, replies joined by hand",
     {"--join", "1"},
     RIVAL_PEER,
     0,
     20000,
     false},
    {"bare-iocp",
     "bare IOCP",
     "bare_iocp",
     "a loop around a completion port, two threads, no library",
     {0},
     RIVAL_BARE,
     0,
     20000,
     false},
};
const size_t rivals_count = sizeof rivals / sizeof rivals[0];

const bool rival_can[RIVAL_MODES] = {true, false, false, false};
const uint32_t rival_depth_max = 1024, rival_bytes_max = 65536;

void rivals_add_to_server(const struct rival *rival, const struct rival_task *task, struct words *words)
{
    words_add_number(words, "--connections", task->connections);
    if (rival->family != RIVAL_PEER) {
        words_add_number(words, "--threads", RIVALS_THREADS);
    }
}

void rivals_add_to_load(const struct rival *rival, const struct rival_task *task, uint32_t server_process,
                        struct words *words)
{
    (void) rival, (void) task, (void) server_process, (void) words;
}
