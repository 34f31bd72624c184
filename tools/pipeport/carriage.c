/* SPDX-License-Identifier: MIT */
#include "tools/pipeport/carriage.h"

#include <string.h>

#include "tools/pipeport/framing.h"

uint32_t carriage_lacks(const pipeport_framing *framing)
{
    return framing->kind == PIPEPORT_FRAMING_DELIMITER ? PAYLOAD_LACKS(framing->delimiter) : PAYLOAD_LACKS_NONE;
}

uint64_t carriage_bytes(const pipeport_framing *framing, uint64_t payload_bytes)
{
    return framing_kept_bytes(framing, payload_bytes) + payload_bytes;
}

void carriage_write(const pipeport_framing *framing, const struct payload *payload, void *room)
{
    uint32_t header = framing_kept_bytes(framing, payload->length);

    if (header > 0) {
        framing_keep(framing, payload->length, room);
    }
    payload_write(payload, (unsigned char *) room + header);
}

bool carriage_open(const pipeport_framing *framing, const void *data, size_t length, size_t *payload_at)
{
    unsigned char header[FRAMING_HEADER_BYTES_MAX];
    uint32_t bytes = framing_kept_bytes(framing, 0);

    *payload_at = 0;
    if (length < bytes) {
        return false;
    }
    bytes = framing_kept_bytes(framing, length - bytes); /* Longer where the payload is. */
    if (length < bytes || framing_kept_bytes(framing, length - bytes) != bytes ||
        !framing_says(framing, length - bytes)) {
        return false;
    }
    if (bytes > 0) {
        framing_keep(framing, length - bytes, header);
        if (memcmp(header, data, bytes) != 0) {
            return false;
        }
    }
    *payload_at = bytes;
    return true;
}
