/* SPDX-License-Identifier: MIT */
#include "tools/pipeport/stream.h"

#include <string.h>

#include "tools/pipeport/payload.h"

#define STREAM_WORD 8
#define STREAM_PIECE 512 /* Compared at once. */

static uint64_t stream_start(const struct stream *stream)
{
    return payload_mix(payload_mix(stream->seed) + stream->tag);
}

static uint64_t stream_word(uint64_t start, uint64_t number)
{
    return payload_mix(start ^ payload_mix(number + 1));
}

void stream_write(const struct stream *stream, uint64_t position, void *data, size_t length)
{
    uint64_t start = stream_start(stream);
    unsigned char *bytes = data;
    size_t at = 0;

    while (at < length) {
        uint64_t word = stream_word(start, (position + at) / STREAM_WORD);

        for (unsigned byte = (unsigned) ((position + at) % STREAM_WORD); byte < STREAM_WORD && at < length; byte++) {
            bytes[at++] = (unsigned char) (word >> 8 * byte);
        }
    }
}

size_t stream_read(const struct stream *stream, uint64_t position, const void *data, size_t length)
{
    const unsigned char *bytes = data;
    unsigned char due[STREAM_PIECE];
    size_t at = 0;

    while (at < length) {
        size_t piece = length - at < sizeof(due) ? length - at : sizeof(due);

        stream_write(stream, position + at, due, piece);
        if (memcmp(due, bytes + at, piece) == 0) {
            at += piece;
            continue;
        }
        for (size_t i = 0; i < piece && due[i] == bytes[at]; i++) {
            at++;
        }
        return at;
    }
    return length;
}
