/* SPDX-License-Identifier: MIT */
/*
 * fuzz_payload.c - the tool's judgement of a message: what payload_write made is what payload_read finds, whatever else
 * was due, and whoever changes a byte, cuts or lengthens it is caught.
 *
 * The input: what was sent, what was due, what happened on the way; or bytes that nobody made.
 */
#include "tools/pipeport/payload.h"

#include "engine/base/assert.h"
#include "tests/fuzz/choices.h"

#include <stdlib.h>
#include <string.h>

enum { PAYLOAD_FUZZ_BYTES_MAX = 5000 };

static uint64_t payload_few(fuzz_choices *choices)
{
    uint8_t choice = fuzz_byte(choices);
    return choice < 250 ? choice : fuzz_number(choices, 8);
}

static struct payload payload_chosen(fuzz_choices *choices)
{
    struct payload payload = {.kind = PAYLOAD_KIND_REQUEST};
    uint8_t kind = fuzz_byte(choices);
    if (kind >= 0x80) {
        payload.kind = kind >= 0xF0 ? (uint32_t) fuzz_number(choices, 4) : PAYLOAD_KIND_BROADCAST;
    }
    payload.tag = (uint32_t) payload_few(choices);
    payload.sequence = payload_few(choices);
    payload.seed = payload_few(choices);
    payload.made_ns = fuzz_number(choices, 3);
    payload.length = fuzz_length(choices, PAYLOAD_FUZZ_BYTES_MAX);
    return payload;
}

/* What was due, most of the time what came. */
static struct payload payload_due(fuzz_choices *choices, struct payload sent)
{
    struct payload other = sent;
    uint8_t differs = fuzz_byte(choices);
    if (differs & 1) {
        other.kind = sent.kind == PAYLOAD_KIND_REQUEST ? PAYLOAD_KIND_BROADCAST : PAYLOAD_KIND_REQUEST;
    }
    if (differs & 2) {
        other.tag = (uint32_t) payload_few(choices);
    }
    if (differs & 4) {
        other.sequence = payload_few(choices);
    }
    if (differs & 8) {
        other.length = fuzz_length(choices, PAYLOAD_FUZZ_BYTES_MAX);
    }
    return other;
}

/* What neither of them may hold: mostly nothing. */
static uint32_t payload_lack(fuzz_choices *choices)
{
    uint8_t choice = fuzz_byte(choices);
    if (choice < 0x60) {
        return PAYLOAD_LACKS_NONE;
    }
    return choice < 0x80 ? PAYLOAD_LACKS_HIGH : PAYLOAD_LACKS(fuzz_byte(choices));
}

static uint64_t naive_field(const uint8_t *data, size_t at, size_t bytes)
{
    uint64_t field = 0;
    for (size_t i = bytes; i > 0; --i) {
        field = field * 256 + data[at + i - 1];
    }
    return field;
}

/* Where something is lacking, each byte of the header is two letters, the lower half first, from one of 16 in a row. */
static void naive_header(const uint8_t *data, uint32_t lacks, uint8_t header[PAYLOAD_HEADER_BYTES])
{
    uint8_t first = lacks >= PAYLOAD_LACKS(0x40) && lacks <= PAYLOAD_LACKS(0x4f) ? 0x60 : 0x40;
    for (size_t i = 0; i < PAYLOAD_HEADER_BYTES; ++i) {
        if (lacks == PAYLOAD_LACKS_NONE) {
            header[i] = data[i];
        } else {
            PP_VERIFY(data[2 * i] >= first && data[2 * i] - first < 16);
            PP_VERIFY(data[2 * i + 1] >= first && data[2 * i + 1] - first < 16);
            header[i] = (uint8_t) (data[2 * i] - first + (data[2 * i + 1] - first) * 16);
        }
    }
}

static void payload_holds(const struct payload *sent, const uint8_t *data)
{
    for (size_t i = 0; i < sent->length; ++i) {
        PP_VERIFY(sent->lacks == PAYLOAD_LACKS_NONE || PAYLOAD_LACKS(data[i]) != sent->lacks);
        PP_VERIFY(sent->lacks != PAYLOAD_LACKS_HIGH || data[i] < 0x80);
    }
}

/* payload.h's table of the header, read as it is written there. */
static void payload_header_is(const uint8_t *message, const struct payload *sent)
{
    uint8_t data[PAYLOAD_HEADER_BYTES];
    naive_header(message, sent->lacks, data);
    PP_VERIFY(naive_field(data, 0, 4) == sent->kind);
    PP_VERIFY(naive_field(data, 4, 4) == sent->tag);
    PP_VERIFY(naive_field(data, 8, 8) == sent->sequence);
    PP_VERIFY(naive_field(data, 16, 8) == sent->made_ns);
    PP_VERIFY(naive_field(data, 24, 8) == sent->length);
}

/* A message that nobody touched: each thing that was not due has its name, the first of the header's order. */
static enum payload_verdict naive_verdict_untouched(const struct payload *due, const struct payload *sent)
{
    if (sent->kind != due->kind) {
        return PAYLOAD_WRONG_KIND;
    }
    if (sent->tag != due->tag) {
        return PAYLOAD_WRONG_TAG;
    }
    if (sent->sequence > due->sequence) {
        return PAYLOAD_AHEAD;
    }
    if (sent->sequence < due->sequence) {
        return PAYLOAD_AGAIN;
    }
    return sent->length == due->length ? PAYLOAD_GOOD : PAYLOAD_WRONG_LENGTH;
}

/* Too short for a header: compared with what was due, byte for byte. */
static enum payload_verdict naive_verdict_short(const struct payload *due, const uint8_t *data, size_t length)
{
    uint8_t expected[PAYLOAD_HEADER_BYTES_MAX];
    if (due->length != length) {
        return PAYLOAD_WRONG_LENGTH;
    }
    payload_write(due, expected);
    for (size_t i = 0; i < length; ++i) {
        if (expected[i] != data[i]) {
            return PAYLOAD_WRONG_BYTES;
        }
    }
    return PAYLOAD_GOOD;
}

/* What happens on the way. True: something did. */
static bool payload_suffer(fuzz_choices *choices, uint8_t *data, size_t *length)
{
    uint8_t what = fuzz_byte(choices);
    if (what < 0x80) {
        return false;
    }
    if (what < 0xC0 && *length != 0) {
        uint8_t flip = fuzz_byte(choices);
        data[fuzz_length(choices, (uint32_t) *length)] ^= flip;
        return flip != 0;
    }
    size_t before = *length;
    *length = fuzz_length(choices, PAYLOAD_FUZZ_BYTES_MAX);
    if (*length > before) {
        memset(data + before, what, *length - before);
    }
    return *length != before;
}

static void payload_judge(const struct payload *due, const uint8_t *data, size_t length, const struct payload *sent)
{
    struct payload found;
    enum payload_verdict verdict = payload_read(due, data, length, &found);
    PP_VERIFY(found.length == length);
    PP_VERIFY(payload_verdict_text(verdict)[0] != '\0');
    if (due->lacks == PAYLOAD_LACKS_NONE) {
        PP_VERIFY(payload_kind(PAYLOAD_LACKS_NONE, data, length) ==
                  (length < PAYLOAD_HEADER_BYTES ? PAYLOAD_KIND_REQUEST : naive_field(data, 0, 4)));
    }
    if (length < payload_header_bytes(due->lacks)) {
        PP_VERIFY(verdict == naive_verdict_short(due, data, length));
    } else if (sent != NULL) {
        PP_VERIFY(verdict == naive_verdict_untouched(due, sent));
        PP_VERIFY(found.sequence == sent->sequence && found.made_ns == sent->made_ns && found.tag == sent->tag);
    } else {
        PP_VERIFY(verdict == PAYLOAD_WRONG_BYTES); /* A forged sum is one in 2^64. */
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    fuzz_choices choices = {data, length};
    struct payload sent = payload_chosen(&choices);
    struct payload due = payload_due(&choices, sent);
    sent.lacks = due.lacks = payload_lack(&choices);
    uint8_t *message = malloc(PAYLOAD_FUZZ_BYTES_MAX);
    PP_VERIFY(message != NULL);
    payload_write(&sent, message);
    payload_holds(&sent, message);
    if (sent.length >= payload_header_bytes(sent.lacks)) {
        payload_header_is(message, &sent);
    }
    size_t came = sent.length;
    bool touched = payload_suffer(&choices, message, &came);
    uint8_t *exact = malloc(came + (came == 0)); /* Ends where the message ends. */
    PP_VERIFY(exact != NULL);
    memcpy(exact, message, came);
    payload_judge(&due, exact, came, touched ? NULL : &sent);
    free(exact);
    free(message);
    const uint8_t *raw = NULL;
    size_t raw_length = fuzz_raw(&choices, SIZE_MAX, &raw);
    payload_judge(&due, raw, raw_length, NULL);
    return 0;
}
