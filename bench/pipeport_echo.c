/* SPDX-License-Identifier: MIT */
/*
 * pipeport_echo - the server of the bare loops on pipeport, as a user writes it: default options, one send per message.
 *
 * It can also broadcast each message, or send it to every connection one by one, from inside the event or from foreign
 * threads. With --ask it ends with stdin, and answers each line with its figures.
 */
#include "bench/arguments.h"
#include "bench/clock.h"
#include "bench/senders.h"

#include <pipeport.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* What a message is answered with. */
enum mode { ECHO = 0, BROADCAST = 1, UNICAST = 2 };

struct host {
    pipeport_engine *engine;
    pipeport_server *server;
    struct senders *senders; /* UNICAST only. */
};

static void *host_opened(void *user, pipeport_conn conn)
{
    const struct host *host = user;

    return host->senders == NULL ? NULL : senders_join(host->senders, conn);
}

static void host_closed(void *user, void *state, pipeport_conn conn, const pipeport_end *end)
{
    const struct host *host = user;

    (void) conn;
    (void) end;
    if (host->senders != NULL) {
        senders_leave(host->senders, state);
    }
}

static void host_echo(void *user, void *state, pipeport_conn conn, const void *data, size_t length)
{
    const struct host *host = user;

    (void) state;
    /* FULL and GONE are the load's to notice: it misses the reply. */
    (void) pipeport_send(host->engine, conn, data, length);
}

static void host_broadcast(void *user, void *state, pipeport_conn conn, const void *data, size_t length)
{
    const struct host *host = user;

    (void) state;
    (void) conn;
    (void) pipeport_broadcast(host->server, data, length, NULL);
}

static void host_unicast(void *user, void *state, pipeport_conn conn, const void *data, size_t length)
{
    const struct host *host = user;

    (void) state;
    (void) conn;
    senders_send(host->senders, data, length);
}

static void expect(pipeport_status status, const char *what)
{
    if (status != PIPEPORT_OK) {
        fprintf(stderr, "pipeport_echo: %s: %s\n", what, pipeport_status_text(status));
        exit(1);
    }
}

static void host_figures(const struct host *host)
{
    pipeport_stats stats = {.size = sizeof stats};
    pipeport_engine_figures figures = {.size = sizeof figures};

    expect(pipeport_server_stats(host->server, &stats), "stats");
    expect(pipeport_engine_stats(host->engine, &figures), "figures");
    printf("stats driver=%s open=%" PRIu64 " received=%" PRIu64 " sent=%" PRIu64 " refused=%" PRIu64 " memory=%" PRIu64
           " memory_peak=%" PRIu64 " allocations=%" PRIu64 " frees=%" PRIu64 " armed=%" PRIu64 " done=%" PRIu64 "\n",
           pipeport_engine_driver(host->engine), stats.connections_open, stats.messages_received, stats.messages_sent,
           stats.sends_refused + stats.broadcasts_refused + stats.broadcasts_dropped, figures.memory_bytes,
           figures.memory_bytes_peak, figures.allocations, figures.frees, figures.operations_armed,
           figures.operations_done);
    fflush(stdout);
}

static void host_serve(const struct host *host, uint32_t seconds, bool ask)
{
    int letter;

    if (!ask) {
        clock_pause_ms(seconds == 0 ? UINT32_MAX : seconds * 1000);
        return;
    }
    while ((letter = getchar()) != EOF) {
        if (letter == '\n') {
            host_figures(host);
        }
    }
}

int main(int argc, char **argv)
{
    uint32_t connections = 255, threads = 2, seconds = 0, mode = ECHO, senders = 0, ask = 0;
    uint32_t queue = 0, when_full = PIPEPORT_REFUSE;
    const struct argument known[] = {
        {"--connections", &connections, 1, 20000, "connections at a time"},
        {"--threads", &threads, 1, 64, "workers of the engine"},
        {"--seconds", &seconds, 0, 86400, "how long to serve; 0: for good"},
        {"--mode", &mode, ECHO, UNICAST, "0 echo; 1 broadcast to all; 2 a send to each"},
        {"--senders", &senders, 0, 64, "mode 2: foreign threads that send; 0: inside the event"},
        {"--queue", &queue, 0, UINT32_MAX, "bytes that wait for one connection at most; 0: the default"},
        {"--when-full", &when_full, PIPEPORT_REFUSE, PIPEPORT_DISCONNECT, "0 refuse; 1 drop the newest; 2 disconnect"},
        {"--ask", &ask, 0, 1, "1: serve until stdin ends, and answer each line with figures"},
        {NULL, NULL, 0, 0, NULL},
    };
    const char *name = arguments_read(argc, argv, known);
    pipeport_engine_options engine_options = {.size = sizeof engine_options, .workers = threads};
    pipeport_options options = {.size = sizeof options,
                                .connections_max = connections,
                                .message_bytes_max = queue == 0 || queue > 1 << 20 ? 0 : queue / 2,
                                .send_queue_bytes_max = queue,
                                .when_full = when_full};
    struct host host = {NULL, NULL, NULL};
    pipeport_events events = {.size = sizeof events, .user = &host, .closed = host_closed, .opened = host_opened};

    events.message = mode == ECHO ? host_echo : mode == BROADCAST ? host_broadcast : host_unicast;
    expect(pipeport_engine_create(&host.engine, &engine_options), "engine");
    if (mode == UNICAST) {
        host.senders = senders_create(host.engine, connections, senders);
    }
    expect(pipeport_server_start(&host.server, host.engine, name, &options, &events), "server");
    printf("listening on %s with %s\n", pipeport_server_address(host.server), pipeport_engine_driver(host.engine));
    fflush(stdout);
    host_serve(&host, seconds, ask != 0);
    host_figures(&host);
    pipeport_server_stop(host.server, 1000);
    senders_destroy(host.senders);
    expect(pipeport_engine_destroy(host.engine), "end");
    return 0;
}
