/* SPDX-License-Identifier: MIT */
/*
 * drainer.h - one drainer of a port: an epoll set, a bell, the operations posted to it, and those ready to go out.
 *
 * Posted: any thread pushes, the taker alone takes all (one exchange, so no ABA). `posted` is one word that also says
 * whether the bell must be rung: NULL (the taker is awake and will look), &asleep (it is in epoll_wait, or going), or
 * the newest operation. The taker goes to sleep with one CAS NULL -> &asleep, which fails if anything was posted; who
 * pushes onto &asleep rings. So no post is slept through, and a taker that is awake costs its posters no system call.
 * The bell is an eventfd watched edge-triggered: each write is an edge, so nobody ever reads it.
 *
 * A source is what an epoll event points at: an open pipe (watch.h), a drainer's view of an ear (ear.c), the bell. A
 * take handles every event it has fetched before it returns; none is kept for the next. A source is therefore freed
 *   - at once, if the thread that closes it was the last to enter a take of this drainer: then no event is in anyone's
 *     hands. (Another thread that enters meanwhile stores `taker` before its epoll_wait. Had that epoll_wait fetched
 *     the source, it came before our EPOLL_CTL_DEL under the kernel's lock on the epoll set, and we see the store.)
 *   - else on the `buried` list, at the start of a take, before its epoll_wait: what was buried by then had been taken
 *     out of the set before, so no later epoll_wait can name it.
 * EPOLL_CTL_DEL is said aloud, not left to close: a forked child may keep the file open and with it the registration.
 */
#ifndef PP_PORT_LINUX_DRAINER_H
#define PP_PORT_LINUX_DRAINER_H

#include "engine/port/pipe.h"

#include <stdatomic.h>

enum { PP_ROOM_SLICES = 4 };

/* What op->room is here. Whoever owns the operation at the moment (armer, taker, canceller) owns all of it. */
typedef struct __attribute__((may_alias)) pp_room {
    pp_op *next; /* In `posted`, in the ready list, or in an ear's waiting list. */
    union {
        struct { /* Armed read or write. */
            void *data[PP_ROOM_SLICES];
            uint32_t bytes[PP_ROOM_SLICES];
            uint32_t count;
        } lent;
        pp_pipe *pipe;    /* Armed accept. */
        pp_result result; /* Posted or ready. */
    } as;
} pp_room;

_Static_assert(sizeof(pp_room) <= sizeof(((pp_op *) 0)->room), "an operation has room for ours");

static inline pp_room *pp_room_of(pp_op *op)
{
    return (pp_room *) &op->room;
}

typedef struct pp_source pp_source;
typedef struct pp_drainer pp_drainer;

typedef struct pp_source_kind {
    void (*ready)(pp_source *source, uint32_t events, pp_drainer *drainer); /* Inside a take of `drainer`. */
    void (*free)(pp_source *source);
} pp_source_kind;

struct pp_source {
    const pp_source_kind *kind;
    pp_source *next; /* In `buried`. */
};

struct pp_drainer {
    int epoll;
    int bell;
    pp_source bell_source;
    pp_op *ready_first; /* The taker's own: finished, not yet handed out; oldest first. */
    pp_op *ready_last;
    uint32_t ready_count;
    _Atomic uint64_t done; /* Relaxed: a figure. */
    char apart[64];        /* What foreign threads write begins on its own cache line. */

    _Atomic(pp_op *) posted;     /* See above. Pushed with release, taken with acquire. */
    _Atomic(pp_source *) buried; /* Any thread pushes (release), the taker takes all (acquire). */
    _Atomic uint64_t armed;      /* Relaxed: a figure; counted before the operation can come home. */
    _Atomic(uintptr_t) taker;    /* Who entered a take last; read by pp_drainer_bury. */
    _Atomic bool woken;          /* True while `wake` is posted; set by who posts it, cleared by the taker. */
    pp_op wake;                  /* Posted to end a take; never handed out. */
    pp_op asleep;                /* Only its address means something. */
};

/* Fails: SYSTEM, NO_MEMORY. */
pp_fault pp_drainer_init(pp_drainer *drainer);

/* Nobody takes; frees what is still buried. */
void pp_drainer_fini(pp_drainer *drainer);

/* `events` as EPOLLIN and the like. Any thread; events may be handled before the call returns. */
pp_fault pp_drainer_watch(pp_drainer *drainer, int fd, uint32_t events, pp_source *source);
pp_fault pp_drainer_rewatch(pp_drainer *drainer, int fd, uint32_t events, pp_source *source);
void pp_drainer_unwatch(pp_drainer *drainer, int fd);

/* Frees a source that is no longer watched, as soon as no event of it can be in a taker's hands. Any thread. */
void pp_drainer_bury(pp_drainer *drainer, pp_source *source);

/* One more operation will come home here, or (-1) will not after all. Any thread. */
void pp_drainer_count(pp_drainer *drainer, int more);

/* `op`, counted, comes out of a take with this result. Any thread. */
void pp_drainer_post(pp_drainer *drainer, pp_op *op, pp_result result);

/* The same for the thread that is inside a take of this drainer. */
void pp_drainer_finish(pp_drainer *drainer, pp_op *op, pp_result result);

/* As pp_port_wake and pp_port_take, for one drainer. */
void pp_drainer_wake(pp_drainer *drainer);
uint32_t pp_drainer_take(pp_drainer *drainer, uint32_t wait_ms, pp_completion *completions, uint32_t max);

#endif
