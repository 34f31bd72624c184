/* SPDX-License-Identifier: MIT */
/* told.c - see told.h. */
#include "engine/conn/told.h"

#include "engine/base/assert.h"

void pp_told_init(pp_told *told, pp_memory *memory)
{
    pp_lock_init(&told->lock);
    pp_table_init(&told->sent, memory, sizeof(uint64_t));
}

void pp_told_fini(pp_told *told)
{
    pp_table_fini(&told->sent);
    pp_lock_fini(&told->lock);
}

bool pp_told_begin(pp_told *told, uint32_t place)
{
    bool is_there = true;
    pp_lock_take(&told->lock);
    while (is_there && atomic_load(&told->sent.count) <= place) {
        is_there = pp_table_next(&told->sent) != NULL;
        if (is_there) {
            pp_table_grow(&told->sent);
        }
    }
    pp_lock_give(&told->lock);
    if (is_there) {
        *(uint64_t *) pp_table_at(&told->sent, place) = 0;
    }
    return is_there;
}

uint64_t pp_told_rest(pp_told *told, uint32_t place, uint64_t sent)
{
    uint64_t *at = pp_table_at(&told->sent, place);
    uint64_t rest = sent - *at;
    PP_ASSERT(sent >= *at);
    *at = sent;
    return rest;
}
