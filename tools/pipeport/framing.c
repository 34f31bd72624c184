/* SPDX-License-Identifier: MIT */
#include "tools/pipeport/framing.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tools/pipeport/say.h"

#define FRAMING_PARTS_MAX 8
#define FRAMING_OFFSET_MAX 64
#define FRAMING_ADJUST_MAX (1 << 20)
#define FRAMING_OVERHEAD_MAX FRAMING_HEADER_BYTES_MAX /* As the lines of headers are shorter. */
#define FRAMING_ESCAPED_BYTES 8

/* What stands between commas; `length` may be 0. */
struct framing_part {
    const char *text;
    int length;
};

static bool framing_refuse(struct framing_fault *fault, const char *format, ...) SAY_FORMAT(2, 3);

static bool framing_refuse(struct framing_fault *fault, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(fault->text, sizeof(fault->text), format, arguments);
    va_end(arguments);
    return false;
}

static bool framing_part_is(const struct framing_part *part, const char *word)
{
    return strlen(word) == (size_t) part->length && memcmp(part->text, word, (size_t) part->length) == 0;
}

/* How many parts; those above FRAMING_PARTS_MAX are counted and not kept. */
static int framing_cut(const char *text, struct framing_part *parts)
{
    for (int count = 0;; count++) {
        int length = (int) strcspn(text, ",");

        if (count < FRAMING_PARTS_MAX) {
            parts[count] = (struct framing_part){text, length};
        }
        text += length;
        if (*text == '\0') {
            return count + 1;
        }
        text++;
    }
}

/* Decimal digits, behind a minus where `min` is below 0. */
static bool framing_number(const struct framing_part *part, int32_t min, int32_t max, int32_t *number)
{
    bool negative = min < 0 && part->length > 0 && part->text[0] == '-';
    int at = negative ? 1 : 0;
    int64_t value = 0;

    if (at == part->length) {
        return false;
    }
    for (; at < part->length; at++) {
        if (part->text[at] < '0' || part->text[at] > '9') {
            return false;
        }
        value = value * 10 + (part->text[at] - '0');
        if (value > INT32_MAX) {
            return false;
        }
    }
    value = negative ? -value : value;
    *number = (int32_t) value;
    return value >= min && value <= max;
}

static bool framing_flag(pipeport_framing *framing, const struct framing_part *part, struct framing_fault *fault)
{
    uint32_t flag = framing_part_is(part, "keep")     ? PIPEPORT_KEEP
                    : framing_part_is(part, "escape") ? PIPEPORT_ESCAPE
                                                      : 0;

    if (flag == 0) {
        return framing_refuse(fault, "'%.*s' is unknown behind ADJUST; give keep, escape, both or none", part->length,
                              part->text);
    }
    if (framing->flags & flag) {
        return framing_refuse(fault, "%.*s stands there twice; give it once", part->length, part->text);
    }
    if (flag == PIPEPORT_ESCAPE && framing->width == 8) {
        return framing_refuse(fault, "escape is for a WIDTH below 8; leave it out");
    }
    framing->flags |= flag;
    return true;
}

static bool framing_read_length(const char *text, pipeport_framing *framing, struct framing_fault *fault)
{
    struct framing_part parts[FRAMING_PARTS_MAX];
    int count = framing_cut(text, parts);
    int32_t offset, width, adjust;

    if (count < 4 || count > 6) {
        return framing_refuse(fault, "'len:%s' has %d parts; write len:OFFSET,WIDTH,le|be,ADJUST[,keep][,escape]", text,
                              count);
    }
    if (!framing_number(&parts[0], 0, FRAMING_OFFSET_MAX, &offset)) {
        return framing_refuse(fault, "OFFSET '%.*s' is none; give 0 to %d", parts[0].length, parts[0].text,
                              FRAMING_OFFSET_MAX);
    }
    if (!framing_number(&parts[1], 1, 8, &width) || (width > 4 && width < 8)) {
        return framing_refuse(fault, "WIDTH '%.*s' is none; give 1, 2, 3, 4 or 8", parts[1].length, parts[1].text);
    }
    if (!framing_part_is(&parts[2], "le") && !framing_part_is(&parts[2], "be")) {
        return framing_refuse(fault, "'%.*s' is no order of bytes; give le or be", parts[2].length, parts[2].text);
    }
    if (!framing_number(&parts[3], -FRAMING_ADJUST_MAX, FRAMING_ADJUST_MAX, &adjust)) {
        return framing_refuse(fault, "ADJUST '%.*s' is none; give %d to %d", parts[3].length, parts[3].text,
                              -FRAMING_ADJUST_MAX, FRAMING_ADJUST_MAX);
    }
    *framing = pipeport_framing_length((uint32_t) width, framing_part_is(&parts[2], "be") ? PIPEPORT_BIG_ENDIAN : 0);
    framing->offset = (uint32_t) offset;
    framing->adjust = adjust;
    for (int i = 4; i < count; i++) {
        if (!framing_flag(framing, &parts[i], fault)) {
            return false;
        }
    }
    return true;
}

/* The digit's value; -1 where it is none. */
static int framing_hex(char digit)
{
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    digit = (char) (digit | 0x20);
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

static bool framing_read_delimiter(const char *text, pipeport_framing *framing, struct framing_fault *fault)
{
    struct framing_part parts[FRAMING_PARTS_MAX];
    int count = framing_cut(text, parts);
    int high = parts[0].length == 2 ? framing_hex(parts[0].text[0]) : -1;
    int low = parts[0].length == 2 ? framing_hex(parts[0].text[1]) : -1;

    if (high < 0 || low < 0) {
        return framing_refuse(fault, "'%.*s' is no byte; give two hexadecimal digits such as 0a or 00", parts[0].length,
                              parts[0].text);
    }
    if (count > 2 || (count == 2 && !framing_part_is(&parts[1], "cr"))) {
        return framing_refuse(fault, "'%s' is unknown behind HEX; give cr or nothing", parts[0].text + 3);
    }
    if (count == 2 && high * 16 + low == '\r') {
        return framing_refuse(fault, "cr is for a delimiter other than 0d; leave it out");
    }
    *framing = pipeport_framing_delimiter((uint8_t) (high * 16 + low), count == 2 ? PIPEPORT_STRIP_CR : 0);
    return true;
}

bool framing_read(const char *text, pipeport_framing *framing, struct framing_fault *fault)
{
    if (strncmp(text, "len:", 4) == 0) {
        return framing_read_length(text + 4, framing, fault);
    }
    if (strncmp(text, "delim:", 6) == 0) {
        return framing_read_delimiter(text + 6, framing, fault);
    }
    if (strcmp(text, "varint") == 0) {
        *framing = pipeport_framing_varint();
    } else if (strcmp(text, "headers") == 0) {
        *framing = pipeport_framing_headers();
    } else if (strcmp(text, "message") == 0) {
        *framing = pipeport_framing_message();
    } else if (strcmp(text, "none") == 0) {
        *framing = pipeport_framing_none();
    } else {
        return framing_refuse(fault,
                              "'%s' is unknown; give one of len:OFFSET,WIDTH,le|be,ADJUST[,keep][,escape], varint, "
                              "delim:HEX[,cr], headers, message, none",
                              text);
    }
    return true;
}

static uint64_t framing_ones(const pipeport_framing *framing)
{
    return framing->width == 8 ? UINT64_MAX : (UINT64_C(1) << 8 * framing->width) - 1;
}

/* The length does not go into the field itself. */
static bool framing_escapes(const pipeport_framing *framing, uint64_t payload_bytes)
{
    int64_t value = (int64_t) payload_bytes - framing->adjust;

    return (framing->flags & PIPEPORT_ESCAPE) && value >= 0 && (uint64_t) value >= framing_ones(framing);
}

static uint64_t framing_length_bytes(const pipeport_framing *framing, uint64_t length)
{
    if (framing->flags & PIPEPORT_KEEP) {
        return length;
    }
    return framing->offset + framing->width + (framing_escapes(framing, length) ? FRAMING_ESCAPED_BYTES : 0) + length;
}

bool framing_says(const pipeport_framing *framing, uint64_t payload_bytes)
{
    int64_t value = (int64_t) payload_bytes - framing->adjust;

    if (framing->kind != PIPEPORT_FRAMING_LENGTH) {
        return true;
    }
    return value >= 0 && ((framing->flags & PIPEPORT_ESCAPE) || (uint64_t) value <= framing_ones(framing));
}

uint32_t framing_kept_bytes(const pipeport_framing *framing, uint64_t payload_bytes)
{
    if (framing->kind != PIPEPORT_FRAMING_LENGTH || !(framing->flags & PIPEPORT_KEEP)) {
        return 0;
    }
    return framing->offset + framing->width + (framing_escapes(framing, payload_bytes) ? FRAMING_ESCAPED_BYTES : 0);
}

static unsigned char *framing_store(const pipeport_framing *framing, unsigned char *bytes, uint32_t width,
                                    uint64_t value)
{
    for (uint32_t i = 0; i < width; i++) {
        bytes[framing->flags & PIPEPORT_BIG_ENDIAN ? width - 1 - i : i] = (unsigned char) (value >> 8 * i);
    }
    return bytes + width;
}

void framing_keep(const pipeport_framing *framing, uint64_t payload_bytes, unsigned char *header)
{
    uint64_t value = payload_bytes - (uint64_t) framing->adjust;

    for (uint32_t i = 0; i < framing->offset; i++) {
        *header++ = (unsigned char) (0xa0 + i);
    }
    if (framing_escapes(framing, payload_bytes)) {
        header = framing_store(framing, header, framing->width, UINT64_MAX);
        framing_store(framing, header, FRAMING_ESCAPED_BYTES, value);
    } else {
        framing_store(framing, header, framing->width, value);
    }
}

uint64_t framing_frame_bytes(const pipeport_framing *framing, uint64_t length)
{
    uint64_t bytes = 1;

    switch ((pipeport_framing_kind) framing->kind) {
    case PIPEPORT_FRAMING_DEFAULT:
        return 4 + length;
    case PIPEPORT_FRAMING_LENGTH:
        return framing_length_bytes(framing, length);
    case PIPEPORT_FRAMING_VARINT:
        for (uint64_t rest = length >> 7; rest > 0; rest >>= 7) {
            bytes++;
        }
        return bytes + length;
    case PIPEPORT_FRAMING_DELIMITER:
        return length + 1;
    case PIPEPORT_FRAMING_HEADERS:
        for (uint64_t rest = length / 10; rest > 0; rest /= 10) {
            bytes++;
        }
        return sizeof("Content-Length: \r\n\r\n") - 1 + bytes + length;
    case PIPEPORT_FRAMING_MEASURED:
    case PIPEPORT_FRAMING_NONE:
    case PIPEPORT_FRAMING_MESSAGE:
        break;
    }
    return length;
}

uint32_t framing_overhead_max(const pipeport_framing *framing)
{
    return framing->kind == PIPEPORT_FRAMING_DEFAULT ? 4 : FRAMING_OVERHEAD_MAX;
}
