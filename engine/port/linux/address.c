/* SPDX-License-Identifier: MIT */
#include "engine/port/linux/gnu.h"

#include "engine/port/linux/address.h"

#include "engine/port/linux/fault.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { ADDRESS_BYTES_MAX = sizeof(((struct sockaddr_un *) 0)->sun_path) - 1 };

_Static_assert((int) ADDRESS_BYTES_MAX < (int) PP_ADDRESS_BYTES_MAX, "an address fits with its NUL");

/* The length of the UTF-8 sequence at `text`, 0 if it is none (overlong, surrogate, above U+10FFFF, cut, control). */
static size_t address_rune_bytes(const unsigned char *text)
{
    unsigned char first = text[0], low = 0x80, high = 0xBF;
    size_t bytes = first < 0x80 ? 1 : first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
    if (first < 0x20 || first == 0x7F) {
        return 0;
    }
    low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : low;
    high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : high;
    for (size_t i = 1; i < bytes; i++) {
        if (text[i] < low || text[i] > high) {
            return 0;
        }
        low = 0x80;
        high = 0xBF;
    }
    return bytes;
}

static bool address_name_is_valid(const char *name, bool absolute)
{
    const unsigned char *text = (const unsigned char *) name;
    size_t length = 0;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
        return false;
    }
    while (text[length] != '\0') {
        size_t bytes = address_rune_bytes(text + length);
        if (bytes == 0 || (!absolute && (text[length] == '/' || text[length] == '\\'))) {
            return false;
        }
        length += bytes;
        if (length > PP_NAME_BYTES_MAX) {
            return false;
        }
    }
    return length > 0 && name[length - 1] != '/';
}

/* True: $XDG_RUNTIME_DIR is a directory of ours. A set-uid program does not believe its environment. */
static bool address_runtime_directory(char directory[PP_ADDRESS_BYTES_MAX])
{
    struct stat is;
    const char *runtime = secure_getenv("XDG_RUNTIME_DIR");
    if (runtime == NULL || runtime[0] != '/' || lstat(runtime, &is) != 0 || !S_ISDIR(is.st_mode) ||
        is.st_uid != geteuid()) {
        return false;
    }
    int written = snprintf(directory, PP_ADDRESS_BYTES_MAX, "%s/pipeport", runtime);
    return written > 0 && written < PP_ADDRESS_BYTES_MAX;
}

/* False: the temporary folder's name is too long. */
static bool address_directory(char directory[PP_ADDRESS_BYTES_MAX])
{
    if (address_runtime_directory(directory)) {
        return true;
    }
    const char *temporary = secure_getenv("TMPDIR");
    if (temporary == NULL || temporary[0] != '/') {
        temporary = "/tmp";
    }
    int written = snprintf(directory, PP_ADDRESS_BYTES_MAX, "%s/pipeport-%lu", temporary, (unsigned long) geteuid());
    return written > 0 && written < PP_ADDRESS_BYTES_MAX;
}

pipeport_status pp_pipe_address(const char *name, char address[PP_ADDRESS_BYTES_MAX])
{
    char directory[PP_ADDRESS_BYTES_MAX] = "", spelled[PP_ADDRESS_BYTES_MAX + PP_NAME_BYTES_MAX + 2];
    bool absolute = name != NULL && name[0] == '/';
    if (name == NULL || !address_name_is_valid(name, absolute) || (!absolute && !address_directory(directory))) {
        return PIPEPORT_INVALID;
    }
    int written = snprintf(spelled, sizeof spelled, "%s%s%s", directory, absolute ? "" : "/", name);
    if (written < 0 || written > ADDRESS_BYTES_MAX) {
        return PIPEPORT_INVALID;
    }
    memcpy(address, spelled, (size_t) written + 1);
    return PIPEPORT_OK;
}

pp_fault pp_address_secure(const char *name, bool make)
{
    char directory[PP_ADDRESS_BYTES_MAX];
    struct stat is;
    if (name[0] == '/' || !address_directory(directory)) {
        return (pp_fault){PIPEPORT_OK, 0};
    }
    if (make && mkdir(directory, S_IRWXU) != 0 && errno != EEXIST) {
        return pp_fault_from(errno);
    }
    if (lstat(directory, &is) != 0) { /* Not stat: a link is somebody's hand in the temporary folder. */
        return pp_fault_from(errno);
    }
    if (!S_ISDIR(is.st_mode) || is.st_uid != geteuid() || (is.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        return (pp_fault){PIPEPORT_DENIED, 0};
    }
    return (pp_fault){PIPEPORT_OK, 0};
}
