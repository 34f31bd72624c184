/* SPDX-License-Identifier: MIT */
/*
 * pool.h - the buffers that the kernel takes from when it receives for a pipe that has lent none.
 *
 * They are one ring of io_uring_register_buf_ring(3): the kernel takes at its head, the ring's taker gives at its tail.
 * It begins with few, so that they stay in the cache, and grows when the kernel has found none.
 *
 * Everything here is the taker's, but for init and fini.
 */
#ifndef PP_PORT_LINUX_URING_POOL_H
#define PP_PORT_LINUX_URING_POOL_H

#include "engine/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PP_POOL_BUFFER_BYTES = 4096,
    PP_POOL_STRIDE_BYTES = PP_POOL_BUFFER_BYTES + 64, /* Else the first line of each would fall into one set of the
                                                         cache, and few messages are longer than some lines. */
    PP_POOL_BUFFERS_MAX = 1024,
    PP_POOL_GROUP = 0
};

struct io_uring;
struct io_uring_buf_ring;

typedef struct pp_pool {
    struct io_uring_buf_ring *ring;
    char *buffers;  /* PP_POOL_BUFFERS_MAX of them; a page is the system's until the kernel has first written to it. */
    uint32_t count; /* Those in use at all: the first of them. */
    uint16_t bytes[PP_POOL_BUFFERS_MAX]; /* Of one that is held: how many came, */
    uint16_t next[PP_POOL_BUFFERS_MAX];  /* and which came after it. Its holder's. */
} pp_pool;

/* Answers 0 or an errno, and undoes what it did. */
int pp_pool_init(pp_pool *pool, struct io_uring *uring);

/* After the ring is gone. */
void pp_pool_fini(pp_pool *pool);

static inline char *pp_pool_data(const pp_pool *pool, uint32_t buffer)
{
    return pool->buffers + (size_t) buffer * PP_POOL_STRIDE_BYTES;
}

/* Gives one back that the kernel had taken. */
void pp_pool_give(pp_pool *pool, uint32_t buffer);

/* The kernel found none. */
void pp_pool_grow(pp_pool *pool);

#endif
