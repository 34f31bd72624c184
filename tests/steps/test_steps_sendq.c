/* SPDX-License-Identifier: MIT */
/*
 * test_steps_sendq.c - the send queue under every order of its steps: nothing lost, nothing twice, each fiber's order
 * kept, one holder at a time, never a link in the queue that nobody will take, and nobody forgotten who heard FULL.
 */
#include "engine/flow/sendq.h"
#include "tests/steps/explore.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(steps, .timeout = 100);

enum { NOBODY = -1, PUSHERS = 3, ITEMS = 3, BYTES_MAX = 4 };

typedef enum { NEW, PUSHED, TAKEN, BACK } item_state;

typedef struct item {
    pp_link link; /* First: a link is its item. */
    int pusher, number;
    item_state state;
} item;

static struct {
    pp_sendq sendq;
    item items[PUSHERS][ITEMS];
    int next[PUSHERS]; /* The holder's: the number that comes next. */
    int holder;        /* Set and cleared in the step that takes and gives the pump. */
    bool sealed;
    uint32_t drained; /* How often somebody was told of room. */
} s;

static pp_message message; /* What a link carries that is not a mark. */

static void begin(void)
{
    memset(&s, 0, sizeof s);
    pp_sendq_init(&s.sendq);
    for (int i = 0; i < PUSHERS * ITEMS; ++i) {
        s.items[i / ITEMS][i % ITEMS] = (item){{NULL, &message}, i / ITEMS, i % ITEMS, NEW};
    }
    s.holder = NOBODY;
    steps_name(&s.sendq.head, "head");
    steps_name(&s.sendq.bytes, "bytes");
    steps_name(&s.sendq.starved, "starved");
}

static void hold(int fiber)
{
    STEPS_ASSERT(s.holder == NOBODY);
    STEPS_ASSERT(!s.sealed);
    s.holder = fiber;
}

/* The steps of the pump's holder see to the links of a chain. */
static bool deliver(int fiber, pp_link *link)
{
    bool mark = false;
    while (link) {
        STEPS_ASSERT(s.holder == fiber);
        pp_link *next = link->next;
        item *it = (item *) link;
        STEPS_ASSERT(it->state == PUSHED);
        STEPS_ASSERT(it->number == s.next[it->pusher]);
        it->state = TAKEN;
        s.next[it->pusher] += 1;
        mark = mark || !link->message;
        link->next = link; /* Who still walks it does not end. */
        link = next;
    }
    return mark;
}

static void seal(int fiber)
{
    pp_link *rest = pp_sendq_seal(&s.sendq);
    s.sealed = true;
    deliver(fiber, rest);
    s.holder = NOBODY;
}

/* Writes until there is nothing left, as a pump does. */
static void drain(int fiber)
{
    for (;;) {
        if (deliver(fiber, pp_sendq_take(&s.sendq))) {
            seal(fiber);
            return;
        }
        if (pp_sendq_give(&s.sendq)) {
            STEPS_ASSERT(s.holder == fiber);
            s.holder = NOBODY;
            return;
        }
    }
}

/* True: it was queued. */
static bool push(int fiber, int number)
{
    item *it = &s.items[fiber][number];
    it->state = PUSHED; /* Before: the holder may take it at once. */
    switch (pp_sendq_push(&s.sendq, &it->link)) {
    case PP_PUSH_TOOK:
        hold(fiber);
        drain(fiber);
        return true;
    case PP_PUSH_QUEUED:
        return true;
    case PP_PUSH_SEALED:
        STEPS_ASSERT(s.sealed);
        it->state = BACK;
        return false;
    }
    return false;
}

static void push_many(int fiber, int count)
{
    for (int i = 0; i < count; ++i) {
        push(fiber, i);
    }
}

/* After each step. */
static void always(void)
{
    uintptr_t head = *(const uintptr_t *) (const void *) &s.sendq.head;
    uint32_t bytes = *(const uint32_t *) (const void *) &s.sendq.bytes;
    bool idle = head == 0;
    bool has_link = head > 2;
    STEPS_ASSERT(bytes <= BYTES_MAX);
    STEPS_ASSERT(!idle || s.holder == NOBODY);
    STEPS_ASSERT(!has_link || s.holder != NOBODY);
}

static void end(void)
{
    pp_sendq_check(&s.sendq, BYTES_MAX);
    STEPS_ASSERT(s.holder == NOBODY);
    for (int i = 0; i < PUSHERS * ITEMS; ++i) {
        STEPS_ASSERT(s.items[i / ITEMS][i % ITEMS].state != PUSHED);
    }
    uintptr_t head = *(const uintptr_t *) (const void *) &s.sendq.head;
    STEPS_ASSERT(head == (s.sealed ? 2 : 0));
}

/* ---- Pushes, and whoever took the pump writes ---- */

static void a_pushes_one(void)
{
    push_many(0, 1);
}

static void b_pushes_one(void)
{
    push_many(1, 1);
}

static void c_pushes_one(void)
{
    push_many(2, 1);
}

static void b_pushes_two(void)
{
    push_many(1, 2);
}

static void c_pushes_two(void)
{
    push_many(2, 2);
}

static void a_pushes_three(void)
{
    push_many(0, 3);
}

Test(steps, sendq_three_push_one_each)
{
    const steps_scenario scenario = {.name = "sendq: three push one each",
                                     .begin = begin,
                                     .fibers = {a_pushes_one, b_pushes_one, c_pushes_one},
                                     .always = always,
                                     .end = end};
    cr_assert_gt(steps_explore(&scenario), 1000);
}

Test(steps, sendq_three_against_two)
{
    const steps_scenario scenario = {.name = "sendq: one pushes three, one two",
                                     .begin = begin,
                                     .fibers = {a_pushes_three, b_pushes_two},
                                     .always = always,
                                     .end = end};
    cr_assert_gt(steps_explore(&scenario), 1000);
}

/* ---- Sealing ---- */

static void begin_held_by_a(void)
{
    begin();
    STEPS_ASSERT(pp_sendq_hold(&s.sendq));
    hold(0);
}

/* A pump that was held before, and is sealed: what comes of a write that fails. */
static void a_takes_and_seals(void)
{
    deliver(0, pp_sendq_take(&s.sendq));
    seal(0);
}

Test(steps, sendq_sealed_while_two_push)
{
    const steps_scenario scenario = {.name = "sendq: one seals, two push two",
                                     .begin = begin_held_by_a,
                                     .fibers = {a_takes_and_seals, b_pushes_two, c_pushes_two},
                                     .always = always,
                                     .end = end};
    cr_assert_gt(steps_explore(&scenario), 1000);
}

/* One message, and a mark behind it that seals: all of it is taken, for nobody else seals. */
static void a_closes(void)
{
    s.items[0][1].link.message = NULL;
    STEPS_ASSERT(push(0, 0) && push(0, 1));
}

static void end_closed(void)
{
    STEPS_ASSERT(s.sealed);
    STEPS_ASSERT(s.items[0][0].state == TAKEN && s.items[0][1].state == TAKEN);
    end();
}

Test(steps, sendq_drained_by_a_mark_while_another_pushes)
{
    const steps_scenario scenario = {.name = "sendq: a message and a mark, one pushes two",
                                     .begin = begin,
                                     .fibers = {a_closes, b_pushes_two},
                                     .always = always,
                                     .end = end_closed};
    cr_assert_gt(steps_explore(&scenario), 1000);
}

/* ---- Bytes ---- */

static void credit(uint32_t bytes)
{
    s.drained += pp_sendq_credit(&s.sendq, bytes, BYTES_MAX);
}

static bool was_drained_since(void *argument)
{
    return s.drained != *(const uint32_t *) argument;
}

/* As a sender that waits for `drained` when it hears FULL, and whose message is written. Who is told nothing waits for
 * ever, and the explorer says so. */
static void send(uint32_t bytes)
{
    steps_wait(NULL, NULL); /* Who was told before this was told of something else. */
    uint32_t seen = s.drained;
    while (!pp_sendq_reserve(&s.sendq, bytes, BYTES_MAX)) {
        steps_wait(was_drained_since, &seen);
        seen = s.drained;
    }
    credit(bytes);
}

static void begin_full(void)
{
    begin();
    STEPS_ASSERT(pp_sendq_reserve(&s.sendq, BYTES_MAX, BYTES_MAX));
}

static void a_credits_in_two_halves(void)
{
    credit(BYTES_MAX / 2);
    credit(BYTES_MAX / 2);
}

static void b_sends_all(void)
{
    send(BYTES_MAX);
}

static void c_sends_half(void)
{
    send(BYTES_MAX / 2);
}

static void end_bytes(void)
{
    pp_sendq_check(&s.sendq, BYTES_MAX);
    STEPS_ASSERT(pp_sendq_reserve(&s.sendq, BYTES_MAX, BYTES_MAX)); /* Nothing is left reserved. */
}

Test(steps, sendq_tells_who_heard_full)
{
    const steps_scenario scenario = {.name = "sendq: one credits two halves, one waits for room",
                                     .begin = begin_full,
                                     .fibers = {a_credits_in_two_halves, b_sends_all},
                                     .always = always,
                                     .end = end_bytes};
    cr_assert_gt(steps_explore(&scenario), 50);
}

static void a_credits_all(void)
{
    credit(BYTES_MAX);
}

Test(steps, sendq_tells_two_who_heard_full)
{
    const steps_scenario scenario = {.name = "sendq: one credits, two wait for room",
                                     .begin = begin_full,
                                     .fibers = {a_credits_all, b_sends_all, c_sends_half},
                                     .always = always,
                                     .end = end_bytes};
    cr_assert_gt(steps_explore(&scenario), 1000);
}

/* What fits is let in whatever comes between: the bound is not even passed for a moment by what does not fit. */
static void begin_half_full(void)
{
    begin();
    STEPS_ASSERT(pp_sendq_reserve(&s.sendq, BYTES_MAX / 2, BYTES_MAX));
}

static void a_reserves_what_fits(void)
{
    STEPS_ASSERT(pp_sendq_reserve(&s.sendq, BYTES_MAX / 2 - 1, BYTES_MAX));
}

static void b_reserves_what_does_not(void)
{
    STEPS_ASSERT(!pp_sendq_reserve(&s.sendq, BYTES_MAX / 2 + 1, BYTES_MAX));
}

static void c_reserves_one(void)
{
    STEPS_ASSERT(pp_sendq_reserve(&s.sendq, 1, BYTES_MAX));
}

static void end_full(void)
{
    pp_sendq_check(&s.sendq, BYTES_MAX);
    STEPS_ASSERT(!pp_sendq_reserve(&s.sendq, 1, BYTES_MAX));
}

Test(steps, sendq_refuses_nothing_that_fits)
{
    const steps_scenario scenario = {.name = "sendq: two reserve what fits, one what does not",
                                     .begin = begin_half_full,
                                     .fibers = {a_reserves_what_fits, b_reserves_what_does_not, c_reserves_one},
                                     .always = always,
                                     .end = end_full};
    cr_assert_gt(steps_explore(&scenario), 50);
}
