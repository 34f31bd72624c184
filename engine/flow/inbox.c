/* SPDX-License-Identifier: MIT */
/*
 * inbox.c - which block to receive into, and where in it. What is a message, protocol/framing.h says.
 */
#include "engine/flow/inbox.h"

#include "engine/base/assert.h"
#include <string.h>

enum { INBOX_STEP = 8 }; /* From one size of an ordinary block to the next. */

uint32_t pp_inbox_appetite_bytes(const pp_inbox *inbox)
{
    static const uint32_t sizes[] = {PP_INBOX_IDLE_BYTES, PP_INBOX_IDLE_BYTES * INBOX_STEP,
                                     PP_INBOX_IDLE_BYTES * INBOX_STEP * INBOX_STEP, PP_INBOX_BUSY_BYTES};
    _Static_assert(sizeof sizes == (PP_INBOX_APPETITE_MAX + 1) * sizeof sizes[0], "a size for each appetite");
    return sizes[inbox->appetite];
}

void pp_inbox_init(pp_inbox *inbox)
{
    *inbox = (pp_inbox){.state = PP_INBOX_LISTENING};
}

static void inbox_give_block(pp_inbox *inbox, const pp_inbox_means *means)
{
    if (inbox->borrowed) {
        pp_spare_give(means->spare, inbox->block);
        inbox->borrowed = false;
    } else {
        pp_memory_give(means->memory, inbox->block, inbox->block_bytes);
    }
    inbox->block = NULL;
    inbox->block_bytes = 0;
}

void pp_inbox_fini(pp_inbox *inbox, pp_memory *memory)
{
    PP_ASSERT(!inbox->borrowed);
    inbox_give_block(inbox, &(pp_inbox_means){.memory = memory});
    inbox->start = inbox->end = 0;
    inbox->lent = false;
}

/* The one way out of LISTENING: nothing waits any more, nothing large is needed. The block stays: it may be lent. */
static void inbox_leave(pp_inbox *inbox, pp_inbox_state state)
{
    inbox->start = inbox->end = 0;
    inbox->looked = 0;
    inbox->whole = false;
    inbox->appetite = 0;
    inbox->lean_reads = 0;
    if (inbox->state == PP_INBOX_LISTENING) {
        inbox->state = (uint8_t) state;
    }
}

void pp_inbox_drop(pp_inbox *inbox)
{
    inbox_leave(inbox, PP_INBOX_DROPPED);
}

/* Where messages are the pipe's own. What is missing is refused before there is room for it. */
static pp_frame_verdict inbox_look_at_message(const pp_inbox *inbox, const pp_inbox_means *means, pp_frame *frame)
{
    uint32_t waiting = inbox->end - inbox->start;
    uint32_t missing = inbox->whole ? 0 : inbox->looked;
    if (waiting > means->payload_bytes_max || missing > means->payload_bytes_max - waiting) {
        return PP_FRAME_REFUSED;
    }
    *frame = (pp_frame){.payload_bytes = waiting, .bytes_needed = waiting};
    if (!inbox->whole) {
        frame->bytes_needed += missing != 0 ? missing : 1;
    }
    return inbox->whole ? PP_FRAME_WHOLE : PP_FRAME_PART;
}

/* A measure is the user's, and may be dear: of one frame it is asked no more than once a read. */
static pp_frame_verdict inbox_look(const pp_inbox *inbox, const pp_inbox_means *means, pp_frame *frame)
{
    uint32_t waiting = inbox->end - inbox->start;
    PP_ASSERT(means->payload_bytes_max <= PP_FRAMING_PAYLOAD_BYTES_MAX);
    if (means->framing->kind == PP_FRAMING_MESSAGE) {
        return inbox_look_at_message(inbox, means, frame);
    }
    frame->bytes_needed = 1;
    if (waiting == 0) { /* No frame is empty; as often as not it is asked in vain. */
        return PP_FRAME_PART;
    }
    if (means->framing->kind == PP_FRAMING_MEASURED && waiting < inbox->looked) {
        frame->bytes_needed = inbox->looked;
        return PP_FRAME_PART;
    }
    frame->looked = inbox->looked;
    return pp_framing_look(means->framing, inbox->block + inbox->start, waiting, means->payload_bytes_max, frame);
}

/* What the next look need not find out again. */
static void inbox_learn_of_part(pp_inbox *inbox, const pp_inbox_means *means, const pp_frame *frame)
{
    if (means->framing->kind == PP_FRAMING_MEASURED) {
        inbox->looked = frame->bytes_needed;
    } else if (means->framing->kind != PP_FRAMING_MESSAGE) {
        inbox->looked = inbox->end - inbox->start;
    }
}

pp_inbox_verdict pp_inbox_next(pp_inbox *inbox, const pp_inbox_means *means, const uint8_t **payload, uint32_t *length)
{
    static const uint8_t nothing[1];
    if (inbox->state != PP_INBOX_LISTENING) {
        return inbox->state == PP_INBOX_IS_REFUSED ? PP_INBOX_REFUSED : PP_INBOX_MORE;
    }
    pp_frame frame;
    switch (inbox_look(inbox, means, &frame)) {
    case PP_FRAME_WHOLE:
        *payload = inbox->block != NULL ? inbox->block + inbox->start + frame.payload_at : nothing;
        *length = frame.payload_bytes;
        inbox->start += frame.bytes_needed;
        inbox->looked = 0;
        inbox->whole = false;
        return PP_INBOX_MESSAGE;
    case PP_FRAME_PART:
        inbox_learn_of_part(inbox, means, &frame);
        return PP_INBOX_MORE;
    case PP_FRAME_REFUSED:
        break;
    }
    inbox_leave(inbox, PP_INBOX_IS_REFUSED);
    return PP_INBOX_REFUSED;
}

/* Puts `block` in the place of the present one, and what waits at its start. */
static void inbox_move(pp_inbox *inbox, const pp_inbox_means *means, uint8_t *block, uint32_t bytes)
{
    uint32_t waiting = inbox->end - inbox->start;
    if (waiting != 0) {
        PP_ASSERT(inbox->block != NULL);
        memcpy(block, inbox->block + inbox->start, waiting);
    }
    inbox_give_block(inbox, means);
    inbox->block = block;
    inbox->block_bytes = bytes;
    inbox->start = 0;
    inbox->end = waiting;
}

/* A block of its own, of `bytes`. False: no memory, no change. */
static bool inbox_replace_block(pp_inbox *inbox, const pp_inbox_means *means, uint32_t bytes)
{
    uint8_t *block = pp_memory_take(means->memory, bytes);
    if (block != NULL) {
        inbox_move(inbox, means, block, bytes);
    }
    return block != NULL;
}

/* Where a spare takes frames: the part of one that it can take whole is copied to it as long as it is short, so that
 * the next read brings what comes behind the frame, too. */
static bool inbox_is_copied(const pp_inbox *inbox, uint32_t bytes_needed)
{
    return bytes_needed <= PP_SPARE_BYTES && inbox->end - inbox->start <= PP_INBOX_COPIED_BYTES_MAX;
}

/* The spare in the place of a block that is none, or not worth a read of its own. False: an own block is to be used. */
static bool inbox_borrow(pp_inbox *inbox, const pp_inbox_means *means, uint32_t bytes_needed)
{
    if (!inbox_is_copied(inbox, bytes_needed)) {
        return inbox->borrowed && bytes_needed <= PP_SPARE_BYTES;
    }
    if (inbox->borrowed) {
        return true;
    }
    uint8_t *block = pp_spare_take(means->spare, means->memory);
    if (block != NULL) {
        inbox_move(inbox, means, block, PP_SPARE_BYTES);
        inbox->borrowed = true;
    }
    return block != NULL;
}

/* Some frames do not say how long they are. */
static bool inbox_says_length(const pp_inbox_means *means)
{
    uint8_t kind = means->framing->kind;
    return kind != PP_FRAMING_DELIMITER && kind != PP_FRAMING_MEASURED && kind != PP_FRAMING_MESSAGE;
}

/* Bytes to have for the part of a frame that needs at least bytes_needed: where it does not say its length, twice what
 * there is, so that it is not moved for each read. */
static uint32_t inbox_foresee(const pp_inbox *inbox, const pp_inbox_means *means, uint32_t bytes_needed)
{
    uint32_t doubled = 2 * (inbox->end - inbox->start);
    uint32_t most = means->payload_bytes_max;
    doubled = doubled < most ? doubled : most;
    return inbox_says_length(means) || doubled < bytes_needed ? bytes_needed : doubled;
}

/* Such a part goes on in the block that was made for it as long as it fits. Without a spare that is any part, in a
 * block that has the ordinary size: a larger one is worth while when that has grown. */
static bool inbox_goes_on(const pp_inbox *inbox, const pp_inbox_means *means, uint32_t bytes_needed)
{
    if (inbox_says_length(means) || inbox->borrowed || bytes_needed > inbox->block_bytes) {
        return false;
    }
    return means->spare != NULL ? bytes_needed > PP_INBOX_COPIED_BYTES_MAX
                                : inbox->start != inbox->end && inbox->block_bytes >= pp_inbox_appetite_bytes(inbox);
}

/* What an own block for the frame in progress shall have where a spare one takes what is small. */
static uint32_t inbox_own_bytes(uint32_t bytes_needed)
{
    return bytes_needed > PP_INBOX_COPIED_BYTES_MAX ? bytes_needed + PP_INBOX_AFTER_BYTES : bytes_needed;
}

/* Sees to it that the own block can hold the `bytes_needed` of the frame in progress. False: no memory. */
static bool inbox_fit_block(pp_inbox *inbox, const pp_inbox_means *means, uint32_t bytes_needed)
{
    uint32_t appetite_bytes = pp_inbox_appetite_bytes(inbox);
    uint32_t frame_bytes = means->spare != NULL ? inbox_own_bytes(bytes_needed) : bytes_needed;
    uint32_t wanted = frame_bytes > appetite_bytes ? frame_bytes : appetite_bytes;
    if (inbox->block_bytes == wanted) {
        return true;
    }
    if (inbox->block_bytes > wanted) {
        if (inbox->end != 0) {
            return true;
        }
        inbox_give_block(inbox, means); /* First, so that at the memory's bound a smaller block is there to be had. */
    }
    /* A larger block is only a wish where the present one is long enough. */
    return inbox_replace_block(inbox, means, wanted) || inbox->block_bytes >= bytes_needed;
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

/* Nothing waits and there is no block: any frame begins in a spare one. False: there is none. */
static bool inbox_begin_in_spare(pp_inbox *inbox, const pp_inbox_means *means)
{
    uint8_t *block = pp_spare_take(means->spare, means->memory);
    if (block == NULL) {
        return false;
    }
    inbox->block = block;
    inbox->block_bytes = PP_SPARE_BYTES;
    inbox->borrowed = true;
    return true;
}

pipeport_status pp_inbox_room(pp_inbox *inbox, const pp_inbox_means *means, uint8_t **room, uint32_t *bytes)
{
    if (inbox->block == NULL && means->spare != NULL && pp_framing_is_default(means->framing) &&
        inbox_begin_in_spare(inbox, means)) {
        inbox->lent = true;
        *room = inbox->block;
        *bytes = PP_SPARE_BYTES;
        return PIPEPORT_OK;
    }
    if (inbox->start == inbox->end) {
        inbox->start = inbox->end = 0;
    }
    pp_frame frame = {.bytes_needed = 1};
    pp_frame_verdict verdict = inbox_look(inbox, means, &frame);
    PP_ASSERT(verdict == PP_FRAME_PART);
    (void) verdict;
    uint32_t wanted = inbox_foresee(inbox, means, frame.bytes_needed);
    bool is_fit = inbox_goes_on(inbox, means, frame.bytes_needed) ||
                  (means->spare != NULL && inbox_borrow(inbox, means, wanted));
    if (!is_fit && !inbox_fit_block(inbox, means, wanted)) {
        return PIPEPORT_NO_MEMORY;
    }
    inbox_compact(inbox, frame.bytes_needed);
    PP_ASSERT(inbox->end < inbox->block_bytes);
    inbox->lent = true;
    *room = inbox->block + inbox->end;
    *bytes = inbox->block_bytes - inbox->end;
    return PIPEPORT_OK;
}

/* What a read of `bytes` says about the traffic. A spare block says nothing, for there is no other size of it; nor does
 * a frame's own one, which ends where the frame ends. */
static void inbox_learn(pp_inbox *inbox, uint32_t bytes)
{
    if (inbox->borrowed) {
        return;
    }
    uint32_t appetite_bytes = pp_inbox_appetite_bytes(inbox);
    if (inbox->block_bytes > appetite_bytes) {
        return;
    }
    if (bytes == inbox->block_bytes - inbox->end) {
        inbox->appetite = (uint8_t) (inbox->appetite + (inbox->appetite < PP_INBOX_APPETITE_MAX));
        inbox->lean_reads = 0;
    } else if (bytes >= appetite_bytes / INBOX_STEP) {
        inbox->lean_reads = 0;
    } else if (++inbox->lean_reads == PP_INBOX_LEAN_READS) {
        inbox->appetite = (uint8_t) (inbox->appetite - (inbox->appetite > 0));
        inbox->lean_reads = 0;
    }
}

void pp_inbox_filled(pp_inbox *inbox, uint32_t bytes, uint32_t more)
{
    PP_VERIFY(inbox->lent && bytes <= inbox->block_bytes - inbox->end); /* Else somebody wrote behind the block. */
    inbox->lent = false;
    if (inbox->state != PP_INBOX_LISTENING) {
        return;
    }
    if (bytes != 0) {
        inbox_learn(inbox, bytes);
        inbox->end += bytes;
    }
    inbox->whole = more == 0;
    if (more != 0) {
        inbox->looked = more;
    }
}

void pp_inbox_rest(pp_inbox *inbox, const pp_inbox_means *means)
{
    uint32_t waiting = inbox->end - inbox->start;
    inbox->lent = false; /* Of a read that failed. */
    if (waiting == 0) {
        inbox->start = inbox->end = 0;
        inbox_give_block(inbox, means);
        return;
    }
    pp_frame frame;
    uint32_t bytes = waiting;
    if (inbox_look(inbox, means, &frame) == PP_FRAME_PART && !inbox_is_copied(inbox, frame.bytes_needed)) {
        uint32_t wanted = inbox_own_bytes(inbox_foresee(inbox, means, frame.bytes_needed));
        bytes = wanted > bytes ? wanted : bytes;
    }
    bool is_fit = !inbox->borrowed && inbox->block_bytes <= bytes + PP_INBOX_COPIED_BYTES_MAX;
    if (!is_fit && !inbox_replace_block(inbox, means, bytes)) {
        inbox->borrowed = false;
    }
}

void pp_inbox_check(const pp_inbox *inbox)
{
    PP_VERIFY((inbox->block == NULL) == (inbox->block_bytes == 0));
    PP_VERIFY(inbox->start <= inbox->end);
    PP_VERIFY(inbox->end <= inbox->block_bytes);
    PP_VERIFY(inbox->appetite <= PP_INBOX_APPETITE_MAX);
    PP_VERIFY(!inbox->borrowed || inbox->block_bytes == PP_SPARE_BYTES);
    PP_VERIFY(!inbox->lent || inbox->end < inbox->block_bytes);
    PP_VERIFY(inbox->lean_reads < PP_INBOX_LEAN_READS);
    PP_VERIFY(inbox->state == PP_INBOX_LISTENING || inbox->start == inbox->end);
}
