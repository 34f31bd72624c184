/* SPDX-License-Identifier: MIT */
/*
 * broadcast.c - what was an overlapped server: a wait for an array of events, a reply to who asks, and now and then a
 * message to one client or to all.
 *
 * Then: an OVERLAPPED and an event for each instance, WaitForMultipleObjects, at most 64 of them ("Named Pipe Server
 * Using Overlapped I/O"); a client that did not read stopped the loop. Now: no array, no limit but the options', and
 * who does not read keeps nobody waiting. The loop may stay: this program has one thread, which it lends to the engine.
 *
 * A chat: what one says all hear; "/me" is answered to who says it alone; "/first ..." goes to who came first, alone.
 *
 *      broadcast NAME    serves NAME, and lets three clients talk
 */
#include <pipeport.h>

#include <stdio.h>
#include <string.h>

enum { CLIENTS = 3, PATIENCE_MS = 10000, STEP_MS = 10 };

typedef struct room {
    pipeport_engine *engine;
    pipeport_server *server;
    pipeport_conn first; /* Who came first: an id to write to later. Once he has left it is nobody's. */
    unsigned inside;
    unsigned heard; /* By all clients together. */
} room;

/* ---- The server ---- */

static void *entered(void *user, pipeport_conn conn)
{
    room *here = user;
    if (here->first.id == 0) {
        here->first = conn;
    }
    here->inside++;
    return NULL;
}

static void said(void *user, void *state, pipeport_conn conn, const void *data, size_t length)
{
    room *here = user;
    (void) state;
    if (length == 3 && memcmp(data, "/me", 3) == 0) {
        static const char reply[] = "it is you";
        (void) pipeport_send(here->engine, conn, reply, sizeof reply - 1);
    } else if (length > 7 && memcmp(data, "/first ", 7) == 0) {
        (void) pipeport_send(here->engine, here->first, (const char *) data + 7, length - 7);
    } else {
        (void) pipeport_broadcast(here->server, data, length, NULL);
    }
}

/* The id of who has left is never another's: a send to it is GONE. */
static void left(void *user, void *state, pipeport_conn conn, const pipeport_end *end)
{
    room *here = user;
    (void) state;
    here->inside--;
    printf("left: %s; a send to it: %s\n", pipeport_status_text(end->why),
           pipeport_status_text(pipeport_send(here->engine, conn, "?", 1)));
}

/* ---- The clients ---- */

static void *joined(void *user, pipeport_conn conn)
{
    room *here = user;
    (void) pipeport_send(here->engine, conn, "hello", 5);
    (void) pipeport_send(here->engine, conn, "/me", 3);
    (void) pipeport_send(here->engine, conn, "/first psst", 11);
    return NULL;
}

static void heard(void *user, void *state, pipeport_conn conn, const void *data, size_t length)
{
    (void) state;
    (void) conn;
    printf("heard: %.*s\n", (int) length, (const char *) data);
    ((room *) user)->heard++;
}

/* Lends this thread until so much was heard, or for too long. */
static int run_until(room *here, unsigned clients, unsigned heard_least)
{
    for (int left_ms = PATIENCE_MS; left_ms > 0; left_ms -= STEP_MS) {
        if (here->inside == clients && here->heard >= heard_least) {
            return 0;
        }
        (void) pipeport_engine_run(here->engine, STEP_MS);
    }
    return 1;
}

int main(int argc, char **argv)
{
    room here = {0};
    pipeport_client *clients[CLIENTS] = {0};
    if (argc != 2) {
        fprintf(stderr, "usage: broadcast NAME\n");
        return 2;
    }
    pipeport_engine_options threads = {.size = sizeof threads, .workers = PIPEPORT_HOST_THREADS};
    pipeport_status status = pipeport_engine_create(&here.engine, &threads);
    pipeport_events serve = {.size = sizeof serve, .user = &here, .opened = entered, .message = said, .closed = left};
    pipeport_events talk = {.size = sizeof talk, .user = &here, .opened = joined, .message = heard};
    if (status == PIPEPORT_OK) {
        status = pipeport_server_start(&here.server, here.engine, argv[1], NULL, &serve);
    }
    for (int i = 0; i < CLIENTS && status == PIPEPORT_OK; ++i) {
        status = pipeport_client_start(&clients[i], here.engine, argv[1], NULL, &talk);
    }
    /* Each hears its own answer and its own "hello", and that of whoever came after it; the first every "psst". */
    int failed = status != PIPEPORT_OK || run_until(&here, CLIENTS, 3 * CLIENTS);
    if (status != PIPEPORT_OK) {
        fprintf(stderr, "%s: %s\n", argv[1], pipeport_status_text(status));
    }
    for (int i = 0; i < CLIENTS; ++i) {
        pipeport_client_stop(clients[i], PATIENCE_MS);
    }
    failed = failed || run_until(&here, 0, 0);
    pipeport_server_stop(here.server, PATIENCE_MS);
    (void) pipeport_engine_destroy(here.engine);
    return failed;
}
