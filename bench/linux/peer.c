/* SPDX-License-Identifier: MIT */
#include "bench/linux/gnu.h"

#include "bench/linux/peer.h"

#include "bench/frame.h"
#include "bench/linux/machine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static uint32_t plan_frame_bytes(const struct peer_plan *plan)
{
    return plan->size + plan->speech.header_bytes;
}

/* Of a message: its header, and its number. */
static uint32_t plan_head_bytes(const struct peer_plan *plan)
{
    return plan->speech.header_bytes + PEER_NUMBER_BYTES;
}

void peer_plan_init(struct peer_plan *plan)
{
    size_t bytes = (size_t) plan_frame_bytes(plan) * plan->frames_max;

    plan->frames = malloc(bytes);
    if (plan->frames == NULL || bytes > INT32_MAX) {
        machine_die("no memory for so many messages of that size");
    }
    memset(plan->frames, 'x', bytes);
    for (uint32_t i = 0; i < plan->frames_max; i++) {
        memcpy(plan->frames + (size_t) i * plan_frame_bytes(plan), plan->speech.header, plan->speech.header_bytes);
    }
}

/* Sends the last `unsent_bytes` of `count` messages, of which the last one is the last that was made. */
static bool peer_push(struct peer *peer, const struct peer_plan *plan, uint32_t count)
{
    uint32_t frame_bytes = plan_frame_bytes(plan);
    unsigned char *number = plan->frames + plan->speech.header_bytes;
    const unsigned char *from = plan->frames + (size_t) count * frame_bytes - peer->unsent_bytes;
    ssize_t sent;

    for (uint32_t i = 0; i < count; i++, number += frame_bytes) {
        frame_put_length(number, peer->sent - count + i);
    }
    sent = send(peer->fd, from, peer->unsent_bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) {
        return errno == EAGAIN;
    }
    peer->unsent_bytes -= (uint32_t) sent;
    return true;
}

bool peer_send(struct peer *peer, const struct peer_plan *plan, uint32_t count)
{
    peer->sent += count;
    peer->unsent_bytes = count * plan_frame_bytes(plan);
    return peer_push(peer, plan, count);
}

bool peer_send_rest(struct peer *peer, const struct peer_plan *plan)
{
    uint32_t frame_bytes = plan_frame_bytes(plan);

    return peer_push(peer, plan, (peer->unsent_bytes + frame_bytes - 1) / frame_bytes);
}

static inline bool peer_head_is_right(const struct peer *peer, const struct peer_plan *plan, const unsigned char *head,
                                      uint32_t header_bytes)
{
    bool right = header_bytes == FRAME_HEADER_BYTES ? frame_length(head) == plan->size
                                                    : memcmp(head, plan->speech.header, header_bytes) == 0;

    return right && (!plan->ordered || frame_length(head + header_bytes) == peer->taken);
}

/* One message that comes in pieces. The bytes used; `whole` counts it where it ends. UINT32_MAX: it is wrong. */
static uint32_t peer_piece(struct peer *peer, const struct peer_plan *plan, const unsigned char *bytes, uint32_t count)
{
    uint32_t used = 0;

    if (peer->rest == 0) {
        used = plan_head_bytes(plan) - peer->head_got;
        used = used < count ? used : count;
        memcpy(peer->head + peer->head_got, bytes, used);
        peer->head_got += used;
        if (peer->head_got < plan_head_bytes(plan)) {
            return used;
        }
        if (!peer_head_is_right(peer, plan, peer->head, plan->speech.header_bytes)) {
            return UINT32_MAX;
        }
        peer->rest = plan->size - PEER_NUMBER_BYTES;
    }
    count = peer->rest < count - used ? peer->rest : count - used;
    peer->rest -= count;
    if (peer->rest == 0) {
        peer->head_got = 0;
        peer->taken++;
    }
    return used + count;
}

/* Of our own framing the length of the header is known to the compiler, which saves the load some of its time. */
static inline uint32_t peer_take_all(struct peer *peer, const struct peer_plan *plan, const unsigned char *bytes,
                                     uint32_t count, uint32_t header_bytes)
{
    uint32_t frame_bytes = plan->size + header_bytes;
    uint32_t before = peer->taken;

    while (count != 0) {
        uint32_t used = frame_bytes;

        if (peer->head_got == 0 && count >= frame_bytes) {
            if (!peer_head_is_right(peer, plan, bytes, header_bytes)) {
                return UINT32_MAX;
            }
            peer->taken++;
        } else {
            used = peer_piece(peer, plan, bytes, count);
            if (used == UINT32_MAX) {
                return UINT32_MAX;
            }
        }
        bytes += used;
        count -= used;
    }
    return peer->taken - before;
}

uint32_t peer_take(struct peer *peer, const struct peer_plan *plan, const unsigned char *bytes, uint32_t count)
{
    if (plan->speech.header_bytes == FRAME_HEADER_BYTES) {
        return peer_take_all(peer, plan, bytes, count, FRAME_HEADER_BYTES);
    }
    return peer_take_all(peer, plan, bytes, count, plan->speech.header_bytes);
}
