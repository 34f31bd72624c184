/* SPDX-License-Identifier: MIT */
/*
 * callbacks.c - what was a library of callbacks with a C ABI: create, then `connected`, `sent`, `received`,
 * `disconnected`, each logged, from threads of its own.
 *
 * Then: one such library for a client and one for a server, a thread and some kilobytes a pipe, messages up to 4 KiB,
 * and a create that waited ten seconds for a server. Now: a handle of a dozen lines over pipeport; create never blocks,
 * a client that comes early is not missed, messages are as long as they are, and `disconnected` always comes, once.
 *
 *      callbacks NAME    a server and a client with these callbacks, and ten messages each way
 */
#include <pipeport.h>

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum { PATIENCE_MS = 10000, MESSAGES = 10, MESSAGE_BYTES = 10000 };

/* ---- The old interface ---- */

typedef struct channel {
    const char *who;
    pipeport_engine *engine;
    pipeport_server *server;
    pipeport_client *client;
    _Atomic uint64_t peer; /* The id of the connection, 0: none. */
    _Atomic unsigned connected, received, disconnected;
    _Atomic uint64_t bytes_sent;
} channel;

static void *on_connected(void *user, pipeport_conn conn)
{
    channel *here = user;
    atomic_store(&here->peer, conn.id);
    atomic_fetch_add(&here->connected, 1);
    printf("%s: connected\n", here->who);
    return NULL;
}

static void on_sent(void *user, void *state, pipeport_conn conn, uint64_t bytes)
{
    channel *here = user;
    (void) state;
    (void) conn;
    atomic_fetch_add(&here->bytes_sent, bytes);
    printf("%s: sent %llu bytes\n", here->who, (unsigned long long) bytes);
}

static void on_received(void *user, void *state, pipeport_conn conn, const void *data, size_t length)
{
    channel *here = user;
    (void) state;
    printf("%s: received %zu bytes\n", here->who, length);
    if (here->server) { /* Binary safe: back as it came. */
        (void) pipeport_send(here->engine, conn, data, length);
    }
    atomic_fetch_add(&here->received, 1);
}

static void on_disconnected(void *user, void *state, pipeport_conn conn, const pipeport_end *end)
{
    channel *here = user;
    (void) state;
    (void) conn;
    atomic_store(&here->peer, 0);
    atomic_fetch_add(&here->disconnected, 1);
    printf("%s: disconnected: %s; %llu bytes sent, %llu received, %llu discarded\n", here->who,
           pipeport_status_text(end->why), (unsigned long long) end->bytes_sent,
           (unsigned long long) end->bytes_received, (unsigned long long) end->bytes_discarded);
}

static void on_log(void *user, const char *line)
{
    printf("%s%s\n", (const char *) user, line);
}

static pipeport_status channel_create(channel *here, pipeport_engine *engine, const char *name, int is_server)
{
    pipeport_events events = {.size = sizeof events,
                              .user = here,
                              .opened = on_connected,
                              .message = on_received,
                              .sent = on_sent,
                              .closed = on_disconnected};
    here->who = is_server ? "server" : "client";
    here->engine = engine;
    return is_server ? pipeport_server_start(&here->server, engine, name, NULL, &events)
                     : pipeport_client_start(&here->client, engine, name, NULL, &events);
}

static pipeport_status channel_send(channel *here, const void *data, size_t length)
{
    return pipeport_send(here->engine, (pipeport_conn){atomic_load(&here->peer)}, data, length);
}

static void channel_destroy(channel *here)
{
    pipeport_client_stop(here->client, PATIENCE_MS);
    pipeport_server_stop(here->server, PATIENCE_MS);
}

/* ---- A program that uses it, with threads of the engine's ---- */

static int talk(channel *client)
{
    static char text[MESSAGE_BYTES];
    for (unsigned i = 0; i < MESSAGES; ++i) {
        memset(text, 'a' + (int) i, sizeof text);
        size_t length = i * sizeof text / (MESSAGES - 1); /* From nothing to more than any buffer of old. */
        pipeport_status status = channel_send(client, text, length);
        if (status != PIPEPORT_OK) {
            fprintf(stderr, "send %u: %s\n", i, pipeport_status_text(status));
            return 1;
        }
    }
    return 0;
}

/* A program has other things to do than to wait; this one lends its thread meanwhile. */
static int wait_for(pipeport_engine *engine, _Atomic unsigned *figure, unsigned least)
{
    for (int left_ms = PATIENCE_MS; left_ms > 0 && atomic_load(figure) < least; left_ms -= 10) {
        (void) pipeport_engine_run(engine, 10);
    }
    return atomic_load(figure) < least;
}

int main(int argc, char **argv)
{
    channel server = {0}, client = {0};
    pipeport_engine *engine = NULL;
    char prefix[] = "engine: ";
    if (argc != 2) {
        fprintf(stderr, "usage: callbacks NAME\n");
        return 2;
    }
    pipeport_engine_options options = {.size = sizeof options, .workers = 2, .log = on_log, .log_user = prefix};
    pipeport_status status = pipeport_engine_create(&engine, &options);
    if (status == PIPEPORT_OK) {
        status = channel_create(&server, engine, argv[1], 1);
    }
    if (status == PIPEPORT_OK) {
        status = channel_create(&client, engine, argv[1], 0);
    }
    int failed = status != PIPEPORT_OK;
    if (failed) {
        fprintf(stderr, "%s: %s\n", argv[1], pipeport_status_text(status));
    } else {
        failed = wait_for(engine, &client.connected, 1) || talk(&client) ||
                 wait_for(engine, &client.received, MESSAGES);
    }
    channel_destroy(&client);
    channel_destroy(&server);
    (void) pipeport_engine_destroy(engine);
    failed = failed || atomic_load(&client.disconnected) != 1 || atomic_load(&server.disconnected) != 1;
    return failed || atomic_load(&client.bytes_sent) != atomic_load(&server.bytes_sent);
}
