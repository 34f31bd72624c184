/* SPDX-License-Identifier: MIT */
/* worker.c - see worker.h. */
#include "engine/conn/worker.h"

#include "engine/base/assert.h"
#include "engine/base/hints.h"

enum {
    /* No wait is longer, so that a worker that has gone to sleep before a deadline was set, while the one that set it
     * is held by a slow handler, still sees to it (the system gives a wake to whom it likes). */
    WORKER_WATCH_MS = 1000,
    WORKER_SLOW_MS = 1, /* A batch that took longer than this had a slow handler in it. */
    /* So often foreign threads write in a millisecond before they leave it to a worker. Who is left waits for a worker
     * to wake, 5 to 10 us; so many writes before him have taken longer. */
    WORKER_OUTSIDE_MAX = 32,
    WORKER_OUTSIDE_KEPT_MAX = 16 * WORKER_OUTSIDE_MAX, /* A pause of some milliseconds is no end of it. */
    WORKER_OUTSIDE_BITS = 16,
    /* A batch is large while that is cheap: its reads one after the other, and then its writes, find more of the
     * system's code in the nearest cache than one of each in turn. Not where what is read and written
     * would drive itself out of that cache: then 16, which is also the most where other workers could take the rest. */
    WORKER_BATCH_SMALL = 16,
    WORKER_LARGE_BYTES = 4096, /* Read and written for each of a batch, on the average. */
    WORKER_LONG_AGO_MS = 1,    /* When a batch began whose handler is expected to be slow. */
    POOL_LEND_MS = 10          /* How long a waiting or unattending thread goes before it looks around again. */
};

/* Drainers are numbered as workers are. */
static _Atomic uintptr_t *worker_thread(const pp_worker *worker)
{
    return &worker->pool->threads[worker->drainer];
}

void pp_worker_defer(pp_worker *worker, pp_op *chore)
{
    PP_ASSERT(atomic_load_explicit(worker_thread(worker), memory_order_relaxed) == pp_os_thread_self());
    chore->room.next = NULL;
    if (worker->last) {
        worker->last->room.next = chore;
    } else {
        worker->first = chore;
    }
    worker->last = chore;
}

static void worker_do_chores(pp_worker *worker)
{
    for (uint32_t done = 1; worker->first; ++done) {
        pp_op *chore = worker->first;
        worker->first = chore->room.next;
        if (!worker->first) {
            worker->last = NULL;
        }
        PP_SOON(worker->first); /* A write of this one drives it out of the nearest cache. */
        chore->done(chore, (pp_result){{PIPEPORT_OK, 0}, 0, 0}, worker);
        if (done % PP_WORKER_CLOCK_WRITES == 0) {
            worker->writes_ms = 0;
        }
    }
    pp_shelf_settle(&worker->shelf);
}

static uint32_t worker_wait_ms(const pp_worker *worker, uint64_t now_ms, uint64_t until_ms)
{
    uint64_t next_ms = atomic_load(&worker->pool->deadlines->next_ms);
    if (until_ms < next_ms) {
        next_ms = until_ms;
    }
    uint64_t wait_ms = next_ms > now_ms ? next_ms - now_ms : 0;
    return wait_ms < WORKER_WATCH_MS ? (uint32_t) wait_ms : WORKER_WATCH_MS;
}

/* Runs what is due; answers the time after it. */
static uint64_t worker_run_deadlines(pp_worker *worker, uint64_t now_ms)
{
    pp_deadlines *deadlines = worker->pool->deadlines;
    if (atomic_load(&deadlines->next_ms) > now_ms) {
        return now_ms;
    }
    pp_deadline *deadline;
    while ((deadline = pp_deadlines_pop(deadlines, now_ms)) != NULL) {
        pp_deadlines_ring(deadlines, deadline, worker);
        worker->writes_ms = 0; /* An event may have run, and taken any time. */
    }
    worker_do_chores(worker);
    return pp_os_now_ms(); /* Events ran: who counts from before them waits too long. */
}

/* How many completions to take next. Only a batch that was full tells that more were waiting, and one as long as this
 * was quick; one that was nearly empty tells nothing of what comes at once next time. */
static uint32_t worker_next_batch(const pp_worker *worker, uint32_t count, uint64_t took_ms)
{
    uint32_t most = PP_BATCH_MAX;
    uint32_t next = worker->batch_max;
    if (took_ms > WORKER_SLOW_MS) {
        return 1;
    }
    if (worker->home == PP_WORKERS_MAX) {
        return WORKER_BATCH_SMALL;
    }
    if (worker->moved_bytes / WORKER_LARGE_BYTES > count) {
        most = WORKER_BATCH_SMALL;
    }
    if (count == worker->batch_max) {
        next *= 2;
    } else if (count < WORKER_BATCH_SMALL) {
        next = WORKER_BATCH_SMALL;
    }
    return next < most ? next : most;
}

/* One turn; answers the time at its end. */
static uint64_t worker_turn(pp_worker *worker, uint64_t now_ms, uint64_t until_ms)
{
    pp_completion batch[PP_BATCH_MAX];
    uint32_t wait_ms = worker_wait_ms(worker, now_ms, until_ms);
    uint32_t count = pp_port_take(worker->pool->port, worker->drainer, wait_ms, batch, worker->batch_max);
    uint64_t begin_ms = pp_os_now_ms();
    worker->writes_ms = 0;
    worker->moved_bytes = 0;
    atomic_store_explicit(&worker->busy_since_ms, worker->batch_max > 1 ? begin_ms : WORKER_LONG_AGO_MS,
                          memory_order_relaxed);
    for (uint32_t i = 0; i < count; ++i) {
        batch[i].op->done(batch[i].op, batch[i].result, worker);
    }
    worker_do_chores(worker);
    uint64_t end_ms = pp_os_now_ms();
    worker->batch_max = worker_next_batch(worker, count, end_ms - begin_ms);
    now_ms = worker_run_deadlines(worker, end_ms);
    atomic_store_explicit(&worker->busy_since_ms, worker->batch_max > 1 ? 0 : WORKER_LONG_AGO_MS, memory_order_relaxed);
    return now_ms;
}

static void worker_body(void *argument)
{
    pp_worker *worker = argument;
    atomic_store(worker_thread(worker), pp_os_thread_self());
    uint64_t now_ms = pp_os_now_ms();
    while (!atomic_load(&worker->pool->stopping)) {
        now_ms = worker_turn(worker, now_ms, UINT64_MAX);
    }
    atomic_store(worker_thread(worker), 0);
}

static void pool_join(pp_pool *pool, uint32_t started)
{
    atomic_store(&pool->stopping, true);
    pp_port_wake(pool->port);
    for (uint32_t i = 0; i < started; ++i) {
        pp_os_thread_join(&pool->workers[i].os_thread);
    }
}

pp_fault pp_pool_start(pp_pool *pool, pp_port *port, pp_deadlines *deadlines, uint32_t owned)
{
    PP_ASSERT(owned <= PP_WORKERS_MAX);
    pool->port = port;
    pool->deadlines = deadlines;
    pool->owned = owned;
    pool->homes = owned ? owned : 1;
    pool->outside_max = WORKER_OUTSIDE_MAX;
    atomic_init(&pool->used, owned);
    atomic_init(&pool->stopping, false);
    pp_gate_init(&pool->lent, 1);
    for (uint32_t i = 0; i < PP_WORKERS_MAX; ++i) {
        atomic_init(&pool->threads[i], 0);
        pool->workers[i] = (pp_worker){.pool = pool,
                                       .drainer = i,
                                       .home = pp_port_is_shared(port) ? PP_WORKERS_MAX : i,
                                       .batch_max = WORKER_BATCH_SMALL,
                                       .alone = !pp_port_is_shared(port) && pool->homes == 1};
    }
    for (uint32_t i = 0; i < owned; ++i) {
        pp_fault fault = pp_os_thread_start(&pool->workers[i].os_thread, worker_body, &pool->workers[i]);
        if (fault.status != PIPEPORT_OK) {
            pool_join(pool, i);
            return fault;
        }
    }
    return (pp_fault){PIPEPORT_OK, 0};
}

void pp_pool_stop(pp_pool *pool)
{
    PP_VERIFY(!pp_pool_here(pool));
    pool_join(pool, pool->owned);
    if (!pp_gate_leave(&pool->lent)) {
        (void) pp_gate_wait(&pool->lent, UINT32_MAX);
    }
    for (uint32_t i = 0; i < PP_WORKERS_MAX; ++i) {
        pp_spare_fini(&pool->workers[i].spare);
        pp_shelf_fini(&pool->workers[i].shelf);
    }
}

pp_worker *pp_pool_here(pp_pool *pool)
{
    uintptr_t self = pp_os_thread_self();
    uint32_t used = atomic_load_explicit(&pool->used, memory_order_relaxed);
    for (uint32_t i = 0; i < used; ++i) {
        if (atomic_load_explicit(&pool->threads[i], memory_order_relaxed) == self) {
            return &pool->workers[i];
        }
    }
    return NULL;
}

/* Not to a host's threads, which may be away. Nor where any worker may take what is posted: there a post costs as much
 * as a write. */
bool pp_pool_minds_pump(pp_pool *pool, uint32_t home)
{
    if (pool->owned == 0 || pp_port_is_shared(pool->port)) {
        return false;
    }
    pp_worker *worker = &pool->workers[home];
    uint64_t now_ms = pp_os_now_ms();
    uint64_t busy_since_ms = atomic_load_explicit(&worker->busy_since_ms, memory_order_relaxed);
    if (busy_since_ms != 0 && busy_since_ms != now_ms) {
        return false;
    }
    uint64_t seen = atomic_load_explicit(&worker->outside, memory_order_relaxed);
    uint64_t passed_ms = now_ms - (seen >> WORKER_OUTSIDE_BITS);
    uint64_t count = seen & ((1u << WORKER_OUTSIDE_BITS) - 1);
    count = passed_ms < WORKER_OUTSIDE_BITS ? count >> passed_ms : 0;
    if (count < WORKER_OUTSIDE_KEPT_MAX || passed_ms > 0) {
        atomic_store_explicit(&worker->outside, now_ms << WORKER_OUTSIDE_BITS | (count + 1), memory_order_relaxed);
    }
    return count >= pool->outside_max;
}

/* A free place for a lent thread. Where drainers have pipes of their own, only an attended one is of use. */
static pp_worker *pool_claim(pp_pool *pool)
{
    uint32_t places = pp_port_is_shared(pool->port) ? PP_WORKERS_MAX : pool->homes;
    for (uint32_t i = pool->owned; i < places; ++i) {
        uintptr_t nobody = 0;
        if (atomic_compare_exchange_strong(&pool->threads[i], &nobody, pp_os_thread_self())) {
            uint32_t used = atomic_load(&pool->used);
            while (used <= i && !atomic_compare_exchange_weak(&pool->used, &used, i + 1)) {
            }
            return &pool->workers[i];
        }
    }
    return NULL;
}

/* `gate` (or NULL): it ends as soon as that is open, too. */
static pipeport_status pool_drain_until(pp_pool *pool, uint64_t until_ms, pp_gate *gate)
{
    uint64_t now_ms = pp_os_now_ms();
    pp_worker *worker = NULL;
    do {
        if (atomic_load(&pool->stopping)) {
            break;
        }
        if (!worker) {
            worker = pool_claim(pool);
        }
        if (worker) {
            now_ms = worker_turn(worker, now_ms, until_ms);
        } else if (pp_port_is_shared(pool->port)) {
            return PIPEPORT_INVALID;
        } else { /* Every home is attended: wait for one to be left. */
            (void) pp_gate_wait(gate ? gate : &pool->lent, POOL_LEND_MS);
            now_ms = pp_os_now_ms();
        }
    } while (now_ms < until_ms && !(gate && pp_gate_wait(gate, 0)));
    if (worker) {
        PP_ASSERT(!worker->first);
        atomic_store(worker_thread(worker), 0);
    }
    return PIPEPORT_OK;
}

static pipeport_status pool_lend(pp_pool *pool, uint32_t for_ms, pp_gate *gate)
{
    if (pp_pool_here(pool)) {
        return PIPEPORT_INVALID;
    }
    if (atomic_load(&pool->stopping)) {
        return PIPEPORT_STOPPED;
    }
    pp_gate_add(&pool->lent);
    pipeport_status status = pool_drain_until(pool, for_ms == UINT32_MAX ? UINT64_MAX : pp_os_now_ms() + for_ms, gate);
    if (status == PIPEPORT_OK && atomic_load(&pool->stopping)) {
        status = PIPEPORT_STOPPED;
        pp_port_wake(pool->port); /* More may be lent than one wake reaches: each passes it on. */
    }
    (void) pp_gate_leave(&pool->lent);
    return status;
}

pipeport_status pp_pool_lend(pp_pool *pool, uint32_t for_ms)
{
    return pool_lend(pool, for_ms, NULL);
}

void pp_pool_wait(pp_pool *pool, pp_gate *gate)
{
    (void) pp_pool_wait_until(pool, gate, UINT64_MAX);
}

bool pp_pool_wait_until(pp_pool *pool, pp_gate *gate, uint64_t until_ms)
{
    while (!pp_gate_wait(gate, 0)) {
        uint64_t now_ms = until_ms == UINT64_MAX ? 0 : pp_os_now_ms();
        uint64_t left_ms = until_ms > now_ms ? until_ms - now_ms : 0;
        uint32_t wait_ms = left_ms < UINT32_MAX ? (uint32_t) left_ms : UINT32_MAX;
        if (left_ms == 0) {
            return false;
        }
        uint32_t lend_ms = wait_ms < POOL_LEND_MS ? wait_ms : POOL_LEND_MS;
        if (pool->owned) {
            (void) pp_gate_wait(gate, wait_ms);
        } else if (pool_lend(pool, lend_ms, gate) != PIPEPORT_OK) {
            (void) pp_gate_wait(gate, lend_ms);
        }
    }
    return true;
}

bool pp_pool_set_deadline(pp_pool *pool, pp_deadline *deadline, uint64_t due_ms)
{
    pp_deadline_set set = pp_deadlines_set(pool->deadlines, deadline, due_ms);
    if (set.is_next && !pp_pool_here(pool)) { /* A worker looks for itself, at the end of this very turn. */
        pp_port_wake(pool->port);
    }
    return set.was_set;
}
