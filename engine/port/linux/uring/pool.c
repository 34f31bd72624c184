/* SPDX-License-Identifier: MIT */
#include "engine/port/linux/gnu.h"

#include "engine/port/linux/uring/pool.h"

#include <errno.h>
#include <liburing.h>
#include <sys/mman.h>

enum {
    POOL_BUFFERS_FIRST = 64,
    POOL_RING_BYTES = PP_POOL_BUFFERS_MAX * (int) sizeof(struct io_uring_buf),
    POOL_BYTES = PP_POOL_BUFFERS_MAX * PP_POOL_STRIDE_BYTES
};

static void pool_add(pp_pool *pool, uint32_t from, uint32_t to)
{
    int mask = io_uring_buf_ring_mask(PP_POOL_BUFFERS_MAX);
    for (uint32_t i = from; i < to; i++) {
        io_uring_buf_ring_add(pool->ring, pp_pool_data(pool, i), PP_POOL_BUFFER_BYTES, (unsigned short) i, mask,
                              (int) (i - from));
    }
    io_uring_buf_ring_advance(pool->ring, (int) (to - from));
}

static void *pool_map(size_t bytes)
{
    return mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

int pp_pool_init(pp_pool *pool, struct io_uring *uring)
{
    pool->ring = pool_map(POOL_RING_BYTES);
    if (pool->ring == MAP_FAILED) {
        return errno;
    }
    pool->buffers = pool_map(POOL_BYTES);
    if (pool->buffers == MAP_FAILED) {
        int code = errno;
        munmap(pool->ring, POOL_RING_BYTES);
        return code;
    }
    struct io_uring_buf_reg about = {
        .ring_addr = (uintptr_t) pool->ring, .ring_entries = PP_POOL_BUFFERS_MAX, .bgid = PP_POOL_GROUP};
    int failed = io_uring_register_buf_ring(uring, &about, 0);
    if (failed != 0) {
        pp_pool_fini(pool);
        return -failed;
    }
    io_uring_buf_ring_init(pool->ring);
    pool->count = POOL_BUFFERS_FIRST;
    pool_add(pool, 0, pool->count);
    return 0;
}

void pp_pool_fini(pp_pool *pool)
{
    munmap(pool->buffers, POOL_BYTES);
    munmap(pool->ring, POOL_RING_BYTES);
}

void pp_pool_give(pp_pool *pool, uint32_t buffer)
{
    pool_add(pool, buffer, buffer + 1);
}

void pp_pool_grow(pp_pool *pool)
{
    if (pool->count < PP_POOL_BUFFERS_MAX) {
        pool_add(pool, pool->count, pool->count * 2);
        pool->count *= 2;
    }
}
