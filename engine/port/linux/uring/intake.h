/* SPDX-License-Identifier: MIT */
/*
 * intake.h - what a line receives: the one request for it that may be with the kernel, and what came and is not read.
 *
 *     NONE    nothing is with the kernel
 *     POOL    one receive into a buffer of the ring's pool
 *     STREAM  the same again and again, until the kernel or we end it
 *     POLL    a poll: the bytes stay in the socket
 *     WATCH   a poll that stays, and speaks each time that something is new
 *     BLOCK   one receive into the block that an armed read has lent
 *
 * What POOL and STREAM bring is held until reads have copied it. Nobody looks at the socket past a request that is with
 * the kernel, so bytes keep their order.
 *
 * A hint is asked for as suits what came last. WATCH after a receive that was larger than a buffer, or filled one and
 * left a rest: reads go straight into the block then, for one system call more a read, and what came together is read
 * together. STREAM after some receives in a row that were short: it saves a request a message. POOL otherwise. A stream
 * is ended when a buffer is full, and when nobody reads what it brings, so that one pipe cannot take the pool for
 * itself; a watch when receives are short again. Where the pool is empty the hint is a POLL; nothing is lost by that.
 *
 * A stream that is asked for where the last bytes and the end are there already may bring the bytes and miss the end,
 * for ever (docs/decisions/0024). So what it brings first has the socket looked at: if the peer has ended by then the
 * stream is ended too, and the next hint hears of it. An end that comes later is told.
 *
 * A watch is fair, which polls that are asked for anew after each read are not: the kernel answers such a one while it
 * is asked for, where the socket has something by then, and who is answered so is ahead of all whose poll was already
 * waiting (docs/decisions/0021).
 *
 * On a lent ring nothing goes on and nothing stays: STREAM and WATCH are POOL and POLL there. The kernel brings what it
 * has at any return to user mode, also within a handler, and would say each of the peer's writes by itself: a stream
 * could empty the pool before anybody looks at it, and the words of a few busy watches would stand before all others.
 * Nor is a poll unfair there, since no other is held back.
 *
 * `more` is true when the socket may well have something at once: the last receive was full, or a poll said so. Then,
 * and when a large block is to be filled, a read tries the socket itself. A watch says a thing once, so what it said is
 * true until a read has found less than it had room for; that the peer has ended, until a read has found nothing.
 */
#ifndef PP_PORT_LINUX_URING_INTAKE_H
#define PP_PORT_LINUX_URING_INTAKE_H

#include "engine/port/linux/uring/ring.h"

#include <errno.h>

typedef enum pp_shot { PP_SHOT_NONE, PP_SHOT_POOL, PP_SHOT_STREAM, PP_SHOT_POLL, PP_SHOT_WATCH, PP_SHOT_BLOCK } pp_shot;

typedef struct pp_intake {
    uint8_t shot;        /* pp_shot. */
    uint8_t shorts;      /* Receives in a row that did not fill a buffer. */
    uint8_t ended;       /* pipeport_status. Not OK: what every read from now on hears, once nothing is held, */
    bool more : 1;       /* See above. */
    bool bulk : 1;       /* The last receive was larger than a buffer. */
    bool cut : 1;        /* The last one filled a buffer: what follows it is the rest of one receive. */
    bool ending : 1;     /* The stream or the watch was cancelled. */
    bool fresh : 1;      /* A stream has brought nothing yet. */
    bool hung_up : 1;    /* A watch has told of the peer's end, or of an error. */
    int16_t ended_code;  /* with this code, which is an errno. */
    uint16_t held_first; /* Of the pool, oldest first; the first is read up to `held_at`. */
    uint16_t held_last;
    uint16_t held_at;
    uint16_t held_count;
} pp_intake;

/* All of it by who may touch the line (line.h). Its requests point at `guest`, whose socket it is, and `lane`. */
typedef struct pp_intake_of {
    pp_intake *intake;
    pp_guest *guest;
    uint32_t lane;
} pp_intake_of;

/* True: a read into `data`, or (NULL) an await, is done with *result. */
bool pp_intake_try(pp_intake_of of, void *data, uint32_t bytes, pp_result *result);

/* Sends a poll if nothing is with the kernel: for something to read, or for the end alone, which stays. */
void pp_intake_poll(pp_intake_of of, bool for_end);

/* Sends a hint, or a receive into `data`, if nothing is with the kernel. */
void pp_intake_hint(pp_intake_of of);
void pp_intake_block(pp_intake_of of, void *data, uint32_t bytes);

/* What came of POOL, STREAM, POLL or WATCH. True: whoever waits shall try again. */
bool pp_intake_came(pp_intake_of of, int32_t result, uint32_t flags);

/* What came of a BLOCK of `bytes`. True: that ends the read, with *result; else it is sent again, or stopped. */
bool pp_intake_block_came(pp_intake_of of, int32_t came, uint32_t bytes, pp_result *result);

/* The request ended without a result: by a cancel of ours, by its thread's end, by a signal. */
static inline bool pp_intake_is_undone(int32_t result)
{
    return result == -ECANCELED || result == -EINTR || result == -EAGAIN;
}

/* Gives back what is held, at the end. */
void pp_intake_drop(pp_intake_of of);

#endif
