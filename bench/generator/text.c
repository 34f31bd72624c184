/* SPDX-License-Identifier: MIT */
#include "bench/generator/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/generator/machine.h"

#define TEXT_ROOM_FIRST 4096

/* Room for `more` bytes and the end. */
static bool text_make_room(struct text *text, size_t more)
{
    size_t room = text->room == 0 ? TEXT_ROOM_FIRST : text->room;
    char *bytes;

    if (text->failed) {
        return false;
    }
    while (room - text->length <= more) {
        room *= 2;
    }
    if (room == text->room) {
        return true;
    }
    bytes = realloc(text->bytes, room);
    if (bytes == NULL) {
        text->failed = true;
        return false;
    }
    text->bytes = bytes;
    text->room = room;
    return true;
}

void text_add_bytes(struct text *text, const char *bytes, size_t length)
{
    if (text_make_room(text, length)) {
        memcpy(text->bytes + text->length, bytes, length);
        text->length += length;
        text->bytes[text->length] = '\0';
    }
}

void text_add(struct text *text, const char *format, ...)
{
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0 || !text_make_room(text, (size_t) length)) {
        text->failed = true;
        return;
    }
    va_start(arguments, format);
    vsnprintf(text->bytes + text->length, text->room - text->length, format, arguments);
    va_end(arguments);
    text->length += (size_t) length;
}

/* Bytes of the UTF-8 character that stands there, 0 where none does. */
static size_t text_character(const char *string)
{
    const unsigned char *bytes = (const unsigned char *) string;
    unsigned second_min = 0x80, second_max = 0xbf;
    size_t length;

    if (bytes[0] < 0x80) {
        return 1;
    }
    if (bytes[0] < 0xc2 || bytes[0] > 0xf4) {
        return 0;
    }
    length = bytes[0] < 0xe0 ? 2 : bytes[0] < 0xf0 ? 3 : 4;
    if (bytes[0] == 0xe0) { /* Longer than need be, a surrogate, or above U+10FFFF. */
        second_min = 0xa0;
    } else if (bytes[0] == 0xed) {
        second_max = 0x9f;
    } else if (bytes[0] == 0xf0) {
        second_min = 0x90;
    } else if (bytes[0] == 0xf4) {
        second_max = 0x8f;
    }
    if (bytes[1] < second_min || bytes[1] > second_max) {
        return 0;
    }
    for (size_t i = 2; i < length; i++) {
        if (bytes[i] < 0x80 || bytes[i] > 0xbf) {
            return 0;
        }
    }
    return length;
}

/* Adds it and returns how many bytes it took. */
static size_t text_add_character(struct text *text, const char *string)
{
    size_t length = text_character(string);

    if (length == 0) {
        text_add(text, "\xef\xbf\xbd");
        return 1;
    }
    text_add_bytes(text, string, length);
    return length;
}

void text_add_html(struct text *text, const char *string)
{
    while (*string != '\0') {
        unsigned char byte = (unsigned char) *string;
        const char *entity = byte == '&'    ? "&amp;"
                             : byte == '<'  ? "&lt;"
                             : byte == '>'  ? "&gt;"
                             : byte == '"'  ? "&quot;"
                             : byte == 0x7f ? "\xef\xbf\xbd"
                             : byte < 0x20  ? "\xef\xbf\xbd"
                                            : NULL;

        if (entity == NULL) {
            string += text_add_character(text, string);
        } else {
            text_add(text, "%s", entity);
            string++;
        }
    }
}

void text_add_json(struct text *text, const char *string)
{
    text_add(text, "\"");
    while (*string != '\0') {
        unsigned char byte = (unsigned char) *string;

        if (byte == '"' || byte == '\\') {
            text_add(text, "\\%c", byte);
            string++;
        } else if (byte < 0x20) {
            text_add(text, "\\u%04x", byte);
            string++;
        } else {
            string += text_add_character(text, string);
        }
    }
    text_add(text, "\"");
}

const char *text_string(const struct text *text)
{
    return text->bytes == NULL ? "" : text->bytes;
}

bool text_save(const struct text *text, const char *path)
{
    FILE *file;
    bool whole;
    int cause;

    errno = 0;
    if (text->failed) {
        return false;
    }
    file = fopen(path, "wb");
    if (file == NULL) {
        return false;
    }
    whole = fwrite(text_string(text), 1, text->length, file) == text->length;
    cause = errno;
    if (fclose(file) != 0) {
        return false;
    }
    errno = cause;
    return whole;
}

bool text_can_save(const char *path)
{
    enum machine_place before = machine_place(path);
    FILE *file;

    if (before == MACHINE_STREAM) {
        return machine_may_write(path);
    }
    file = fopen(path, "ab");
    if (file == NULL) {
        return false;
    }
    fclose(file);
    if (before == MACHINE_NOTHING) { /* The try made it. */
        (void) remove(path);
    }
    return true;
}

bool text_print(const struct text *text)
{
    return !text->failed && fwrite(text_string(text), 1, text->length, stdout) == text->length && fflush(stdout) == 0;
}

bool text_load(struct text *text, const char *path, size_t bytes_max)
{
    char piece[16384];
    size_t length;
    FILE *file;
    bool whole;

    errno = 0;
    file = fopen(path, "rb");
    if (file == NULL) {
        return false;
    }
    while ((length = fread(piece, 1, sizeof(piece), file)) > 0 && text->length <= bytes_max) {
        text_add_bytes(text, piece, length);
    }
    whole = ferror(file) == 0 && !text->failed;
    fclose(file);
    if (text->length > bytes_max) {
        errno = EFBIG;
        return false;
    }
    return whole;
}

void text_clear(struct text *text)
{
    free(text->bytes);
    *text = (struct text){NULL, 0, 0, false};
}
