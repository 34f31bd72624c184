/* SPDX-License-Identifier: MIT */
/*
 * inbox.c - which block to receive into, and where in it. What is a message, protocol/frame.h says.
 */
#include "engine/flow/inbox.h"

#include "engine/base/assert.h"
#include "protocol/frame.h"

#include <stdbool.h>
#include <string.h>

enum { INBOX_STEP = 8 }; /* From one size of an ordinary block to the next. */

void pp_inbox_init(pp_inbox *inbox, pp_memory *memory, uint32_t payload_bytes_max)
{
    PP_ASSERT(payload_bytes_max <= PP_FRAME_PAYLOAD_BYTES_MAX);
    *inbox = (pp_inbox){.memory = memory,
                        .payload_bytes_max = payload_bytes_max,
                        .appetite = PP_INBOX_IDLE_BYTES,
                        .state = PP_INBOX_LISTENING};
}

static void inbox_give_block(pp_inbox *inbox)
{
    pp_memory_give(inbox->memory, inbox->block, inbox->block_bytes);
    inbox->block = NULL;
    inbox->block_bytes = 0;
}

void pp_inbox_fini(pp_inbox *inbox)
{
    inbox_give_block(inbox);
    inbox->start = inbox->end = inbox->room_bytes = 0;
}

/* The one way out of LISTENING: nothing waits any more, nothing large is needed. The block stays: it may be lent. */
static void inbox_leave(pp_inbox *inbox, pp_inbox_state state)
{
    inbox->start = inbox->end = 0;
    inbox->appetite = PP_INBOX_IDLE_BYTES;
    inbox->lean_reads = 0;
    if (inbox->state == PP_INBOX_LISTENING) {
        inbox->state = state;
    }
}

void pp_inbox_drop(pp_inbox *inbox)
{
    inbox_leave(inbox, PP_INBOX_DROPPED);
}

static pp_frame_verdict inbox_look(const pp_inbox *inbox, pp_frame *frame)
{
    const uint8_t *stream = inbox->block != NULL ? inbox->block + inbox->start : NULL;
    return pp_frame_look(stream, inbox->end - inbox->start, inbox->payload_bytes_max, frame);
}

pp_inbox_verdict pp_inbox_next(pp_inbox *inbox, const uint8_t **payload, uint32_t *length)
{
    if (inbox->state != PP_INBOX_LISTENING) {
        return inbox->state == PP_INBOX_IS_REFUSED ? PP_INBOX_REFUSED : PP_INBOX_MORE;
    }
    pp_frame frame;
    switch (inbox_look(inbox, &frame)) {
    case PP_FRAME_WHOLE:
        *payload = inbox->block + inbox->start + frame.header_bytes;
        *length = frame.payload_bytes;
        inbox->start += frame.bytes_needed;
        return PP_INBOX_MESSAGE;
    case PP_FRAME_PART:
        return PP_INBOX_MORE;
    case PP_FRAME_REFUSED:
        break;
    }
    inbox_leave(inbox, PP_INBOX_IS_REFUSED);
    return PP_INBOX_REFUSED;
}

/* Puts a block of `bytes` in the place of the present one, and what waits at its start. False: no memory, no change. */
static bool inbox_replace_block(pp_inbox *inbox, uint32_t bytes)
{
    uint32_t waiting = inbox->end - inbox->start;
    uint8_t *block = pp_memory_take(inbox->memory, bytes);
    if (block == NULL) {
        return false;
    }
    if (inbox->block != NULL) {
        memcpy(block, inbox->block + inbox->start, waiting);
    }
    inbox_give_block(inbox);
    inbox->block = block;
    inbox->block_bytes = bytes;
    inbox->start = 0;
    inbox->end = waiting;
    return true;
}

/* Sees to it that the block can hold the `bytes_needed` of the frame in progress. False: no memory. */
static bool inbox_fit_block(pp_inbox *inbox, uint32_t bytes_needed)
{
    uint32_t wanted = bytes_needed > inbox->appetite ? bytes_needed : inbox->appetite;
    if (inbox->block_bytes == wanted) {
        return true;
    }
    if (inbox->block_bytes > wanted) {
        if (inbox->end != 0) {
            return true;
        }
        inbox_give_block(inbox); /* First, so that at the memory's bound a smaller block is there to be had. */
    }
    /* A larger block is only a wish where the present one is long enough. */
    return inbox_replace_block(inbox, wanted) || inbox->block_bytes >= bytes_needed;
}

static void inbox_compact(pp_inbox *inbox, uint32_t bytes_needed)
{
    uint32_t waiting = inbox->end - inbox->start;
    bool short_of_room = inbox->block_bytes - inbox->end < inbox->block_bytes / 2;
    if (inbox->block_bytes - inbox->start < bytes_needed || (short_of_room && waiting <= inbox->start)) {
        memmove(inbox->block, inbox->block + inbox->start, waiting);
        inbox->start = 0;
        inbox->end = waiting;
    }
}

pipeport_status pp_inbox_room(pp_inbox *inbox, uint8_t **room, uint32_t *bytes)
{
    if (inbox->start == inbox->end) {
        inbox->start = inbox->end = 0;
    }
    pp_frame frame;
    pp_frame_verdict verdict = inbox_look(inbox, &frame);
    PP_ASSERT(verdict == PP_FRAME_PART);
    (void) verdict;
    if (!inbox_fit_block(inbox, frame.bytes_needed)) {
        return PIPEPORT_NO_MEMORY;
    }
    inbox_compact(inbox, frame.bytes_needed);
    inbox->room_bytes = inbox->block_bytes - inbox->end;
    PP_ASSERT(inbox->room_bytes != 0);
    *room = inbox->block + inbox->end;
    *bytes = inbox->room_bytes;
    return PIPEPORT_OK;
}

/* What a read of `bytes` says about the traffic. A frame's own block says nothing: it ends where the frame ends. */
static void inbox_learn(pp_inbox *inbox, uint32_t bytes)
{
    if (inbox->block_bytes > inbox->appetite) {
        return;
    }
    if (bytes == inbox->room_bytes) {
        bool at_most = inbox->appetite > PP_INBOX_BUSY_BYTES / INBOX_STEP;
        inbox->appetite = at_most ? PP_INBOX_BUSY_BYTES : inbox->appetite * INBOX_STEP;
        inbox->lean_reads = 0;
    } else if (bytes >= inbox->appetite / INBOX_STEP) {
        inbox->lean_reads = 0;
    } else if (++inbox->lean_reads == PP_INBOX_LEAN_READS) {
        bool at_least = inbox->appetite < PP_INBOX_IDLE_BYTES * INBOX_STEP;
        inbox->appetite = at_least ? PP_INBOX_IDLE_BYTES : inbox->appetite / INBOX_STEP;
        inbox->lean_reads = 0;
    }
}

void pp_inbox_filled(pp_inbox *inbox, uint32_t bytes)
{
    PP_VERIFY(bytes <= inbox->room_bytes); /* Else somebody wrote behind the block. */
    if (inbox->state == PP_INBOX_LISTENING && bytes != 0) {
        inbox_learn(inbox, bytes);
        inbox->end += bytes;
    }
    inbox->room_bytes = 0;
}

void pp_inbox_check(const pp_inbox *inbox)
{
    PP_VERIFY((inbox->block == NULL) == (inbox->block_bytes == 0));
    PP_VERIFY(inbox->start <= inbox->end);
    PP_VERIFY(inbox->end <= inbox->block_bytes);
    PP_VERIFY(inbox->payload_bytes_max <= PP_FRAME_PAYLOAD_BYTES_MAX);
    PP_VERIFY(inbox->appetite >= PP_INBOX_IDLE_BYTES);
    PP_VERIFY(inbox->appetite <= PP_INBOX_BUSY_BYTES);
    PP_VERIFY(inbox->room_bytes <= inbox->block_bytes - inbox->end);
    PP_VERIFY(inbox->lean_reads < PP_INBOX_LEAN_READS);
    PP_VERIFY(inbox->state == PP_INBOX_LISTENING || inbox->start == inbox->end);
}
