/* SPDX-License-Identifier: MIT */
/*
 * inbox.c - which block to receive into, and where in it. What is a message, protocol/frame.h says.
 */
#include "engine/flow/inbox.h"

#include "engine/base/assert.h"
#include "protocol/frame.h"

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

/* `spare`: whose block it is while borrowed. */
static void inbox_give_block(pp_inbox *inbox, pp_spare *spare)
{
    if (inbox->borrowed) {
        pp_spare_give(spare, inbox->block);
        inbox->borrowed = false;
    } else {
        pp_memory_give(inbox->memory, inbox->block, inbox->block_bytes);
    }
    inbox->block = NULL;
    inbox->block_bytes = 0;
}

void pp_inbox_fini(pp_inbox *inbox)
{
    PP_ASSERT(!inbox->borrowed);
    inbox_give_block(inbox, NULL);
    inbox->start = inbox->end = 0;
    inbox->lent = false;
}

/* The one way out of LISTENING: nothing waits any more, nothing large is needed. The block stays: it may be lent. */
static void inbox_leave(pp_inbox *inbox, pp_inbox_state state)
{
    inbox->start = inbox->end = 0;
    inbox->appetite = PP_INBOX_IDLE_BYTES;
    inbox->lean_reads = 0;
    if (inbox->state == PP_INBOX_LISTENING) {
        inbox->state = (uint8_t) state;
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
    if (inbox->start == inbox->end) { /* No frame is empty; as often as not it is asked in vain. */
        return PP_INBOX_MORE;
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

/* Puts `block` in the place of the present one, and what waits at its start. */
static void inbox_move(pp_inbox *inbox, pp_spare *spare, uint8_t *block, uint32_t bytes)
{
    uint32_t waiting = inbox->end - inbox->start;
    if (waiting != 0) {
        memcpy(block, inbox->block + inbox->start, waiting);
    }
    inbox_give_block(inbox, spare);
    inbox->block = block;
    inbox->block_bytes = bytes;
    inbox->start = 0;
    inbox->end = waiting;
}

/* A block of its own, of `bytes`. False: no memory, no change. */
static bool inbox_replace_block(pp_inbox *inbox, pp_spare *spare, uint32_t bytes)
{
    uint8_t *block = pp_memory_take(inbox->memory, bytes);
    if (block != NULL) {
        inbox_move(inbox, spare, block, bytes);
    }
    return block != NULL;
}

/* The spare in the place of a block that is none, or not worth a read of its own. False: an own block is to be used. */
static bool inbox_borrow(pp_inbox *inbox, pp_spare *spare, uint32_t bytes_needed)
{
    if (bytes_needed > PP_SPARE_BYTES || (bytes_needed > PP_INBOX_COPIED_BYTES_MAX && inbox->block != NULL)) {
        return inbox->borrowed && bytes_needed <= PP_SPARE_BYTES;
    }
    if (inbox->borrowed) {
        return true;
    }
    uint8_t *block = pp_spare_take(spare, inbox->memory);
    if (block != NULL) {
        inbox_move(inbox, spare, block, PP_SPARE_BYTES);
        inbox->borrowed = true;
    }
    return block != NULL;
}

/* What an own block for the frame in progress shall have where a spare one takes what is small. */
static uint32_t inbox_own_bytes(uint32_t bytes_needed)
{
    return bytes_needed > PP_INBOX_COPIED_BYTES_MAX ? bytes_needed + PP_INBOX_AFTER_BYTES : bytes_needed;
}

/* Sees to it that the own block can hold the `bytes_needed` of the frame in progress. False: no memory. */
static bool inbox_fit_block(pp_inbox *inbox, pp_spare *spare, uint32_t bytes_needed)
{
    uint32_t frame_bytes = spare != NULL ? inbox_own_bytes(bytes_needed) : bytes_needed;
    uint32_t wanted = frame_bytes > inbox->appetite ? frame_bytes : inbox->appetite;
    if (inbox->block_bytes == wanted) {
        return true;
    }
    if (inbox->block_bytes > wanted) {
        if (inbox->end != 0) {
            return true;
        }
        inbox_give_block(inbox, spare); /* First, so that at the memory's bound a smaller block is there to be had. */
    }
    /* A larger block is only a wish where the present one is long enough. */
    return inbox_replace_block(inbox, spare, wanted) || inbox->block_bytes >= bytes_needed;
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

pipeport_status pp_inbox_room(pp_inbox *inbox, pp_spare *spare, uint8_t **room, uint32_t *bytes)
{
    if (inbox->start == inbox->end) {
        inbox->start = inbox->end = 0;
    }
    pp_frame frame;
    pp_frame_verdict verdict = inbox_look(inbox, &frame);
    PP_ASSERT(verdict == PP_FRAME_PART);
    (void) verdict;
    bool is_fit = spare != NULL && inbox_borrow(inbox, spare, frame.bytes_needed);
    if (!is_fit && !inbox_fit_block(inbox, spare, frame.bytes_needed)) {
        return PIPEPORT_NO_MEMORY;
    }
    inbox_compact(inbox, frame.bytes_needed);
    PP_ASSERT(inbox->end < inbox->block_bytes);
    inbox->lent = true;
    *room = inbox->block + inbox->end;
    *bytes = inbox->block_bytes - inbox->end;
    return PIPEPORT_OK;
}

/* What a read of `bytes` says about the traffic. A frame's own block says nothing: it ends where the frame ends. */
static void inbox_learn(pp_inbox *inbox, uint32_t bytes)
{
    if (inbox->block_bytes > inbox->appetite) {
        return;
    }
    if (bytes == inbox->block_bytes - inbox->end) {
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
    PP_VERIFY(inbox->lent && bytes <= inbox->block_bytes - inbox->end); /* Else somebody wrote behind the block. */
    if (inbox->state == PP_INBOX_LISTENING && bytes != 0) {
        inbox_learn(inbox, bytes);
        inbox->end += bytes;
    }
    inbox->lent = false;
}

void pp_inbox_rest(pp_inbox *inbox, pp_spare *spare)
{
    uint32_t waiting = inbox->end - inbox->start;
    inbox->lent = false; /* Of a read that failed. */
    if (waiting == 0) {
        inbox->start = inbox->end = 0;
        inbox_give_block(inbox, spare);
        return;
    }
    pp_frame frame;
    uint32_t bytes = waiting;
    if (inbox_look(inbox, &frame) == PP_FRAME_PART && inbox_own_bytes(frame.bytes_needed) > bytes) {
        bytes = inbox_own_bytes(frame.bytes_needed);
    }
    bool is_fit = !inbox->borrowed && inbox->block_bytes <= bytes + PP_INBOX_COPIED_BYTES_MAX;
    if (!is_fit && !inbox_replace_block(inbox, spare, bytes)) {
        inbox->borrowed = false;
    }
}

void pp_inbox_check(const pp_inbox *inbox)
{
    PP_VERIFY((inbox->block == NULL) == (inbox->block_bytes == 0));
    PP_VERIFY(inbox->start <= inbox->end);
    PP_VERIFY(inbox->end <= inbox->block_bytes);
    PP_VERIFY(inbox->payload_bytes_max <= PP_FRAME_PAYLOAD_BYTES_MAX);
    PP_VERIFY(inbox->appetite >= PP_INBOX_IDLE_BYTES);
    PP_VERIFY(inbox->appetite <= PP_INBOX_BUSY_BYTES);
    PP_VERIFY(!inbox->borrowed || inbox->block_bytes == PP_SPARE_BYTES);
    PP_VERIFY(!inbox->lent || inbox->end < inbox->block_bytes);
    PP_VERIFY(inbox->lean_reads < PP_INBOX_LEAN_READS);
    PP_VERIFY(inbox->state == PP_INBOX_LISTENING || inbox->start == inbox->end);
}
