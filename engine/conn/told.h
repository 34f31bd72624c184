/* SPDX-License-Identifier: MIT */
/*
 * told.h - how many sent bytes of each connection its party has been told of; there where it has a `sent` event.
 *
 * Beside the seats and not in them, for most parties have no such event. A figure belongs to the turn of the connection
 * that has the seat. Room is made under the lock and never moves.
 */
#ifndef PP_CONN_TOLD_H
#define PP_CONN_TOLD_H

#include "engine/conn/table.h"
#include "engine/port/os.h"

#include <stdbool.h>

typedef struct pp_told {
    pp_lock lock;
    pp_table seats; /* uint64_t each, by the seat's index. */
} pp_told;

void pp_told_init(pp_told *told, pp_memory *memory);
void pp_told_fini(pp_told *told);

/* Nothing has been told of this seat's connection. False: no memory. */
bool pp_told_begin(pp_told *told, uint32_t seat);

/* `sent` bytes are sent, ever: how many of them have not been told; now they have. Of a seat that has begun. */
uint64_t pp_told_rest(pp_told *told, uint32_t seat, uint64_t sent);

#endif
