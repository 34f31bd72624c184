/* SPDX-License-Identifier: MIT */
/*
 * test_headers.c - Content-Length and an empty line: as clients of the Language Server Protocol write them, each way to
 * write them wrong with the byte that is refused, and the bounds.
 */
#include "protocol/framing.h"

#include "tests/support/looks.h"

#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

static const pp_framing headers = {.kind = PP_FRAMING_HEADERS};

enum { MAX = PP_FRAMING_PAYLOAD_BYTES_MAX, BLOCK_MAX = PP_FRAMING_HEADER_BLOCK_BYTES_MAX };

Test(headers, cuts_what_a_language_client_sends)
{
    looks_whole(&(looks_stream){&headers, LOOKS_TEXT("Content-Length: 2\r\n\r\n{}Con"), 2}, 21, 2, 23);
    looks_whole(&(looks_stream){&headers,
                                LOOKS_TEXT("Content-Length: 2\r\n"
                                           "Content-Type: application/vscode-jsonrpc; charset=utf-8\r\n\r\n{}+"),
                                2},
                78, 2, 80);
    looks_whole(&(looks_stream){&headers, LOOKS_TEXT("Content-Length: 0\r\n\r\n+"), 0}, 21, 0, 21);
}

Test(headers, takes_each_way_to_write_them)
{
    static const char *const blocks[] = {
        "content-length:2\r\n\r\n",
        "CONTENT-LENGTH:2\r\n\r\n",
        "cOnTeNt-LeNgTh: \t 2 \t \r\n\r\n",
        "Content-Length: 0002\r\n\r\n",
        "Kontent-Length: 7\r\nContent-Length: 2\r\n\r\n",
        "Content-Type:\r\nContent-Length: 2\r\n\r\n",
        "Content-Length: 2\r\nContent-Lengt: 7\r\nContent-Lengthy: 8\r\nX: 9\r\n\r\n",
        "X!#$%&'*+-.^_`|~09azAZ: any \t thing: \x80\xff\r\nContent-Length:2\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++) {
        uint32_t block = (uint32_t) strlen(blocks[i]);
        char stream[100];
        memcpy(stream, blocks[i], block);
        memcpy(stream + block, "{}+", 3);
        looks_whole(&(looks_stream){&headers, stream, block + 3, 2}, block, 2, block + 2);
        looks_refused(&(looks_stream){&headers, stream, block + 3, 1}, (uint32_t) (strchr(stream, '2') - stream) + 1,
                      "more than the bound");
    }
}

/* `at`: the byte that is refused, counted from 1. */
Test(headers, refuses_the_first_byte_that_is_wrong)
{
    const struct {
        const char *stream;
        uint32_t bytes, at;
        const char *why;
    } cases[] = {
        {LOOKS_TEXT("\r\n\r\n"), 1, "do not say Content-Length"},
        {LOOKS_TEXT("X: 1\r\n\r\n"), 7, "do not say Content-Length"},
        {LOOKS_TEXT("\n"), 1, "no name"},
        {LOOKS_TEXT(": 1\r\n"), 1, "no name"},
        {LOOKS_TEXT(" Content-Length: 1\r\n"), 1, "no name"},
        {LOOKS_TEXT("Content-Length : 1\r\n"), 15, "that no name has"},
        {LOOKS_TEXT("X: 1\r\n folded\r\n"), 7, "no name"},
        {LOOKS_TEXT("\4\0\0\0{}"), 1, "that no name has"},
        {LOOKS_TEXT("{}"), 1, "that no name has"},
        {LOOKS_TEXT("a\0: 1\r\n"), 2, "that no name has"},
        {LOOKS_TEXT("a\x80: 1\r\n"), 2, "that no name has"},
        {LOOKS_TEXT("a/: 1\r\n"), 2, "that no name has"},
        {LOOKS_TEXT("a@: 1\r\n"), 2, "that no name has"},
        {LOOKS_TEXT("a[: 1\r\n"), 2, "that no name has"},
        {LOOKS_TEXT("a\n"), 2, "that no name has"},
        {LOOKS_TEXT("abc\r\n"), 4, "no colon"},
        {LOOKS_TEXT("X: 1\n"), 5, "control character"},
        {LOOKS_TEXT("X: \x7f\r\n"), 4, "control character"},
        {LOOKS_TEXT("X: \0\r\n"), 4, "control character"},
        {LOOKS_TEXT("X: 1\rY\n"), 6, "no line feed"},
        {LOOKS_TEXT("X: 1\r\r\n"), 6, "no line feed"},
        {LOOKS_TEXT("Content-Length: 1\r\n\r{"), 21, "no line feed"},
        {LOOKS_TEXT("Content-Length:\r\n"), 16, "no number"},
        {LOOKS_TEXT("Content-Length: \r\n"), 17, "no number"},
        {LOOKS_TEXT("Content-Length: -1\r\n"), 17, "no number"},
        {LOOKS_TEXT("Content-Length: +1\r\n"), 17, "no number"},
        {LOOKS_TEXT("Content-Length: 0x1\r\n"), 18, "no number"},
        {LOOKS_TEXT("Content-Length: 1/\r\n"), 18, "no number"},
        {LOOKS_TEXT("Content-Length: 1:\r\n"), 18, "no number"},
        {LOOKS_TEXT("Content-Length: 1 1\r\n"), 19, "no number"},
        {LOOKS_TEXT("Content-Length: 1\n"), 18, "no number"},
        {LOOKS_TEXT("Content-Length: 1, 1\r\n"), 18, "no number"},
        {LOOKS_TEXT("Content-Length: 1\r\nContent-Length: 1\r\n\r\n"), 34, "twice"},
        {LOOKS_TEXT("Content-Length: 1\r\nX: 2\r\ncontent-length:"), 40, "twice"},
        {LOOKS_TEXT("Content-Length: 1073741825\r\n"), 26, "more than the bound"},
        {LOOKS_TEXT("Content-Length: 4294967296\r\n"), 26, "more than the bound"},
        {LOOKS_TEXT("Content-Length: 4294967297\r\n"), 26, "more than the bound"},
        {LOOKS_TEXT("Content-Length: 18446744073709551617\r\n"), 26, "more than the bound"},
        {LOOKS_TEXT("Content-Length: 99999999999999999999999999\r\n"), 26, "more than the bound"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        looks_stream stream = {&headers, cases[i].stream, cases[i].bytes, MAX};
        pp_frame frame = {0};
        cr_assert_eq(looks_at_cut(&stream, cases[i].bytes, 0, &frame), PP_FRAME_REFUSED, "%zu", i);
        cr_assert_not_null(strstr(frame.why, cases[i].why), "%zu: %s", i, frame.why);
        looks_refused(&stream, cases[i].at, cases[i].why);
    }
}

Test(headers, takes_the_largest_payload)
{
    looks_part(&(looks_stream){&headers, LOOKS_TEXT("Content-Length: 1073741824\r\n\r\n"), MAX}, MAX + 30u);
    looks_part(&(looks_stream){&headers, LOOKS_TEXT("Content-Length: 1073741824\r\n\r"), MAX}, 30);
}

/* A block of exactly `bytes`, most of it in the value of one line. */
static char *headers_block(uint32_t bytes)
{
    static const char before[] = "Content-Length: 1\r\nX:", behind[] = "\r\n\r\n";
    char *block = malloc(bytes + 1);
    cr_assert_not_null(block);
    memset(block, 'x', bytes + 1);
    memcpy(block, before, sizeof before - 1);
    memcpy(block + bytes - (sizeof behind - 1), behind, sizeof behind - 1);
    return block;
}

Test(headers, bounds_the_block)
{
    char *most = headers_block(BLOCK_MAX);
    looks_whole(&(looks_stream){&headers, most, BLOCK_MAX + 1, 1}, BLOCK_MAX, 1, BLOCK_MAX + 1);
    free(most);
    char *more = headers_block(BLOCK_MAX + 1);
    looks_refused(&(looks_stream){&headers, more, BLOCK_MAX + 1, 1}, BLOCK_MAX, "4096 bytes");
    free(more);
}

Test(headers, writes_what_it_reads)
{
    static const struct {
        uint32_t payload_bytes;
        const char *header;
    } cases[] = {
        {0, "Content-Length: 0\r\n\r\n"},     {9, "Content-Length: 9\r\n\r\n"},
        {10, "Content-Length: 10\r\n\r\n"},   {99, "Content-Length: 99\r\n\r\n"},
        {100, "Content-Length: 100\r\n\r\n"}, {MAX, "Content-Length: 1073741824\r\n\r\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint32_t bytes = (uint32_t) strlen(cases[i].header);
        uint8_t header[PP_FRAMING_HEADER_BYTES_MAX];
        memset(header, 0x55, sizeof header);
        cr_assert_eq(pp_framing_header_bytes(&headers, cases[i].payload_bytes), bytes);
        pp_framing_write_header(&headers, header, cases[i].payload_bytes);
        cr_assert_arr_eq(header, cases[i].header, bytes);
        cr_assert_eq(header[bytes], 0x55);
        cr_assert_eq(pp_framing_admit(&headers, NULL, cases[i].payload_bytes), PP_ADMITTED);
    }
    cr_assert_not(pp_framing_fits(&headers, MAX + 1u));
}
