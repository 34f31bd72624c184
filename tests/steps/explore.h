/* SPDX-License-Identifier: MIT */
/*
 * explore.h - runs a scenario under every order of its atomic steps.
 *
 * A scenario is a few fibers on real code that is compiled with tests/sim/shadow, so that before each atomic operation
 * the explorer says who goes on. It runs the scenario from its begin again and again, each time with another list of
 * choices, depth first, until there is none left: no bound on preemptions, none on depth but what ends a scenario that
 * does not end. One weak compare-exchange of a run may fail for no reason, at each place where it would have succeeded.
 *
 * Two reductions, both of which leave at least one order of each set of orders that no fiber can tell apart:
 * - Places: an address is a choice only if two fibers touch it and one of them writes, or an exchange there may fail.
 *   Which those are is learnt; each that is found starts the search afresh, so that the last search knows them all.
 * - Sleep sets: of two neighbouring steps at different addresses, or that both leave what they find, only one order is
 *   gone. Whether a step wrote is what it did, not what it might do: a compare-exchange that fails has only read.
 *
 * They see the atomic operations, the locks and the waits. Plain memory must be ordered by those, in the code (which is
 * what ThreadSanitizer looks for) and in a scenario's own book-keeping: fields of one fiber, of the holder of a right,
 * or sums that come out the same in any order.
 */
#ifndef TESTS_STEPS_EXPLORE_H
#define TESTS_STEPS_EXPLORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STEPS_FIBERS_MAX = 4 };

typedef struct steps_scenario {
    const char *name;    /* NULL: no line is printed about it. */
    void (*begin)(void); /* Makes everything anew, at the same addresses each time. Takes no steps. */
    void (*fibers[STEPS_FIBERS_MAX])(void);
    void (*always)(void); /* NULL, or asserts what must hold after each step. */
    void (*end)(void);    /* Asserts what must hold when all fibers have ended. */
    bool whole;           /* Without the reductions: to test them. */
} steps_scenario;

/* How many orders there were. Aborts with the list of steps where something does not hold, where nobody can go on, or
 * where a run does not end. */
uint64_t steps_explore(const steps_scenario *scenario);

/* In end: how many orders came before this one, or UINT64_MAX: this run is one that was cut short. */
uint64_t steps_order(void);

/* In a fiber: goes on once `ready` (NULL: at once) says so. It may read any memory, and so may what comes right after
 * it: this step's place among all others makes a difference. */
void steps_wait(bool (*ready)(void *argument), void *argument);

/* In a fiber: a step that writes `bytes` (at most 16) at `where`, and that nobody can take before `ready` (or NULL). */
void steps_take(void *where, size_t bytes, bool (*ready)(void *argument), void *argument);

/* How a place is called in the list of steps. */
void steps_name(const volatile void *where, const char *name);

_Noreturn void steps_fail(const char *what, const char *file, int line);

#define STEPS_ASSERT(what) ((what) ? (void) 0 : steps_fail(#what, __FILE__, __LINE__))

/* pp_memory takes from a heap of the program's own, so that addresses come again: empties it, for begin; blocks taken
 * and not yet given. */
void steps_heap_reset(void);
uint32_t steps_heap_blocks(void);
bool steps_heap_is_given(const volatile void *where); /* A block was there, and was given back. */

#endif
