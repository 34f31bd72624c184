/* SPDX-License-Identifier: MIT */
/*
 * mailbox.h - what comes to a drainer from elsewhere, and what is ready to go out of its takes.
 *
 * Posted: any thread pushes, the taker alone takes all (one exchange, so no ABA). `posted` is one word that also says
 * whether the bell must be rung: NULL (the taker is awake and will look), &asleep (it waits in the kernel, or is going
 * to), or the newest letter. The taker goes to sleep with one CAS NULL -> &asleep, which fails if anything was posted;
 * who pushes onto &asleep rings. So no letter is slept through, and a taker that is awake costs its posters no system
 * call. The bell is an eventfd whose every write is an edge to the driver that watches it, so nobody ever reads it.
 *
 * Most letters are operations that are done and only have to come out. A driver may post others (`what` is then its
 * own): it gets them from pp_mailbox_collect, oldest first.
 */
#ifndef PP_PORT_LINUX_MAILBOX_H
#define PP_PORT_LINUX_MAILBOX_H

#include "engine/port/pipe.h"

#include <stdatomic.h>

enum { PP_LETTER_DONE = 0, PP_LETTER_WAKE = 1, PP_LETTER_FIRST_FREE = 2 };

typedef struct pp_letter {
    uint16_t home; /* An operation's, and its owner's; nothing in other letters. */
    uint8_t what;
    uint8_t pieces;         /* Its writer's own: how many an armed read or write has lent, */
    uint32_t bytes;         /* and of how many bytes; or the result's: `more` if `pieces` is not 0, else `bytes`. */
    struct pp_letter *next; /* In `posted`, in the ready list, or in what a collect answers. */
} pp_letter;

enum { PP_ROOM_SLICES = 1 }; /* What a write that waits keeps of what it was given. */

/* What an operation is here from its `home` on. Whoever owns it at the moment (armer, taker, canceller) owns all of it.
 */
typedef struct __attribute__((may_alias)) pp_room {
    pp_letter letter; /* First. In an ear's waiting list its `next` is the list's. */
    union {
        void *data;     /* Armed read or write. */
        pp_pipe *pipe;  /* Armed accept. */
        pp_fault fault; /* Posted or ready: the result's. */
    } as;
} pp_room;

_Static_assert(sizeof(pp_room) <= sizeof(pp_op) - offsetof(pp_op, home), "an operation has room for ours");
_Static_assert(offsetof(pp_letter, next) == offsetof(pp_op, room) - offsetof(pp_op, home), "the link begins the room");

static inline pp_room *pp_room_of(pp_op *op)
{
    return (pp_room *) (void *) ((char *) op + offsetof(pp_op, home));
}

static inline pp_op *pp_op_of(pp_letter *letter)
{
    return (pp_op *) (void *) ((char *) letter - offsetof(pp_op, home));
}

typedef struct pp_mailbox {
    int bell;
    pp_letter *ready_first; /* The taker's own: finished, not yet handed out; oldest first. */
    pp_letter *ready_last;
    uint32_t ready_count;
    _Atomic uint64_t done; /* Relaxed: a figure. */
    char apart[64];        /* What foreign threads write begins on its own cache line. */

    _Atomic(pp_letter *) posted; /* See above. Pushed with release, taken with acquire. */
    _Atomic uint64_t armed;      /* Relaxed: a figure; counted before the operation can come home. */
    _Atomic bool woken;          /* True while `wake` is posted; set by who posts it, cleared by the taker. */
    pp_letter wake;              /* Posted to end a take; never handed out. */
    pp_letter asleep;            /* Only its address means something. */
} pp_mailbox;

/* Fails: SYSTEM. */
pp_fault pp_mailbox_init(pp_mailbox *mailbox);
void pp_mailbox_fini(pp_mailbox *mailbox);

/* One more operation will come home here, or (-1) will not after all. Any thread. */
void pp_mailbox_count(pp_mailbox *mailbox, int more);

/* The taker will meet it. Any thread; the letter may be met, and gone, before the call returns. */
void pp_mailbox_push(pp_mailbox *mailbox, pp_letter *letter);

/* `op`, counted, comes out of a take with this result. Any thread. */
void pp_mailbox_post(pp_mailbox *mailbox, pp_op *op, pp_result result);

/* The same for the taker's thread. */
void pp_mailbox_finish(pp_mailbox *mailbox, pp_op *op, pp_result result);

/* As pp_port_wake, for one drainer. */
void pp_mailbox_wake(pp_mailbox *mailbox);

/* The taker's calls.
 * collect: moves what is done to the ready list, oldest first, and answers the other letters, oldest first. *woken
 * becomes true if a wake was among all.
 * sleep: true if nothing is posted and the taker may wait in the kernel; from then on who posts rings the bell.
 * hand_out: the oldest of the ready list, `max` at most. */
pp_letter *pp_mailbox_collect(pp_mailbox *mailbox, bool *woken);
bool pp_mailbox_sleep(pp_mailbox *mailbox);
uint32_t pp_mailbox_hand_out(pp_mailbox *mailbox, pp_completion *completions, uint32_t max);

#endif
