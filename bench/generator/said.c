/* SPDX-License-Identifier: MIT */
#include "bench/generator/said.h"

#include <stdio.h>
#include <string.h>

void said_add(struct said *said, const char *bytes, size_t count)
{
    size_t over;

    if (count > SAID_BYTES) {
        bytes += count - SAID_BYTES;
        count = SAID_BYTES;
    }
    over = said->length + count > SAID_BYTES ? said->length + count - SAID_BYTES : 0;
    memmove(said->bytes, said->bytes + over, said->length - over);
    said->length -= over;
    for (size_t i = 0; i < count; i++) {
        unsigned char byte = (unsigned char) bytes[i];

        said->bytes[said->length++] = byte == '\n' || (byte >= 0x20 && byte != 0x7f) ? bytes[i] : ' ';
    }
    said->bytes[said->length] = '\0';
}

void said_clear(struct said *said)
{
    said->length = 0;
    said->bytes[0] = '\0';
}

/* Without blanks at its ends: a line of Windows ends with one that was a carriage return. */
static void said_cut(const char *from, size_t length, char *line, size_t room)
{
    while (length > 0 && from[length - 1] == ' ') {
        length--;
    }
    while (length > 0 && *from == ' ') {
        from++;
        length--;
    }
    snprintf(line, room, "%.*s", (int) length, from);
}

bool said_line(const struct said *said, const char *begin, char *line, size_t room)
{
    const char *at = said->bytes;

    for (const char *end; (end = strchr(at, '\n')) != NULL; at = end + 1) {
        if (strncmp(at, begin, strlen(begin)) == 0) {
            said_cut(at, (size_t) (end - at), line, room);
            return true;
        }
    }
    return false;
}

void said_last(const struct said *said, char *line, size_t room)
{
    size_t end = said->length, begin;

    while (end > 0 && (said->bytes[end - 1] == '\n' || said->bytes[end - 1] == ' ')) {
        end--;
    }
    for (begin = end; begin > 0 && said->bytes[begin - 1] != '\n'; begin--) {
    }
    if (end == 0) {
        snprintf(line, room, "nothing");
        return;
    }
    said_cut(said->bytes + begin, end - begin, line, room);
}
