/* SPDX-License-Identifier: MIT */
/*
 * test_laws_port.c - the laws of port.h that need no pipe: posts, wakes, counts, time.
 */
#include "tests/laws/bed.h"

#include <criterion/criterion.h>

#include <string.h>

TestSuite(laws_port, .timeout = 100);

enum { CROWD_THREADS = 8, CROWD_POSTS = 1500, CROWD_DRAINERS = 4 };

typedef struct crowd_op {
    pp_op op;
    atomic_uint outings;
} crowd_op;

typedef struct crowd_poster {
    test_bed *bed;
    pp_thread thread;
    crowd_op ops[CROWD_POSTS];
} crowd_poster;

static test_bed port_bed;
static crowd_poster crowd[CROWD_THREADS];
static pp_gate crowd_gate;

Test(laws_port, hands_out_a_post_exactly_once_with_ok_and_no_bytes)
{
    bed_open(&port_bed, 1);
    pp_op op = {0};
    pp_port_post(port_bed.port, &op);
    pp_result result = bed_await(&port_bed, &op);
    cr_assert_eq(result.fault.status, PIPEPORT_OK);
    cr_assert_eq(result.bytes, 0);
    bed_hears_nothing(&port_bed);
    bed_close(&port_bed);
}

Test(laws_port, hands_the_same_op_out_again_when_it_is_posted_again)
{
    bed_open(&port_bed, 1);
    pp_op op = {0};
    for (int i = 0; i < 1000; i++) {
        pp_port_post(port_bed.port, &op);
        cr_assert_eq(bed_await(&port_bed, &op).fault.status, PIPEPORT_OK);
    }
    bed_close(&port_bed);
}

Test(laws_port, never_hands_out_more_than_it_is_asked_for)
{
    enum { OPS = 45 };
    bed_open(&port_bed, 1);
    static crowd_op ops[OPS];
    for (int i = 0; i < OPS; i++) {
        pp_port_post(port_bed.port, &ops[i].op);
    }
    uint32_t total = 0;
    pp_completion batch[PP_BATCH_MAX + 1];
    for (uint32_t max = 1; total < OPS; max = max % PP_BATCH_MAX + 1) {
        batch[max].op = NULL;
        uint32_t count = pp_port_take(port_bed.port, 0, 1000, batch, max);
        cr_assert(count >= 1 && count <= max, "%u of at most %u", count, max);
        cr_assert_null(batch[max].op);
        for (uint32_t i = 0; i < count; i++) {
            crowd_op *op = (crowd_op *) (void *) batch[i].op;
            cr_assert_eq(atomic_fetch_add(&op->outings, 1), 0);
        }
        total += count;
    }
    bed_hears_nothing(&port_bed);
    bed_close(&port_bed);
}

Test(laws_port, counts_what_was_posted_and_what_came_out)
{
    bed_open(&port_bed, 2);
    pp_op ops[3] = {{0}, {0}, {0}};
    uint64_t armed, done;
    pp_port_count(port_bed.port, &armed, &done);
    cr_assert(armed == 0 && done == 0);
    for (int i = 0; i < 3; i++) {
        pp_port_post(port_bed.port, &ops[i]);
    }
    pp_port_count(port_bed.port, &armed, &done);
    cr_assert(armed == 3 && done == 0);
    pp_completion batch[PP_BATCH_MAX];
    uint32_t count = 0;
    while (count < 3) {
        count += pp_port_take(port_bed.port, 0, 1000, batch, PP_BATCH_MAX);
    }
    pp_port_count(port_bed.port, &armed, &done);
    cr_assert(armed == 3 && done == 3);
    pp_port_wake(port_bed.port);
    cr_assert_eq(pp_port_take(port_bed.port, 0, UINT32_MAX, batch, PP_BATCH_MAX), 0);
    pp_port_count(port_bed.port, &armed, &done);
    cr_assert(armed == 3 && done == 3, "a wake is no completion");
    bed_close(&port_bed);
}

Test(laws_port, lets_a_take_return_when_its_time_has_passed)
{
    bed_open(&port_bed, 1);
    pp_completion batch[PP_BATCH_MAX];
    uint64_t begin_ms = pp_os_now_ms();
    cr_assert_eq(pp_port_take(port_bed.port, 0, 0, batch, PP_BATCH_MAX), 0);
    cr_assert_eq(pp_port_take(port_bed.port, 0, 60, batch, PP_BATCH_MAX), 0);
    uint64_t waited_ms = pp_os_now_ms() - begin_ms;
    cr_assert(waited_ms >= 30 && waited_ms < BED_PATIENCE_MS, "%llu ms", (unsigned long long) waited_ms);
    bed_close(&port_bed);
}

Test(laws_port, does_not_lose_a_wake_that_comes_before_the_take)
{
    bed_open(&port_bed, 3);
    pp_completion batch[PP_BATCH_MAX];
    for (int i = 0; i < 20; i++) {
        pp_port_wake(port_bed.port);
        for (uint32_t drainer = 0; drainer < 3; drainer++) {
            cr_assert_eq(pp_port_take(port_bed.port, drainer, UINT32_MAX, batch, PP_BATCH_MAX), 0);
        }
    }
    bed_close(&port_bed);
}

Test(laws_port, hands_out_what_was_posted_beside_a_wake)
{
    bed_open(&port_bed, 1);
    pp_op op = {0};
    pp_completion batch[PP_BATCH_MAX];
    for (int i = 0; i < 100; i++) {
        pp_port_wake(port_bed.port);
        pp_port_post(port_bed.port, &op);
        pp_port_wake(port_bed.port);
        uint32_t takes = 0;
        while (pp_port_take(port_bed.port, 0, UINT32_MAX, batch, PP_BATCH_MAX) == 0) {
            cr_assert_lt(++takes, 10);
        }
        cr_assert_eq(batch[0].op, &op);
    }
    bed_close(&port_bed);
}

/* One take each, without a bound: who is not woken never leaves the gate. */
static void wake_sleep(void *argument)
{
    bed_drainer *drainer = argument;
    pp_completion batch[PP_BATCH_MAX];
    LAW(pp_port_take(drainer->bed->port, drainer->number, UINT32_MAX, batch, PP_BATCH_MAX) == 0);
    pp_gate_leave(&crowd_gate);
}

Test(laws_port, wakes_every_drainer_with_one_wake)
{
    bed_open(&port_bed, BED_DRAINERS_MAX);
    for (int round = 0; round < 20; round++) {
        pp_gate_init(&crowd_gate, BED_DRAINERS_MAX);
        for (uint32_t i = 0; i < BED_DRAINERS_MAX; i++) {
            bed_drainer *drainer = &port_bed.drainers[i];
            *drainer = (bed_drainer){.bed = &port_bed, .number = i};
            cr_assert_eq(pp_os_thread_start(&drainer->thread, wake_sleep, drainer).status, PIPEPORT_OK);
        }
        pp_port_wake(port_bed.port);
        cr_assert(pp_gate_wait(&crowd_gate, BED_PATIENCE_MS), "%u still sleep", atomic_load(&crowd_gate.count));
        for (uint32_t i = 0; i < BED_DRAINERS_MAX; i++) {
            pp_os_thread_join(&port_bed.drainers[i].thread);
        }
    }
    bed_close(&port_bed);
}

/* Takes until the bed stops, and does nothing with what a wake says. */
static void wake_return_again(void *argument)
{
    bed_drainer *drainer = argument;
    pp_completion batch[PP_BATCH_MAX];
    LAW(pp_port_take(drainer->bed->port, drainer->number, UINT32_MAX, batch, PP_BATCH_MAX) == 0);
    pp_gate_leave(&crowd_gate);
    while (!atomic_load(&drainer->bed->stopping)) {
        (void) pp_port_take(drainer->bed->port, drainer->number, UINT32_MAX, batch, PP_BATCH_MAX);
    }
}

Test(laws_port, wakes_every_drainer_though_one_that_was_woken_takes_again)
{
    bed_open(&port_bed, 4);
    pp_gate_init(&crowd_gate, 4);
    for (uint32_t i = 0; i < 4; i++) {
        bed_drainer *drainer = &port_bed.drainers[i];
        *drainer = (bed_drainer){.bed = &port_bed, .number = i};
        cr_assert_eq(pp_os_thread_start(&drainer->thread, wake_return_again, drainer).status, PIPEPORT_OK);
        port_bed.running++;
    }
    pp_port_wake(port_bed.port);
    cr_assert(pp_gate_wait(&crowd_gate, BED_PATIENCE_MS), "%u still sleep", atomic_load(&crowd_gate.count));
    bed_close(&port_bed);
}

static void crowd_done(pp_op *op, pp_result result, void *drainer)
{
    LAW(result.fault.status == PIPEPORT_OK && result.bytes == 0);
    bed_drainer *taker = drainer;
    LAW(pp_port_is_shared(taker->bed->port) || taker->number == op->home);
    LAW(atomic_fetch_add(&((crowd_op *) (void *) op)->outings, 1) == 0);
    pp_gate_leave(&crowd_gate);
}

static void crowd_post(void *argument)
{
    crowd_poster *poster = argument;
    for (uint32_t i = 0; i < CROWD_POSTS; i++) {
        poster->ops[i].op.done = crowd_done;
        poster->ops[i].op.home = (uint16_t) (i % CROWD_DRAINERS);
        pp_port_post(poster->bed->port, &poster->ops[i].op);
    }
}

Test(laws_port, hands_out_the_posts_of_eight_threads_exactly_once)
{
    bed_open(&port_bed, CROWD_DRAINERS);
    pp_gate_init(&crowd_gate, CROWD_THREADS * CROWD_POSTS);
    bed_start(&port_bed);
    for (int i = 0; i < CROWD_THREADS; i++) {
        crowd[i].bed = &port_bed;
        cr_assert_eq(pp_os_thread_start(&crowd[i].thread, crowd_post, &crowd[i]).status, PIPEPORT_OK);
    }
    for (int i = 0; i < CROWD_THREADS; i++) {
        pp_os_thread_join(&crowd[i].thread);
    }
    cr_assert(pp_gate_wait(&crowd_gate, BED_PATIENCE_MS), "%u are missing", atomic_load(&crowd_gate.count));
    bed_close(&port_bed);
    for (int i = 0; i < CROWD_THREADS; i++) {
        for (int k = 0; k < CROWD_POSTS; k++) {
            cr_assert_eq(atomic_load(&crowd[i].ops[k].outings), 1);
        }
    }
}

/* Posts itself again from its own done. */
typedef struct relay_op {
    pp_op op;
    uint32_t left;
} relay_op;

static void relay_done(pp_op *op, pp_result result, void *drainer)
{
    (void) result;
    bed_drainer *taker = drainer;
    relay_op *relay = (relay_op *) (void *) op;
    if (relay->left-- == 0) {
        pp_gate_leave(&crowd_gate);
        return;
    }
    op->home = (uint16_t) ((op->home + 1) % CROWD_DRAINERS);
    pp_port_post(taker->bed->port, op);
}

Test(laws_port, lets_an_op_be_posted_from_its_own_done)
{
    enum { RELAYS = 16, ROUNDS = 500 };
    static relay_op relays[RELAYS];
    bed_open(&port_bed, CROWD_DRAINERS);
    pp_gate_init(&crowd_gate, RELAYS);
    bed_start(&port_bed);
    for (uint32_t i = 0; i < RELAYS; i++) {
        relays[i] = (relay_op){.op = {.done = relay_done, .home = (uint16_t) (i % CROWD_DRAINERS)}, .left = ROUNDS};
        pp_port_post(port_bed.port, &relays[i].op);
    }
    cr_assert(pp_gate_wait(&crowd_gate, BED_PATIENCE_MS));
    bed_stop(&port_bed);
    uint64_t armed, done;
    pp_port_count(port_bed.port, &armed, &done);
    cr_assert(armed == RELAYS * (ROUNDS + 1) && done == armed);
    bed_close(&port_bed);
}

Test(laws_port, fails_to_be_created_where_there_is_no_memory_and_leaves_nothing)
{
    for (uint64_t takes = 0;; takes++) {
        cr_assert_lt(takes, 100);
        pp_memory memory;
        pp_memory_init(&memory, 0);
        atomic_store(&memory.fail_after, takes);
        pp_port *port = NULL;
        pp_fault fault = pp_port_create(&port, &memory, &(pp_port_options){.drainers = 2});
        if (fault.status == PIPEPORT_OK) {
            pp_port_destroy(port);
            cr_assert_eq(atomic_load(&memory.bytes), 0);
            cr_assert_gt(takes, 0);
            break;
        }
        cr_assert_eq(fault.status, PIPEPORT_NO_MEMORY);
        cr_assert_null(port);
        cr_assert_eq(atomic_load(&memory.bytes), 0);
    }
}
