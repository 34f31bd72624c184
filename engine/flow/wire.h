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
    return pp_framing_header_bytes(framing, payload_bytes) + payload_bytes + pp_framing_trailer_bytes(framing);
}

/* No frame of a payload of at most that is longer. */
uint32_t pp_wire_frame_bytes_max(const pp_framing *framing, uint32_t payload_bytes_max);

/* May this be sent in it? Fails: TOO_LARGE (above payload_bytes_max, or more than its field can say), INVALID (it would
 * not arrive as one message). */
pipeport_status pp_wire_admit(const pp_framing *framing, const void *payload, size_t payload_bytes,
                              uint32_t payload_bytes_max);

#endif
