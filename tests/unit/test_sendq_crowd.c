/* SPDX-License-Identifier: MIT */
/*
 * test_sendq_crowd.c - the send queue with many threads at once. One step in the middle of another: test_sendq_steps.c.
 *
 * It is judged by what a connection needs of it: nothing lost, nothing doubled, each producer's order kept, one holder
 * at a time, and whoever heard FULL hears of room again. A lost wake-up hangs, and the time-out ends it. What the
 * holder touches is plain memory, so that TSan sees a pump that is handed over without an order.
 */
#include "engine/flow/sendq.h"
#include "tests/support/threads.h"

#include <criterion/criterion.h>

TestSuite(sendq_crowd, .timeout = 100);

enum { CROWD_PRODUCERS = 4, CROWD_PUSHES = 60000, CROWD_LINK_BYTES = 3 };

typedef struct crowd_item {
    pp_link link; /* First, so that a link is its item. */
    uint32_t producer;
    uint32_t number;
} crowd_item;

typedef struct crowd_state {
    pp_sendq sendq;
    uint32_t next[CROWD_PRODUCERS]; /* Number expected; the holder's, without any lock. */
    uint64_t turns;                 /* The holder's too, touched first and last: push and give alone order it. */
    uint64_t written;               /* And this. */
    uint32_t faults;                /* And this. */
    _Atomic uint32_t holders;       /* Relaxed, or it would order for the pump what the pump must order itself. */
    _Atomic uint32_t handed;        /* 1: the pump waits for the thread that plays the completion. */
    _Atomic uint32_t drained;       /* `drained` events. */
    _Atomic uint32_t producers_done;
    uint32_t bytes_max;
} crowd_state;

typedef struct crowd_producer {
    crowd_state *crowd;
    uint32_t number;
    crowd_item items[CROWD_PUSHES];
} crowd_producer;

static void crowd_write_chain(crowd_state *crowd, pp_link *link)
{
    while (link != NULL) {
        pp_link *next = link->next;
        const crowd_item *item = (const crowd_item *) link;
        if (item->number != crowd->next[item->producer]++) {
            crowd->faults++;
        }
        crowd->written++;
        link->next = link; /* Whoever still walks this link walks in circles. */
        if (pp_sendq_credit(&crowd->sendq, CROWD_LINK_BYTES, crowd->bytes_max)) {
            atomic_fetch_add(&crowd->drained, 1);
        }
        link = next;
    }
}

/* Holder only. A write that stays pending hands the pump to its completion, which comes on another thread. */
static void crowd_pump(crowd_state *crowd)
{
    crowd->turns++;
    do {
        if (atomic_fetch_add_explicit(&crowd->holders, 1, memory_order_relaxed) != 0) {
            crowd->faults++;
        }
        crowd_write_chain(crowd, pp_sendq_take(&crowd->sendq));
        bool pending = crowd->written % 16 == 0;
        atomic_fetch_sub_explicit(&crowd->holders, 1, memory_order_relaxed);
        if (pending) {
            crowd->written += 16; /* Counted off again by crowd_complete: touched on both sides of the hand-over. */
            atomic_store_explicit(&crowd->handed, 1, memory_order_release);
            return;
        }
        crowd->turns++;
    } while (!pp_sendq_give(&crowd->sendq));
}

static void crowd_complete(void *argument)
{
    crowd_state *crowd = argument;
    for (;;) {
        bool last = atomic_load(&crowd->producers_done) == CROWD_PRODUCERS;
        if (atomic_load_explicit(&crowd->handed, memory_order_acquire) == 1) {
            atomic_store_explicit(&crowd->handed, 0, memory_order_relaxed);
            crowd->written -= 16;
            if (!pp_sendq_give(&crowd->sendq)) {
                crowd_pump(crowd);
            }
        } else if (last) {
            return;
        } else {
            test_thread_yield();
        }
    }
}

static void crowd_produce(void *argument)
{
    crowd_producer *producer = argument;
    crowd_state *crowd = producer->crowd;
    for (uint32_t i = 0; i < CROWD_PUSHES; i++) {
        uint32_t drained = atomic_load(&crowd->drained);
        while (!pp_sendq_reserve(&crowd->sendq, CROWD_LINK_BYTES, crowd->bytes_max)) {
            while (atomic_load(&crowd->drained) == drained) {
                test_thread_yield(); /* For ever, if nobody tells of room. */
            }
            drained = atomic_load(&crowd->drained);
        }
        crowd_item *item = &producer->items[i];
        item->producer = producer->number;
        item->number = i;
        if (i % 32 == 0) {
            test_thread_yield(); /* Between reserving and pushing the pump may change hands. */
        }
        if (pp_sendq_push(&crowd->sendq, &item->link) == PP_PUSH_TOOK) {
            crowd_pump(crowd);
        }
    }
    atomic_fetch_add(&crowd->producers_done, 1);
}

static void crowd_run(uint32_t bytes_max)
{
    static crowd_state crowd;
    static crowd_producer producers[CROWD_PRODUCERS];
    test_thread threads[CROWD_PRODUCERS];
    test_thread completer;
    pp_sendq_init(&crowd.sendq);
    crowd.bytes_max = bytes_max;
    test_thread_start(&completer, crowd_complete, &crowd);
    for (uint32_t i = 0; i < CROWD_PRODUCERS; i++) {
        producers[i].crowd = &crowd;
        producers[i].number = i;
        test_thread_start(&threads[i], crowd_produce, &producers[i]);
    }
    for (int i = 0; i < CROWD_PRODUCERS; i++) {
        test_thread_join(&threads[i]);
    }
    test_thread_join(&completer);
    pp_sendq_check(&crowd.sendq, bytes_max);
    cr_assert_eq(crowd.faults, 0);
    cr_assert_eq(crowd.written, (uint64_t) CROWD_PRODUCERS * CROWD_PUSHES);
    cr_assert_eq(atomic_load(&crowd.sendq.bytes), 0);
    cr_assert(pp_sendq_hold(&crowd.sendq)); /* The pump was given back. */
    cr_assert_null(pp_sendq_take(&crowd.sendq));
}

Test(sendq_crowd, loses_doubles_and_reorders_nothing_where_it_is_always_full)
{
    crowd_run(64);
}

/* Here producers do not wait for each other: pushes meet gives and takes as often as they can. */
Test(sendq_crowd, loses_doubles_and_reorders_nothing_where_it_is_never_full)
{
    crowd_run(CROWD_PRODUCERS * CROWD_PUSHES * CROWD_LINK_BYTES);
}

/* ---- Sealing under pushes ---- */

enum { CROWD_SEAL_ROUNDS = 400, CROWD_SEAL_PUSHES = 50 };

typedef struct crowd_sealed {
    pp_sendq sendq;
    uint32_t taken;           /* By holders, and what the seal returned; plain, as the holder's are. */
    bool sealed;              /* The holder's. */
    _Atomic uint32_t refused; /* Pushes that answered SEALED. */
    crowd_item items[CROWD_PRODUCERS][CROWD_SEAL_PUSHES];
} crowd_sealed;

typedef struct crowd_sealed_producer {
    crowd_sealed *round;
    uint32_t number;
} crowd_sealed_producer;

static uint32_t crowd_length(const pp_link *link)
{
    uint32_t length = 0;
    for (; link != NULL; link = link->next) {
        length++;
    }
    return length;
}

static void crowd_push_until_sealed(void *argument)
{
    crowd_sealed_producer *producer = argument;
    crowd_sealed *round = producer->round;
    for (int i = 0; i < CROWD_SEAL_PUSHES; i++) {
        pp_push push = pp_sendq_push(&round->sendq, &round->items[producer->number][i].link);
        if (push == PP_PUSH_SEALED) {
            atomic_fetch_add(&round->refused, 1);
        }
        if (push != PP_PUSH_TOOK) {
            continue;
        }
        do {
            round->taken += crowd_length(pp_sendq_take(&round->sendq));
            if (round->taken > CROWD_SEAL_PUSHES) {
                round->taken += crowd_length(pp_sendq_seal(&round->sendq));
                round->sealed = true;
                break;
            }
        } while (!pp_sendq_give(&round->sendq));
    }
}

Test(sendq_crowd, answers_every_push_when_it_is_sealed_under_threads)
{
    static crowd_sealed round;
    for (int i = 0; i < CROWD_SEAL_ROUNDS; i++) {
        crowd_sealed_producer producers[CROWD_PRODUCERS];
        test_thread threads[CROWD_PRODUCERS];
        round = (crowd_sealed){.taken = 0};
        pp_sendq_init(&round.sendq);
        for (uint32_t number = 0; number < CROWD_PRODUCERS; number++) {
            producers[number] = (crowd_sealed_producer){&round, number};
            test_thread_start(&threads[number], crowd_push_until_sealed, &producers[number]);
        }
        for (int number = 0; number < CROWD_PRODUCERS; number++) {
            test_thread_join(&threads[number]);
        }
        cr_assert(round.sealed);
        cr_assert_eq(round.taken + atomic_load(&round.refused), CROWD_PRODUCERS * CROWD_SEAL_PUSHES);
    }
}
