/* SPDX-License-Identifier: MIT */
/*
 * told.h - how many sent bytes of each connection its party has been told of; there where it has a `sent` event.
 *
 * Beside the seats and not in them, for most parties have no such event. A figure belongs to the turn of the connection
 * that has its place: a server's by the index of its seat, a client's by 0, for it has one at a time. Room is made
 * under the lock and never moves.
 */
#ifndef PP_CONN_TOLD_H
#define PP_CONN_TOLD_H

#include "engine/conn/table.h"
#include "engine/port/os.h"

#include <stdbool.h>

typedef struct pp_told {
    pp_lock lock;
    pp_table sent; /* uint64_t each, by place. */
} pp_told;

void pp_told_init(pp_told *told, pp_memory *memory);
void pp_told_fini(pp_told *told);

/* Nothing has been told of the connection that has this place now. False: no memory. */
bool pp_told_begin(pp_told *told, uint32_t place);

/* `sent` bytes are sent, ever: how many of them have not been told; now they have. Of a place that has begun. */
uint64_t pp_told_rest(pp_told *told, uint32_t place, uint64_t sent);

#endif
