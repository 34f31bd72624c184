/* SPDX-License-Identifier: MIT */
/*
 * test_topics.c - topics as the public header offers them: bounds, what is missing, and that nothing is written or set
 * where the answer is not OK. What a payload may look like is for test_topic.c.
 */
#include "engine/include/pipeport.h"

#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

enum { TOPICS_GIB = 1 << 30, TOPICS_ROOM = 64 };

static const char topics_none[] = "nothing was said";

static pipeport_topic topics_of(const char *topic, const char *message)
{
    return (pipeport_topic){topic, strlen(topic), message, strlen(message)};
}

/* What is refused leaves all as it was, but for the reason. */
static void is_refused(const void *data, size_t length, const char *reason)
{
    pipeport_topic topic = {"t", 77, "m", 88};
    const char *why = topics_none;
    cr_assert_eq(pipeport_topic_read(data, length, &topic, &why), PIPEPORT_BAD_PEER);
    cr_assert_str_eq(why, reason);
    cr_assert(topic.topic_length == 77 && topic.message_length == 88 && *topic.topic == 't' && *topic.message == 'm');
    cr_assert_eq(pipeport_topic_read(data, length, &topic, NULL), PIPEPORT_BAD_PEER);
}

static void is_not_written(const pipeport_topic *topic, size_t room_bytes, pipeport_status expected)
{
    unsigned char room[TOPICS_ROOM], blank[TOPICS_ROOM];
    memset(room, 0x5A, sizeof room);
    memset(blank, 0x5A, sizeof blank);
    cr_assert_eq(pipeport_topic_write(topic, room, room_bytes), expected);
    cr_assert_arr_eq(room, blank, sizeof room);
}

Test(topics, go_there_and_back)
{
    static const char expected[] = "\x04news\x05hello";
    pipeport_topic topic = topics_of("news", "hello"), read;
    const char *why = topics_none;
    char room[11];
    cr_assert_eq(pipeport_topic_bytes(4, 5), 11);
    cr_assert_eq(pipeport_topic_write(&topic, room, sizeof room), PIPEPORT_OK);
    cr_assert_arr_eq(room, expected, 11);
    cr_assert_eq(pipeport_topic_read(room, sizeof room, &read, &why), PIPEPORT_OK);
    cr_assert(read.topic == room + 1 && read.topic_length == 4 && read.message == room + 6 && read.message_length == 5);
    cr_assert_str_eq(why, topics_none);
}

Test(topics, may_be_empty)
{
    pipeport_topic topic = {NULL, 0, NULL, 0}, read;
    char room[2] = "xx";
    cr_assert_eq(pipeport_topic_bytes(0, 0), 2);
    cr_assert_eq(pipeport_topic_write(&topic, room, sizeof room), PIPEPORT_OK);
    cr_assert(room[0] == 0 && room[1] == 0);
    cr_assert_eq(pipeport_topic_read(room, sizeof room, &read, NULL), PIPEPORT_OK);
    cr_assert(read.topic && read.topic_length == 0 && read.message && read.message_length == 0);
}

Test(topics, of_a_peer_that_are_wrong_are_told_why)
{
    is_refused(NULL, 0, "it ends inside a string's length");
    is_refused("\x04new", 4, "it ends inside a string");
    is_refused("\x01t\x01m!", 5, "it has bytes behind its two strings");
    is_refused("\x01t\x01\xFF", 4, "a string in it is not UTF-8");
    is_refused("\xFF\xFF\xFF\xFF\x1F", 5, "a string's length has more than 32 bits");
    is_refused("\xFF\xFF\xFF\xFF\x0F", 5, "a string in it is longer than 2 GiB - 1");
}

/* The bytes are never looked at: there are two. With 32 bits of the length only, they would be a topic. */
Test(topics, are_no_longer_than_a_message_can_be)
{
    is_refused("\0\0", (size_t) TOPICS_GIB + 1, "it is longer than 1 GiB");
    is_refused("\0\0", SIZE_MAX, "it is longer than 1 GiB");
#if SIZE_MAX > UINT32_MAX
    is_refused("\0\0", ((size_t) 1 << 32) + 2, "it is longer than 1 GiB");
#endif
}

Test(topics, have_a_length_up_to_1_gib)
{
    cr_assert_eq(pipeport_topic_bytes(127, 128), 1 + 127 + 2 + 128);
    cr_assert_eq(pipeport_topic_bytes(0, TOPICS_GIB - 6), TOPICS_GIB);
    cr_assert_eq(pipeport_topic_bytes(0, TOPICS_GIB - 5), 0);
    cr_assert_eq(pipeport_topic_bytes(TOPICS_GIB / 2, TOPICS_GIB / 2), 0);
    cr_assert_eq(pipeport_topic_bytes(TOPICS_GIB, 0), 0);
    cr_assert_eq(pipeport_topic_bytes(SIZE_MAX, 0), 0);
    cr_assert_eq(pipeport_topic_bytes(0, SIZE_MAX), 0);
    cr_assert_eq(pipeport_topic_bytes(SIZE_MAX / 2 + 1, SIZE_MAX / 2 + 1), 0);
#if SIZE_MAX > UINT32_MAX
    cr_assert_eq(pipeport_topic_bytes((size_t) 1 << 32, 5), 0);
#endif
}

Test(topics, are_not_written_where_there_is_no_room)
{
    pipeport_topic topic = topics_of("news", "hello"), huge = {"t", 1, "m", SIZE_MAX};
    is_not_written(&topic, 10, PIPEPORT_TOO_LARGE);
    is_not_written(&topic, 0, PIPEPORT_TOO_LARGE);
    is_not_written(&huge, TOPICS_ROOM, PIPEPORT_TOO_LARGE);
    huge.message_length = TOPICS_GIB;
    is_not_written(&huge, SIZE_MAX, PIPEPORT_TOO_LARGE);
}

Test(topics, are_not_written_where_they_are_no_text)
{
    pipeport_topic broken = {"\xC3(", 2, "m", 1}, broken_message = {"t", 1, "\xED\xA0\x80", 3};
    is_not_written(&broken, TOPICS_ROOM, PIPEPORT_INVALID);
    is_not_written(&broken_message, TOPICS_ROOM, PIPEPORT_INVALID);
}

Test(topics, want_their_arguments)
{
    pipeport_topic topic = topics_of("t", "m"), no_topic = {NULL, 1, "m", 1}, no_message = {"t", 1, NULL, 1}, read;
    const char *why = topics_none;
    is_not_written(NULL, TOPICS_ROOM, PIPEPORT_INVALID);
    is_not_written(&no_topic, TOPICS_ROOM, PIPEPORT_INVALID);
    is_not_written(&no_message, TOPICS_ROOM, PIPEPORT_INVALID);
    cr_assert_eq(pipeport_topic_write(&topic, NULL, 4), PIPEPORT_INVALID);
    cr_assert_eq(pipeport_topic_read(NULL, 2, &read, &why), PIPEPORT_INVALID);
    cr_assert_eq(pipeport_topic_read("\0\0", 2, NULL, &why), PIPEPORT_INVALID);
    cr_assert_str_eq(why, topics_none);
}
