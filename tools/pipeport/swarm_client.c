/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "tools/pipeport/clock.h"
#include "tools/pipeport/framing.h"
#include "tools/pipeport/say.h"
#include "tools/pipeport/swarm.h"
#include "tools/pipeport/system.h"

#define CLIENT_OBJECTIONS_SAID 10

void swarm_client_object(const struct swarm_client *client, const char *format, ...)
{
    char text[256];
    va_list arguments;
    uint64_t number = atomic_fetch_add_explicit(&client->swarm->errors, 1, memory_order_relaxed) + 1;

    if (number > CLIENT_OBJECTIONS_SAID) {
        return; /* The report tells how many there were. */
    }
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    say_error("swarm", "connection %" PRIu32 ": %s", client->tag, text);
}

void swarm_client_is_over(struct swarm_client *client)
{
    if (!atomic_exchange(&client->over, true)) {
        atomic_fetch_sub_explicit(&client->swarm->remaining, 1, memory_order_release);
    }
}

void swarm_client_is_bad(struct swarm_client *client)
{
    client->bad = true;
    swarm_client_is_over(client);
    pipeport_close(client->swarm->engine, client->conn, PIPEPORT_ABORT);
}

static void client_lives(struct swarm_client *client)
{
    atomic_fetch_add_explicit(&client->swarm->events, 1, memory_order_relaxed);
}

static void client_has(struct swarm_client *client)
{
    if (!client->bad && swarm_check_has_all(client)) {
        swarm_client_is_over(client);
    }
}

static void *client_opened(void *user, pipeport_conn conn)
{
    struct swarm_client *client = user;
    struct swarm *swarm = client->swarm;

    client->conn = conn;
    client->opened_ns = clock_now_ns();
    if (swarm->options.topics > 0) {
        swarm_topics_open(client);
    } else if (swarm->options.messages > 0) { /* As if message 0 were on its way: the main thread sends it. */
        client->sent = 1;
        client->stream_sent = swarm_send_length(client, 0);
    } else {
        client_has(client);
    }
    client_lives(client);
    atomic_fetch_add_explicit(&swarm->opened, 1, memory_order_release);
    swarm_client_dial(swarm);
    return client;
}

static void client_message(void *user, void *state, pipeport_conn conn, const void *data, size_t length)
{
    struct swarm_client *client = state;

    (void) user, (void) conn;
    client_lives(client);
    client->came_bytes += framing_frame_bytes(&client->swarm->options.pipe.framing, length);
    if (!client->bad) {
        swarm_check(client, data, length);
        client_has(client);
    }
}

/* To-server only: what the system has taken is all that a client sees of its messages' way. */
static void client_sent(void *user, void *state, pipeport_conn conn, uint64_t bytes)
{
    struct swarm_client *client = state;

    (void) user, (void) conn;
    client_lives(client);
    client->taken_bytes += bytes;
    if (!client->bad) {
        swarm_send_arrived(client, client->taken_bytes);
        swarm_send_fill(client);
        client_has(client);
    }
}

static void client_drained(void *user, void *state, pipeport_conn conn)
{
    struct swarm_client *client = state;

    (void) user, (void) conn;
    if (client->swarm->options.topics > 0) {
        swarm_topics_push(client);
        return;
    }
    client->refused = false;
    if (!client->bad) {
        swarm_send_fill(client);
    }
}

static void client_closed(void *user, void *state, pipeport_conn conn, const pipeport_end *end)
{
    struct swarm_client *client = state;
    struct swarm *swarm = client->swarm;

    (void) user, (void) conn;
    client->end = *end;
    if (!atomic_load(&client->over) && !atomic_load(&swarm->ending)) {
        swarm_client_object(client,
                            "it ended after %" PRIu64 " of %" PRIu64 " %s and %" PRIu64
                            " broadcasts: %s (status %d, system code %ld)",
                            client->echoed, swarm->options.topics > 0 ? client->due : swarm->options.messages,
                            swarm->options.topics > 0 ? "messages"
                            : swarm_is_one_way(swarm) ? "messages taken"
                                                      : "echoes",
                            client->broadcasts, pipeport_status_text(end->why), (int) end->why, end->system_code);
        swarm_client_is_over(client);
    }
    client_lives(client);
    atomic_fetch_add_explicit(&swarm->closed, 1, memory_order_release);
}

static void client_cannot_connect(struct swarm_client *client, pipeport_status why, long system_code)
{
    if (why == PIPEPORT_INVALID) {
        atomic_store(&client->swarm->name_wrong, true);
    } else if (!atomic_load(&client->swarm->ending)) {
        struct system_room room;

        swarm_client_object(client, "it could not connect: %s (status %d%s%s)", pipeport_status_text(why), (int) why,
                            system_code == 0 ? "" : ", ", system_code == 0 ? "" : system_code_text(&room, system_code));
    }
    atomic_store(&client->swarm->ending, true); /* Not all can be there any more. */
    swarm_client_is_over(client);
}

static void client_failed(void *user, pipeport_status why, long system_code)
{
    client_cannot_connect(user, why, system_code);
}

void swarm_client_dial(struct swarm *swarm)
{
    uint32_t number;

    atomic_fetch_add(&swarm->dials_entered, 1);
    if (!atomic_load(&swarm->ending)) {
        number = atomic_fetch_add(&swarm->dial_next, 1);
        if (number < swarm->options.connections) {
            struct swarm_client *client = &swarm->clients[number];
            pipeport_events events = {.size = sizeof(events),
                                      .user = client,
                                      .opened = client_opened,
                                      .message = client_message,
                                      .drained = client_drained,
                                      .closed = client_closed,
                                      .failed = client_failed,
                                      .sent = swarm_is_one_way(swarm) ? client_sent : NULL};
            pipeport_status status = pipeport_client_start(&client->client, swarm->engine, swarm->name,
                                                           &swarm->client_options, &events);

            if (status != PIPEPORT_OK) {
                client_cannot_connect(client, status, 0);
            }
        }
    }
    atomic_fetch_add(&swarm->dials_left, 1);
}
