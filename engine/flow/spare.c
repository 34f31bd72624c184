/* SPDX-License-Identifier: MIT */
/* spare.c - see spare.h. */
#include "engine/flow/spare.h"

#include "engine/base/assert.h"

uint8_t *pp_spare_take(pp_spare *spare, pp_memory *memory)
{
    uint8_t *block = atomic_load_explicit(&spare->block, memory_order_relaxed);
    PP_ASSERT(block == NULL || spare->memory == memory);
    if (block == NULL) {
        spare->memory = memory;
        return pp_memory_take(memory, PP_SPARE_BYTES);
    }
    atomic_store_explicit(&spare->block, NULL, memory_order_relaxed);
    return block;
}

void pp_spare_give(pp_spare *spare, uint8_t *block)
{
    PP_ASSERT(atomic_load_explicit(&spare->block, memory_order_relaxed) == NULL);
    atomic_store_explicit(&spare->block, block, memory_order_relaxed);
}

void pp_spare_fini(pp_spare *spare)
{
    pp_memory_give(spare->memory, atomic_load_explicit(&spare->block, memory_order_relaxed), PP_SPARE_BYTES);
    atomic_store_explicit(&spare->block, NULL, memory_order_relaxed);
}
