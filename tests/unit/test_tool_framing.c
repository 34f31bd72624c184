/* SPDX-License-Identifier: MIT */
/* test_tool_framing.c - the tools' --framing: what is read, each sentence about what is not, and what a frame costs. */
#include "engine/flow/wire.h"
#include "tools/pipeport/framing.h"

#include <criterion/criterion.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define KINDS "len:OFFSET,WIDTH,le|be,ADJUST[,keep][,escape], varint, delim:HEX[,cr], headers, message, none"
#define PARTS "write len:OFFSET,WIDTH,le|be,ADJUST[,keep][,escape]"

static void is_read(const char *text, pipeport_framing expected)
{
    pipeport_framing framing = {.kind = 77};
    struct framing_fault fault = {"nothing was said"};
    pp_framing rule;
    cr_assert(framing_read(text, &framing, &fault), "%s: %s", text, fault.text);
    cr_assert(framing.kind == expected.kind && framing.flags == expected.flags && framing.width == expected.width &&
                  framing.offset == expected.offset && framing.adjust == expected.adjust &&
                  framing.delimiter == expected.delimiter && !framing.measure && !framing.measure_user,
              "%s", text);
    cr_assert_str_eq(fault.text, "nothing was said");
    cr_assert_null(pp_wire_framing(&rule, &framing), "the engine does not take %s", text);
}

static pipeport_framing length_of(uint32_t offset, uint32_t width, int32_t adjust, uint32_t flags)
{
    pipeport_framing framing = pipeport_framing_length(width, flags);
    framing.offset = offset;
    framing.adjust = adjust;
    return framing;
}

Test(tool_framing, reads_every_kind)
{
    is_read("len:0,4,le,0", length_of(0, 4, 0, 0));
    is_read("len:64,1,be,-1048576", length_of(64, 1, -1048576, PIPEPORT_BIG_ENDIAN));
    is_read("len:2,3,le,1048576,keep", length_of(2, 3, 1048576, PIPEPORT_KEEP));
    is_read("len:0,4,be,0,escape", length_of(0, 4, 0, PIPEPORT_BIG_ENDIAN | PIPEPORT_ESCAPE));
    is_read("len:0,2,le,-4,escape,keep", length_of(0, 2, -4, PIPEPORT_ESCAPE | PIPEPORT_KEEP));
    is_read("len:0,8,le,0,keep", length_of(0, 8, 0, PIPEPORT_KEEP));
    is_read("varint", pipeport_framing_varint());
    is_read("delim:0a", pipeport_framing_delimiter('\n', 0));
    is_read("delim:0A,cr", pipeport_framing_delimiter('\n', PIPEPORT_STRIP_CR));
    is_read("delim:fE", pipeport_framing_delimiter(0xFE, 0));
    is_read("delim:0d", pipeport_framing_delimiter('\r', 0));
    is_read("headers", pipeport_framing_headers());
    is_read("message", pipeport_framing_message());
    is_read("none", pipeport_framing_none());
}

Test(tool_framing, says_what_is_wrong)
{
    static const char *const wrong[][2] = {
        {"", "'' is unknown; give one of " KINDS},
        {"len", "'len' is unknown; give one of " KINDS},
        {"Varint", "'Varint' is unknown; give one of " KINDS},
        {"varint:5", "'varint:5' is unknown; give one of " KINDS},
        {"none ", "'none ' is unknown; give one of " KINDS},
        {"delim", "'delim' is unknown; give one of " KINDS},
        {"len:", "'len:' has 1 parts; " PARTS},
        {"len:0,4,le", "'len:0,4,le' has 3 parts; " PARTS},
        {"len:0,4,le,0,keep,escape,keep", "'len:0,4,le,0,keep,escape,keep' has 7 parts; " PARTS},
        {"len:1,2,3,4,5,6,7,8,9,10", "'len:1,2,3,4,5,6,7,8,9,10' has 10 parts; " PARTS},
        {"len:65,4,le,0", "OFFSET '65' is none; give 0 to 64"},
        {"len:-1,4,le,0", "OFFSET '-1' is none; give 0 to 64"},
        {"len:,4,le,0", "OFFSET '' is none; give 0 to 64"},
        {"len:4294967296,4,le,0", "OFFSET '4294967296' is none; give 0 to 64"},
        {"len:0,0,le,0", "WIDTH '0' is none; give 1, 2, 3, 4 or 8"},
        {"len:0,5,le,0", "WIDTH '5' is none; give 1, 2, 3, 4 or 8"},
        {"len:0,9,le,0", "WIDTH '9' is none; give 1, 2, 3, 4 or 8"},
        {"len:0,4x,le,0", "WIDTH '4x' is none; give 1, 2, 3, 4 or 8"},
        {"len:0,4,LE,0", "'LE' is no order of bytes; give le or be"},
        {"len:0,4,,0", "'' is no order of bytes; give le or be"},
        {"len:0,4,le,", "ADJUST '' is none; give -1048576 to 1048576"},
        {"len:0,4,le,-", "ADJUST '-' is none; give -1048576 to 1048576"},
        {"len:0,4,le,+4", "ADJUST '+4' is none; give -1048576 to 1048576"},
        {"len:0,4,le,1048577", "ADJUST '1048577' is none; give -1048576 to 1048576"},
        {"len:0,4,le,-1048577", "ADJUST '-1048577' is none; give -1048576 to 1048576"},
        {"len:0,4,le,0,", "'' is unknown behind ADJUST; give keep, escape, both or none"},
        {"len:0,4,le,0,keep ", "'keep ' is unknown behind ADJUST; give keep, escape, both or none"},
        {"len:0,4,le,0,keep,keep", "keep stands there twice; give it once"},
        {"len:0,4,le,0,escape,escape", "escape stands there twice; give it once"},
        {"len:0,8,le,0,escape", "escape is for a WIDTH below 8; leave it out"},
        {"delim:", "'' is no byte; give two hexadecimal digits such as 0a or 00"},
        {"delim:a", "'a' is no byte; give two hexadecimal digits such as 0a or 00"},
        {"delim:0g", "'0g' is no byte; give two hexadecimal digits such as 0a or 00"},
        {"delim:00a", "'00a' is no byte; give two hexadecimal digits such as 0a or 00"},
        {"delim:0a,", "'' is unknown behind HEX; give cr or nothing"},
        {"delim:0a,lf", "'lf' is unknown behind HEX; give cr or nothing"},
        {"delim:0a,cr,cr", "'cr,cr' is unknown behind HEX; give cr or nothing"},
        {"delim:0d,cr", "cr is for a delimiter other than 0d; leave it out"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; ++i) {
        struct framing_fault fault = {""};
        pipeport_framing framing;
        cr_assert_not(framing_read(wrong[i][0], &framing, &fault), "%s is read", wrong[i][0]);
        cr_assert_str_eq(fault.text, wrong[i][1], "%s: %s", wrong[i][0], fault.text);
    }
}

/* A length that a framing cannot say costs nothing, for it is never sent. */
Test(tool_framing, reckons_frames_as_the_engine_does)
{
    static const char *const texts[] = {"len:0,4,le,0",
                                        "len:0,1,be,0,escape",
                                        "len:3,2,le,-5,escape",
                                        "len:2,3,be,7",
                                        "len:0,8,le,0",
                                        "len:0,4,le,-4,keep",
                                        "varint",
                                        "delim:00",
                                        "headers",
                                        "message",
                                        "none",
                                        NULL};
    static const uint32_t lengths[] = {0,     1,     9,       10,      99,        100,       127,           128,
                                       250,   254,   255,     256,     16383,     16384,     65530,         65535,
                                       65536, 99999, 2097151, 2097152, 268435455, 268435456, (1 << 30) - 1, 1 << 30};
    for (int i = 0;; ++i) {
        pipeport_framing framing = {0};
        struct framing_fault fault;
        pp_framing rule;
        cr_assert(texts[i] == NULL || framing_read(texts[i], &framing, &fault));
        cr_assert_null(pp_wire_framing(&rule, &framing));
        for (size_t j = 0; j < sizeof lengths / sizeof lengths[0]; ++j) {
            if (pp_framing_fits(&rule, lengths[j])) {
                uint64_t bytes = framing_frame_bytes(&framing, lengths[j]);
                cr_assert_eq(bytes, pp_wire_frame_bytes(&rule, lengths[j]), "%s, %" PRIu32, texts[i], lengths[j]);
                cr_assert_leq(bytes, lengths[j] + (uint64_t) framing_overhead_max(&framing));
            }
            cr_assert_leq(pp_wire_frame_bytes_max(&rule, lengths[j]), lengths[j] + framing_overhead_max(&framing));
        }
        if (texts[i] == NULL) {
            break;
        }
    }
}

/* What the tools put before a payload is what the engine looks for, and the other way round. */
Test(tool_framing, writes_headers_that_the_engine_reads)
{
    static const char *const texts[] = {"len:0,4,le,0,keep",         "len:0,1,be,0,escape,keep",
                                        "len:3,2,le,-5,escape,keep", "len:64,3,be,7,escape,keep",
                                        "len:0,8,be,0,keep",         "len:1,2,le,0,keep"};
    static const uint32_t lengths[] = {0, 1, 6, 7, 249, 250, 254, 255, 256, 65529, 65530, 65535, 65536, 1 << 20};
    static unsigned char frame[FRAMING_HEADER_BYTES_MAX + (1 << 20)];
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; ++i) {
        pipeport_framing framing, stripped;
        struct framing_fault fault;
        pp_framing rule;
        cr_assert(framing_read(texts[i], &framing, &fault), "%s", fault.text);
        cr_assert_null(pp_wire_framing(&rule, &framing));
        stripped = framing;
        stripped.flags &= ~(uint32_t) PIPEPORT_KEEP;
        for (size_t j = 0; j < sizeof lengths / sizeof lengths[0]; ++j) {
            uint32_t header = framing_kept_bytes(&framing, lengths[j]), whole = header + lengths[j];
            pp_frame found = {0};
            pp_framing plain = rule;
            plain.keep = false;
            cr_assert_eq(framing_says(&framing, lengths[j]), pp_framing_fits(&plain, lengths[j]), "%s, %" PRIu32,
                         texts[i], lengths[j]);
            cr_assert_eq(framing_kept_bytes(&stripped, lengths[j]), 0);
            if (!framing_says(&framing, lengths[j])) {
                continue;
            }
            framing_keep(&framing, lengths[j], frame);
            cr_assert_eq(framing_frame_bytes(&stripped, lengths[j]), whole);
            cr_assert_eq(pp_framing_look(&rule, frame, whole, 1 << 30, &found), PP_FRAME_WHOLE);
            cr_assert(found.payload_at == 0 && found.payload_bytes == whole, "%s, %" PRIu32, texts[i], lengths[j]);
            cr_assert_eq(pp_framing_admit(&rule, frame, whole), PP_ADMITTED);
            for (uint32_t k = 0; k < framing.offset; ++k) {
                cr_assert_eq(frame[k], 0xa0 + k);
            }
        }
    }
}
