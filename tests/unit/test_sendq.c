/* SPDX-License-Identifier: MIT */
/*
 * test_sendq.c - the queue's one word and its bytes, step by step. Many threads at once: test_sendq_crowd.c.
 */
#include "engine/flow/sendq.h"
#include "tests/support/aborts.h"

#include <criterion/criterion.h>

static pp_sendq sendq;
static pp_link links[8];
static uint32_t bytes_max;

static void sendq_begin(uint32_t bound)
{
    pp_sendq_init(&sendq);
    bytes_max = bound;
}

static void sendq_push_expecting(pp_push expected, pp_link *link)
{
    pp_push push = pp_sendq_push(&sendq, link);
    pp_sendq_check(&sendq, bytes_max);
    cr_assert_eq(push, expected);
}

static void sendq_give_expecting(bool expected)
{
    bool given = pp_sendq_give(&sendq);
    pp_sendq_check(&sendq, bytes_max);
    cr_assert_eq(given, expected);
}

/* `chain` is links[first] to links[last] and nothing else. */
static void sendq_expect_chain(const pp_link *chain, int first, int last)
{
    pp_sendq_check(&sendq, bytes_max);
    for (int i = first; i <= last; i++) {
        cr_assert_eq(chain, &links[i], "link %d is not in its place", i);
        chain = chain->next;
    }
    cr_assert_null(chain);
}

static bool sendq_credit(uint32_t bytes)
{
    bool told = pp_sendq_credit(&sendq, bytes, bytes_max);
    pp_sendq_check(&sendq, bytes_max);
    return told;
}

static bool sendq_reserve(uint32_t bytes)
{
    bool reserved = pp_sendq_reserve(&sendq, bytes, bytes_max);
    pp_sendq_check(&sendq, bytes_max);
    return reserved;
}

Test(sendq, gives_the_pump_to_who_pushes_first)
{
    sendq_begin(100);
    sendq_push_expecting(PP_PUSH_TOOK, &links[0]);
    sendq_push_expecting(PP_PUSH_QUEUED, &links[1]);
    sendq_expect_chain(pp_sendq_take(&sendq), 0, 1);
    sendq_push_expecting(PP_PUSH_QUEUED, &links[2]);
    sendq_expect_chain(pp_sendq_take(&sendq), 2, 2);
    sendq_give_expecting(true);
    sendq_push_expecting(PP_PUSH_TOOK, &links[3]);
}

Test(sendq, hands_out_the_oldest_first)
{
    sendq_begin(100);
    for (int i = 0; i < 8; i++) {
        sendq_push_expecting(i == 0 ? PP_PUSH_TOOK : PP_PUSH_QUEUED, &links[i]);
    }
    sendq_expect_chain(pp_sendq_take(&sendq), 0, 7);
    cr_assert_null(pp_sendq_take(&sendq));
}

Test(sendq, keeps_the_pump_where_something_new_has_come)
{
    sendq_begin(100);
    sendq_push_expecting(PP_PUSH_TOOK, &links[0]);
    sendq_give_expecting(false);
    sendq_expect_chain(pp_sendq_take(&sendq), 0, 0);
    sendq_push_expecting(PP_PUSH_QUEUED, &links[1]);
    sendq_give_expecting(false);
    sendq_expect_chain(pp_sendq_take(&sendq), 1, 1);
    sendq_give_expecting(true);
}

Test(sendq, lets_one_hold_it_with_nothing_to_write)
{
    sendq_begin(100);
    cr_assert(pp_sendq_hold(&sendq));
    cr_assert_not(pp_sendq_hold(&sendq));
    cr_assert_null(pp_sendq_take(&sendq));
    sendq_push_expecting(PP_PUSH_QUEUED, &links[0]);
    cr_assert_not(pp_sendq_hold(&sendq));
    sendq_expect_chain(pp_sendq_take(&sendq), 0, 0);
    cr_assert_not(pp_sendq_hold(&sendq));
    sendq_give_expecting(true);
    cr_assert(pp_sendq_hold(&sendq));
    sendq_give_expecting(true);
}

Test(sendq, takes_a_link_again_that_was_in_it_before)
{
    sendq_begin(100);
    for (int round = 0; round < 3; round++) {
        sendq_push_expecting(PP_PUSH_TOOK, &links[0]);
        sendq_push_expecting(PP_PUSH_QUEUED, &links[1]);
        sendq_expect_chain(pp_sendq_take(&sendq), 0, 1);
        sendq_push_expecting(PP_PUSH_QUEUED, &links[0]);
        sendq_expect_chain(pp_sendq_take(&sendq), 0, 0);
        sendq_give_expecting(true);
    }
}

Test(sendq, takes_nothing_after_it_was_sealed)
{
    sendq_begin(100);
    sendq_push_expecting(PP_PUSH_TOOK, &links[0]);
    sendq_expect_chain(pp_sendq_take(&sendq), 0, 0);
    sendq_push_expecting(PP_PUSH_QUEUED, &links[1]);
    sendq_push_expecting(PP_PUSH_QUEUED, &links[2]);
    sendq_expect_chain(pp_sendq_seal(&sendq), 1, 2);
    sendq_push_expecting(PP_PUSH_SEALED, &links[3]);
    cr_assert_not(pp_sendq_hold(&sendq));
    sendq_push_expecting(PP_PUSH_SEALED, &links[3]);
}

Test(sendq, is_sealed_empty_too)
{
    sendq_begin(100);
    cr_assert(pp_sendq_hold(&sendq));
    cr_assert_null(pp_sendq_seal(&sendq));
    sendq_push_expecting(PP_PUSH_SEALED, &links[0]);
}

Test(sendq, refuses_what_would_pass_its_bound)
{
    sendq_begin(100);
    cr_assert(sendq_reserve(100));
    cr_assert_not(sendq_reserve(1));
    cr_assert(sendq_reserve(0));
    sendq_credit(1);
    cr_assert_not(sendq_reserve(2));
    cr_assert(sendq_reserve(1));
    sendq_credit(100);
    cr_assert(sendq_reserve(100));
}

Test(sendq, counts_without_wrapping)
{
    sendq_begin(UINT32_MAX);
    cr_assert(sendq_reserve(UINT32_MAX - 1));
    cr_assert_not(sendq_reserve(2));
    cr_assert_not(sendq_reserve(UINT32_MAX));
    cr_assert(sendq_reserve(1));
    cr_assert(sendq_credit(UINT32_MAX));
}

Test(sendq, tells_of_room_once_and_at_half_of_its_bound)
{
    sendq_begin(100);
    cr_assert(sendq_reserve(100));
    cr_assert_not(sendq_reserve(10));
    cr_assert_not(sendq_reserve(20));
    cr_assert_not(sendq_credit(49)); /* 51 left: above half. */
    cr_assert(sendq_credit(1));
    cr_assert_not(sendq_credit(1)); /* Told already. */
    cr_assert_not(sendq_credit(49));
}

Test(sendq, tells_of_room_only_who_was_refused)
{
    sendq_begin(100);
    cr_assert(sendq_reserve(100));
    cr_assert_not(sendq_credit(100));
}

Test(sendq, tells_who_was_refused_below_half_at_the_next_credit)
{
    sendq_begin(100);
    cr_assert(sendq_reserve(10));
    cr_assert_not(sendq_reserve(100));
    cr_assert(sendq_credit(1));
    cr_assert_not(sendq_reserve(100));
    cr_assert(sendq_credit(9));
    cr_assert(sendq_reserve(100));
}

#ifndef NDEBUG
Test(sendq, is_taken_from_by_its_holder_only, TEST_ABORTS)
{
    sendq_begin(100);
    pp_sendq_take(&sendq);
}

Test(sendq, is_given_back_by_its_holder_only, TEST_ABORTS)
{
    sendq_begin(100);
    pp_sendq_give(&sendq);
}

Test(sendq, is_sealed_once, TEST_ABORTS)
{
    sendq_begin(100);
    pp_sendq_hold(&sendq);
    pp_sendq_seal(&sendq);
    pp_sendq_seal(&sendq);
}

Test(sendq, tells_nothing_to_who_does_not_wait)
{
    sendq_begin(100);
    cr_assert(pp_sendq_reserve_or_not(&sendq, 100, bytes_max));
    cr_assert_not(pp_sendq_reserve_or_not(&sendq, 1, bytes_max));
    cr_assert_not(sendq_credit(100));
    cr_assert(pp_sendq_reserve_or_not(&sendq, 100, bytes_max));
}

Test(sendq, is_credited_no_more_than_was_reserved, TEST_ABORTS)
{
    sendq_begin(100);
    pp_sendq_reserve(&sendq, 10, bytes_max);
    pp_sendq_credit(&sendq, 11, bytes_max);
}
#endif
