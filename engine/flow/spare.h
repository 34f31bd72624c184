/* SPDX-License-Identifier: MIT */
/*
 * spare.h - one large block that many inboxes receive into, one after the other: it stays hot, and idle connections
 * need none.
 *
 *      none --take--> lent <--take/give--> here --fini--> none
 *
 * One thread, and one borrower at a time.
 */
#ifndef PP_FLOW_SPARE_H
#define PP_FLOW_SPARE_H

#include "engine/base/memory.h"

/* Two payloads of 64 KiB, which many programs choose, with their headers in one read; and of what is shorter what waits
 * in the system, mostly: a socket of Linux takes 208 KiB. With half of it 8 and 16 KiB at depth 16 lose a tenth, with
 * twice as much nothing is won but for 64 KiB. */
enum { PP_SPARE_BYTES = 128 * 1024 + 512 };

typedef struct pp_spare {     /* Zeroed: none yet. */
    pp_memory *memory;        /* Whose block it is. */
    _Atomic(uint8_t *) block; /* PP_SPARE_BYTES; NULL: none yet, or lent. Relaxed: atomic for tests that look. */
} pp_spare;

/* The block, or NULL: no memory. Who has it gives it back, or keeps it for good; then the next take makes a new one. */
uint8_t *pp_spare_take(pp_spare *spare, pp_memory *memory);
void pp_spare_give(pp_spare *spare, uint8_t *block);

/* Frees it. It is not lent. */
void pp_spare_fini(pp_spare *spare);

#endif
