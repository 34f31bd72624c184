/* SPDX-License-Identifier: MIT */
/*
 * serving.h - the frame of the example servers: it serves a name until somebody was there and all have gone. Said are
 * `listening on ADDRESS`, and at the end one line that the server itself makes.
 */
#ifndef PIPEPORT_CLIENTS_SERVING_H
#define PIPEPORT_CLIENTS_SERVING_H

#include "engine/include/pipeport.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

typedef struct serving {
    pipeport_engine *engine;
    pipeport_framing framing;
    _Atomic unsigned opened, closed; /* By its events; once `wanted` were opened and all are closed, it ends. */
    unsigned wanted;
    atomic_bool failed;
} serving;

/* One message of `parts`, one behind the other. */
typedef struct serving_part {
    const void *bytes;
    size_t length;
} serving_part;

static inline void serving_send(serving *server, pipeport_conn conn, const serving_part *parts, int count)
{
    pipeport_message *message;
    size_t length = 0;
    void *room;
    for (int i = 0; i < count; ++i) {
        length += parts[i].length;
    }
    pipeport_status status = pipeport_message_create(&message, server->engine, &server->framing, length, &room);
    if (status == PIPEPORT_OK) {
        unsigned char *at = room;
        for (int i = 0; i < count; ++i) {
            if (parts[i].length > 0) {
                memcpy(at, parts[i].bytes, parts[i].length);
                at += parts[i].length;
            }
        }
        status = pipeport_send_message(server->engine, conn, message);
        pipeport_message_release(message);
    }
    if (status != PIPEPORT_OK && status != PIPEPORT_GONE) {
        printf("a reply was refused: %s\n", pipeport_status_text(status));
        atomic_store(&server->failed, true);
        (void) pipeport_close(server->engine, conn, PIPEPORT_ABORT);
    }
}

/* The queue holds what a client that writes before it reads makes wait. */
static inline bool serving_run(serving *server, const char *name, const pipeport_events *events)
{
    pipeport_options options = {.size = sizeof options,
                                .framing = server->framing,
                                .message_bytes_max = 16 << 20,
                                .send_queue_bytes_max = 256 << 20};
    pipeport_server *listening;
    pipeport_status status = pipeport_engine_create(&server->engine, NULL);
    if (status == PIPEPORT_OK) {
        status = pipeport_server_start(&listening, server->engine, name, &options, events);
    }
    if (status != PIPEPORT_OK) {
        printf("it cannot serve: %s\n", pipeport_status_text(status));
        (void) pipeport_engine_destroy(server->engine);
        return false;
    }
    printf("listening on %s\n", pipeport_server_address(listening));
    (void) fflush(stdout);
    while (atomic_load(&server->closed) < server->wanted ||
           atomic_load(&server->closed) < atomic_load(&server->opened)) {
        if (pipeport_engine_run(server->engine, 20) != PIPEPORT_OK) {
            atomic_store(&server->failed, true);
            break;
        }
    }
    pipeport_server_stop(listening, 1000);
    return pipeport_engine_destroy(server->engine) == PIPEPORT_OK && !atomic_load(&server->failed);
}

#endif
