/* SPDX-License-Identifier: MIT */
/*
 * memory.c - counting first, the allocator second: what the figures refuse never reaches the heap.
 */
#include "engine/base/memory.h"

#include "engine/base/assert.h"

#include <stdbool.h>

#ifdef PP_MALLOC_LIBC
#include <stdlib.h>
#define MEMORY_HEAP_TAKE malloc
#define MEMORY_HEAP_TAKE_ZEROED(bytes) calloc(1, bytes)
#define MEMORY_HEAP_GIVE free
#else
#include <mimalloc.h>
#define MEMORY_HEAP_TAKE mi_malloc
#define MEMORY_HEAP_TAKE_ZEROED mi_zalloc
#define MEMORY_HEAP_GIVE mi_free
#endif

enum { MEMORY_ALIGNMENT = 16 };

void pp_memory_init(pp_memory *memory, uint64_t bytes_max)
{
    memory->bytes_max = bytes_max;
    atomic_init(&memory->bytes, 0);
    atomic_init(&memory->bytes_peak, 0);
    atomic_init(&memory->taken, 0);
    atomic_init(&memory->given, 0);
    atomic_init(&memory->fail_after, UINT64_MAX);
}

/* Counts `bytes` as held, unless they would pass the bound, and sets *held to what is held then. */
static bool memory_reserve(pp_memory *memory, uint64_t bytes, uint64_t *held)
{
    if (memory->bytes_max == 0) {
        *held = atomic_fetch_add_explicit(&memory->bytes, bytes, memory_order_relaxed) + bytes;
        return true;
    }
    uint64_t seen = atomic_load_explicit(&memory->bytes, memory_order_relaxed);
    do {
        if (bytes > memory->bytes_max - seen) {
            return false;
        }
    } while (!atomic_compare_exchange_weak_explicit(&memory->bytes, &seen, seen + bytes, memory_order_relaxed,
                                                    memory_order_relaxed));
    *held = seen + bytes;
    return true;
}

/* False once a test's number of takes is used up. */
static bool memory_may_succeed(pp_memory *memory)
{
    uint64_t left = atomic_load_explicit(&memory->fail_after, memory_order_relaxed);
    while (left != UINT64_MAX) {
        if (left == 0) {
            return false;
        }
        if (atomic_compare_exchange_weak_explicit(&memory->fail_after, &left, left - 1, memory_order_relaxed,
                                                  memory_order_relaxed)) {
            return true;
        }
    }
    return true;
}

static void memory_raise_peak(pp_memory *memory, uint64_t held)
{
    uint64_t peak = atomic_load_explicit(&memory->bytes_peak, memory_order_relaxed);
    while (held > peak && !atomic_compare_exchange_weak_explicit(&memory->bytes_peak, &peak, held, memory_order_relaxed,
                                                                 memory_order_relaxed)) {
    }
}

static void *memory_take(pp_memory *memory, size_t bytes, bool zeroed)
{
    PP_ASSERT(bytes != 0);
    uint64_t held;
    if (!memory_reserve(memory, bytes, &held)) {
        return NULL;
    }
    void *block = NULL;
    if (memory_may_succeed(memory)) {
        /* Below its alignment mimalloc aligns a block to its size only. */
        size_t heap_bytes = bytes < MEMORY_ALIGNMENT ? MEMORY_ALIGNMENT : bytes;
        block = zeroed ? MEMORY_HEAP_TAKE_ZEROED(heap_bytes) : MEMORY_HEAP_TAKE(heap_bytes);
    }
    if (block == NULL) {
        atomic_fetch_sub_explicit(&memory->bytes, bytes, memory_order_relaxed);
        return NULL;
    }
    memory_raise_peak(memory, held);
    atomic_fetch_add_explicit(&memory->taken, 1, memory_order_relaxed);
    return block;
}

void *pp_memory_take(pp_memory *memory, size_t bytes)
{
    return memory_take(memory, bytes, false);
}

void *pp_memory_take_zeroed(pp_memory *memory, size_t bytes)
{
    return memory_take(memory, bytes, true);
}

void pp_memory_give(pp_memory *memory, void *block, size_t bytes)
{
    if (block == NULL) {
        return;
    }
    MEMORY_HEAP_GIVE(block);
    uint64_t held = atomic_fetch_sub_explicit(&memory->bytes, bytes, memory_order_relaxed);
    PP_ASSERT(held >= bytes); /* Given twice, or with another size than it was taken. */
    (void) held;
    atomic_fetch_add_explicit(&memory->given, 1, memory_order_relaxed);
}

void pp_memory_check(const pp_memory *memory)
{
    uint64_t bytes = atomic_load(&memory->bytes);
    uint64_t taken = atomic_load(&memory->taken);
    uint64_t given = atomic_load(&memory->given);
    PP_VERIFY(memory->bytes_max == 0 || bytes <= memory->bytes_max);
    PP_VERIFY(bytes <= atomic_load(&memory->bytes_peak));
    PP_VERIFY(given <= taken);
    PP_VERIFY(taken - given <= bytes); /* No block is empty. */
    PP_VERIFY((taken == given) == (bytes == 0));
}
