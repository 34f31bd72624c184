/* SPDX-License-Identifier: MIT */
/* default_frame.h - the default framing, for tests that make streams by hand: 4 bytes, little endian. */
#ifndef TESTS_SUPPORT_DEFAULT_FRAME_H
#define TESTS_SUPPORT_DEFAULT_FRAME_H

#include "protocol/framing.h"

enum { FRAME_HEADER_BYTES = 4 };

static inline void frame_write_header(uint8_t *header, uint32_t payload_bytes)
{
    pp_framing_write_header(&pp_framing_default, header, payload_bytes);
}

#endif
