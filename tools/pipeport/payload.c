/* SPDX-License-Identifier: MIT */
#include "tools/pipeport/payload.h"

#include <string.h>

#define PAYLOAD_LANES 4 /* Independent sums, so that a processor works on all of them at once. */
#define PAYLOAD_ROUND ((size_t) PAYLOAD_LANES * 8)
#define PAYLOAD_CHECKSUM_AT 32

/* Odd, half of their bits set, without a pattern: what a multiplier needs to spread a bit over the upper half. */
#define PAYLOAD_ODD_1 UINT64_C(0xd6e8feb86659fd93)
#define PAYLOAD_ODD_2 UINT64_C(0xa5cb9243f0ae7d5b)
#define PAYLOAD_ODD_3 UINT64_C(0x8f1c6d3b9a52e477)

static uint64_t payload_load(const unsigned char *bytes, size_t count)
{
    uint64_t word = 0;

    for (size_t i = 0; i < count; i++) {
        word |= (uint64_t) bytes[i] << (8 * i);
    }
    return word;
}

/* Without a loop, so that compilers see one load in it. */
static uint64_t payload_load_word(const unsigned char *bytes)
{
    return (uint64_t) bytes[0] | (uint64_t) bytes[1] << 8 | (uint64_t) bytes[2] << 16 | (uint64_t) bytes[3] << 24 |
           (uint64_t) bytes[4] << 32 | (uint64_t) bytes[5] << 40 | (uint64_t) bytes[6] << 48 |
           (uint64_t) bytes[7] << 56;
}

static void payload_store(unsigned char *bytes, size_t count, uint64_t word)
{
    for (size_t i = 0; i < count; i++) {
        bytes[i] = (unsigned char) (word >> (8 * i));
    }
}

static void payload_store_word(unsigned char *bytes, uint64_t word)
{
    bytes[0] = (unsigned char) word;
    bytes[1] = (unsigned char) (word >> 8);
    bytes[2] = (unsigned char) (word >> 16);
    bytes[3] = (unsigned char) (word >> 24);
    bytes[4] = (unsigned char) (word >> 32);
    bytes[5] = (unsigned char) (word >> 40);
    bytes[6] = (unsigned char) (word >> 48);
    bytes[7] = (unsigned char) (word >> 56);
}

uint64_t payload_mix(uint64_t word)
{
    word = (word ^ (word >> 32)) * PAYLOAD_ODD_1;
    word = (word ^ (word >> 29)) * PAYLOAD_ODD_2;
    return word ^ (word >> 32);
}

/* Since a lane's step can be undone too, any change within one word changes the sum for certain; any other is missed
 * once in 2^64. */
static uint64_t payload_sum(uint64_t start, const unsigned char *bytes, size_t length)
{
    uint64_t lanes[PAYLOAD_LANES] = {start, start ^ PAYLOAD_ODD_1, start ^ PAYLOAD_ODD_2, start ^ PAYLOAD_ODD_3};
    size_t at = 0;
    uint64_t sum = payload_mix(length);

    for (; length - at >= PAYLOAD_ROUND; at += PAYLOAD_ROUND) {
        for (size_t lane = 0; lane < PAYLOAD_LANES; lane++) {
            uint64_t word = (lanes[lane] ^ payload_load_word(bytes + at + lane * 8)) * PAYLOAD_ODD_3;

            lanes[lane] = word ^ (word >> 31);
        }
    }
    for (; at < length; at += 8) {
        size_t count = length - at < 8 ? length - at : 8;

        lanes[0] = payload_mix(lanes[0] ^ payload_load(bytes + at, count));
    }
    for (size_t lane = 0; lane < PAYLOAD_LANES; lane++) {
        sum = payload_mix(sum ^ lanes[lane]) + lane;
    }
    return sum;
}

/* Puts others in the place of bytes that the message may not hold. `bytes` are its last. */
static void payload_spare(uint32_t lacks, unsigned char *bytes, size_t length)
{
    unsigned char lacked = (unsigned char) lacks;

    if (lacks == PAYLOAD_LACKS_NONE) {
        return;
    }
    if (lacks == PAYLOAD_LACKS_HIGH) {
        for (size_t i = 0; i < length; i++) {
            bytes[i] &= 0x7f;
        }
        return;
    }
    for (size_t i = 0; i < length; i++) {
        bytes[i] = bytes[i] == lacked ? (unsigned char) (lacked ^ 0x40) : bytes[i];
    }
    if (length > 0 && bytes[length - 1] == '\r') {
        bytes[length - 1] = lacked == '-' ? '+' : '-';
    }
}

/* The first of the 16 letters that a header is written with: neither they nor what else is there hold the byte. */
static unsigned char payload_letters(uint32_t lacks)
{
    return (lacks & 0xf0) == 0x40 ? 0x60 : 0x40;
}

static void payload_store_header(uint32_t lacks, const unsigned char *header, unsigned char *bytes)
{
    unsigned char first = payload_letters(lacks);

    if (lacks == PAYLOAD_LACKS_NONE) {
        memcpy(bytes, header, PAYLOAD_HEADER_BYTES);
        return;
    }
    for (size_t i = 0; i < PAYLOAD_HEADER_BYTES; i++) {
        bytes[2 * i] = (unsigned char) (first + (header[i] & 15));
        bytes[2 * i + 1] = (unsigned char) (first + (header[i] >> 4));
    }
}

/* False where it is not written with its letters. */
static bool payload_load_header(uint32_t lacks, const unsigned char *bytes, unsigned char *header)
{
    unsigned char first = payload_letters(lacks);

    if (lacks == PAYLOAD_LACKS_NONE) {
        memcpy(header, bytes, PAYLOAD_HEADER_BYTES);
        return true;
    }
    for (size_t i = 0; i < PAYLOAD_HEADER_BYTES; i++) {
        unsigned low = bytes[2 * i] - (unsigned) first, high = bytes[2 * i + 1] - (unsigned) first;

        if (low > 15 || high > 15) {
            return false;
        }
        header[i] = (unsigned char) (low | high << 4);
    }
    return true;
}

static void payload_grow(const struct payload *payload, unsigned char *bytes, size_t length)
{
    uint64_t word = payload_mix(payload->seed ^ PAYLOAD_ODD_2);
    size_t at = 0;

    word = payload_mix(word ^ ((uint64_t) payload->tag << 32 | payload->kind));
    word = payload_mix(word ^ payload->sequence);
    for (; length - at >= 8; at += 8) {
        word += PAYLOAD_ODD_1;
        payload_store_word(bytes + at, word ^ (word >> 29) * PAYLOAD_ODD_2);
    }
    payload_store(bytes + at, length - at, payload_mix(word + PAYLOAD_ODD_1));
    payload_spare(payload->lacks, bytes, length);
}

static uint64_t payload_checksum(const unsigned char *header, const unsigned char *rest, size_t length)
{
    return payload_sum(payload_sum(PAYLOAD_ODD_3, header, PAYLOAD_CHECKSUM_AT), rest, length);
}

size_t payload_header_bytes(uint32_t lacks)
{
    return lacks == PAYLOAD_LACKS_NONE ? PAYLOAD_HEADER_BYTES : PAYLOAD_HEADER_BYTES_MAX;
}

void payload_write(const struct payload *payload, void *data)
{
    unsigned char header[PAYLOAD_HEADER_BYTES], *bytes = data;
    size_t header_bytes = payload_header_bytes(payload->lacks);

    if (payload->length < header_bytes) {
        payload_grow(payload, bytes, payload->length);
        return;
    }
    payload_store(header, 4, payload->kind);
    payload_store(header + 4, 4, payload->tag);
    payload_store_word(header + 8, payload->sequence);
    payload_store_word(header + 16, payload->made_ns);
    payload_store_word(header + 24, payload->length);
    payload_grow(payload, bytes + header_bytes, payload->length - header_bytes);
    payload_store_word(header + PAYLOAD_CHECKSUM_AT,
                       payload_checksum(header, bytes + header_bytes, payload->length - header_bytes));
    payload_store_header(payload->lacks, header, bytes);
}

static enum payload_verdict payload_read_short(const struct payload *expected, const unsigned char *bytes,
                                               size_t length)
{
    unsigned char due[PAYLOAD_HEADER_BYTES_MAX];

    if (length != expected->length) {
        return PAYLOAD_WRONG_LENGTH;
    }
    payload_grow(expected, due, length);
    return memcmp(due, bytes, length) == 0 ? PAYLOAD_GOOD : PAYLOAD_WRONG_BYTES;
}

static void payload_describe(struct payload *found, const unsigned char *header)
{
    found->kind = (uint32_t) payload_load(header, 4);
    found->tag = (uint32_t) payload_load(header + 4, 4);
    found->sequence = payload_load_word(header + 8);
    found->made_ns = payload_load_word(header + 16);
}

enum payload_verdict payload_read(const struct payload *expected, const void *data, size_t length,
                                  struct payload *found)
{
    const unsigned char *bytes = data;
    unsigned char header[PAYLOAD_HEADER_BYTES];
    size_t header_bytes = payload_header_bytes(expected->lacks);

    *found = *expected;
    found->length = length;
    if (length < header_bytes) {
        return payload_read_short(expected, bytes, length);
    }
    if (!payload_load_header(expected->lacks, bytes, header)) {
        return PAYLOAD_WRONG_BYTES;
    }
    payload_describe(found, header);
    /* The checksum first: where it fails, nothing that the header says can be trusted. */
    if (payload_load_word(header + PAYLOAD_CHECKSUM_AT) !=
            payload_checksum(header, bytes + header_bytes, length - header_bytes) ||
        payload_load_word(header + 24) != length) {
        return PAYLOAD_WRONG_BYTES;
    }
    if (found->kind != expected->kind) {
        return PAYLOAD_WRONG_KIND;
    }
    if (found->tag != expected->tag) {
        return PAYLOAD_WRONG_TAG;
    }
    if (found->sequence != expected->sequence) {
        return found->sequence > expected->sequence ? PAYLOAD_AHEAD : PAYLOAD_AGAIN;
    }
    return length == expected->length ? PAYLOAD_GOOD : PAYLOAD_WRONG_LENGTH;
}

bool payload_peek(struct payload *found, const void *data, size_t length)
{
    unsigned char header[PAYLOAD_HEADER_BYTES];

    if (length < payload_header_bytes(found->lacks) || !payload_load_header(found->lacks, data, header)) {
        return false;
    }
    payload_describe(found, header);
    return true;
}

uint32_t payload_kind(uint32_t lacks, const void *data, size_t length)
{
    struct payload found = {.kind = PAYLOAD_KIND_REQUEST, .lacks = lacks};

    payload_peek(&found, data, length);
    return found.kind;
}

const char *payload_verdict_text(enum payload_verdict verdict)
{
    switch (verdict) {
    case PAYLOAD_GOOD:
        return "good";
    case PAYLOAD_WRONG_LENGTH:
        return "lost, doubled, out of order or cut: another length was due";
    case PAYLOAD_WRONG_BYTES:
        return "corrupt: its bytes are not those that were sent";
    case PAYLOAD_WRONG_KIND:
        return "of a kind that was not due";
    case PAYLOAD_WRONG_TAG:
        return "another connection's";
    case PAYLOAD_AHEAD:
        return "one was lost or overtaken: a later one came";
    case PAYLOAD_AGAIN:
        return "doubled or late: an earlier one came";
    }
    return "";
}
