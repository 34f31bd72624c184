/* SPDX-License-Identifier: MIT */
/*
 * deadlines.h - what shall happen at an absolute time of pp_os_now_ms: a pairing heap under a lock.
 *
 * Intrusive: setting a deadline allocates nothing and cannot fail. Any thread sets and clears; drainers look at
 * `next_ms` when they compute how long to wait, and pop what is due. The popper rings it, outside the lock: a deadline
 * of which there are thousands has its `due` here, all in one place; an alarm has one of its own. Whoever sets a
 * deadline that was not set lends it a reference to its owner; it comes back from a clear that answers true, or goes to
 * `due`.
 */
#ifndef PP_CONN_DEADLINES_H
#define PP_CONN_DEADLINES_H

#include "engine/port/os.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct pp_deadline pp_deadline;

/* `drainer`: the popper's. */
typedef void pp_deadline_due(pp_deadline *deadline, void *drainer);

struct pp_deadline {       /* Zeroed: not set. */
    _Atomic uint64_t when; /* Twice the time, 0: not set; and 1 more for an alarm. This and the rest: changed under the
                              lock. */
    pp_deadline *child, *sibling;
    pp_deadline *before; /* The elder sibling, or the parent of a first child. */
};

typedef struct pp_alarm {
    pp_deadline deadline; /* First. */
    pp_deadline_due *due;
} pp_alarm;

typedef struct pp_deadlines {
    pp_lock lock;
    pp_deadline_due *due; /* Of what is no alarm. */
    pp_deadline *first;
    _Atomic uint64_t next_ms; /* Of the first; UINT64_MAX: none. A hint for waiting. */
} pp_deadlines;

typedef struct pp_deadline_set {
    bool was_set; /* It had a reference already. */
    bool is_next; /* It is now the first of all: who waits should look again. */
} pp_deadline_set;

void pp_deadlines_init(pp_deadlines *deadlines, pp_deadline_due *due);
void pp_deadlines_fini(pp_deadlines *deadlines);
void pp_alarm_init(pp_alarm *alarm, pp_deadline_due *due);

/* due_ms: above 0. */
pp_deadline_set pp_deadlines_set(pp_deadlines *deadlines, pp_deadline *deadline, uint64_t due_ms);
bool pp_deadlines_clear(pp_deadlines *deadlines, pp_deadline *deadline); /* True: it was set. */
pp_deadline *pp_deadlines_pop(pp_deadlines *deadlines, uint64_t now_ms); /* The first if it is due, cleared. */

/* For who has popped it. */
void pp_deadlines_ring(const pp_deadlines *deadlines, pp_deadline *deadline, void *drainer);

/* When it is due, 0: not set. Any thread, relaxed: a hint. */
uint64_t pp_deadline_due_ms(const pp_deadline *deadline);

/* Tests: asserts what must hold between calls. */
void pp_deadlines_check(pp_deadlines *deadlines);

#endif
