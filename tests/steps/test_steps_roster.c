/* SPDX-License-Identifier: MIT */
/*
 * test_steps_roster.c - seats under every order of their steps: an old id never names the next owner, each life has one
 * last pin, and nobody pins what was given back.
 */
#include "engine/conn/roster.h"
#include "tests/steps/explore.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(steps, .timeout = 100);

enum { TAKERS = 2 };

typedef struct chair {
    pp_seat seat;
    uint64_t owner; /* The id it was opened with. 0: nobody's. */
} chair;

static struct {
    pp_memory memory;
    pp_roster roster;
    uint64_t id;          /* Of the life that begin opened. */
    chair *first;         /* Where. */
    chair *taken[TAKERS]; /* By fiber. */
} r;

static void begin(void)
{
    memset(&r, 0, sizeof r);
    steps_heap_reset();
    pp_memory_init(&r.memory, 0);
    pp_roster_init(&r.roster, &r.memory, sizeof(chair));
    steps_name(&r.roster.lock.word[0], "lock");
    steps_name(&r.roster.seats.count, "count");
    steps_name(&r.roster.seats.root[0], "root");
}

static chair *take(void)
{
    chair *it = (chair *) pp_roster_take(&r.roster);
    STEPS_ASSERT(it->owner == 0); /* Whoever had it is done with it. */
    it->owner = pp_seat_id(&it->seat);
    return it;
}

static void unpin(chair *it, uint64_t id)
{
    STEPS_ASSERT(it->owner == id); /* It is nobody else's while this pin is on it. */
    if (pp_seat_unpin(&it->seat)) {
        STEPS_ASSERT(it->owner == id);
        it->owner = 0;
        pp_roster_give(&r.roster, &it->seat);
    }
}

static void begin_open(void)
{
    begin();
    chair *it = take();
    steps_name(&it->seat.word, "seat");
    pp_seat_open(&it->seat);
    r.id = it->owner;
    r.first = it;
}

static void end(uint32_t taken)
{
    STEPS_ASSERT(pp_roster_check(&r.roster) == taken);
}

static void end_all_free(void)
{
    end(0);
}

static void end_one_taken(void)
{
    end(1);
}

/* ---- Looking up while the seat changes hands ---- */

static void look(uint64_t id)
{
    chair *it = (chair *) pp_roster_pin(&r.roster, id);
    if (it) {
        unpin(it, id);
    }
}

static void looks(void)
{
    look(r.id);
}

static void looks_and_pins_again(void)
{
    chair *it = (chair *) pp_roster_pin(&r.roster, r.id);
    if (it) {
        pp_seat_pin(&it->seat);
        unpin(it, r.id);
        unpin(it, r.id);
    }
}

static void looks_twice(void)
{
    look(r.id);
    look(r.id);
}

/* The second is the next life's id, if it is on the same seat. */
static void looks_for_both(void)
{
    look(r.id);
    look(r.id + (UINT64_C(1) << 24));
}

static void owner_leaves(void)
{
    pp_seat_shut(&r.first->seat);
    unpin(r.first, r.id);
}

/* Then takes a seat again: the same one if its last pin has left. */
static void owner_comes_again(void)
{
    owner_leaves();
    chair *it = take();
    STEPS_ASSERT(it->owner != r.id);
    pp_seat_open(&it->seat);
}

static void end_taken_again(void)
{
    end(1);
    STEPS_ASSERT(!pp_roster_pin(&r.roster, r.id));
}

Test(steps, roster_looked_up_while_the_seat_changes_hands)
{
    const steps_scenario scenario = {.name = "roster: the owner leaves and takes again, one looks for both lives",
                                     .begin = begin_open,
                                     .fibers = {owner_comes_again, looks_for_both},
                                     .end = end_taken_again};
    cr_assert_gt(steps_explore(&scenario), 50);
}

Test(steps, roster_looked_up_by_two_while_the_seat_changes_hands)
{
    const steps_scenario scenario = {.name = "roster: the owner leaves and takes again, two look",
                                     .begin = begin_open,
                                     .fibers = {owner_comes_again, looks_twice, looks_for_both},
                                     .end = end_taken_again};
    cr_assert_gt(steps_explore(&scenario), 1000);
}

Test(steps, roster_has_one_last_pin)
{
    const steps_scenario scenario = {.name = "roster: the owner leaves, one looks, one looks and pins again",
                                     .begin = begin_open,
                                     .fibers = {owner_leaves, looks, looks_and_pins_again},
                                     .end = end_all_free};
    cr_assert_gt(steps_explore(&scenario), 1000);
}

static void begin_shut_with_two_pins(void)
{
    begin();
    r.first = take();
    r.id = r.first->owner;
    pp_seat_pin(&r.first->seat);
}

static void opens_and_leaves(void)
{
    pp_seat_open(&r.first->seat);
    owner_leaves();
}

/* Another one of the owner's pins. */
static void unpins(void)
{
    unpin(r.first, r.id);
}

Test(steps, roster_opened_while_a_pin_leaves)
{
    const steps_scenario scenario = {.name = "roster: the owner opens and leaves, a pin leaves, one looks",
                                     .begin = begin_shut_with_two_pins,
                                     .fibers = {opens_and_leaves, unpins, looks},
                                     .end = end_all_free};
    cr_assert_gt(steps_explore(&scenario), 100);
}

/* ---- Taking and giving ---- */

static void come_and_go(void)
{
    chair *it = take();
    uint64_t id = it->owner;
    pp_seat_open(&it->seat);
    pp_seat_shut(&it->seat);
    unpin(it, id);
}

static void a_takes(void)
{
    r.taken[0] = take();
}

static void b_takes(void)
{
    r.taken[1] = take();
}

static void end_two_taken(void)
{
    STEPS_ASSERT(r.taken[0] != r.taken[1]);
    end(2);
}

Test(steps, roster_taken_by_two_while_one_gives)
{
    const steps_scenario scenario = {.name = "roster: two take, the owner of a third leaves",
                                     .begin = begin_open,
                                     .fibers = {a_takes, b_takes, owner_leaves},
                                     .end = end_two_taken};
    cr_assert_geq(steps_explore(&scenario), 6);
}

Test(steps, roster_taken_and_given_by_three)
{
    const steps_scenario scenario = {.name = "roster: three take and give",
                                     .begin = begin,
                                     .fibers = {come_and_go, come_and_go, come_and_go},
                                     .end = end_all_free};
    cr_assert_geq(steps_explore(&scenario), 6);
}

/* ---- Opening while somebody knows the id already ---- */

static void opens(void)
{
    chair *it = take();
    pp_seat_open(&it->seat);
}

static void looks_early(void)
{
    look(UINT64_C(1) << 24);
    look(UINT64_C(1) << 24);
}

Test(steps, roster_looked_up_while_it_opens)
{
    const steps_scenario scenario = {.name = "roster: one takes the first seat and opens it, one looks twice",
                                     .begin = begin,
                                     .fibers = {opens, looks_early},
                                     .end = end_one_taken};
    cr_assert_geq(steps_explore(&scenario), 6);
}
