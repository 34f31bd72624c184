/* SPDX-License-Identifier: MIT */
/*
 * topics.c - what was a C# server with topics: a PipeMessage is two strings, written by BinaryWriter, and who
 * subscribed to the first gets the second.
 *
 * Then: a list of clients for each topic, a lock around each list, a task for each client. Now: a group for each topic,
 * and no lock: publishing costs its subscribers. Clients with BinaryReader and BinaryWriter stay as they are: nothing
 * stands before the two strings, so the frame is as long as they say (`measure`).
 *
 *      topics NAME    serves NAME; two of three clients subscribe to "weather", and the third tells it
 */
#include <pipeport.h>

#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { CLIENTS = 3, PATIENCE_MS = 10000, STEP_MS = 10, TOPIC_BYTES_MAX = 64, PAYLOAD_BYTES_MAX = 500 };

typedef struct board {
    pipeport_engine *engine;
    pipeport_server *server;
    pipeport_conn conns[CLIENTS];
    unsigned opened, subscribed, heard;
} board;

/* ---- The wire: two strings, each behind its length in groups of 7 bits ---- */

/* Where the string that begins at `at` ends: 0 if that is not known yet, less than 0 if this is none. */
static int64_t string_end(const uint8_t *stream, size_t available, size_t at)
{
    uint64_t length = 0;
    for (unsigned group = 0; group < 5; ++group) {
        if (at + group >= available) {
            return 0;
        }
        length |= (uint64_t) (stream[at + group] & 0x7F) << 7 * group;
        if (stream[at + group] < 0x80) {
            return length <= INT32_MAX ? (int64_t) (at + group + 1 + length) : -1;
        }
    }
    return -1;
}

static int64_t measure(void *user, const void *stream, size_t available)
{
    (void) user;
    int64_t end = string_end(stream, available, 0);
    return end > 0 ? string_end(stream, available, (size_t) end) : end;
}

static void say(board *here, pipeport_conn conn, const char *topic, const char *message)
{
    uint8_t room[PAYLOAD_BYTES_MAX];
    pipeport_topic text = {topic, strlen(topic), message, strlen(message)};
    pipeport_status status = pipeport_topic_write(&text, room, sizeof room);
    if (status == PIPEPORT_OK) {
        size_t bytes = pipeport_topic_bytes(text.topic_length, text.message_length);
        status = pipeport_send(here->engine, conn, room, bytes);
    }
    if (status != PIPEPORT_OK) {
        fprintf(stderr, "%s: %s\n", topic, pipeport_status_text(status));
    }
}

/* ---- The server ---- */

static pipeport_group *group_of(board *here, const char *name, size_t length)
{
    char text[TOPIC_BYTES_MAX + 1];
    pipeport_group *group = NULL;
    if (length > TOPIC_BYTES_MAX || snprintf(text, sizeof text, "%.*s", (int) length, name) < 0) {
        return NULL;
    }
    return pipeport_group_open(&group, here->server, text) == PIPEPORT_OK ? group : NULL;
}

/* "subscribe" and a topic, or a topic and a message: to be passed on as it came. What is none of both costs the one who
 * sent it his connection, and nobody else anything. */
static void told(void *user, void *state, pipeport_conn conn, const void *data, size_t length)
{
    board *here = user;
    pipeport_topic text;
    const char *why = NULL;
    (void) state;
    if (pipeport_topic_read(data, length, &text, &why) != PIPEPORT_OK) {
        fprintf(stderr, "%s\n", why ? why : "?");
        (void) pipeport_close(here->engine, conn, PIPEPORT_ABORT);
        return;
    }
    int subscribes = text.topic_length == 9 && memcmp(text.topic, "subscribe", 9) == 0;
    pipeport_group *group = subscribes ? group_of(here, text.message, text.message_length)
                                       : group_of(here, text.topic, text.topic_length);
    if (group && subscribes) {
        here->subscribed += pipeport_group_join(group, conn) == PIPEPORT_OK;
    } else if (group) {
        (void) pipeport_group_broadcast(group, data, length, NULL);
    }
}

/* ---- The clients ---- */

static void *opened(void *user, pipeport_conn conn)
{
    board *here = user;
    here->conns[here->opened++] = conn;
    return NULL;
}

static void heard(void *user, void *state, pipeport_conn conn, const void *data, size_t length)
{
    pipeport_topic text;
    (void) state;
    (void) conn;
    if (pipeport_topic_read(data, length, &text, NULL) == PIPEPORT_OK) {
        printf("%.*s: %.*s\n", (int) text.topic_length, text.topic, (int) text.message_length, text.message);
        ((board *) user)->heard++;
    }
}

static void run_until(board *here, const unsigned *figure, unsigned least)
{
    for (int left_ms = PATIENCE_MS; left_ms > 0 && *figure < least; left_ms -= STEP_MS) {
        (void) pipeport_engine_run(here->engine, STEP_MS);
    }
}

static void talk(board *here)
{
    run_until(here, &here->opened, CLIENTS);
    say(here, here->conns[0], "subscribe", "weather");
    say(here, here->conns[1], "subscribe", "weather");
    run_until(here, &here->subscribed, 2);
    say(here, here->conns[2], "weather", "fine, 21 \302\260C");
    say(here, here->conns[2], "news", "nobody listens");
    say(here, here->conns[2], "weather", "rain");
    run_until(here, &here->heard, 4);
}

int main(int argc, char **argv)
{
    board here = {0};
    pipeport_client *clients[CLIENTS] = {0};
    if (argc != 2) {
        fprintf(stderr, "usage: topics NAME\n");
        return 2;
    }
    pipeport_engine_options threads = {.size = sizeof threads, .workers = PIPEPORT_HOST_THREADS};
    pipeport_options options = {.size = sizeof options, .framing = pipeport_framing_measured(measure, NULL)};
    pipeport_events serve = {.size = sizeof serve, .user = &here, .message = told};
    pipeport_events listen = {.size = sizeof listen, .user = &here, .opened = opened, .message = heard};
    pipeport_status status = pipeport_engine_create(&here.engine, &threads);
    if (status == PIPEPORT_OK) {
        status = pipeport_server_start(&here.server, here.engine, argv[1], &options, &serve);
    }
    for (int i = 0; i < CLIENTS && status == PIPEPORT_OK; ++i) {
        status = pipeport_client_start(&clients[i], here.engine, argv[1], &options, &listen);
    }
    if (status == PIPEPORT_OK) {
        talk(&here);
    } else {
        fprintf(stderr, "%s: %s\n", argv[1], pipeport_status_text(status));
    }
    for (int i = 0; i < CLIENTS; ++i) {
        pipeport_client_stop(clients[i], PATIENCE_MS);
    }
    pipeport_server_stop(here.server, PATIENCE_MS);
    (void) pipeport_engine_destroy(here.engine);
    return here.heard == 4 ? 0 : 1;
}
