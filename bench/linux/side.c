/* SPDX-License-Identifier: MIT */
/*
 * The load on Linux: raw sockets and an epoll set, one thread. `load_cpu` tells how busy the load itself was: near 1.00
 * it is the load that limits, not the server.
 */
#include "bench/linux/gnu.h"

#include "bench/load.h"

#include "bench/linux/machine.h"
#include "bench/linux/meter.h"
#include "bench/linux/own.h"
#include "bench/linux/socket.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { GATHER_TRIES = 10, GATHER_MS = 3000 };

const struct side_bounds side_bounds = {
    .connections_max = 1000000, .size_min = PEER_SIZE_MIN, .size_max = 16 * 1024 * 1024, .depth_max = 65536};

static uint32_t cpu = MACHINE_ANY_CPU, spin, unordered, kind = SPEECH_OWN, server_pid;

const struct argument side_options[] = {
    {"--speech", &kind, SPEECH_OWN, SPEECH_ZEROMQ, "0 length and bytes, as all here; 1 nng; 2 ZeroMQ"},
    {"--unordered", &unordered, 0, 1, "1: lengths and counts are checked, the order is not"},
    {"--spin", &spin, 0, 1, "1: never sleeps, so that the server has nobody to wake"},
    {"--server-pid", &server_pid, 0, UINT32_MAX, "whose processor time to report, for each message"},
    {"--cpu", &cpu, 0, MACHINE_ANY_CPU, "the processor to run on; the last: any"},
    {NULL, NULL, 0, 0, NULL},
};

void side_prepare(struct load *load)
{
    static struct side side;

    load->side = &side;
    side.plan.ordered = unordered == 0;
    side.plan.size = load->size;
    side.plan.frames_max = load->sent_max;
    meter_watch(server_pid);
    machine_pin(cpu);
    machine_allow_files(load->connections + load->deaf);
    speech_init(&side.plan.speech, (enum speech_kind) kind, load->mode == LOAD_BROADCAST, load->size);
    peer_plan_init(&side.plan);
    side.room = malloc(OWN_RECEIVE_BYTES);
    side.peers = calloc(load->connections, sizeof *side.peers);
    if (side.room == NULL || side.peers == NULL) {
        machine_die("the load cannot begin");
    }
}

void side_tell(const struct load *load)
{
    meter_tell();
    printf(" fruitless=%" PRIu64, load->side->fruitless);
}

void side_connect(struct load *load)
{
    struct side *side = load->side;

    side->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (side->epoll < 0) {
        machine_die("the load cannot begin");
    }
    for (uint32_t i = 0; i < load->connections; i++) {
        struct peer *peer = &side->peers[i];
        struct epoll_event event = {.events = EPOLLIN | (uint32_t) EPOLLET, .data.ptr = peer};

        peer->fd = speech_connect(load->name, side->plan.speech.hello);
        if (peer->fd < 0 || !speech_greeted(peer->fd, side->plan.speech.hello) ||
            epoll_ctl(side->epoll, EPOLL_CTL_ADD, peer->fd, &event) != 0) {
            machine_die("no connection");
        }
    }
}

void side_connect_deaf(struct load *load)
{
    for (uint32_t i = 0; i < load->deaf; i++) {
        if (socket_connect(load->name) < 0) {
            machine_die("no connection");
        }
    }
}

static const char side_ended[] = "the server ended a connection";

void own_must_send(bool sent)
{
    if (!sent && (errno == EPIPE || errno == ECONNRESET)) {
        load_fail(side_ended);
    }
    if (!sent) {
        machine_die("send");
    }
}

int own_wait(struct load *load, struct epoll_event *events)
{
    int count = epoll_wait(load->side->epoll, events, OWN_BATCH, spin != 0 ? 0 : 10000);

    if (count == 0 && spin == 0) {
        load_fail("nothing came for ten seconds");
    }
    if (count < 0 && errno != EINTR) {
        machine_die("epoll_wait");
    }
    load->side->fruitless += count == 0;
    return count;
}

uint32_t own_receive(struct load *load, struct peer *peer)
{
    uint32_t whole = 0;
    ssize_t came;

    do {
        uint32_t more;

        came = recv(peer->fd, load->side->room, OWN_RECEIVE_BYTES, MSG_DONTWAIT);
        if (came < 0 && errno == EAGAIN) {
            break;
        }
        if (came <= 0) {
            load_fail(side_ended);
        }
        more = peer_take(peer, &load->side->plan, load->side->room, (uint32_t) came);
        if (more == UINT32_MAX) {
            load_fail("a reply of a wrong length or out of order");
        }
        whole += more;
    } while (came == OWN_RECEIVE_BYTES); /* Less than that: there was no more, and there will be an edge. */
    return whole;
}

void side_send_each(struct load *load)
{
    for (uint32_t i = 0; i < load->connections; i++) {
        own_must_send(peer_send(&load->side->peers[i], &load->side->plan, 1));
    }
}

/* Who sends to all; NULL: this is no broadcast. */
static struct peer *side_sender(const struct load *load)
{
    if (load->mode != LOAD_BROADCAST) {
        return NULL;
    }
    return load->side->plan.speech.ask != NULL ? &load->side->asker : &load->side->peers[load->connections - 1];
}

void side_send_to_all(struct load *load, uint32_t count)
{
    own_must_send(peer_send(side_sender(load), &load->side->plan, count));
}

uint32_t side_take(struct load *load)
{
    struct epoll_event events[OWN_BATCH];
    struct peer *sender = side_sender(load);
    uint32_t came = 0;
    int count;

    if (sender != NULL && sender->unsent_bytes != 0) {
        own_must_send(peer_send_rest(sender, &load->side->plan));
    }
    count = own_wait(load, events);
    for (int i = 0; i < count; i++) {
        came += own_receive(load, events[i].data.ptr);
    }
    return came;
}

bool side_is_even(const struct load *load)
{
    for (uint32_t i = 0; i < load->connections; i++) {
        if (load->side->peers[i].taken != side_sender(load)->sent) {
            return false;
        }
    }
    return true;
}

/* How many have the asker's one message. Waits until it is all, or nothing came for a while: to those it did not come,
 * and one that has it late after all will be met by the check of the order. */
static uint32_t side_gather_once(struct load *load)
{
    struct epoll_event events[OWN_BATCH];
    struct peer *asker = &load->side->asker;
    uint32_t came = 0;
    int count;

    own_must_send(peer_send(asker, &load->side->plan, 1) && asker->unsent_bytes == 0);
    while (came < load->connections && (count = epoll_wait(load->side->epoll, events, OWN_BATCH, GATHER_MS)) > 0) {
        for (int i = 0; i < count; i++) {
            came += own_receive(load, events[i].data.ptr);
        }
    }
    for (uint32_t i = 0; i < load->connections; i++) {
        load->side->peers[i].taken = asker->sent;
    }
    return came;
}

void side_gather(struct load *load)
{
    const struct speech_hello *ask = load->side->plan.speech.ask;
    char path[108];
    int tries = 0;

    if (ask == NULL) {
        return;
    }
    snprintf(path, sizeof path, "%s.ask", load->name);
    load->side->asker.fd = speech_connect(path, ask);
    if (load->side->asker.fd < 0 || !speech_greeted(load->side->asker.fd, ask)) {
        machine_die("no connection for who asks");
    }
    while (side_gather_once(load) < load->connections) {
        if (++tries == GATHER_TRIES) {
            load_fail("what was sent did not come to all");
        }
    }
}

bool side_is_greeted(const struct load *load)
{
    return load->side->plan.speech.hello != NULL;
}

void side_visit_begin(struct load *load, uint32_t index)
{
    struct peer *peer = &load->side->peers[index];

    *peer = (struct peer){.fd = speech_connect(load->name, load->side->plan.speech.hello)};
    if (peer->fd < 0) {
        machine_die("no connection");
    }
}

void side_visit_ask(struct load *load, uint32_t index)
{
    struct peer *peer = &load->side->peers[index];

    if (!speech_greeted(peer->fd, load->side->plan.speech.hello)) {
        load_fail("a visit that the server did not greet");
    }
    own_must_send(peer_send(peer, &load->side->plan, 1) && peer->unsent_bytes == 0);
}

void side_visit_end(struct load *load, uint32_t index)
{
    struct peer *peer = &load->side->peers[index];

    while (peer->taken == 0) {
        ssize_t came = recv(peer->fd, load->side->room, OWN_RECEIVE_BYTES, 0); /* Waits. */

        if (came <= 0 || peer_take(peer, &load->side->plan, load->side->room, (uint32_t) came) > 1) {
            load_fail("a visit without its reply");
        }
    }
    close(peer->fd);
}
