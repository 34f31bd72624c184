/* SPDX-License-Identifier: MIT */
/*
 * roster.h - who has which seat: connections by id, found without a lock.
 *
 * A seat is the head of its owner's struct and is never freed under a reader: it only changes its generation. An id is
 * generation << 24 | index, so that a stale one names nobody. One word holds a seat together:
 *
 *      generation (40 bits) | open (1 bit) | pins (23 bits)
 *
 * A pin keeps the seat's owner from being finished. A look-up pins with one CAS that succeeds only while the generation
 * is right and the seat open. The life of a seat: taken (one pin, the owner's) -> opened -> shut (no look-up pins it
 * any more) -> the last pin leaves -> given back, with the next generation. A seat whose generations are used up is
 * never taken again.
 */
#ifndef PP_CONN_ROSTER_H
#define PP_CONN_ROSTER_H

#include "engine/conn/table.h"
#include "engine/port/os.h"

#include <stdbool.h>

typedef struct pp_seat {
    _Atomic uint64_t word; /* Pin: acquire. Unpin: release, and acquire for the last. */
    uint32_t index;
    union {
        uint32_t next_free; /* Under the lock, while free: index + 1 of the next one. */
        uint32_t own;       /* While taken: its owner's. */
    };
} pp_seat;

typedef struct pp_roster {
    pp_lock lock; /* Taking and giving; looking up does without. */
    pp_table seats;
    uint32_t free_first, free_last; /* index + 1, 0: none. First in, first out, so that generations age slowly. */
} pp_roster;

/* Every entry begins with a pp_seat and has entry_bytes in all. */
void pp_roster_init(pp_roster *roster, pp_memory *memory, size_t entry_bytes);
void pp_roster_fini(pp_roster *roster);

/* A seat with one pin, shut. What lies behind the pp_seat is as its last owner left it, or zeroed. NULL: no memory. */
pp_seat *pp_roster_take(pp_roster *roster);

/* After the last pin has left. */
void pp_roster_give(pp_roster *roster, pp_seat *seat);

/* The seat that this id names, pinned, or NULL: gone, or never there. */
pp_seat *pp_roster_pin(pp_roster *roster, uint64_t id);

/* Where the seat that this id names would be, or NULL: never there. It is not pinned, and may be another's by now. */
pp_seat *pp_roster_look(const pp_roster *roster, uint64_t id);

/* Pins that seat if the id names it still. */
bool pp_seat_pin_as(pp_seat *seat, uint64_t id);

/* The seat that this id named when it was pinned, by whom something else keeps it from being given back. */
pp_seat *pp_roster_at(const pp_roster *roster, uint64_t id);

uint64_t pp_seat_id(const pp_seat *seat); /* While pinned. */
void pp_seat_open(pp_seat *seat);
void pp_seat_shut(pp_seat *seat);
void pp_seat_pin(pp_seat *seat); /* For who holds a pin already. */
/* Where the seat cannot be given back meanwhile: whether it is open, and this its id. */
bool pp_seat_is_open_as(const pp_seat *seat, uint64_t id);
bool pp_seat_unpin(pp_seat *seat); /* True: it was the last one, the seat is yours to give back. */

/* Tests: asserts what must hold while nobody takes or gives. The number of seats that are taken or worn out. */
uint32_t pp_roster_check(pp_roster *roster);

#endif
