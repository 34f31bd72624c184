/* SPDX-License-Identifier: MIT */
/* group.c - see group.h. */
#include "engine/conn/group.h"

#include "engine/base/assert.h"

/* Ids carry a generation of at least 1 above 24 bits of index; slot numbers stay below. */
#define GROUP_ID_MIN (UINT64_C(1) << 24)

_Static_assert(PP_TABLE_ENTRIES_MAX < GROUP_ID_MIN, "a slot number must not look like an id");

void pp_group_init(pp_group *group, pp_memory *memory)
{
    pp_lock_init(&group->lock);
    pp_table_init(&group->slots, memory, sizeof(_Atomic uint64_t));
    group->free_first = 0;
    group->resting = 0;
    atomic_init(&group->joins, 0);
}

void pp_group_fini(pp_group *group)
{
    pp_table_fini(&group->slots);
    pp_lock_fini(&group->lock);
}

pipeport_status pp_group_join_locked(pp_group *group, uint64_t id, uint32_t *slot)
{
    PP_ASSERT(id >= GROUP_ID_MIN);
    pipeport_status status = PIPEPORT_OK;
    if (group->free_first) {
        *slot = group->free_first - 1;
        _Atomic uint64_t *place = pp_table_at(&group->slots, *slot);
        group->free_first = (uint32_t) atomic_load_explicit(place, memory_order_relaxed);
        atomic_store(place, id);
    } else {
        _Atomic uint64_t *place = pp_table_next(&group->slots);
        if (place) {
            *slot = pp_group_slots(group);
            atomic_store(place, id);
            pp_table_grow(&group->slots);
        } else {
            status = PIPEPORT_NO_MEMORY;
        }
    }
    atomic_fetch_add(&group->joins, 1);
    return status;
}

pipeport_status pp_group_join(pp_group *group, uint64_t id, uint32_t *slot)
{
    pp_lock_take(&group->lock);
    pipeport_status status = pp_group_join_locked(group, id, slot);
    pp_lock_give(&group->lock);
    return status;
}

static void group_free(pp_group *group, uint32_t slot)
{
    atomic_store_explicit((_Atomic uint64_t *) pp_table_at(&group->slots, slot), group->free_first,
                          memory_order_release);
    group->free_first = slot + 1;
}

void pp_group_leave_locked(pp_group *group, uint32_t slot)
{
    PP_ASSERT(pp_group_at(group, slot) != 0);
    group_free(group, slot);
}

void pp_group_leave(pp_group *group, uint32_t slot)
{
    pp_lock_take(&group->lock);
    pp_group_leave_locked(group, slot);
    pp_lock_give(&group->lock);
}

void pp_group_rest(pp_group *group, uint32_t slot)
{
    PP_ASSERT(pp_group_at(group, slot) != 0);
    atomic_store_explicit((_Atomic uint64_t *) pp_table_at(&group->slots, slot), 0, memory_order_release);
    group->resting += 1;
}

void pp_group_return(pp_group *group, uint32_t slot, uint64_t id)
{
    PP_ASSERT(group->resting > 0 && pp_group_at(group, slot) == 0);
    group->resting -= 1;
    atomic_store((_Atomic uint64_t *) pp_table_at(&group->slots, slot), id);
    atomic_fetch_add(&group->joins, 1);
}

void pp_group_leave_resting(pp_group *group, uint32_t slot)
{
    PP_ASSERT(group->resting > 0 && pp_group_at(group, slot) == 0);
    group->resting -= 1;
    group_free(group, slot);
}

uint32_t pp_group_joins(const pp_group *group)
{
    return atomic_load(&group->joins);
}

uint32_t pp_group_slots(const pp_group *group)
{
    return atomic_load(&group->slots.count);
}

uint64_t pp_group_at(const pp_group *group, uint32_t slot)
{
    _Atomic uint64_t *place = pp_table_at(&group->slots, slot);
    uint64_t id = atomic_load(place);
    return id >= GROUP_ID_MIN ? id : 0;
}

uint32_t pp_group_check(pp_group *group)
{
    pp_lock_take(&group->lock);
    uint32_t slots = pp_group_slots(group);
    uint32_t free = 0;
    for (uint32_t next = group->free_first; next; ++free) {
        PP_VERIFY(next <= slots && free < slots); /* A place of ours, and no circle. */
        uint64_t place = atomic_load((_Atomic uint64_t *) pp_table_at(&group->slots, next - 1));
        PP_VERIFY(place < GROUP_ID_MIN);
        next = (uint32_t) place;
    }
    uint32_t members = 0;
    for (uint32_t slot = 0; slot < slots; ++slot) {
        members += pp_group_at(group, slot) != 0;
    }
    PP_VERIFY(members + free + group->resting == slots);
    pp_lock_give(&group->lock);
    return members;
}
