/* SPDX-License-Identifier: MIT */
/*
 * worker.h - the threads that drain the port: a pool of ours, and those a host lends.
 *
 * A worker's turn: take a batch of completions, hand each to its op, then do the chores that came up, then the
 * deadlines that are due. A chore is an operation that is done on this thread once the batch is handled: a connection's
 * turn, or a write that was held back so that the replies of a whole batch leave in one (corking). It defers itself
 * once at most (to come behind the writes); who has more to do than its share posts to the port, so that every round
 * ends. A batch grows while it is quick, up to PP_BATCH_MAX where nobody else could take of it and its reads are short
 * (docs/decisions/0022). When one took long, a handler is slow: the next one is a single completion, so that nothing
 * waits behind it while other workers are idle.
 *
 * A foreign thread writes by itself, which is the soonest, and costs no worker anything. But where messages come from
 * such threads by the dozen, each would be a write of its own, while those of a worker leave together. So when more
 * than some have written to the pipes of one home within a millisecond, the rest are left to its worker: all that is
 * sent until it comes is one write for each pipe. But not to a worker whose batch has been going on since an earlier
 * millisecond, or whose last one was slow: nobody knows how long its handlers take.
 *
 * Threads: a worker's fields belong to its thread, which alone sets busy_since_ms, except `outside`. By the pool's
 * `threads` any thread can find out whether it is a worker.
 */
#ifndef PP_CONN_WORKER_H
#define PP_CONN_WORKER_H

#include "engine/conn/deadlines.h"
#include "engine/conn/running.h"
#include "engine/flow/spare.h"
#include "engine/port/os.h"
#include "engine/port/port.h"

enum { PP_WORKERS_MAX = 64 };

typedef struct pp_pool pp_pool;
typedef struct pp_worker pp_worker;

typedef struct pp_fan {  /* See fan.h. */
    pp_op op;            /* A chore from the first of them on: */
    pp_op *first, *last; /* the pumps that broadcasts and answers of this batch have taken, by room.next. */
    bool deferred;       /* The chore is under way, perhaps with nothing left to do. */
    bool broadcasts;     /* One of them was taken by a broadcast. */
} pp_fan;

struct pp_worker {
    pp_pool *pool;
    _Atomic uint64_t busy_since_ms; /* When its batch began; 0: it is in a take, and the batch before was
                                       no slow one. Relaxed: others only guess by it. */
    uint32_t drainer;
    uint32_t home;      /* The drainer, where only this thread takes what comes of its pipes; else PP_WORKERS_MAX. */
    uint64_t writes_ms; /* See pp_worker_writes_ms. 0: not read yet; UINT64_MAX: a turn runs. */
    uint32_t batch_max;
    bool alone;          /* Nobody else ever drains the port: every turn runs here, one after the other. */
    pp_op *first, *last; /* Chores, by room.next. */
    pp_fan fan;
    pp_running running;       /* The turn that runs here, and its answers. */
    pp_spare spare;           /* What the connections whose turn runs here receive into, */
    pp_shelf shelf;           /* and where their answers find a block. */
    uint64_t moved_bytes;     /* Read and written in this batch. */
    pp_thread os_thread;      /* Of ours only. */
    char apart[64];           /* What foreign threads write lies on a cache line of its own. */
    _Atomic uint64_t outside; /* The last millisecond in which they wrote to its pipes, and how often lately. Relaxed:
                                 those who count at the same moment may count for one. */
    char behind[56];
};

struct pp_pool {
    pp_port *port;
    pp_deadlines *deadlines;
    uint32_t owned;        /* Threads of ours: workers[0 .. owned - 1]. */
    uint32_t homes;        /* Drainers that are always attended: owned, or 1 for a host's threads. */
    uint32_t outside_max;  /* See pp_pool_minds_pump; a constant, but for tests. */
    _Atomic uint32_t used; /* workers[used ...] were never claimed. */
    _Atomic bool stopping; /* A state, not a message; a wake follows it. */
    pp_gate lent;          /* 1 for the pool, and each thread that is lent. */
    /* Who each worker is, 0: nobody. Claimed by CAS, compared by anybody (relaxed: only a thread's own id matters to
     * it, and that it wrote itself). Side by side, for each send looks through them (docs/decisions/0006). */
    _Atomic uintptr_t threads[PP_WORKERS_MAX];
    pp_worker workers[PP_WORKERS_MAX];
};

/* Starts `owned` threads (0: a host's threads only). Fails: SYSTEM. */
pp_fault pp_pool_start(pp_pool *pool, pp_port *port, pp_deadlines *deadlines, uint32_t owned);

/* Ends and joins ours, waits until the lent ones are home, and frees the spare blocks. Not from a worker. */
void pp_pool_stop(pp_pool *pool);

/* Lends this thread for for_ms (UINT32_MAX: until the pool stops). Fails: INVALID (is a worker already, or too many),
 * STOPPED. */
pipeport_status pp_pool_lend(pp_pool *pool, uint32_t for_ms);

/* Waits for a gate, not on a worker; drains meanwhile if there is no thread of ours. */
void pp_pool_wait(pp_pool *pool, pp_gate *gate);

/* The same until that time (UINT64_MAX: no bound). False: the gate is still shut. Where a host's threads drain, one of
 * them may open the gate while this one waits for the port: then it is heard of at most 10 ms late. */
bool pp_pool_wait_until(pp_pool *pool, pp_gate *gate, uint64_t until_ms);

/* This thread's worker, or NULL: a foreign thread. */
pp_worker *pp_pool_here(pp_pool *pool);

/* Sets a deadline and sees to it that somebody waits no longer than that. True: it was set before. */
bool pp_pool_set_deadline(pp_pool *pool, pp_deadline *deadline, uint64_t due_ms);

/* A foreign thread has something to write to a pipe of this home's: true if it should leave that to the worker, who
 * waits for what is posted. */
bool pp_pool_minds_pump(pp_pool *pool, uint32_t home);

enum { PP_WORKER_CLOCK_WRITES = 64 }; /* So many chores, or writes, are taken for done in one moment. */

/* On that worker's thread: the time, read once for all writes between two turns. Inside a turn, where an event may take
 * any time, it is read each time. */
static inline uint64_t pp_worker_writes_ms(pp_worker *worker)
{
    if (worker->writes_ms == UINT64_MAX) {
        return pp_os_now_ms();
    }
    if (worker->writes_ms == 0) {
        worker->writes_ms = pp_os_now_ms();
    }
    return worker->writes_ms;
}

/* On that worker's thread only: `chore` is done once its batch is handled, as if posted; no port knows of it. */
void pp_worker_defer(pp_worker *worker, pp_op *chore);

#endif
