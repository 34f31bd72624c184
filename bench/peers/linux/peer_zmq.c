/* SPDX-License-Identifier: MIT */
/*
 * peer_zmq - a server on ZeroMQ, in its own protocols over ipc://.
 *
 * What its users take for many clients that may have more than one request under way: a ROUTER socket, whose messages
 * come with the name of the connection, and go back with it. One thread of ours, and --threads of ZeroMQ's own for what
 * is on the sockets. With --mode broadcast a PUB socket at NAME sends what a PULL socket at NAME.ask receives. Queues
 * have no bound, as ROUTER and PUB drop what does not fit: what the load has under way bounds them. It speaks ZMTP and
 * not our framing: see bench/peers/linux/client_zmq.c and bench/linux/speech.h, which visit it.
 */
#include "bench/linux/gnu.h"

#include "bench/linux/machine.h"
#include "bench/peers/options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <zmq.h>

enum { BACKLOG = 4096 };

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "peer_zmq: %s: %s\n", what, zmq_strerror(errno));
    exit(1);
}

static void *listen_at(void *context, int type, const char *name, const char *suffix)
{
    const int backlog = BACKLOG, unbounded = 0;
    char address[256];
    void *socket = zmq_socket(context, type);

    snprintf(address, sizeof address, "ipc://%s%s", name, suffix);
    if (socket == NULL || zmq_setsockopt(socket, ZMQ_BACKLOG, &backlog, sizeof backlog) != 0 ||
        zmq_setsockopt(socket, ZMQ_SNDHWM, &unbounded, sizeof unbounded) != 0 ||
        zmq_setsockopt(socket, ZMQ_RCVHWM, &unbounded, sizeof unbounded) != 0 || zmq_bind(socket, address) != 0) {
        die(address);
    }
    return socket;
}

/* Sends all parts of a message on. */
static void forward(void *from, void *to)
{
    zmq_msg_t part;
    int more;

    zmq_msg_init(&part);
    do {
        if (zmq_msg_recv(&part, from, 0) < 0) {
            die("receive");
        }
        more = zmq_msg_more(&part);
        if (zmq_msg_send(&part, to, more != 0 ? ZMQ_SNDMORE : 0) < 0) { /* And `part` is empty again. */
            die("send");
        }
    } while (more != 0);
    zmq_msg_close(&part);
}

int main(int argc, char **argv)
{
    const struct options_can can = {.threads_max = 8, .connections_max = 1000000, .broadcast = true};
    struct options options = options_read(argc, argv, &can);
    void *context = zmq_ctx_new();
    void *in, *out;

    machine_allow_files(options.connections);
    if (context == NULL || zmq_ctx_set(context, ZMQ_IO_THREADS, (int) options.threads) != 0) {
        die("a context");
    }
    in = out = listen_at(context, options.broadcast ? ZMQ_PUB : ZMQ_ROUTER, options.name, "");
    if (options.broadcast) {
        in = listen_at(context, ZMQ_PULL, options.name, ".ask");
    }
    options_ready(&options);
    for (;;) {
        forward(in, out);
    }
}
