/* SPDX-License-Identifier: MIT */
/*
 * echo.c - a user of pipeport: one engine on this thread, a server that echoes, a client that sends one message.
 */
#include <pipeport.h>
#include <stdio.h>
#include <string.h>
#ifdef OWN_MIMALLOC
#include <mimalloc.h>
#endif

struct talk {
    pipeport_engine *engine;
    int echoed;
    int closed;
};

static const char greeting[] = "a message from C";

static void server_message(void *user, void *state, pipeport_conn conn, const void *data, size_t length)
{
    struct talk *talk = user;
    (void) state;
    (void) pipeport_send(talk->engine, conn, data, length);
}

static void *client_opened(void *user, pipeport_conn conn)
{
    struct talk *talk = user;
    (void) pipeport_send(talk->engine, conn, greeting, sizeof greeting);
    return NULL;
}

static void client_message(void *user, void *state, pipeport_conn conn, const void *data, size_t length)
{
    struct talk *talk = user;
    (void) state;
    talk->echoed = length == sizeof greeting && memcmp(data, greeting, length) == 0;
    (void) pipeport_close(talk->engine, conn, PIPEPORT_DRAIN);
}

static void client_closed(void *user, void *state, pipeport_conn conn, const pipeport_end *end)
{
    struct talk *talk = user;
    (void) state;
    (void) conn;
    talk->closed = end->why == PIPEPORT_OK ? 1 : -1;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        return 2;
    }
    struct talk talk = {.engine = NULL};
    pipeport_engine_options options = {.size = sizeof options, .workers = PIPEPORT_HOST_THREADS};
    pipeport_status status = pipeport_engine_create(&talk.engine, &options);
    if (status != PIPEPORT_OK) {
        printf("engine: %s\n", pipeport_status_text(status));
        return 1;
    }
    pipeport_events serving = {.size = sizeof serving, .user = &talk, .message = server_message};
    pipeport_events asking = {.size = sizeof asking,
                              .user = &talk,
                              .opened = client_opened,
                              .message = client_message,
                              .closed = client_closed};
    pipeport_server *server = NULL;
    pipeport_client *client = NULL;
    status = pipeport_server_start(&server, talk.engine, argv[1], NULL, &serving);
    if (status == PIPEPORT_OK) {
        status = pipeport_client_start(&client, talk.engine, argv[1], NULL, &asking);
    }
    for (int turn = 0; status == PIPEPORT_OK && !talk.closed && turn < 1000; turn++) {
        status = pipeport_engine_run(talk.engine, 10);
    }
    pipeport_client_stop(client, 1000);
    pipeport_server_stop(server, 1000);
    pipeport_engine_destroy(talk.engine);
#ifdef OWN_MIMALLOC
    void *block = mi_malloc(100);
    mi_free(block);
#endif
    if (status != PIPEPORT_OK || !talk.echoed || talk.closed != 1) {
        printf("status %d, echoed %d, closed %d\n", (int) status, talk.echoed, talk.closed);
        return 1;
    }
    printf("OK %s\n", pipeport_version());
    return 0;
}
