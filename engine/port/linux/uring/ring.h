/* SPDX-License-Identifier: MIT */
/*
 * ring.h - one drainer of a port: a ring of its own, the mailbox whose bell the ring polls, and a pool of buffers.
 *
 * Only the taker touches the ring. It prepares requests whenever it likes and submits them with the one system call of
 * a take that also waits, which is made when what the last one brought is used up. Before that it submits only if many
 * have gathered, or if the caller asks for one completion at a time (its handlers are slow). What the kernel brought is
 * looked at when it is handed out and not before, so that it is near when it is handled. But a submission brings what
 * is answered while it is asked for, and nothing of what has waited in the kernel for longer. So that such answers
 * cannot keep all others waiting as long as there are any, one of them asks for those too after so many completions.
 * On a lent ring nothing waits in the kernel, which brings it at any return to user mode: so what it brought may never
 * be used up, and a request that is prepared goes with the take after so many completions handed out, at the latest.
 *
 * Who the taker is: a ring that is not lent belongs to the thread of its first take (IORING_SETUP_SINGLE_ISSUER, with
 * IORING_SETUP_DEFER_TASKRUN, which must be the thread that enables it), for good. That thread may prepare requests
 * outside of a take as well: pp_ring_is_here. The thread of a lent ring may change after each take without a word, so
 * nobody is here outside of a take, and all that is wanted of the ring comes by letter. A request that a thread has
 * submitted ends with ECANCELED when the thread does; who asked for it asks again. (What lines know of their sockets
 * can be read in between: under a lock, `lines`, which only a lent ring needs.)
 *
 * A guest is what the kernel's completions and the letters point at: an open pipe's line, a view of a listening socket,
 * the bell. It stays until the kernel has let go of it and no letter of it is under way.
 */
#ifndef PP_PORT_LINUX_URING_RING_H
#define PP_PORT_LINUX_URING_RING_H

#include "engine/port/linux/gnu.h"

#include "engine/port/linux/driver.h"
#include "engine/port/linux/uring/pool.h"
#include "engine/port/os.h"

#include <liburing.h>

typedef struct pp_guest pp_guest;
typedef struct pp_ring pp_ring;

/* All of them on the taker's thread. `lane` is what pp_ring_point was told. */
typedef struct pp_guest_kind {
    void (*came)(pp_guest *guest, uint32_t lane, int32_t result, uint32_t flags); /* A completion of the kernel's. */
    void (*called)(pp_guest *guest, uint32_t calls);                              /* What pp_guest_call has sent. */
    void (*drop)(pp_guest *guest); /* The ring is gone, and the last call had been made. */
} pp_guest_kind;

typedef enum pp_guest_role { PP_GUEST_BELL, PP_GUEST_VIEW, PP_GUEST_LINE, PP_GUEST_ROLES } pp_guest_role;

/* What a guest is called for: that nobody will call again; and, shifted by the lane, what was armed there elsewhere. */
enum { PP_CALLED = 1, PP_CALLED_LAST = 2, PP_CALLED_ASKED = 4 };

struct pp_guest {
    pp_letter letter; /* First. Its `pieces` is the role. */
    pp_ring *ring;
    union {
        struct { /* In ring->leaving. */
            pp_guest *next;
            pp_guest *previous;
        };
        _Atomic(char *) lane[2]; /* Before, a line's: what is armed. */
    };
    _Atomic uint32_t calls; /* PP_CALLED while the letter is posted, and what else it is called for. The taker takes all
                               at once, so that exactly one `called` hears of each. */
    int fd;                 /* What it is about. */
};

struct pp_ring {
    pp_mailbox mailbox; /* First: the port knows a drainer by it. */
    struct io_uring uring;
    pp_memory *memory;
    bool lent;
    bool streams;             /* Receives may go on: not where it is lent (intake.h), nor by every kernel (probe.h). */
    bool begun;               /* Enabled, and the bell is polled. */
    bool skipped;             /* The last take had enough without a look at the ring; so the next one looks. */
    uint32_t reaped;          /* Completions since the kernel was last asked for what waits there. */
    uint32_t handed;          /* Completions handed out since the last submission. */
    uint32_t writes_at_once;  /* So many more writes are worth a system call of their own: little is under way. */
    _Atomic(uintptr_t) owner; /* The taker of a ring that is not lent, 0 before its first take; 0 if lent. Relaxed: only
                                 a thread's own id matters to it, and that it stored itself. */
    pp_pool pool;
    pp_guest bell;
    const pp_guest_kind *kinds[PP_GUEST_ROLES]; /* What its guests do, by role; the driver's, from create on. */
    pp_lock lines;                              /* Lent only: held for what is not a line's `lane`, `fd` or letter. */
    pp_guest *leaving; /* Those whose pipe or view is closed and that the kernel still holds. */
};

/* As driver.h says; who creates it sets the kinds of VIEW and LINE. */
pp_fault pp_ring_create(pp_mailbox **out, pp_memory *memory, bool lent, const char **refused);
void pp_ring_destroy(pp_mailbox *mailbox, pp_memory *memory);
uint32_t pp_ring_take(pp_mailbox *mailbox, uint32_t wait_ms, pp_completion *completions, uint32_t max);

/* True: this thread may touch the ring, and the guests' own fields. */
static inline bool pp_ring_is_here(const pp_ring *ring)
{
    return atomic_load_explicit(&ring->owner, memory_order_relaxed) == pp_os_thread_self();
}

/* Here: a blank request, and who shall hear of its completion (NULL: nobody). `lane` is below 8. */
struct io_uring_sqe *pp_ring_request(pp_ring *ring);
void pp_ring_point(struct io_uring_sqe *request, pp_guest *guest, uint32_t lane);

/* Here: wishes that the request pointed at (guest, lane) end soon. */
void pp_ring_cancel(pp_guest *guest, uint32_t lane);

/* Here, or who takes on a lent ring: the kernel has something for (guest, lane) that was not reaped. */
bool pp_ring_has_word(pp_guest *guest, uint32_t lane);

void pp_guest_init(pp_guest *guest, pp_guest_role role, pp_ring *ring, int fd);

/* Any thread: the taker calls `called` soon, once for all that call before it does, with all their bits. */
void pp_guest_call(pp_guest *guest, uint32_t calls);

/* Here: the last call. True: no letter is under way, so this is all. False: `called` will hear of it. */
bool pp_guest_end(pp_guest *guest);

/* Here: on the list of those that the kernel still holds, and off it. */
void pp_guest_leave(pp_guest *guest);
void pp_guest_left(pp_guest *guest);

#endif
