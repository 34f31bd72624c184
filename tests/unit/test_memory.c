/* SPDX-License-Identifier: MIT */
/*
 * test_memory.c - the door to the heap: what it counts, what it refuses, and that both are exact under threads.
 */
#include "engine/base/memory.h"
#include "tests/support/aborts.h"
#include "tests/support/threads.h"

#include <criterion/criterion.h>

#include <string.h>

static void memory_expect(const pp_memory *memory, uint64_t bytes, uint64_t taken, uint64_t given)
{
    pp_memory_check(memory);
    cr_assert_eq(atomic_load(&memory->bytes), bytes);
    cr_assert_eq(atomic_load(&memory->taken), taken);
    cr_assert_eq(atomic_load(&memory->given), given);
}

Test(memory, counts_what_is_held_and_what_ever_was)
{
    pp_memory memory;
    pp_memory_init(&memory, 0);
    memory_expect(&memory, 0, 0, 0);
    void *small = pp_memory_take(&memory, 1);
    void *large = pp_memory_take(&memory, 1000000);
    memory_expect(&memory, 1000001, 2, 0);
    pp_memory_give(&memory, large, 1000000);
    memory_expect(&memory, 1, 2, 1);
    pp_memory_give(&memory, small, 1);
    memory_expect(&memory, 0, 2, 2);
    cr_assert_eq(atomic_load(&memory.bytes_peak), 1000001);
}

Test(memory, gives_back_nothing_for_nothing)
{
    pp_memory memory;
    pp_memory_init(&memory, 0);
    pp_memory_give(&memory, NULL, 100);
    memory_expect(&memory, 0, 0, 0);
}

Test(memory, aligns_every_size_to_sixteen)
{
    enum { SIZES = 3000 };
    static void *blocks[SIZES];
    pp_memory memory;
    pp_memory_init(&memory, 0);
    uintptr_t together = 0;
    for (size_t i = 0; i < SIZES; i++) {
        blocks[i] = i % 2 ? pp_memory_take(&memory, i + 1) : pp_memory_take_zeroed(&memory, i + 1);
        together |= (uintptr_t) blocks[i];
        memset(blocks[i], 0xa5, i + 1);
    }
    cr_assert_eq(together % 16, 0);
    for (size_t i = 0; i < SIZES; i++) {
        pp_memory_give(&memory, blocks[i], i + 1);
    }
    memory_expect(&memory, 0, SIZES, SIZES);
}

Test(memory, zeroes_a_block_that_was_used_before)
{
    static const uint8_t zero[4096];
    pp_memory memory;
    pp_memory_init(&memory, 0);
    for (size_t bytes = 1; bytes <= sizeof(zero); bytes *= 2) {
        void *used[8];
        for (int i = 0; i < 8; i++) {
            used[i] = memset(pp_memory_take(&memory, bytes), 0xff, bytes);
        }
        for (int i = 0; i < 8; i++) {
            pp_memory_give(&memory, used[i], bytes);
        }
        for (int i = 0; i < 8; i++) {
            used[i] = pp_memory_take_zeroed(&memory, bytes);
            cr_assert_arr_eq(used[i], zero, bytes);
        }
        for (int i = 0; i < 8; i++) {
            pp_memory_give(&memory, used[i], bytes);
        }
    }
    pp_memory_check(&memory);
}

Test(memory, gives_its_bound_and_not_one_byte_more)
{
    pp_memory memory;
    pp_memory_init(&memory, 100);
    cr_assert_null(pp_memory_take(&memory, 101));
    cr_assert_null(pp_memory_take_zeroed(&memory, SIZE_MAX));
    void *first = pp_memory_take(&memory, 60);
    cr_assert_not_null(first);
    cr_assert_null(pp_memory_take(&memory, 41));
    cr_assert_null(pp_memory_take(&memory, SIZE_MAX - 10)); /* The sum wraps to 49. */
    void *second = pp_memory_take(&memory, 40);
    cr_assert_not_null(second);
    cr_assert_null(pp_memory_take(&memory, 1));
    memory_expect(&memory, 100, 2, 0);
    pp_memory_give(&memory, first, 60);
    first = pp_memory_take(&memory, 60);
    cr_assert_not_null(first);
    pp_memory_give(&memory, first, 60);
    pp_memory_give(&memory, second, 40);
    memory_expect(&memory, 0, 3, 3);
    cr_assert_eq(atomic_load(&memory.bytes_peak), 100);
}

Test(memory, fails_after_as_many_takes_as_a_test_asks)
{
    pp_memory memory;
    pp_memory_init(&memory, 0);
    for (uint64_t asked = 0; asked < 4; asked++) {
        void *blocks[4] = {NULL};
        uint64_t taken = atomic_load(&memory.taken);
        atomic_store(&memory.fail_after, asked);
        for (uint64_t i = 0; i < asked; i++) {
            blocks[i] = pp_memory_take(&memory, 10);
            cr_assert_not_null(blocks[i]);
        }
        cr_assert_null(pp_memory_take(&memory, 10));
        cr_assert_null(pp_memory_take_zeroed(&memory, 10));
        memory_expect(&memory, asked * 10, taken + asked, taken);
        atomic_store(&memory.fail_after, UINT64_MAX);
        for (uint64_t i = 0; i < asked; i++) {
            pp_memory_give(&memory, blocks[i], 10);
        }
    }
    void *block = pp_memory_take(&memory, 10);
    cr_assert_not_null(block);
    cr_assert_eq(atomic_load(&memory.fail_after), UINT64_MAX);
    pp_memory_give(&memory, block, 10);
}

/* ---- Threads ---- */

enum { MEMORY_THREADS = 4, MEMORY_ROUNDS = 20000, MEMORY_BLOCK_BYTES = 64, MEMORY_BLOCKS_MAX = 3 };

typedef struct memory_crowd {
    pp_memory memory;
    _Atomic uint32_t holders; /* Blocks held by anybody, counted by the holders themselves. */
    _Atomic uint32_t faults;
    _Atomic uint64_t taken;
} memory_crowd;

static void memory_take_and_give(void *argument)
{
    memory_crowd *crowd = argument;
    for (int i = 0; i < MEMORY_ROUNDS; i++) {
        uint8_t *block = pp_memory_take(&crowd->memory, MEMORY_BLOCK_BYTES);
        if (block == NULL) {
            continue;
        }
        if (atomic_fetch_add(&crowd->holders, 1) >= MEMORY_BLOCKS_MAX) {
            atomic_fetch_add(&crowd->faults, 1);
        }
        atomic_fetch_add(&crowd->taken, 1);
        memset(block, i, MEMORY_BLOCK_BYTES);
        if (i % 64 == 0) {
            test_thread_yield(); /* So that the bound is met on few processors too. */
        }
        atomic_fetch_sub(&crowd->holders, 1);
        pp_memory_give(&crowd->memory, block, MEMORY_BLOCK_BYTES);
    }
}

static void memory_run_crowd(memory_crowd *crowd, uint64_t bytes_max)
{
    test_thread threads[MEMORY_THREADS];
    pp_memory_init(&crowd->memory, bytes_max);
    for (int i = 0; i < MEMORY_THREADS; i++) {
        test_thread_start(&threads[i], memory_take_and_give, crowd);
    }
    for (int i = 0; i < MEMORY_THREADS; i++) {
        test_thread_join(&threads[i]);
    }
    memory_expect(&crowd->memory, 0, atomic_load(&crowd->taken), atomic_load(&crowd->taken));
}

Test(memory, keeps_its_bound_under_threads, .timeout = 100)
{
    static memory_crowd crowd;
    memory_run_crowd(&crowd, MEMORY_BLOCKS_MAX * MEMORY_BLOCK_BYTES + MEMORY_BLOCK_BYTES - 1);
    cr_assert_eq(atomic_load(&crowd.faults), 0);
    cr_assert_leq(atomic_load(&crowd.memory.bytes_peak), MEMORY_BLOCKS_MAX * MEMORY_BLOCK_BYTES);
}

Test(memory, loses_no_count_under_threads, .timeout = 100)
{
    static memory_crowd crowd;
    memory_run_crowd(&crowd, 0);
    cr_assert_eq(atomic_load(&crowd.taken), (uint64_t) MEMORY_THREADS * MEMORY_ROUNDS);
    cr_assert_leq(atomic_load(&crowd.memory.bytes_peak), MEMORY_THREADS * MEMORY_BLOCK_BYTES);
}

#ifndef NDEBUG
Test(memory, notices_a_block_given_with_more_than_it_was_taken_with, TEST_ABORTS)
{
    pp_memory memory;
    pp_memory_init(&memory, 0);
    pp_memory_give(&memory, pp_memory_take(&memory, 10), 11);
}

Test(memory, is_not_asked_for_nothing, TEST_ABORTS)
{
    pp_memory memory;
    pp_memory_init(&memory, 0);
    pp_memory_take(&memory, 0);
}
#endif

Test(memory, check_notices_a_block_that_was_given_to_another, TEST_ABORTS)
{
    pp_memory one;
    pp_memory other;
    pp_memory_init(&one, 0);
    pp_memory_init(&other, 0);
    pp_memory_take(&other, 10);
    pp_memory_give(&other, pp_memory_take(&one, 10), 10);
    pp_memory_check(&other); /* Balanced here ... */
    pp_memory_give(&one, pp_memory_take(&other, 5), 5);
    pp_memory_check(&one); /* ... but not there: 5 bytes and no block. */
}
