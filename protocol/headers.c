/* SPDX-License-Identifier: MIT */
/*
 * headers.c - lines of "name: value", ended by CR LF and by an empty line, of which one is Content-Length.
 *
 * Read byte by byte, so that the first byte that cannot be right is the one that is refused. A look reads the block
 * from its beginning: it is short, mostly comes in one piece, and so nothing need be kept of it between two looks.
 */
#include "protocol/kinds.h"

#include <string.h>

typedef enum headers_state {
    HEADERS_LINE, /* At the beginning of a line. */
    HEADERS_NAME,
    HEADERS_BLANK,  /* Behind the colon of Content-Length, before its first digit. */
    HEADERS_DIGITS, /* Behind a digit. */
    HEADERS_BEHIND, /* Behind a blank behind the digits. */
    HEADERS_VALUE,  /* Behind the colon of any other name. */
    HEADERS_LINE_FEED,
    HEADERS_LAST_LINE_FEED,
    HEADERS_END
} headers_state;

typedef struct headers_scan {
    headers_state state;
    uint32_t name_bytes; /* NAME: so many bytes it has, and */
    bool name_matches;   /* they are the beginning of Content-Length. */
    bool found;
    uint32_t length; /* At most the bound. */
    uint32_t length_max;
} headers_scan;

static const char headers_name[] = "content-length";
enum { HEADERS_NAME_BYTES = sizeof headers_name - 1 };

static bool headers_is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t';
}

/* Of the ASCII letters, whatever the locale. */
static uint8_t headers_lower(uint8_t byte)
{
    return byte >= 'A' && byte <= 'Z' ? (uint8_t) (byte + ('a' - 'A')) : byte;
}

/* RFC 7230, "tchar". */
static bool headers_is_token(uint8_t byte)
{
    uint8_t lower = headers_lower(byte);
    return (lower >= 'a' && lower <= 'z') || (byte >= '0' && byte <= '9') ||
           (byte != 0 && strchr("!#$%&'*+-.^_`|~", byte) != NULL);
}

static const char *headers_in_name(headers_scan *scan, uint8_t byte)
{
    if (byte == ':' && scan->name_bytes != 0) {
        bool is_length = scan->name_matches && scan->name_bytes == HEADERS_NAME_BYTES;
        if (is_length && scan->found) {
            return "its headers say Content-Length twice";
        }
        scan->found |= is_length;
        scan->state = is_length ? HEADERS_BLANK : HEADERS_VALUE;
        return NULL;
    }
    if (byte == '\r') {
        return "one of its headers has no colon";
    }
    if (!headers_is_token(byte)) {
        return "one of its headers has no name, or a byte in it that no name has";
    }
    /* The first byte behind Content-Length meets its NUL, and no byte of a name is one. */
    scan->name_matches = scan->name_matches && headers_lower(byte) == (uint8_t) headers_name[scan->name_bytes];
    scan->name_bytes += 1;
    return NULL;
}

static const char *headers_in_length(headers_scan *scan, uint8_t byte)
{
    if (byte >= '0' && byte <= '9' && scan->state != HEADERS_BEHIND) {
        uint64_t length = (uint64_t) scan->length * 10 + (byte - '0');
        if (length > scan->length_max) {
            return "its Content-Length says more than the bound on messages";
        }
        scan->length = (uint32_t) length;
        scan->state = HEADERS_DIGITS;
    } else if (headers_is_blank(byte)) {
        scan->state = scan->state == HEADERS_BLANK ? HEADERS_BLANK : HEADERS_BEHIND;
    } else if (byte == '\r' && scan->state != HEADERS_BLANK) {
        scan->state = HEADERS_LINE_FEED;
    } else {
        return "its Content-Length is no number";
    }
    return NULL;
}

static const char *headers_in_value(headers_scan *scan, uint8_t byte)
{
    if (byte == '\r') {
        scan->state = HEADERS_LINE_FEED;
    } else if ((byte < ' ' && byte != '\t') || byte == 0x7f) {
        return "one of its headers holds a control character";
    }
    return NULL;
}

/* NULL: this byte may stand here. Else what is wrong with it. */
static const char *headers_step(headers_scan *scan, uint8_t byte)
{
    switch (scan->state) {
    case HEADERS_LINE:
        if (byte == '\r') {
            scan->state = HEADERS_LAST_LINE_FEED;
            return scan->found ? NULL : "its headers do not say Content-Length";
        }
        scan->state = HEADERS_NAME;
        scan->name_bytes = 0;
        scan->name_matches = true;
        return headers_in_name(scan, byte);
    case HEADERS_NAME:
        return headers_in_name(scan, byte);
    case HEADERS_BLANK:
    case HEADERS_DIGITS:
    case HEADERS_BEHIND:
        return headers_in_length(scan, byte);
    case HEADERS_VALUE:
        return headers_in_value(scan, byte);
    case HEADERS_LINE_FEED:
    case HEADERS_LAST_LINE_FEED:
        scan->state = scan->state == HEADERS_LINE_FEED ? HEADERS_LINE : HEADERS_END;
        return byte == '\n' ? NULL : "a carriage return in its headers has no line feed behind it";
    case HEADERS_END:
        break;
    }
    return "its headers have ended";
}

pp_frame_verdict pp_headers_look(const uint8_t *stream, uint32_t available, uint32_t payload_bytes_max, pp_frame *frame)
{
    headers_scan scan = {.state = HEADERS_LINE, .length_max = payload_bytes_max};
    for (uint32_t i = 0; i < available && i < PP_FRAMING_HEADER_BLOCK_BYTES_MAX; i++) {
        const char *why = headers_step(&scan, stream[i]);
        if (why != NULL) {
            return pp_frame_refused(frame, why);
        }
        if (scan.state == HEADERS_END) {
            return pp_frame_of(frame, i + 1, scan.length, i + 1 + scan.length, available);
        }
    }
    if (available >= PP_FRAMING_HEADER_BLOCK_BYTES_MAX) {
        return pp_frame_refused(frame, "its headers have passed 4096 bytes");
    }
    return pp_frame_part(frame, available + 1);
}

_Static_assert(PP_FRAMING_HEADER_BLOCK_BYTES_MAX == 4096, "the sentence above says so");

static const char headers_before[] = "Content-Length: ", headers_behind[] = "\r\n\r\n";
enum { HEADERS_AROUND_BYTES = sizeof headers_before - 1 + sizeof headers_behind - 1 };

static uint32_t headers_digits(uint32_t number)
{
    uint32_t digits = 1;
    while (number > 9) {
        number /= 10;
        digits += 1;
    }
    return digits;
}

uint32_t pp_headers_header_bytes(uint32_t payload_bytes)
{
    return HEADERS_AROUND_BYTES + headers_digits(payload_bytes);
}

void pp_headers_write_header(uint8_t *header, uint32_t payload_bytes)
{
    memcpy(header, headers_before, sizeof headers_before - 1);
    header += sizeof headers_before - 1;
    uint32_t digits = headers_digits(payload_bytes);
    for (uint32_t i = digits; i-- > 0; payload_bytes /= 10) {
        header[i] = (uint8_t) ('0' + payload_bytes % 10);
    }
    memcpy(header + digits, headers_behind, sizeof headers_behind - 1);
}
