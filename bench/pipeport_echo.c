/* SPDX-License-Identifier: MIT */
/*
 * pipeport_echo - the server of the bare loops on pipeport, as a user writes it: default options, one send per message.
 */
#include "bench/arguments.h"
#include "bench/clock.h"

#include <pipeport.h>

#include <stdio.h>
#include <stdlib.h>

static void echo(void *user, void *state, pipeport_conn conn, const void *data, size_t length)
{
    pipeport_engine *engine = user;

    (void) state;
    /* FULL and GONE are the load's to notice: it misses the reply. */
    (void) pipeport_send(engine, conn, data, length);
}

static void expect(pipeport_status status, const char *what)
{
    if (status != PIPEPORT_OK) {
        fprintf(stderr, "pipeport_echo: %s: %s\n", what, pipeport_status_text(status));
        exit(1);
    }
}

int main(int argc, char **argv)
{
    uint32_t connections = 255, threads = 2, seconds = 0;
    const struct argument known[] = {
        {"--connections", &connections, 1, 20000, "connections at a time"},
        {"--threads", &threads, 1, 64, "workers of the engine"},
        {"--seconds", &seconds, 0, 86400, "how long to serve; 0: for good"},
        {NULL, NULL, 0, 0, NULL},
    };
    const char *name = arguments_read(argc, argv, known);
    pipeport_engine_options engine_options = {.size = sizeof engine_options, .workers = threads};
    pipeport_options options = {.size = sizeof options, .connections_max = connections};
    pipeport_events events = {.size = sizeof events, .message = echo};
    pipeport_engine *engine = NULL;
    pipeport_server *server = NULL;

    expect(pipeport_engine_create(&engine, &engine_options), "engine");
    events.user = engine;
    expect(pipeport_server_start(&server, engine, name, &options, &events), "server");
    printf("listening on %s\n", pipeport_server_address(server));
    fflush(stdout);
    clock_pause_ms(seconds == 0 ? UINT32_MAX : seconds * 1000);
    pipeport_server_stop(server, 1000);
    expect(pipeport_engine_destroy(engine), "end");
    return 0;
}
