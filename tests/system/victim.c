/* SPDX-License-Identifier: MIT */
/*
 * victim.c - another process, to be killed: test_victim VERB NAME.
 *
 *   half NAME    connects to the address NAME, sends a header that promises 1,000 bytes and 10 of them, and waits
 *   serve NAME   serves NAME, and waits
 *   echo NAME    serves NAME, echoing all but what begins with an S, and waits
 *   idleN NAME   connects N times (1-10000) to the address NAME, and waits for the end of the last connection
 */
#include "engine/include/pipeport.h"
#include "tests/support/system.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int victim_half(const char *address)
{
    static const char part[14] = {(char) 0xe8, 0x03, 0, 0, 'h', 'a', 'l', 'f'};
    raw_client client;
    char nothing;
    if (!raw_connect(&client, address) || !raw_write(&client, part, sizeof part)) {
        return 1;
    }
    (void) raw_read(&client, &nothing, 1);
    return 0;
}

static void victim_answer(void *engine, void *state, pipeport_conn conn, const void *data, size_t length)
{
    (void) state;
    if (length > 0 && *(const char *) data == 'S') {
        return;
    }
    (void) pipeport_send(*(pipeport_engine **) engine, conn, data, length);
}

static int victim_serve(const char *name, bool echoes)
{
    pipeport_engine_options options = {.size = sizeof options, .workers = PIPEPORT_HOST_THREADS};
    pipeport_events events = {.size = sizeof events};
    pipeport_engine *engine;
    pipeport_server *server;
    events.user = &engine;
    events.message = echoes ? victim_answer : NULL;
    if (pipeport_engine_create(&engine, &options) != PIPEPORT_OK ||
        pipeport_server_start(&server, engine, name, NULL, &events) != PIPEPORT_OK) {
        return 1;
    }
    (void) pipeport_engine_run(engine, 60000); /* Should nobody kill it. */
    return 0;
}

static int victim_idle(unsigned clients, const char *address)
{
    raw_client client = {-1};
    char nothing[64];
    for (unsigned i = 0; i < clients; ++i) {
        if (!raw_connect(&client, address)) {
            fprintf(stderr, "victim: client %u of %u cannot connect\n", i, clients);
            return 1;
        }
    }
    while (raw_read(&client, nothing, sizeof nothing) > 0) {
    }
    return 0;
}

int main(int count, char **arguments)
{
    if (count == 3 && strcmp(arguments[1], "half") == 0) {
        return victim_half(arguments[2]);
    }
    if (count == 3 && strcmp(arguments[1], "serve") == 0) {
        return victim_serve(arguments[2], false);
    }
    if (count == 3 && strcmp(arguments[1], "echo") == 0) {
        return victim_serve(arguments[2], true);
    }
    if (count == 3 && strncmp(arguments[1], "idle", 4) == 0) {
        return victim_idle((unsigned) strtoul(arguments[1] + 4, NULL, 10), arguments[2]);
    }
    fprintf(stderr, "victim half|serve|echo|idleN NAME\n");
    return 2;
}
