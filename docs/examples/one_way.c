/* SPDX-License-Identifier: MIT */
/*
 * one_way.c - what were two pipes between two processes, one for each direction.
 *
 * Then: a process with a pipe it only writes (PIPE_ACCESS_OUTBOUND) and one it only reads (PIPE_ACCESS_INBOUND), each
 * with its own thread, buffers and time-out. Now: two servers on one engine, each with options of its own; the second
 * client of a pipe, a client that never says a word and one that came first are nothing special.
 *
 *      one_way NAME    serves NAME.orders (pushed as soon as somebody comes) and NAME.reports, and connects to both
 */
#include <pipeport.h>

#include <stdio.h>
#include <string.h>

enum { PATIENCE_MS = 10000, STEP_MS = 10, ORDERS = 5, NAME_BYTES = 190 };

typedef struct plant {
    pipeport_engine *engine;
    pipeport_conn reports; /* The client's end of NAME.reports. */
    unsigned reported;
} plant;

/* ---- The server: it speaks first on one pipe, and only listens on the other ---- */

static void *push_orders(void *user, pipeport_conn conn)
{
    plant *here = user;
    for (unsigned char order = 1; order <= ORDERS; ++order) {
        (void) pipeport_send(here->engine, conn, &order, 1);
    }
    return NULL;
}

static void take_report(void *user, void *state, pipeport_conn conn, const void *data, size_t length)
{
    (void) state;
    (void) conn;
    printf("report: %.*s\n", (int) length, (const char *) data);
    ((plant *) user)->reported++;
}

/* ---- The client: reads orders, writes reports ---- */

static void *reports_opened(void *user, pipeport_conn conn)
{
    ((plant *) user)->reports = conn;
    return NULL;
}

static void obey(void *user, void *state, pipeport_conn conn, const void *data, size_t length)
{
    plant *here = user;
    char text[40];
    int bytes = snprintf(text, sizeof text, "order %u done", *(const unsigned char *) data);
    (void) state;
    (void) conn;
    (void) length;
    pipeport_status status = pipeport_send(here->engine, here->reports, text, (size_t) bytes);
    if (status != PIPEPORT_OK) {
        printf("report: %s\n", pipeport_status_text(status));
    }
}

static pipeport_status begin(plant *here, const char *name, pipeport_server *servers[2], pipeport_client *clients[2])
{
    char orders[NAME_BYTES + 10], reports[NAME_BYTES + 10];
    snprintf(orders, sizeof orders, "%.*s.orders", NAME_BYTES, name);
    snprintf(reports, sizeof reports, "%.*s.reports", NAME_BYTES, name);
    pipeport_options out = {.size = sizeof out, .direction = PIPEPORT_TO_CLIENT, .pipe_buffer_bytes = 4096};
    pipeport_options in = {.size = sizeof in, .direction = PIPEPORT_TO_SERVER, .message_bytes_max = 1000};
    pipeport_events push = {.size = sizeof push, .user = here, .opened = push_orders};
    pipeport_events take = {.size = sizeof take, .user = here, .message = take_report};
    pipeport_events report = {.size = sizeof report, .user = here, .opened = reports_opened};
    pipeport_events work = {.size = sizeof work, .user = here, .message = obey};
    pipeport_status status = pipeport_server_start(&servers[0], here->engine, reports, &in, &take);
    if (status == PIPEPORT_OK) {
        status = pipeport_server_start(&servers[1], here->engine, orders, &out, &push);
    }
    if (status == PIPEPORT_OK) {
        status = pipeport_client_start(&clients[0], here->engine, reports, &in, &report);
    }
    for (int left_ms = PATIENCE_MS; status == PIPEPORT_OK && !here->reports.id && left_ms > 0; left_ms -= STEP_MS) {
        (void) pipeport_engine_run(here->engine, STEP_MS);
    }
    return status == PIPEPORT_OK ? pipeport_client_start(&clients[1], here->engine, orders, &out, &work) : status;
}

int main(int argc, char **argv)
{
    plant here = {0};
    pipeport_server *servers[2] = {0};
    pipeport_client *clients[2] = {0};
    if (argc != 2) {
        fprintf(stderr, "usage: one_way NAME\n");
        return 2;
    }
    pipeport_engine_options threads = {.size = sizeof threads, .workers = PIPEPORT_HOST_THREADS};
    pipeport_status status = pipeport_engine_create(&here.engine, &threads);
    if (status == PIPEPORT_OK) {
        status = begin(&here, argv[1], servers, clients);
    }
    if (status != PIPEPORT_OK) {
        fprintf(stderr, "%s: %s\n", argv[1], pipeport_status_text(status));
    }
    for (int left_ms = PATIENCE_MS; status == PIPEPORT_OK && here.reported < ORDERS && left_ms > 0;
         left_ms -= STEP_MS) {
        (void) pipeport_engine_run(here.engine, STEP_MS);
    }
    for (int i = 0; i < 2; ++i) {
        pipeport_client_stop(clients[i], PATIENCE_MS);
        pipeport_server_stop(servers[i], PATIENCE_MS);
    }
    (void) pipeport_engine_destroy(here.engine);
    return here.reported == ORDERS ? 0 : 1;
}
