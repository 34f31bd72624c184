/* SPDX-License-Identifier: MIT */
#include "tests/clients/md5.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum { MD5_TEXT_BYTES = 1024, MD5_ROOM_BYTES = MD5_BLOCK_BYTES + MD5_TEXT_BYTES };

static uint32_t md5_turned(uint32_t word, unsigned by)
{
    return word << by | word >> (32 - by);
}

/* RFC 1321, 3.4: step i adds the whole part of 2^32 times |sin(i + 1)|. */
static void md5_block(uint32_t state[4], const uint8_t *block)
{
    static const unsigned turns[4][4] = {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    for (unsigned i = 0; i < 64; ++i) {
        uint32_t mixed, old = d;
        unsigned at;
        if (i < 16) {
            mixed = (b & c) | (~b & d);
            at = i;
        } else if (i < 32) {
            mixed = (b & d) | (c & ~d);
            at = (5 * i + 1) % 16;
        } else if (i < 48) {
            mixed = b ^ c ^ d;
            at = (3 * i + 5) % 16;
        } else {
            mixed = c ^ (b | ~d);
            at = 7 * i % 16;
        }
        const uint8_t *bytes = block + 4 * (size_t) at;
        uint32_t word = bytes[0] | (uint32_t) bytes[1] << 8 | (uint32_t) bytes[2] << 16 | (uint32_t) bytes[3] << 24;
        word += a + mixed + (uint32_t) (uint64_t) (fabs(sin(i + 1.0)) * 4294967296.0);
        d = c;
        c = b;
        a = old;
        b += md5_turned(word, turns[i / 16][i % 4]);
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
}

static void md5(const uint8_t *text, size_t length, uint8_t digest[MD5_BYTES])
{
    uint32_t state[4] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
    uint8_t padded[MD5_ROOM_BYTES + 2 * MD5_BLOCK_BYTES] = {0};
    size_t blocks = (length + 8) / MD5_BLOCK_BYTES + 1;
    memcpy(padded, text, length);
    padded[length] = 0x80;
    for (int i = 0; i < 8; ++i) {
        padded[blocks * MD5_BLOCK_BYTES - 8 + (size_t) i] = (uint8_t) ((uint64_t) length * 8 >> 8 * i);
    }
    for (size_t i = 0; i < blocks; ++i) {
        md5_block(state, padded + i * MD5_BLOCK_BYTES);
    }
    for (int i = 0; i < MD5_BYTES; ++i) {
        digest[i] = (uint8_t) (state[i / 4] >> 8 * (i % 4));
    }
}

void md5_hmac(const void *key, size_t key_length, const void *text, size_t length, uint8_t digest[MD5_BYTES])
{
    uint8_t room[MD5_ROOM_BYTES] = {0}, inner[MD5_BYTES];
    assert(key_length <= MD5_BLOCK_BYTES && length <= MD5_TEXT_BYTES);
    memcpy(room, key, key_length);
    for (int i = 0; i < MD5_BLOCK_BYTES; ++i) {
        room[i] ^= 0x36;
    }
    memcpy(room + MD5_BLOCK_BYTES, text, length);
    md5(room, MD5_BLOCK_BYTES + length, inner);
    for (int i = 0; i < MD5_BLOCK_BYTES; ++i) {
        room[i] ^= 0x36 ^ 0x5c;
    }
    memcpy(room + MD5_BLOCK_BYTES, inner, sizeof inner);
    md5(room, MD5_BLOCK_BYTES + sizeof inner, digest);
}
