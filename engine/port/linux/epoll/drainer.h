/* SPDX-License-Identifier: MIT */
/*
 * drainer.h - one drainer of a port: an epoll set, and the mailbox whose bell is in it (edge-triggered).
 *
 * A source is what an epoll event points at: an open pipe (watch.h), a view of a listening socket, the bell. A
 * take handles every event it has fetched before it returns; none is kept for the next. A source is therefore freed
 *   - at once, if the thread that closes it was the last to enter a take of this drainer: then no event is in anyone's
 *     hands. (Another thread that enters meanwhile stores `taker` before its epoll_wait. Had that epoll_wait fetched
 *     the source, it came before our EPOLL_CTL_DEL under the kernel's lock on the epoll set, and we see the store.)
 *   - else on the `buried` list, at the start of a take, before its epoll_wait: what was buried by then had been taken
 *     out of the set before, so no later epoll_wait can name it.
 * EPOLL_CTL_DEL is said aloud, not left to close: a forked child may keep the file open and with it the registration.
 */
#ifndef PP_PORT_LINUX_EPOLL_DRAINER_H
#define PP_PORT_LINUX_EPOLL_DRAINER_H

#include "engine/port/linux/driver.h"

typedef struct pp_source pp_source;
typedef struct pp_drainer pp_drainer;

typedef struct pp_source_kind {
    void (*ready)(pp_source *source, uint32_t events, pp_drainer *drainer); /* Inside a take of `drainer`. */
    void (*free)(pp_source *source);
} pp_source_kind;

struct pp_source {
    const pp_source_kind *kind;
    union {
        struct { /* While it is watched. */
            int fd;
            uint8_t is; /* Its kind's own. */
        };
        pp_source *next; /* In `buried`. */
    };
};

struct pp_drainer {
    pp_mailbox mailbox; /* First: the port knows a drainer by it. */
    pp_memory *memory;
    int epoll;
    pp_source bell_source;
    bool skipped;                /* The last take had enough without a look at the set; so the next one looks. */
    _Atomic(uintptr_t) taker;    /* Who entered a take last; read by pp_drainer_bury. */
    _Atomic(pp_source *) buried; /* Any thread pushes (release), the taker takes all (acquire). */
};

/* As driver.h says; an epoll set is never refused. */
pp_fault pp_drainer_create(pp_mailbox **out, pp_memory *memory, bool lent, const char **refused);
void pp_drainer_destroy(pp_mailbox *mailbox, pp_memory *memory); /* Frees what is still buried. */
uint32_t pp_drainer_take(pp_mailbox *mailbox, uint32_t wait_ms, pp_completion *completions, uint32_t max);

/* `events` as EPOLLIN and the like. Any thread; events may be handled before the call returns. */
pp_fault pp_drainer_watch(pp_drainer *drainer, uint32_t events, pp_source *source);
pp_fault pp_drainer_rewatch(pp_drainer *drainer, uint32_t events, pp_source *source);
void pp_drainer_unwatch(pp_drainer *drainer, pp_source *source);

/* Frees a source that is no longer watched, as soon as no event of it can be in a taker's hands. Any thread. */
void pp_drainer_bury(pp_drainer *drainer, pp_source *source);

#endif
