/* SPDX-License-Identifier: MIT */
/*
 * test_topic.c - topic and message: the bytes that .NET writes, written down; every cut; every kind of text that is not
 * UTF-8; and texts drawn from a seed, there and back. A failure prints the seed; PIPEPORT_TEST_SEED runs it again.
 */
#include "protocol/topic.h"
#include "tests/support/random.h"

#include <criterion/criterion.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define ENDS_IN_LENGTH "it ends inside a string's length"
#define ENDS_IN_STRING "it ends inside a string"
#define TOO_MANY_BITS "a string's length has more than 32 bits"
#define TOO_LONG "a string in it is longer than 2 GiB - 1"
#define NOT_UTF8 "a string in it is not UTF-8"
#define LEFT_OVER "it has bytes behind its two strings"

/* A string constant as a text, and as bytes with their length. */
#define TEXT(constant) ((pp_topic_text){(const uint8_t *) (constant), sizeof(constant) - 1})
#define BYTES(constant) (const uint8_t *) (constant), sizeof(constant) - 1

static void text_is(pp_topic_text text, const void *expected, size_t length)
{
    cr_assert_eq(text.length, length);
    cr_assert(length == 0 || memcmp(text.bytes, expected, length) == 0);
}

/* In a block that ends where the payload ends, so that a look beyond it is seen. */
static void is_refused(const uint8_t *payload, size_t bytes, const char *expected)
{
    uint8_t *block = bytes != 0 ? malloc(bytes) : NULL;
    if (block != NULL) {
        memcpy(block, payload, bytes);
    }
    pp_topic topic = {{payload, 77}, {payload, 88}};
    const char *why = pp_topic_read(block, (uint32_t) bytes, &topic);
    cr_assert_not_null(why, "%zu bytes are read", bytes);
    cr_assert_str_eq(why, expected, "%zu bytes: %s", bytes, why);
    cr_assert(topic.topic.bytes == payload && topic.topic.length == 77);
    cr_assert(topic.message.bytes == payload && topic.message.length == 88);
    free(block);
}

/* Written by us it is `expected`, and `expected` is read as it. */
static void is_the_payload_of(const pp_topic *topic, const uint8_t *expected, size_t bytes)
{
    cr_assert_eq(pp_topic_bytes(topic->topic.length, topic->message.length), bytes);
    uint8_t *payload = malloc(bytes);
    cr_assert_null(pp_topic_write(topic, payload));
    cr_assert_arr_eq(payload, expected, bytes);
    pp_topic read = {{NULL, 77}, {NULL, 77}};
    cr_assert_null(pp_topic_read(payload, (uint32_t) bytes, &read));
    text_is(read.topic, topic->topic.bytes, topic->topic.length);
    text_is(read.message, topic->message.bytes, topic->message.length);
    cr_assert(read.topic.bytes > payload && read.message.bytes > read.topic.bytes);
    cr_assert_eq(read.message.bytes + read.message.length, payload + bytes);
    free(payload);
}

Test(topic, is_two_strings_as_dotnet_writes_them)
{
    is_the_payload_of(&(pp_topic){TEXT("news"), TEXT("hello")}, BYTES("\x04news\x05hello"));
    is_the_payload_of(&(pp_topic){TEXT("a\0b"), TEXT("\0")}, BYTES("\x03\x61\0b\x01\0"));
}

Test(topic, counts_bytes_and_not_characters)
{
    pp_topic topic = {TEXT("\xC3\xA9t\xC3\xA9"), TEXT("\xE2\x82\xAC\xE6\x97\xA5\xF0\x9F\x98\x80")};
    is_the_payload_of(&topic, BYTES("\x05\xC3\xA9t\xC3\xA9\x0A\xE2\x82\xAC\xE6\x97\xA5\xF0\x9F\x98\x80"));
}

Test(topic, may_have_empty_strings)
{
    is_the_payload_of(&(pp_topic){{NULL, 0}, {NULL, 0}}, BYTES("\0\0"));
    is_the_payload_of(&(pp_topic){TEXT("t"), {NULL, 0}}, BYTES("\x01t\0"));
    is_the_payload_of(&(pp_topic){{NULL, 0}, TEXT("m")}, BYTES("\0\x01m"));
}

typedef struct topic_length {
    uint32_t length;
    uint32_t bytes;
    uint8_t groups[5];
} topic_length;

static const topic_length topic_lengths[] = {
    {0, 1, {0x00}},
    {1, 1, {0x01}},
    {127, 1, {0x7F}},
    {128, 2, {0x80, 0x01}},
    {300, 2, {0xAC, 0x02}},
    {16383, 2, {0xFF, 0x7F}},
    {16384, 3, {0x80, 0x80, 0x01}},
    {2097151, 3, {0xFF, 0xFF, 0x7F}},
    {2097152, 4, {0x80, 0x80, 0x80, 0x01}},
    {268435455, 4, {0xFF, 0xFF, 0xFF, 0x7F}},
    {268435456, 5, {0x80, 0x80, 0x80, 0x80, 0x01}},
    {PP_TOPIC_TEXT_BYTES_MAX, 5, {0xFF, 0xFF, 0xFF, 0xFF, 0x07}},
};
enum { TOPIC_LENGTHS = sizeof(topic_lengths) / sizeof(topic_lengths[0]) };

Test(topic, writes_lengths_in_groups_of_seven_bits)
{
    for (int i = 0; i < TOPIC_LENGTHS && topic_lengths[i].length <= 2097152; ++i) {
        const topic_length *one = &topic_lengths[i];
        size_t bytes = one->bytes + one->length + 2;
        uint8_t *text = malloc(one->length + 1);
        uint8_t *payload = malloc(bytes);
        memset(text, 'x', one->length + 1);
        memcpy(payload, one->groups, one->bytes);
        memcpy(payload + one->bytes, text, one->length);
        memcpy(payload + bytes - 2, "\x01m", 2);
        is_the_payload_of(&(pp_topic){{text, one->length}, TEXT("m")}, payload, bytes);
        memcpy(payload, "\x01t", 2);
        memcpy(payload + 2, one->groups, one->bytes);
        memcpy(payload + 2 + one->bytes, text, one->length);
        is_the_payload_of(&(pp_topic){TEXT("t"), {text, one->length}}, payload, bytes);
        free(payload);
        free(text);
    }
}

Test(topic, knows_its_bytes_for_every_length)
{
    for (int i = 0; i < TOPIC_LENGTHS; ++i) {
        uint64_t one = (uint64_t) topic_lengths[i].bytes + topic_lengths[i].length;
        cr_assert_eq(pp_topic_bytes(topic_lengths[i].length, 0), one + 1, "%u", topic_lengths[i].length);
        cr_assert_eq(pp_topic_bytes(0, topic_lengths[i].length), one + 1, "%u", topic_lengths[i].length);
        cr_assert_eq(pp_topic_bytes(topic_lengths[i].length, topic_lengths[i].length), 2 * one);
    }
    cr_assert_eq(pp_topic_bytes(UINT32_MAX, UINT32_MAX), UINT64_C(8589934600));
}

Test(topic, reads_a_length_with_more_groups_than_it_needs)
{
    static const struct {
        const uint8_t *payload;
        size_t bytes;
    } long_forms[] = {
        {BYTES("\x81\x00t\x01m")},
        {BYTES("\x81\x80\x00t\x81\x00m")},
        {BYTES("\x81\x80\x80\x00t\x81\x80\x80\x80\x00m")},
        {BYTES("\x81\x80\x80\x80\x00t\x01m")},
    };
    for (size_t i = 0; i < sizeof(long_forms) / sizeof(long_forms[0]); ++i) {
        pp_topic topic;
        cr_assert_null(pp_topic_read(long_forms[i].payload, (uint32_t) long_forms[i].bytes, &topic), "%zu", i);
        text_is(topic.topic, "t", 1);
        text_is(topic.message, "m", 1);
    }
}

Test(topic, refuses_a_length_beyond_its_fifth_byte)
{
    for (unsigned fifth = 0x10; fifth <= 0xFF; ++fifth) {
        uint8_t first[] = {0x80, 0x80, 0x80, 0x80, (uint8_t) fifth, 0, 0};
        uint8_t second[] = {0, 0x80, 0x80, 0x80, 0x80, (uint8_t) fifth, 0};
        is_refused(first, sizeof first, TOO_MANY_BITS);
        is_refused(second, sizeof second, TOO_MANY_BITS);
    }
}

Test(topic, refuses_a_length_that_is_negative_for_dotnet)
{
    for (uint8_t fifth = 0x08; fifth <= 0x0F; ++fifth) {
        uint8_t least[] = {0x80, 0x80, 0x80, 0x80, fifth, 0};
        uint8_t most[] = {0, 0xFF, 0xFF, 0xFF, 0xFF, fifth};
        is_refused(least, sizeof least, TOO_LONG);
        is_refused(most, sizeof most, TOO_LONG);
    }
    is_refused(BYTES("\xFF\xFF\xFF\xFF\x07\0"), ENDS_IN_STRING);
}

Test(topic, refuses_a_length_over_the_rest)
{
    is_refused(BYTES("\x02t"), ENDS_IN_STRING);
    is_refused(BYTES("\x01t\x02m"), ENDS_IN_STRING);
    is_refused(BYTES("\x01t\xFF\x7Fm"), ENDS_IN_STRING);
    is_refused(BYTES("\x05t\x01m"), ENDS_IN_STRING);
}

Test(topic, is_refused_wherever_it_is_cut)
{
    uint8_t payload[2 + 130 + 2 + 300];
    uint8_t text[300];
    memset(text, 'x', sizeof text);
    pp_topic topic = {{text, 130}, {text, 300}};
    cr_assert_eq(pp_topic_bytes(130, 300), sizeof payload);
    cr_assert_null(pp_topic_write(&topic, payload));
    for (size_t cut = 0; cut < sizeof payload; ++cut) {
        bool in_length = cut < 2 || cut == 132 || cut == 133;
        is_refused(payload, cut, in_length ? ENDS_IN_LENGTH : ENDS_IN_STRING);
    }
    cr_assert_null(pp_topic_read(payload, sizeof payload, &topic));
}

Test(topic, refuses_bytes_that_are_left_over)
{
    is_refused(BYTES("\0\0\0"), LEFT_OVER);
    is_refused(BYTES("\x01t\x01mm"), LEFT_OVER);
    is_refused(BYTES("\x01t\x01m\x01n"), LEFT_OVER);
}

typedef struct topic_sample {
    const uint8_t *bytes;
    size_t length;
} topic_sample;

static const topic_sample well_formed[] = {
    {BYTES("\0")},               /* U+0000 */
    {BYTES("\x7F")},             /* U+007F, the last of each length, the first of the next */
    {BYTES("\xC2\x80")},         /* U+0080 */
    {BYTES("\xDF\xBF")},         /* U+07FF */
    {BYTES("\xE0\xA0\x80")},     /* U+0800 */
    {BYTES("\xEF\xBF\xBF")},     /* U+FFFF */
    {BYTES("\xF0\x90\x80\x80")}, /* U+10000 */
    {BYTES("\xF4\x8F\xBF\xBF")}, /* U+10FFFF */
    {BYTES("\xED\x9F\xBF")},     /* U+D7FF, before the surrogates */
    {BYTES("\xEE\x80\x80")},     /* U+E000, behind them */
    {BYTES("\xEF\xBB\xBF")},     /* U+FEFF, the byte order mark */
};

static const topic_sample ill_formed[] = {
    {BYTES("\x80")},                     /* Goes on, but nothing began. */
    {BYTES("\xBF")},                     /* */
    {BYTES("\xC3\xA9\xA9")},             /* One too many. */
    {BYTES("\xC2")},                     /* Cut. */
    {BYTES("\xE2\x82")},                 /* */
    {BYTES("\xF0\x9F\x98")},             /* */
    {BYTES("\xC3(")},                    /* Another character begins in it. */
    {BYTES("\xE2(\xA1")},                /* */
    {BYTES("\xE2\x82(")},                /* */
    {BYTES("\xF0(\x8C\xBC")},            /* */
    {BYTES("\xF0\x90(\xBC")},            /* */
    {BYTES("\xF0\x90\x8C(")},            /* */
    {BYTES("\xE2\x82\xC3")},             /* */
    {BYTES("\xC0\x80")},                 /* Longer than it needs: U+0000 in two, three, four bytes. */
    {BYTES("\xE0\x80\x80")},             /* */
    {BYTES("\xF0\x80\x80\x80")},         /* */
    {BYTES("\xC1\xBF")},                 /* U+007F in two, */
    {BYTES("\xE0\x9F\xBF")},             /* U+07FF in three, */
    {BYTES("\xF0\x8F\xBF\xBF")},         /* U+FFFF in four. */
    {BYTES("\xED\xA0\x80")},             /* U+D800, the first surrogate, */
    {BYTES("\xED\xBF\xBF")},             /* U+DFFF, the last, */
    {BYTES("\xED\xA0\xBD\xED\xB8\x80")}, /* and a pair of them. */
    {BYTES("\xF4\x90\x80\x80")},         /* U+110000 */
    {BYTES("\xF5\x80\x80\x80")},         /* Bytes that are in no UTF-8. */
    {BYTES("\xF8\x88\x80\x80\x80")},     /* */
    {BYTES("\xFC\x84\x80\x80\x80\x80")}, /* */
    {BYTES("\xFE")},                     /* */
    {BYTES("\xFF")},                     /* */
};
enum {
    WELL_FORMED = sizeof(well_formed) / sizeof(well_formed[0]),
    ILL_FORMED = sizeof(ill_formed) / sizeof(ill_formed[0])
};

/* `sample` behind `before` ASCII characters and before `after` of them, in a block of its own. */
static bool sample_is_utf8(const topic_sample *sample, size_t before, size_t after)
{
    size_t length = before + sample->length + after;
    uint8_t *text = malloc(length);
    memset(text, 'x', length);
    memcpy(text + before, sample->bytes, sample->length);
    bool is = pp_topic_utf8(text, length);
    free(text);
    return is;
}

Test(topic, tells_utf8_wherever_it_stands)
{
    for (size_t before = 0; before <= 17; ++before) {
        for (size_t after = 0; after <= 17; ++after) {
            for (size_t i = 0; i < WELL_FORMED; ++i) {
                cr_assert(sample_is_utf8(&well_formed[i], before, after), "sample %zu at %zu", i, before);
            }
            for (size_t i = 0; i < ILL_FORMED; ++i) {
                cr_assert_not(sample_is_utf8(&ill_formed[i], before, after), "sample %zu at %zu", i, before);
            }
        }
    }
    cr_assert(pp_topic_utf8(NULL, 0));
}

static uint32_t topic_encode(uint32_t code, uint8_t *at)
{
    if (code < 0x80) {
        at[0] = (uint8_t) code;
        return 1;
    }
    uint32_t bytes = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (uint32_t i = bytes - 1; i > 0; --i) {
        at[i] = (uint8_t) (0x80 + code % 64);
        code /= 64;
    }
    at[0] = (uint8_t) (0x100 - (0x100 >> bytes) + code);
    return bytes;
}

Test(topic, takes_every_character_but_surrogates)
{
    for (uint32_t code = 0; code < 0x200000; ++code) {
        uint8_t bytes[4];
        bool is = pp_topic_utf8(bytes, topic_encode(code, bytes));
        cr_assert_eq(is, code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF), "U+%04X", (unsigned) code);
    }
}

/* With the test above, by number: nothing else is taken. */
Test(topic, takes_nothing_that_is_no_character)
{
    enum { ASCII = 0x80, TWO = 0x800 - 0x80, THREE = 0x10000 - 0x800 - 0x800 };
    uint32_t taken[5] = {0};
    uint8_t bytes[4];
    for (uint32_t number = 0; number < 0x1000000; ++number) {
        bytes[0] = (uint8_t) (number >> 16);
        bytes[1] = (uint8_t) (number >> 8);
        bytes[2] = (uint8_t) number;
        taken[3] += pp_topic_utf8(bytes, 3);
        taken[2] += number < 0x10000 && pp_topic_utf8(bytes + 1, 2);
        taken[1] += number < 0x100 && pp_topic_utf8(bytes + 2, 1);
    }
    cr_assert_eq(taken[1], ASCII);
    cr_assert_eq(taken[2], ASCII * ASCII + TWO);
    cr_assert_eq(taken[3], ASCII * ASCII * ASCII + 2 * ASCII * TWO + THREE);
    static const uint8_t last[] = {0x00, 0x7F, 0x80, 0xBF, 0xC0, 0xFF};
    for (uint32_t number = 0; number < 16 * 256 * 6 * 6; ++number) {
        bytes[0] = (uint8_t) (0xF0 + number / (256 * 6 * 6));
        bytes[1] = (uint8_t) (number / (6 * 6));
        bytes[2] = last[number / 6 % 6];
        bytes[3] = last[number % 6];
        taken[4] += pp_topic_utf8(bytes, 4);
    }
    cr_assert_eq(taken[4], 0x100000 / 0x1000 * 2 * 2);
}

Test(topic, reads_no_string_that_is_not_utf8)
{
    for (size_t i = 0; i < ILL_FORMED; ++i) {
        uint8_t length = (uint8_t) ill_formed[i].length;
        uint8_t payload[16] = {length};
        memcpy(payload + 1, ill_formed[i].bytes, length);
        is_refused(payload, length + 2u, NOT_UTF8);
        payload[0] = 0;
        payload[1] = length;
        memcpy(payload + 2, ill_formed[i].bytes, length);
        is_refused(payload, length + 2u, NOT_UTF8);
    }
}

Test(topic, does_not_complete_a_character_from_behind_its_string)
{
    uint8_t payload[2 + 2 + 0xA9] = {1, 0xC3, 0xA9, 1}; /* The message's length would end what C3 begins. */
    is_refused(payload, sizeof payload, NOT_UTF8);
    payload[1] = 'C';
    pp_topic topic;
    cr_assert_null(pp_topic_read(payload, sizeof payload, &topic));
}

Test(topic, writes_nothing_of_a_string_that_is_not_utf8)
{
    uint8_t payload[64];
    uint8_t untouched[64];
    memset(untouched, 0x77, sizeof untouched);
    memset(payload, 0x77, sizeof payload);
    for (size_t i = 0; i < ILL_FORMED; ++i) {
        pp_topic_text bad = {ill_formed[i].bytes, (uint32_t) ill_formed[i].length};
        cr_assert_str_eq(pp_topic_write(&(pp_topic){bad, TEXT("m")}, payload), NOT_UTF8);
        cr_assert_str_eq(pp_topic_write(&(pp_topic){TEXT("t"), bad}, payload), NOT_UTF8);
    }
    cr_assert_arr_eq(payload, untouched, sizeof payload);
}

Test(topic, writes_nothing_that_dotnet_could_not_read)
{
    pp_topic_text beyond = {NULL, PP_TOPIC_TEXT_BYTES_MAX + 1u}; /* Refused before anybody looks at its bytes. */
    cr_assert_str_eq(pp_topic_write(&(pp_topic){beyond, TEXT("m")}, NULL), TOO_LONG);
    cr_assert_str_eq(pp_topic_write(&(pp_topic){TEXT("t"), beyond}, NULL), TOO_LONG);
}

Test(topic, refuses_no_bytes_at_all)
{
    is_refused(NULL, 0, ENDS_IN_LENGTH);
}

/* Up to `characters` of them, of all lengths alike. */
static pp_topic_text random_text(uint64_t *random, uint32_t characters)
{
    static const uint32_t below[] = {0x80, 0x800, 0x10000, 0x110000};
    uint8_t *bytes = malloc(characters * 4 + 1);
    pp_topic_text text = {bytes, 0};
    bool ascii = test_random_below(random, 2) == 0;
    for (uint32_t i = 0; i < characters; ++i) {
        uint32_t code = test_random_below(random, below[ascii ? 0 : test_random_below(random, 4)]);
        if (code < 0xD800 || code > 0xDFFF) {
            text.length += topic_encode(code, bytes + text.length);
        }
    }
    return text;
}

Test(topic, reads_back_what_it_wrote)
{
    uint64_t seed = test_seed();
    uint64_t random = seed;
    for (int round = 0; round < 2000; ++round) {
        pp_topic topic = {random_text(&random, test_random_below(&random, 40)),
                          random_text(&random, test_random_below(&random, round % 100 == 0 ? 20000 : 200))};
        uint64_t bytes = pp_topic_bytes(topic.topic.length, topic.message.length);
        uint8_t *payload = malloc(bytes);
        cr_assert_null(pp_topic_write(&topic, payload), "seed %" PRIu64, seed);
        pp_topic read;
        cr_assert_null(pp_topic_read(payload, (uint32_t) bytes, &read), "seed %" PRIu64, seed);
        cr_assert(read.topic.length == topic.topic.length && read.message.length == topic.message.length,
                  "seed %" PRIu64, seed);
        cr_assert(memcmp(read.topic.bytes, topic.topic.bytes, topic.topic.length) == 0, "seed %" PRIu64, seed);
        cr_assert(memcmp(read.message.bytes, topic.message.bytes, topic.message.length) == 0, "seed %" PRIu64, seed);
        free(payload);
        free((void *) (uintptr_t) topic.topic.bytes);
        free((void *) (uintptr_t) topic.message.bytes);
    }
}
