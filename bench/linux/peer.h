/* SPDX-License-Identifier: MIT */
/*
 * peer.h - one connection of the load: what it sends is numbered, what comes back is checked.
 *
 * Every message has the same length; its first four bytes are its number. So what is still to be sent can be made again
 * from the numbers, and no connection owns a buffer. Replies are cut out of whatever a receive brings; of one that
 * comes in pieces only the first bytes are kept.
 */
#ifndef PIPEPORT_BENCH_LINUX_PEER_H
#define PIPEPORT_BENCH_LINUX_PEER_H

#include "bench/linux/speech.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    PEER_NUMBER_BYTES = 4,
    PEER_SIZE_MIN = PEER_NUMBER_BYTES,
    PEER_HEAD_BYTES_MAX = SPEECH_HEADER_BYTES_MAX + PEER_NUMBER_BYTES
};

/* `frames_max` messages side by side, with headers; shared by all peers of a thread. */
struct peer_plan {
    uint32_t size; /* Bytes of a message, the header not counted. */
    uint32_t frames_max;
    bool ordered; /* The number is checked, not only the length. */
    struct speech speech;
    unsigned char *frames;
};

struct peer {
    int fd;
    uint32_t sent, taken;  /* Messages made, and whole messages that came: modulo 2^32. */
    uint32_t unsent_bytes; /* Of the messages made last. */
    uint32_t head_got;     /* Bytes of a message's head that came without the rest. */
    uint32_t rest;         /* Bytes still to come behind a whole head. */
    unsigned char head[PEER_HEAD_BYTES_MAX];
};

void peer_plan_init(struct peer_plan *plan);

/* Makes `count` messages more (frames_max at most, and nothing unsent) and sends what goes. False: the peer is gone. */
bool peer_send(struct peer *peer, const struct peer_plan *plan, uint32_t count);

/* Sends on where there was no room. False: the peer is gone. */
bool peer_send_rest(struct peer *peer, const struct peer_plan *plan);

/* Takes received bytes. The number of messages that are whole now; UINT32_MAX: something is wrong with one. */
uint32_t peer_take(struct peer *peer, const struct peer_plan *plan, const unsigned char *bytes, uint32_t count);

#endif
