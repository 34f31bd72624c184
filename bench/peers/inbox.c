/* SPDX-License-Identifier: MIT */
#include "bench/peers/inbox.h"

#include "bench/frame.h"

#include <stdlib.h>
#include <string.h>

bool inbox_init(struct inbox *inbox)
{
    *inbox = (struct inbox){.bytes = malloc(INBOX_BYTES), .room = INBOX_BYTES};
    return inbox->bytes != NULL;
}

void inbox_fini(struct inbox *inbox)
{
    free(inbox->bytes);
    *inbox = (struct inbox){0};
}

size_t inbox_message(const struct inbox *inbox, size_t at)
{
    size_t waiting = inbox->filled - at;
    size_t frame;

    if (waiting < FRAME_HEADER_BYTES) {
        return 0;
    }
    frame = (size_t) frame_length(inbox->bytes + at) + FRAME_HEADER_BYTES;
    return frame <= waiting ? frame : 0;
}

size_t inbox_whole(const struct inbox *inbox)
{
    size_t whole = 0;

    for (size_t more; (more = inbox_message(inbox, whole)) != 0;) {
        whole += more;
    }
    return whole;
}

bool inbox_drop(struct inbox *inbox, size_t count)
{
    size_t frame = 0;

    inbox->filled -= count;
    memmove(inbox->bytes, inbox->bytes + count, inbox->filled);
    if (inbox->filled >= FRAME_HEADER_BYTES) {
        frame = (size_t) frame_length(inbox->bytes) + FRAME_HEADER_BYTES;
    }
    if (frame > INBOX_MESSAGE_BYTES_MAX) {
        return false;
    }
    if (frame > inbox->room) {
        unsigned char *bytes = realloc(inbox->bytes, frame);

        if (bytes == NULL) {
            return false;
        }
        inbox->bytes = bytes;
        inbox->room = frame;
    }
    return true;
}
