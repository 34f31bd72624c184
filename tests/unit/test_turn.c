/* SPDX-License-Identifier: MIT */
/*
 * test_turn.c - one runner at a time and no duty lost, whoever sets it: workers, foreign threads, the runner itself.
 *
 * What a runner touches is plain memory, so that TSan sees two at once, or a duty that was seen without what it is
 * about.
 */
#include "engine/conn/turn.h"
#include "tests/support/threads.h"

#include <criterion/criterion.h>

TestSuite(turn, .timeout = 100);

enum { SETTERS = 8, DUTIES = 4000, WORKERS = 4 };

static pp_memory memory;
static pp_port *port;
static pp_deadlines deadlines;

static pp_deadline_due deadline_due;
static pp_pool pool;
static pp_turn turn;
static _Atomic int pins;
static unsigned runs;                 /* Turn. */
static _Atomic unsigned set[SETTERS]; /* Raised before the duty is set. */
static unsigned seen[SETTERS];        /* Turn: what was raised when the duty was taken. */
static _Atomic bool running;

static const pp_turn_owner owner;

static pp_port *up_port(pp_turn *of)
{
    (void) of;
    return port;
}

static void up_pin(pp_turn *of)
{
    cr_assert_eq(of, &turn);
    atomic_fetch_add(&pins, 1);
}

static void up_unpin(pp_turn *of, pp_worker *worker)
{
    (void) of;
    cr_assert_not_null(worker);
    cr_assert_gt(atomic_fetch_sub(&pins, 1), 0);
}

static pp_turn_rest up_run(pp_turn *of, uint32_t duties, pp_worker *worker)
{
    (void) of;
    cr_assert_eq(pp_pool_here(&pool), worker, "not on a worker");
    cr_assert_not(atomic_exchange(&running, true), "two runners");
    runs += 1;
    for (unsigned i = 0; i < SETTERS; ++i) {
        if (duties & (2u << i)) {
            seen[i] = atomic_load_explicit(&set[i], memory_order_relaxed);
        }
    }
    if (runs % 5 == 0) {
        pp_turn_summon(&turn, &owner, 2u << (runs % SETTERS), worker); /* One for itself. */
    }
    atomic_store(&running, false);
    return runs % 3 == 0 ? PP_TURN_LATER : runs % 3 == 1 ? PP_TURN_BATCH_END : PP_TURN_NOTHING;
}

static const pp_turn_owner owner = {up_port, up_pin, up_unpin, up_run};

static void turn_done(pp_op *op, pp_result result, void *drainer)
{
    (void) result;
    pp_turn_run((pp_turn *) ((char *) op - offsetof(pp_turn, op)), &owner, drainer);
}

static void setter(void *argument)
{
    unsigned mine = (unsigned) (uintptr_t) argument;
    for (unsigned i = 1; i <= DUTIES; ++i) {
        atomic_store_explicit(&set[mine], i, memory_order_relaxed);
        pp_turn_summon(&turn, &owner, 2u << mine, NULL);
    }
}

static _Atomic int singing;

typedef struct chorus { /* Comes out of the port again and again, and sets duties on a worker. */
    pp_op op;
    unsigned left;
} chorus;

static void chorus_done(pp_op *op, pp_result result, void *drainer)
{
    chorus *of = (chorus *) op;
    (void) result;
    pp_turn_summon(&turn, &owner, 2u << (of->left % SETTERS), drainer);
    if (of->left--) {
        pp_port_post(port, op);
    } else {
        atomic_fetch_sub(&singing, 1);
    }
}

static void begin(uint32_t workers)
{
    pp_memory_init(&memory, 0);
    cr_assert_eq(pp_port_create(&port, &memory, &(pp_port_options){.drainers = workers}).status, PIPEPORT_OK);
    pp_deadlines_init(&deadlines, deadline_due);
    cr_assert_eq(pp_pool_start(&pool, port, &deadlines, workers).status, PIPEPORT_OK);
    pp_turn_init(&turn, turn_done, 0);
}

static void end(void)
{
    pp_pool_stop(&pool);
    pp_deadlines_fini(&deadlines);
    pp_port_destroy(port);
    cr_assert_eq(memory.bytes, 0);
}

Test(turn, runs_every_duty_and_never_twice_at_once)
{
    test_thread threads[SETTERS];
    static chorus voices[3];
    begin(WORKERS);
    atomic_store(&singing, 3);
    for (uintptr_t i = 0; i < SETTERS; ++i) {
        test_thread_start(&threads[i], setter, (void *) i);
    }
    for (unsigned i = 0; i < 3; ++i) {
        voices[i] = (chorus){.op = {.done = chorus_done, .home = i}, .left = DUTIES};
        pp_port_post(port, &voices[i].op);
    }
    for (int i = 0; i < SETTERS; ++i) {
        test_thread_join(&threads[i]);
    }
    while (atomic_load(&singing) || atomic_load(&pins)) { /* In this order. A lost unpin hangs here. */
        test_thread_yield();
    }
    pp_pool_stop(&pool);
    cr_assert_eq(turn.word, 0);
    for (int i = 0; i < SETTERS; ++i) {
        cr_assert_eq(seen[i], DUTIES, "setter %d: the last duty was lost, %u of %u", i, seen[i], DUTIES);
    }
    pp_deadlines_fini(&deadlines);
    pp_port_destroy(port);
    cr_assert_eq(memory.bytes, 0);
    cr_assert_gt(runs, 10);
}

/* ---- Lent threads, deadlines and stopping: the pool ---- */

static _Atomic unsigned due;
static void deadline_due(pp_deadline *deadline, void *drainer)
{
    (void) deadline;
    cr_assert_eq(pp_pool_here(&pool), drainer);
    atomic_fetch_add(&due, 1);
}

/* Where the whole machine stands still, time passes in which nobody naps. */
enum { NAPS = 40 };
static _Atomic unsigned naps;
static _Atomic bool napping;
static test_thread napper;

static void nap(void *argument)
{
    pp_gate shut;
    (void) argument;
    while (atomic_load(&napping)) {
        pp_gate_init(&shut, 1);
        (void) pp_gate_wait(&shut, 1);
        atomic_fetch_add(&naps, 1);
    }
}

static void begin_naps(void)
{
    atomic_store(&napping, true);
    test_thread_start(&napper, nap, NULL);
}

static void end_naps(void)
{
    atomic_store(&napping, false);
    test_thread_join(&napper);
}

enum { DEADLINES = 20, SLOW_MAX = 8 };

/* Who sleeps on meets them a second late, all of them; on a machine that is busy elsewhere some may be late. */
Test(turn, lets_a_foreign_thread_set_a_deadline_that_a_sleeping_worker_meets)
{
    unsigned slow = 0;
    begin(2);
    begin_naps();
    for (unsigned i = 1; i <= DEADLINES && slow <= SLOW_MAX; ++i) {
        pp_deadline deadline = {.when = 0};
        uint64_t begin_ms = pp_os_now_ms();
        unsigned before = atomic_load(&naps);
        cr_assert_not(pp_pool_set_deadline(&pool, &deadline, begin_ms + 5));
        while (atomic_load(&due) != i) {
            test_thread_yield();
        }
        cr_assert_geq(pp_os_now_ms() - begin_ms, 5);
        slow += pp_os_now_ms() - begin_ms >= 400 && atomic_load(&naps) - before >= NAPS;
    }
    cr_assert_leq(slow, SLOW_MAX, "the worker slept on, again and again");
    end_naps();
    end();
}

Test(turn, stops_a_pool_that_has_nothing_to_do)
{
    begin_naps();
    for (int i = 0; i < 200; ++i) {
        uint64_t begin_ms = pp_os_now_ms();
        unsigned before = atomic_load(&naps);
        begin(1 + (uint32_t) i % WORKERS);
        end();
        cr_assert(pp_os_now_ms() - begin_ms < 900 || atomic_load(&naps) - before < NAPS,
                  "a wake was lost: the workers slept out their watch");
    }
    end_naps();
}

static void lend(void *argument)
{
    pipeport_status *status = argument;
    *status = pp_pool_lend(&pool, UINT32_MAX);
}

Test(turn, waits_for_threads_that_are_lent)
{
    test_thread threads[3];
    pipeport_status statuses[3];
    memory = (pp_memory){0};
    pp_memory_init(&memory, 0);
    cr_assert_eq(pp_port_create(&port, &memory, &(pp_port_options){.drainers = 1}).status, PIPEPORT_OK);
    pp_deadlines_init(&deadlines, deadline_due);
    cr_assert_eq(pp_pool_start(&pool, port, &deadlines, 0).status, PIPEPORT_OK);
    for (int i = 0; i < 3; ++i) {
        test_thread_start(&threads[i], lend, &statuses[i]);
    }
    while (atomic_load(&pool.lent.count) != 4) {
        test_thread_yield();
    }
    end();
    for (int i = 0; i < 3; ++i) {
        test_thread_join(&threads[i]);
        cr_assert_eq(statuses[i], PIPEPORT_STOPPED);
    }
}
