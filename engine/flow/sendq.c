/* SPDX-License-Identifier: MIT */
/*
 * sendq.c - the word and the bytes of a send queue. The argument for every memory order stands in sendq.h.
 */
#include "engine/flow/sendq.h"

#include "engine/base/assert.h"

/* No link lies here: links are aligned to pointers. */
enum { SENDQ_IDLE = 0, SENDQ_BUSY = PP_SENDQ_BUSY, SENDQ_SEALED = 2, SENDQ_NOT_LINKS = 3 };

static bool sendq_is_link(uintptr_t head)
{
    return head >= SENDQ_NOT_LINKS;
}

void pp_sendq_init(pp_sendq *sendq)
{
    atomic_init(&sendq->head, SENDQ_IDLE);
    atomic_init(&sendq->bytes, 0);
    atomic_init(&sendq->starved, false);
}

/* Reserves by compare-and-swap, so that not even for a moment the bound is passed: two senders that both overshot and
 * both took back would both be refused where one of them fits. */
bool pp_sendq_reserve_or_not(pp_sendq *sendq, uint32_t bytes, uint32_t bytes_max)
{
    uint32_t seen = atomic_load_explicit(&sendq->bytes, memory_order_seq_cst);
    do {
        PP_ASSERT(seen <= bytes_max);
        if (bytes > bytes_max - seen) {
            return false;
        }
    } while (!atomic_compare_exchange_weak_explicit(&sendq->bytes, &seen, seen + bytes, memory_order_seq_cst,
                                                    memory_order_seq_cst));
    return true;
}

bool pp_sendq_reserve(pp_sendq *sendq, uint32_t bytes, uint32_t bytes_max)
{
    PP_ASSERT(bytes <= bytes_max); /* Else no credit ever makes room for them. */
    if (pp_sendq_reserve_or_not(sendq, bytes, bytes_max)) {
        return true;
    }
    atomic_store_explicit(&sendq->starved, true, memory_order_seq_cst);
    return pp_sendq_reserve_or_not(sendq, bytes,
                                   bytes_max); /* The last credit may have come before it could see the flag. */
}

bool pp_sendq_credit(pp_sendq *sendq, uint32_t bytes, uint32_t bytes_max)
{
    uint32_t before = atomic_fetch_sub_explicit(&sendq->bytes, bytes, memory_order_seq_cst);
    PP_ASSERT(before >= bytes);
    return before - bytes <= bytes_max / 2 &&
           atomic_load_explicit(&sendq->starved, memory_order_seq_cst) && /* Read first: an exchange each time costs. */
           atomic_exchange_explicit(&sendq->starved, false, memory_order_seq_cst);
}

pp_push pp_sendq_push(pp_sendq *sendq, pp_link *link)
{
    PP_ASSERT(sendq_is_link((uintptr_t) link));
    uintptr_t seen = atomic_load_explicit(&sendq->head, memory_order_relaxed);
    do {
        if (seen == SENDQ_SEALED) {
            return PP_PUSH_SEALED;
        }
        link->next = sendq_is_link(seen) ? (pp_link *) seen : NULL;
    } while (!atomic_compare_exchange_weak_explicit(&sendq->head, &seen, (uintptr_t) link, memory_order_acq_rel,
                                                    memory_order_relaxed));
    return seen == SENDQ_IDLE ? PP_PUSH_TOOK : PP_PUSH_QUEUED;
}

bool pp_sendq_is_idle(const pp_sendq *sendq)
{
    return atomic_load_explicit(&sendq->head, memory_order_relaxed) == SENDQ_IDLE;
}

bool pp_sendq_hold(pp_sendq *sendq)
{
    uintptr_t idle = SENDQ_IDLE;
    return atomic_compare_exchange_strong_explicit(&sendq->head, &idle, SENDQ_BUSY, memory_order_seq_cst,
                                                   memory_order_seq_cst);
}

/* Newest first becomes oldest first. */
static pp_link *sendq_turn(uintptr_t head)
{
    pp_link *oldest = NULL;
    pp_link *link = sendq_is_link(head) ? (pp_link *) head : NULL;
    while (link != NULL) {
        pp_link *older = link->next;
        link->next = oldest;
        oldest = link;
        link = older;
    }
    return oldest;
}

pp_link *pp_sendq_take(pp_sendq *sendq)
{
    uintptr_t seen = atomic_load_explicit(&sendq->head, memory_order_relaxed);
    PP_ASSERT(seen != SENDQ_IDLE);
    PP_ASSERT(seen != SENDQ_SEALED);
    if (seen == SENDQ_BUSY) {
        return NULL;
    }
    return sendq_turn(atomic_exchange_explicit(&sendq->head, SENDQ_BUSY, memory_order_acquire));
}

bool pp_sendq_give(pp_sendq *sendq)
{
    uintptr_t busy = SENDQ_BUSY;
    bool given = atomic_compare_exchange_strong_explicit(&sendq->head, &busy, SENDQ_IDLE, memory_order_seq_cst,
                                                         memory_order_relaxed);
    PP_ASSERT(given || sendq_is_link(busy));
    return given;
}

pp_link *pp_sendq_seal(pp_sendq *sendq)
{
    uintptr_t head = atomic_exchange_explicit(&sendq->head, SENDQ_SEALED, memory_order_acq_rel);
    PP_ASSERT(head != SENDQ_IDLE);
    PP_ASSERT(head != SENDQ_SEALED);
    return sendq_turn(head);
}

bool pp_sendq_is_sealed(const pp_sendq *sendq)
{
    return atomic_load(&sendq->head) == SENDQ_SEALED;
}

void pp_sendq_check(const pp_sendq *sendq, uint32_t bytes_max)
{
    uintptr_t head = atomic_load(&sendq->head);
    PP_VERIFY(atomic_load(&sendq->bytes) <= bytes_max);
    PP_VERIFY(!sendq_is_link(head) || head % _Alignof(pp_link) == 0);
    /* Who was refused had somebody's bytes before him, and their credit will tell him. */
    PP_VERIFY(!atomic_load(&sendq->starved) || atomic_load(&sendq->bytes) != 0);
}
