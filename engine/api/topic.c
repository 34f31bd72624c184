/* SPDX-License-Identifier: MIT */
/*
 * topic.c - protocol/topic.h for lengths that anybody may have made up: they are held against the largest payload
 * before they are added or narrowed.
 */
#include "engine/include/pipeport.h"
#include "protocol/framing.h"
#include "protocol/topic.h"

static bool topic_is_lent(const char *text, size_t length)
{
    return text || length == 0;
}

pipeport_status pipeport_topic_read(const void *data, size_t length, pipeport_topic *out, const char **why)
{
    pp_topic topic;
    if (!out || !topic_is_lent(data, length)) {
        return PIPEPORT_INVALID;
    }
    const char *wrong = length > PP_FRAMING_PAYLOAD_BYTES_MAX ? "it is longer than 1 GiB"
                                                              : pp_topic_read(data, (uint32_t) length, &topic);
    if (wrong) {
        if (why) {
            *why = wrong;
        }
        return PIPEPORT_BAD_PEER;
    }
    out->topic = (const char *) topic.topic.bytes;
    out->topic_length = topic.topic.length;
    out->message = (const char *) topic.message.bytes;
    out->message_length = topic.message.length;
    return PIPEPORT_OK;
}

size_t pipeport_topic_bytes(size_t topic_length, size_t message_length)
{
    if (topic_length > PP_FRAMING_PAYLOAD_BYTES_MAX || message_length > PP_FRAMING_PAYLOAD_BYTES_MAX) {
        return 0;
    }
    uint64_t bytes = pp_topic_bytes((uint32_t) topic_length, (uint32_t) message_length);
    return bytes > PP_FRAMING_PAYLOAD_BYTES_MAX ? 0 : (size_t) bytes;
}

pipeport_status pipeport_topic_write(const pipeport_topic *topic, void *room, size_t room_bytes)
{
    if (!topic || !room || !topic_is_lent(topic->topic, topic->topic_length) ||
        !topic_is_lent(topic->message, topic->message_length)) {
        return PIPEPORT_INVALID;
    }
    size_t bytes = pipeport_topic_bytes(topic->topic_length, topic->message_length);
    if (bytes == 0 || bytes > room_bytes) {
        return PIPEPORT_TOO_LARGE;
    }
    pp_topic texts = {{(const uint8_t *) topic->topic, (uint32_t) topic->topic_length},
                      {(const uint8_t *) topic->message, (uint32_t) topic->message_length}};
    return pp_topic_write(&texts, room) ? PIPEPORT_INVALID : PIPEPORT_OK;
}
