/* SPDX-License-Identifier: MIT */
/* The tools' bytes without messages: however they are cut they are the same, and what is wrong is found where it is. */
#include "tools/pipeport/stream.h"

#include <criterion/criterion.h>
#include <stdbool.h>
#include <string.h>

#define STREAM_BYTES 2000

static const struct stream one = {.seed = 7, .tag = 3};

Test(stream, is_the_same_however_it_is_cut)
{
    unsigned char whole[STREAM_BYTES], cut[STREAM_BYTES];

    stream_write(&one, 1000003, whole, sizeof(whole));
    for (size_t step = 1; step < 40; step++) {
        for (size_t at = 0; at < sizeof(cut); at += step) {
            stream_write(&one, 1000003 + at, cut + at, sizeof(cut) - at < step ? sizeof(cut) - at : step);
        }
        cr_assert_arr_eq(whole, cut, sizeof(whole), "in steps of %zu", step);
        for (size_t at = 0, length; at < sizeof(whole); at += length) {
            length = sizeof(whole) - at < step * 17 ? sizeof(whole) - at : step * 17;
            cr_assert_eq(stream_read(&one, 1000003 + at, whole + at, length), length);
        }
    }
}

Test(stream, is_wrong_where_a_bit_has_flipped)
{
    unsigned char data[STREAM_BYTES];

    stream_write(&one, 5, data, sizeof(data));
    for (size_t bit = 0; bit < sizeof(data) * 8; bit += 7) {
        data[bit / 8] ^= (unsigned char) (1u << bit % 8);
        cr_assert_eq(stream_read(&one, 5, data, sizeof(data)), bit / 8);
        data[bit / 8] ^= (unsigned char) (1u << bit % 8);
    }
}

/* A byte lost, or doubled, at any place; and the stream of another seed, another tag, another place. */
Test(stream, is_wrong_soon_after_what_is_lost_or_another_s)
{
    unsigned char data[STREAM_BYTES + 1];
    static const struct stream others[] = {{.seed = 8, .tag = 3}, {.seed = 7, .tag = 4}, {.seed = 3, .tag = 7}};

    for (size_t at = 0; at < 1000; at++) {
        stream_write(&one, 0, data, at);
        stream_write(&one, at + 1, data + at, sizeof(data) - at);
        cr_assert_leq(stream_read(&one, 0, data, sizeof(data)), at + 8, "the byte at %zu was lost", at);
        stream_write(&one, 0, data, at + 1);
        stream_write(&one, at, data + at + 1, sizeof(data) - at - 1);
        cr_assert_leq(stream_read(&one, 0, data, sizeof(data)), at + 9, "the byte at %zu was doubled", at);
    }
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        stream_write(&others[i], 0, data, sizeof(data));
        cr_assert_leq(stream_read(&one, 0, data, sizeof(data)), 4);
    }
    stream_write(&one, 8, data, sizeof(data));
    cr_assert_leq(stream_read(&one, 0, data, sizeof(data)), 4);
}

Test(stream, has_every_byte_about_as_often)
{
    unsigned char data[STREAM_BYTES];
    unsigned counts[256] = {0};

    for (uint64_t position = 0; position < 256 * STREAM_BYTES; position += STREAM_BYTES) {
        stream_write(&one, position, data, sizeof(data));
        for (size_t i = 0; i < sizeof(data); i++) {
            counts[data[i]]++;
        }
    }
    for (unsigned byte = 0; byte < 256; byte++) {
        cr_assert(counts[byte] > STREAM_BYTES * 8 / 10 && counts[byte] < STREAM_BYTES * 12 / 10, "%02x: %u", byte,
                  counts[byte]);
    }
}
