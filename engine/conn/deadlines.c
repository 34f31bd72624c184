/* SPDX-License-Identifier: MIT */
/* deadlines.c - see deadlines.h. */
#include "engine/conn/deadlines.h"

#include "engine/base/assert.h"

#include <stddef.h>

enum { DEADLINE_ALARM = 1 }; /* Of `when`. */

void pp_deadlines_init(pp_deadlines *deadlines, pp_deadline_due *due)
{
    pp_lock_init(&deadlines->lock);
    deadlines->due = due;
    deadlines->first = NULL;
    atomic_init(&deadlines->next_ms, UINT64_MAX);
}

void pp_deadlines_fini(pp_deadlines *deadlines)
{
    PP_VERIFY(!deadlines->first);
    pp_lock_fini(&deadlines->lock);
}

uint64_t pp_deadline_due_ms(const pp_deadline *deadline)
{
    return atomic_load_explicit(&deadline->when, memory_order_relaxed) / 2;
}

static void deadline_note(pp_deadline *deadline, uint64_t due_ms)
{
    uint64_t alarm = atomic_load_explicit(&deadline->when, memory_order_relaxed) & DEADLINE_ALARM;
    atomic_store_explicit(&deadline->when, 2 * due_ms | alarm, memory_order_relaxed);
}

void pp_alarm_init(pp_alarm *alarm, pp_deadline_due *due)
{
    *alarm = (pp_alarm){.due = due};
    atomic_init(&alarm->deadline.when, DEADLINE_ALARM);
}

void pp_deadlines_ring(const pp_deadlines *deadlines, pp_deadline *deadline, void *drainer)
{
    bool is_alarm = atomic_load_explicit(&deadline->when, memory_order_relaxed) & DEADLINE_ALARM;
    (is_alarm ? ((pp_alarm *) deadline)->due : deadlines->due)(deadline, drainer);
}

/* Two roots become one: the later hangs under the earlier. */
static pp_deadline *deadlines_meld(pp_deadline *a, pp_deadline *b)
{
    if (!a || !b) {
        return a ? a : b;
    }
    if (pp_deadline_due_ms(b) < pp_deadline_due_ms(a)) {
        pp_deadline *earlier = b;
        b = a;
        a = earlier;
    }
    b->sibling = a->child;
    if (b->sibling) {
        b->sibling->before = b;
    }
    b->before = a;
    a->child = b;
    return a;
}

/* Children without a parent become one root: pairs from left to right, then all from right to left. */
static pp_deadline *deadlines_meld_children(pp_deadline *child)
{
    pp_deadline *pairs = NULL;
    while (child) {
        pp_deadline *a = child;
        pp_deadline *b = a->sibling;
        child = b ? b->sibling : NULL;
        a->sibling = a->before = NULL;
        if (b) {
            b->sibling = b->before = NULL;
        }
        pp_deadline *pair = deadlines_meld(a, b);
        pair->sibling = pairs;
        pairs = pair;
    }
    pp_deadline *root = NULL;
    while (pairs) {
        pp_deadline *next = pairs->sibling;
        pairs->sibling = NULL;
        root = deadlines_meld(root, pairs);
        pairs = next;
    }
    return root;
}

static void deadlines_take_out(pp_deadlines *deadlines, pp_deadline *deadline)
{
    pp_deadline *below = deadlines_meld_children(deadline->child);
    if (deadline == deadlines->first) {
        deadlines->first = below;
    } else {
        if (deadline->before->child == deadline) {
            deadline->before->child = deadline->sibling;
        } else {
            deadline->before->sibling = deadline->sibling;
        }
        if (deadline->sibling) {
            deadline->sibling->before = deadline->before;
        }
        deadlines->first = deadlines_meld(deadlines->first, below);
    }
    deadline->child = deadline->sibling = deadline->before = NULL;
    deadline_note(deadline, 0);
}

static void deadlines_publish(pp_deadlines *deadlines)
{
    atomic_store(&deadlines->next_ms, deadlines->first ? pp_deadline_due_ms(deadlines->first) : UINT64_MAX);
}

pp_deadline_set pp_deadlines_set(pp_deadlines *deadlines, pp_deadline *deadline, uint64_t due_ms)
{
    pp_lock_take(&deadlines->lock);
    PP_ASSERT(due_ms != 0);
    pp_deadline_set result = {.was_set = pp_deadline_due_ms(deadline) != 0};
    if (result.was_set) {
        deadlines_take_out(deadlines, deadline);
    }
    deadline_note(deadline, due_ms);
    deadlines->first = deadlines_meld(deadlines->first, deadline);
    deadlines_publish(deadlines);
    result.is_next = deadlines->first == deadline;
    pp_lock_give(&deadlines->lock);
    return result;
}

bool pp_deadlines_clear(pp_deadlines *deadlines, pp_deadline *deadline)
{
    pp_lock_take(&deadlines->lock);
    bool was_set = pp_deadline_due_ms(deadline) != 0;
    if (was_set) {
        deadlines_take_out(deadlines, deadline);
        deadlines_publish(deadlines);
    }
    pp_lock_give(&deadlines->lock);
    return was_set;
}

pp_deadline *pp_deadlines_pop(pp_deadlines *deadlines, uint64_t now_ms)
{
    pp_deadline *due = NULL;
    pp_lock_take(&deadlines->lock);
    if (deadlines->first && pp_deadline_due_ms(deadlines->first) <= now_ms) {
        due = deadlines->first;
        deadlines_take_out(deadlines, due);
        deadlines_publish(deadlines);
    }
    pp_lock_give(&deadlines->lock);
    return due;
}

/* One deadline that hangs under or beside `before`, and whether it is the first child. Depth is bounded by what tests
 * set. */
static void deadlines_check_one(const pp_deadline *deadline, const pp_deadline *before, uint64_t parent_ms)
{
    for (; deadline; before = deadline, deadline = deadline->sibling) {
        PP_VERIFY(deadline->before == before);
        PP_VERIFY(pp_deadline_due_ms(deadline) != 0 && pp_deadline_due_ms(deadline) >= parent_ms);
        deadlines_check_one(deadline->child, deadline, pp_deadline_due_ms(deadline));
    }
}

void pp_deadlines_check(pp_deadlines *deadlines)
{
    pp_lock_take(&deadlines->lock);
    const pp_deadline *first = deadlines->first;
    PP_VERIFY(atomic_load(&deadlines->next_ms) == (first ? pp_deadline_due_ms(first) : UINT64_MAX));
    PP_VERIFY(!first || !first->sibling);
    deadlines_check_one(first, NULL, 0);
    pp_lock_give(&deadlines->lock);
}
