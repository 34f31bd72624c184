/* SPDX-License-Identifier: MIT */
/* dialect.c - see dialect.h. */
#include "tests/sim/dialect.h"

#include "tests/sim/judge.h"
#include "tests/sim/trace.h"
#include "tests/sim/world.h"
#include "tests/support/random.h"

#include <stdio.h>
#include <string.h>

enum { DIALECT_MEASURED_BYTES = 4, DIALECT_ESCAPED_BYTES = 8 };

static sim_dialect dialects[SIM_DIALECTS];

/* ---- Drawing ---- */

/* A frame's first 4 bytes say how long all of it is, and are not plain. */
static int64_t dialect_measure(void *user, const void *stream, size_t available)
{
    const uint8_t *bytes = stream;
    uint32_t length = 0;
    if (available < DIALECT_MEASURED_BYTES) {
        return 0;
    }
    for (uint32_t i = 0; i < DIALECT_MEASURED_BYTES; i++) {
        length = length << 8 | (uint32_t) (bytes[i] ^ *(const uint8_t *) user);
    }
    return length < DIALECT_MEASURED_BYTES ? -1 : (int64_t) length;
}

static pipeport_framing dialect_draw_length(void)
{
    static const uint32_t widths[] = {1, 2, 3, 4, 8};
    pipeport_framing framing = pipeport_framing_length(widths[sim_below(5)], sim_below(2) ? PIPEPORT_BIG_ENDIAN : 0);
    framing.flags |= sim_below(4) ? 0 : PIPEPORT_KEEP;
    framing.flags |= framing.width == 8 || sim_below(3) ? 0 : PIPEPORT_ESCAPE;
    framing.offset = sim_below(2) ? 0 : sim_below(4) ? sim_below(9) : PP_FRAMING_OFFSET_MAX;
    switch (sim_below(5)) {
    case 0: /* The field counts itself. */
        framing.adjust = -(int32_t) (framing.offset + framing.width);
        break;
    case 1:
        framing.adjust = (int32_t) sim_below(20) - 10;
        break;
    default:
        break;
    }
    return framing;
}

static pipeport_framing dialect_draw_framing(void)
{
    static uint8_t key = 0xA5;
    static const uint8_t delimiters[] = {'\n', 0, 0xFF, ' '};
    uint8_t delimiter = delimiters[sim_below(sizeof delimiters)];
    switch (sim_below(3) ? sim_below(8) : PIPEPORT_FRAMING_DEFAULT) {
    case PIPEPORT_FRAMING_LENGTH:
        return dialect_draw_length();
    case PIPEPORT_FRAMING_VARINT:
        return pipeport_framing_varint();
    case PIPEPORT_FRAMING_DELIMITER:
        return pipeport_framing_delimiter(delimiter, sim_below(2) ? PIPEPORT_STRIP_CR : 0);
    case PIPEPORT_FRAMING_HEADERS:
        return pipeport_framing_headers();
    case PIPEPORT_FRAMING_MEASURED:
        return pipeport_framing_measured(dialect_measure, &key);
    case PIPEPORT_FRAMING_NONE:
        return pipeport_framing_none();
    case PIPEPORT_FRAMING_MESSAGE:
        return pipeport_framing_message();
    default:
        return (pipeport_framing){.kind = PIPEPORT_FRAMING_DEFAULT};
    }
}

static pp_framing dialect_rule(const pipeport_framing *framing)
{
    static const pp_framing_kind kinds[] = {PP_FRAMING_LENGTH,    PP_FRAMING_LENGTH,  PP_FRAMING_VARINT,
                                            PP_FRAMING_DELIMITER, PP_FRAMING_HEADERS, PP_FRAMING_MEASURED,
                                            PP_FRAMING_NONE,      PP_FRAMING_MESSAGE};
    bool is_default = framing->kind == PIPEPORT_FRAMING_DEFAULT;
    return (pp_framing){.kind = (uint8_t) kinds[framing->kind],
                        .width = is_default ? 4 : (uint8_t) framing->width,
                        .offset = (uint8_t) framing->offset,
                        .delimiter = framing->delimiter,
                        .big_endian = (framing->flags & PIPEPORT_BIG_ENDIAN) != 0,
                        .escape = (framing->flags & PIPEPORT_ESCAPE) != 0,
                        .keep = (framing->flags & PIPEPORT_KEEP) != 0,
                        .strip_cr = (framing->flags & PIPEPORT_STRIP_CR) != 0,
                        .adjust = framing->adjust,
                        .measure = framing->measure,
                        .measure_user = framing->measure_user};
}

void sim_dialects_draw(void)
{
    for (int i = 0; i < SIM_DIALECTS; i++) {
        sim_dialect *dialect = &dialects[i];
        dialect->framing = dialect_draw_framing();
        dialect->rule = dialect_rule(&dialect->framing);
        dialect->direction = sim_below(6) ? PIPEPORT_DUPLEX : PIPEPORT_TO_SERVER + sim_below(2);
    }
}

const sim_dialect *sim_dialect_of(const char *name)
{
    const char *number = strrchr(name, '-');
    SIM_MUST(number != NULL && number[1] >= '0' && number[1] < '0' + SIM_DIALECTS && number[2] == '\0');
    return &dialects[number[1] - '0'];
}

const sim_dialect *sim_dialect_other(const sim_dialect *dialect)
{
    const sim_dialect *other = &dialects[sim_below(SIM_DIALECTS)];
    bool is_whole = dialect->rule.kind == PP_FRAMING_MESSAGE;
    bool is_told = other->direction != dialect->direction || (other->rule.kind == PP_FRAMING_MESSAGE) != is_whole;
    return is_told ? other : dialect;
}

bool sim_dialect_is_like(const sim_dialect *one, const sim_dialect *other)
{
    const pp_framing *a = &one->rule, *b = &other->rule;
    return a->kind == b->kind && a->width == b->width && a->offset == b->offset && a->delimiter == b->delimiter &&
           a->big_endian == b->big_endian && a->escape == b->escape && a->keep == b->keep &&
           a->strip_cr == b->strip_cr && a->adjust == b->adjust;
}

bool sim_dialect_is_deaf(const sim_dialect *dialect, bool is_server)
{
    return dialect->direction == (is_server ? PIPEPORT_TO_CLIENT : PIPEPORT_TO_SERVER);
}

bool sim_dialect_is_mute(const sim_dialect *dialect, bool is_server)
{
    return sim_dialect_is_deaf(dialect, !is_server);
}

/* ---- Lengths ---- */

static uint64_t dialect_ones(const pp_framing *rule)
{
    return rule->width == 8 ? UINT64_MAX : ((uint64_t) 1 << 8 * rule->width) - 1;
}

/* Can the field itself say that `body` bytes follow? */
static bool dialect_says(const pp_framing *rule, int64_t body)
{
    int64_t value = body - rule->adjust;
    return value >= 0 && (uint64_t) value <= dialect_ones(rule) - (rule->escape ? 1 : 0);
}

/* Of all that is written, what is not payload, or stands before the tag in it. */
static uint32_t dialect_head_bytes(const sim_dialect *dialect, uint32_t body)
{
    const pp_framing *rule = &dialect->rule;
    char text[64];
    switch ((pp_framing_kind) rule->kind) {
    case PP_FRAMING_LENGTH:
        return (uint32_t) rule->offset + rule->width + (dialect_says(rule, body) ? 0 : DIALECT_ESCAPED_BYTES);
    case PP_FRAMING_VARINT:
        return body < 1u << 7 ? 1 : body < 1u << 14 ? 2 : body < 1u << 21 ? 3 : 4;
    case PP_FRAMING_HEADERS:
        return (uint32_t) snprintf(text, sizeof text, "Content-Length: %u\r\n\r\n", body);
    case PP_FRAMING_MEASURED:
        return DIALECT_MEASURED_BYTES;
    case PP_FRAMING_DELIMITER:
    case PP_FRAMING_NONE:
    case PP_FRAMING_MESSAGE:
        break;
    }
    return 0;
}

/* Where messages are whole frames: what follows the header in one of this length; less than 0: it is none. */
static int64_t dialect_body(const sim_dialect *dialect, uint32_t length)
{
    const pp_framing *rule = &dialect->rule;
    if (rule->kind == PP_FRAMING_MEASURED) {
        return (int64_t) length - DIALECT_MEASURED_BYTES;
    }
    int64_t body = (int64_t) length - rule->offset - rule->width;
    if (body >= 0 && dialect_says(rule, body)) {
        return body;
    }
    body -= DIALECT_ESCAPED_BYTES;
    return rule->escape && body >= 0 && body >= rule->adjust && !dialect_says(rule, body) ? body : -1;
}

static bool dialect_has_head(const sim_dialect *dialect)
{
    return dialect->rule.keep || dialect->rule.kind == PP_FRAMING_MEASURED;
}

static pipeport_status dialect_expect(const sim_dialect *dialect, uint32_t length)
{
    const pp_framing *rule = &dialect->rule;
    if (length > sim_message_bytes_max) {
        return PIPEPORT_TOO_LARGE;
    }
    if (dialect_has_head(dialect)) {
        return dialect_body(dialect, length) < 0 ? PIPEPORT_INVALID : PIPEPORT_OK;
    }
    if (rule->kind == PP_FRAMING_LENGTH) {
        return (int64_t) length < rule->adjust              ? PIPEPORT_INVALID
               : rule->escape || dialect_says(rule, length) ? PIPEPORT_OK
                                                            : PIPEPORT_TOO_LARGE;
    }
    bool needs_one = rule->kind == PP_FRAMING_NONE || rule->kind == PP_FRAMING_MESSAGE;
    return needs_one && length == 0 ? PIPEPORT_INVALID : PIPEPORT_OK;
}

pipeport_status sim_dialect_creates(const sim_dialect *dialect, uint32_t length)
{
    const pp_framing *rule = &dialect->rule;
    int64_t body = length;
    switch ((pp_framing_kind) rule->kind) {
    case PP_FRAMING_LENGTH:
        body -= rule->keep ? rule->offset + rule->width : 0;
        if (body < 0 || body < rule->adjust) {
            return PIPEPORT_INVALID;
        }
        return rule->escape || dialect_says(rule, body) ? PIPEPORT_OK : PIPEPORT_TOO_LARGE;
    case PP_FRAMING_MEASURED:
    case PP_FRAMING_NONE:
    case PP_FRAMING_MESSAGE:
        return length == 0 ? PIPEPORT_INVALID : PIPEPORT_OK;
    case PP_FRAMING_VARINT:
    case PP_FRAMING_HEADERS:
    case PP_FRAMING_DELIMITER:
        break;
    }
    return PIPEPORT_OK;
}

uint32_t sim_dialect_fit(const sim_dialect *dialect, uint32_t length)
{
    const pp_framing *rule = &dialect->rule;
    bool is_told = rule->kind != PP_FRAMING_NONE || length >= SIM_TAG_BYTES;
    if (is_told && dialect_expect(dialect, length) == PIPEPORT_OK) {
        return length;
    }
    uint64_t most = sim_message_bytes_max, least = 0;
    if (rule->kind == PP_FRAMING_LENGTH) {
        uint32_t head = rule->keep ? (uint32_t) rule->offset + rule->width : 0;
        uint64_t says = dialect_ones(rule) / 2; /* That is enough, and nothing overflows. */
        least = head + (uint32_t) (rule->adjust > 0 ? rule->adjust : 0);
        most = says < most && head + says < most ? head + says : most;
    } else if (rule->kind == PP_FRAMING_MEASURED) {
        least = DIALECT_MEASURED_BYTES;
    } else if (rule->kind == PP_FRAMING_MESSAGE) {
        least = 1;
    } else if (rule->kind == PP_FRAMING_NONE) {
        least = SIM_TAG_BYTES;
    }
    return length < least ? (uint32_t) least : sim_between((uint32_t) least, (uint32_t) most);
}

uint32_t sim_dialect_frame_bytes(const sim_dialect *dialect, uint32_t length)
{
    uint32_t trailer = dialect->rule.kind == PP_FRAMING_DELIMITER;
    return length + trailer + (dialect_has_head(dialect) ? 0 : dialect_head_bytes(dialect, length));
}

/* ---- Content ---- */

static void dialect_put(uint8_t *field, uint32_t width, bool big_endian, uint64_t value)
{
    for (uint32_t i = 0; i < width; i++) {
        field[big_endian ? width - 1 - i : i] = (uint8_t) (value >> 8 * i);
    }
}

static uint32_t dialect_put_length(const pp_framing *rule, uint8_t *head, uint32_t body)
{
    uint64_t value = (uint64_t) ((int64_t) body - rule->adjust);
    memset(head, 0, rule->offset);
    head += rule->offset;
    if (dialect_says(rule, body)) {
        dialect_put(head, rule->width, rule->big_endian, value);
        return (uint32_t) rule->offset + rule->width;
    }
    memset(head, 0xFF, rule->width);
    dialect_put(head + rule->width, DIALECT_ESCAPED_BYTES, rule->big_endian, value);
    return (uint32_t) rule->offset + rule->width + DIALECT_ESCAPED_BYTES;
}

uint32_t sim_dialect_head(const sim_dialect *dialect, uint8_t *head, uint32_t body)
{
    static const char *const befores[] = {
        "Content-Length: ", "content-LENGTH:", "Content-Type: text\r\nContent-Length:\t"};
    static const char *const behinds[] = {"", " ", "\r\nX-A: b"};
    uint32_t at = 0;
    switch ((pp_framing_kind) dialect->rule.kind) {
    case PP_FRAMING_LENGTH:
        return dialect_put_length(&dialect->rule, head, body);
    case PP_FRAMING_VARINT:
        for (; body >= 0x80; body >>= 7) {
            head[at++] = (uint8_t) (body | 0x80);
        }
        head[at++] = (uint8_t) body;
        return at;
    case PP_FRAMING_HEADERS:
        return (uint32_t) snprintf((char *) head, SIM_HEAD_BYTES_MAX, "%s%u%s\r\n\r\n", befores[sim_below(3)], body,
                                   behinds[sim_below(3)]);
    case PP_FRAMING_MEASURED:
        dialect_put(head, DIALECT_MEASURED_BYTES, true, body + DIALECT_MEASURED_BYTES);
        for (; at < DIALECT_MEASURED_BYTES; at++) {
            head[at] ^= *(const uint8_t *) dialect->rule.measure_user;
        }
        return at;
    case PP_FRAMING_DELIMITER:
    case PP_FRAMING_NONE:
    case PP_FRAMING_MESSAGE:
        break;
    }
    return 0;
}

bool sim_dialect_is_tagged(const sim_dialect *dialect, uint32_t length, uint32_t *at)
{
    int64_t body = dialect_has_head(dialect) ? dialect_body(dialect, length) : (int64_t) length;
    *at = body < 0 ? 0 : (uint32_t) (length - body);
    return body >= SIM_TAG_BYTES;
}

/* Letters where a message ends with a byte that must not occur in it. */
static void dialect_write_tag(const sim_dialect *dialect, uint8_t *tag, uint32_t serial)
{
    if (dialect->rule.kind != PP_FRAMING_DELIMITER) {
        memcpy(tag, &serial, sizeof serial);
        return;
    }
    for (int i = 0; i < SIM_TAG_BYTES; i++) {
        tag[i] = (uint8_t) ('a' + (serial >> 4 * i & 15));
    }
}

uint32_t sim_dialect_read_tag(const sim_dialect *dialect, const uint8_t *tag)
{
    uint32_t serial = 0;
    if (dialect->rule.kind != PP_FRAMING_DELIMITER) {
        memcpy(&serial, tag, sizeof serial);
        return serial;
    }
    for (int i = 0; i < SIM_TAG_BYTES; i++) {
        serial |= (uint32_t) ((tag[i] - 'a') & 15) << 4 * i;
    }
    return serial;
}

/* Nothing in it looks like its end, or now and then something does: then it must be refused. */
static pipeport_status dialect_fill_line(const pp_framing *rule, uint8_t *data, uint32_t length)
{
    for (uint32_t i = 0; i < length; i++) {
        data[i] ^= data[i] == rule->delimiter;
    }
    if (length > 0) {
        data[length - 1] ^= data[length - 1] == '\r' ? 0x40 : 0;
    }
    if (length == 0 || length > sim_message_bytes_max || sim_below(150)) {
        return length > sim_message_bytes_max ? PIPEPORT_TOO_LARGE : PIPEPORT_OK;
    }
    data[length - 1] = rule->strip_cr && sim_below(2) ? '\r' : rule->delimiter;
    return PIPEPORT_INVALID;
}

pipeport_status sim_dialect_fill(const sim_dialect *dialect, uint8_t *data, uint32_t length, uint32_t serial)
{
    uint64_t random = sim.seed + serial;
    uint32_t tag_at;
    bool is_tagged = sim_dialect_is_tagged(dialect, length, &tag_at);
    for (uint32_t at = 0; at < length && is_tagged; at += 8) {
        uint64_t word = test_random(&random);
        memcpy(data + at, &word, length - at < 8 ? length - at : 8);
    }
    if (!is_tagged) {
        memset(data, 0x5A, length);
    }
    pipeport_status status = dialect_expect(dialect, length);
    if (dialect_has_head(dialect) && status == PIPEPORT_OK) {
        (void) sim_dialect_head(dialect, data, (uint32_t) dialect_body(dialect, length));
    } else if (dialect_has_head(dialect)) {
        memset(data, 0, length);
    }
    if (is_tagged) {
        dialect_write_tag(dialect, data + tag_at, serial);
    }
    return dialect->rule.kind == PP_FRAMING_DELIMITER ? dialect_fill_line(&dialect->rule, data, length) : status;
}
