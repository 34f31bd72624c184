/* SPDX-License-Identifier: MIT */
#include "bench/generator/rival.h"

enum rival_speech { RIVAL_FRAMES, RIVAL_NNG, RIVAL_ZEROMQ }; /* As the load counts them. */

static const struct rival rivals_pipeport = {
    .word = "pipeport",
    .title = "pipeport",
    .program = "pipeport_echo",
    .about = "pipeport, one worker",
    .family = RIVAL_PIPEPORT,
};

static const struct rival rivals_threads = {
    .word = "threads",
    .title = "thread per client",
    .program = "peer_threads",
    .about = "a thread for each client, blocking",
    .family = RIVAL_PEER,
    .ends_threads = true,
};

static const struct rival rivals_asio = {
    .word = "asio",
    .title = "Asio",
    .program = "peer_asio",
    .about = "Asio (C++)",
    .family = RIVAL_PEER,
};

static const struct rival rivals_tokio = {
    .word = "tokio",
    .title = "tokio",
    .program = "peer_tokio",
    .about = "tokio (Rust)",
    .family = RIVAL_PEER,
};

static const struct rival rivals_nng = {
    .word = "nng",
    .title = "nng",
    .program = "peer_nng",
    .about = "nng, visited by its own client",
    .family = RIVAL_PEER,
    .load = "load_nng",
};

static const struct rival rivals_nng_raw = {
    .word = "nng-raw",
    .title = "nng, raw load",
    .program = "peer_nng",
    .about = "nng, the raw load speaks its protocol",
    .family = RIVAL_PEER,
    .speech = RIVAL_NNG,
};

static const struct rival rivals_zeromq = {
    .word = "zeromq",
    .title = "ZeroMQ",
    .program = "peer_zmq",
    .about = "ZeroMQ, visited by its own client",
    .family = RIVAL_PEER,
    .load = "load_zmq",
};

static const struct rival rivals_zeromq_raw = {
    .word = "zeromq-raw",
    .title = "ZeroMQ, raw load",
    .program = "peer_zmq",
    .about = "ZeroMQ, the raw load speaks its protocol",
    .family = RIVAL_PEER,
    .speech = RIVAL_ZEROMQ,
};

static const struct rival rivals_bare_epoll = {
    .word = "bare-epoll",
    .title = "bare epoll",
    .program = "bare_epoll",
    .about = "a loop around epoll, no library",
    .family = RIVAL_BARE,
};

static const struct rival rivals_bare_uring = {
    .word = "bare-uring",
    .title = "bare io_uring",
    .program = "bare_uring",
    .about = "a loop around io_uring, no library",
    .family = RIVAL_BARE,
};

const struct rival *const rivals[] = {&rivals_pipeport, &rivals_threads,    &rival_libuv,       &rival_libuv_joined,
                                      &rivals_asio,     &rivals_tokio,      &rivals_nng,        &rivals_zeromq,
                                      &rivals_nng_raw,  &rivals_zeromq_raw, &rivals_bare_epoll, &rivals_bare_uring};
const size_t rivals_count = sizeof rivals / sizeof rivals[0];

const uint32_t rival_depth_max = 65536, rival_bytes_max = 16u << 20;

void rivals_add_to_server(const struct rival *rival, const struct rival_task *task, struct words *words)
{
    bool broadcast = task->mode == RIVAL_BROADCAST;

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
    (void) task;
    if (rival->load == NULL) {
        words_add_number(words, "--speech", rival->speech);
    }
    words_add_number(words, "--server-pid", server_process);
}
