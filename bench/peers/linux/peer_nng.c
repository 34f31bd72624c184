/* SPDX-License-Identifier: MIT */
/*
 * peer_nng - a server on nng, in its own protocols over ipc://.
 *
 * What its users take to answer requests: a REP socket. A context of it receives, and sends back the very message, in
 * callbacks on nng's own threads (the scheme of its demo of asynchronous servers). --threads is how many contexts take
 * turns: more than one are no faster on one processor, and their replies come in any order, for which the load wants
 * --unordered 1. A pair socket would be leaner but has one partner. With --mode broadcast a PUB socket at NAME sends
 * what a PULL socket at NAME.ask receives; its queues are deep enough for what the load has under way, as PUB drops
 * what does not fit. It speaks SP and not our framing: see bench/peers/linux/client_nng.c and bench/linux/speech.h,
 * which visit it.
 */
#include "bench/linux/gnu.h"

#include "bench/linux/machine.h"
#include "bench/peers/options.h"

#include <nng/nng.h>
#include <nng/protocol/pipeline0/pull.h>
#include <nng/protocol/pubsub0/pub.h>
#include <nng/protocol/reqrep0/rep.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { CONTEXTS_MAX = 64, QUEUED_MESSAGES = 4096, MESSAGE_BYTES_MAX = 16 * 1024 * 1024 };

struct turn {
    nng_aio *aio;
    nng_ctx context;
    bool sending; /* Or receiving: what the aio does. */
};

static void check(int code, const char *what)
{
    if (code != 0) {
        fprintf(stderr, "peer_nng: %s: %s\n", what, nng_strerror(code));
        exit(1);
    }
}

static void turn_go_on(void *argument)
{
    struct turn *turn = argument;
    int code = nng_aio_result(turn->aio);

    if (!turn->sending && code == 0) {
        turn->sending = true; /* The message received is the aio's, and is what it sends. */
        nng_ctx_send(turn->context, turn->aio);
        return;
    }
    if (turn->sending && code != 0) { /* Who asked is gone. */
        nng_msg_free(nng_aio_get_msg(turn->aio));
    }
    turn->sending = false;
    nng_ctx_recv(turn->context, turn->aio);
}

static void listen_at(nng_socket socket, const char *name, const char *suffix)
{
    char address[256];

    snprintf(address, sizeof address, "%s%s", name, suffix);
    (void) unlink(address); /* Left by one that was killed. */
    snprintf(address, sizeof address, "ipc://%s%s", name, suffix);
    check(nng_socket_set_size(socket, NNG_OPT_RECVMAXSZ, MESSAGE_BYTES_MAX), "the longest message");
    check(nng_listen(socket, address, NULL, 0), address);
}

static void serve_echo(const struct options *options)
{
    static struct turn turns[CONTEXTS_MAX];
    nng_socket socket;

    check(nng_rep0_open(&socket), "a REP socket");
    for (uint32_t i = 0; i < options->threads; i++) {
        check(nng_ctx_open(&turns[i].context, socket), "a context");
        check(nng_aio_alloc(&turns[i].aio, turn_go_on, &turns[i]), "an aio");
        nng_ctx_recv(turns[i].context, turns[i].aio);
    }
    listen_at(socket, options->name, "");
    options_ready(options);
    for (;;) {
        pause();
    }
}

static void serve_broadcast(const struct options *options)
{
    nng_socket in, out;
    nng_msg *message;

    check(nng_pull0_open(&in), "a PULL socket");
    check(nng_pub0_open(&out), "a PUB socket");
    check(nng_socket_set_int(out, NNG_OPT_SENDBUF, QUEUED_MESSAGES), "the queues of PUB");
    listen_at(out, options->name, "");
    listen_at(in, options->name, ".ask");
    options_ready(options);
    for (;;) {
        check(nng_recvmsg(in, &message, 0), "receive");
        check(nng_sendmsg(out, message, 0), "send");
    }
}

int main(int argc, char **argv)
{
    const struct options_can can = {.threads_max = CONTEXTS_MAX, .connections_max = 1000000, .broadcast = true};
    struct options options = options_read(argc, argv, &can);

    machine_allow_files(options.connections);
    if (options.broadcast) {
        serve_broadcast(&options);
    } else {
        serve_echo(&options);
    }
    return 0;
}
