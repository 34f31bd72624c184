/* SPDX-License-Identifier: MIT */
/*
 * table.h - entries of one size that never move and are never freed while the table lives, found by index.
 *
 *      root[64] -> 64 branches -> chunks of 256 entries: 2^20 entries, and a small table stays small
 *
 * Growing is for one thread at a time (the owner's lock). Finding takes no lock and may run beside growing: pointers
 * are published with release, and an index below the count is always there.
 */
#ifndef PP_CONN_TABLE_H
#define PP_CONN_TABLE_H

#include "engine/base/memory.h"

#include <stdatomic.h>
#include <stdint.h>

enum { PP_TABLE_FAN = 64, PP_TABLE_CHUNK = 256, PP_TABLE_ENTRIES_MAX = PP_TABLE_FAN * PP_TABLE_FAN * PP_TABLE_CHUNK };

typedef struct pp_table_branch {
    _Atomic(unsigned char *) chunks[PP_TABLE_FAN];
} pp_table_branch;

typedef struct pp_table {
    pp_memory *memory;
    size_t entry_bytes;
    _Atomic uint32_t count; /* Entries there are; only grows. */
    _Atomic(pp_table_branch *) root[PP_TABLE_FAN];
} pp_table;

void pp_table_init(pp_table *table, pp_memory *memory, size_t entry_bytes);
void pp_table_fini(pp_table *table);

/* Room for one more, zeroed, not counted yet; NULL: no memory, or ENTRIES_MAX reached. */
void *pp_table_next(pp_table *table);

/* Counts what next gave, after its owner has filled it in. */
void pp_table_grow(pp_table *table);

/* index < count. */
void *pp_table_at(const pp_table *table, uint32_t index);

#endif
