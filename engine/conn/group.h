/* SPDX-License-Identifier: MIT */
/*
 * group.h - a set of connection ids that can be walked without a lock: whom a broadcast goes to.
 *
 * A slot holds an id, or, while free, the number of the next free one (which is smaller than any id). Joining and
 * leaving take the lock, or one of the owner's that stands for it. A walk meets every id that is in the set from its
 * begin to its end, and may or may not meet those that join or leave meanwhile; an id that has left names nobody any
 * more, so meeting it is harmless. A join is sequentially consistent: who joins and then looks at a stop flag, and who
 * raises the flag and then walks, cannot both miss the other.
 */
#ifndef PP_CONN_GROUP_H
#define PP_CONN_GROUP_H

#include "engine/conn/table.h"
#include "engine/port/os.h"

typedef struct pp_group { /* Joins: counted after each, sequentially consistent. */
    pp_lock lock;
    pp_table slots; /* _Atomic uint64_t each. */
    _Atomic uint32_t joins;
    uint32_t free_first; /* Slot + 1, 0: none. Under the lock. */
    uint32_t resting;    /* Slots of nobody that are not free. Under the lock. */
} pp_group;

void pp_group_init(pp_group *group, pp_memory *memory);
void pp_group_fini(pp_group *group);

/* Fails: NO_MEMORY. */
pipeport_status pp_group_join(pp_group *group, uint64_t id, uint32_t *slot);
void pp_group_leave(pp_group *group, uint32_t slot);

/* For an owner that has a lock of his own against all other joins and leaves: the same, and to leave and keep the slot,
 * to have it again, and to give it up. */
pipeport_status pp_group_join_locked(pp_group *group, uint64_t id, uint32_t *slot);
void pp_group_leave_locked(pp_group *group, uint32_t slot);
void pp_group_rest(pp_group *group, uint32_t slot);
void pp_group_return(pp_group *group, uint32_t slot, uint64_t id);
void pp_group_leave_resting(pp_group *group, uint32_t slot);

/* How often somebody has joined, modulo 2^32: while it stays, nobody has. */
uint32_t pp_group_joins(const pp_group *group);

/* Slots to walk, and the id in one of them (0: free). */
uint32_t pp_group_slots(const pp_group *group);
uint64_t pp_group_at(const pp_group *group, uint32_t slot);

/* Tests: asserts what must hold while nobody joins or leaves. The number of members. */
uint32_t pp_group_check(pp_group *group);

#endif
