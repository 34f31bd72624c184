/* SPDX-License-Identifier: MIT */
/*
 * A topic is there while somebody has subscribed to it, and is a group of the server's for that time. A server has
 * PIPEPORT_GROUPS_MAX groups, which stay; so they are numbered, and each serves one topic after another. As no
 * connection has more than --topics-max topics, none can take the others' away.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/pipeport/framing.h"
#include "tools/pipeport/say.h"
#include "tools/pipeport/serve.h"
#include "tools/pipeport/system.h"
#include "tools/pipeport/topic_table.h"

#define TOPICS_JOIN "subscribe"
#define TOPICS_LEAVE "unsubscribe"
#define TOPICS_REFUSED "refused"
#define TOPICS_REFUSALS_SAID 10

/* Under the program's lock, but for the groups: who holds a topic's number may use its group. */
struct serve_topics {
    struct topic_table *table;
    pipeport_group *groups[PIPEPORT_GROUPS_MAX]; /* By number; NULL: has not been needed. */
};

/* Of one connection, whose events alone look at it. */
struct serve_subscriptions {
    uint32_t count;
    uint32_t numbers[]; /* Of the topics, options.topics_max at most, each held. */
};

static void topics_add(_Atomic uint64_t *sum, uint64_t number)
{
    atomic_fetch_add_explicit(sum, number, memory_order_relaxed);
}

bool serve_topics_init(struct serve *serve)
{
    if (!serve->options.topics) {
        return true;
    }
    serve->topics = calloc(1, sizeof(*serve->topics));
    if (serve->topics != NULL) {
        serve->topics->table = topic_table_create(PIPEPORT_GROUPS_MAX);
    }
    return serve->topics != NULL && serve->topics->table != NULL;
}

void serve_topics_fini(struct serve *serve)
{
    if (serve->topics != NULL) {
        topic_table_destroy(serve->topics->table);
        free(serve->topics);
    }
}

struct serve_subscriptions *serve_topics_opened(const struct serve *serve)
{
    return calloc(1, sizeof(struct serve_subscriptions) + serve->options.topics_max * sizeof(uint32_t));
}

/* What a peer sent that is no topic costs him his connection and nobody else anything. */
static void topics_close(struct serve *serve, pipeport_conn conn, const char *why)
{
    topics_add(&serve->topics_refused, 1);
    say_error("serve", "a message is refused, and who sent it closed: %s", why);
    pipeport_close(serve->engine, conn, PIPEPORT_ABORT);
}

/* A topic that he may not have he is told of: `refused`, with the topic as message. */
static void topics_refuse(struct serve *serve, pipeport_conn conn, const pipeport_topic *topic, const char *why)
{
    pipeport_topic answer = {TOPICS_REFUSED, strlen(TOPICS_REFUSED), topic->message, topic->message_length};
    unsigned char room[sizeof(TOPICS_REFUSED) + 8 + TOPIC_TABLE_NAME_BYTES_MAX];
    size_t length = pipeport_topic_bytes(answer.topic_length, answer.message_length);

    if (atomic_fetch_add(&serve->topics_turned_down, 1) < TOPICS_REFUSALS_SAID) {
        say_error("serve", "a topic is refused: %s", why);
    }
    if (pipeport_topic_write(&answer, room, sizeof(room)) == PIPEPORT_OK &&
        pipeport_send(serve->engine, conn, room, length) == PIPEPORT_OK) {
        topics_add(&serve->accepted_bytes, framing_frame_bytes(&serve->options.pipe.framing, length));
    }
}

static void topics_drop(struct serve_topics *topics, uint32_t number)
{
    system_lock_take();
    topic_table_drop(topics->table, number);
    system_lock_give();
}

/* The number of the topic, held; its group is there. */
static uint32_t topics_enter(struct serve *serve, const pipeport_topic *topic, const char **why)
{
    struct serve_topics *topics = serve->topics;
    uint32_t number;
    char name[16];
    pipeport_status status = PIPEPORT_OK;

    system_lock_take();
    number = topic_table_enter(topics->table, topic->message, topic->message_length);
    if (number != TOPIC_TABLE_NONE && topics->groups[number] == NULL) {
        snprintf(name, sizeof(name), "%" PRIu32, number);
        status = pipeport_group_open(&topics->groups[number], serve->server, name);
        if (status != PIPEPORT_OK) {
            topic_table_drop(topics->table, number);
        }
    }
    system_lock_give();
    *why = number == TOPIC_TABLE_NONE ? "there are as many topics as there can be" : pipeport_status_text(status);
    return status == PIPEPORT_OK ? number : TOPIC_TABLE_NONE;
}

/* Where the topic stands among those of the connection; `count` where it does not. */
static uint32_t topics_among(struct serve *serve, const struct serve_subscriptions *own, const pipeport_topic *topic)
{
    uint32_t at = 0, number;

    system_lock_take();
    number = topic_table_find(serve->topics->table, topic->message, topic->message_length);
    system_lock_give();
    while (at < own->count && own->numbers[at] != number) {
        at++;
    }
    return at;
}

static void topics_subscribe(struct serve *serve, struct serve_subscriptions *own, pipeport_conn conn,
                             const pipeport_topic *topic)
{
    const char *why = "its connection has as many as --topics-max allows";
    uint32_t number = TOPIC_TABLE_NONE;
    pipeport_status status;

    if (topics_among(serve, own, topic) < own->count) {
        return;
    }
    if (own->count < serve->options.topics_max) {
        number = topics_enter(serve, topic, &why);
    }
    if (number == TOPIC_TABLE_NONE) {
        topics_refuse(serve, conn, topic, why);
        return;
    }
    status = pipeport_group_join(serve->topics->groups[number], conn);
    if (status == PIPEPORT_OK) {
        own->numbers[own->count++] = number;
        return;
    }
    topics_drop(serve->topics, number);
    if (status != PIPEPORT_GONE) {
        topics_close(serve, conn, pipeport_status_text(status));
    }
}

static void topics_unsubscribe(struct serve *serve, struct serve_subscriptions *own, pipeport_conn conn,
                               const pipeport_topic *topic)
{
    uint32_t at = topics_among(serve, own, topic), number;

    if (at == own->count) {
        return;
    }
    number = own->numbers[at];
    own->numbers[at] = own->numbers[--own->count];
    pipeport_group_leave(serve->topics->groups[number], conn); /* GONE: it has left them all. */
    topics_drop(serve->topics, number);
}

/* Whoever goes has left his groups before: nobody comes into a topic that had another name for them. */
void serve_topics_closed(struct serve *serve, struct serve_subscriptions *own)
{
    for (uint32_t i = 0; own != NULL && i < own->count; i++) {
        topics_drop(serve->topics, own->numbers[i]);
    }
    free(own);
}

static void topics_broadcast(struct serve *serve, pipeport_group *group, const void *data, size_t length)
{
    uint32_t reached = 0;
    pipeport_status status = group == NULL ? pipeport_broadcast(serve->server, data, length, &reached)
                                           : pipeport_group_broadcast(group, data, length, &reached);

    if (status != PIPEPORT_OK && status != PIPEPORT_STOPPED) {
        topics_add(&serve->failures, 1);
        say_status("serve", "a topic was refused", status);
        return;
    }
    topics_add(&serve->topics_delivered, reached);
    topics_add(&serve->accepted_bytes, framing_frame_bytes(&serve->options.pipe.framing, length) * reached);
}

/* The fault that --fault asked for, on one message; true where it has been seen to. */
static bool topics_spoil(struct serve *serve, pipeport_group *group, const void *data, size_t length)
{
    unsigned char *bytes;

    if (serve->options.fault.text == NULL ||
        atomic_fetch_add(&serve->topics_spoilable, 1) + 1 != serve->options.fault_at) {
        return false;
    }
    switch ((enum serve_fault) serve->options.fault.number) {
    case SERVE_LOSE:
        return true;
    case SERVE_DOUBLE:
        topics_broadcast(serve, group, data, length);
        return false;
    case SERVE_FLIP:
        bytes = malloc(length);
        if (bytes == NULL) {
            return false;
        }
        memcpy(bytes, data, length);
        bytes[length - 1] ^= 1;
        topics_broadcast(serve, group, bytes, length);
        free(bytes);
        return true;
    case SERVE_ASTRAY:
        topics_broadcast(serve, NULL, data, length);
        return true;
    case SERVE_SWAP:
        break;
    }
    return false;
}

/* The topic keeps its group while this one is in it, whoever leaves. */
static void topics_publish(struct serve *serve, const pipeport_topic *topic, const void *data, size_t length)
{
    struct serve_topics *topics = serve->topics;
    uint32_t number;

    topics_add(&serve->topics_published, 1);
    system_lock_take();
    number = topic_table_find(topics->table, topic->topic, topic->topic_length);
    if (number != TOPIC_TABLE_NONE) {
        topic_table_hold(topics->table, number);
    }
    system_lock_give();
    if (number == TOPIC_TABLE_NONE) {
        return; /* Nobody has subscribed to it. */
    }
    if (!topics_spoil(serve, topics->groups[number], data, length)) {
        topics_broadcast(serve, topics->groups[number], data, length);
    }
    topics_drop(topics, number);
}

static bool topics_is(const pipeport_topic *topic, const char *word)
{
    return topic->topic_length == strlen(word) && memcmp(topic->topic, word, topic->topic_length) == 0;
}

static bool topics_can_be(const char *name, size_t length)
{
    return length > 0 && length <= TOPIC_TABLE_NAME_BYTES_MAX && memchr(name, '\0', length) == NULL;
}

void serve_topics_message(struct serve *serve, struct serve_subscriptions *own, pipeport_conn conn, const void *data,
                          size_t length)
{
    pipeport_topic topic;
    const char *why = NULL;
    bool joins, leaves;

    if (pipeport_topic_read(data, length, &topic, &why) != PIPEPORT_OK) {
        topics_close(serve, conn, why);
        return;
    }
    joins = topics_is(&topic, TOPICS_JOIN);
    leaves = topics_is(&topic, TOPICS_LEAVE);
    if (joins || leaves ? !topics_can_be(topic.message, topic.message_length)
                        : !topics_can_be(topic.topic, topic.topic_length)) {
        topics_close(serve, conn, "a topic here has 1 to 255 bytes and no NUL");
    } else if (joins) {
        topics_subscribe(serve, own, conn, &topic);
    } else if (leaves) {
        topics_unsubscribe(serve, own, conn, &topic);
    } else {
        topics_publish(serve, &topic, data, length);
    }
}

void serve_topics_books(const struct serve *serve)
{
    say("topics: %" PRIu64 " messages passed on, %" PRIu64 " deliveries, %" PRIu64 " refused, %" PRIu64
        " topics refused, %" PRIu64 " refused by a full queue, %" PRIu64 " dropped, %" PRIu64 " closed as slow",
        atomic_load(&serve->topics_published), atomic_load(&serve->topics_delivered),
        atomic_load(&serve->topics_refused), atomic_load(&serve->topics_turned_down), serve->deliveries_refused,
        serve->deliveries_dropped, serve->slow_peers);
}
