/* SPDX-License-Identifier: MIT */
/*
 * test_steps_group.c - a walk under every order of its steps with joins and leaves: who stays is met once, nobody is
 * met who never was, and who joins under a raised flag or the walk behind it hears of the other.
 */
#include "tests/sim/shadow/stdatomic.h"

#include "engine/conn/group.h"
#include "tests/steps/explore.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(steps, .timeout = 100);

#define ID(number) ((uint64_t) (number) << 24)

enum { STAYS = 1, LEAVES = 2, JOINS = 3, JOINS_TOO = 4, IDS = 5 };

static struct {
    pp_memory memory;
    pp_group group;
    uint32_t leaves_slot;
    _Atomic bool stopping;
    bool joiner_saw, walker_met;
    uint32_t walks;
} g;

static void begin(void)
{
    memset(&g, 0, sizeof g);
    steps_heap_reset();
    pp_memory_init(&g.memory, 0);
    pp_group_init(&g.group, &g.memory);
    steps_name(&g.group.lock.word[0], "lock");
    steps_name(&g.group.slots.count, "count");
    steps_name(&g.stopping, "stopping");
}

static void begin_with_two(void)
{
    uint32_t slot;
    begin();
    STEPS_ASSERT(pp_group_join(&g.group, ID(LEAVES), &g.leaves_slot) == PIPEPORT_OK);
    STEPS_ASSERT(pp_group_join(&g.group, ID(STAYS), &slot) == PIPEPORT_OK);
}

/* How often each was met. */
static void walk(uint32_t met[IDS])
{
    memset(met, 0, IDS * sizeof *met);
    uint32_t slots = pp_group_slots(&g.group);
    for (uint32_t slot = 0; slot < slots; ++slot) {
        uint64_t id = pp_group_at(&g.group, slot);
        if (id) {
            STEPS_ASSERT(id % ID(1) == 0 && id / ID(1) < IDS);
            met[id / ID(1)] += 1;
        }
    }
}

static void walks(void)
{
    uint32_t met[IDS];
    walk(met);
    STEPS_ASSERT(met[STAYS] == 1);
    STEPS_ASSERT(met[LEAVES] <= 1 && met[JOINS] <= 1 && met[JOINS_TOO] <= 1);
    g.walks += 1;
}

static void join(uint32_t number)
{
    uint32_t slot;
    STEPS_ASSERT(pp_group_join(&g.group, ID(number), &slot) == PIPEPORT_OK);
    STEPS_ASSERT(pp_group_at(&g.group, slot) == ID(number));
}

static void leaves_and_joins(void)
{
    pp_group_leave(&g.group, g.leaves_slot);
    join(JOINS);
}

static void joins_too(void)
{
    join(JOINS_TOO);
}

static void end(void)
{
    STEPS_ASSERT(g.walks == 1);
    STEPS_ASSERT(pp_group_check(&g.group) == 3);
    walks();
}

Test(steps, group_walked_while_others_leave_and_join)
{
    const steps_scenario scenario = {.name = "group: one walks, one leaves and joins, one joins",
                                     .begin = begin_with_two,
                                     .fibers = {walks, leaves_and_joins, joins_too},
                                     .end = end};
    cr_assert_gt(steps_explore(&scenario), 10);
}

static void leaves(void)
{
    pp_group_leave(&g.group, g.leaves_slot);
}

static void stayer_leaves(void)
{
    pp_group_leave(&g.group, 1 - g.leaves_slot);
}

static void end_one(void)
{
    STEPS_ASSERT(pp_group_check(&g.group) == 1);
}

Test(steps, group_left_by_two_and_joined)
{
    const steps_scenario scenario = {.name = "group: two leave, one joins",
                                     .begin = begin_with_two,
                                     .fibers = {leaves, stayer_leaves, joins_too},
                                     .end = end_one};
    cr_assert_geq(steps_explore(&scenario), 6);
}

/* As a listener that opens a connection while its server stops. */
static void joins_and_looks(void)
{
    join(JOINS);
    g.joiner_saw = atomic_load(&g.stopping);
}

static void raises_and_walks(void)
{
    uint32_t met[IDS];
    atomic_store(&g.stopping, true);
    walk(met);
    g.walker_met = met[JOINS] != 0;
}

static void end_stopped(void)
{
    STEPS_ASSERT(g.joiner_saw || g.walker_met);
}

Test(steps, group_joined_while_it_is_stopped)
{
    const steps_scenario scenario = {.name = "group: one joins and looks, one joins, one raises the flag and walks",
                                     .begin = begin,
                                     .fibers = {joins_and_looks, joins_too, raises_and_walks},
                                     .end = end_stopped};
    cr_assert_gt(steps_explore(&scenario), 5);
}
