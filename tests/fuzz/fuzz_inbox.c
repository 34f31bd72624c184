/* SPDX-License-Identifier: MIT */
/*
 * fuzz_inbox.c - engine/flow/inbox.h fed with any stream, cut anywhere, at any bound of memory.
 *
 * The input: the bounds, whether there is a spare block, whether frames say their length (the default framing) or end
 * with a byte, then steps (enum inbox_step). Two steps add to what the
 * peer has sent, others hand out what was received, drop, and let takes of memory fail. Whatever is cut how, the
 * messages are those of naive.h.
 */
#include "engine/flow/inbox.h"

#include "engine/base/assert.h"
#include "tests/support/default_frame.h"
#include "tests/fuzz/choices.h"
#include "tests/fuzz/naive.h"
#include "tests/support/bytes.h"

#include <string.h>

enum inbox_step { SEND_RAW, SEND_MESSAGE, RECEIVE, RECEIVE_ALL, NEXT, DROP, STARVE, FEED, STEPS };

enum { INBOX_STREAM_BYTES_MAX = 1 << 19, INBOX_SOIL_BYTES = 4096, INBOX_LINE_END = 0xEE };

typedef struct inbox_bed {
    pp_memory memory;
    pp_inbox inbox;
    pp_inbox_means means;
    pp_spare spare;
    bool awaits;     /* The spare is lent. */
    test_bytes sent; /* By the peer, ever. */
    size_t received; /* Of those, by the inbox. */
    size_t at;       /* Where in `sent` the next frame begins. */
    bool dropped, refused;
    const uint8_t *payload; /* The last message, which the inbox still has to keep. */
    uint32_t length;
    size_t payload_at;
} inbox_bed;

static void inbox_bed_check(const inbox_bed *bed)
{
    pp_inbox_check(&bed->inbox);
    pp_memory_check(&bed->memory);
    uint64_t longest = (uint64_t) bed->means.payload_bytes_max + FRAME_HEADER_BYTES;
    if (bed->means.framing->kind == PP_FRAMING_DELIMITER) {
        longest += PP_INBOX_AFTER_BYTES; /* Its block ends behind the bound, for it may end anywhere before. */
    }
    uint64_t spare = bed->awaits ? PP_SPARE_BYTES + PP_INBOX_AFTER_BYTES : 0;
    uint64_t ordinary = bed->awaits ? PP_SPARE_BYTES : PP_INBOX_BUSY_BYTES; /* One may be kept. */
    PP_VERIFY(bed->memory.bytes <= spare + (longest > ordinary ? longest : ordinary));
    if (bed->payload != NULL) {
        PP_VERIFY(memcmp(bed->payload, bed->sent.data + bed->payload_at, bed->length) == 0);
    }
}

static const pp_framing inbox_lines = {.kind = PP_FRAMING_DELIMITER, .delimiter = INBOX_LINE_END};

/* What is not a line's end is its payload. */
static naive_verdict inbox_look_at_line(const inbox_bed *bed, naive_frame *frame)
{
    uint64_t bytes = 0;
    for (size_t i = bed->at; i < bed->received; ++i, ++bytes) {
        if (bed->sent.data[i] == INBOX_LINE_END) {
            *frame = (naive_frame){bed->at, bytes, bytes + 1};
            return bytes > bed->means.payload_bytes_max ? NAIVE_REFUSED : NAIVE_MESSAGE;
        }
    }
    return bytes > bed->means.payload_bytes_max ? NAIVE_REFUSED : NAIVE_MORE;
}

static naive_verdict inbox_look_naively(const inbox_bed *bed, naive_frame *frame)
{
    if (bed->means.framing == &inbox_lines) {
        return inbox_look_at_line(bed, frame);
    }
    return naive_look(bed->sent.data, bed->received, bed->at, bed->means.payload_bytes_max, frame);
}

/* As a reader asks: in place where it may (engine/conn/reader.h). */
static pp_inbox_verdict inbox_next(inbox_bed *bed, const uint8_t **payload, uint32_t *length)
{
    const pp_inbox_means *means = &bed->means;
    if (pp_framing_is_default(means->framing) &&
        pp_inbox_next_default(&bed->inbox, means->payload_bytes_max, payload, length)) {
        return PP_INBOX_MESSAGE;
    }
    return pp_inbox_next(&bed->inbox, means, payload, length);
}

/* One call of next. False: it has nothing more. */
static bool inbox_bed_next(inbox_bed *bed)
{
    naive_frame expected = {0, 0, 0};
    naive_verdict verdict = NAIVE_MORE;
    if (bed->refused || !bed->dropped) {
        verdict = bed->refused ? NAIVE_REFUSED : inbox_look_naively(bed, &expected);
    }
    const uint8_t *payload = NULL;
    uint32_t length = 0;
    switch (inbox_next(bed, &payload, &length)) {
    case PP_INBOX_MESSAGE:
        PP_VERIFY(verdict == NAIVE_MESSAGE);
        PP_VERIFY(payload != NULL && length == expected.payload_bytes);
        bed->payload = payload;
        bed->length = length;
        bed->payload_at = expected.payload_at;
        bed->at += expected.frame_bytes;
        inbox_bed_check(bed);
        return true;
    case PP_INBOX_MORE:
        PP_VERIFY(verdict == NAIVE_MORE);
        break;
    case PP_INBOX_REFUSED:
        PP_VERIFY(verdict == NAIVE_REFUSED);
        bed->refused = true;
        break;
    }
    inbox_bed_check(bed);
    return false;
}

static void inbox_bed_receive(inbox_bed *bed, uint32_t most, bool drops_meanwhile)
{
    while (inbox_bed_next(bed)) {
    }
    uint8_t *room = NULL;
    uint32_t bytes = 0;
    bed->payload = NULL;
    if (bed->awaits && most % 2 == 1) {
        pp_inbox_rest(&bed->inbox, &bed->means);
        PP_VERIFY(bed->inbox.end != 0 || bed->inbox.block == NULL);
        inbox_bed_check(bed);
    }
    if (pp_inbox_room(&bed->inbox, &bed->means, &room, &bytes) != PIPEPORT_OK) {
        inbox_bed_check(bed);
        return;
    }
    PP_VERIFY(room != NULL && bytes != 0);
    inbox_bed_check(bed);
    memset(room, 0xEE, bytes < INBOX_SOIL_BYTES ? bytes : INBOX_SOIL_BYTES); /* It is the system's. */
    room[bytes - 1] = 0xEE;
    if (drops_meanwhile) {
        pp_inbox_drop(&bed->inbox);
        bed->dropped = true;
    }
    size_t left = bed->sent.length - bed->received;
    uint32_t filled = left < bytes ? (uint32_t) left : bytes;
    filled = filled < most ? filled : most;
    if (filled != 0) {
        memcpy(room, bed->sent.data + bed->received, filled);
    }
    bed->received += filled;
    pp_inbox_filled(&bed->inbox, filled, 0);
    inbox_bed_check(bed);
}

static void inbox_bed_send_message(inbox_bed *bed, uint32_t length)
{
    uint8_t header[4] = {(uint8_t) length, (uint8_t) (length >> 8), (uint8_t) (length >> 16), (uint8_t) (length >> 24)};
    static uint8_t payload[1 << 17];
    for (uint32_t i = 0; i < length; ++i) {
        payload[i] = (uint8_t) (i * 7 + bed->sent.length);
    }
    test_bytes_add(&bed->sent, header, sizeof header);
    test_bytes_add(&bed->sent, payload, length);
}

static void inbox_bed_step(inbox_bed *bed, fuzz_choices *choices)
{
    uint8_t choice = fuzz_byte(choices);
    bool has_room = bed->sent.length < INBOX_STREAM_BYTES_MAX;
    const uint8_t *raw = NULL;
    switch ((enum inbox_step)(choice % STEPS)) {
    case SEND_RAW:
        if (has_room) {
            size_t length = fuzz_raw(choices, choice / STEPS + 1u, &raw);
            test_bytes_add(&bed->sent, raw, length);
        }
        return;
    case SEND_MESSAGE:
        if (has_room) {
            uint32_t below = bed->means.payload_bytes_max < 1 << 17 ? bed->means.payload_bytes_max + 1 : 1 << 17;
            inbox_bed_send_message(bed, fuzz_length(choices, below));
        }
        return;
    case RECEIVE:
        inbox_bed_receive(bed, fuzz_length(choices, 1 << 20), choice >= 0xF0);
        return;
    case RECEIVE_ALL:
        do {
            inbox_bed_receive(bed, UINT32_MAX, false);
        } while (bed->received < bed->sent.length && bed->inbox.block_bytes != 0 && bed->memory.fail_after != 0 &&
                 bed->memory.bytes_max == 0);
        return;
    case NEXT:
        (void) inbox_bed_next(bed);
        return;
    case DROP:
        if (choice >= 0x80) { /* A stream that is dropped has little more to say. */
            pp_inbox_drop(&bed->inbox);
            bed->dropped = true;
        }
        return;
    case STARVE:
        atomic_store(&bed->memory.fail_after, choice / STEPS % 4u);
        return;
    case FEED:
        atomic_store(&bed->memory.fail_after, UINT64_MAX);
        return;
    case STEPS:
        return;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    static const uint32_t payloads[] = {1 << 18, 0, 1, 100, 252, 253, 2044, 65536, 66044, PP_FRAMING_PAYLOAD_BYTES_MAX};
    static const uint32_t memories[] = {0, 4 << 20, 4 << 20, 200, 256, 600, 2048, 4000, 70000, 200000};
    fuzz_choices choices = {data, length};
    static inbox_bed bed;
    memset(&bed, 0, sizeof bed);
    uint8_t first = fuzz_byte(&choices);
    uint32_t payload_bytes_max = payloads[first % 10];
    bed.awaits = first / 10 % 2 == 1;
    bool is_long = payload_bytes_max > 1 << 20; /* Taken from a bounded memory only: a GiB takes its time. */
    pp_memory_init(&bed.memory, memories[1 + fuzz_byte(&choices) % 9u - !is_long]);
    const pp_framing *framing = first >= 160 ? &inbox_lines : &pp_framing_default;
    bed.means = (pp_inbox_means){&bed.memory, bed.awaits ? &bed.spare : NULL, framing, payload_bytes_max};
    pp_inbox_init(&bed.inbox);
    while (choices.left != 0) {
        inbox_bed_step(&bed, &choices);
        inbox_bed_check(&bed);
    }
    while (inbox_bed_next(&bed)) {
    }
    if (bed.awaits) {
        pp_inbox_rest(&bed.inbox, &bed.means);
    }
    pp_inbox_fini(&bed.inbox, &bed.memory);
    pp_spare_fini(&bed.spare);
    PP_VERIFY(bed.memory.bytes == 0);
    pp_memory_check(&bed.memory);
    free(bed.sent.data);
    return 0;
}
