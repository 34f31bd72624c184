/* SPDX-License-Identifier: MIT */
/*
 * store.h - the provided buffers of a ring, and what a connection has received into them and not yet sent.
 *
 * A connection's bytes stand in a queue of segments, oldest first, one buffer each; the number of a buffer is its
 * segment's as well. Counted is how many of these bytes end a message: only they are sent. One thread.
 */
#ifndef PIPEPORT_BENCH_LINUX_STORE_H
#define PIPEPORT_BENCH_LINUX_STORE_H

#include "bench/frame.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    STORE_GROUP = 1,
    STORE_BUFFERS = 16384,           /* A power of two, as the ring wants it. */
    STORE_BUFFER_BYTES = 16960,      /* An odd number of cache lines, so that neighbours do not share a set of them. */
    STORE_SMALL_BUFFER_BYTES = 2112, /* The same, for so many connections that large ones would fill memory. */
    STORE_MANY = 2000,
    STORE_READY_SPARE = 64,         /* Ready beyond one for each connection. */
    STORE_FRAME_BYTES_MAX = 1 << 20 /* A longer message ends its connection. */
};

struct iovec;
struct io_uring;
struct io_uring_buf_ring;

struct store_segment {
    uint16_t next;
    uint32_t from, to; /* What is left of the buffer's bytes. */
};

struct store {
    struct io_uring_buf_ring *ring;
    unsigned char *bytes;
    uint32_t buffer_bytes;
    uint32_t ready;   /* With the system. */
    uint32_t wanted;  /* Should be with the system. */
    uint32_t added;   /* Given, and not yet told. */
    uint32_t stacked; /* With us, the one used last on top. */
    uint16_t stack[STORE_BUFFERS];
    struct store_segment segments[STORE_BUFFERS];
};

struct store_queue {
    uint16_t first, last;
    bool empty;
    uint8_t head_got;     /* Bytes of a header whose rest has not come. */
    uint32_t rest;        /* Bytes still to come of the message that has begun. */
    uint32_t begun_bytes; /* Received of the one that has begun. */
    uint32_t whole_bytes; /* Of whole messages, not yet taken. */
    unsigned char head[FRAME_HEADER_BYTES];
};

#define STORE_QUEUE_EMPTY                                                                                              \
    (struct store_queue)                                                                                               \
    {                                                                                                                  \
        .empty = true                                                                                                  \
    }

void store_init(struct store *store, struct io_uring *ring, uint32_t buffer_bytes);

/* So many connections there are now. */
void store_stock(struct store *store, uint32_t connections);

/* Tells the system of the buffers that have come back. */
void store_publish(struct store *store);

/* A receive has filled `count` bytes of this buffer. False: one of the messages is longer than any may be. */
bool store_came(struct store *store, struct store_queue *queue, uint32_t buffer, uint32_t count);

/* The whole messages as slices, `max` at most. */
uint32_t store_slices(const struct store *store, const struct store_queue *queue, struct iovec *slices, uint32_t max);

/* So many bytes of whole messages are done with. */
void store_take(struct store *store, struct store_queue *queue, uint32_t count);

/* Gives all buffers of a queue back. */
void store_drop(struct store *store, struct store_queue *queue);

#endif
