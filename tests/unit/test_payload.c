/* SPDX-License-Identifier: MIT */
/* The tools' messages: what is written is read back as good, and every kind of wrong one is told from it. */
#include "tools/pipeport/payload.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const size_t lengths[] = {0, 1, 7, 8, 39, 40, 41, 47, 48, 63, 64, 71, 72, 73, 79, 80, 81, 103, 104, 4096, 65537};
#define LENGTHS (sizeof(lengths) / sizeof(lengths[0]))

/* What messages of most tests here lack. */
static const uint32_t lacked[] = {PAYLOAD_LACKS_NONE,  PAYLOAD_LACKS(0),    PAYLOAD_LACKS('\n'),
                                  PAYLOAD_LACKS('\r'), PAYLOAD_LACKS('-'),  PAYLOAD_LACKS(0x4d),
                                  PAYLOAD_LACKS(0x60), PAYLOAD_LACKS(0xff), PAYLOAD_LACKS_HIGH};
#define LACKED (sizeof(lacked) / sizeof(lacked[0]))

static struct payload request(uint32_t tag, uint64_t sequence, size_t length)
{
    return (struct payload){.kind = PAYLOAD_KIND_REQUEST,
                            .tag = tag,
                            .sequence = sequence,
                            .seed = 77,
                            .made_ns = 123456789,
                            .length = length};
}

static unsigned char *written(const struct payload *payload)
{
    unsigned char *data = malloc(payload->length + 1);

    cr_assert_not_null(data);
    data[payload->length] = 0xee;
    payload_write(payload, data);
    cr_assert_eq(data[payload->length], 0xee, "%zu bytes: written beyond the end", payload->length);
    return data;
}

/* What a receiver that expects `expected` says of `came`. */
static enum payload_verdict verdict(struct payload expected, struct payload came)
{
    unsigned char *data = written(&came);
    struct payload found;
    enum payload_verdict result;

    result = payload_read(&expected, data, came.length, &found);
    cr_assert_eq(found.length, came.length);
    if (came.length >= payload_header_bytes(came.lacks)) {
        cr_assert_eq(found.sequence, came.sequence);
        cr_assert_eq(found.tag, came.tag);
        cr_assert_eq(found.made_ns, came.made_ns);
    }
    free(data);
    return result;
}

Test(payload, reads_back_what_it_wrote)
{
    for (size_t i = 0; i < LENGTHS * LACKED; i++) {
        struct payload payload = request(3, 9, lengths[i / LACKED]);

        payload.lacks = lacked[i % LACKED];
        cr_assert_eq(verdict(payload, payload), PAYLOAD_GOOD, "%zu bytes", payload.length);
    }
}

/* Every byte in turn, in messages that would hold all 256 and each at their end. */
Test(payload, holds_no_byte_that_it_lacks)
{
    unsigned char data[600];

    for (unsigned byte = 0; byte < 256; byte++) {
        for (size_t length = 0; length < sizeof(data); length++) {
            struct payload payload = request(byte, length, length);

            payload.lacks = PAYLOAD_LACKS(byte);
            payload_write(&payload, data);
            cr_assert_null(length == 0 ? NULL : memchr(data, (int) byte, length), "%zu bytes hold %02x", length, byte);
            cr_assert(length == 0 || data[length - 1] != '\r', "%zu bytes without %02x end in 0d", length, byte);
            payload.lacks = PAYLOAD_LACKS_HIGH;
            payload_write(&payload, data);
            for (size_t i = 0; i < length; i++) {
                cr_assert_lt(data[i], 0x80, "%zu bytes of text hold %02x", length, data[i]);
            }
        }
    }
}

Test(payload, finds_any_bit_that_flipped)
{
    for (size_t i = 2; i < LENGTHS * 2; i++) {
        struct payload payload = request(5, 11, lengths[i / 2]), found;
        /* Odd, as no block is, so that every place of one is met. */
        size_t step = payload.length > 4096 ? 331 : payload.length > 1024 ? 7 : 1;
        unsigned char *data;

        payload.lacks = i % 2 == 0 ? PAYLOAD_LACKS_NONE : PAYLOAD_LACKS('\n');
        data = written(&payload);

        for (size_t bit = 0; bit < payload.length * 8; bit += step) {
            data[bit / 8] ^= (unsigned char) (1u << bit % 8);
            cr_assert_neq(payload_read(&payload, data, payload.length, &found), PAYLOAD_GOOD, "%zu bytes, bit %zu",
                          payload.length, bit);
            data[bit / 8] ^= (unsigned char) (1u << bit % 8);
        }
        free(data);
    }
}

Test(payload, finds_words_that_changed_places)
{
    struct payload payload = request(5, 11, 4096), found;
    unsigned char *data = written(&payload);

    for (size_t at = PAYLOAD_HEADER_BYTES; at + 72 <= payload.length; at += 8) {
        for (size_t apart = 8; apart <= 64; apart += 8) { /* Also by a whole round of the sum, 32. */
            unsigned char word[8];

            memcpy(word, data + at, 8);
            memcpy(data + at, data + at + apart, 8);
            memcpy(data + at + apart, word, 8);
            cr_assert_eq(payload_read(&payload, data, payload.length, &found), PAYLOAD_WRONG_BYTES, "at %zu by %zu", at,
                         apart);
            memcpy(word, data + at, 8);
            memcpy(data + at, data + at + apart, 8);
            memcpy(data + at + apart, word, 8);
        }
    }
    free(data);
}

Test(payload, names_what_is_wrong)
{
    struct payload due = request(3, 9, 100), came = due;

    came.sequence = 10;
    cr_assert_eq(verdict(due, came), PAYLOAD_AHEAD);
    came.sequence = 8;
    cr_assert_eq(verdict(due, came), PAYLOAD_AGAIN);
    came = due;
    came.tag = 4;
    cr_assert_eq(verdict(due, came), PAYLOAD_WRONG_TAG);
    came = due;
    came.kind = PAYLOAD_KIND_BROADCAST;
    cr_assert_eq(verdict(due, came), PAYLOAD_WRONG_KIND);
    came = due;
    came.length = 101;
    cr_assert_eq(verdict(due, came), PAYLOAD_WRONG_LENGTH);
    came.length = 39;
    cr_assert_eq(verdict(due, came), PAYLOAD_WRONG_LENGTH);
}

Test(payload, finds_a_message_that_was_cut_or_joined)
{
    struct payload payload = request(3, 9, 100), found;
    unsigned char *data = written(&payload);

    cr_assert_eq(payload_read(&payload, data, 99, &found), PAYLOAD_WRONG_BYTES);
    cr_assert_eq(payload_read(&payload, data, 101, &found), PAYLOAD_WRONG_BYTES);
    cr_assert_eq(payload_read(&payload, data, 0, &found), PAYLOAD_WRONG_LENGTH);
    free(data);
}

Test(payload, tells_short_messages_by_tag_sequence_and_seed)
{
    struct payload due = request(3, 9, 8), came = due;

    came.tag = 4;
    cr_assert_eq(verdict(due, came), PAYLOAD_WRONG_BYTES);
    came = due;
    came.sequence = 10;
    cr_assert_eq(verdict(due, came), PAYLOAD_WRONG_BYTES);
    came = due;
    came.seed = 78;
    cr_assert_eq(verdict(due, came), PAYLOAD_WRONG_BYTES);
}

Test(payload, tells_broadcasts_from_the_rest)
{
    struct payload payload = {.kind = PAYLOAD_KIND_BROADCAST, .tag = PAYLOAD_TAG_ALL, .length = 40};
    unsigned char *data = written(&payload);

    cr_assert_eq(payload_kind(0, data, 40), PAYLOAD_KIND_BROADCAST);
    cr_assert_eq(payload_kind(0, data, 39), PAYLOAD_KIND_REQUEST);
    cr_assert_eq(payload_kind(0, data, 0), PAYLOAD_KIND_REQUEST);
    free(data);
    payload.lacks = PAYLOAD_LACKS(0);
    payload.length = 80;
    data = written(&payload);
    cr_assert_eq(payload_kind(PAYLOAD_LACKS(0), data, 80), PAYLOAD_KIND_BROADCAST);
    cr_assert_eq(payload_kind(PAYLOAD_LACKS(0), data, 79), PAYLOAD_KIND_REQUEST);
    data[1] = 'z'; /* No letter of a header. */
    cr_assert_eq(payload_kind(PAYLOAD_LACKS(0), data, 80), PAYLOAD_KIND_REQUEST);
    free(data);
}

Test(payload, has_words_for_every_verdict)
{
    for (int i = PAYLOAD_GOOD; i <= PAYLOAD_AGAIN; i++) {
        cr_assert_gt(strlen(payload_verdict_text((enum payload_verdict) i)), 3);
    }
}
