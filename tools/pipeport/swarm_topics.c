/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/pipeport/clock.h"
#include "tools/pipeport/framing.h"
#include "tools/pipeport/swarm.h"

#define TOPICS_SUBSCRIBE "subscribe"
#define TOPICS_UNSUBSCRIBE "unsubscribe"
#define TOPICS_NAME "th\xc3\xa9me %u" /* Not all of it is ASCII. */
#define TOPICS_PROBED 1u              /* The bit of swarm_client.heard; what came counts from the next on. */

static void topics_name(char name[SWARM_TOPIC_BYTES], uint32_t topic)
{
    snprintf(name, SWARM_TOPIC_BYTES, TOPICS_NAME, (unsigned) topic);
}

uint32_t swarm_topics_bytes(uint32_t topic, uint32_t payload_bytes)
{
    char name[SWARM_TOPIC_BYTES];

    topics_name(name, topic);
    return (uint32_t) pipeport_topic_bytes(strlen(name), payload_bytes);
}

/* Those of M messages that a connection sends to one topic, to which the `first` of them goes. */
static uint64_t topics_share(const struct swarm_options *options, uint32_t first)
{
    return options->messages > first ? (options->messages - first - 1) / options->topics + 1 : 0;
}

/* The first of a publisher's messages for a topic. */
static uint32_t topics_first(const struct swarm_options *options, uint32_t publisher, uint32_t topic)
{
    return (topic + options->topics - publisher % options->topics) % options->topics;
}

/* How many connections have subscribed to it; connection c has to topic c % topics. */
static uint32_t topics_subscribers(const struct swarm_options *options, uint32_t topic)
{
    return (options->connections - topic - 1) / options->topics + 1;
}

bool swarm_topics_init(struct swarm *swarm)
{
    const struct swarm_options *options = &swarm->options;

    if (options->topics == 0) {
        return true;
    }
    swarm->missing = calloc((size_t) options->connections * options->depth, sizeof(*swarm->missing));
    swarm->heard = calloc((size_t) options->connections * options->connections, sizeof(*swarm->heard));
    if (swarm->missing == NULL || swarm->heard == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < options->connections; i++) {
        struct swarm_client *client = &swarm->clients[i];

        client->missing = swarm->missing + (size_t) i * options->depth;
        client->heard = swarm->heard + (size_t) i * options->connections;
        for (uint32_t first = 0; first < options->topics; first++) { /* Publishers p, p + topics, ... have the same. */
            uint32_t like = (i % options->topics + options->topics - first) % options->topics;

            client->due += topics_share(options, first) * topics_subscribers(options, like);
        }
    }
    return true;
}

void swarm_topics_fini(struct swarm *swarm)
{
    free(swarm->missing);
    free(swarm->heard);
}

static pipeport_status topics_send(struct swarm_client *client, const pipeport_topic *topic)
{
    const pipeport_framing *framing = &client->swarm->options.pipe.framing;
    pipeport_engine *engine = client->swarm->engine;
    size_t bytes = pipeport_topic_bytes(topic->topic_length, topic->message_length);
    pipeport_message *message = NULL;
    void *room = NULL;
    pipeport_status status = pipeport_message_create(&message, engine, framing, bytes, &room);

    if (status != PIPEPORT_OK) {
        return status;
    }
    status = pipeport_topic_write(topic, room, bytes);
    if (status == PIPEPORT_OK) {
        status = pipeport_send_message(engine, client->conn, message);
    }
    if (status == PIPEPORT_OK) {
        client->accepted_bytes += framing_frame_bytes(framing, bytes);
    }
    pipeport_message_release(message);
    return status;
}

/* Thread: who may send. */
static pipeport_status topics_publish(struct swarm_client *client, uint32_t topic, struct payload *payload)
{
    char name[SWARM_TOPIC_BYTES];
    unsigned char probe[PAYLOAD_HEADER_BYTES_MAX], *bytes = probe;
    pipeport_status status = PIPEPORT_NO_MEMORY;

    payload->lacks = PAYLOAD_LACKS_HIGH;
    payload->made_ns = clock_now_ns();
    topics_name(name, topic);
    if (payload->length > sizeof(probe)) {
        bytes = malloc(payload->length);
    }
    if (bytes != NULL) {
        payload_write(payload, bytes);
        status = topics_send(client, &(pipeport_topic){name, strlen(name), (const char *) bytes, payload->length});
    }
    if (bytes != probe) {
        free(bytes);
    }
    return status;
}

static pipeport_status topics_say(struct swarm_client *client, const char *word, uint32_t topic)
{
    char name[SWARM_TOPIC_BYTES];

    topics_name(name, topic);
    return topics_send(client, &(pipeport_topic){word, strlen(word), name, strlen(name)});
}

static void topics_object_send(struct swarm_client *client, const char *what, pipeport_status status)
{
    if (status != PIPEPORT_GONE) { /* Of which `closed` says more. */
        swarm_client_object(client, "%s was refused: %s", what, pipeport_status_text(status));
        swarm_client_is_over(client);
    }
}

void swarm_topics_open(struct swarm_client *client)
{
    uint32_t topics = client->swarm->options.topics, own = client->tag % topics, other = (client->tag + 1) % topics;
    struct payload probe = {.kind = PAYLOAD_KIND_PROBE, .tag = client->tag, .length = PAYLOAD_HEADER_BYTES_MAX};
    pipeport_status status = topics_say(client, TOPICS_SUBSCRIBE, other);

    status = status == PIPEPORT_OK ? topics_say(client, TOPICS_UNSUBSCRIBE, other) : status;
    status = status == PIPEPORT_OK ? topics_say(client, TOPICS_SUBSCRIBE, own) : status;
    status = status == PIPEPORT_OK ? topics_publish(client, own, &probe) : status;
    if (status != PIPEPORT_OK) {
        topics_object_send(client, "a subscription", status);
    }
}

/* Thread: who has raised `pushes` from 0. */
static void topics_fill(struct swarm_client *client)
{
    const struct swarm_options *options = &client->swarm->options;

    while (client->sent < options->messages && !atomic_load_explicit(&client->swarm->ending, memory_order_relaxed)) {
        uint32_t topic = (uint32_t) ((client->tag + client->sent) % options->topics);
        uint32_t at = (uint32_t) (client->sent % options->depth);
        struct payload payload = swarm_send_request(client, client->sent);
        pipeport_status status;

        if (atomic_load_explicit(&client->missing[at], memory_order_acquire) != 0) {
            return; /* Its last receiver pushes. */
        }
        payload.kind = PAYLOAD_KIND_PUBLISHED;
        client->sent_ns[at] = clock_now_ns();
        atomic_store_explicit(&client->missing[at], topics_subscribers(options, topic), memory_order_release);
        status = topics_publish(client, topic, &payload);
        if (status != PIPEPORT_OK) {
            atomic_store_explicit(&client->missing[at], 0, memory_order_release);
            if (status != PIPEPORT_FULL) { /* FULL: `drained` pushes. */
                topics_object_send(client, "a message", status);
            }
            return;
        }
        client->sent++;
    }
}

/* Whoever finds somebody at it leaves him word, and he looks again. */
void swarm_topics_push(struct swarm_client *client)
{
    uint32_t pushes;

    if (atomic_fetch_add(&client->pushes, 1) != 0) {
        return;
    }
    do {
        pushes = atomic_load(&client->pushes);
        topics_fill(client);
    } while (!atomic_compare_exchange_strong(&client->pushes, &pushes, 0));
}

/* Who is given up hears no more, so that others would wait for it for ever: all end. */
static void topics_is_bad(struct swarm_client *client)
{
    swarm_client_is_bad(client);
    atomic_store(&client->swarm->ending, true);
}

static void topics_object(struct swarm_client *client, const struct payload *expected, const struct payload *found,
                          enum payload_verdict verdict)
{
    swarm_client_object(client,
                        "message %" PRIu64 " of connection %" PRIu32 " is wrong: %s (came: number %" PRIu64
                        ", %zu bytes; was due: number %" PRIu64 ", %zu bytes)",
                        found->sequence, found->tag, payload_verdict_text(verdict), found->sequence, found->length,
                        expected->sequence, expected->length);
    topics_is_bad(client);
}

/* Who sent it is subscribed to the topic; this connection is, or was for a moment. Whose probe comes before the own one
 * and whose after it is chance, but each at most once. */
static void topics_check_probe(struct swarm_client *client, const pipeport_topic *topic, const struct payload *found)
{
    struct swarm *swarm = client->swarm;
    uint32_t topics = swarm->options.topics, number = found->tag % topics;
    struct payload expected = {
        .kind = PAYLOAD_KIND_PROBE, .tag = found->tag, .length = PAYLOAD_HEADER_BYTES_MAX, .lacks = PAYLOAD_LACKS_HIGH};
    struct payload read;
    enum payload_verdict verdict = payload_read(&expected, topic->message, topic->message_length, &read);
    char name[SWARM_TOPIC_BYTES];

    topics_name(name, number);
    if (verdict == PAYLOAD_GOOD && (client->heard[found->tag] & TOPICS_PROBED)) {
        verdict = PAYLOAD_AGAIN;
    }
    if (verdict != PAYLOAD_GOOD) {
        topics_object(client, &expected, &read, verdict);
    } else if ((number != client->tag % topics && number != (client->tag + 1) % topics) ||
               strlen(name) != topic->topic_length || memcmp(name, topic->topic, topic->topic_length) != 0) {
        swarm_client_object(client, "a probe of connection %" PRIu32 " came under a topic that is not its own",
                            found->tag);
        topics_is_bad(client);
    } else {
        client->heard[found->tag] |= TOPICS_PROBED;
        if (found->tag == client->tag) {
            atomic_fetch_add_explicit(&swarm->subscribed, 1, memory_order_release);
        }
    }
}

/* A receiver less; the last one makes room for the publisher's next message. */
static void topics_arrived(struct swarm *swarm, uint32_t tag, uint64_t sequence)
{
    struct swarm_client *publisher = &swarm->clients[tag];
    uint32_t at = (uint32_t) (sequence % swarm->options.depth);
    uint64_t sent_ns;

    /* This receiver is still missing, so what is loaded was stored for this very message, behind its moment; and as
     * long as it is, nobody stores another. */
    (void) atomic_load_explicit(&publisher->missing[at], memory_order_acquire);
    sent_ns = publisher->sent_ns[at];
    if (atomic_fetch_sub_explicit(&publisher->missing[at], 1, memory_order_acq_rel) == 1) {
        histogram_add(swarm->round_trips, clock_now_ns() - sent_ns);
        swarm_topics_push(publisher);
    }
}

static void topics_check_published(struct swarm_client *client, const pipeport_topic *topic,
                                   const struct payload *found)
{
    const struct swarm_options *options = &client->swarm->options;
    uint32_t own = client->tag % options->topics, *heard = &client->heard[found->tag];
    struct payload expected;
    struct payload read;
    enum payload_verdict verdict;
    char name[SWARM_TOPIC_BYTES];

    topics_name(name, own);
    if (strlen(name) != topic->topic_length || memcmp(name, topic->topic, topic->topic_length) != 0) {
        swarm_client_object(
            client,
            "message %" PRIu64 " of connection %" PRIu32 " came under '%.*s', to which this one is not subscribed",
            found->sequence, found->tag, topic->topic_length > 64 ? 64 : (int) topic->topic_length, topic->topic);
        topics_is_bad(client);
        return;
    }
    expected = swarm_send_request(&client->swarm->clients[found->tag],
                                  topics_first(options, found->tag, own) + (uint64_t) options->topics * (*heard >> 1));
    expected.kind = PAYLOAD_KIND_PUBLISHED;
    expected.lacks = PAYLOAD_LACKS_HIGH;
    verdict = payload_read(&expected, topic->message, topic->message_length, &read);
    if (verdict == PAYLOAD_GOOD && read.sequence >= options->messages) {
        verdict = PAYLOAD_AHEAD;
    }
    if (verdict != PAYLOAD_GOOD) {
        topics_object(client, &expected, &read, verdict);
        return;
    }
    *heard += 2;
    client->echoed++;
    client->echo_last_ns = clock_now_ns();
    topics_arrived(client->swarm, found->tag, read.sequence);
}

void swarm_topics_check(struct swarm_client *client, const void *data, size_t length)
{
    struct payload found = {.lacks = PAYLOAD_LACKS_HIGH};
    pipeport_topic topic;
    const char *why = NULL;

    if (pipeport_topic_read(data, length, &topic, &why) != PIPEPORT_OK) {
        swarm_client_object(client, "a message of %zu bytes is no topic and message: %s", length, why);
        topics_is_bad(client);
    } else if (!payload_peek(&found, topic.message, topic.message_length) ||
               found.tag >= client->swarm->options.connections ||
               (found.kind != PAYLOAD_KIND_PROBE && found.kind != PAYLOAD_KIND_PUBLISHED)) {
        swarm_client_object(client, "what came under '%.*s' is nothing that a swarm has sent: '%.*s'",
                            topic.topic_length > 64 ? 64 : (int) topic.topic_length, topic.topic,
                            topic.message_length > 64 ? 64 : (int) topic.message_length, topic.message);
        topics_is_bad(client);
    } else if (found.kind == PAYLOAD_KIND_PROBE) {
        topics_check_probe(client, &topic, &found);
    } else {
        topics_check_published(client, &topic, &found);
    }
}
