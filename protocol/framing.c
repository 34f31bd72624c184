/* SPDX-License-Identifier: MIT */
/*
 * framing.c - the value: what it may be, and whether two are the same. What it does is in kinds.c.
 */
#include "protocol/framing.h"

#include <string.h>

const pp_framing pp_framing_default = {.kind = PP_FRAMING_LENGTH, .width = 4};

static const char *framing_length_fault(const pp_framing *framing)
{
    bool is_width = (framing->width >= 1 && framing->width <= 4) || framing->width == 8;
    if (!is_width) {
        return "width: 1, 2, 3, 4 or 8";
    }
    if (framing->offset > PP_FRAMING_OFFSET_MAX) {
        return "offset: at most 64";
    }
    if (framing->adjust < -PP_FRAMING_ADJUST_MAX || framing->adjust > PP_FRAMING_ADJUST_MAX) {
        return "adjust: between -1048576 and 1048576";
    }
    if (framing->escape && framing->width == 8) {
        return "escape: not with a width of 8";
    }
    return NULL;
}
_Static_assert(PP_FRAMING_OFFSET_MAX == 64 && PP_FRAMING_ADJUST_MAX == 1048576, "the sentences above say so");

/* What another kind than LENGTH leaves alone. */
static const char *framing_stray_length(const pp_framing *framing)
{
    if (framing->width != 0 || framing->offset != 0 || framing->adjust != 0) {
        return "width, offset, adjust: 0 where the kind is not LENGTH";
    }
    if (framing->big_endian || framing->escape || framing->keep) {
        return "big_endian, escape, keep: false where the kind is not LENGTH";
    }
    return NULL;
}

const char *pp_framing_fault(const pp_framing *framing)
{
    if (framing->kind > PP_FRAMING_MESSAGE) {
        return "kind: one of pp_framing_kind";
    }
    const char *fault = framing->kind == PP_FRAMING_LENGTH ? framing_length_fault(framing)
                                                           : framing_stray_length(framing);
    if (fault != NULL) {
        return fault;
    }
    if (framing->kind != PP_FRAMING_DELIMITER && (framing->delimiter != 0 || framing->strip_cr)) {
        return "delimiter, strip_cr: 0 where the kind is not DELIMITER";
    }
    if (framing->strip_cr && framing->delimiter == '\r') {
        return "strip_cr: not where the delimiter is the carriage return";
    }
    if (framing->kind == PP_FRAMING_MEASURED && framing->measure == NULL) {
        return "measure: a function where the kind is MEASURED";
    }
    if (framing->kind != PP_FRAMING_MEASURED && (framing->measure != NULL || framing->measure_user != NULL)) {
        return "measure, measure_user: NULL where the kind is not MEASURED";
    }
    return NULL;
}

bool pp_framing_equals(const pp_framing *one, const pp_framing *other)
{
    return memcmp(one, other, offsetof(pp_framing, adjust)) == 0 && one->adjust == other->adjust &&
           one->measure == other->measure && one->measure_user == other->measure_user;
}
