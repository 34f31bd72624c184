/* SPDX-License-Identifier: MIT */
/*
 * test_sendq_steps.c - one step of the send queue in the middle of another, at every place there is.
 *
 * Threads meet in a window of some nanoseconds only by chance, and on a busy machine never. So here sendq.c is compiled
 * into the test, and the name of each memory order in it first calls steps_pause: just before the atomic operation that
 * it belongs to. One thread plays both sides: `theirs` runs whole at the first pause of `ours`, then at the second, and
 * so on until `ours` has no more. That is every order of the two in which one of them is not interrupted.
 */
#include "engine/flow/sendq.h"

static void steps_pause(void);

#define memory_order_relaxed (steps_pause(), (memory_order) __ATOMIC_RELAXED)
#define memory_order_acquire (steps_pause(), (memory_order) __ATOMIC_ACQUIRE)
#define memory_order_release (steps_pause(), (memory_order) __ATOMIC_RELEASE)
#define memory_order_acq_rel (steps_pause(), (memory_order) __ATOMIC_ACQ_REL)
#define memory_order_seq_cst (steps_pause(), (memory_order) __ATOMIC_SEQ_CST)
#include "engine/flow/sendq.c"
#undef memory_order_relaxed
#undef memory_order_acquire
#undef memory_order_release
#undef memory_order_acq_rel
#undef memory_order_seq_cst

#include <criterion/criterion.h>

TestSuite(sendq_steps, .timeout = 100);

enum { STEPS_LINKS = 4, STEPS_NEVER = -1, STEPS_BYTES_MAX = 100 };

static pp_sendq queue;
static pp_link links[STEPS_LINKS];
static pp_link *delivered[2 * STEPS_LINKS];
static int delivered_count;
static int refused_count; /* Pushes that heard SEALED. */
static bool mark;
static bool mark_seen;
static bool reserved[2]; /* What ours and theirs heard. */
static bool told;

static int pauses_left; /* Before `theirs` runs; NEVER: it did, or shall not. */
static void (*theirs)(void);
static uint32_t bytes_passed; /* How often the bound was seen passed. */

static void steps_pause(void)
{
    bytes_passed += atomic_load(&queue.bytes) > STEPS_BYTES_MAX;
    if (pauses_left > 0) {
        pauses_left--;
    } else if (pauses_left == 0) {
        pauses_left = STEPS_NEVER;
        theirs();
    }
}

/* `set_up`, then `ours` with `their_step` in the middle, then `expect`; for each place in the middle. */
static void steps_run(void (*set_up)(void), void (*ours)(void), void (*their_step)(void), void (*expect)(void))
{
    bool met = true;
    for (int place = 0; met; place++) {
        delivered_count = refused_count = 0;
        mark = mark_seen = told = reserved[0] = reserved[1] = false;
        pauses_left = STEPS_NEVER;
        set_up();
        theirs = their_step;
        pauses_left = place;
        ours();
        met = pauses_left == STEPS_NEVER;
        pauses_left = STEPS_NEVER;
        if (!met) {
            cr_assert_gt(place, 0, "there is no place in the middle");
            theirs();
        }
        pp_sendq_check(&queue, STEPS_BYTES_MAX);
        cr_assert_eq(bytes_passed, 0);
        expect();
    }
}

/* ---- Steps ---- */

static void steps_deliver(pp_link *chain)
{
    while (chain != NULL) {
        pp_link *next = chain->next;
        delivered[delivered_count++] = chain;
        chain = next;
    }
}

static void steps_drain(void)
{
    do {
        steps_deliver(pp_sendq_take(&queue));
    } while (!pp_sendq_give(&queue));
}

static void steps_push(pp_link *link)
{
    switch (pp_sendq_push(&queue, link)) {
    case PP_PUSH_TOOK:
        steps_drain();
        break;
    case PP_PUSH_QUEUED:
        break;
    case PP_PUSH_SEALED:
        refused_count++;
        break;
    }
}

static void steps_push_two(void)
{
    steps_push(&links[0]);
    steps_push(&links[1]);
}

static void steps_push_two_others(void)
{
    steps_push(&links[2]);
    steps_push(&links[3]);
}

static void steps_seal(void)
{
    steps_deliver(pp_sendq_take(&queue));
    steps_deliver(pp_sendq_seal(&queue));
}

/* Holds if it can, and looks at the mark; and again after giving, for who set it and then found the pump held. */
static void steps_hold(void)
{
    while (pp_sendq_hold(&queue)) {
        steps_pause();
        mark_seen = mark_seen || mark;
        mark = false;
        pp_sendq_give(&queue);
        steps_pause();
        if (!mark) {
            return;
        }
    }
}

static void steps_mark_and_hold(void)
{
    mark = true;
    steps_pause();
    steps_hold();
}

static void steps_reserve_ours(void)
{
    reserved[0] = pp_sendq_reserve(&queue, 60, STEPS_BYTES_MAX);
}

static void steps_reserve_theirs(void)
{
    reserved[1] = pp_sendq_reserve(&queue, 60, STEPS_BYTES_MAX);
}

static void steps_credit(void)
{
    told = pp_sendq_credit(&queue, 60, STEPS_BYTES_MAX);
}

/* ---- What must come of them ---- */

static void steps_empty(void)
{
    pp_sendq_init(&queue);
}

static void steps_held(void)
{
    steps_empty();
    pp_sendq_hold(&queue);
}

static void steps_reserved(void)
{
    steps_empty();
    pp_sendq_reserve(&queue, 60, STEPS_BYTES_MAX);
}

static int steps_place_of(const pp_link *link)
{
    int place = -1;
    for (int i = 0; i < delivered_count; i++) {
        if (delivered[i] == link) {
            cr_assert_eq(place, -1, "delivered twice");
            place = i;
        }
    }
    return place;
}

/* Both sides' links once and each side's in its order, and the pump is free. */
static void steps_expect_all(void)
{
    cr_assert_eq(delivered_count, STEPS_LINKS);
    cr_assert_geq(steps_place_of(&links[0]), 0);
    cr_assert_geq(steps_place_of(&links[2]), 0);
    cr_assert_lt(steps_place_of(&links[0]), steps_place_of(&links[1]));
    cr_assert_lt(steps_place_of(&links[2]), steps_place_of(&links[3]));
    cr_assert(pp_sendq_hold(&queue));
}

static void steps_expect_theirs(void)
{
    cr_assert_eq(delivered_count, 2);
    cr_assert_eq(delivered[0], &links[2]);
    cr_assert_eq(delivered[1], &links[3]);
    cr_assert(pp_sendq_hold(&queue));
}

static void steps_expect_delivered_or_refused(void)
{
    cr_assert_eq(delivered_count + refused_count, 2);
    cr_assert_not(pp_sendq_hold(&queue));
}

static void steps_expect_mark_seen(void)
{
    cr_assert(mark_seen);
    cr_assert(pp_sendq_hold(&queue));
}

static void steps_expect_one_reserved(void)
{
    cr_assert_neq(reserved[0], reserved[1]);
    cr_assert_eq(atomic_load(&queue.bytes), 60);
}

/* Either it fits, or the credit says that now it does. */
static void steps_expect_room_or_word(void)
{
    cr_assert(reserved[0] || reserved[1] || told);
}

Test(sendq_steps, pushes_meet_pushes_takes_and_gives)
{
    steps_run(steps_empty, steps_push_two, steps_push_two_others, steps_expect_all);
}

Test(sendq_steps, pushes_meet_a_holder_with_nothing_to_write)
{
    steps_run(steps_held, steps_drain, steps_push_two_others, steps_expect_theirs);
    steps_run(steps_held, steps_push_two_others, steps_drain, steps_expect_theirs);
}

Test(sendq_steps, pushes_meet_a_seal)
{
    steps_run(steps_held, steps_seal, steps_push_two_others, steps_expect_delivered_or_refused);
    steps_run(steps_held, steps_push_two_others, steps_seal, steps_expect_delivered_or_refused);
}

Test(sendq_steps, a_mark_meets_a_hold_and_a_give)
{
    steps_run(steps_empty, steps_hold, steps_mark_and_hold, steps_expect_mark_seen);
    steps_run(steps_empty, steps_mark_and_hold, steps_hold, steps_expect_mark_seen);
}

Test(sendq_steps, a_reservation_meets_another_that_leaves_it_no_room)
{
    steps_run(steps_empty, steps_reserve_ours, steps_reserve_theirs, steps_expect_one_reserved);
}

Test(sendq_steps, a_refusal_meets_the_last_credit)
{
    steps_run(steps_reserved, steps_reserve_ours, steps_credit, steps_expect_room_or_word);
    steps_run(steps_reserved, steps_credit, steps_reserve_theirs, steps_expect_room_or_word);
}
