/* SPDX-License-Identifier: MIT */
#include "bench/linux/gnu.h"

#include "bench/linux/store.h"

#include "bench/linux/machine.h"

#include <errno.h>
#include <liburing.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>

static unsigned char *store_bytes(const struct store *store, uint32_t buffer)
{
    return store->bytes + (size_t) buffer * store->buffer_bytes;
}

void store_init(struct store *store, struct io_uring *ring, uint32_t buffer_bytes)
{
    size_t ring_bytes = STORE_BUFFERS * sizeof(struct io_uring_buf);
    size_t bytes = (size_t) STORE_BUFFERS * buffer_bytes;
    struct io_uring_buf_reg registered = {.ring_entries = STORE_BUFFERS, .bgid = STORE_GROUP};
    int done;

    store->buffer_bytes = buffer_bytes;
    store->bytes = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    store->ring = mmap(NULL, ring_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (store->bytes == MAP_FAILED || (void *) store->ring == MAP_FAILED) {
        machine_die("mmap");
    }
    (void) madvise(store->bytes, bytes, MADV_HUGEPAGE); /* Without it there are more misses, and nothing else. */
    registered.ring_addr = (uint64_t) (uintptr_t) store->ring;
    done = io_uring_register_buf_ring(ring, &registered, 0);
    if (done != 0) {
        errno = -done;
        machine_die("no ring of provided buffers");
    }
    io_uring_buf_ring_init(store->ring);
    for (uint32_t i = 0; i < STORE_BUFFERS; i++) {
        store->stack[i] = (uint16_t) (STORE_BUFFERS - 1 - i);
    }
    store->stacked = STORE_BUFFERS;
    store_stock(store, 0);
    store_publish(store);
}

static void store_lend(struct store *store, uint32_t buffer)
{
    io_uring_buf_ring_add(store->ring, store_bytes(store, buffer), store->buffer_bytes, (unsigned short) buffer,
                          io_uring_buf_ring_mask(STORE_BUFFERS), (int) store->added++);
    store->ready++;
}

static void store_fill(struct store *store)
{
    while (store->ready < store->wanted && store->stacked != 0) {
        store_lend(store, store->stack[--store->stacked]);
    }
}

void store_stock(struct store *store, uint32_t connections)
{
    uint32_t wanted = connections + STORE_READY_SPARE;

    store->wanted = wanted < STORE_BUFFERS ? wanted : (uint32_t) STORE_BUFFERS;
}

void store_publish(struct store *store)
{
    store_fill(store);
    if (store->added != 0) {
        io_uring_buf_ring_advance(store->ring, (int) store->added);
        store->added = 0;
    }
}

static void store_back(struct store *store, uint32_t buffer)
{
    store->stack[store->stacked++] = (uint16_t) buffer;
}

/* Counts whole messages in bytes that follow those already counted. */
static bool queue_count(struct store_queue *queue, const unsigned char *bytes, uint32_t count)
{
    while (count != 0) {
        uint32_t step;

        if (queue->rest == 0) {
            uint32_t missing = (uint32_t) FRAME_HEADER_BYTES - queue->head_got;

            step = missing < count ? missing : count;
            memcpy(queue->head + queue->head_got, bytes, step);
            queue->head_got += (uint8_t) step;
            if (queue->head_got == FRAME_HEADER_BYTES) {
                queue->rest = frame_length(queue->head);
                queue->head_got = queue->rest == 0 ? 0 : FRAME_HEADER_BYTES;
                if (queue->rest > STORE_FRAME_BYTES_MAX) {
                    return false;
                }
            }
        } else {
            step = queue->rest < count ? queue->rest : count;
            queue->rest -= step;
            queue->head_got = queue->rest == 0 ? 0 : FRAME_HEADER_BYTES;
        }
        queue->begun_bytes += step;
        if (queue->head_got == 0 && queue->rest == 0) {
            queue->whole_bytes += queue->begun_bytes;
            queue->begun_bytes = 0;
        }
        bytes += step;
        count -= step;
    }
    return true;
}

bool store_came(struct store *store, struct store_queue *queue, uint32_t buffer, uint32_t count)
{
    store->ready--;
    if (count == 0) {
        store_back(store, buffer);
        return true;
    }
    store->segments[buffer] = (struct store_segment){.from = 0, .to = count};
    if (queue->empty) {
        queue->first = (uint16_t) buffer;
    } else {
        store->segments[queue->last].next = (uint16_t) buffer;
    }
    queue->last = (uint16_t) buffer;
    queue->empty = false;
    return queue_count(queue, store_bytes(store, buffer), count);
}

uint32_t store_slices(const struct store *store, const struct store_queue *queue, struct iovec *slices, uint32_t max)
{
    uint32_t left = queue->whole_bytes;
    uint32_t buffer = queue->first;
    uint32_t count = 0;

    while (left != 0 && count < max) {
        const struct store_segment *segment = &store->segments[buffer];
        uint32_t bytes = segment->to - segment->from < left ? segment->to - segment->from : left;

        slices[count++] = (struct iovec){store_bytes(store, buffer) + segment->from, bytes};
        left -= bytes;
        buffer = segment->next;
    }
    return count;
}

/* The first segment is done with. */
static void store_shift(struct store *store, struct store_queue *queue)
{
    uint32_t buffer = queue->first;

    queue->empty = buffer == queue->last;
    queue->first = store->segments[buffer].next;
    store_back(store, buffer);
}

void store_take(struct store *store, struct store_queue *queue, uint32_t count)
{
    queue->whole_bytes -= count;
    while (count != 0) {
        struct store_segment *segment = &store->segments[queue->first];
        uint32_t bytes = segment->to - segment->from < count ? segment->to - segment->from : count;

        segment->from += bytes;
        count -= bytes;
        if (segment->from == segment->to) {
            store_shift(store, queue);
        }
    }
}

void store_drop(struct store *store, struct store_queue *queue)
{
    while (!queue->empty) {
        store_shift(store, queue);
    }
}
