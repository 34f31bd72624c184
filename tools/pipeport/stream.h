/* SPDX-License-Identifier: MIT */
/*
 * stream.h - bytes without messages, each known by where it lies: what the tools send where the framing is none.
 *
 * The byte at a position follows from the position, the seed and whose stream it is, so that a receiver needs to know
 * nothing but how many came before. Of two bytes at different positions, or of different streams, one in 256 is the
 * same by chance: what is lost, doubled or moved is found within a few bytes.
 */
#ifndef PIPEPORT_TOOL_STREAM_H
#define PIPEPORT_TOOL_STREAM_H

#include <stddef.h>
#include <stdint.h>

struct stream {
    uint64_t seed;
    uint32_t tag; /* The connection's number; PAYLOAD_TAG_ALL of what goes to all. */
};

/* Writes the bytes from `position` on. */
void stream_write(const struct stream *stream, uint64_t position, void *data, size_t length);

/* How many of these bytes are those from `position` on, before the first that is wrong. */
size_t stream_read(const struct stream *stream, uint64_t position, const void *data, size_t length);

#endif
