/* SPDX-License-Identifier: MIT */
/*
 * The load on Windows: overlapped pipes on a completion port, one thread; echoes may have more.
 */
#include "bench/load.h"

#include "bench/clock.h"
#include "bench/windows/own.h"

#include <stdio.h>
#include <stdlib.h>

enum { GATHER_TRIES = 50, GATHER_MS = 200 };

const struct side_bounds side_bounds = {
    .connections_max = 20000, .size_min = PEER_SIZE_MIN, .size_max = 65536, .depth_max = 1024};

static uint32_t threads = 1;

const struct argument side_options[] = {
    {"--threads", &threads, 1, 64, "echo: threads of the load, each with a port of its own"},
    {NULL, NULL, 0, 0, NULL},
};

HANDLE own_port(void)
{
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);

    if (port == NULL) {
        peer_die("no port", GetLastError());
    }
    return port;
}

ULONG own_wait(HANDLE port, OVERLAPPED_ENTRY *entries, DWORD wait_ms)
{
    ULONG count = 0;

    if (!GetQueuedCompletionStatusEx(port, entries, OWN_BATCH, &count, wait_ms, FALSE)) {
        if (wait_ms == OWN_SILENCE_MS || GetLastError() != WAIT_TIMEOUT) {
            peer_die("no reply came", GetLastError());
        }
        return 0;
    }
    return count;
}

void side_prepare(struct load *load)
{
    static struct side side;

    load->side = &side;
    dial_address(side.address, load->name);
    side.plan = (struct peer_plan){.size = load->size, .frames_max = load->sent_max};
    side.threads = threads < load->connections ? threads : load->connections;
    side.port = own_port();
    side.peers = calloc(load->connections, sizeof *side.peers);
    if (side.peers == NULL) {
        load_fail("no memory");
    }
}

void side_counting_begins(struct load *load)
{
    (void) load; /* Wine tells the processor time of no other process; who started both measures it. */
}

void side_counting_ends(struct load *load, uint64_t ns)
{
    (void) load, (void) ns;
}

void side_tell(const struct load *load)
{
    printf(" connect_ms=%.1f", load->side->connect_ms);
}

/* Broadcasts come unasked. All others are read only while something is due: who is closed has no read armed. */
static bool side_is_due(const struct load *load, const struct peer *peer)
{
    return load->mode == LOAD_BROADCAST || peer->taken != peer->sent;
}

/* Reads until one pends or nothing is due. The whole messages that came meanwhile. */
static uint32_t side_read(struct load *load, struct peer *peer)
{
    uint32_t whole = 0;
    DWORD bytes = 0;

    while (side_is_due(load, peer) && peer_read(peer, &load->side->plan, &bytes)) {
        whole += peer_take(peer, &load->side->plan, bytes);
    }
    return whole;
}

void side_connect(struct load *load)
{
    uint64_t from_ns = clock_now_ns();

    for (uint32_t i = 0; i < load->connections; i++) {
        struct peer *peer = &load->side->peers[i];

        peer_init(peer, &load->side->plan, load->side->address, load->side->port, peer);
        peer->comes_late = load->mode == LOAD_BROADCAST;
        if (side_read(load, peer) != 0) {
            load_fail("a message that nobody asked for");
        }
    }
    load->side->connect_ms = (double) (clock_now_ns() - from_ns) / 1e6;
}

void side_connect_deaf(struct load *load)
{
    for (uint32_t i = 0; i < load->deaf; i++) {
        static struct peer deaf; /* Its pipe stays; nothing else of it is needed. */

        peer_init(&deaf, &load->side->plan, load->side->address, load->side->port, NULL);
    }
}

void side_send_each(struct load *load)
{
    for (uint32_t i = 0; i < load->connections; i++) {
        peer_send(&load->side->peers[i], &load->side->plan, 1);
        load->side->early += side_read(load, &load->side->peers[i]);
    }
}

static uint32_t side_take_within(struct load *load, DWORD wait_ms)
{
    OVERLAPPED_ENTRY entries[OWN_BATCH];
    uint32_t whole = load->side->early;
    ULONG count;

    load->side->early = 0;
    if (whole != 0) {
        return whole;
    }
    count = own_wait(load->side->port, entries, wait_ms);
    for (ULONG i = 0; i < count; i++) {
        struct peer *peer = (struct peer *) entries[i].lpCompletionKey;

        if (peer_has_read(peer, &entries[i])) {
            whole += peer_take(peer, &load->side->plan, entries[i].dwNumberOfBytesTransferred);
            whole += side_read(load, peer);
        }
    }
    return whole;
}

uint32_t side_take(struct load *load)
{
    return side_take_within(load, OWN_SILENCE_MS);
}

/* Each connection is an instance of its own, and a server with several threads may hear of the last before it has taken
 * up all others. So messages are sent until all have one. */
void side_gather(struct load *load)
{
    for (int tries = 0; tries < GATHER_TRIES; tries++) {
        uint64_t until_ns = clock_now_ns() + UINT64_C(1000000) * GATHER_MS;

        side_send_to_all(load, 1);
        while (!side_is_even(load) && clock_now_ns() < until_ns) {
            (void) side_take_within(load, GATHER_MS);
        }
        if (side_is_even(load)) {
            return;
        }
    }
    load_fail("what was sent did not come to all");
}

void side_send_to_all(struct load *load, uint32_t count)
{
    struct peer *sender = &load->side->peers[load->connections - 1];

    while (sender->write_armed) { /* Its packet has not come yet. */
        (void) side_take(load);
    }
    peer_send(sender, &load->side->plan, count);
}

bool side_is_even(const struct load *load)
{
    for (uint32_t i = 0; i < load->connections; i++) {
        if (load->side->peers[i].taken != load->side->peers[load->connections - 1].sent) {
            return false;
        }
    }
    return true;
}

bool side_is_greeted(const struct load *load)
{
    (void) load;
    return false;
}

void side_visit_begin(struct load *load, uint32_t index)
{
    struct peer *peer = &load->side->peers[index];

    peer_init(peer, &load->side->plan, load->side->address, load->side->port, peer);
}

void side_visit_ask(struct load *load, uint32_t index)
{
    struct peer *peer = &load->side->peers[index];

    peer_send(peer, &load->side->plan, 1);
    (void) side_read(load, peer);
}

/* Packets of others may come first: then those find all done when their turn comes. */
void side_visit_end(struct load *load, uint32_t index)
{
    struct peer *peer = &load->side->peers[index];

    while (peer->taken == 0 || peer->write_armed) {
        (void) side_take(load);
    }
    peer_close(peer);
}
