/* SPDX-License-Identifier: MIT */
/*
 * fiber.c - fibers on Linux: pooled stacks below a guard page, and a switch that makes no system call.
 *
 * On x86-64 the switch is a dozen instructions: whatever a called function must keep is pushed, and the stack pointer
 * exchanged (the signal mask stays, and nobody here changes the rounding modes). Elsewhere swapcontext does it, which
 * asks the kernel for the signal mask each time. AddressSanitizer and ThreadSanitizer are told of each switch.
 */
#define _GNU_SOURCE 1

#include "tests/sim/fiber.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

#ifndef __has_feature
#define __has_feature(what) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define FIBER_ASAN 1
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#else
#define FIBER_ASAN 0
#endif
#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
#define FIBER_TSAN 1
#include <sanitizer/tsan_interface.h>
#else
#define FIBER_TSAN 0
#endif

enum { FIBER_STACK_BYTES = 512 * 1024, FIBER_GUARD_BYTES = 64 * 1024 }; /* The largest page there is. */

/* One side of a switch: what it must find again. */
typedef struct fiber_side {
#if defined(__x86_64__)
    void *top; /* Its stack pointer while it does not run. */
#else
    ucontext_t context;
#endif
    const void *low; /* Its stack, for AddressSanitizer. */
    size_t bytes;
    void *fake;   /* AddressSanitizer's own while it does not run. */
    void *thread; /* What ThreadSanitizer takes it for. */
} fiber_side;

struct sim_fiber {
    fiber_side side;
    void (*body)(void *argument);
    void *argument;
    sim_fiber *next_free; /* While in the pool. */
    bool has_ended;
};

static fiber_side outside;
static sim_fiber *running;
static sim_fiber *pool; /* Each lies at the upper end of its own stack's mapping. */

static void fiber_entry(void);

#if defined(__x86_64__)
void sim_fiber_exchange(void **from, void *to);
__asm__(".text\n"
        ".p2align 4\n"
        ".globl sim_fiber_exchange\n"
        ".hidden sim_fiber_exchange\n"
        ".type sim_fiber_exchange, @function\n"
        "sim_fiber_exchange:\n"
        "    pushq %rbp\n"
        "    pushq %rbx\n"
        "    pushq %r12\n"
        "    pushq %r13\n"
        "    pushq %r14\n"
        "    pushq %r15\n"
        "    movq %rsp, (%rdi)\n"
        "    movq %rsi, %rsp\n"
        "    popq %r15\n"
        "    popq %r14\n"
        "    popq %r13\n"
        "    popq %r12\n"
        "    popq %rbx\n"
        "    popq %rbp\n"
        "    retq\n"
        ".size sim_fiber_exchange, . - sim_fiber_exchange\n");

/* As if fiber_entry had been called by nobody and had switched away at once: six registers, then where to return. */
static void fiber_prepare(fiber_side *side)
{
    void **top = (void **) ((uintptr_t) side->low + side->bytes);
    *--top = NULL; /* Who called: at a function's first instruction the stack is 8 past a multiple of 16. */
    *--top = (void *) (uintptr_t) fiber_entry;
    for (int i = 0; i < 6; ++i) {
        *--top = NULL;
    }
    side->top = top;
}

static void fiber_exchange(fiber_side *from, fiber_side *to)
{
    sim_fiber_exchange(&from->top, to->top);
}
#else
static void fiber_prepare(fiber_side *side)
{
    if (getcontext(&side->context) != 0) {
        abort();
    }
    side->context.uc_stack.ss_sp = (void *) (uintptr_t) side->low;
    side->context.uc_stack.ss_size = side->bytes;
    side->context.uc_link = NULL;
    makecontext(&side->context, fiber_entry, 0);
}

static void fiber_exchange(fiber_side *from, fiber_side *to)
{
    if (swapcontext(&from->context, &to->context) != 0) {
        abort();
    }
}
#endif

/* What comes right after a switch, on the side that runs now. */
static void fiber_arrived(fiber_side *here, fiber_side *from)
{
#if FIBER_ASAN
    __sanitizer_finish_switch_fiber(here->fake, &from->low, &from->bytes);
#else
    (void) here;
    (void) from;
#endif
}

/* ends: never to come back. */
static void fiber_switch(fiber_side *from, fiber_side *to, bool ends)
{
#if FIBER_ASAN
    __sanitizer_start_switch_fiber(ends ? NULL : &from->fake, to->low, to->bytes);
#endif
#if FIBER_TSAN
    from->thread = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(to->thread, 0);
#endif
    (void) ends;
    fiber_exchange(from, to);
    fiber_arrived(from, to);
}

static void fiber_entry(void)
{
    sim_fiber *self = running;
    fiber_arrived(&self->side, &outside);
    self->body(self->argument);
    self->has_ended = true;
    fiber_switch(&self->side, &outside, true);
    abort(); /* Resumed after its end. */
}

static sim_fiber *fiber_map(void)
{
    unsigned char *memory = mmap(NULL, FIBER_GUARD_BYTES + FIBER_STACK_BYTES, PROT_READ | PROT_WRITE,
                                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED || mprotect(memory, FIBER_GUARD_BYTES, PROT_NONE) != 0) {
        perror("a fiber's stack");
        abort();
    }
    size_t above = (sizeof(sim_fiber) + 63) / 64 * 64;
    sim_fiber *fiber = (sim_fiber *) (void *) (memory + FIBER_GUARD_BYTES + FIBER_STACK_BYTES - above);
    fiber->side.low = memory + FIBER_GUARD_BYTES;
    fiber->side.bytes = FIBER_STACK_BYTES - above;
    return fiber;
}

sim_fiber *sim_fiber_create(void (*body)(void *argument), void *argument)
{
    sim_fiber *fiber = pool;
    if (fiber) {
        pool = fiber->next_free;
    } else {
        fiber = fiber_map();
    }
    fiber->body = body;
    fiber->argument = argument;
    fiber->has_ended = false;
    fiber->side.fake = NULL;
#if FIBER_TSAN
    fiber->side.thread = __tsan_create_fiber(0);
#endif
    fiber_prepare(&fiber->side);
    return fiber;
}

void sim_fiber_destroy(sim_fiber *fiber)
{
#if FIBER_ASAN
    if (!fiber->has_ended) { /* Its frames are still there for AddressSanitizer. */
        __asan_unpoison_memory_region(fiber->side.low, fiber->side.bytes);
    }
#endif
#if FIBER_TSAN
    __tsan_destroy_fiber(fiber->side.thread);
#endif
    fiber->next_free = pool;
    pool = fiber;
}

void sim_fiber_resume(sim_fiber *fiber)
{
    if (running || fiber->has_ended) {
        fputs("a fiber is resumed inside another, or after its end\n", stderr);
        abort();
    }
    running = fiber;
    fiber_switch(&outside, &fiber->side, false);
    running = NULL;
}

void sim_fiber_yield(void)
{
    if (!running) {
        fputs("nobody to yield to\n", stderr);
        abort();
    }
    fiber_switch(&running->side, &outside, false);
}

bool sim_fiber_has_ended(const sim_fiber *fiber)
{
    return fiber->has_ended;
}

sim_fiber *sim_fiber_self(void)
{
    return running;
}
