/* SPDX-License-Identifier: MIT */
/*
 * test_worker.c - what one worker does in its turn and how long it waits, with a clock that stands still.
 */
#include "engine/conn/worker.h"
#include "tests/support/fake_os.h"
#include "tests/support/fake_port.h"

#include <criterion/criterion.h>

TestSuite(worker, .timeout = 100);

static pp_memory memory;
static pp_port *port;
static pp_deadlines deadlines;

static pp_deadline_due deadline_due;
static pp_pool pool;
static char order[64];
static unsigned told;

static void tell(char what)
{
    cr_assert_lt(told, sizeof order - 1);
    order[told++] = what;
}

static void begin(void)
{
    fake_reset();
    fake.waits = fake_os_pass;
    pp_memory_init(&memory, 0);
    cr_assert_eq(pp_port_create(&port, &memory, &(pp_port_options){.drainers = 1}).status, PIPEPORT_OK);
    pp_deadlines_init(&deadlines, deadline_due);
    cr_assert_eq(pp_pool_start(&pool, port, &deadlines, 0).status, PIPEPORT_OK);
}

static void end(void)
{
    pp_pool_stop(&pool);
    pp_deadlines_fini(&deadlines);
    pp_port_destroy(port);
    cr_assert_eq(memory.bytes, 0);
}

static uint32_t slow_ms;

static void op_done(pp_op *op, pp_result result, void *drainer)
{
    (void) op;
    (void) result;
    cr_assert_eq(pp_pool_here(&pool), drainer);
    tell('o');
    fake_os_pass(slow_ms);
}

static void deadline_due(pp_deadline *deadline, void *drainer)
{
    (void) deadline;
    cr_assert_eq(pp_pool_here(&pool), drainer);
    cr_assert_eq(fake_os_locks, 0, "due under the lock");
    tell('d');
    fake_os_pass(slow_ms);
}

static pp_op second;

static void chore_second(pp_op *chore, pp_result result, void *drainer)
{
    (void) chore;
    (void) drainer;
    cr_assert(result.fault.status == PIPEPORT_OK && result.bytes == 0);
    tell('2');
}

static void chore_first(pp_op *chore, pp_result result, void *drainer)
{
    (void) chore;
    (void) result;
    tell('1');
    second.done = chore_second;
    pp_worker_defer(drainer, &second);
}

static pp_op first = {.done = chore_first};

static void op_defers(pp_op *op, pp_result result, void *drainer)
{
    (void) op;
    (void) result;
    tell('o');
    pp_worker_defer(drainer, &first);
}

Test(worker, runs_chores_after_the_whole_batch_and_deadlines_last)
{
    begin();
    pp_op defers = {.done = op_defers};
    pp_op plain = {.done = op_done};
    pp_deadline deadline = {.when = 0};
    (void) pp_pool_set_deadline(&pool, &deadline, fake_os_ms);
    pp_port_post(port, &defers);
    pp_port_post(port, &plain);
    cr_assert_eq(pp_pool_lend(&pool, 0), PIPEPORT_OK);
    cr_assert_str_eq(order, "oo12d");
    end();
}

Test(worker, takes_one_at_a_time_while_handlers_are_slow)
{
    begin();
    pp_op ops[6];
    slow_ms = 5;
    for (int i = 0; i < 6; ++i) {
        ops[i] = (pp_op){.done = op_done};
    }
    pp_port_post(port, &ops[0]);
    pp_port_post(port, &ops[1]);
    cr_assert_eq(pp_pool_lend(&pool, 0), PIPEPORT_OK);
    cr_assert_str_eq(order, "oo");
    for (int i = 2; i < 6; ++i) {
        pp_port_post(port, &ops[i]);
    }
    cr_assert_eq(pp_pool_lend(&pool, 0), PIPEPORT_OK);
    cr_assert_str_eq(order, "ooo", "the rest is for others");
    slow_ms = 0;
    cr_assert_eq(pp_pool_lend(&pool, 0), PIPEPORT_OK);
    cr_assert_eq(pp_pool_lend(&pool, 0), PIPEPORT_OK);
    cr_assert_str_eq(order, "oooooo");
    end();
}

Test(worker, comes_home_when_its_time_is_over)
{
    begin();
    static const uint32_t times[] = {0, 1, 999, 1000, 1001, 12345};
    for (unsigned i = 0; i < sizeof times / sizeof times[0]; ++i) {
        uint64_t begin_ms = fake_os_ms;
        cr_assert_eq(pp_pool_lend(&pool, times[i]), PIPEPORT_OK);
        cr_assert_eq(fake_os_ms - begin_ms, times[i]);
    }
    end();
}

Test(worker, meets_a_deadline_to_the_millisecond)
{
    begin();
    pp_deadline deadlines_set[3] = {{.when = 0}};
    uint64_t begin_ms = fake_os_ms;
    for (unsigned i = 0; i < 3; ++i) {
        (void) pp_pool_set_deadline(&pool, &deadlines_set[i], begin_ms + 1500 * (3 - i));
    }
    cr_assert_gt(fake.wakes, 0);
    for (unsigned i = 1; i <= 3; ++i) {
        cr_assert_eq(pp_pool_lend(&pool, 1499), PIPEPORT_OK);
        cr_assert_eq(told, i - 1);
        cr_assert_eq(pp_pool_lend(&pool, 1), PIPEPORT_OK);
        cr_assert_eq(told, i);
    }
    end();
}

Test(worker, does_not_wait_longer_because_a_deadline_took_its_time)
{
    begin();
    pp_deadline two[2] = {{.when = 0}};
    uint64_t begin_ms = fake_os_ms;
    slow_ms = 300;
    (void) pp_pool_set_deadline(&pool, &two[0], begin_ms + 100);
    (void) pp_pool_set_deadline(&pool, &two[1], begin_ms + 500);
    cr_assert_eq(pp_pool_lend(&pool, 450), PIPEPORT_OK);
    cr_assert_eq(fake_os_ms - begin_ms, 450, "came home after %llu ms", (unsigned long long) (fake_os_ms - begin_ms));
    slow_ms = 0;
    cr_assert_eq(pp_pool_lend(&pool, 50), PIPEPORT_OK);
    cr_assert_str_eq(order, "dd");
    end();
}

static void op_lends(pp_op *op, pp_result result, void *drainer)
{
    (void) op;
    (void) result;
    (void) drainer;
    cr_assert_eq(pp_pool_lend(&pool, 0), PIPEPORT_INVALID);
    tell('o');
}

Test(worker, is_not_lent_twice)
{
    begin();
    pp_op op = {.done = op_lends};
    pp_port_post(port, &op);
    cr_assert_eq(pp_pool_lend(&pool, 0), PIPEPORT_OK);
    cr_assert_str_eq(order, "o");
    cr_assert_null(pp_pool_here(&pool));
    end();
}

Test(worker, is_refused_when_there_are_too_many)
{
    begin();
    for (uintptr_t i = 0; i < PP_WORKERS_MAX; ++i) {
        pool.threads[i] = 100 + i;
    }
    cr_assert_eq(pp_pool_lend(&pool, 0), PIPEPORT_INVALID);
    for (uintptr_t i = 0; i < PP_WORKERS_MAX; ++i) {
        pool.threads[i] = 0;
    }
    cr_assert_eq(pp_pool_lend(&pool, 0), PIPEPORT_OK);
    end();
}

static uint64_t writes_ms[2];

static void op_writes(pp_op *op, pp_result result, void *drainer)
{
    (void) op;
    (void) result;
    for (int i = 0; i < 2; ++i) {
        writes_ms[i] = pp_worker_writes_ms(drainer);
        fake_os_pass(7);
    }
}

Test(worker, reads_the_time_once_for_what_it_writes_in_a_batch)
{
    begin();
    pp_op op = {.done = op_writes};
    for (int i = 0; i < 2; ++i) {
        uint64_t begin_ms = fake_os_ms;
        pp_port_post(port, &op);
        cr_assert_eq(pp_pool_lend(&pool, 0), PIPEPORT_OK);
        cr_assert_eq(writes_ms[0], begin_ms);
        cr_assert_eq(writes_ms[1], begin_ms);
    }
    pp_deadline slow[2] = {{.when = 0}};
    (void) pp_pool_set_deadline(&pool, &slow[0], fake_os_ms);
    (void) pp_pool_set_deadline(&pool, &slow[1], fake_os_ms);
    pp_port_post(port, &op);
    cr_assert_eq(pp_pool_lend(&pool, 0), PIPEPORT_OK);
    cr_assert_eq(pool.workers[0].writes_ms, 0, "what is due may run events, which take any time");
    pool.workers[0].writes_ms = UINT64_MAX;
    uint64_t now_ms = pp_worker_writes_ms(&pool.workers[0]);
    fake_os_pass(7);
    cr_assert_eq(pp_worker_writes_ms(&pool.workers[0]), now_ms + 7, "a turn may take any time");
    end();
}

/* ---- How many are taken at a time */

static uint64_t each_reads;
static uint32_t batch_done;

static void op_reads(pp_op *op, pp_result result, void *drainer)
{
    (void) op;
    (void) result;
    ((pp_worker *) drainer)->moved_bytes += each_reads;
    batch_done += 1;
    fake_os_pass(slow_ms);
}

/* The worker has more to do than it takes, each of which reads so much and takes slow_ms: so many it has taken. */
static void expect_batch(uint64_t reads, uint32_t expected)
{
    static pp_op ops[2 * PP_BATCH_MAX];
    static uint32_t posted;
    while (fake_port_waiting() < 2 * PP_BATCH_MAX) {
        pp_op *op = &ops[posted++ % (2 * PP_BATCH_MAX)];
        *op = (pp_op){.done = op_reads};
        pp_port_post(port, op);
    }
    each_reads = reads;
    batch_done = 0;
    cr_assert_eq(pp_pool_lend(&pool, 0), PIPEPORT_OK);
    cr_assert_eq(batch_done, expected, "%u of %llu bytes each, not %u", batch_done, (unsigned long long) reads,
                 expected);
    slow_ms = 0;
}

static void take_all_waiting(void)
{
    while (fake_port_waiting() != 0) {
        cr_assert_eq(pp_pool_lend(&pool, 0), PIPEPORT_OK);
    }
}

static void end_with_none_waiting(void)
{
    take_all_waiting();
    end();
}

static void begin_of(bool shared)
{
    begin();
    pp_pool_stop(&pool);
    fake.not_shared = !shared;
    cr_assert_eq(pp_pool_start(&pool, port, &deadlines, 0).status, PIPEPORT_OK);
}

Test(worker, takes_many_where_they_are_short_and_quick)
{
    begin_of(false);
    expect_batch(64, 16);
    expect_batch(64, 32);
    expect_batch(64, 64);
    slow_ms = 5;
    expect_batch(64, 64);
    expect_batch(64, 1);
    expect_batch(64, 2);
    expect_batch(64, 4);
    end_with_none_waiting();
}

Test(worker, takes_no_more_than_it_has_seen_to_be_quick)
{
    begin_of(false);
    pp_op op = {.done = op_reads};
    each_reads = 64;
    for (int i = 0; i < 8; ++i) {
        pp_port_post(port, &op);
        cr_assert_eq(pp_pool_lend(&pool, 0), PIPEPORT_OK);
    }
    expect_batch(64, 16);
    expect_batch(64, 32);
    take_all_waiting();
    pp_port_post(port, &op);
    cr_assert_eq(pp_pool_lend(&pool, 0), PIPEPORT_OK);
    expect_batch(64, 16);
    end_with_none_waiting();
}

Test(worker, takes_few_where_much_is_read)
{
    begin_of(false);
    expect_batch(1024, 16);
    expect_batch(8192, 32);
    expect_batch(8192, 16);
    expect_batch(1024, 16);
    expect_batch(1024, 32);
    end_with_none_waiting();
}

Test(worker, takes_few_where_others_could_take_the_rest)
{
    begin_of(true);
    for (int i = 0; i < 4; ++i) {
        expect_batch(64, 16);
    }
    end_with_none_waiting();
}

/* ---- Writes of foreign threads */

enum { OUTSIDE_MAX = 32 }; /* Of a millisecond's writes, those that nobody is spared. */

/* As if the worker were a thread of ours. */
static bool minds_pump(void)
{
    pool.owned = 1;
    bool minds = pp_pool_minds_pump(&pool, 0);
    pool.owned = 0;
    return minds;
}

static void expect_minds_after(int count)
{
    for (int i = 0; i < count; ++i) {
        cr_assert_not(minds_pump(), "the write %d of %d", i + 1, count);
    }
    cr_assert(minds_pump());
}

Test(worker, minds_the_pumps_of_many_writes_and_not_of_few)
{
    begin();
    fake.not_shared = true;
    for (int ms = 0; ms < 100; ++ms) { /* So many each millisecond are few. */
        for (int i = 0; i < OUTSIDE_MAX / 2; ++i) {
            cr_assert_not(minds_pump());
        }
        fake_os_pass(1);
    }
    fake_os_pass(100);
    expect_minds_after(OUTSIDE_MAX);
    fake_os_pass(1);
    expect_minds_after(OUTSIDE_MAX - (OUTSIDE_MAX + 1) / 2);
    for (int i = 0; i < 100 * OUTSIDE_MAX; ++i) {
        cr_assert(minds_pump());
    }
    fake_os_pass(4);
    cr_assert(minds_pump(), "it goes on");
    fake_os_pass(5);
    cr_assert_not(minds_pump(), "it was over");
    fake_os_pass(1000000);
    expect_minds_after(OUTSIDE_MAX);
    end();
}

Test(worker, minds_no_pump_where_it_may_be_away_or_a_post_is_dear)
{
    begin();
    for (int i = 0; i < 2 * OUTSIDE_MAX; ++i) {
        cr_assert_not(minds_pump(), "shared");
    }
    fake.not_shared = true;
    for (int i = 0; i < 2 * OUTSIDE_MAX; ++i) {
        cr_assert_not(pp_pool_minds_pump(&pool, 0), "lent");
    }
    end();
}

static bool minds_at_once, minds_later;

static void op_looks(pp_op *op, pp_result result, void *drainer)
{
    (void) op;
    (void) result;
    (void) drainer;
    for (int i = 0; i < OUTSIDE_MAX; ++i) {
        (void) minds_pump();
    }
    minds_at_once = minds_pump();
    fake_os_pass(slow_ms);
    minds_later = minds_pump();
}

Test(worker, minds_no_pump_when_its_handlers_take_long)
{
    begin();
    fake.not_shared = true;
    pp_op op = {.done = op_looks};
    for (slow_ms = 0; slow_ms < 3; ++slow_ms) {
        pp_port_post(port, &op);
        cr_assert_eq(pp_pool_lend(&pool, 0), PIPEPORT_OK);
        cr_assert(minds_at_once);
        cr_assert_eq(minds_later, slow_ms == 0);
    }
    pp_port_post(port, &op);
    cr_assert_eq(pp_pool_lend(&pool, 0), PIPEPORT_OK);
    cr_assert_not(minds_at_once, "the last batch was slow");
    fake_os_pass(100);
    for (int i = 0; i < 2 * OUTSIDE_MAX; ++i) {
        cr_assert_not(minds_pump(), "the last batch was slow, the next may have begun");
    }
    slow_ms = 0;
    pp_port_post(port, &op);
    cr_assert_eq(pp_pool_lend(&pool, 0), PIPEPORT_OK);
    fake_os_pass(100);
    expect_minds_after(OUTSIDE_MAX); /* For now it waits. */
    end();
}

Test(worker, waits_for_a_home_to_be_left_where_each_has_its_own_pipes)
{
    begin();
    fake.not_shared = true;
    pool.threads[0] = 100; /* Somebody else attends the only home. */
    uint64_t begin_ms = fake_os_ms;
    cr_assert_eq(pp_pool_lend(&pool, 35), PIPEPORT_OK);
    cr_assert_geq(fake_os_ms - begin_ms, 35);
    pool.threads[0] = 0;
    end();
}

Test(worker, is_refused_once_the_pool_stops)
{
    begin();
    pool.stopping = true;
    cr_assert_eq(pp_pool_lend(&pool, 10), PIPEPORT_STOPPED);
    end();
}

Test(worker, says_so_when_a_thread_cannot_be_started)
{
    begin();
    end();
    fake_os_threads_max = 3;
    cr_assert_eq(pp_pool_start(&pool, port, &deadlines, 5).status, PIPEPORT_SYSTEM);
    cr_assert_eq(fake_os_threads, 0, "those that were started are joined");
}
