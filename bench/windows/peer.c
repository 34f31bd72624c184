/* SPDX-License-Identifier: MIT */
#include "bench/windows/peer.h"
#include "bench/clock.h"
#include "bench/frame.h"

#include <stdlib.h>
#include <string.h>

enum { TURNS = 16 }; /* Reads handled before other peers have their turn. */

static uint32_t peer_frame_bytes(const struct peer *peer)
{
    return peer->plan->size + FRAME_HEADER_BYTES;
}

bool peer_init(struct peer *peer, HANDLE pipe, HANDLE port, const struct peer_plan *plan, struct peer_counts *counts)
{
    size_t room = (size_t) plan->depth * (plan->size + FRAME_HEADER_BYTES);

    memset(peer, 0, sizeof *peer);
    peer->pipe = pipe;
    peer->port = port;
    peer->plan = plan;
    peer->counts = counts;
    peer->sent_ns = calloc(plan->depth, sizeof *peer->sent_ns);
    peer->out = calloc(1, room);
    peer->in = calloc(1, room);
    return peer->sent_ns != NULL && peer->out != NULL && peer->in != NULL;
}

static void peer_fail(struct peer *peer, const char *wrong, DWORD code)
{
    if (peer->wrong == NULL) {
        peer->wrong = wrong;
        peer->code = code;
    }
}

static bool peer_may_send(const struct peer *peer, uint64_t now_ns)
{
    return peer->sent < peer->plan->messages && now_ns < peer->plan->end_ns;
}

/* Writes all that is missing to `depth` messages in flight, in one write. */
static void peer_fill(struct peer *peer, uint64_t now_ns)
{
    uint32_t frame = peer_frame_bytes(peer);
    uint32_t bytes = 0;

    while (!peer->write_armed && peer->wrong == NULL) {
        for (bytes = 0; peer->sent - peer->replied < peer->plan->depth && peer_may_send(peer, now_ns); bytes += frame) {
            frame_put_length(peer->out + bytes, peer->plan->size);
            memcpy(peer->out + bytes + FRAME_HEADER_BYTES, &peer->sent, sizeof peer->sent);
            memcpy(peer->out + bytes + frame - sizeof peer->sent, &peer->sent, sizeof peer->sent);
            peer->sent_ns[peer->sent % peer->plan->depth] = now_ns;
            peer->sent++;
        }
        if (bytes == 0) {
            return;
        }
        if (!WriteFile(peer->pipe, peer->out, bytes, NULL, &peer->write)) {
            if (GetLastError() != ERROR_IO_PENDING) {
                peer_fail(peer, "a write failed", GetLastError());
                return;
            }
            peer->write_armed = true;
        }
    }
}

static void peer_count(struct peer *peer, uint64_t now_ns)
{
    struct peer_counts *counts = peer->counts;

    counts->all++;
    if (now_ns < peer->plan->count_from_ns || now_ns >= peer->plan->end_ns) {
        return;
    }
    counts->messages++;
    counts->last_ns = now_ns;
    histogram_add(&counts->trips, now_ns - peer->sent_ns[peer->replied % peer->plan->depth]);
}

/* Takes every whole reply that has been read. */
static void peer_check(struct peer *peer, uint64_t now_ns)
{
    uint32_t frame = peer_frame_bytes(peer);
    uint32_t taken = 0;

    for (; peer->in_filled - taken >= frame; taken += frame) {
        const unsigned char *reply = peer->in + taken;

        if (frame_length(reply) != peer->plan->size) {
            peer_fail(peer, "a reply has another length", 0);
            return;
        }
        if (memcmp(reply + FRAME_HEADER_BYTES, &peer->replied, sizeof peer->replied) != 0 ||
            memcmp(reply + frame - sizeof peer->replied, &peer->replied, sizeof peer->replied) != 0) {
            peer_fail(peer, "a reply is lost, doubled, out of order or damaged", 0);
            return;
        }
        peer_count(peer, now_ns);
        peer->replied++;
    }
    peer->in_filled -= taken;
    if (taken > 0) {
        memmove(peer->in, peer->in + taken, peer->in_filled);
    }
}

/* Arms a read, if a reply is to come. True: it is done already. */
static bool peer_read(struct peer *peer, DWORD *bytes)
{
    uint32_t room = peer->plan->depth * peer_frame_bytes(peer) - peer->in_filled;

    if (peer_finished(peer)) {
        return false;
    }
    if (ReadFile(peer->pipe, peer->in + peer->in_filled, room, bytes, &peer->read)) {
        return true;
    }
    if (GetLastError() != ERROR_IO_PENDING) {
        peer_fail(peer, "a read failed", GetLastError());
    }
    return false;
}

void peer_start(struct peer *peer)
{
    DWORD bytes = 0;

    peer_fill(peer, clock_now_ns());
    if (peer_read(peer, &bytes) && !PostQueuedCompletionStatus(peer->port, bytes, (ULONG_PTR) peer, &peer->read)) {
        peer_fail(peer, "PostQueuedCompletionStatus failed", GetLastError());
    }
}

void peer_go_on(struct peer *peer, const OVERLAPPED_ENTRY *entry)
{
    DWORD bytes = entry->dwNumberOfBytesTransferred;
    bool again = entry->lpOverlapped == &peer->read;

    if (entry->lpOverlapped->Internal != 0) {
        peer_fail(peer, again ? "a read ended badly" : "a write ended badly", (DWORD) entry->lpOverlapped->Internal);
        return;
    }
    if (!again) {
        peer->write_armed = false;
        peer_fill(peer, clock_now_ns());
        return;
    }
    for (int turn = 0; again && peer->wrong == NULL; turn++) {
        uint64_t now_ns = clock_now_ns();

        if (turn == TURNS) { /* The packet brings the bytes that this read has brought. */
            if (!PostQueuedCompletionStatus(peer->port, bytes, (ULONG_PTR) peer, &peer->read)) {
                peer_fail(peer, "PostQueuedCompletionStatus failed", GetLastError());
            }
            return;
        }
        peer->in_filled += bytes;
        peer_check(peer, now_ns);
        peer_fill(peer, now_ns);
        again = peer_read(peer, &bytes);
    }
}

bool peer_finished(const struct peer *peer)
{
    if (peer->wrong != NULL) {
        return true;
    }
    return peer->sent == peer->replied && !peer->write_armed;
}
