/* SPDX-License-Identifier: MIT */
/* wire.c - see wire.h. */
#include "engine/flow/wire.h"

static const struct wire_kind {
    uint8_t kind;
    uint32_t flags; /* That mean something to it. */
} wire_kinds[] = {
    [PIPEPORT_FRAMING_LENGTH] = {PP_FRAMING_LENGTH, PIPEPORT_BIG_ENDIAN | PIPEPORT_KEEP | PIPEPORT_ESCAPE},
    [PIPEPORT_FRAMING_VARINT] = {PP_FRAMING_VARINT, 0},
    [PIPEPORT_FRAMING_DELIMITER] = {PP_FRAMING_DELIMITER, PIPEPORT_STRIP_CR},
    [PIPEPORT_FRAMING_HEADERS] = {PP_FRAMING_HEADERS, 0},
    [PIPEPORT_FRAMING_MEASURED] = {PP_FRAMING_MEASURED, 0},
    [PIPEPORT_FRAMING_NONE] = {PP_FRAMING_NONE, 0},
    [PIPEPORT_FRAMING_MESSAGE] = {PP_FRAMING_MESSAGE, 0},
};

const char *pp_wire_framing(pp_framing *out, const pipeport_framing *given)
{
    if (given->kind == PIPEPORT_FRAMING_DEFAULT) {
        *out = pp_framing_default;
        bool is_zeroed = !given->flags && !given->width && !given->offset && !given->adjust && !given->delimiter &&
                         !given->measure && !given->measure_user;
        return is_zeroed ? NULL : "kind: not the default where another field is set";
    }
    if (given->kind >= sizeof wire_kinds / sizeof wire_kinds[0]) {
        return "kind: one of pipeport_framing_kind";
    }
    if (given->flags & ~wire_kinds[given->kind].flags) {
        return "flags: only those that mean something to the kind";
    }
    if (given->width > UINT8_MAX || given->offset > UINT8_MAX) {
        return "width, offset: 8 and 64 at most";
    }
    *out = (pp_framing){
        .kind = wire_kinds[given->kind].kind,
        .width = (uint8_t) given->width,
        .offset = (uint8_t) given->offset,
        .delimiter = given->delimiter,
        .big_endian = (given->flags & PIPEPORT_BIG_ENDIAN) != 0,
        .escape = (given->flags & PIPEPORT_ESCAPE) != 0,
        .keep = (given->flags & PIPEPORT_KEEP) != 0,
        .strip_cr = (given->flags & PIPEPORT_STRIP_CR) != 0,
        .adjust = given->adjust,
        .measure = given->measure,
        .measure_user = given->measure_user,
    };
    return pp_framing_fault(out);
}

uint32_t pp_wire_frame_bytes_max(const pp_framing *framing, uint32_t payload_bytes_max)
{
    return pp_framing_fits(framing, payload_bytes_max) ? pp_wire_frame_bytes(framing, payload_bytes_max)
                                                       : payload_bytes_max + PP_FRAMING_HEADER_BYTES_MAX;
}

pipeport_status pp_wire_admit_by_rule(const pp_framing *framing, const void *payload, uint32_t payload_bytes)
{
    switch (pp_framing_admit(framing, payload, payload_bytes)) {
    case PP_ADMITTED:
        return PIPEPORT_OK;
    case PP_ADMISSION_TOO_LONG:
        return PIPEPORT_TOO_LARGE;
    case PP_ADMISSION_MALFORMED:
        break;
    }
    return PIPEPORT_INVALID;
}
