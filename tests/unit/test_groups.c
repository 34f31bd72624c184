/* SPDX-License-Identifier: MIT */
/*
 * test_groups.c - named groups from inside: who has which place, and what is left when he has gone.
 */
#include "engine/conn/groups.h"
#include "tests/support/threads.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

TestSuite(groups, .timeout = 100);

static pp_memory memory;
static pp_roster roster;
static pp_groups groups;

static void begin(void)
{
    pp_memory_init(&memory, 0);
    pp_roster_init(&roster, &memory, sizeof(pp_seat));
    pp_groups_init(&groups, &memory);
}

static void end(void)
{
    cr_assert_eq(pp_groups_check(&groups), 0);
    pp_groups_fini(&groups);
    pp_roster_fini(&roster);
    cr_assert_eq(memory.bytes, 0);
}

static pp_seat *come(void)
{
    pp_seat *seat = pp_roster_take(&roster);
    cr_assert_not_null(seat);
    pp_seat_open(seat);
    return seat;
}

static void go(pp_seat *seat)
{
    pp_seat_shut(seat);
    pp_groups_forget(&groups, seat);
    if (pp_seat_unpin(seat)) {
        pp_roster_give(&roster, seat);
    }
}

static pp_named_group *open_group(const char *name)
{
    pp_named_group *group = NULL;
    cr_assert_eq(pp_groups_open(&groups, name, &group), PIPEPORT_OK);
    return group;
}

static void join(pp_named_group *group, const pp_seat *seat)
{
    cr_assert_eq(pp_groups_join(group, seat, pp_seat_id(seat)), PIPEPORT_OK);
    (void) pp_groups_check(&groups);
}

/* How often a walk meets it. */
static uint32_t met(const pp_named_group *group, const pp_seat *seat)
{
    uint32_t times = 0, slots = pp_group_slots(&group->members);
    for (uint32_t slot = 0; slot < slots; ++slot) {
        times += pp_group_at(&group->members, slot) == pp_seat_id(seat);
    }
    return times;
}

Test(groups, are_found_by_their_name)
{
    begin();
    pp_named_group *news = open_group("news");
    cr_assert_neq(open_group("New"), news);
    cr_assert_neq(open_group("newsy"), news);
    cr_assert_eq(open_group("news"), news);
    end();
}

Test(groups, have_names_of_1_to_255_bytes)
{
    char name[300];
    pp_named_group *group = NULL;
    begin();
    memset(name, 'x', sizeof name);
    name[255] = 0;
    cr_assert_eq(open_group(name), open_group(name));
    name[255] = 'x';
    name[256] = 0;
    cr_assert_eq(pp_groups_open(&groups, name, &group), PIPEPORT_INVALID);
    cr_assert_eq(pp_groups_open(&groups, "", &group), PIPEPORT_INVALID);
    cr_assert_null(group);
    end();
}

Test(groups, are_bounded_in_number)
{
    begin();
    char name[16];
    for (int i = 0; i < PIPEPORT_GROUPS_MAX; ++i) {
        (void) snprintf(name, sizeof name, "%d", i);
        (void) open_group(name);
    }
    pp_named_group *group = NULL;
    cr_assert_eq(pp_groups_open(&groups, "more", &group), PIPEPORT_FULL);
    cr_assert_null(group);
    cr_assert_eq(open_group("7"), open_group("7"));
    end();
}

Test(groups, are_met_by_who_is_in_them_once)
{
    begin();
    pp_named_group *a = open_group("a"), *b = open_group("b");
    pp_seat *one = come(), *two = come();
    join(a, one);
    join(a, two);
    join(a, one);
    join(b, one);
    cr_assert_eq(met(a, one), 1);
    cr_assert_eq(met(a, two), 1);
    cr_assert_eq(met(b, one), 1);
    cr_assert_eq(met(b, two), 0);
    cr_assert_eq(pp_groups_check(&groups), 3);
    pp_groups_leave(b, two); /* Was never there. */
    go(one);
    cr_assert_eq(pp_groups_check(&groups), 1);
    cr_assert_eq(met(a, one), 0);
    cr_assert_eq(met(a, two), 1);
    go(two);
    end();
}

/* So that a walk that has passed it does not meet it again further on. */
Test(groups, keep_the_slot_of_who_leaves_until_he_ends)
{
    begin();
    pp_named_group *group = open_group("a");
    pp_seat *one = come(), *two = come();
    join(group, one);
    pp_groups_leave(group, one);
    pp_groups_leave(group, one);
    cr_assert_eq(met(group, one), 0);
    cr_assert_eq(pp_groups_check(&groups), 0);
    join(group, two);
    join(group, one);
    cr_assert_eq(pp_group_at(&group->members, 0), pp_seat_id(one));
    cr_assert_eq(pp_group_at(&group->members, 1), pp_seat_id(two));
    pp_groups_leave(group, one);
    go(one); /* Where it rests. */
    pp_seat *three = come();
    join(group, three);
    cr_assert_eq(pp_group_at(&group->members, 0), pp_seat_id(three));
    cr_assert_eq(pp_group_slots(&group->members), 2);
    go(two);
    go(three);
    end();
}

Test(groups, refuse_whose_seat_is_shut_and_start_empty_for_the_next_of_it)
{
    begin();
    pp_named_group *group = open_group("a");
    pp_seat *seat = come();
    uint64_t id = pp_seat_id(seat);
    join(group, seat);
    pp_seat_pin(seat);
    go(seat); /* We hold it yet, as a join under way does. */
    cr_assert_eq(pp_groups_join(group, seat, id), PIPEPORT_GONE);
    cr_assert_eq(pp_groups_check(&groups), 0);
    cr_assert(pp_seat_unpin(seat));
    pp_roster_give(&roster, seat);
    pp_seat *next = come();
    cr_assert_eq(next, seat);
    cr_assert_eq(pp_groups_join(group, next, id), PIPEPORT_GONE); /* The former one's id. */
    cr_assert_eq(met(group, next), 0);
    join(group, next);
    go(next);
    end();
}

Test(groups, change_nothing_where_there_is_no_memory)
{
    begin();
    pp_named_group *group = NULL;
    pp_seat *seat = come();
    atomic_store(&memory.fail_after, 0);
    cr_assert_eq(pp_groups_open(&groups, "a", &group), PIPEPORT_NO_MEMORY);
    atomic_store(&memory.fail_after, UINT64_MAX);
    group = open_group("a");
    uint64_t takes = 0;
    for (;; ++takes) { /* Its table, its place, the group's table: each fails once. */
        atomic_store(&memory.fail_after, takes);
        pipeport_status status = pp_groups_join(group, seat, pp_seat_id(seat));
        atomic_store(&memory.fail_after, UINT64_MAX);
        if (status == PIPEPORT_OK) {
            break;
        }
        cr_assert_eq(status, PIPEPORT_NO_MEMORY);
        cr_assert_eq(pp_groups_check(&groups), 0);
    }
    cr_assert_geq(takes, 3);
    cr_assert_eq(pp_groups_check(&groups), 1);
    go(seat);
    end();
}

/* ---- Many threads ---- */

enum { COMERS = 2, CHASERS = 1, WALKERS = 1, THREADS = COMERS + CHASERS + WALKERS, ROUNDS = 5000, NAMES = 3 };

static pp_named_group *shared[NAMES];
static pp_seat *stays, *flips;
static _Atomic uint64_t latest;
static _Atomic uint32_t coming;
static uint32_t missed, doubled; /* The walker's. */

static void part(pp_seat *seat)
{
    if (pp_seat_unpin(seat)) {
        pp_roster_give(&roster, seat);
    }
}

/* Comes, joins, leaves, joins again, and goes while it is chased. */
static void comes(void *argument)
{
    (void) argument;
    for (uint32_t round = 0; round < ROUNDS; ++round) {
        pp_seat *seat = pp_roster_take(&roster);
        uint64_t id = pp_seat_id(seat);
        pp_seat_open(seat);
        atomic_store(&latest, id);
        for (uint32_t i = 0; i < NAMES; ++i) {
            (void) pp_groups_join(shared[i], seat, id);
            if ((round + i) % 2) {
                pp_groups_leave(shared[i], seat);
                (void) pp_groups_join(shared[i], seat, id);
            }
        }
        pp_seat_shut(seat);
        pp_groups_forget(&groups, seat);
        part(seat);
    }
    atomic_fetch_sub(&coming, 1);
}

/* Joins and leaves for others, whose end may come first; and one that stays leaves and comes back. */
static void chases(void *argument)
{
    (void) argument;
    for (uint32_t round = 0; atomic_load(&coming) > 0; ++round) {
        uint64_t id = atomic_load(&latest);
        pp_seat *seat = pp_roster_pin(&roster, id);
        if (seat) {
            (void) pp_groups_join(shared[round % NAMES], seat, id);
            pp_groups_leave(shared[(round + 1) % NAMES], seat);
            part(seat);
        }
        pp_groups_leave(shared[0], flips);
        (void) pp_groups_join(shared[0], flips, pp_seat_id(flips));
    }
}

static void walks(void *argument)
{
    (void) argument;
    while (atomic_load(&coming) > 0) {
        for (uint32_t i = 0; i < NAMES; ++i) {
            uint32_t times = met(shared[i], stays);
            missed += times == 0;
            doubled += times > 1 || met(shared[i], flips) > 1;
        }
    }
}

Test(groups, let_walks_pass_through_a_crowd_that_comes_and_goes)
{
    static const char *const names[NAMES] = {"a", "b", "c"};
    test_thread threads[THREADS];
    begin();
    flips = come();
    stays = come();
    for (uint32_t i = 0; i < NAMES; ++i) {
        shared[i] = open_group(names[i]);
        join(shared[i], flips);
        join(shared[i], stays);
    }
    atomic_store(&coming, COMERS);
    for (uint32_t i = 0; i < THREADS; ++i) {
        test_thread_start(&threads[i], i < COMERS ? comes : i < COMERS + CHASERS ? chases : walks, NULL);
    }
    for (uint32_t i = 0; i < THREADS; ++i) {
        test_thread_join(&threads[i]);
    }
    cr_assert_eq(missed, 0);
    cr_assert_eq(doubled, 0);
    cr_assert_eq(pp_groups_check(&groups), 2 * NAMES);
    go(flips);
    go(stays);
    end();
}
