/* SPDX-License-Identifier: MIT */
/*
 * ground.c - what the explored code stands upon: locks and gates that let other fibers go on, a heap that gives the
 * same addresses in each run, and asserts that tell the order in which they failed.
 */
#include "engine/base/assert.h"
#include "engine/base/memory.h"
#include "engine/port/os.h"
#include "tests/steps/explore.h"

#include <stdalign.h>
#include <string.h>

_Noreturn void pp_assert_failed(const char *what, const char *file, int line)
{
    steps_fail(what, file, line);
}

/* word[0]: whether it is taken. */
static bool lock_is_free(void *lock)
{
    return ((const pp_lock *) lock)->word[0] == 0;
}

void pp_lock_init(pp_lock *lock)
{
    memset(lock, 0, sizeof *lock);
}

void pp_lock_fini(pp_lock *lock)
{
    STEPS_ASSERT(lock_is_free(lock));
}

void pp_lock_take(pp_lock *lock)
{
    steps_take(&lock->word[0], sizeof lock->word[0], lock_is_free, lock);
    STEPS_ASSERT(lock_is_free(lock));
    lock->word[0] = 1;
}

void pp_lock_give(pp_lock *lock)
{
    steps_take(&lock->word[0], sizeof lock->word[0], NULL, NULL);
    STEPS_ASSERT(!lock_is_free(lock));
    lock->word[0] = 0;
}

static bool gate_is_open(void *gate)
{
    return atomic_load(&((pp_gate *) gate)->count) == 0;
}

void pp_gate_init(pp_gate *gate, uint32_t count)
{
    atomic_init(&gate->count, count);
}

bool pp_gate_leave(pp_gate *gate)
{
    steps_take(&gate->count, sizeof gate->count, NULL, NULL);
    uint32_t before = atomic_fetch_sub(&gate->count, 1);
    STEPS_ASSERT(before > 0);
    return before == 1;
}

/* Time passes at once, but where there is no bound. */
bool pp_gate_wait(pp_gate *gate, uint32_t wait_ms)
{
    steps_take(&gate->count, sizeof gate->count, wait_ms == UINT32_MAX ? gate_is_open : NULL, gate);
    return gate_is_open(gate);
}

enum { HEAP_BYTES = 64 * 1024, HEAP_UNIT = 16 };

static alignas(HEAP_UNIT) unsigned char heap[HEAP_BYTES];
static bool heap_given[HEAP_BYTES / HEAP_UNIT]; /* Back from who had it; nobody gets it again in this run. */
static size_t heap_used;
static uint32_t heap_blocks;

void steps_heap_reset(void)
{
    memset(heap_given, 0, heap_used / HEAP_UNIT * sizeof heap_given[0]);
    heap_used = 0;
    heap_blocks = 0;
}

bool steps_heap_is_given(const volatile void *where)
{
    uintptr_t at = (uintptr_t) where - (uintptr_t) heap;
    return at < HEAP_BYTES && heap_given[at / HEAP_UNIT];
}

uint32_t steps_heap_blocks(void)
{
    return heap_blocks;
}

void pp_memory_init(pp_memory *memory, uint64_t bytes_max)
{
    memset(memory, 0, sizeof *memory);
    memory->bytes_max = bytes_max;
}

void *pp_memory_take(pp_memory *memory, size_t bytes)
{
    (void) memory;
    STEPS_ASSERT(bytes <= sizeof heap - heap_used);
    void *block = heap + heap_used;
    heap_blocks += 1;
    heap_used += (bytes + HEAP_UNIT - 1) / HEAP_UNIT * HEAP_UNIT;
    return block;
}

void *pp_memory_take_zeroed(pp_memory *memory, size_t bytes)
{
    return memset(pp_memory_take(memory, bytes), 0, bytes);
}

void pp_memory_give(pp_memory *memory, void *block, size_t bytes)
{
    (void) memory;
    if (block) {
        STEPS_ASSERT(heap_blocks > 0);
        STEPS_ASSERT(!steps_heap_is_given(block));
        heap_blocks -= 1;
        memset(block, 0xDD, bytes); /* Who still reads it reads nonsense. */
        size_t first = (size_t) ((unsigned char *) block - heap) / HEAP_UNIT;
        memset(&heap_given[first], true, (bytes + HEAP_UNIT - 1) / HEAP_UNIT * sizeof heap_given[0]);
    }
}
