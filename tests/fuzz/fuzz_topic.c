/* SPDX-License-Identifier: MIT */
/*
 * fuzz_topic.c - protocol/topic.h on any payload, and on any two texts.
 *
 * The input: how long the first text is (fuzz_length), then the two texts, one behind the other. The texts are written
 * and read back; all of the input is also read as a payload, and so is each piece of it that ends early.
 */
#include "protocol/topic.h"

#include "engine/base/assert.h"
#include "tests/fuzz/choices.h"
#include "tests/fuzz/naive_topic.h"

#include <stdlib.h>
#include <string.h>

enum { TOPIC_CUTS = 12 }; /* So many bytes are cut from a payload's end, one after the other. */

/* In a block that ends where they end, so that a look beyond it is seen. */
static uint8_t *topic_block(const uint8_t *bytes, size_t length)
{
    uint8_t *block = malloc(length + (length == 0));
    PP_VERIFY(block != NULL);
    if (length != 0) {
        memcpy(block, bytes, length);
    }
    return block;
}

static void topic_text_as_naive(pp_topic_text text, const uint8_t *payload, const naive_string *expected)
{
    PP_VERIFY(text.bytes == payload + expected->at);
    PP_VERIFY(text.length == expected->bytes);
}

/* What was read is written again: the same bytes, unless a length had more groups than it needs. */
static void topic_write_again(const pp_topic *topic, const uint8_t *payload, size_t length, bool shortest)
{
    uint64_t bytes = pp_topic_bytes(topic->topic.length, topic->message.length);
    PP_VERIFY(shortest ? bytes == length : bytes < length);
    uint8_t *again = malloc(bytes);
    PP_VERIFY(again != NULL);
    PP_VERIFY(pp_topic_write(topic, again) == NULL);
    if (shortest) {
        PP_VERIFY(memcmp(again, payload, length) == 0);
    }
    free(again);
}

static void topic_read_as_naive(const uint8_t *payload, size_t length)
{
    naive_string first;
    naive_string second;
    pp_topic topic = {{NULL, 77}, {NULL, 77}};
    const char *why = pp_topic_read(payload, (uint32_t) length, &topic);
    PP_VERIFY((why == NULL) == naive_read_topic(payload, length, &first, &second));
    if (why != NULL) {
        PP_VERIFY(strlen(why) > 0);
        PP_VERIFY(topic.topic.bytes == NULL && topic.topic.length == 77);
        PP_VERIFY(topic.message.bytes == NULL && topic.message.length == 77);
        return;
    }
    topic_text_as_naive(topic.topic, payload, &first);
    topic_text_as_naive(topic.message, payload, &second);
    topic_write_again(&topic, payload, length, first.shortest && second.shortest);
}

static void topic_there_and_back(const pp_topic *topic)
{
    uint64_t bytes = pp_topic_bytes(topic->topic.length, topic->message.length);
    uint8_t *payload = malloc(bytes);
    PP_VERIFY(payload != NULL);
    memset(payload, 0x77, bytes);
    const char *why = pp_topic_write(topic, payload);
    PP_VERIFY((why == NULL) == (naive_utf8(topic->topic.bytes, topic->topic.length) &&
                                naive_utf8(topic->message.bytes, topic->message.length)));
    if (why == NULL) {
        pp_topic read;
        PP_VERIFY(pp_topic_read(payload, (uint32_t) bytes, &read) == NULL);
        PP_VERIFY(read.topic.length == topic->topic.length && read.message.length == topic->message.length);
        PP_VERIFY(memcmp(read.topic.bytes, topic->topic.bytes, read.topic.length) == 0);
        PP_VERIFY(memcmp(read.message.bytes, topic->message.bytes, read.message.length) == 0);
        topic_read_as_naive(payload, bytes);
    } else {
        for (uint64_t i = 0; i < bytes; ++i) {
            PP_VERIFY(payload[i] == 0x77);
        }
    }
    free(payload);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    for (size_t cut = 0; cut <= length && cut <= TOPIC_CUTS; ++cut) {
        uint8_t *payload = topic_block(data, length - cut);
        topic_read_as_naive(payload, length - cut);
        free(payload);
    }
    fuzz_choices choices = {data, length};
    const uint8_t *text = NULL;
    size_t first = fuzz_raw(&choices, fuzz_length(&choices, UINT32_MAX), &text);
    uint8_t *topic = topic_block(text, first);
    size_t second = fuzz_raw(&choices, SIZE_MAX, &text);
    uint8_t *message = topic_block(text, second);
    topic_there_and_back(&(pp_topic){{topic, (uint32_t) first}, {message, (uint32_t) second}});
    free(message);
    free(topic);
    return 0;
}
