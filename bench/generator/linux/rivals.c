/* SPDX-License-Identifier: MIT */
#include "bench/generator/rival.h"

#define RIVALS_MORE_CONNECTIONS 64 /* Those of the last visit may still be going. */

enum rival_speech { RIVAL_FRAMES, RIVAL_NNG, RIVAL_ZEROMQ }; /* As the load counts them. */

const struct rival rivals[] = {
    {"pipeport", "pipeport", "pipeport_echo", "pipeport, one worker", {0}, RIVAL_PIPEPORT, 0, 19900, false},
    {"threads",
     "thread per client",
     "peer_threads",
     "a thread for each client, blocking",
     {0},
     RIVAL_PEER,
     0,
     29900,
     true},
    {"libuv", "libuv", "peer_libuv", "libuv, a uv_write for each message", {0}, RIVAL_PEER, 0, 999900, false},
    {"libuv-joined",
     "libuv joined",
     "peer_libuv",
     "libuv, replies joined by hand",
     {"--join", "1"},
     RIVAL_PEER,
     0,
     999900,
     false},
    {"asio", "Asio", "peer_asio", "Asio (C++)", {0}, RIVAL_PEER, 0, 999900, false},
    {"nng", "nng", "peer_nng", "nng, in its own protocol", {0}, RIVAL_PEER, RIVAL_NNG, 999900, false},
    {"zeromq", "ZeroMQ", "peer_zmq", "ZeroMQ, in its own protocol", {0}, RIVAL_PEER, RIVAL_ZEROMQ, 999900, false},
    {"bare-epoll", "bare epoll", "bare_epoll", "a loop around epoll, no library", {0}, RIVAL_BARE, 0, 999900, false},
    {"bare-uring",
     "bare io_uring",
     "bare_uring",
     "a loop around io_uring, no library",
     {0},
     RIVAL_BARE,
     0,
     999900,
     false},
};
const size_t rivals_count = sizeof rivals / sizeof rivals[0];

const bool rival_can[RIVAL_MODES] = {true, true, true, true};
const uint32_t rival_depth_max = 65536, rival_bytes_max = 16u << 20;

void rivals_add_to_server(const struct rival *rival, const struct rival_task *task, struct words *words)
{
    bool broadcast = task->mode == RIVAL_BROADCAST;
    uint32_t more = task->mode == RIVAL_CHURN && task->connections > RIVALS_MORE_CONNECTIONS ? task->connections
                                                                                             : RIVALS_MORE_CONNECTIONS;

    words_add_number(words, "--connections", task->connections + more);
    switch (rival->family) {
    case RIVAL_PIPEPORT:
        words_add_number(words, "--threads", 1);
        words_add_number(words, "--mode", broadcast);
        break;
    case RIVAL_PEER:
        words_add(words, "--mode");
        words_add(words, broadcast ? "broadcast" : "echo");
        break;
    case RIVAL_BARE:
        words_add_number(words, "--broadcast", broadcast);
        break;
    }
}

void rivals_add_to_load(const struct rival *rival, const struct rival_task *task, uint32_t server_process,
                        struct words *words)
{
    words_add_number(words, "--mode", (uint32_t) task->mode); /* Counted alike. */
    words_add_number(words, "--speech", rival->speech);
    words_add_number(words, "--server-pid", server_process);
}
