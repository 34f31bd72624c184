/* SPDX-License-Identifier: MIT */
/*
 * count_work.c - the work whose instructions tests/guard/instructions.py counts: the protocol's and the send queue's.
 *
 * It prints what it was made with, then `NAME OPERATIONS`, one line each, in the order in which the works were done.
 * All work is done inside count_measured, and nothing else is: callgrind collects there, and writes down what it has
 * whenever that function is left. Each work is done once before, so that what only a first call does (the linker binds
 * a function late) is not counted.
 *
 * One thread, no clock, no chance: the same program takes the same instructions each time. Each operation is looked at,
 * and one that does not do its work ends the program.
 */
#include "engine/flow/sendq.h"
#include "protocol/framing.h"
#include "protocol/topic.h"

#include <gnu/libc-version.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    COUNT_OPERATIONS = 1600, /* A multiple of the lot. */
    COUNT_LOT = 16,          /* Messages pushed before the drainer takes. */
    COUNT_ROOM_BYTES = 4096,
    COUNT_QUEUE_BYTES_MAX = 1 << 20,
    COUNT_LETTER = 72 /* What payloads are filled with; also the length that count_measure reads. */
};

struct count_work;
/* True: every operation did what it is for. */
typedef bool count_run(const struct count_work *work, uint32_t operations);

struct count_work {
    const char *name;
    count_run *run;
    const pp_framing *framing; /* NULL where there is none. */
    uint32_t payload_bytes;    /* Of one message, or of one text. */
    uint32_t lot;              /* Messages in one take. */
};

/* On a page's border: what the C library's searches do depends on where a page ends. */
static _Alignas(4096) uint8_t count_payload[COUNT_ROOM_BYTES];
static _Alignas(4096) uint8_t count_stream[COUNT_ROOM_BYTES];
static pp_link count_links[COUNT_LOT];

static int64_t count_measure(void *user, const void *stream, size_t available)
{
    (void) user;
    return available == 0 ? 0 : *(const uint8_t *) stream;
}

/* All but the payload, which stays where it is. The frame's length. */
static uint32_t count_frame(const struct count_work *work)
{
    uint32_t header_bytes = pp_framing_header_bytes(work->framing, work->payload_bytes);
    pp_framing_write_header(work->framing, count_stream, work->payload_bytes);
    pp_framing_write_trailer(work->framing, count_stream + header_bytes + work->payload_bytes);
    return header_bytes + work->payload_bytes + pp_framing_trailer_bytes(work->framing);
}

static bool count_encode(const struct count_work *work, uint32_t operations)
{
    bool done = true;
    for (uint32_t i = 0; i < operations; i++) {
        done &= pp_framing_admit(work->framing, count_payload, work->payload_bytes) == PP_ADMITTED;
        done &= count_frame(work) >= work->payload_bytes;
    }
    return done;
}

static bool count_decode(const struct count_work *work, uint32_t operations)
{
    memset(count_stream, COUNT_LETTER, sizeof count_stream);
    uint32_t frame_bytes = count_frame(work);
    bool done = true;
    for (uint32_t i = 0; i < operations; i++) {
        pp_frame frame = {.looked = 0};
        done &= pp_framing_look(work->framing, count_stream, frame_bytes, COUNT_ROOM_BYTES, &frame) == PP_FRAME_WHOLE;
        done &= frame.bytes_needed == frame_bytes;
    }
    return done;
}

/* The stream was cut: half of the frame is looked at, then the whole. */
static bool count_decode_cut(const struct count_work *work, uint32_t operations)
{
    memset(count_stream, COUNT_LETTER, sizeof count_stream);
    uint32_t frame_bytes = count_frame(work);
    bool done = true;
    for (uint32_t i = 0; i < operations; i++) {
        pp_frame frame = {.looked = 0};
        uint32_t half = frame_bytes / 2;
        done &= pp_framing_look(work->framing, count_stream, half, COUNT_ROOM_BYTES, &frame) == PP_FRAME_PART;
        frame.looked = half;
        done &= pp_framing_look(work->framing, count_stream, frame_bytes, COUNT_ROOM_BYTES, &frame) == PP_FRAME_WHOLE;
    }
    return done;
}

static const pp_topic_text count_name = {(const uint8_t *) "sensors/hall/7", 14};

static bool count_topic_write(const struct count_work *work, uint32_t operations)
{
    pp_topic topic = {.topic = count_name, .message = {count_payload, work->payload_bytes}};
    bool done = true;
    for (uint32_t i = 0; i < operations; i++) {
        done &= pp_topic_bytes(topic.topic.length, topic.message.length) <= COUNT_ROOM_BYTES;
        done &= pp_topic_write(&topic, count_stream) == NULL;
    }
    return done;
}

static bool count_topic_read(const struct count_work *work, uint32_t operations)
{
    bool done = count_topic_write(work, 1);
    uint32_t bytes = (uint32_t) pp_topic_bytes(count_name.length, work->payload_bytes);
    for (uint32_t i = 0; i < operations; i++) {
        pp_topic topic;
        done &= pp_topic_read(count_stream, bytes, &topic) == NULL && topic.message.length == work->payload_bytes;
    }
    return done;
}

/* Characters of two and of three bytes, in turn. */
static bool count_utf8(const struct count_work *work, uint32_t operations)
{
    static const uint8_t pair[5] = {0xC3, 0xA4, 0xE2, 0x82, 0xAC};
    for (uint32_t at = 0; at < work->payload_bytes; at++) {
        count_stream[at] = pair[at % sizeof pair];
    }
    bool done = true;
    for (uint32_t i = 0; i < operations; i++) {
        done &= pp_topic_utf8(count_stream, work->payload_bytes);
    }
    return done;
}

/* Pushed a lot at a time by one thread; taken, written and credited by the drainer. One thread plays both. */
static bool count_sendq(const struct count_work *work, uint32_t operations)
{
    pp_sendq sendq;
    pp_sendq_init(&sendq);
    bool done = true;
    for (uint32_t i = 0; i < operations; i += work->lot) {
        for (uint32_t each = 0; each < work->lot; each++) {
            done &= pp_sendq_reserve(&sendq, work->payload_bytes, COUNT_QUEUE_BYTES_MAX);
            done &= pp_sendq_push(&sendq, &count_links[each]) == (each == 0 ? PP_PUSH_TOOK : PP_PUSH_QUEUED);
        }
        uint32_t taken = 0;
        for (pp_link *link = pp_sendq_take(&sendq); link != NULL; link = link->next) {
            done &= link == &count_links[taken++];
        }
        done &= taken == work->lot;
        done &= !pp_sendq_credit(&sendq, work->lot * work->payload_bytes, COUNT_QUEUE_BYTES_MAX);
        done &= pp_sendq_give(&sendq);
    }
    return done;
}

/* A sender is refused, and told when there is room again. */
static bool count_sendq_full(const struct count_work *work, uint32_t operations)
{
    pp_sendq sendq;
    pp_sendq_init(&sendq);
    bool done = true;
    for (uint32_t i = 0; i < operations; i++) {
        done &= pp_sendq_reserve(&sendq, work->payload_bytes, work->payload_bytes);
        done &= !pp_sendq_reserve(&sendq, work->payload_bytes, work->payload_bytes);
        done &= pp_sendq_credit(&sendq, work->payload_bytes, work->payload_bytes);
    }
    return done;
}

static const pp_framing count_length = {
    .kind = PP_FRAMING_LENGTH, .width = 2, .offset = 3, .big_endian = true, .adjust = -3};
static const pp_framing count_escape = {.kind = PP_FRAMING_LENGTH, .width = 4, .big_endian = true, .escape = true};
static const pp_framing count_varint = {.kind = PP_FRAMING_VARINT};
static const pp_framing count_delimiter = {.kind = PP_FRAMING_DELIMITER, .delimiter = '\n'};
static const pp_framing count_line = {.kind = PP_FRAMING_DELIMITER, .delimiter = '\n', .strip_cr = true};
static const pp_framing count_headers = {.kind = PP_FRAMING_HEADERS};
static const pp_framing count_measured_one = {.kind = PP_FRAMING_MEASURED, .measure = count_measure};
static const pp_framing count_none = {.kind = PP_FRAMING_NONE};
static const pp_framing count_message = {.kind = PP_FRAMING_MESSAGE};

static const struct count_work count_works[] = {
    {"default_encode", count_encode, &pp_framing_default, 64, 0},
    {"default_decode", count_decode, &pp_framing_default, 64, 0},
    {"default_decode_cut", count_decode_cut, &pp_framing_default, 64, 0},
    {"length_encode", count_encode, &count_length, 64, 0},
    {"length_decode", count_decode, &count_length, 64, 0},
    {"length_decode_cut", count_decode_cut, &count_length, 64, 0},
    {"escape_encode", count_encode, &count_escape, 64, 0},
    {"escape_decode", count_decode, &count_escape, 64, 0},
    {"varint_encode", count_encode, &count_varint, 64, 0},
    {"varint_decode", count_decode, &count_varint, 64, 0},
    {"varint_encode_300", count_encode, &count_varint, 300, 0},
    {"varint_decode_300", count_decode, &count_varint, 300, 0},
    {"varint_decode_cut", count_decode_cut, &count_varint, 300, 0},
    {"delimiter_encode", count_encode, &count_delimiter, 64, 0},
    {"delimiter_decode", count_decode, &count_delimiter, 64, 0},
    {"delimiter_decode_cut", count_decode_cut, &count_delimiter, 1024, 0},
    {"line_encode", count_encode, &count_line, 64, 0},
    {"line_decode", count_decode, &count_line, 64, 0},
    {"headers_encode", count_encode, &count_headers, 64, 0},
    {"headers_decode", count_decode, &count_headers, 64, 0},
    {"headers_decode_cut", count_decode_cut, &count_headers, 64, 0},
    {"measured_encode", count_encode, &count_measured_one, COUNT_LETTER, 0},
    {"measured_decode", count_decode, &count_measured_one, COUNT_LETTER, 0},
    {"none_encode", count_encode, &count_none, 64, 0},
    {"none_decode", count_decode, &count_none, 64, 0},
    {"message_encode", count_encode, &count_message, 64, 0},
    {"topic_write", count_topic_write, NULL, 64, 0},
    {"topic_read", count_topic_read, NULL, 64, 0},
    {"utf8_of_60_bytes", count_utf8, NULL, 60, 0},
    {"sendq_single", count_sendq, NULL, 64, 1},
    {"sendq_in_lots", count_sendq, NULL, 64, COUNT_LOT},
    {"sendq_full", count_sendq_full, NULL, 64, 0},
};

/* Its name is what instructions.py tells callgrind. */
__attribute__((noinline)) static bool count_measured(const struct count_work *work)
{
    return work->run(work, COUNT_OPERATIONS);
}

int main(void)
{
    memset(count_payload, COUNT_LETTER, sizeof count_payload);
    printf("made with gcc %s, glibc %s\n", __VERSION__, gnu_get_libc_version());
    for (size_t i = 0; i < sizeof count_works / sizeof count_works[0]; i++) {
        const struct count_work *work = &count_works[i];
        if (!work->run(work, COUNT_LOT) || !count_measured(work)) {
            fprintf(stderr, "%s did not do its work\n", work->name);
            return 1;
        }
        printf("%s %d\n", work->name, COUNT_OPERATIONS);
    }
    return 0;
}
