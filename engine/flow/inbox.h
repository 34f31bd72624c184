/* SPDX-License-Identifier: MIT */
/*
 * inbox.h - what one connection has received and not yet delivered: a window of bytes in one block.
 *
 *      block:  [ delivered | start ... whole messages ... part of one | end ... room ]
 *
 * Whole messages are handed out where they lie, without copying. A frame longer than the block gets a block of its own,
 * once its header has been checked against the bound; the rest is received straight into it. It is a little longer than
 * the frame, so that a read which brings the frame's end sees, by getting less than it asked for, that nothing follows.
 * Where a frame does not say how long it is, its block doubles.
 *
 * Where messages are the pipe's own (PP_FRAMING_MESSAGE) a read brings one, or a part of one with a word of how much is
 * to come. So at most one message stands here, and `whole` says that its end has been received: then also one of no
 * bytes is there.
 *
 * Who can wait without lending a block (pp_pipe_await) receives into a spare one that many inboxes share (spare.h):
 * borrowed by room, given back by rest. Then what is undelivered moves to a block of its own, as small as can be, and a
 * connection that waits between two messages has no block at all. What is small and waits is copied back to the front
 * of the spare by the next room.
 *
 * Who cannot has an ordinary block that follows the traffic: PP_INBOX_IDLE_BYTES for a fresh or quiet connection, eight
 * times as much (PP_INBOX_BUSY_BYTES at most) when a read fills all the room there was, a size less after
 * PP_INBOX_LEAN_READS reads in a row of less than an eighth. A block is replaced by a smaller one only when nothing is
 * undelivered.
 *
 * The part of a frame is moved to the block's start only when the whole does not fit where it is, or when little room
 * is left and it is no longer than what was delivered before it. There it stays, so that no frame is moved twice.
 *
 *      listening --- refused (the peer broke the framing; next says so for good)
 *           +------- dropped (nobody wants more; next says MORE for good)
 *
 * Once it has left listening, what is received is thrown away at once: the framing is lost, and a closing connection
 * reads on only to hear of the end.
 * One thread at a time; the owner orders them.
 */
#ifndef PP_FLOW_INBOX_H
#define PP_FLOW_INBOX_H

#include "engine/base/memory.h"
#include "engine/base/status.h"
#include "engine/flow/spare.h"
#include "protocol/framing.h"

#include <stdbool.h>

enum {
    PP_INBOX_IDLE_BYTES = 256,
    PP_INBOX_BUSY_BYTES = 64 * 1024 + 512, /* A payload of 64 KiB, with its header and some more. */
    PP_INBOX_LEAN_READS = 16,
    PP_INBOX_APPETITE_MAX = 3
};

/* COPIED: the part of a frame up to this waits alone and is copied to where the next read goes; a longer part waits
 * where the rest will be received. AFTER: how much a frame's own block is longer than the frame. */
enum { PP_INBOX_COPIED_BYTES_MAX = 4096, PP_INBOX_AFTER_BYTES = 256 };

typedef enum pp_inbox_state { PP_INBOX_LISTENING, PP_INBOX_IS_REFUSED, PP_INBOX_DROPPED } pp_inbox_state;

typedef struct pp_inbox {
    uint8_t *block;       /* NULL: none. Lent to the system between room and filled. */
    uint32_t block_bytes; /* 0 where there is no block. */
    uint32_t start, end;  /* start <= end <= block_bytes */
    uint32_t looked;      /* Of the frame in progress, by the framing; MEASURED: what it needs before it is measured
                             again; MESSAGE: what is known to be missing. */
    uint8_t appetite;     /* Which size the next ordinary block shall have, from 0 (IDLE_BYTES) to APPETITE_MAX. */
    uint8_t lean_reads;   /* Reads in a row that would have fitted in a block a size smaller; < LEAN_READS. */
    uint8_t state;        /* pp_inbox_state, changed by inbox_leave only. start == end unless LISTENING. */
    bool borrowed : 1;    /* The block is the spare's: from room to rest. */
    bool lent : 1;        /* True from room to filled. */
    bool whole : 1;       /* The last read ended a message; means something where messages are the pipe's own. */
} pp_inbox;

typedef struct pp_inbox_means { /* What many inboxes share: the same in each call on one of them, but for the spare. */
    pp_memory *memory;
    pp_spare *spare; /* A block that may be borrowed until rest, or NULL. */
    const pp_framing *framing;
    uint32_t payload_bytes_max; /* <= PP_FRAMING_PAYLOAD_BYTES_MAX */
} pp_inbox_means;

typedef enum pp_inbox_verdict {
    PP_INBOX_MESSAGE, /* *payload, *length: valid until the next call of room, rest or fini. */
    PP_INBOX_MORE,    /* Nothing whole: read more. */
    PP_INBOX_REFUSED  /* The peer broke the framing; the inbox says so from now on. */
} pp_inbox_verdict;

void pp_inbox_init(pp_inbox *inbox);
void pp_inbox_fini(pp_inbox *inbox, pp_memory *memory);

/* The next whole message. *payload is never NULL, also for length 0; it has no alignment. */
pp_inbox_verdict pp_inbox_next(pp_inbox *inbox, const pp_inbox_means *means, const uint8_t **payload, uint32_t *length);

/* What next says of a whole message in the default framing, in place. False: ask next. */
static inline bool pp_inbox_next_default(pp_inbox *inbox, uint32_t payload_bytes_max, const uint8_t **payload,
                                         uint32_t *length)
{
    uint32_t waiting = inbox->end - inbox->start;
    if (waiting < PP_FRAMING_DEFAULT_HEADER_BYTES) {
        return false;
    }
    const uint8_t *frame = inbox->block + inbox->start;
    uint32_t payload_bytes = pp_framing_default_read(frame);
    if (payload_bytes > payload_bytes_max || waiting - PP_FRAMING_DEFAULT_HEADER_BYTES < payload_bytes) {
        return false;
    }
    *payload = frame + PP_FRAMING_DEFAULT_HEADER_BYTES;
    *length = payload_bytes;
    inbox->start += PP_FRAMING_DEFAULT_HEADER_BYTES + payload_bytes;
    inbox->looked = 0;
    return true;
}

/* In the default framing: next would say MORE, for nothing waits. False: ask next. */
static inline bool pp_inbox_is_empty(const pp_inbox *inbox)
{
    return inbox->start == inbox->end && inbox->state == PP_INBOX_LISTENING;
}

/* The last read has filled its room. */
static inline bool pp_inbox_is_full(const pp_inbox *inbox)
{
    return inbox->end != 0 && inbox->end == inbox->block_bytes;
}

/* Where to receive, at least 1 byte: moves or replaces the block if it must. Only after next said MORE (or REFUSED).
 * Fails: NO_MEMORY (nothing is lost; ask again later). */
pipeport_status pp_inbox_room(pp_inbox *inbox, const pp_inbox_means *means, uint8_t **room, uint32_t *bytes);

/* `bytes` (<= the room, 0 is fine) were received there; `more` (at least so many) of the same message are to come,
 * where messages are the pipe's own, else 0. */
void pp_inbox_filled(pp_inbox *inbox, uint32_t bytes, uint32_t more);

/* Drops what is undelivered and all that will come. Touches no block, so it is allowed while the room is lent, and a
 * payload of next stays valid. */
void pp_inbox_drop(pp_inbox *inbox);

/* For who lends a spare to room: gives it back, or the own block where nothing waits; what waits moves. Where there is
 * no memory to move it to, the block is the inbox's own from now on. Nothing is lent to the system. */
void pp_inbox_rest(pp_inbox *inbox, const pp_inbox_means *means);

/* Tests: what the next ordinary block shall have. */
uint32_t pp_inbox_appetite_bytes(const pp_inbox *inbox);

/* Tests: asserts what must hold between calls. */
void pp_inbox_check(const pp_inbox *inbox);

#endif
