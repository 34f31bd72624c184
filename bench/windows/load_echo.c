/* SPDX-License-Identifier: MIT */
/*
 * load_echo - `depth` messages in flight on each connection: what is missing in flight leaves in one write.
 *
 * Each lane is one thread with a port of its own and a share of the peers. Lanes share nothing while they run, so the
 * load takes no lock. A round trip is timed from just before the write of its message to when its reply has been read.
 * When the time is over nothing new is sent, and all that is in flight must come home.
 */
#include "bench/load.h"

#include "bench/clock.h"
#include "bench/crew.h"
#include "bench/windows/own.h"

#include <stdlib.h>

enum { TURNS = 16 }; /* Reads handled before other peers have their turn. */

struct echo {
    struct peer peer;
    uint64_t *departures; /* When message n was given to a write, at n % depth. */
    bool home;            /* Nothing is in flight, and nothing more will be sent. */
};

struct lane {
    const struct load *load; /* Its times stand still while lanes run. */
    HANDLE port;
    struct crew_thread *thread;
    struct echo *echoes;
    uint32_t count, running;
    uint64_t messages; /* Of each connection; UINT64_MAX: until the time is over. */

    uint64_t counted, all, last_ns; /* The thread's until it is joined; the last is when a message was counted last. */
    struct histogram trips;
};

static bool echo_may_send(const struct lane *lane, const struct echo *echo, uint64_t now_ns)
{
    return echo->peer.sent < lane->messages && now_ns < lane->load->end_ns;
}

/* Writes all that is missing in flight. What is written at once leaves room for nothing: only replies do. */
static void echo_fill(const struct lane *lane, struct echo *echo, uint64_t now_ns)
{
    uint32_t depth = lane->load->depth;
    uint64_t missing = depth - (echo->peer.sent - echo->peer.taken);

    if (echo->peer.write_armed || !echo_may_send(lane, echo, now_ns)) {
        return;
    }
    if (missing > lane->messages - echo->peer.sent) {
        missing = lane->messages - echo->peer.sent;
    }
    if (missing == 0) {
        return;
    }
    for (uint64_t i = 0; i < missing; i++) {
        echo->departures[(echo->peer.sent + i) % depth] = now_ns;
    }
    peer_send(&echo->peer, &lane->load->side->plan, (uint32_t) missing);
}

static void echo_count(struct lane *lane, const struct echo *echo, uint64_t first, uint64_t now_ns)
{
    lane->all += echo->peer.taken - first;
    if (now_ns < lane->load->begin_ns || now_ns >= lane->load->end_ns) {
        return;
    }
    for (uint64_t n = first; n < echo->peer.taken; n++) {
        histogram_add(&lane->trips, now_ns - echo->departures[n % lane->load->depth]);
        lane->counted++;
        lane->last_ns = now_ns;
    }
}

static bool echo_is_done(const struct echo *echo)
{
    return echo->peer.sent == echo->peer.taken && !echo->peer.write_armed;
}

/* A read is armed while a reply is to come, or a write may bring one. True: it is done already. */
static bool echo_read(const struct lane *lane, struct echo *echo, DWORD *bytes)
{
    return !echo_is_done(echo) && peer_read(&echo->peer, &lane->load->side->plan, bytes);
}

/* After each step of a peer. */
static void lane_note(struct lane *lane, struct echo *echo)
{
    if (!echo->home && echo_is_done(echo)) {
        echo->home = true;
        lane->running--;
    }
}

static void echo_came(struct lane *lane, struct echo *echo, DWORD bytes)
{
    int turn = 0;

    do {
        uint64_t now_ns = clock_now_ns(), first = echo->peer.taken;

        if (turn++ == TURNS) { /* The packet brings the bytes that this read has brought. */
            peer_post(&echo->peer, echo, bytes);
            return;
        }
        (void) peer_take(&echo->peer, &lane->load->side->plan, bytes);
        echo_count(lane, echo, first, now_ns);
        echo_fill(lane, echo, now_ns);
    } while (echo_read(lane, echo, &bytes));
}

static void lane_run(void *argument)
{
    struct lane *lane = argument;
    OVERLAPPED_ENTRY entries[OWN_BATCH];

    lane->running = lane->count;
    for (uint32_t i = 0; i < lane->count; i++) {
        struct echo *echo = &lane->echoes[i];
        DWORD bytes = 0;

        echo_fill(lane, echo, clock_now_ns());
        if (echo_read(lane, echo, &bytes)) {
            peer_post(&echo->peer, echo, bytes);
        }
        lane_note(lane, echo);
    }
    while (lane->running > 0) {
        ULONG count = own_wait(lane->port, entries, OWN_SILENCE_MS);

        for (ULONG i = 0; i < count; i++) {
            struct echo *echo = (struct echo *) entries[i].lpCompletionKey;

            if (peer_has_read(&echo->peer, &entries[i])) {
                echo_came(lane, echo, entries[i].dwNumberOfBytesTransferred);
            } else {
                echo_fill(lane, echo, clock_now_ns());
            }
            lane_note(lane, echo);
        }
    }
}

static struct lane *lanes_make(struct load *load)
{
    uint32_t count = load->side->threads;
    struct lane *lanes = calloc(count, sizeof *lanes);
    uint64_t from_ns = clock_now_ns();

    for (uint32_t i = 0; i < count && lanes != NULL; i++) {
        lanes[i].load = load;
        lanes[i].port = own_port();
        lanes[i].messages = load->messages == 0 ? UINT64_MAX
                                                : (load->messages + load->connections - 1) / load->connections;
        lanes[i].echoes = calloc(load->connections / count + 1, sizeof *lanes[i].echoes);
        if (lanes[i].echoes == NULL) {
            load_fail("no memory");
        }
    }
    for (uint32_t i = 0; i < load->connections && lanes != NULL; i++) {
        struct lane *lane = &lanes[i % count];
        struct echo *echo = &lane->echoes[lane->count++];

        echo->departures = calloc(load->depth, sizeof *echo->departures);
        peer_init(&echo->peer, &load->side->plan, load->side->address, lane->port, echo);
        if (echo->departures == NULL) {
            load_fail("no memory");
        }
    }
    if (lanes == NULL) {
        load_fail("no memory");
    }
    load->side->connect_ms = (double) (clock_now_ns() - from_ns) / 1e6;
    return lanes;
}

void load_echo(struct load *load)
{
    struct lane *lanes = lanes_make(load);
    uint64_t last_ns = 0;

    load_begin(load);
    for (uint32_t i = 0; i < load->side->threads; i++) {
        lanes[i].thread = crew_start(lane_run, &lanes[i]);
        if (lanes[i].thread == NULL) {
            peer_die("a thread could not be made", GetLastError());
        }
    }
    for (uint32_t i = 0; i < load->side->threads; i++) {
        crew_join(lanes[i].thread);
        load->counted += lanes[i].counted;
        load->all += lanes[i].all;
        last_ns = lanes[i].last_ns > last_ns ? lanes[i].last_ns : last_ns;
        histogram_sum(&load->trips, &lanes[i].trips);
    }
    load->seconds = (double) ((load->messages != 0 ? last_ns : load->end_ns) - load->begin_ns) / 1e9;
    free(lanes); /* Its peers live as long as the program. */
}
