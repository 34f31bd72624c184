/* SPDX-License-Identifier: MIT */
/*
 * test_roster.c - seats: what names whom, and for how long; then several threads that pin while others give.
 */
#include "engine/conn/roster.h"
#include "tests/support/aborts.h"
#include "tests/support/threads.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(roster, .timeout = 100);

typedef struct chair {
    pp_seat seat;
    uint64_t owner; /* Plain: who pins may read it, so that TSan sees a pin that orders nothing. */
} chair;

static pp_memory memory;
static pp_roster roster;

static void begin(void)
{
    pp_memory_init(&memory, 0);
    pp_roster_init(&roster, &memory, sizeof(chair));
}

static void end(uint32_t left)
{
    cr_assert_eq(pp_roster_check(&roster), left);
    pp_roster_fini(&roster);
    cr_assert_eq(memory.bytes, 0);
}

Test(roster, names_a_seat_only_while_it_is_open)
{
    begin();
    pp_seat *seat = pp_roster_take(&roster);
    uint64_t id = pp_seat_id(seat);
    cr_assert_neq(id, 0);
    cr_assert_null(pp_roster_pin(&roster, id), "not opened yet");
    pp_seat_open(seat);
    cr_assert_eq(pp_roster_pin(&roster, id), seat);
    pp_seat_shut(seat);
    cr_assert_null(pp_roster_pin(&roster, id), "shut");
    cr_assert_not(pp_seat_unpin(seat));
    cr_assert(pp_seat_unpin(seat));
    pp_roster_give(&roster, seat);
    cr_assert_null(pp_roster_pin(&roster, id), "given back");
    end(0);
}

Test(roster, never_names_the_next_owner_by_an_old_id)
{
    begin();
    uint64_t ids[100];
    for (int i = 0; i < 100; ++i) {
        pp_seat *seat = pp_roster_take(&roster);
        pp_seat_open(seat);
        ids[i] = pp_seat_id(seat);
        for (int j = 0; j < i; ++j) {
            cr_assert_neq(ids[i], ids[j]);
            cr_assert_null(pp_roster_pin(&roster, ids[j]));
        }
        pp_seat_shut(seat);
        cr_assert(pp_seat_unpin(seat));
        pp_roster_give(&roster, seat);
    }
    cr_assert_eq(roster.seats.count, 1, "one seat is enough");
    end(0);
}

Test(roster, finds_nobody_by_an_id_that_never_was)
{
    begin();
    pp_seat *seat = pp_roster_take(&roster);
    pp_seat_open(seat);
    uint64_t id = pp_seat_id(seat);
    const uint64_t never[] = {0, 1, UINT64_MAX, id + 1, id + (1 << 24), id & 0xFFFFFF, id ^ (UINT64_C(1) << 63)};
    for (unsigned i = 0; i < sizeof never / sizeof never[0]; ++i) {
        cr_assert_null(pp_roster_pin(&roster, never[i]), "number %u", i);
    }
    end(1);
}

Test(roster, gives_the_longest_free_seat_first)
{
    begin();
    pp_seat *seats[3];
    for (int i = 0; i < 3; ++i) {
        seats[i] = pp_roster_take(&roster);
    }
    for (int i = 0; i < 3; ++i) {
        cr_assert(pp_seat_unpin(seats[i]));
        pp_roster_give(&roster, seats[i]);
        cr_assert_eq(pp_roster_check(&roster), 2u - (unsigned) i);
    }
    for (int i = 0; i < 3; ++i) {
        cr_assert_eq(pp_roster_take(&roster), seats[i]);
    }
    end(3);
}

Test(roster, never_takes_a_seat_again_whose_generations_are_used_up)
{
    begin();
    pp_seat *seat = pp_roster_take(&roster);
    seat->word |= ~((UINT64_C(1) << 24) - 1); /* The last generation. */
    cr_assert(pp_seat_unpin(seat));
    pp_roster_give(&roster, seat);
    cr_assert_neq(pp_roster_take(&roster), seat);
    end(2);
}

Test(roster, answers_null_when_there_is_no_memory)
{
    begin();
    memory.fail_after = 0;
    cr_assert_null(pp_roster_take(&roster));
    memory.fail_after = 1;
    cr_assert_null(pp_roster_take(&roster));
    memory.fail_after = UINT64_MAX;
    cr_assert_not_null(pp_roster_take(&roster));
    end(1);
}

Test(roster, aborts_when_a_pin_is_given_back_twice, TEST_ABORTS)
{
    begin();
    pp_seat *seat = pp_roster_take(&roster);
    (void) pp_seat_unpin(seat);
    (void) pp_seat_unpin(seat);
}

Test(roster, aborts_when_a_pinned_seat_is_given_back, TEST_ABORTS)
{
    begin();
    pp_roster_give(&roster, pp_roster_take(&roster));
}

/* ---- Many threads ---- */

enum { OWNERS = 2, LOOKERS = 3, LIVES = 10000, PLACES = 8 };

static _Atomic uint64_t seen[PLACES]; /* Ids as they were handed out; mostly stale. */
static _Atomic bool over;
static _Atomic uint64_t pinned;

static void crowd_unpin(pp_seat *seat)
{
    if (pp_seat_unpin(seat)) {
        ((chair *) seat)->owner = 0; /* Alone again. */
        pp_roster_give(&roster, seat);
    }
}

static void crowd_own(void *argument)
{
    unsigned mine = (unsigned) (uintptr_t) argument;
    /* On a machine that is busy elsewhere the lookers may not have run yet. */
    for (unsigned i = 0; i < LIVES || (atomic_load(&pinned) == 0 && i < LIVES * 1000); ++i) {
        pp_seat *seat = pp_roster_take(&roster);
        uint64_t id = pp_seat_id(seat);
        ((chair *) seat)->owner = id;
        pp_seat_open(seat);
        atomic_store_explicit(&seen[(mine + i) % PLACES], id, memory_order_relaxed);
        if (i % 64 == 0 || i >= LIVES) {
            test_thread_yield();
        }
        pp_seat_shut(seat);
        crowd_unpin(seat);
    }
}

static void crowd_look(void *argument)
{
    unsigned i = (unsigned) (uintptr_t) argument;
    while (!atomic_load(&over)) {
        uint64_t id = atomic_load_explicit(&seen[i++ % PLACES], memory_order_relaxed);
        pp_seat *seat = pp_roster_pin(&roster, id);
        if (seat) {
            cr_assert_eq(((chair *) seat)->owner, id, "an old id named the next owner");
            pp_seat_pin(seat);
            cr_assert_not(pp_seat_unpin(seat));
            atomic_fetch_add_explicit(&pinned, 1, memory_order_relaxed);
            crowd_unpin(seat);
        }
    }
}

Test(roster, names_the_right_owner_whoever_looks_while_seats_change_hands)
{
    test_thread owners[OWNERS], lookers[LOOKERS];
    begin();
    for (uintptr_t i = 0; i < OWNERS; ++i) {
        test_thread_start(&owners[i], crowd_own, (void *) i);
    }
    for (uintptr_t i = 0; i < LOOKERS; ++i) {
        test_thread_start(&lookers[i], crowd_look, (void *) i);
    }
    for (int i = 0; i < OWNERS; ++i) {
        test_thread_join(&owners[i]);
    }
    atomic_store(&over, true);
    for (int i = 0; i < LOOKERS; ++i) {
        test_thread_join(&lookers[i]);
    }
    cr_assert_gt(pinned, 0, "nobody ever met anybody: the test shows nothing");
    end(0);
}
