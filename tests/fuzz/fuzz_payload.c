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

static uint64_t naive_field(const uint8_t *data, size_t at, size_t bytes)
{
    uint64_t field = 0;
    for (size_t i = bytes; i > 0; --i) {
        field = field * 256 + data[at + i - 1];
    }
    return field;
}

/* payload.h's table of the header, read as it is written there. */
static void payload_header_is(const uint8_t *data, const struct payload *sent)
{
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
    uint8_t expected[PAYLOAD_HEADER_BYTES];
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
    PP_VERIFY(payload_kind(PAYLOAD_LACKS_NONE, data, length) ==
              (length < PAYLOAD_HEADER_BYTES ? PAYLOAD_KIND_REQUEST : naive_field(data, 0, 4)));
    if (length < PAYLOAD_HEADER_BYTES) {
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
    uint8_t *message = malloc(PAYLOAD_FUZZ_BYTES_MAX);
    PP_VERIFY(message != NULL);
    payload_write(&sent, message);
    if (sent.length >= PAYLOAD_HEADER_BYTES) {
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
