/* SPDX-License-Identifier: MIT */
#include "bench/windows/peer.h"

#include "bench/frame.h"
#include "bench/load.h"
#include "bench/windows/dial.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONNECT_MS = 10000 };

_Noreturn void peer_die(const char *what, DWORD code)
{
    fprintf(stderr, "load: %s (%lu)\n", what, code);
    exit(1);
}

static uint32_t plan_frame_bytes(const struct peer_plan *plan)
{
    return plan->size + FRAME_HEADER_BYTES;
}

static unsigned char *peer_room(unsigned char *room, const struct peer_plan *plan)
{
    room = room != NULL ? room : calloc(plan->frames_max, plan_frame_bytes(plan));
    if (room == NULL) {
        load_fail("no memory");
    }
    return room;
}

void peer_init(struct peer *peer, const struct peer_plan *plan, const char *address, HANDLE port, void *key)
{
    *peer = (struct peer){.port = port, .in = peer_room(peer->in, plan), .out = peer->out};
    peer->pipe = dial_connect(address, CONNECT_MS);
    if (peer->pipe == INVALID_HANDLE_VALUE) {
        peer_die("no connection", GetLastError());
    }
    if (!dial_bind(peer->pipe, port, key)) {
        peer_die("a connection could not be used", GetLastError());
    }
}

void peer_close(struct peer *peer)
{
    CloseHandle(peer->pipe);
    peer->pipe = INVALID_HANDLE_VALUE;
}

void peer_send(struct peer *peer, const struct peer_plan *plan, uint32_t count)
{
    uint32_t frame = plan_frame_bytes(plan);
    unsigned char *at;

    at = peer->out = peer_room(peer->out, plan);
    for (uint32_t i = 0; i < count; i++, at += frame) {
        frame_put_length(at, plan->size);
        memcpy(at + FRAME_HEADER_BYTES, &peer->sent, sizeof peer->sent);
        memcpy(at + frame - sizeof peer->sent, &peer->sent, sizeof peer->sent);
        peer->sent++;
    }
    if (!WriteFile(peer->pipe, peer->out, count * frame, NULL, &peer->write)) {
        if (GetLastError() != ERROR_IO_PENDING) {
            peer_die("a write failed", GetLastError());
        }
        peer->write_armed = true;
    }
}

bool peer_read(struct peer *peer, const struct peer_plan *plan, DWORD *bytes)
{
    uint32_t room = plan->frames_max * plan_frame_bytes(plan) - peer->in_filled;

    if (ReadFile(peer->pipe, peer->in + peer->in_filled, room, bytes, &peer->read)) {
        return true;
    }
    if (GetLastError() != ERROR_IO_PENDING) {
        peer_die("a read failed", GetLastError());
    }
    return false;
}

void peer_post(struct peer *peer, void *key, DWORD bytes)
{
    if (!PostQueuedCompletionStatus(peer->port, bytes, (ULONG_PTR) key, &peer->read)) {
        peer_die("PostQueuedCompletionStatus failed", GetLastError());
    }
}

bool peer_has_read(struct peer *peer, const OVERLAPPED_ENTRY *entry)
{
    bool read = entry->lpOverlapped == &peer->read;

    if (entry->lpOverlapped->Internal != 0) {
        peer_die(read ? "a read ended badly" : "a write ended badly", (DWORD) entry->lpOverlapped->Internal);
    }
    if (!read) {
        peer->write_armed = false;
    }
    return read;
}

uint32_t peer_take(struct peer *peer, const struct peer_plan *plan, DWORD bytes)
{
    uint32_t frame = plan_frame_bytes(plan);
    uint32_t at = 0, whole = 0;

    peer->in_filled += bytes;
    for (; peer->in_filled - at >= frame; at += frame, whole++) {
        const unsigned char *message = peer->in + at;

        if (frame_length(message) != plan->size) {
            load_fail("a reply has another length");
        }
        if (peer->comes_late) {
            memcpy(&peer->taken, message + FRAME_HEADER_BYTES, sizeof peer->taken);
            peer->comes_late = false;
        }
        if (memcmp(message + FRAME_HEADER_BYTES, &peer->taken, sizeof peer->taken) != 0 ||
            memcmp(message + frame - sizeof peer->taken, &peer->taken, sizeof peer->taken) != 0) {
            load_fail("a reply is lost, doubled, out of order or damaged");
        }
        peer->taken++;
    }
    peer->in_filled -= at;
    memmove(peer->in, peer->in + at, peer->in_filled);
    return whole;
}
