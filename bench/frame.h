/* SPDX-License-Identifier: MIT */
/*
 * frame.h - the framing all programs here speak: 4 bytes of length, little endian, then that many bytes.
 */
#ifndef PIPEPORT_BENCH_FRAME_H
#define PIPEPORT_BENCH_FRAME_H

#include <stdint.h>

enum { FRAME_HEADER_BYTES = 4 };

static inline void frame_put_length(unsigned char *header, uint32_t length)
{
    header[0] = (unsigned char) length;
    header[1] = (unsigned char) (length >> 8);
    header[2] = (unsigned char) (length >> 16);
    header[3] = (unsigned char) (length >> 24);
}

static inline uint32_t frame_length(const unsigned char *header)
{
    return (uint32_t) header[0] | (uint32_t) header[1] << 8 | (uint32_t) header[2] << 16 | (uint32_t) header[3] << 24;
}

#endif
