/* SPDX-License-Identifier: MIT */
/*
 * message.c - one block: the struct, the links, perhaps a framing, a gap of at most 15 bytes, header, payload, trailer.
 *
 * The gap aligns the payload to 16, because users build their structs in it.
 */
#include "engine/flow/message.h"

#include "engine/base/assert.h"
#include "engine/flow/wire.h"

#include <stdbool.h>
#include <string.h>

enum { MESSAGE_PAYLOAD_ALIGNMENT = 16 };

/* Where the links end. 64 bits: 2^32 links do not fit a 32-bit size_t, and no sum here comes near 2^64. */
static uint64_t message_links_end(uint32_t links)
{
    return sizeof(pp_message) + (uint64_t) links * sizeof(pp_link);
}

static void message_begin(pp_message *message, const pp_framing *framing, uint32_t links)
{
    atomic_init(&message->count, 1);
    message->framing = framing;
    message->links_count = links;
    message->room_bytes = 0;
    for (uint32_t i = 0; i < links; i++) {
        message->links[i] = (pp_link){.next = NULL, .message = message};
    }
}

static pp_message *message_take(pp_memory *memory, const pp_framing *framing, uint64_t block_bytes, uint32_t links)
{
    if ((size_t) block_bytes != block_bytes) {
        return NULL;
    }
    pp_message *message = pp_memory_take(memory, (size_t) block_bytes);
    if (message != NULL) {
        message->memory = memory;
        message->block_bytes = (size_t) block_bytes;
        message_begin(message, framing, links);
    }
    return message;
}

/* One frame, behind `start` bytes of the block. */
static pp_message *message_take_frame(pp_memory *memory, const pp_framing *framing, uint32_t payload_bytes,
                                      uint64_t start, uint32_t links)
{
    PP_VERIFY(payload_bytes <= PP_FRAMING_PAYLOAD_BYTES_MAX);
    uint32_t header_bytes = pp_framing_header_bytes(framing, payload_bytes);
    uint32_t trailer_bytes = pp_framing_trailer_bytes(framing);
    uint64_t payload_start = start + header_bytes;
    payload_start += -payload_start % MESSAGE_PAYLOAD_ALIGNMENT;
    pp_message *message = message_take(memory, framing, payload_start + payload_bytes + trailer_bytes, links);
    if (message == NULL) {
        return NULL;
    }
    message->frame_bytes = header_bytes + payload_bytes + trailer_bytes;
    message->frame = (uint8_t *) message + payload_start - header_bytes;
    message->payload_at = header_bytes;
    message->payload_bytes = payload_bytes;
    message->source = NULL;
    pp_framing_write_header(framing, message->frame, payload_bytes);
    pp_framing_write_trailer(framing, message->frame + header_bytes + payload_bytes);
    return message;
}

pp_message *pp_message_create(pp_memory *memory, const pp_framing *framing, uint32_t payload_bytes, uint32_t links)
{
    return message_take_frame(memory, framing, payload_bytes, message_links_end(links), links);
}

pp_message *pp_message_build(pp_memory *memory, const pp_framing *framing, uint32_t payload_bytes)
{
    _Static_assert(sizeof(pp_message) % _Alignof(pp_framing) == 0, "a framing may stand behind it");
    pp_message *message = message_take_frame(memory, framing, payload_bytes, sizeof *message + sizeof *framing, 0);
    if (message != NULL) {
        pp_framing *copy = (pp_framing *) (void *) message->links;
        *copy = *framing;
        message->framing = copy;
    }
    return message;
}

static void message_make_room(pp_message *message, uint64_t room_bytes)
{
    message->frame_bytes = 0;
    message->frame = (uint8_t *) message + message_links_end(message->links_count);
    message->source = NULL;
    message->room_bytes = (uint32_t) room_bytes;
}

pp_message *pp_message_create_room(pp_memory *memory, const pp_framing *framing, uint64_t room_bytes, uint32_t links)
{
    PP_VERIFY(room_bytes >= 1 && room_bytes <= UINT32_MAX);
    pp_message *message = message_take(memory, framing, message_links_end(links) + room_bytes, links);
    if (message != NULL) {
        message_make_room(message, room_bytes);
    }
    return message;
}

static void shelf_count(pp_shelf *shelf, uint32_t blocks, uint32_t bytes)
{
    uint32_t count = atomic_load_explicit(&shelf->count, memory_order_relaxed);
    uint32_t held = atomic_load_explicit(&shelf->bytes, memory_order_relaxed);
    atomic_store_explicit(&shelf->count, count + blocks, memory_order_relaxed);
    atomic_store_explicit(&shelf->bytes, held + bytes, memory_order_relaxed);
}

/* Its first block, whatever it is. */
static pp_message *shelf_take(pp_shelf *shelf)
{
    pp_message *message = shelf->first;
    shelf->first = message->source;
    shelf_count(shelf, (uint32_t) -1, -(uint32_t) message->block_bytes);
    return message;
}

pp_message *pp_shelf_create_room(pp_shelf *shelf, pp_memory *memory, const pp_framing *framing, uint64_t room_bytes)
{
    PP_VERIFY(room_bytes >= 1 && room_bytes <= UINT32_MAX);
    uint64_t needed = message_links_end(1) + room_bytes;
    if (shelf->first != NULL && needed <= PP_SHELF_BLOCK_BYTES_MAX) {
        pp_message *message = shelf_take(shelf);
        /* One of twice what is needed, or more, is for who needs it. */
        if (message->memory == memory && message->block_bytes >= needed && message->block_bytes / 2 <= needed) {
            message_begin(message, framing, 1);
            message_make_room(message, room_bytes);
            return message;
        }
        pp_memory_give(message->memory, message, message->block_bytes);
    }
    pp_message *message = pp_message_create_room(memory, framing, room_bytes, 1);
    if (message == NULL &&
        (shelf->first != NULL || shelf->owed != NULL)) { /* At the memory's bound what lies here may be what lacks. */
        pp_shelf_fini(shelf);
        message = pp_message_create_room(memory, framing, room_bytes, 1);
    }
    return message;
}

void pp_message_append(pp_message *message, const void *payload, uint32_t payload_bytes)
{
    const pp_framing *framing = message->framing;
    PP_VERIFY(pp_message_room(message) >= pp_wire_frame_bytes(framing, payload_bytes));
    if (pp_framing_is_default(framing)) {
        pp_message_append_default(message, payload, payload_bytes);
        return;
    }
    uint8_t *frame = message->frame + message->frame_bytes;
    uint32_t header_bytes = pp_framing_header_bytes(framing, payload_bytes);
    pp_framing_write_header(framing, frame, payload_bytes);
    if (payload_bytes != 0) {
        memcpy(frame + header_bytes, payload, payload_bytes);
    }
    pp_framing_write_trailer(framing, frame + header_bytes + payload_bytes);
    message->frame_bytes += header_bytes + payload_bytes + pp_framing_trailer_bytes(framing);
}

void pp_message_append_rest(pp_message *message, const pp_message *of, uint32_t offset)
{
    uint32_t bytes = of->frame_bytes - offset;
    PP_VERIFY(pp_message_room(message) >= bytes);
    memcpy(message->frame + message->frame_bytes, of->frame + offset, bytes);
    message->frame_bytes += bytes;
}

pp_message *pp_message_fan(pp_message *source, uint32_t links)
{
    /* A fan of a fan is one of the built message: no chain of blocks keeps another alive. */
    pp_message *root = source->source != NULL ? source->source : source;
    pp_message *fan = message_take(root->memory, root->framing, message_links_end(links), links);
    if (fan == NULL) {
        return NULL;
    }
    pp_message_retain(root, 1);
    fan->frame_bytes = root->frame_bytes;
    fan->frame = root->frame;
    fan->payload_at = root->payload_at;
    fan->payload_bytes = root->payload_bytes;
    fan->source = root;
    return fan;
}

uint8_t *pp_message_payload(const pp_message *message)
{
    return message->frame + message->payload_at;
}

void pp_message_retain(pp_message *message, uint32_t counts)
{
    uint32_t held = atomic_fetch_add_explicit(&message->count, counts, memory_order_relaxed);
    PP_ASSERT(held != 0);
    PP_ASSERT(held <= UINT32_MAX - counts);
    (void) held;
}

/* True: these were the last counts. */
static bool message_leave(pp_message *message, uint32_t counts)
{
    /* Who sees only his own counts is alone: only a holder can retain. That spares most messages a locked operation. */
    if (atomic_load_explicit(&message->count, memory_order_acquire) == counts) {
        return true;
    }
    uint32_t held = atomic_fetch_sub_explicit(&message->count, counts, memory_order_acq_rel);
    PP_VERIFY(held >= counts); /* Else the block was freed under somebody who still writes it. */
    return held == counts;
}

void pp_message_release(pp_message *message, uint32_t counts)
{
    PP_ASSERT(counts != 0);
    while (message != NULL && message_leave(message, counts)) {
        pp_message *source = message->source;
        pp_memory_give(message->memory, message, message->block_bytes);
        message = source;
        counts = 1;
    }
}

void pp_shelf_settle(pp_shelf *shelf)
{
    if (shelf->owed != NULL) {
        pp_message_release(shelf->owed, shelf->owed_counts);
        shelf->owed = NULL;
    }
}

static void shelf_owe(pp_shelf *shelf, pp_message *message)
{
    if (shelf->owed != message) {
        pp_shelf_settle(shelf);
        shelf->owed = message;
        shelf->owed_counts = 0;
    }
    shelf->owed_counts++;
}

void pp_shelf_release(pp_shelf *shelf, pp_message *message)
{
    if (shelf != NULL && message->links_count > 1 && message->block_bytes <= PP_SHELF_OWED_BYTES_MAX) {
        shelf_owe(shelf, message);
    } else if (shelf == NULL || message->source != NULL || message->block_bytes > PP_SHELF_BLOCK_BYTES_MAX ||
               atomic_load_explicit(&shelf->bytes, memory_order_relaxed) + message->block_bytes > PP_SHELF_BYTES_MAX) {
        pp_message_release(message, 1);
    } else if (message_leave(message, 1)) {
        atomic_store_explicit(&message->count, 0, memory_order_relaxed); /* Who releases it again is found out. */
        message->source = shelf->first;
        shelf->first = message;
        shelf_count(shelf, 1, (uint32_t) message->block_bytes);
    }
}

void pp_shelf_fini(pp_shelf *shelf)
{
    pp_shelf_settle(shelf);
    while (shelf->first != NULL) {
        pp_message *message = shelf_take(shelf);
        pp_memory_give(message->memory, message, message->block_bytes);
    }
}

/* Frames one behind the other, the last one whole. */
static void message_check_frames(const pp_message *message)
{
    for (uint32_t at = 0; at < message->frame_bytes && message->framing->kind != PP_FRAMING_MESSAGE;) {
        pp_frame frame = {.looked = 0};
        pp_frame_verdict verdict = pp_framing_look(message->framing, message->frame + at, message->frame_bytes - at,
                                                   PP_FRAMING_PAYLOAD_BYTES_MAX, &frame);
        PP_VERIFY(verdict == PP_FRAME_WHOLE);
        at += frame.bytes_needed;
    }
}

static void message_check_appended(const pp_message *message)
{
    message_check_frames(message);
    PP_VERIFY(message->source == NULL);
    PP_VERIFY(message->frame_bytes <= message->room_bytes);
    PP_VERIFY(message->frame == (const uint8_t *) &message->links[message->links_count]);
    uint64_t needed = message_links_end(message->links_count) + message->room_bytes;
    PP_VERIFY(needed <= message->block_bytes);
    PP_VERIFY(needed >= message->block_bytes / 2); /* A block from a shelf may be longer, but not twice as long. */
}

static void message_check_built(const pp_message *message)
{
    const pp_message *root = message->source != NULL ? message->source : message;
    PP_VERIFY(atomic_load(&root->count) != 0);
    PP_VERIFY(root->source == NULL);
    PP_VERIFY(message->frame == root->frame);
    PP_VERIFY(message->frame_bytes == root->frame_bytes);
    PP_VERIFY(message->payload_at == root->payload_at && message->payload_bytes == root->payload_bytes);
    PP_VERIFY(message->frame_bytes == pp_wire_frame_bytes(message->framing, message->payload_bytes));
    message_check_frames(message);
    PP_VERIFY((uintptr_t) pp_message_payload(message) % MESSAGE_PAYLOAD_ALIGNMENT == 0);
    PP_VERIFY(root->frame >= (const uint8_t *) &root->links[root->links_count]);
    PP_VERIFY(root->frame + root->frame_bytes == (const uint8_t *) root + root->block_bytes);
    PP_VERIFY(message->block_bytes >= message_links_end(message->links_count));
}

void pp_message_check(const pp_message *message)
{
    PP_VERIFY(atomic_load(&message->count) != 0);
    if (message->room_bytes != 0) {
        message_check_appended(message);
    } else {
        message_check_built(message);
    }
    for (uint32_t i = 0; i < message->links_count; i++) {
        const pp_message *whose = message->links[i].message;
        PP_VERIFY(whose == message || (whose == NULL && message->room_bytes != 0)); /* Nobody's, where it may grow. */
    }
}
