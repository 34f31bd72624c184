/* SPDX-License-Identifier: MIT */
/*
 * test_steps_groups.c - named groups under every order of their steps: the end of a connection against a join, and a
 * walk against who leaves and comes back.
 */
#include "tests/sim/shadow/stdatomic.h"

#include "engine/conn/groups.h"
#include "tests/steps/explore.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(steps, .timeout = 100);

enum { SEATS = 4 };

static struct {
    pp_memory memory;
    pp_roster roster;
    pp_groups groups;
    pp_named_group *group;
    pp_seat *seats[SEATS];
    uint64_t ids[SEATS];
    pipeport_status joined;
    uint32_t walks;
} g;

static void begin_with(uint32_t seats)
{
    memset(&g, 0, sizeof g);
    steps_heap_reset();
    pp_memory_init(&g.memory, 0);
    pp_roster_init(&g.roster, &g.memory, sizeof(pp_seat));
    pp_groups_init(&g.groups, &g.memory);
    STEPS_ASSERT(pp_groups_open(&g.groups, "a", &g.group) == PIPEPORT_OK);
    for (uint32_t i = 0; i < seats; ++i) {
        g.seats[i] = pp_roster_take(&g.roster);
        pp_seat_open(g.seats[i]);
        g.ids[i] = pp_seat_id(g.seats[i]);
    }
    steps_name(&g.groups.lock.word[0], "lock");
}

static void part(pp_seat *seat)
{
    if (pp_seat_unpin(seat)) {
        pp_roster_give(&g.roster, seat);
    }
}

static uint32_t met(uint64_t id)
{
    uint32_t times = 0, slots = pp_group_slots(&g.group->members);
    for (uint32_t slot = 0; slot < slots; ++slot) {
        times += pp_group_at(&g.group->members, slot) == id;
    }
    return times;
}

/* ---- A join against the end ---- */

static void begin_one(void)
{
    begin_with(1);
}

static void joins_by_id(void)
{
    pp_seat *seat = pp_roster_pin(&g.roster, g.ids[0]);
    g.joined = PIPEPORT_GONE;
    if (seat) {
        g.joined = pp_groups_join(g.group, seat, g.ids[0]);
        STEPS_ASSERT(g.joined == PIPEPORT_OK || g.joined == PIPEPORT_GONE);
        part(seat);
    }
}

static void ends(void)
{
    pp_seat_shut(g.seats[0]);
    pp_groups_forget(&g.groups, g.seats[0]);
    part(g.seats[0]);
}

static void end_empty(void)
{
    STEPS_ASSERT(pp_groups_check(&g.groups) == 0);
    STEPS_ASSERT(met(g.ids[0]) == 0);
    STEPS_ASSERT(pp_roster_check(&g.roster) == 0);
}

Test(steps, groups_joined_by_who_ends)
{
    const steps_scenario scenario = {
        .name = "groups: one is joined, and ends", .begin = begin_one, .fibers = {joins_by_id, ends}, .end = end_empty};
    cr_assert_gt(steps_explore(&scenario), 3);
}

/* ---- A walk against who leaves and comes back ---- */

/* Slots: the flipper's, one that stays, and a free one behind. */
static void begin_three(void)
{
    begin_with(SEATS);
    for (uint32_t i = 0; i < 3; ++i) {
        STEPS_ASSERT(pp_groups_join(g.group, g.seats[i], g.ids[i]) == PIPEPORT_OK);
    }
    pp_seat_shut(g.seats[2]);
    pp_groups_forget(&g.groups, g.seats[2]);
    part(g.seats[2]);
}

static void walks(void)
{
    uint32_t times[SEATS] = {0}, slots = pp_group_slots(&g.group->members);
    for (uint32_t slot = 0; slot < slots; ++slot) {
        uint64_t id = pp_group_at(&g.group->members, slot);
        for (uint32_t i = 0; i < SEATS; ++i) {
            times[i] += id == g.ids[i];
        }
    }
    STEPS_ASSERT(times[0] <= 1 && times[1] == 1 && times[2] == 0 && times[3] <= 1);
    g.walks += 1;
}

static void flips(void)
{
    pp_groups_leave(g.group, g.seats[0]);
    STEPS_ASSERT(pp_groups_join(g.group, g.seats[0], g.ids[0]) == PIPEPORT_OK);
}

static void joins(void)
{
    STEPS_ASSERT(pp_groups_join(g.group, g.seats[3], g.ids[3]) == PIPEPORT_OK);
}

static void end_three(void)
{
    STEPS_ASSERT(g.walks == 1);
    STEPS_ASSERT(pp_groups_check(&g.groups) == 3);
    walks();
}

Test(steps, groups_walked_while_one_leaves_and_comes_back)
{
    const steps_scenario scenario = {.name = "groups: one walks, one leaves and comes back, one joins",
                                     .begin = begin_three,
                                     .fibers = {walks, flips, joins},
                                     .end = end_three};
    cr_assert_gt(steps_explore(&scenario), 10);
}
