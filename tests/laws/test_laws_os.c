/* SPDX-License-Identifier: MIT */
/*
 * test_laws_os.c - clocks, threads, locks and gates.
 */
#include "tests/laws/bed.h"

#include <criterion/criterion.h>

#include <stdlib.h>

TestSuite(laws_os, .timeout = 100);

enum { THREADS = 8, ROUNDS = 5000 };

static pp_thread threads[THREADS];
static pp_lock lock;
static pp_gate gate, second_gate;
static uint64_t counted; /* Under the lock. */
static uintptr_t selves[THREADS];

static void os_start_all(void (*body)(void *argument))
{
    for (uintptr_t i = 0; i < THREADS; i++) {
        cr_assert_eq(pp_os_thread_start(&threads[i], body, &selves[i]).status, PIPEPORT_OK);
    }
}

static void os_join_all(void)
{
    for (int i = 0; i < THREADS; i++) {
        pp_os_thread_join(&threads[i]);
    }
}

Test(laws_os, has_clocks_that_go_forward_together)
{
    uint64_t ns = pp_os_now_ns(), ms = pp_os_now_ms();
    for (int i = 0; i < 10000; i++) {
        uint64_t next_ns = pp_os_now_ns(), next_ms = pp_os_now_ms();
        cr_assert(next_ns >= ns && next_ms >= ms);
        ns = next_ns;
        ms = next_ms;
    }
    uint64_t begin_ns = pp_os_now_ns(), begin_ms = pp_os_now_ms(), begun_ns = pp_os_now_ns();
    pp_gate_init(&gate, 1);
    cr_assert_not(pp_gate_wait(&gate, 200));
    uint64_t end_ns = pp_os_now_ns(), passed_ms = pp_os_now_ms() - begin_ms, ended_ns = pp_os_now_ns();
    cr_assert(passed_ms >= 180 && passed_ms < BED_PATIENCE_MS, "%llu ms", (unsigned long long) passed_ms);
    cr_assert_lt((end_ns - begun_ns) / 1000000, passed_ms + 50); /* However long it was between two looks. */
    cr_assert_gt((ended_ns - begin_ns) / 1000000 + 50, passed_ms);
}

Test(laws_os, has_at_least_one_processor)
{
    cr_assert(pp_os_processors() >= 1 && pp_os_processors() <= 4096);
}

Test(laws_os, has_jitter_that_differs_from_call_to_call)
{
    int same = 0;
    uint64_t before = pp_os_jitter(), all = 0;
    for (int i = 0; i < 64; i++) {
        uint64_t next = pp_os_jitter();
        same += next == before;
        all |= next ^ before;
        before = next;
    }
    cr_assert_lt(same, 60, "a clock may stand still for a moment, but not all the time");
    cr_assert_eq(all & 0xFFFF, 0xFFFF, "each low bit changes now and then");
}

static void os_tell_self(void *argument)
{
    *(uintptr_t *) argument = pp_os_thread_self();
    pp_gate_leave(&gate);
    LAW(pp_gate_wait(&second_gate, UINT32_MAX)); /* All live while they are compared. */
    LAW(pp_os_thread_self() == *(uintptr_t *) argument);
}

Test(laws_os, tells_live_threads_apart)
{
    pp_gate_init(&gate, THREADS);
    pp_gate_init(&second_gate, 1);
    os_start_all(os_tell_self);
    cr_assert(pp_gate_wait(&gate, BED_PATIENCE_MS));
    for (int i = 0; i < THREADS; i++) {
        cr_assert(selves[i] != 0 && selves[i] != pp_os_thread_self());
        for (int k = 0; k < i; k++) {
            cr_assert_neq(selves[i], selves[k]);
        }
    }
    cr_assert(pp_gate_leave(&second_gate));
    os_join_all();
}

static void os_count(void *argument)
{
    (void) argument;
    for (int i = 0; i < ROUNDS; i++) {
        pp_lock_take(&lock);
        counted++;
        pp_lock_give(&lock);
    }
}

Test(laws_os, lets_one_thread_at_a_time_hold_a_lock)
{
    counted = 0;
    pp_lock_init(&lock);
    os_start_all(os_count);
    os_join_all();
    pp_lock_fini(&lock);
    cr_assert_eq(counted, (uint64_t) THREADS * ROUNDS);
}

static void os_leave(void *argument)
{
    *(uintptr_t *) argument = pp_gate_leave(&gate);
}

Test(laws_os, opens_a_gate_when_the_last_has_left_and_tells_him)
{
    for (int round = 0; round < 50; round++) {
        pp_gate_init(&gate, THREADS - 1);
        pp_gate_add(&gate);
        cr_assert_not(pp_gate_wait(&gate, 0));
        os_start_all(os_leave);
        cr_assert(pp_gate_wait(&gate, UINT32_MAX));
        os_join_all();
        uintptr_t last = 0;
        for (int i = 0; i < THREADS; i++) {
            last += selves[i];
        }
        cr_assert_eq(last, 1);
        cr_assert(pp_gate_wait(&gate, 0));
    }
}

static void os_leave_and_forget(void *argument)
{
    (void) pp_gate_leave(*(pp_gate **) argument);
}

Test(laws_os, lets_who_waited_free_the_gate_at_once)
{
    for (int round = 0; round < 500; round++) {
        pp_gate *mine = malloc(sizeof *mine);
        cr_assert_not_null(mine);
        pp_gate_init(mine, 1);
        cr_assert_eq(pp_os_thread_start(&threads[0], os_leave_and_forget, &mine).status, PIPEPORT_OK);
        pp_gate *waited = mine;
        cr_assert(pp_gate_wait(waited, UINT32_MAX));
        *(volatile uint32_t *) (void *) waited = 77; /* Whoever still looked at it would see something else. */
        pp_os_thread_join(&threads[0]);
        cr_assert_eq(*(volatile uint32_t *) (void *) waited, 77);
        free(waited);
    }
}

static void os_wait(void *argument)
{
    (void) argument;
    LAW(pp_gate_wait(&gate, UINT32_MAX));
}

Test(laws_os, lets_all_through_who_wait_at_a_gate)
{
    for (int round = 0; round < 50; round++) {
        pp_gate_init(&gate, 1);
        os_start_all(os_wait);
        cr_assert(pp_gate_leave(&gate));
        os_join_all();
    }
}
