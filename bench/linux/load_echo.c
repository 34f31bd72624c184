/* SPDX-License-Identifier: MIT */
/*
 * load_echo - `depth` messages in flight on each connection: what came back is sent anew, joined.
 */
#include "bench/linux/gnu.h"

#include "bench/linux/own.h"

#include "bench/clock.h"
#include "bench/linux/machine.h"

#include <stdlib.h>
#include <sys/epoll.h>

/* When each message in flight left: of connection i the messages n stand at i * depth + n % depth. */
static uint64_t *departures;

static uint64_t *echo_departure(const struct load *load, const struct peer *peer, uint32_t number)
{
    return &departures[(size_t) (peer - load->side->peers) * load->depth + number % load->depth];
}

static void echo_ask_for_room(const struct load *load, struct peer *peer, bool wanted)
{
    struct epoll_event event = {.events = EPOLLIN | (uint32_t) EPOLLET, .data.ptr = peer};

    event.events |= wanted ? EPOLLOUT : 0u;
    if (epoll_ctl(load->side->epoll, EPOLL_CTL_MOD, peer->fd, &event) != 0) {
        machine_die("epoll_ctl");
    }
}

/* Sends as many as are missing in flight. The numbers of what is sent tell what is missing: nobody counts it. */
static void echo_send(struct load *load, struct peer *peer, uint64_t now_ns)
{
    uint32_t missing = load->depth - (peer->sent - peer->taken);

    if (peer->unsent_bytes != 0 || missing == 0) {
        return;
    }
    for (uint32_t i = 0; i < missing; i++) {
        *echo_departure(load, peer, peer->sent + i) = now_ns;
    }
    own_must_send(peer_send(peer, &load->side->plan, missing));
    if (peer->unsent_bytes != 0) {
        echo_ask_for_room(load, peer, true);
    }
}

static void echo_serve(struct load *load, struct peer *peer, uint32_t events)
{
    uint32_t first = peer->taken;
    uint32_t count = (events & ~(uint32_t) EPOLLOUT) != 0 ? own_receive(load, peer) : 0;
    uint64_t now_ns = clock_now_ns();

    if (load->counting) {
        for (uint32_t i = 0; i < count; i++) {
            histogram_add(&load->trips, now_ns - *echo_departure(load, peer, first + i));
        }
        load->counted += count;
    }
    load->all += count;
    if (peer->unsent_bytes != 0 && (events & EPOLLOUT) != 0) {
        own_must_send(peer_send_rest(peer, &load->side->plan));
        if (peer->unsent_bytes == 0) {
            echo_ask_for_room(load, peer, false);
        }
    }
    echo_send(load, peer, now_ns);
}

void load_echo(struct load *load)
{
    struct epoll_event events[OWN_BATCH];

    departures = calloc((size_t) load->connections * load->depth, sizeof *departures);
    if (departures == NULL) {
        machine_die("calloc");
    }
    side_connect(load);
    load_begin(load);
    for (uint32_t i = 0; i < load->connections; i++) {
        echo_send(load, &load->side->peers[i], clock_now_ns());
    }
    while (!load_over(load, clock_now_ns())) {
        int count = own_wait(load, events);

        for (int i = 0; i < count; i++) {
            echo_serve(load, events[i].data.ptr, events[i].events);
        }
    }
    load_settle(load);
}
