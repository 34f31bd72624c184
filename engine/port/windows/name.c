/* SPDX-License-Identifier: MIT */
#include "engine/port/windows/name.h"

#include "engine/port/windows/win.h"

#include <string.h>

static const char name_prefix[] = "\\\\.\\pipe\\";

enum { NAME_PREFIX_BYTES = sizeof name_prefix - 1 };

_Static_assert(NAME_PREFIX_BYTES + PP_NAME_BYTES_MAX < PP_ADDRESS_BYTES_MAX, "an address holds the longest name");

static bool name_is_whole(const char *text)
{
    for (size_t i = 0; i < NAME_PREFIX_BYTES; i++) {
        char c = text[i]; /* A NUL differs from all of the prefix, so nothing is read behind it. */
        if (c >= 'A' && c <= 'Z') {
            c = (char) (c - 'A' + 'a');
        }
        if (c != name_prefix[i]) {
            return false;
        }
    }
    return true;
}

bool pp_name_init(pp_name *name, const char *text)
{
    if (name_is_whole(text)) {
        text += NAME_PREFIX_BYTES;
    }
    size_t bytes = strnlen(text, PP_NAME_BYTES_MAX + 1);
    if (bytes == 0 || bytes > PP_NAME_BYTES_MAX || text[bytes - 1] == '.' || text[bytes - 1] == ' ') {
        return false;
    }
    for (size_t i = 0; i < bytes; i++) {
        unsigned char c = (unsigned char) text[i];
        if (c < 0x20 || c == 0x7F || c == '\\' || c == '/') {
            return false;
        }
    }
    memcpy(name->address, name_prefix, NAME_PREFIX_BYTES);
    memcpy(name->address + NAME_PREFIX_BYTES, text, bytes);
    name->address[NAME_PREFIX_BYTES + bytes] = '\0';
    return MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, name->address, -1, name->path, PP_ADDRESS_BYTES_MAX) > 0;
}
