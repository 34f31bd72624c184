/* SPDX-License-Identifier: MIT */
#include "engine/port/linux/uring/ring.h"

#include "engine/base/assert.h"
#include "engine/port/linux/fault.h"
#include "engine/port/linux/uring/probe.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

enum {
    RING_REQUESTS = 256,
    RING_COMPLETIONS = 4096, /* More than that wait in lists of the kernel's; none is lost. */
    RING_SUBMIT_AT = 64,
    RING_PATIENCE = 512, /* 64 costs 2 to 9 % of small messages: more buffers of the pool are in use, and leave the
                            cache. */
    RING_FEW = 2,
    RING_LANES = 8,
    RING_MS_PER_S = 1000,
    RING_NS_PER_MS = 1000000,
    LETTER_CALL = PP_LETTER_FIRST_FREE
};

/* ---- Guests ---- */

void pp_guest_init(pp_guest *guest, pp_guest_role role, pp_ring *ring, int fd)
{
    *guest = (pp_guest){.letter = {.what = LETTER_CALL, .pieces = (uint8_t) role}, .ring = ring, .fd = fd};
}

static const pp_guest_kind *guest_kind(const pp_guest *guest)
{
    return guest->ring->kinds[guest->letter.pieces];
}

/* As pp_mailbox_wake: what was changed before the call, `called` sees (the exchanges pair). */
void pp_guest_call(pp_guest *guest, uint32_t calls)
{
    pp_mailbox *mailbox = &guest->ring->mailbox;
    if (atomic_fetch_or_explicit(&guest->calls, PP_CALLED | calls, memory_order_acq_rel) == 0) {
        pp_mailbox_push(mailbox, &guest->letter);
    }
}

bool pp_guest_end(pp_guest *guest)
{
    return atomic_fetch_or_explicit(&guest->calls, PP_CALLED | PP_CALLED_LAST, memory_order_acq_rel) == 0;
}

void pp_guest_leave(pp_guest *guest)
{
    guest->previous = NULL;
    guest->next = guest->ring->leaving;
    if (guest->next != NULL) {
        guest->next->previous = guest;
    }
    guest->ring->leaving = guest;
}

void pp_guest_left(pp_guest *guest)
{
    if (guest->next != NULL) {
        guest->next->previous = guest->previous;
    }
    if (guest->previous != NULL) {
        guest->previous->next = guest->next;
    } else {
        guest->ring->leaving = guest->next;
    }
}

/* Guests' letters: all others are operations that are done. */
static void ring_read_letters(pp_ring *ring, bool *woken)
{
    pp_letter *letter = pp_mailbox_collect(&ring->mailbox, woken);
    while (letter != NULL) {
        pp_letter *next = letter->next;
        pp_guest *guest = (pp_guest *) letter;
        guest_kind(guest)->called(guest, atomic_exchange_explicit(&guest->calls, 0, memory_order_acq_rel));
        letter = next;
    }
}

/* ---- Requests ---- */

static void ring_submit(pp_ring *ring)
{
    int count = io_uring_submit(&ring->uring);
    ring->handed = 0;
    PP_VERIFY(count >= 0 || count == -EINTR || count == -EAGAIN ||
              count == -EBUSY); /* Then they stay where they are. */
}

/* The same, and asks for what waits in the kernel. */
static void ring_submit_and_fetch(pp_ring *ring)
{
    int count = io_uring_submit_and_get_events(&ring->uring);
    ring->reaped = ring->handed = 0;
    PP_VERIFY(count >= 0 || count == -EINTR || count == -EAGAIN || count == -EBUSY);
}

struct io_uring_sqe *pp_ring_request(pp_ring *ring)
{
    struct io_uring_sqe *request = io_uring_get_sqe(&ring->uring);
    while (request == NULL) {
        ring_submit(ring);
        request = io_uring_get_sqe(&ring->uring);
    }
    return request;
}

void pp_ring_point(struct io_uring_sqe *request, pp_guest *guest, uint32_t lane)
{
    io_uring_sqe_set_data64(request, (uintptr_t) guest | lane);
}

void pp_ring_cancel(pp_guest *guest, uint32_t lane)
{
    struct io_uring_sqe *request = pp_ring_request(guest->ring);
    io_uring_prep_cancel64(request, (uintptr_t) guest | lane, 0);
    pp_ring_point(request, NULL, 0);
}

/* The bell only ends a wait: what it rang for lies in the mailbox. If the poll ended, it begins again with a look at
 * the eventfd, which is full for ever after the first ring: so no ring goes unheard. */
static void ring_poll_bell(pp_ring *ring)
{
    struct io_uring_sqe *request = pp_ring_request(ring);
    io_uring_prep_poll_multishot(request, ring->mailbox.bell, POLLIN);
    pp_ring_point(request, &ring->bell, 0);
}

static void ring_bell_came(pp_guest *guest, uint32_t lane, int32_t result, uint32_t flags)
{
    (void) lane;
    (void) result;
    if ((flags & IORING_CQE_F_MORE) == 0) {
        ring_poll_bell(guest->ring);
    }
}

static const pp_guest_kind ring_bell_kind = {.came = ring_bell_came};

/* ---- Its life ---- */

/* Answers 0 or an errno, and then *refused. A ring that is lent goes without IORING_SETUP_COOP_TASKRUN: with it, what a
 * thread had asked for would wait for that thread to enter the kernel, which it may have left us for good. */
static int ring_open(pp_ring *ring, const char **refused)
{
    struct io_uring_params about = {.flags = IORING_SETUP_CQSIZE | IORING_SETUP_SUBMIT_ALL,
                                    .cq_entries = RING_COMPLETIONS};
    if (!ring->lent) {
        about.flags |= IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_R_DISABLED;
    }
    *refused = "a ring";
    int failed = io_uring_queue_init_params(RING_REQUESTS, &ring->uring, &about);
    if (failed != 0) {
        return -failed;
    }
    int code = EOPNOTSUPP;
    *refused = "an operation on rings";
    if (pp_probe_operations(&ring->uring)) {
        *refused = "a ring of buffers";
        code = pp_pool_init(&ring->pool, &ring->uring);
    }
    if (code != 0) {
        io_uring_queue_exit(&ring->uring);
        return code;
    }
    *refused = NULL;
    return 0;
}

pp_fault pp_ring_create(pp_mailbox **out, pp_memory *memory, bool lent, const char **refused)
{
    pp_ring *ring = pp_memory_take_zeroed(memory, sizeof *ring);
    if (ring == NULL) {
        return (pp_fault){PIPEPORT_NO_MEMORY, 0};
    }
    pp_fault fault = pp_mailbox_init(&ring->mailbox);
    if (fault.status != PIPEPORT_OK) {
        goto free_ring;
    }
    ring->memory = memory;
    ring->lent = lent;
    ring->kinds[PP_GUEST_BELL] = &ring_bell_kind;
    pp_guest_init(&ring->bell, PP_GUEST_BELL, ring, ring->mailbox.bell);
    int code = ring_open(ring, refused);
    if (code != 0) {
        fault = (pp_fault){PIPEPORT_SYSTEM, code};
        goto fini_mailbox;
    }
    ring->streams = !lent && pp_probe_streams();
    pp_lock_init(&ring->lines);
    *out = &ring->mailbox;
    return fault;

fini_mailbox:
    pp_mailbox_fini(&ring->mailbox);
free_ring:
    pp_memory_give(memory, ring, sizeof *ring);
    return fault;
}

/* The requests that are left are of guests that leave: the kernel drops them with the ring, and looks at none of what
 * they point at. */
void pp_ring_destroy(pp_mailbox *mailbox, pp_memory *memory)
{
    pp_ring *ring = (pp_ring *) mailbox;
    bool woken;
    io_uring_queue_exit(&ring->uring);
    pp_letter *letter = pp_mailbox_collect(mailbox, &woken);
    while (letter != NULL) {
        pp_letter *next = letter->next;
        PP_VERIFY(letter->what == LETTER_CALL &&
                  atomic_load(&((pp_guest *) letter)->calls) == (PP_CALLED | PP_CALLED_LAST));
        guest_kind((pp_guest *) letter)->drop((pp_guest *) letter);
        letter = next;
    }
    while (ring->leaving != NULL) {
        pp_guest *guest = ring->leaving;
        ring->leaving = guest->next;
        guest_kind(guest)->drop(guest);
    }
    pp_lock_fini(&ring->lines);
    pp_pool_fini(&ring->pool);
    pp_mailbox_fini(mailbox);
    pp_memory_give(memory, ring, sizeof *ring);
}

/* ---- Takes ---- */

static void ring_begin(pp_ring *ring)
{
    if (!ring->lent) {
        atomic_store_explicit(&ring->owner, pp_os_thread_self(), memory_order_relaxed);
        PP_VERIFY(io_uring_enable_rings(&ring->uring) == 0);
    }
    ring_poll_bell(ring);
    ring->begun = true;
}

/* Submits what is prepared and waits for a completion. */
static void ring_wait(pp_ring *ring, uint32_t wait_ms)
{
    struct __kernel_timespec time = {wait_ms / RING_MS_PER_S, (long long) (wait_ms % RING_MS_PER_S) * RING_NS_PER_MS};
    struct io_uring_cqe *first;
    ring->reaped = ring->handed = 0;
    int code = io_uring_submit_and_wait_timeout(&ring->uring, &first, 1, wait_ms == UINT32_MAX ? NULL : &time, NULL);
    PP_VERIFY(code >= 0 || code == -ETIME || code == -EINTR || code == -EAGAIN || code == -EBUSY);
}

/* At most `max`: the rest stays where it is and is as near then. */
static void ring_reap(pp_ring *ring, uint32_t max)
{
    struct io_uring_cqe *completion;
    unsigned head, count = 0;
    io_uring_for_each_cqe(&ring->uring, head, completion)
    {
        uintptr_t to = (uintptr_t) completion->user_data;
        pp_guest *guest = (pp_guest *) (to & ~(uintptr_t) (RING_LANES - 1));
        if (guest != NULL) {
            guest_kind(guest)->came(guest, to & (RING_LANES - 1), completion->res, completion->flags);
        }
        if (++count == max) {
            break;
        }
    }
    ring->reaped += count;
    io_uring_cq_advance(&ring->uring, count);
}

bool pp_ring_has_word(pp_guest *guest, uint32_t lane)
{
    struct io_uring *uring = &guest->ring->uring;
    struct io_uring_cqe *completion;
    unsigned head;
    io_uring_for_each_cqe(uring, head, completion)
    {
        if (completion->user_data == ((uintptr_t) guest | lane)) {
            return true;
        }
    }
    return io_uring_cq_has_overflow(uring); /* The kernel keeps more than can be seen. */
}

/* The kernel adds to a lent ring's completions at any time, so that they may never be used up. There requests wait for
 * no more handlers than they wait for other requests, and those of one batch. */
static bool ring_is_due(const pp_ring *ring, uint32_t gathered, uint32_t max)
{
    bool is_overdue = ring->lent && ring->handed >= RING_SUBMIT_AT;
    return gathered >= RING_SUBMIT_AT || (gathered > 0 && (max == 1 || is_overdue));
}

/* There is enough to hand out without a wait, which may be for long: its handlers run first. */
static void ring_submit_before_waiting(pp_ring *ring, uint32_t max)
{
    if (!ring_is_due(ring, io_uring_sq_ready(&ring->uring), max)) {
        return;
    }
    if (ring->reaped >= RING_PATIENCE) {
        ring_submit_and_fetch(ring);
    } else {
        ring_submit(ring);
    }
}

static void ring_turn(pp_ring *ring, uint32_t wait_ms, uint32_t max)
{
    pp_mailbox *mailbox = &ring->mailbox;
    bool woken = false;
    ring_read_letters(ring, &woken);
    if (io_uring_cq_ready(&ring->uring) > 0) {
        ring_submit_before_waiting(ring, max);
    } else if (!woken && mailbox->ready_count == 0 && wait_ms > 0 && pp_mailbox_sleep(mailbox)) {
        ring_wait(ring, wait_ms);
    } else {
        ring_submit_and_fetch(ring);
    }
    ring_reap(ring, max);
    ring_read_letters(ring, &woken);
}

uint32_t pp_ring_take(pp_mailbox *mailbox, uint32_t wait_ms, pp_completion *completions, uint32_t max)
{
    pp_ring *ring = (pp_ring *) mailbox;
    if (!ring->begun) {
        ring_begin(ring);
    }
    PP_ASSERT(ring->lent || pp_ring_is_here(ring));
    ring->skipped = mailbox->ready_count >= max && !ring->skipped;
    if (!ring->skipped) {
        ring_turn(ring, wait_ms, max);
    } else {
        ring_submit_before_waiting(ring, max);
    }
    uint32_t count = pp_mailbox_hand_out(mailbox, completions, max);
    ring->handed += count;
    ring->writes_at_once = count <= RING_FEW ? RING_FEW : 0;
    return count;
}
