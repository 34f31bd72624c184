/* SPDX-License-Identifier: MIT */
/*
 * turn.h - one runner at a time, without a lock: what is to be done is a bit, and somebody will do it on a worker.
 *
 * A duty is one bit of `word`. Who sets duties while RUNNING is not there brings the turn to a worker: as a chore if he
 * is one, else posted to the port. The runner takes all bits with one exchange and goes on until none is left. Bits are
 * set with release and taken with acquire: what was stored before a duty was set is seen by the turn.
 *
 * No duty is lost: the only way from RUNNING to 0 is a CAS that fails when a bit has come, and then the runner goes on.
 * A runner with more to do keeps RUNNING and goes behind something: behind what this batch still has to do (BATCH_END,
 * once; asked for again in that run it means LATER), or, having had its share, to the back of the port's queue (LATER).
 */
#ifndef PP_CONN_TURN_H
#define PP_CONN_TURN_H

#include "engine/conn/worker.h"

typedef struct pp_turn pp_turn;

typedef enum pp_turn_rest { PP_TURN_NOTHING, PP_TURN_LATER, PP_TURN_BATCH_END } pp_turn_rest;

/* What all turns of one kind share. It is not kept in the turn: who summons has it, and so has the owner's `done` of
 * the turn's op, which calls pp_turn_run with it. */
typedef struct pp_turn_owner {
    pp_port *(*port)(pp_turn *turn);                                        /* Where the op is posted. */
    void (*pin)(pp_turn *turn);                                             /* A runner keeps its owner alive. */
    void (*unpin)(pp_turn *turn, pp_worker *worker);                        /* The turn may be gone after it. */
    pp_turn_rest (*run)(pp_turn *turn, uint32_t duties, pp_worker *worker); /* What is left to do, and when. */
} pp_turn_owner;

enum { PP_TURN_RUNNING = 1 }; /* Duties are the other 31 bits. */

struct pp_turn {
    _Atomic uint32_t word;
    bool behind; /* The runner's: the chore was deferred for BATCH_END. */
    pp_op op;    /* A chore, or posted: as RUNNING is set once, it is under way once. */
};

void pp_turn_init(pp_turn *turn, pp_op_done *done, uint16_t home);

/* The caller keeps the owner alive meanwhile. `worker`: this thread's, or NULL. Nothing runs inside. */
void pp_turn_summon(pp_turn *turn, const pp_turn_owner *owner, uint32_t duties, pp_worker *worker);

/* All that `done` of its op does; it comes once for each time that the turn was brought to a worker. */
void pp_turn_run(pp_turn *turn, const pp_turn_owner *owner, pp_worker *worker);

#endif
