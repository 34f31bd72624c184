/* SPDX-License-Identifier: MIT */
/* table.c - see table.h. */
#include "engine/conn/table.h"

#include "engine/base/assert.h"

#include <string.h>

void pp_table_init(pp_table *table, pp_memory *memory, size_t entry_bytes)
{
    memset(table, 0, sizeof *table);
    table->memory = memory;
    table->entry_bytes = entry_bytes;
}

static void table_free_branch(pp_table *table, pp_table_branch *branch)
{
    for (uint32_t i = 0; i < PP_TABLE_FAN; ++i) {
        pp_memory_give(table->memory, atomic_load_explicit(&branch->chunks[i], memory_order_relaxed),
                       table->entry_bytes * PP_TABLE_CHUNK);
    }
    pp_memory_give(table->memory, branch, sizeof *branch);
}

void pp_table_fini(pp_table *table)
{
    for (uint32_t i = 0; i < PP_TABLE_FAN; ++i) {
        pp_table_branch *branch = atomic_load_explicit(&table->root[i], memory_order_relaxed);
        if (branch) {
            table_free_branch(table, branch);
        }
    }
    memset(table, 0, sizeof *table);
}

void *pp_table_next(pp_table *table)
{
    uint32_t index = atomic_load_explicit(&table->count, memory_order_relaxed);
    if (index >= PP_TABLE_ENTRIES_MAX) {
        return NULL;
    }
    uint32_t chunk_index = index / PP_TABLE_CHUNK;
    _Atomic(pp_table_branch *) *root = &table->root[chunk_index / PP_TABLE_FAN];
    pp_table_branch *branch = atomic_load_explicit(root, memory_order_relaxed);
    if (!branch) {
        branch = pp_memory_take_zeroed(table->memory, sizeof *branch);
        if (!branch) {
            return NULL;
        }
        atomic_store_explicit(root, branch, memory_order_release);
    }
    _Atomic(unsigned char *) *slot = &branch->chunks[chunk_index % PP_TABLE_FAN];
    unsigned char *chunk = atomic_load_explicit(slot, memory_order_relaxed);
    if (!chunk) {
        chunk = pp_memory_take(table->memory, table->entry_bytes * PP_TABLE_CHUNK);
        if (!chunk) {
            return NULL;
        }
        atomic_store_explicit(slot, chunk, memory_order_release);
    }
    /* Entry by entry, so that a chunk's untouched pages cost nothing. */
    return memset(chunk + table->entry_bytes * (index % PP_TABLE_CHUNK), 0, table->entry_bytes);
}

void pp_table_grow(pp_table *table)
{
    uint32_t count = atomic_load_explicit(&table->count, memory_order_relaxed);
    atomic_store(&table->count, count + 1); /* Sequentially consistent: a group's joining rests on it. */
}

void *pp_table_at(const pp_table *table, uint32_t index)
{
    PP_ASSERT(index < atomic_load_explicit(&table->count, memory_order_relaxed));
    uint32_t chunk_index = index / PP_TABLE_CHUNK;
    pp_table_branch *branch = atomic_load_explicit(&table->root[chunk_index / PP_TABLE_FAN], memory_order_acquire);
    unsigned char *chunk = atomic_load_explicit(&branch->chunks[chunk_index % PP_TABLE_FAN], memory_order_acquire);
    return chunk + table->entry_bytes * (index % PP_TABLE_CHUNK);
}
