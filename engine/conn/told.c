/* SPDX-License-Identifier: MIT */
/* told.c - see told.h. */
#include "engine/conn/told.h"

#include "engine/base/assert.h"

void pp_told_init(pp_told *told, pp_memory *memory)
{
    pp_lock_init(&told->lock);
    pp_table_init(&told->seats, memory, sizeof(uint64_t));
}

void pp_told_fini(pp_told *told)
{
    pp_table_fini(&told->seats);
    pp_lock_fini(&told->lock);
}

bool pp_told_begin(pp_told *told, uint32_t seat)
{
    bool is_there = true;
    pp_lock_take(&told->lock);
    while (is_there && atomic_load(&told->seats.count) <= seat) {
        is_there = pp_table_next(&told->seats) != NULL;
        if (is_there) {
            pp_table_grow(&told->seats);
        }
    }
    pp_lock_give(&told->lock);
    if (is_there) {
        *(uint64_t *) pp_table_at(&told->seats, seat) = 0;
    }
    return is_there;
}

uint64_t pp_told_rest(pp_told *told, uint32_t seat, uint64_t sent)
{
    uint64_t *at = pp_table_at(&told->seats, seat);
    uint64_t rest = sent - *at;
    PP_ASSERT(sent >= *at);
    *at = sent;
    return rest;
}
