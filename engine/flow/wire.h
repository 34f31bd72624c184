/* SPDX-License-Identifier: MIT */
/* wire.h - what the framing of the public header means to protocol/. */
#ifndef PP_FLOW_WIRE_H
#define PP_FLOW_WIRE_H

#include "engine/include/pipeport.h"
#include "protocol/framing.h"

/* The rule that `given` asks for, zeroed being the default; *out is set where NULL is returned. Else what is wrong with
 * it: the field, and what it may be; static. */
const char *pp_wire_framing(pp_framing *out, const pipeport_framing *given);

/* Of a payload that fits: with header and trailer. */
static inline uint32_t pp_wire_frame_bytes(const pp_framing *framing, uint32_t payload_bytes)
{
    if (pp_framing_is_default(framing)) {
        return PP_FRAMING_DEFAULT_HEADER_BYTES + payload_bytes;
    }
    return pp_framing_header_bytes(framing, payload_bytes) + payload_bytes + pp_framing_trailer_bytes(framing);
}

/* No frame of a payload of at most that is longer. */
uint32_t pp_wire_frame_bytes_max(const pp_framing *framing, uint32_t payload_bytes_max);

/* May this be sent in it? It is no longer than PP_FRAMING_PAYLOAD_BYTES_MAX. Fails: TOO_LARGE (more than its field can
 * say), INVALID (it would not arrive as one message). */
pipeport_status pp_wire_admit_by_rule(const pp_framing *framing, const void *payload, uint32_t payload_bytes);

/* The same of any length. Fails also: TOO_LARGE (above payload_bytes_max <= PP_FRAMING_PAYLOAD_BYTES_MAX). */
static inline pipeport_status pp_wire_admit(const pp_framing *framing, const void *payload, size_t payload_bytes,
                                            uint32_t payload_bytes_max)
{
    if (payload_bytes > payload_bytes_max) {
        return PIPEPORT_TOO_LARGE;
    }
    return pp_framing_is_default(framing) ? PIPEPORT_OK
                                          : pp_wire_admit_by_rule(framing, payload, (uint32_t) payload_bytes);
}

#endif
