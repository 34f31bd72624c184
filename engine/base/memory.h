/* SPDX-License-Identifier: MIT */
/*
 * memory.h - the only door to the heap: counted, bounded, and able to fail on demand.
 *
 * One pp_memory per engine. Behind it mimalloc, or libc's malloc where a sanitizer must see the blocks
 * (PP_MALLOC_LIBC).
 * Any thread takes and gives, without a lock: the figures are relaxed atomics that nothing is ordered by.
 */
#ifndef PP_BASE_MEMORY_H
#define PP_BASE_MEMORY_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

typedef struct pp_memory {
    uint64_t bytes_max;     /* 0: no bound. Set before the first take. */
    _Atomic uint64_t bytes; /* Held now; never above bytes_max. */
    _Atomic uint64_t bytes_peak;
    _Atomic uint64_t taken; /* Blocks, ever. */
    _Atomic uint64_t given;
    _Atomic uint64_t fail_after; /* Tests: this many more takes succeed, then every take fails; UINT64_MAX: never. */
} pp_memory;

void pp_memory_init(pp_memory *memory, uint64_t bytes_max);

/* A block of `bytes` (at least 1), aligned to 16, or NULL: the bound, the system or a test said no. */
void *pp_memory_take(pp_memory *memory, size_t bytes);
void *pp_memory_take_zeroed(pp_memory *memory, size_t bytes);

/* Gives a block back; `bytes` as it was taken. NULL is fine. */
void pp_memory_give(pp_memory *memory, void *block, size_t bytes);

/* Tests: asserts what must hold while nobody is taking or giving. */
void pp_memory_check(const pp_memory *memory);

#endif
