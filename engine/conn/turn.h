/* SPDX-License-Identifier: MIT */
/*
 * turn.h - one runner at a time, without a lock: what is to be done is a bit, and somebody will do it on a worker.
 *
 * A duty is one bit of `word`. Who sets duties while RUNNING is not there brings the turn to a worker: as a chore if he
 * is one, else posted to the port. The runner takes all bits with one exchange and goes on until none is left. Bits are
 * set with release and taken with acquire: what was stored before a duty was set is seen by the turn.
 *
 * No duty is lost: the only way from RUNNING to 0 is a CAS that fails when a bit has come, and then the runner goes on.
 * A runner that has had its share (`run` answers true) posts itself to the back of the port's queue and keeps RUNNING.
 */
#ifndef PP_CONN_TURN_H
#define PP_CONN_TURN_H

#include "engine/conn/worker.h"

typedef struct pp_turn pp_turn;

typedef struct pp_turn_owner {
    void (*pin)(pp_turn *turn);                                     /* A runner keeps its owner alive. */
    void (*unpin)(pp_turn *turn, pp_worker *worker);                /* The turn may be gone after it. */
    bool (*run)(pp_turn *turn, uint32_t duties, pp_worker *worker); /* True: there is more; later. */
} pp_turn_owner;

enum { PP_TURN_RUNNING = 1 }; /* Duties are the other 31 bits. */

struct pp_turn {
    const pp_turn_owner *owner;
    pp_port *port;
    _Atomic uint32_t word;
    pp_chore chore; /* Of who brings the turn; as RUNNING is set once, only one of both is under way. */
    pp_op op;
};

void pp_turn_init(pp_turn *turn, const pp_turn_owner *owner, pp_port *port, uint32_t home);

/* The caller keeps the owner alive meanwhile. `worker`: this thread's, or NULL. Nothing runs inside. */
void pp_turn_summon(pp_turn *turn, uint32_t duties, pp_worker *worker);

#endif
