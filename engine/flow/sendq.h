/* SPDX-License-Identifier: MIT */
/*
 * sendq.h - the messages that one connection still has to write, and the right to write them.
 *
 * One word is the whole state:
 *
 *              hold                      push
 *      IDLE ----------> BUSY -----------------------> newest link --push--> newest link ...
 *       ^ |            |    ^                          |   ^
 *       | |            |    +---------- take ----------+   |
 *       | +------------|---------------- push -------------+
 *       +---- give ----+                                 seal: from BUSY or a link, for good ---> SEALED
 *
 * Any number of threads push; exactly one holds the pump (the right to write) while the word is not IDLE.
 *
 * Who, which order. A push links the new link to what it saw and swaps it in with one CAS (release: what the link says
 * is seen by the taker). Who pushes onto IDLE has taken the pump and must see to the writing (acquire: it sees what the
 * last holder left). The holder takes all with one exchange to BUSY (acquire) and turns the chain round, oldest first.
 * It gives the pump back with CAS BUSY -> IDLE (release: the next holder sees what it left). A link pushed on top of
 * another needs not to have seen it: each CAS carries on the release of the one before, so the taker sees them all.
 *
 * A mark beside the queue (a state that the holder must look at) loses no wake-up either: hold and give are
 * sequentially consistent. Who sets the mark and then fails to hold comes before the holder's give, so a holder that
 * looks at the mark after its give, all of it sequentially consistent, finds it, and holds again.
 *
 * Why no ABA. A push never reads through the head it saw: the head is only copied into link->next. If that link went,
 * came back and is the newest again, the copy is right again. The taker's exchange has nothing to compare.
 *
 * Why no lost wake-up. There is no moment in which a link is in the queue and nobody holds the pump: IDLE carries no
 * link, and the only way back to IDLE is a CAS that fails when a link has come; then the holder goes on.
 *
 * Bytes are counted apart, reserved before the push and credited when written or discarded. `starved` is a promise to
 * call `drained` (Dekker: the refused sender raises it and then looks at the bytes again; the creditor lowers the bytes
 * and then looks at it; both sequentially consistent, so at least one of them sees the other).
 */
#ifndef PP_FLOW_SENDQ_H
#define PP_FLOW_SENDQ_H

#include "engine/flow/message.h"

#include <stdbool.h>

typedef struct pp_sendq {
    _Atomic uintptr_t head; /* IDLE, BUSY, SEALED, or the newest link. */
    _Atomic uint32_t bytes; /* Reserved and not yet credited; never above the bound. */
    _Atomic bool starved;   /* A sender heard FULL and nobody was told since that there is room. */
} pp_sendq;

enum { PP_SENDQ_BUSY = 1 }; /* The head while the pump is held and nothing new has come. */

typedef enum pp_push {
    PP_PUSH_TOOK,   /* Queued, and the pump is yours. */
    PP_PUSH_QUEUED, /* Queued; who holds the pump will see it. */
    PP_PUSH_SEALED  /* Not queued: closed for good. */
} pp_push;

void pp_sendq_init(pp_sendq *sendq);

/* The bound, bytes_max, is the same in each call on one queue; many queues share it, so none keeps it.
 * Reserves bytes (<= bytes_max), all or none. False: they do not fit now, and a credit that finds at most half of the
 * bound reserved will say so. */
bool pp_sendq_reserve(pp_sendq *sendq, uint32_t bytes, uint32_t bytes_max);

/* The same, for who does not wait for room: no credit will say so. */
bool pp_sendq_reserve_or_not(pp_sendq *sendq, uint32_t bytes, uint32_t bytes_max);

/* Gives reserved bytes back. True: at most half of the bound is reserved and somebody was refused since the last true
 * (or was about to be, and then found room: a race that no order of these steps can tell apart). */
bool pp_sendq_credit(pp_sendq *sendq, uint32_t bytes, uint32_t bytes_max);

pp_push pp_sendq_push(pp_sendq *sendq, pp_link *link);

/* True: at this moment nobody holds the pump. */
bool pp_sendq_is_idle(const pp_sendq *sendq);

/* True: nothing was pushed since this link. Who asks keeps the holder from taking meanwhile, or the link
 * may be gone. */
static inline bool pp_sendq_is_newest(const pp_sendq *sendq, const pp_link *link)
{
    return atomic_load_explicit(&sendq->head, memory_order_relaxed) == (uintptr_t) link;
}

/* Takes the pump if nobody holds it. */
bool pp_sendq_hold(pp_sendq *sendq);

/* Holder only. True: something new has come. */
static inline bool pp_sendq_has_come(const pp_sendq *sendq)
{
    return atomic_load_explicit(&sendq->head, memory_order_relaxed) != PP_SENDQ_BUSY;
}

/* Holder only. The chain, oldest first, or NULL when nothing is new. */
pp_link *pp_sendq_take(pp_sendq *sendq);

/* Holder only. True: the pump is given back. False: something new has come; take again. */
bool pp_sendq_give(pp_sendq *sendq);

/* Holder only, once. What was pushed and not taken, oldest first. The pump is never held again. */
pp_link *pp_sendq_seal(pp_sendq *sendq);

/* Tests: what the word says at this moment. */
bool pp_sendq_is_sealed(const pp_sendq *sendq);

/* Tests: asserts what must hold while nobody is inside a call on it. */
void pp_sendq_check(const pp_sendq *sendq, uint32_t bytes_max);

#endif
