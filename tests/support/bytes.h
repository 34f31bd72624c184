/* SPDX-License-Identifier: MIT */
/*
 * bytes.h - bytes that are written down one behind the other.
 */
#ifndef TESTS_SUPPORT_BYTES_H
#define TESTS_SUPPORT_BYTES_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct test_bytes {
    uint8_t *data;
    size_t length, room;
} test_bytes;

static inline void test_bytes_add(test_bytes *bytes, const void *data, size_t length)
{
    if (length > bytes->room - bytes->length) {
        bytes->room = (bytes->length + length) * 2;
        bytes->data = realloc(bytes->data, bytes->room);
        if (bytes->data == NULL) {
            abort();
        }
    }
    if (length != 0) {
        memcpy(bytes->data + bytes->length, data, length);
        bytes->length += length;
    }
}

#endif
