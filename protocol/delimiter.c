/* SPDX-License-Identifier: MIT */
/*
 * delimiter.c - messages that end with a byte of their own. No more of the stream is searched than a message within the
 * bound can take.
 */
#include "protocol/kinds.h"

#include <string.h>

static bool delimiter_strips(const pp_framing *framing, const uint8_t *line, uint32_t bytes)
{
    return framing->strip_cr && bytes != 0 && line[bytes - 1] == '\r';
}

pp_frame_verdict pp_delimiter_look(const pp_framing *framing, const uint8_t *stream, uint32_t available,
                                   uint32_t payload_bytes_max, pp_frame *frame)
{
    uint32_t end = payload_bytes_max + 2; /* A payload, a carriage return, the delimiter. */
    end = available < end ? available : end;
    const uint8_t *found = NULL;
    if (frame->looked < end) {
        found = memchr(stream + frame->looked, framing->delimiter, end - frame->looked);
    }
    uint32_t line = found != NULL ? (uint32_t) (found - stream) : end;
    uint32_t payload = line - (delimiter_strips(framing, stream, line) ? 1 : 0);
    if (payload > payload_bytes_max) {
        return pp_frame_refused(frame, "it has passed the bound on messages without its delimiter");
    }
    if (found == NULL) {
        return pp_frame_part(frame, available + 1);
    }
    return pp_frame_of(frame, 0, payload, line + 1, available);
}

bool pp_delimiter_admits(const pp_framing *framing, const uint8_t *payload, uint32_t payload_bytes)
{
    return payload_bytes == 0 || (memchr(payload, framing->delimiter, payload_bytes) == NULL &&
                                  !delimiter_strips(framing, payload, payload_bytes));
}
