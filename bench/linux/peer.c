/* SPDX-License-Identifier: MIT */
#include "bench/linux/gnu.h"

#include "bench/linux/peer.h"

#include "bench/linux/machine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static uint32_t plan_frame_bytes(const struct peer_plan *plan)
{
    return plan->size + FRAME_HEADER_BYTES;
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
        frame_put_length(plan->frames + (size_t) i * plan_frame_bytes(plan), plan->size);
    }
}

/* Sends the last `unsent_bytes` of `count` messages, of which the last one is the last that was made. */
static bool peer_push(struct peer *peer, const struct peer_plan *plan, uint32_t count)
{
    uint32_t frame_bytes = plan_frame_bytes(plan);
    unsigned char *number = plan->frames + FRAME_HEADER_BYTES;
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

static bool peer_head_is_right(const struct peer *peer, const struct peer_plan *plan, const unsigned char *head)
{
    return frame_length(head) == plan->size &&
           (!plan->ordered || frame_length(head + FRAME_HEADER_BYTES) == peer->taken);
}

/* One message that comes in pieces. The bytes used; `whole` counts it where it ends. UINT32_MAX: it is wrong. */
static uint32_t peer_piece(struct peer *peer, const struct peer_plan *plan, const unsigned char *bytes, uint32_t count)
{
    uint32_t used = 0;

    if (peer->rest == 0) {
        used = PEER_HEAD_BYTES - peer->head_got < count ? PEER_HEAD_BYTES - peer->head_got : count;
        memcpy(peer->head + peer->head_got, bytes, used);
        peer->head_got += used;
        if (peer->head_got < PEER_HEAD_BYTES) {
            return used;
        }
        if (!peer_head_is_right(peer, plan, peer->head)) {
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

uint32_t peer_take(struct peer *peer, const struct peer_plan *plan, const unsigned char *bytes, uint32_t count)
{
    uint32_t frame_bytes = plan_frame_bytes(plan);
    uint32_t before = peer->taken;

    while (count != 0) {
        uint32_t used = frame_bytes;

        if (peer->head_got == 0 && count >= frame_bytes) {
            if (!peer_head_is_right(peer, plan, bytes)) {
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
