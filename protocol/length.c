/* SPDX-License-Identifier: MIT */
/*
 * length.c - a length field, byte by byte, so that neither the machine's byte order nor the stream's alignment matters.
 * All sums are in 64 bits; a value is held against LENGTH_VALUE_MAX before it is added to anything.
 */
#include "protocol/kinds.h"

#include <string.h>

enum { LENGTH_ESCAPED_BYTES = 8 };

/* No payload that the bound admits needs a greater one, whatever `adjust` is. */
#define LENGTH_VALUE_MAX ((uint64_t) PP_FRAMING_PAYLOAD_BYTES_MAX + PP_FRAMING_ADJUST_MAX)

static const char length_too_long[] = "its length field says more than the bound on messages";

static uint64_t length_read(const uint8_t *field, unsigned width, bool big_endian)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < width; i++) {
        value |= (uint64_t) field[big_endian ? width - 1 - i : i] << 8 * i;
    }
    return value;
}

static void length_write(uint8_t *field, unsigned width, bool big_endian, uint64_t value)
{
    for (unsigned i = 0; i < width; i++) {
        field[big_endian ? width - 1 - i : i] = (uint8_t) (value >> 8 * i);
    }
}

static uint64_t length_ones(const pp_framing *framing)
{
    return framing->width == sizeof(uint64_t) ? UINT64_MAX : ((uint64_t) 1 << 8 * framing->width) - 1;
}

static uint32_t length_header(const pp_framing *framing)
{
    return (uint32_t) framing->offset + framing->width;
}

pp_frame_verdict pp_length_look(const pp_framing *framing, const uint8_t *stream, uint32_t available,
                                uint32_t payload_bytes_max, pp_frame *frame)
{
    uint32_t header = length_header(framing);
    if (available < header) {
        return pp_frame_part(frame, header);
    }
    uint64_t value = length_read(stream + framing->offset, framing->width, framing->big_endian);
    if (framing->escape && value == length_ones(framing)) {
        header += LENGTH_ESCAPED_BYTES;
        if (available < header) {
            return pp_frame_part(frame, header);
        }
        value = length_read(stream + header - LENGTH_ESCAPED_BYTES, LENGTH_ESCAPED_BYTES, framing->big_endian);
    }
    if (value > LENGTH_VALUE_MAX) {
        return pp_frame_refused(frame, length_too_long);
    }
    int64_t payload = (int64_t) value + framing->adjust;
    if (payload < 0) {
        return pp_frame_refused(frame, "its length field says less than its own header has");
    }
    int64_t delivered = framing->keep ? payload + header : payload;
    if (delivered > (int64_t) payload_bytes_max) {
        return pp_frame_refused(frame, length_too_long);
    }
    return pp_frame_of(frame, framing->keep ? 0 : header, (uint32_t) delivered, header + (uint32_t) payload, available);
}

/* What the field has to say of `payload_bytes` behind it; less than 0 if nothing can. */
static int64_t length_value(const pp_framing *framing, int64_t payload_bytes)
{
    return payload_bytes - framing->adjust;
}

static bool length_fits_field(const pp_framing *framing, int64_t value)
{
    return value >= 0 && (uint64_t) value <= length_ones(framing) - (framing->escape ? 1 : 0);
}

bool pp_length_fits(const pp_framing *framing, uint32_t payload_bytes)
{
    if (!framing->keep) {
        int64_t value = length_value(framing, payload_bytes);
        return value >= 0 && (framing->escape || length_fits_field(framing, value));
    }
    int64_t payload = (int64_t) payload_bytes - length_header(framing);
    if (payload >= 0 && length_fits_field(framing, length_value(framing, payload))) {
        return true;
    }
    payload -= LENGTH_ESCAPED_BYTES;
    return framing->escape && payload >= 0 && length_value(framing, payload) >= 0;
}

bool pp_length_is_too_long(const pp_framing *framing, uint32_t payload_bytes)
{
    int64_t value = length_value(framing, (int64_t) payload_bytes - (framing->keep ? length_header(framing) : 0));
    return !framing->escape && value >= 0 && !length_fits_field(framing, value);
}

uint32_t pp_length_header_bytes(const pp_framing *framing, uint32_t payload_bytes)
{
    if (framing->keep) {
        return 0;
    }
    bool escaped = framing->escape && !length_fits_field(framing, length_value(framing, payload_bytes));
    return length_header(framing) + (escaped ? LENGTH_ESCAPED_BYTES : 0);
}

void pp_length_write_header(const pp_framing *framing, uint8_t *header, uint32_t payload_bytes)
{
    if (framing->keep) {
        return;
    }
    uint64_t value = (uint64_t) length_value(framing, payload_bytes);
    memset(header, 0, framing->offset);
    header += framing->offset;
    if (framing->escape && !length_fits_field(framing, (int64_t) value)) {
        length_write(header, framing->width, framing->big_endian, UINT64_MAX);
        length_write(header + framing->width, LENGTH_ESCAPED_BYTES, framing->big_endian, value);
    } else {
        length_write(header, framing->width, framing->big_endian, value);
    }
}
