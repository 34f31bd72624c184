/* SPDX-License-Identifier: MIT */
/*
 * carriage.h - a payload (payload.h) in a message, as its framing wants it: without the delimiter, and with keep behind
 * the frame's own header. Not for the framing none, which has no messages (stream.h).
 */
#ifndef PIPEPORT_TOOL_CARRIAGE_H
#define PIPEPORT_TOOL_CARRIAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/include/pipeport.h"
#include "tools/pipeport/payload.h"

/* What payload.lacks is to be. */
uint32_t carriage_lacks(const pipeport_framing *framing);

/* How long the message is that holds a payload of this length. */
uint64_t carriage_bytes(const pipeport_framing *framing, uint64_t payload_bytes);

/* Writes the message, carriage_bytes(framing, payload->length) of them. */
void carriage_write(const pipeport_framing *framing, const struct payload *payload, void *room);

/* Where the payload lies in a message that came: false where what stands in front of it is not its frame's header, and
 * then it begins at 0. */
bool carriage_open(const pipeport_framing *framing, const void *data, size_t length, size_t *payload_at);

#endif
