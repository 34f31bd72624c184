/* SPDX-License-Identifier: MIT */
#include <inttypes.h>

#include "tools/pipeport/carriage.h"
#include "tools/pipeport/clock.h"
#include "tools/pipeport/framing.h"
#include "tools/pipeport/stream.h"
#include "tools/pipeport/swarm.h"

uint32_t swarm_send_length(const struct swarm_client *client, uint64_t sequence)
{
    const struct args_sizes *sizes = &client->swarm->options.sizes;

    /* Each connection begins elsewhere in the list, so that all sizes are under way at the same time. */
    return sizes->bytes[(client->tag + sequence) % sizes->count];
}

/* Of the message as pipeport_send is given it. */
static uint64_t send_bytes(const struct swarm_client *client, uint64_t sequence)
{
    const struct swarm_options *options = &client->swarm->options;
    uint32_t length = swarm_send_length(client, sequence);

    if (options->topics > 0) {
        return swarm_topics_bytes((uint32_t) ((client->tag + sequence) % options->topics), length);
    }
    return carriage_bytes(&options->pipe.framing, length);
}

uint64_t swarm_send_frame(const struct swarm_client *client, uint64_t sequence)
{
    return framing_frame_bytes(&client->swarm->options.pipe.framing, send_bytes(client, sequence));
}

struct payload swarm_send_request(const struct swarm_client *client, uint64_t sequence)
{
    const struct swarm_options *options = &client->swarm->options;

    return (struct payload){.kind = PAYLOAD_KIND_REQUEST,
                            .tag = client->tag,
                            .sequence = sequence,
                            .seed = options->seed,
                            .length = swarm_send_length(client, sequence),
                            .lacks = carriage_lacks(&options->pipe.framing)};
}

static pipeport_status send_message(struct swarm_client *client, uint64_t sequence, uint64_t position)
{
    const struct swarm *swarm = client->swarm;
    struct payload payload = swarm_send_request(client, sequence);
    pipeport_message *message = NULL;
    void *room = NULL;
    pipeport_status status = pipeport_message_create(&message, swarm->engine, &swarm->options.pipe.framing,
                                                     send_bytes(client, sequence), &room);

    if (status != PIPEPORT_OK) {
        return status;
    }
    if (swarm_is_stream(swarm)) {
        stream_write(&(struct stream){.seed = payload.seed, .tag = client->tag}, position, room, payload.length);
    } else {
        payload.made_ns = clock_now_ns();
        carriage_write(&swarm->options.pipe.framing, &payload, room);
    }
    status = pipeport_send_message(swarm->engine, client->conn, message);
    pipeport_message_release(message);
    return status;
}

void swarm_send_begin(struct swarm_client *client)
{
    pipeport_status status;

    atomic_store(&client->first_ns, clock_now_ns());
    status = send_message(client, 0, 0);
    client->first_accepted = status == PIPEPORT_OK;
    if (status != PIPEPORT_OK && status != PIPEPORT_GONE) { /* GONE: `closed` says more. */
        swarm_client_object(client, "message 0 was refused: %s", pipeport_status_text(status));
        swarm_client_is_over(client);
    }
}

void swarm_send_fill(struct swarm_client *client)
{
    const struct swarm_options *options = &client->swarm->options;

    while (client->sent < options->messages && client->sent - client->echoed < options->depth && !client->refused &&
           !atomic_load_explicit(&client->swarm->ending, memory_order_relaxed)) {
        pipeport_status status;

        client->sent_ns[client->sent % options->depth] = clock_now_ns();
        status = send_message(client, client->sent, client->stream_sent);
        if (status == PIPEPORT_FULL) {
            client->refused = true; /* `drained` will come. */
        } else if (status == PIPEPORT_OK) {
            client->accepted_bytes += swarm_send_frame(client, client->sent);
            client->stream_sent += swarm_send_length(client, client->sent);
            client->sent++;
        } else if (status == PIPEPORT_GONE) {
            return;
        } else {
            swarm_client_object(client, "message %" PRIu64 " was refused: %s", client->sent,
                                pipeport_status_text(status));
            swarm_client_is_bad(client);
            return;
        }
    }
}

void swarm_send_echoed(struct swarm_client *client)
{
    uint64_t now = clock_now_ns(), sent_ns;

    sent_ns = client->echoed == 0 ? atomic_load(&client->first_ns)
                                  : client->sent_ns[client->echoed % client->swarm->options.depth];
    histogram_add(client->swarm->round_trips, now - sent_ns);
    client->echo_last_ns = now;
    client->echoed++;
}

void swarm_send_arrived(struct swarm_client *client, uint64_t bytes)
{
    while (client->echoed < client->sent) {
        uint64_t frame = swarm_send_frame(client, client->echoed);

        if (bytes - client->echoed_bytes < frame) {
            return;
        }
        client->echoed_bytes += frame;
        swarm_send_echoed(client);
    }
}
