/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>

#include "tools/pipeport/framing.h"
#include "tools/pipeport/say.h"
#include "tools/pipeport/serve.h"

#define TOPICS_JOIN "subscribe"
#define TOPICS_LEAVE "unsubscribe"

static void topics_add(_Atomic uint64_t *sum, uint64_t number)
{
    atomic_fetch_add_explicit(sum, number, memory_order_relaxed);
}

/* What a peer sent that cannot be done costs him his connection and nobody else anything. */
static void topics_refuse(struct serve *serve, pipeport_conn conn, const char *why)
{
    topics_add(&serve->topics_refused, 1);
    say_error("serve", "a message is refused, and who sent it closed: %s", why);
    pipeport_close(serve->engine, conn, PIPEPORT_ABORT);
}

/* The group of a topic; NULL where there can be none, with why. */
static pipeport_group *topics_group(struct serve *serve, const char *name, size_t length, const char **why)
{
    char text[PIPEPORT_GROUP_NAME_BYTES_MAX + 1];
    pipeport_group *group = NULL;
    pipeport_status status;

    if (length == 0 || length > PIPEPORT_GROUP_NAME_BYTES_MAX || memchr(name, '\0', length) != NULL) {
        *why = "a topic here has 1 to 255 bytes and no NUL";
        return NULL;
    }
    memcpy(text, name, length);
    text[length] = '\0';
    status = pipeport_group_open(&group, serve->server, text);
    *why = status == PIPEPORT_FULL ? "there are as many topics as there can be" : pipeport_status_text(status);
    return status == PIPEPORT_OK ? group : NULL;
}

static bool topics_is(const pipeport_topic *topic, const char *word)
{
    return topic->topic_length == strlen(word) && memcmp(topic->topic, word, topic->topic_length) == 0;
}

static void topics_publish(struct serve *serve, pipeport_group *group, const void *data, size_t length)
{
    uint32_t reached = 0;
    pipeport_status status = pipeport_group_broadcast(group, data, length, &reached);

    if (status != PIPEPORT_OK && status != PIPEPORT_STOPPED) {
        topics_add(&serve->failures, 1);
        say_status("serve", "a topic was refused", status);
        return;
    }
    topics_add(&serve->topics_published, 1);
    topics_add(&serve->topics_delivered, reached);
    topics_add(&serve->accepted_bytes, framing_frame_bytes(&serve->options.framing, length) * reached);
}

void serve_topics_message(struct serve *serve, pipeport_conn conn, const void *data, size_t length)
{
    pipeport_topic topic;
    const char *why = NULL;
    bool joins, leaves;
    pipeport_group *group;
    pipeport_status status = PIPEPORT_OK;

    if (pipeport_topic_read(data, length, &topic, &why) != PIPEPORT_OK) {
        topics_refuse(serve, conn, why);
        return;
    }
    joins = topics_is(&topic, TOPICS_JOIN);
    leaves = topics_is(&topic, TOPICS_LEAVE);
    group = joins || leaves ? topics_group(serve, topic.message, topic.message_length, &why)
                            : topics_group(serve, topic.topic, topic.topic_length, &why);
    if (group == NULL) {
        topics_refuse(serve, conn, why);
    } else if (joins || leaves) {
        status = joins ? pipeport_group_join(group, conn) : pipeport_group_leave(group, conn);
    } else {
        topics_publish(serve, group, data, length);
    }
    if (status != PIPEPORT_OK && status != PIPEPORT_GONE) {
        topics_refuse(serve, conn, pipeport_status_text(status));
    }
}

void serve_topics_books(const struct serve *serve)
{
    say("topics: %" PRIu64 " messages passed on, %" PRIu64 " deliveries, %" PRIu64 " refused",
        atomic_load(&serve->topics_published), atomic_load(&serve->topics_delivered),
        atomic_load(&serve->topics_refused));
}
