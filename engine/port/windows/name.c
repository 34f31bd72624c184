/* SPDX-License-Identifier: MIT */
#include "engine/port/windows/name.h"

#include "engine/port/windows/win.h"

#include <string.h>

static const char name_here[] = "\\\\.", name_middle[] = "\\pipe\\";

enum { NAME_HERE_BYTES = sizeof name_here - 1, NAME_MIDDLE_BYTES = sizeof name_middle - 1 };

_Static_assert(NAME_HERE_BYTES + NAME_MIDDLE_BYTES + PP_NAME_BYTES_MAX < PP_ADDRESS_BYTES_MAX,
               "an address holds the longest name");

static bool name_has_middle(const char *text)
{
    for (size_t i = 0; i < NAME_MIDDLE_BYTES; i++) {
        char c = text[i]; /* A NUL differs from all of it, so nothing is read behind it. */
        if (c >= 'A' && c <= 'Z') {
            c = (char) (c - 'A' + 'a');
        }
        if (c != name_middle[i]) {
            return false;
        }
    }
    return true;
}

/* How long \\HOST is, where \pipe\ follows it; 0 where not. \\?\ and \\.\ are no hosts' but the system's own. */
static size_t name_host_bytes(const char *text)
{
    if (text[0] != '\\' || text[1] != '\\') {
        return 0;
    }
    size_t bytes = 2;
    while ((unsigned char) text[bytes] > 0x20 && text[bytes] != 0x7F && text[bytes] != '\\' && text[bytes] != '/' &&
           bytes < PP_ADDRESS_BYTES_MAX) {
        bytes++;
    }
    bool is_own = bytes == 3 && text[2] == '?';
    return bytes > 2 && !is_own && name_has_middle(text + bytes) ? bytes : 0;
}

bool pp_name_init(pp_name *name, const char *text)
{
    const char *host = name_here;
    size_t host_bytes = name_host_bytes(text);
    name->remote = false;
    if (host_bytes > 0) {
        name->remote = host_bytes != NAME_HERE_BYTES || text[2] != '.';
        host = text;
        text += host_bytes + NAME_MIDDLE_BYTES;
    } else {
        host_bytes = NAME_HERE_BYTES;
    }
    size_t bytes = strnlen(text, PP_NAME_BYTES_MAX + 1);
    if (bytes == 0 || bytes > PP_NAME_BYTES_MAX || text[bytes - 1] == '.' || text[bytes - 1] == ' ' ||
        host_bytes + NAME_MIDDLE_BYTES + bytes >= PP_ADDRESS_BYTES_MAX) {
        return false;
    }
    for (size_t i = 0; i < bytes; i++) {
        unsigned char c = (unsigned char) text[i];
        if (c < 0x20 || c == 0x7F || c == '\\' || c == '/') {
            return false;
        }
    }
    char *to = name->address;
    memcpy(to, host, host_bytes);
    memcpy(to + host_bytes, name_middle, NAME_MIDDLE_BYTES);
    memcpy(to + host_bytes + NAME_MIDDLE_BYTES, text, bytes);
    to[host_bytes + NAME_MIDDLE_BYTES + bytes] = '\0';
    return MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, name->address, -1, name->path, PP_ADDRESS_BYTES_MAX) > 0;
}
