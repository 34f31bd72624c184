/* SPDX-License-Identifier: MIT */
/* roster.c - see roster.h. */
#include "engine/conn/roster.h"

#include "engine/base/assert.h"

enum { SEAT_INDEX_BITS = 24, SEAT_PIN_BITS = 23 };

#define SEAT_PINS ((UINT64_C(1) << SEAT_PIN_BITS) - 1)
#define SEAT_OPEN (UINT64_C(1) << SEAT_PIN_BITS)
#define SEAT_GENERATION_MAX ((UINT64_C(1) << 40) - 1)

_Static_assert(PP_TABLE_ENTRIES_MAX <= 1 << SEAT_INDEX_BITS, "an index must fit in an id");

static uint64_t seat_generation(uint64_t word)
{
    return word >> (SEAT_PIN_BITS + 1);
}

static uint64_t seat_word(uint64_t generation, uint64_t pins)
{
    return generation << (SEAT_PIN_BITS + 1) | pins;
}

void pp_roster_init(pp_roster *roster, pp_memory *memory, size_t entry_bytes)
{
    pp_lock_init(&roster->lock);
    pp_table_init(&roster->seats, memory, entry_bytes);
    roster->free_first = 0;
    roster->free_last = 0;
}

void pp_roster_fini(pp_roster *roster)
{
    pp_table_fini(&roster->seats);
    pp_lock_fini(&roster->lock);
}

static pp_seat *roster_take_free(pp_roster *roster)
{
    if (roster->free_first == 0) {
        return NULL;
    }
    pp_seat *seat = pp_table_at(&roster->seats, roster->free_first - 1);
    roster->free_first = seat->next_free;
    if (roster->free_first == 0) {
        roster->free_last = 0;
    }
    return seat;
}

static pp_seat *roster_take_new(pp_roster *roster)
{
    uint32_t index = atomic_load_explicit(&roster->seats.count, memory_order_relaxed);
    pp_seat *seat = pp_table_next(&roster->seats);
    if (seat) {
        seat->index = index;
        atomic_store_explicit(&seat->word, seat_word(1, 0), memory_order_relaxed);
        pp_table_grow(&roster->seats);
    }
    return seat;
}

pp_seat *pp_roster_take(pp_roster *roster)
{
    pp_lock_take(&roster->lock);
    pp_seat *seat = roster_take_free(roster);
    if (!seat) {
        seat = roster_take_new(roster);
    }
    pp_lock_give(&roster->lock);
    if (seat) {
        atomic_fetch_add_explicit(&seat->word, 1, memory_order_relaxed);
    }
    return seat;
}

void pp_roster_give(pp_roster *roster, pp_seat *seat)
{
    uint64_t word = atomic_load_explicit(&seat->word, memory_order_relaxed);
    PP_VERIFY((word & (SEAT_PINS | SEAT_OPEN)) == 0);
    uint64_t generation = seat_generation(word);
    if (generation == SEAT_GENERATION_MAX) {
        return; /* Worn out: a generation that came round would name two connections. */
    }
    atomic_store_explicit(&seat->word, seat_word(generation + 1, 0), memory_order_release);
    pp_lock_take(&roster->lock);
    seat->next_free = 0;
    if (roster->free_last) {
        ((pp_seat *) pp_table_at(&roster->seats, roster->free_last - 1))->next_free = seat->index + 1;
    } else {
        roster->free_first = seat->index + 1;
    }
    roster->free_last = seat->index + 1;
    pp_lock_give(&roster->lock);
}

pp_seat *pp_roster_look(const pp_roster *roster, uint64_t id)
{
    uint32_t index = (uint32_t) (id & ((1u << SEAT_INDEX_BITS) - 1));
    bool is_there = index < atomic_load_explicit(&roster->seats.count, memory_order_acquire);
    return is_there ? pp_table_at(&roster->seats, index) : NULL;
}

bool pp_seat_pin_as(pp_seat *seat, uint64_t id)
{
    uint64_t word = atomic_load_explicit(&seat->word, memory_order_relaxed);
    do {
        if (seat_generation(word) != id >> SEAT_INDEX_BITS || !(word & SEAT_OPEN)) {
            return false;
        }
    } while (!atomic_compare_exchange_weak_explicit(&seat->word, &word, word + 1, memory_order_acquire,
                                                    memory_order_relaxed));
    return true;
}

pp_seat *pp_roster_pin(pp_roster *roster, uint64_t id)
{
    pp_seat *seat = pp_roster_look(roster, id);
    return seat && pp_seat_pin_as(seat, id) ? seat : NULL;
}

pp_seat *pp_roster_at(const pp_roster *roster, uint64_t id)
{
    pp_seat *seat = pp_table_at(&roster->seats, (uint32_t) (id & ((1u << SEAT_INDEX_BITS) - 1)));
    PP_ASSERT(pp_seat_id(seat) == id);
    return seat;
}

uint64_t pp_seat_id(const pp_seat *seat)
{
    uint64_t word = atomic_load_explicit(&seat->word, memory_order_relaxed);
    return seat_generation(word) << SEAT_INDEX_BITS | seat->index;
}

void pp_seat_open(pp_seat *seat)
{
    atomic_fetch_or_explicit(&seat->word, SEAT_OPEN, memory_order_release);
}

void pp_seat_shut(pp_seat *seat)
{
    atomic_fetch_and_explicit(&seat->word, ~SEAT_OPEN, memory_order_relaxed);
}

bool pp_seat_is_open_as(const pp_seat *seat, uint64_t id)
{
    uint64_t word = atomic_load_explicit(&seat->word, memory_order_relaxed);
    return (word & SEAT_OPEN) && (seat_generation(word) << SEAT_INDEX_BITS | seat->index) == id;
}

void pp_seat_pin(pp_seat *seat)
{
    uint64_t before = atomic_fetch_add_explicit(&seat->word, 1, memory_order_relaxed);
    PP_VERIFY((before & SEAT_PINS) > 0 && (before & SEAT_PINS) < SEAT_PINS);
}

bool pp_seat_unpin(pp_seat *seat)
{
    uint64_t before = atomic_fetch_sub_explicit(&seat->word, 1, memory_order_acq_rel);
    PP_VERIFY((before & SEAT_PINS) > 0);
    return (before & SEAT_PINS) == 1;
}

uint32_t pp_roster_check(pp_roster *roster)
{
    pp_lock_take(&roster->lock);
    uint32_t seats = atomic_load(&roster->seats.count);
    uint32_t free = 0;
    uint32_t last = 0;
    for (uint32_t next = roster->free_first; next; ++free) {
        PP_VERIFY(next <= seats && free < seats); /* A seat of ours, and no circle. */
        const pp_seat *seat = pp_table_at(&roster->seats, next - 1);
        PP_VERIFY(seat->index == next - 1);
        PP_VERIFY((atomic_load(&seat->word) & (SEAT_PINS | SEAT_OPEN)) == 0);
        last = next;
        next = seat->next_free;
    }
    PP_VERIFY(roster->free_last == last);
    pp_lock_give(&roster->lock);
    return seats - free;
}
