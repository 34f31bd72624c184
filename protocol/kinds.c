/* SPDX-License-Identifier: MIT */
/*
 * kinds.c - which kind answers for a framing, and the kinds that need no file of their own.
 *
 * The default framing is answered before any other question: it is what most pipes speak, and each message asks.
 */
#include "protocol/kinds.h"

static pp_frame_verdict kinds_look_default(const uint8_t *stream, uint32_t available, uint32_t payload_bytes_max,
                                           pp_frame *frame)
{
    if (available < PP_FRAMING_DEFAULT_HEADER_BYTES) {
        return pp_frame_part(frame, PP_FRAMING_DEFAULT_HEADER_BYTES);
    }
    uint32_t payload = pp_framing_default_read(stream);
    if (payload > payload_bytes_max) {
        return pp_frame_refused(frame, "its length field says more than the bound on messages");
    }
    uint32_t bytes = PP_FRAMING_DEFAULT_HEADER_BYTES + payload;
    return pp_frame_of(frame, PP_FRAMING_DEFAULT_HEADER_BYTES, payload, bytes, available);
}

static pp_frame_verdict kinds_look_none(uint32_t available, uint32_t payload_bytes_max, pp_frame *frame)
{
    if (payload_bytes_max == 0) {
        return pp_frame_refused(frame, "the bound on messages lets no byte through");
    }
    uint32_t bytes = available < payload_bytes_max ? available : payload_bytes_max;
    return pp_frame_of(frame, 0, bytes, bytes, available);
}

pp_frame_verdict pp_framing_look(const pp_framing *framing, const uint8_t *stream, uint32_t available,
                                 uint32_t payload_bytes_max, pp_frame *frame)
{
    if (pp_framing_is_default(framing)) {
        return kinds_look_default(stream, available, payload_bytes_max, frame);
    }
    switch ((pp_framing_kind) framing->kind) {
    case PP_FRAMING_LENGTH:
        return pp_length_look(framing, stream, available, payload_bytes_max, frame);
    case PP_FRAMING_VARINT:
        return pp_varint_look(stream, available, payload_bytes_max, frame);
    case PP_FRAMING_DELIMITER:
        return pp_delimiter_look(framing, stream, available, payload_bytes_max, frame);
    case PP_FRAMING_HEADERS:
        return pp_headers_look(stream, available, payload_bytes_max, frame);
    case PP_FRAMING_MEASURED:
        return pp_measured_look(framing, stream, available, payload_bytes_max, frame);
    case PP_FRAMING_NONE:
        return kinds_look_none(available, payload_bytes_max, frame);
    case PP_FRAMING_MESSAGE:
        break;
    }
    return pp_frame_refused(frame, "the pipe keeps the boundaries of messages, its bytes do not");
}

bool pp_framing_fits(const pp_framing *framing, uint32_t payload_bytes)
{
    if (payload_bytes > PP_FRAMING_PAYLOAD_BYTES_MAX) {
        return false;
    }
    switch ((pp_framing_kind) framing->kind) {
    case PP_FRAMING_LENGTH:
        return pp_framing_is_default(framing) || pp_length_fits(framing, payload_bytes);
    case PP_FRAMING_VARINT:
    case PP_FRAMING_DELIMITER:
    case PP_FRAMING_HEADERS:
        return true;
    case PP_FRAMING_MEASURED:
    case PP_FRAMING_NONE:
    case PP_FRAMING_MESSAGE:
        break;
    }
    return payload_bytes != 0;
}

bool pp_framing_is_too_long(const pp_framing *framing, uint32_t payload_bytes)
{
    return payload_bytes > PP_FRAMING_PAYLOAD_BYTES_MAX ||
           (framing->kind == PP_FRAMING_LENGTH && pp_length_is_too_long(framing, payload_bytes));
}

static bool kinds_is_one_frame(const pp_framing *framing, const uint8_t *payload, uint32_t payload_bytes)
{
    pp_frame frame = {0};
    return payload_bytes != 0 &&
           pp_framing_look(framing, payload, payload_bytes, PP_FRAMING_PAYLOAD_BYTES_MAX, &frame) == PP_FRAME_WHOLE &&
           frame.bytes_needed == payload_bytes;
}

static pp_admission kinds_admit_length(const pp_framing *framing, const uint8_t *payload, uint32_t payload_bytes)
{
    if (framing->keep) {
        return kinds_is_one_frame(framing, payload, payload_bytes) ? PP_ADMITTED : PP_ADMISSION_MALFORMED;
    }
    if ((int64_t) payload_bytes < framing->adjust) {
        return PP_ADMISSION_MALFORMED;
    }
    return pp_length_fits(framing, payload_bytes) ? PP_ADMITTED : PP_ADMISSION_TOO_LONG;
}

pp_admission pp_framing_admit(const pp_framing *framing, const uint8_t *payload, uint32_t payload_bytes)
{
    if (payload_bytes > PP_FRAMING_PAYLOAD_BYTES_MAX) {
        return PP_ADMISSION_TOO_LONG;
    }
    if (pp_framing_is_default(framing)) {
        return PP_ADMITTED;
    }
    bool admitted = true;
    switch ((pp_framing_kind) framing->kind) {
    case PP_FRAMING_LENGTH:
        return kinds_admit_length(framing, payload, payload_bytes);
    case PP_FRAMING_VARINT:
    case PP_FRAMING_HEADERS:
        break;
    case PP_FRAMING_DELIMITER:
        admitted = pp_delimiter_admits(framing, payload, payload_bytes);
        break;
    case PP_FRAMING_MEASURED:
        admitted = kinds_is_one_frame(framing, payload, payload_bytes);
        break;
    case PP_FRAMING_NONE:
    case PP_FRAMING_MESSAGE:
        admitted = payload_bytes != 0;
        break;
    }
    return admitted ? PP_ADMITTED : PP_ADMISSION_MALFORMED;
}

uint32_t pp_framing_header_bytes(const pp_framing *framing, uint32_t payload_bytes)
{
    switch ((pp_framing_kind) framing->kind) {
    case PP_FRAMING_LENGTH:
        return pp_framing_is_default(framing) ? PP_FRAMING_DEFAULT_HEADER_BYTES
                                              : pp_length_header_bytes(framing, payload_bytes);
    case PP_FRAMING_VARINT:
        return pp_varint_header_bytes(payload_bytes);
    case PP_FRAMING_HEADERS:
        return pp_headers_header_bytes(payload_bytes);
    case PP_FRAMING_DELIMITER:
    case PP_FRAMING_MEASURED:
    case PP_FRAMING_NONE:
    case PP_FRAMING_MESSAGE:
        break;
    }
    return 0;
}

uint32_t pp_framing_trailer_bytes(const pp_framing *framing)
{
    return framing->kind == PP_FRAMING_DELIMITER ? 1 : 0;
}

void pp_framing_write_header(const pp_framing *framing, uint8_t *header, uint32_t payload_bytes)
{
    if (pp_framing_is_default(framing)) {
        pp_framing_default_write(header, payload_bytes);
        return;
    }
    switch ((pp_framing_kind) framing->kind) {
    case PP_FRAMING_LENGTH:
        pp_length_write_header(framing, header, payload_bytes);
        break;
    case PP_FRAMING_VARINT:
        pp_varint_write_header(header, payload_bytes);
        break;
    case PP_FRAMING_HEADERS:
        pp_headers_write_header(header, payload_bytes);
        break;
    case PP_FRAMING_DELIMITER:
    case PP_FRAMING_MEASURED:
    case PP_FRAMING_NONE:
    case PP_FRAMING_MESSAGE:
        break;
    }
}

void pp_framing_write_trailer(const pp_framing *framing, uint8_t *trailer)
{
    if (framing->kind == PP_FRAMING_DELIMITER) {
        *trailer = framing->delimiter;
    }
}
