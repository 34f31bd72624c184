/* SPDX-License-Identifier: MIT */
/*
 * test_group.c - who is met on a walk: all who were there the whole time, however many join and leave meanwhile.
 */
#include "engine/conn/group.h"
#include "tests/support/threads.h"

#include <criterion/criterion.h>

TestSuite(group, .timeout = 100);

static pp_memory memory;
static pp_group group;

static void begin(void)
{
    pp_memory_init(&memory, 0);
    pp_group_init(&group, &memory);
}

static void end(uint32_t members)
{
    cr_assert_eq(pp_group_check(&group), members);
    pp_group_fini(&group);
    cr_assert_eq(memory.bytes, 0);
}

/* Ids as a roster would make them: a generation above 24 bits of index. */
static uint64_t id_of(uint32_t generation, uint32_t index)
{
    return (uint64_t) generation << 24 | index;
}

Test(group, meets_who_joined_and_not_who_left)
{
    begin();
    uint32_t slots[1000];
    for (uint32_t i = 0; i < 1000; ++i) {
        cr_assert_eq(pp_group_join(&group, id_of(1, i), &slots[i]), PIPEPORT_OK);
    }
    for (uint32_t i = 0; i < 1000; i += 2) {
        pp_group_leave(&group, slots[i]);
    }
    cr_assert_eq(pp_group_check(&group), 500);
    for (uint32_t i = 0; i < 1000; ++i) {
        cr_assert_eq(pp_group_at(&group, slots[i]), i % 2 ? id_of(1, i) : 0);
    }
    end(500);
}

Test(group, fills_its_gaps_before_it_grows)
{
    begin();
    uint32_t slots[10], again;
    for (uint32_t i = 0; i < 10; ++i) {
        cr_assert_eq(pp_group_join(&group, id_of(1, i), &slots[i]), PIPEPORT_OK);
    }
    for (uint32_t i = 0; i < 10; ++i) {
        pp_group_leave(&group, slots[i]);
    }
    for (uint32_t i = 0; i < 10; ++i) {
        cr_assert_eq(pp_group_join(&group, id_of(2, i), &again), PIPEPORT_OK);
    }
    cr_assert_eq(pp_group_slots(&group), 10);
    end(10);
}

Test(group, says_so_when_there_is_no_memory)
{
    begin();
    uint32_t slot;
    memory.fail_after = 0;
    cr_assert_eq(pp_group_join(&group, id_of(1, 1), &slot), PIPEPORT_NO_MEMORY);
    memory.fail_after = UINT64_MAX;
    cr_assert_eq(pp_group_join(&group, id_of(1, 1), &slot), PIPEPORT_OK);
    end(1);
}

/* ---- Many threads ---- */

enum { STAYING = 300, JOINERS = 2, WALKERS = 2, JOINS = 4000 };

static _Atomic bool over;
static _Atomic uint64_t walks;

static void crowd_join_and_leave(void *argument)
{
    uint32_t index = STAYING + (uint32_t) (uintptr_t) argument * 16;
    for (uint32_t i = 1; i < JOINS; ++i) {
        uint32_t slots[16];
        for (uint32_t j = 0; j < 16; ++j) {
            cr_assert_eq(pp_group_join(&group, id_of(i, index + j), &slots[j]), PIPEPORT_OK);
        }
        for (uint32_t j = 0; j < 16; ++j) {
            pp_group_leave(&group, slots[(j * 7) % 16]);
        }
    }
}

static void crowd_walk(void *argument)
{
    (void) argument;
    while (!atomic_load(&over)) {
        unsigned met[STAYING] = {0};
        uint32_t slots = pp_group_slots(&group);
        for (uint32_t slot = 0; slot < slots; ++slot) {
            uint64_t id = pp_group_at(&group, slot);
            uint32_t index = (uint32_t) (id & 0xFFFFFF);
            if (id && index < STAYING) {
                met[index] += 1;
            }
        }
        for (uint32_t i = 0; i < STAYING; ++i) {
            cr_assert_eq(met[i], 1, "one who was always there was met %u times", met[i]);
        }
        atomic_fetch_add(&walks, 1);
    }
}

Test(group, meets_all_who_stay_while_others_come_and_go)
{
    test_thread joiners[JOINERS], walkers[WALKERS];
    uint32_t slot;
    begin();
    for (uint32_t i = 0; i < STAYING; ++i) {
        cr_assert_eq(pp_group_join(&group, id_of(1, i), &slot), PIPEPORT_OK);
    }
    for (uintptr_t i = 0; i < WALKERS; ++i) {
        test_thread_start(&walkers[i], crowd_walk, NULL);
    }
    for (uintptr_t i = 0; i < JOINERS; ++i) {
        test_thread_start(&joiners[i], crowd_join_and_leave, (void *) i);
    }
    for (int i = 0; i < JOINERS; ++i) {
        test_thread_join(&joiners[i]);
    }
    atomic_store(&over, true);
    for (int i = 0; i < WALKERS; ++i) {
        test_thread_join(&walkers[i]);
    }
    cr_assert_gt(walks, 0);
    end(STAYING);
}
