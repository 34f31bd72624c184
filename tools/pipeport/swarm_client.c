/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "tools/pipeport/clock.h"
#include "tools/pipeport/framing.h"
#include "tools/pipeport/payload.h"
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

uint32_t swarm_client_length(const struct swarm_client *client, uint64_t sequence)
{
    const struct args_sizes *sizes = &client->swarm->options.sizes;

    /* Each connection begins elsewhere in the list, so that all sizes are under way at the same time. */
    return sizes->bytes[(client->tag + sequence) % sizes->count];
}

uint64_t swarm_client_frame(const struct swarm_client *client, uint64_t sequence)
{
    return framing_frame_bytes(&client->swarm->options.framing, swarm_client_length(client, sequence));
}

static struct payload client_request(const struct swarm_client *client, uint64_t sequence)
{
    return (struct payload){.kind = PAYLOAD_KIND_REQUEST,
                            .tag = client->tag,
                            .sequence = sequence,
                            .seed = client->swarm->options.seed,
                            .length = swarm_client_length(client, sequence)};
}

static void client_is_over(struct swarm_client *client)
{
    if (!atomic_exchange(&client->over, true)) {
        atomic_fetch_sub_explicit(&client->swarm->remaining, 1, memory_order_release);
    }
}

/* After the first wrong message a connection's others tell nothing new. */
static void client_is_bad(struct swarm_client *client)
{
    client->bad = true;
    client_is_over(client);
    pipeport_close(client->swarm->engine, client->conn, PIPEPORT_ABORT);
}

static pipeport_status client_send(struct swarm_client *client, uint64_t sequence)
{
    struct payload payload = client_request(client, sequence);
    pipeport_engine *engine = client->swarm->engine;
    pipeport_message *message = NULL;
    void *room = NULL;
    pipeport_status status = pipeport_message_create(&message, engine, &client->swarm->options.framing, payload.length,
                                                     &room);

    if (status != PIPEPORT_OK) {
        return status;
    }
    payload.made_ns = clock_now_ns();
    payload_write(&payload, room);
    status = pipeport_send_message(engine, client->conn, message);
    pipeport_message_release(message);
    return status;
}

void swarm_client_begin(struct swarm_client *client)
{
    pipeport_status status;

    atomic_store(&client->first_ns, clock_now_ns());
    status = client_send(client, 0);
    client->first_accepted = status == PIPEPORT_OK;
    if (status != PIPEPORT_OK && status != PIPEPORT_GONE) { /* GONE: `closed` says more. */
        swarm_client_object(client, "message 0 was refused: %s", pipeport_status_text(status));
        client_is_over(client);
    }
}

/* Keeps `depth` messages in flight. */
static void client_fill(struct swarm_client *client)
{
    const struct swarm_options *options = &client->swarm->options;

    while (client->sent < options->messages && client->sent - client->echoed < options->depth && !client->refused &&
           !atomic_load_explicit(&client->swarm->ending, memory_order_relaxed)) {
        pipeport_status status;

        client->sent_ns[client->sent % options->depth] = clock_now_ns();
        status = client_send(client, client->sent);
        if (status == PIPEPORT_FULL) {
            client->refused = true; /* `drained` will come. */
        } else if (status == PIPEPORT_OK) {
            client->accepted_bytes += swarm_client_frame(client, client->sent);
            client->sent++;
        } else if (status == PIPEPORT_GONE) {
            return;
        } else {
            swarm_client_object(client, "message %" PRIu64 " was refused: %s", client->sent,
                                pipeport_status_text(status));
            client_is_bad(client);
            return;
        }
    }
}

static void client_object_verdict(struct swarm_client *client, enum payload_verdict verdict,
                                  const struct payload *expected, const struct payload *found)
{
    const char *what = expected->kind == PAYLOAD_KIND_BROADCAST ? "broadcast" : "message";

    swarm_client_object(client,
                        "%s %" PRIu64 " is wrong: %s (came: number %" PRIu64 " of tag %" PRIu32
                        ", %zu bytes; was due: number %" PRIu64 " of tag %" PRIu32 ", %zu bytes)",
                        what, expected->sequence, payload_verdict_text(verdict), found->sequence, found->tag,
                        found->length, expected->sequence, expected->tag, expected->length);
    client_is_bad(client);
}

static void client_take_broadcast(struct swarm_client *client, const void *data, size_t length)
{
    struct swarm *swarm = client->swarm;
    bool counted = swarm->options.broadcasts != SWARM_ANY_BROADCASTS;
    struct payload expected = {.kind = PAYLOAD_KIND_BROADCAST, .tag = PAYLOAD_TAG_ALL, .length = length}, found;
    enum payload_verdict verdict;
    uint64_t now = clock_now_ns(), delay;

    expected.sequence = client->broadcast_next;
    verdict = payload_read(&expected, data, length, &found);
    if (verdict == PAYLOAD_AHEAD && !counted && client->broadcasts == 0) {
        verdict = PAYLOAD_GOOD; /* Who joined late begins in the middle. */
    }
    if (verdict != PAYLOAD_GOOD) {
        client_object_verdict(client, verdict, &expected, &found);
        return;
    }
    if (counted && client->broadcasts == swarm->options.broadcasts) {
        swarm_client_object(client, "broadcast %" PRIu64 " came, one more than --broadcasts says", found.sequence);
        client_is_bad(client);
        return;
    }
    delay = now > found.made_ns ? now - found.made_ns : 0;
    histogram_add(swarm->delays, delay);
    if (counted) {
        _Atomic uint64_t *slowest = &swarm->slowest_ns[found.sequence];
        uint64_t seen = atomic_load_explicit(slowest, memory_order_relaxed);

        while (delay > seen && !atomic_compare_exchange_weak_explicit(slowest, &seen, delay, memory_order_relaxed,
                                                                      memory_order_relaxed)) {
        }
    }
    client->broadcast_first_ns = client->broadcasts == 0 ? now : client->broadcast_first_ns;
    client->broadcast_last_ns = now;
    client->broadcast_next = found.sequence + 1;
    client->broadcasts++;
}

static void client_take_echo(struct swarm_client *client, const void *data, size_t length)
{
    struct payload expected = client_request(client, client->echoed), found;
    enum payload_verdict verdict = payload_read(&expected, data, length, &found);
    uint64_t now = clock_now_ns(), sent_ns;

    if (client->echoed == client->sent) {
        swarm_client_object(client, "a message of %zu bytes came after %" PRIu64 " echoes, where none was due", length,
                            client->echoed);
        client_is_bad(client);
        return;
    }
    if (verdict != PAYLOAD_GOOD) {
        client_object_verdict(client, verdict, &expected, &found);
        return;
    }
    sent_ns = client->echoed == 0 ? atomic_load(&client->first_ns)
                                  : client->sent_ns[client->echoed % client->swarm->options.depth];
    histogram_add(client->swarm->round_trips, now - sent_ns);
    client->echo_last_ns = now;
    client->echoed++;
    client_fill(client);
}

static bool client_has_all(const struct swarm_client *client)
{
    const struct swarm_options *options = &client->swarm->options;

    return client->echoed == options->messages &&
           (options->broadcasts == SWARM_ANY_BROADCASTS || client->broadcasts == options->broadcasts);
}

static void *client_opened(void *user, pipeport_conn conn)
{
    struct swarm_client *client = user;
    struct swarm *swarm = client->swarm;

    client->conn = conn;
    client->opened_ns = clock_now_ns();
    if (swarm->options.messages > 0) { /* As if message 0 were on its way: the main thread sends it. */
        client->sent = 1;
    } else if (client_has_all(client)) {
        client_is_over(client);
    }
    atomic_fetch_add_explicit(&swarm->events, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&swarm->opened, 1, memory_order_release);
    swarm_client_dial(swarm);
    return client;
}

static void client_message(void *user, void *state, pipeport_conn conn, const void *data, size_t length)
{
    struct swarm_client *client = state;

    (void) user, (void) conn;
    atomic_fetch_add_explicit(&client->swarm->events, 1, memory_order_relaxed);
    client->came_bytes += framing_frame_bytes(&client->swarm->options.framing, length);
    if (client->bad) {
        return;
    }
    if (payload_kind(PAYLOAD_LACKS_NONE, data, length) == PAYLOAD_KIND_BROADCAST) {
        client_take_broadcast(client, data, length);
    } else {
        client_take_echo(client, data, length);
    }
    if (!client->bad && client_has_all(client)) {
        client_is_over(client);
    }
}

static void client_drained(void *user, void *state, pipeport_conn conn)
{
    struct swarm_client *client = state;

    (void) user, (void) conn;
    client->refused = false;
    if (!client->bad) {
        client_fill(client);
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
                            "it ended after %" PRIu64 " of %" PRIu32 " echoes and %" PRIu64
                            " broadcasts: %s (status %d, system code %ld)",
                            client->echoed, swarm->options.messages, client->broadcasts, pipeport_status_text(end->why),
                            (int) end->why, end->system_code);
        client_is_over(client);
    }
    atomic_fetch_add_explicit(&swarm->events, 1, memory_order_relaxed);
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
    client_is_over(client);
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
                                      .failed = client_failed};
            pipeport_status status = pipeport_client_start(&client->client, swarm->engine, swarm->name,
                                                           &swarm->client_options, &events);

            if (status != PIPEPORT_OK) {
                client_cannot_connect(client, status, 0);
            }
        }
    }
    atomic_fetch_add(&swarm->dials_left, 1);
}
