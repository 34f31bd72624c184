/* SPDX-License-Identifier: MIT */
/*
 * test_inbox_cuts.c - cutting a stream changes nothing: against a naive decoder that has the whole stream before it.
 *
 * Every pair of cuts of small streams, and long random streams in random pieces with allocations that fail. A failure
 * prints the seed; PIPEPORT_TEST_SEED runs it again.
 */
#include "engine/flow/inbox.h"
#include "tests/support/default_frame.h"
#include "tests/support/random.h"

#include <criterion/criterion.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

TestSuite(inbox_cuts, .timeout = 120);

typedef struct cuts_reader {
    pp_memory memory;
    pp_inbox inbox;
    pp_inbox_means means;
    const uint8_t *stream;
    size_t at;    /* Where the naive decoder stands. */
    size_t given; /* How much the inbox was given. */
    uint32_t bound;
    uint32_t delivered;
    uint32_t no_memory; /* NO_MEMORY answers. */
    bool refused;
    const char *fault; /* The first, or NULL. */
} cuts_reader;

static void cuts_open(cuts_reader *reader, const uint8_t *stream, uint32_t bound)
{
    *reader = (cuts_reader){.stream = stream, .bound = bound};
    pp_memory_init(&reader->memory, 0);
    reader->means = (pp_inbox_means){
        .memory = &reader->memory, .framing = &pp_framing_default, .payload_bytes_max = bound};
    pp_inbox_init(&reader->inbox);
}

static void cuts_close(cuts_reader *reader)
{
    pp_inbox_fini(&reader->inbox, &reader->memory);
    pp_memory_check(&reader->memory);
    if (atomic_load(&reader->memory.bytes) != 0) {
        reader->fault = "a block was not given back";
    }
}

static void cuts_fault(cuts_reader *reader, const char *fault)
{
    if (reader->fault == NULL) {
        reader->fault = fault;
    }
}

/* What the naive decoder says of the bytes given so far; moves on over a message. */
static pp_inbox_verdict cuts_decode(cuts_reader *reader, size_t *payload_at, uint32_t *length)
{
    if (reader->given - reader->at < 4) {
        return PP_INBOX_MORE;
    }
    const uint8_t *header = reader->stream + reader->at;
    uint64_t claimed = header[0] + header[1] * 256ull + header[2] * 65536ull + header[3] * 16777216ull;
    if (claimed > reader->bound) {
        return PP_INBOX_REFUSED;
    }
    if (reader->given - reader->at - 4 < claimed) {
        return PP_INBOX_MORE;
    }
    *payload_at = reader->at + 4;
    *length = (uint32_t) claimed;
    reader->at += 4 + *length;
    return PP_INBOX_MESSAGE;
}

static void cuts_deliver(cuts_reader *reader)
{
    pp_inbox_verdict verdict;
    do {
        const uint8_t *payload = NULL;
        uint32_t length = 0;
        size_t expected_at = 0;
        uint32_t expected_length = 0;
        verdict = pp_inbox_next(&reader->inbox, &reader->means, &payload, &length);
        pp_inbox_check(&reader->inbox);
        if (verdict != cuts_decode(reader, &expected_at, &expected_length)) {
            cuts_fault(reader, "another verdict than the naive decoder's");
            return;
        }
        if (verdict == PP_INBOX_MESSAGE) {
            reader->delivered++;
            if (payload == NULL || length != expected_length ||
                memcmp(payload, reader->stream + expected_at, length) != 0) {
                cuts_fault(reader, "another message than the naive decoder's");
                return;
            }
        }
    } while (verdict == PP_INBOX_MESSAGE);
    reader->refused = verdict == PP_INBOX_REFUSED;
}

/* Gives the next `bytes` of the stream in as many reads as the room makes of them. */
static void cuts_give(cuts_reader *reader, size_t bytes)
{
    while (bytes != 0 && !reader->refused && reader->fault == NULL) {
        uint8_t *room;
        uint32_t room_bytes;
        if (pp_inbox_room(&reader->inbox, &reader->means, &room, &room_bytes) != PIPEPORT_OK) {
            pp_inbox_check(&reader->inbox);
            reader->no_memory++;
            atomic_store(&reader->memory.fail_after, UINT64_MAX);
            continue;
        }
        uint32_t taken = bytes < room_bytes ? (uint32_t) bytes : room_bytes;
        memcpy(room, reader->stream + reader->given, taken);
        memset(room + taken, 0xff, room_bytes - taken < 16 ? room_bytes - taken : 16); /* Not to be looked at. */
        pp_inbox_filled(&reader->inbox, taken, 0);
        reader->given += taken;
        bytes -= taken;
        cuts_deliver(reader);
    }
}

/* Frames of the given payloads, filled with bytes that are distinct and never look like a small length. */
static size_t cuts_write_stream(uint8_t *stream, const uint32_t *lengths, int count)
{
    size_t bytes = 0;
    for (int i = 0; i < count; i++) {
        frame_write_header(stream + bytes, lengths[i]);
        bytes += FRAME_HEADER_BYTES;
        for (uint32_t j = 0; j < lengths[i]; j++) {
            stream[bytes] = (uint8_t) (0x80 | bytes);
            bytes++;
        }
    }
    return bytes;
}

static void cuts_try_all_pairs(const uint32_t *lengths, int count, uint32_t bound)
{
    static uint8_t stream[2048];
    size_t bytes = cuts_write_stream(stream, lengths, count);
    for (size_t first = 0; first <= bytes; first++) {
        for (size_t second = first; second <= bytes; second++) {
            cuts_reader reader;
            cuts_open(&reader, stream, bound);
            cuts_deliver(&reader);
            cuts_give(&reader, first);
            cuts_give(&reader, second - first);
            cuts_give(&reader, bytes - second);
            cuts_close(&reader);
            cr_assert(reader.fault == NULL, "cut at %zu and %zu of %zu: %s", first, second, bytes, reader.fault);
            if (reader.delivered != (uint32_t) count || reader.at != bytes) {
                cr_assert_fail("cut at %zu and %zu of %zu: %u delivered", first, second, bytes, reader.delivered);
            }
        }
    }
}

Test(inbox_cuts, change_nothing_in_a_stream_of_small_messages)
{
    cuts_try_all_pairs((uint32_t[]){0, 1, 2, 0, 0, 5, 4, 3}, 8, 5);
}

Test(inbox_cuts, change_nothing_where_everything_is_empty)
{
    cuts_try_all_pairs((uint32_t[]){0, 0, 0, 0, 0}, 5, 0);
}

Test(inbox_cuts, change_nothing_around_the_end_of_a_block)
{
    cuts_try_all_pairs((uint32_t[]){3, PP_INBOX_IDLE_BYTES - 4 - 7 - 1, 0, 20}, 4, PP_INBOX_IDLE_BYTES);
}

Test(inbox_cuts, change_nothing_where_a_frame_is_longer_than_a_block)
{
    cuts_try_all_pairs((uint32_t[]){1, PP_INBOX_IDLE_BYTES, 2}, 3, PP_INBOX_IDLE_BYTES);
}

Test(inbox_cuts, change_nothing_in_a_stream_that_is_refused)
{
    static const uint32_t lengths[] = {6, 1u << 30, 0x80000000u, UINT32_MAX};
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        uint8_t stream[64];
        size_t refused_at = cuts_write_stream(stream, (uint32_t[]){5, 0}, 2);
        frame_write_header(stream + refused_at, lengths[i]);
        size_t bytes = refused_at + FRAME_HEADER_BYTES;
        bytes += cuts_write_stream(stream + bytes, (uint32_t[]){1, 1}, 2);
        for (size_t cut = 0; cut <= bytes; cut++) {
            cuts_reader reader;
            cuts_open(&reader, stream, 5);
            cuts_give(&reader, cut);
            cuts_give(&reader, bytes - cut);
            cr_assert(reader.refused, "cut at %zu", cut);
            cr_assert_eq(atomic_load(&reader.memory.taken), 1);
            cuts_close(&reader);
            cr_assert(reader.fault == NULL, "cut at %zu: %s", cut, reader.fault);
            cr_assert_eq(reader.delivered, 2);
            cr_assert_eq(reader.at, refused_at);
        }
    }
}

/* ---- Random ---- */

enum { CUTS_STREAM_BYTES = 1 << 20, CUTS_SEEDS = 150, CUTS_BOUND = 200000 };

/* Lengths that lie around what an inbox cares about, mostly small. */
static uint32_t cuts_random_length(uint64_t *random)
{
    static const uint32_t edges[] = {0,    1,    508,   509,   512,   4092,  4093,           4096,
                                     8252, 8257, 32764, 32768, 65536, 66044, CUTS_BOUND - 1, CUTS_BOUND};
    switch (test_random_below(random, 8)) {
    case 0:
        return edges[test_random_below(random, sizeof(edges) / sizeof(edges[0]))];
    case 1:
        return test_random_below(random, 3);
    case 2:
        return test_random_below(random, 5000);
    default:
        return test_random_below(random, 200);
    }
}

static size_t cuts_random_stream(uint64_t *random, uint8_t *stream, uint32_t *count)
{
    size_t bytes = 0;
    uint64_t filling = test_random(random);
    for (*count = 0;; ++*count) {
        uint32_t length = cuts_random_length(random);
        if (bytes + FRAME_HEADER_BYTES + length > CUTS_STREAM_BYTES) {
            return bytes;
        }
        frame_write_header(stream + bytes, length);
        bytes += FRAME_HEADER_BYTES;
        for (uint32_t i = 0; i < length; i++) {
            filling = filling * 6364136223846793005u + 1442695040888963407u;
            stream[bytes++] = (uint8_t) (filling >> 56);
        }
    }
}

/* Pieces of one kind for a while, so that the block grows and shrinks, then of another. */
static void cuts_give_in_random_pieces(cuts_reader *reader, uint64_t *random, size_t bytes)
{
    static const uint32_t pieces[] = {1, 5, 70, 600, 5000, 40000, 300000};
    while (reader->given < bytes && reader->fault == NULL) {
        uint32_t piece = pieces[test_random_below(random, sizeof(pieces) / sizeof(pieces[0]))];
        for (int i = 0; i < 40 && reader->given < bytes && reader->fault == NULL; i++) {
            size_t left = bytes - reader->given;
            size_t next = 1 + test_random_below(random, piece);
            if (test_random_below(random, 4) == 0) {
                atomic_store(&reader->memory.fail_after, test_random_below(random, 2));
            }
            cuts_give(reader, next < left ? next : left);
        }
    }
}

Test(inbox_cuts, change_nothing_in_random_streams_with_failing_allocations)
{
    uint8_t *stream = malloc(CUTS_STREAM_BYTES);
    uint64_t first = test_seed();
    uint64_t no_memory = 0;
    for (uint64_t seed = first; seed < first + CUTS_SEEDS; seed++) {
        uint64_t random = seed;
        uint32_t count;
        cuts_reader reader;
        size_t bytes = cuts_random_stream(&random, stream, &count);
        cuts_open(&reader, stream, CUTS_BOUND);
        cuts_give_in_random_pieces(&reader, &random, bytes);
        cuts_close(&reader);
        cr_assert(reader.fault == NULL, "PIPEPORT_TEST_SEED=%" PRIu64 ": %s at %zu", seed, reader.fault, reader.at);
        cr_assert_eq(reader.delivered, count, "PIPEPORT_TEST_SEED=%" PRIu64, seed);
        cr_assert_eq(reader.at, bytes, "PIPEPORT_TEST_SEED=%" PRIu64, seed);
        no_memory += reader.no_memory;
    }
    free(stream);
    cr_assert_gt(no_memory, 0, "no allocation ever failed where it mattered");
}

Test(inbox_cuts, change_nothing_whichever_allocation_fails)
{
    static const uint32_t lengths[] = {10, 700, 0, 3000, 12, 9000, 1, 70000, 5};
    enum { COUNT = sizeof(lengths) / sizeof(lengths[0]) };
    uint8_t *stream = malloc(100000);
    size_t bytes = cuts_write_stream(stream, lengths, COUNT);
    for (size_t piece = 1; piece < 5000; piece = piece * 3 + 1) {
        uint64_t after = 0;
        uint64_t taken = 1;
        for (; after <= taken; after++) {
            cuts_reader reader;
            cuts_open(&reader, stream, 100000);
            atomic_store(&reader.memory.fail_after, after);
            while (reader.given < bytes && reader.fault == NULL) {
                cuts_give(&reader, piece < bytes - reader.given ? piece : bytes - reader.given);
            }
            taken = atomic_load(&reader.memory.taken);
            cuts_close(&reader);
            cr_assert(reader.fault == NULL, "pieces of %zu, failing after %" PRIu64 ": %s", piece, after, reader.fault);
            cr_assert_eq(reader.delivered, COUNT);
        }
    }
    free(stream);
}
