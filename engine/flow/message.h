/* SPDX-License-Identifier: MIT */
/*
 * message.h - one frame, encoded once, counted, and shared by all who still have to write it.
 *
 * One block holds the struct, `links` links and, unless the frame is another message's, the header with the payload
 * right behind it (aligned to 16, for who builds structs in it) and what the framing puts behind that. A link is the
 * place of the message in one connection's send queue, so a broadcast needs one block whatever the number of its
 * receivers. A message that is built in place and sent often is shared by `fans`: blocks of links whose frame is the
 * built message's.
 *
 * Count: the creator holds one, each link in a queue one. Any thread retains (relaxed: it holds one already) and
 * releases (acquire-release: the last one frees what all others have done with).
 */
#ifndef PP_FLOW_MESSAGE_H
#define PP_FLOW_MESSAGE_H

#include "engine/base/memory.h"
#include "protocol/framing.h"

#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

typedef struct pipeport_message pp_message;
typedef struct pp_link pp_link;

struct pp_link {
    pp_link *next;       /* Older than this one while in a queue's head; who holds the pump turns it round. */
    pp_message *message; /* NULL: a place at which nobody stood, in a message that grows. */
};

struct pipeport_message {
    _Atomic uint32_t count;
    uint32_t frame_bytes; /* Header and payload; or all frames that were appended. */
    uint8_t *frame;       /* In this block, or in the source's. Not written after the first push. */
    pp_message *source;   /* Whose frame it is, one count held; NULL if our own. */
    pp_memory *memory;
    const pp_framing *framing; /* Its maker's: one that outlives the message, or a copy in the block. */
    size_t block_bytes;
    uint32_t links_count;
    uint32_t room_bytes;    /* For frames to append, those there are included; 0: it is one frame for good. */
    uint32_t payload_at;    /* In a frame that is one for good, */
    uint32_t payload_bytes; /* and its length. */
    pp_link links[];
};

/* A message with room for payload_bytes, which fit the framing, header and trailer written, `links` links, count 1.
 * NULL: no memory. */
pp_message *pp_message_create(pp_memory *memory, const pp_framing *framing, uint32_t payload_bytes, uint32_t links);

/* The same without links, and with a copy of the framing. */
pp_message *pp_message_build(pp_memory *memory, const pp_framing *framing, uint32_t payload_bytes);

/* `links` more links for the frame of `source`, which is retained (or, if it is a fan itself, whose source is).
 * Count 1. NULL: no memory. */
pp_message *pp_message_fan(pp_message *source, uint32_t links);

/* A message without a frame and with room for room_bytes of them (at least 1), `links` links, count 1. NULL: no
 * memory. */
pp_message *pp_message_create_room(pp_memory *memory, const pp_framing *framing, uint64_t room_bytes, uint32_t links);

/* Blocks of messages that are no more, kept for the next ones of about their size: who answers what a batch has brought
 * asks the heap for nothing. Zeroed: none. One thread. */
typedef struct pp_shelf {
    pp_message *owed;     /* Has links for many, of which the counts of `owed_counts` are home and not yet released. */
    uint32_t owed_counts; /* At least 1 where there is one. */
    pp_message *first;    /* Their blocks, by `source`; else memory and block_bytes are all that is left of them. */
    _Atomic uint32_t count, bytes; /* Relaxed: atomic for tests that look. */
} pp_shelf;

enum {
    PP_SHELF_BLOCK_BYTES_MAX = 2048,
    PP_SHELF_BYTES_MAX = 32 * 1024, /* Of all blocks: those of a batch's short answers, a few of longer ones. */
    PP_SHELF_OWED_BYTES_MAX = 256 * 1024
};

/* pp_message_create_room with one link, from the shelf if what lies in front fits; if not, that makes place. */
pp_message *pp_shelf_create_room(pp_shelf *shelf, pp_memory *memory, const pp_framing *framing, uint64_t room_bytes);

/* pp_message_release of one count; a block that becomes free may stay on the shelf (NULL: there is none). Of a message
 * with many links the counts are gathered, so that those of a thousand receivers are released at once; not of one above
 * PP_SHELF_OWED_BYTES_MAX, which somebody at the memory's bound may be waiting for. */
void pp_shelf_release(pp_shelf *shelf, pp_message *message);

/* Releases what is gathered. */
void pp_shelf_settle(pp_shelf *shelf);

void pp_shelf_fini(pp_shelf *shelf);

/* What can still be appended; 0 for a message made otherwise. Only who made it, while nobody
 * else looks at its frames. */
static inline uint32_t pp_message_room(const pp_message *message)
{
    return message->room_bytes == 0 ? 0 : message->room_bytes - message->frame_bytes;
}

/* One more frame, behind those there are. It is admitted (framing.h), and there is room for it. */
void pp_message_append(pp_message *message, const void *payload, uint32_t payload_bytes);

/* The same of a message in the default framing (framing.h), in place. */
static inline void pp_message_append_default(pp_message *message, const void *payload, uint32_t payload_bytes)
{
    uint8_t *frame = message->frame + message->frame_bytes;
    message->frame_bytes += PP_FRAMING_DEFAULT_HEADER_BYTES + payload_bytes;
    pp_framing_default_write(frame, payload_bytes);
    if (payload_bytes != 0) {
        memcpy(frame + PP_FRAMING_DEFAULT_HEADER_BYTES, payload, payload_bytes);
    }
}

/* Behind the bytes there are, those of another message from `offset` on, header or not. There is room for them. */
void pp_message_append_rest(pp_message *message, const pp_message *of, uint32_t offset);

/* Of a message that is one frame for good. */
uint8_t *pp_message_payload(const pp_message *message);

/* `counts` (at least 1) at once, so that a fan-out counts once. */
void pp_message_retain(pp_message *message, uint32_t counts);
void pp_message_release(pp_message *message, uint32_t counts); /* NULL is fine. */

/* Tests: asserts what must hold from create to the last release. */
void pp_message_check(const pp_message *message);

#endif
