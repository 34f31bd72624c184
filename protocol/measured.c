/* SPDX-License-Identifier: MIT */
/*
 * measured.c - messages whose length the user's function tells. Its answer is not believed beyond the bound.
 */
#include "protocol/kinds.h"

/* Where the bound is seen whole and is still not enough to tell, no frame within it begins here. */
pp_frame_verdict pp_measured_look(const pp_framing *framing, const uint8_t *stream, uint32_t available,
                                  uint32_t payload_bytes_max, pp_frame *frame)
{
    int64_t bytes = framing->measure(framing->measure_user, stream, available);
    if (bytes < 0) {
        return pp_frame_refused(frame, "its measure says that it is no message");
    }
    if (bytes > (int64_t) payload_bytes_max) {
        return pp_frame_refused(frame, "its measure says more than the bound on messages");
    }
    if (bytes == 0 && available >= payload_bytes_max) {
        return pp_frame_refused(frame, "its measure cannot tell its length within the bound on messages");
    }
    if (bytes == 0) {
        return pp_frame_part(frame, available + 1);
    }
    return pp_frame_of(frame, 0, (uint32_t) bytes, (uint32_t) bytes, available);
}
